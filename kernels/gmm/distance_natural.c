/* Squared Mahalanobis distances of a block as features [B][F] times coefficients w[F][KP]; components are
   lanes, a tile is of up to four vectors of them and of 4 events */
static void natural_distance(const $T *restrict f, const $T *restrict w, $T *restrict q)
{
    enum { VECTORS = $KP / LANES, C = VECTORS % 2 ? 1 : VECTORS % 4 ? 2 : 4, E = 4 };
    for (int n = 0; n < $B; n += E)
        for (int k = 0; k < $KP; k += C * LANES) {
            lanes a[E][C];
            UNROLL for (int e = 0; e < E; e++) UNROLL for (int c = 0; c < C; c++) a[e][c] = (lanes){};
            for (int i = 0; i < $FEATURES; i++) {
                const lanes *of = (const lanes *)(w + i * $KP + k);
                UNROLL for (int e = 0; e < E; e++) {
                    const lanes v = ALL(f[(n + e) * $F + i]);
                    UNROLL for (int c = 0; c < C; c++) a[e][c] += v * of[c];
                }
            }
            UNROLL for (int e = 0; e < E; e++) UNROLL for (int c = 0; c < C; c++)
                for (int l = 0; l < LANES && k + c * LANES + l < $K; l++)
                    q[(k + c * LANES + l) * $B + n + e] = a[e][c][l];
        }
}
