/* As for a diagonal covariance, of one variance for all dimensions */
static int factor(const double *restrict c, const double *restrict mean, const double *restrict g,
                  $T *restrict w, double *restrict ld)
{
    if (!(c[0] > 0) || !isfinite(c[0])) return 0;
    const double scale = 1 / sqrt(c[0]);
    for (int d = 0; d < $D; d++) {
        w[2 * d] = ($T)scale;
        w[2 * d + 1] = ($T)(-scale * (mean[d] - g[d]));
    }
    *ld = $D * log(c[0]);
    return 1;
}
