/* Squared Mahalanobis distances of a block: the inverse Cholesky factor of each component times the
   events, two rows and up to four vectors of events at a time */
static void distance(const $T *restrict xs, const $T *restrict w, $T *restrict q)
{
    enum { E = $B / LANES < 4 ? $B / LANES : 4 };
    for (int k = 0; k < $K; k++, w += $W)
        for (int n = 0; n < $B; n += E * LANES) {
            const $T *t = w;
            lanes s[E], a[E], b[E];
            UNROLL for (int e = 0; e < E; e++) s[e] = (lanes){};
            int i = 0;
            for (; i + 1 < $D; i += 2) {
                UNROLL for (int e = 0; e < E; e++) a[e] = ALL(t[0]), b[e] = ALL(t[1]);
                t += 2;
                for (int j = 0; j <= i; j++, t += 2) {
                    const lanes *x = (const lanes *)(xs + j * $B + n);
                    const lanes u = ALL(t[0]), v = ALL(t[1]);
                    UNROLL for (int e = 0; e < E; e++) {
                        lanes y = x[e];
                        IN_REGISTER(y);
                        a[e] += y * u;
                        b[e] += y * v;
                    }
                }
                const lanes *x = (const lanes *)(xs + (i + 1) * $B + n), v = ALL(*t++);
                UNROLL for (int e = 0; e < E; e++) b[e] += x[e] * v, s[e] += a[e] * a[e], s[e] += b[e] * b[e];
            }
            if (i < $D) {
                UNROLL for (int e = 0; e < E; e++) a[e] = ALL(*t);
                t++;
                for (int j = 0; j <= i; j++) {
                    const lanes *x = (const lanes *)(xs + j * $B + n), v = ALL(*t++);
                    UNROLL for (int e = 0; e < E; e++) a[e] += x[e] * v;
                }
                UNROLL for (int e = 0; e < E; e++) s[e] += a[e] * a[e];
            }
            UNROLL for (int e = 0; e < E; e++) ((lanes *)(q + k * $B + n))[e] = s[e];
        }
}
