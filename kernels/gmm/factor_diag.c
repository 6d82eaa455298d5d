/* Of each dimension 1 / sqrt(variance) and what it subtracts, and the logarithm of the variances' product
   in ld; 0 where a variance is not positive */
static int factor(const double *restrict c, const double *restrict mean, const double *restrict g,
                  $T *restrict w, double *restrict ld)
{
    double total = 0;
    for (int d = 0; d < $D; d++) {
        if (!(c[d] > 0) || !isfinite(c[d])) return 0;
        const double scale = 1 / sqrt(c[d]);
        w[2 * d] = ($T)scale;
        w[2 * d + 1] = ($T)(-scale * (mean[d] - g[d]));
        total += log(c[d]);
    }
    *ld = total;
    return 1;
}
