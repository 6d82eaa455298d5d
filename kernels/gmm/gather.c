/* The elements of a and b in turn, beginning with number `from` */
static inline lanes in_turn(lanes a, lanes b, int from)
{
#if defined(__clang__)
    lanes c;
    UNROLL for (int l = 0; l < LANES; l++) c[l] = l % 2 ? b[from + l / 2] : a[from + l / 2];
    return c;
#else
    lanes_int places;
    UNROLL for (int l = 0; l < LANES; l++) places[l] = from + l / 2 + l % 2 * LANES;
    return __builtin_shuffle(a, b, places);
#endif
}
/* A block of events about the point g: by event in rows [B][R], by dimension in xs [D][B], a square of
   elements at a time; after m events there are zeros.  The next block is fetched meanwhile */
static void gather(const $T *restrict x, const double *restrict g, int64_t m, $T *restrict rows,
                   $T *restrict xs)
{
    for (int64_t n = 0; n < m; n++) {
        for (int d = 0; d < $D; d += 64 / sizeof($T)) __builtin_prefetch(x + ($B + n) * $D + d, 0, 2);
        for (int d = 0; d < $D; d++) rows[n * $R + d] = ($T)(x[n * $D + d] - g[d]);
    }
    for (int64_t n = m; n < $B; n++)
        for (int d = 0; d < $D; d++) rows[n * $R + d] = 0;
    for (int n = 0; n < $B; n += LANES)
        for (int d = 0; d < $D; d += LANES) {
            lanes a[LANES], b[LANES];
            UNROLL for (int l = 0; l < LANES; l++) a[l] = *(const lanes *)(rows + (n + l) * $R + d);
            UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
                UNROLL for (int l = 0; l < LANES / 2; l++) {
                    b[2 * l] = in_turn(a[l], a[l + LANES / 2], 0);
                    b[2 * l + 1] = in_turn(a[l], a[l + LANES / 2], LANES / 2);
                }
                UNROLL for (int l = 0; l < LANES; l++) a[l] = b[l];
            }
            UNROLL for (int l = 0; l < LANES; l++) *(lanes *)(xs + (d + l) * $B + n) = a[l];
        }
}
