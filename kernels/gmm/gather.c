/* A block of events, one row a dimension, about the point g; rows end in zeros after m events */
static void gather(const $T *restrict x, const double *restrict g, int64_t m, $T *restrict xs)
{
    for (int d = 0; d < $D; d++) {
        const $T origin = ($T)g[d];
        for (int64_t n = 0; n < m; n++) xs[d * $B + n] = x[n * $D + d] - origin;
        for (int64_t n = m; n < $B; n++) xs[d * $B + n] = 0;
    }
}
