/* Cholesky factor of c, its inverse by pairs of rows (the elements of both in turn) after what they
   subtract, and log det c in ld; 0 where c is not positive definite */
static int factor(const double *restrict c, const double *restrict mean, const double *restrict g,
                  $T *restrict w, double *restrict ld)
{
    double v[$D * $D], total;
    if (!inverse_factor(c, v, &total)) return 0;
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
