/* x_i x_j, i <= j, of the events of a block added to the upper half of s[D][S]: a symmetric update.
   Coordinate j, from rows [B][R], is lanes; coordinates i, from u[D][B], which may be weighted, are ROWS at
   a time */
enum { ROWS = 8, LAST = $D % ROWS };
static inline __attribute__((always_inline)) void add_square(const $T *restrict x, const $T *restrict u,
                                                             double *restrict s, const int rows)
{
    lanes a[ROWS];
    UNROLL for (int i = 0; i < rows; i++) a[i] = (lanes){};
    for (int n = 0; n < $B; n++, x += $R) {
        lanes v = *(const lanes *)x;
        IN_REGISTER(v);
        UNROLL for (int i = 0; i < rows; i++) a[i] += v * ALL(u[i * $B + n]);
    }
    UNROLL for (int i = 0; i < rows; i++) *(lanes_f64 *)(s + i * $S) += __builtin_convertvector(a[i], lanes_f64);
}
static __attribute__((noinline)) void rank_update(const $T *restrict rows, const $T *restrict u,
                                                  double *restrict s)
{
    for (int i = 0; i < $D; i += ROWS)
        for (int j = i / LANES * LANES; j < $D; j += LANES)
            if (i + ROWS <= $D)
                add_square(rows + j, u + i * $B, s + i * $S + j, ROWS);
            else
                add_square(rows + j, u + i * $B, s + i * $S + j, LAST);
}
