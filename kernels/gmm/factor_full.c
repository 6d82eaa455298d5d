/* Cholesky factor of c, its inverse by pairs of rows (the elements of both in turn) after what they
   subtract, and log det c in ld; 0 where c is not positive definite.  f, v: D x D doubles to work in */
static int factor(const double *restrict c, const double *restrict mean, const double *restrict g,
                  $T *restrict w, double *restrict ld)
{
    double f[$D * $D], v[$D * $D], total = 0;
    for (int i = 0; i < $D; i++)
        for (int j = 0; j <= i; j++) {
            double s = c[i * $D + j];
            for (int q = 0; q < j; q++) s -= f[i * $D + q] * f[j * $D + q];
            if (i == j) {
                if (!(s > 0) || !isfinite(s)) return 0;
                f[i * $D + i] = sqrt(s);
                total += log(s);
            } else
                f[i * $D + j] = s / f[j * $D + j];
        }
    for (int i = 0; i < $D; i++)
        for (int j = 0; j <= i; j++) {
            double s = i == j;
            for (int q = j; q < i; q++) s -= f[i * $D + q] * v[q * $D + j];
            v[i * $D + j] = s / f[i * $D + i];
        }
    for (int i = 0; i < $D; i += 2) {
        const int end = i + 2 < $D ? i + 2 : $D;
        for (int a = i; a < end; a++) {
            double s = 0;
            for (int j = 0; j <= a; j++) s -= v[a * $D + j] * (mean[j] - g[j]);
            *w++ = ($T)s;
        }
        for (int j = 0; j < end; j++)
            for (int a = j > i ? j : i; a < end; a++) *w++ = ($T)v[a * $D + j];
    }
    *ld = total;
    return 1;
}
