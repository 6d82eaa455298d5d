/* The squared distance from one component as a sum over the features: its coefficients, every KP-th
   element of w, and log det c in ld; 0 where c is not positive definite */
static int natural(const double *restrict c, const double *restrict mean, const double *restrict g,
                   $T *restrict w, double *restrict ld)
{
    double v[$D * $D], linear[$D], total, constant = 0;
    if (!inverse_factor(c, v, &total)) return 0;
    for (int i = 0; i < $D; i++) linear[i] = 0;
    for (int i = 0; i < $D; i++) {
        double s = 0;
        for (int j = 0; j <= i; j++) s += v[i * $D + j] * (mean[j] - g[j]);
        for (int j = 0; j <= i; j++) linear[j] -= 2 * s * v[i * $D + j];
        constant += s * s;
    }
    *w = ($T)constant;
    for (int i = 0; i < $D; i++) w[(1 + i) * $KP] = ($T)linear[i];
    w += (1 + $D) * $KP;
    for (int i = 0; i < $D; i++)
        for (int j = i; j < $D; j++, w += $KP) {
            double s = 0;
            for (int q = j; q < $D; q++) s += v[q * $D + i] * v[q * $D + j];
            *w = ($T)(i == j ? s : 2 * s);
        }
    *ld = total;
    return 1;
}
