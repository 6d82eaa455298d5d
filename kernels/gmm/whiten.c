/* The events of a block by the inverse Cholesky factor v[D][D] of a covariance, two rows of it and up to
   four vectors of events at a time; ys is [D][B] */
static void whiten(const $T *restrict xs, const double *restrict v, $T *restrict ys)
{
    enum { E = $B / LANES < 4 ? $B / LANES : 4 };
    for (int n = 0; n < $B; n += E * LANES)
        for (int i = 0; i < $D; i += 2) {
            const int both = i + 1 < $D;
            const double *s = v + i * $D, *t = s + both * $D;
            lanes a[E], b[E];
            UNROLL for (int e = 0; e < E; e++) a[e] = b[e] = (lanes){};
            for (int j = 0; j <= i; j++) {
                const lanes *x = (const lanes *)(xs + j * $B + n);
                const lanes u = ALL(($T)s[j]), w = ALL(($T)t[j]);
                UNROLL for (int e = 0; e < E; e++) {
                    lanes y = x[e];
                    IN_REGISTER(y);
                    a[e] += y * u;
                    b[e] += y * w;
                }
            }
            lanes *to = (lanes *)(ys + i * $B + n), *next = (lanes *)(ys + (i + both) * $B + n);
            if (both) {
                const lanes *x = (const lanes *)(xs + (i + 1) * $B + n), w = ALL(($T)t[i + 1]);
                UNROLL for (int e = 0; e < E; e++) b[e] += x[e] * w;
            }
            UNROLL for (int e = 0; e < E; e++) next[e] = b[e], to[e] = a[e];
        }
}
