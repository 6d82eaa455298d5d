/* v: the inverse of the Cholesky factor of c, [D][D]; log det c in ld; 0 where c is not positive definite */
static int inverse_factor(const double *restrict c, double *restrict v, double *restrict ld)
{
    double f[$D * $D], total = 0;
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
    *ld = total;
    return 1;
}
