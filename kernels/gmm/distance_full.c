/* Squared Mahalanobis distances of a block: the inverse Cholesky factor of each component times the
   events, two rows and up to four vectors of events at a time */
static void distance(const $T *restrict xs, const $T *restrict w, $T *restrict q)
{
    enum { E = $B / LANES < 4 ? $B / LANES : 4 };
    for (int k = 0; k < $K; k++, w += $W)
        for (int n = 0; n < $B; n += E * LANES) {
            const $T *t = w;
            lanes s[E];
            UNROLL for (int e = 0; e < E; e++) s[e] = (lanes){};
            for (int i = 0; i < $D; i += 2) {
                lanes a[E], b[E];
                UNROLL for (int e = 0; e < E; e++) a[e] = (lanes){} + t[0], b[e] = (lanes){} + t[1];
                t += 2;
                const int last = i + 2 < $D ? i + 2 : $D;
                for (int j = 0; j < last; j++, t += 2) {
                    const lanes *x = (const lanes *)(xs + j * $B + n);
                    const lanes u = (lanes){} + t[0], v = (lanes){} + t[1];
                    UNROLL for (int e = 0; e < E; e++) {
                        lanes y = x[e];
                        IN_REGISTER(y);
                        a[e] += y * u;
                        b[e] += y * v;
                    }
                }
                UNROLL for (int e = 0; e < E; e++) s[e] += a[e] * a[e], s[e] += b[e] * b[e];
            }
            UNROLL for (int e = 0; e < E; e++) ((lanes *)(q + k * $B + n))[e] = s[e];
        }
}
