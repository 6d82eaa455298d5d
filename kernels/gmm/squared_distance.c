/* Squared distances of a block's whitened events ys[D][B] from the whitened means c[K][D], four vectors
   of events at a time */
static void squared_distance(const $T *restrict ys, const $T *restrict c, $T *restrict q)
{
    enum { E = $B / LANES < 4 ? $B / LANES : 4 };
    for (int k = 0; k < $K; k++, c += $D)
        for (int n = 0; n < $B; n += E * LANES) {
            lanes s[E];
            UNROLL for (int e = 0; e < E; e++) s[e] = (lanes){};
            for (int d = 0; d < $D; d++) {
                const lanes *y = (const lanes *)(ys + d * $B + n), centre = ALL(c[d]);
                UNROLL for (int e = 0; e < E; e++) {
                    const lanes t = y[e] - centre;
                    s[e] += t * t;
                }
            }
            UNROLL for (int e = 0; e < E; e++) ((lanes *)(q + k * $B + n))[e] = s[e];
        }
}
