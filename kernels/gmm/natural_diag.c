/* The squared distance from one component as a sum over the features: its coefficients, every KP-th
   element of w, and the logarithm of the variances' product in ld; 0 where one is not positive */
static int natural(const double *restrict c, const double *restrict mean, const double *restrict g,
                   $T *restrict w, double *restrict ld)
{
    double total = 0, constant = 0;
    for (int d = 0; d < $D; d++) {
        const double variance = c[$V * d], m = mean[d] - g[d];
        if (!(variance > 0) || !isfinite(variance)) return 0;
        constant += m * m / variance;
        w[(1 + d) * $KP] = ($T)(-2 * m / variance);
        w[(1 + $D + d) * $KP] = ($T)(1 / variance);
        total += log(variance);
    }
    *w = ($T)constant;
    *ld = total;
    return 1;
}
