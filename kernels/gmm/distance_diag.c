/* Squared Mahalanobis distances of a block with diagonal covariances, four vectors of events at a time */
static void distance(const $T *restrict xs, const $T *restrict w, $T *restrict q)
{
    enum { E = $B / LANES < 4 ? $B / LANES : 4 };
    for (int k = 0; k < $K; k++, w += $W)
        for (int n = 0; n < $B; n += E * LANES) {
            lanes s[E];
            UNROLL for (int e = 0; e < E; e++) s[e] = (lanes){};
            for (int d = 0; d < $D; d++) {
                const lanes *x = (const lanes *)(xs + d * $B + n);
                const lanes scale = ALL(w[2 * d]), less = ALL(w[2 * d + 1]);
                UNROLL for (int e = 0; e < E; e++) {
                    const lanes t = x[e] * scale + less;
                    s[e] += t * t;
                }
            }
            UNROLL for (int e = 0; e < E; e++) ((lanes *)(q + k * $B + n))[e] = s[e];
        }
}
