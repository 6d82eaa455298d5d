/* What the moments are of: 1, x_d, and x_d^2, one row each */
static void features(const $T *restrict xs, $T *restrict f)
{
    for (int n = 0; n < $B; n++) f[n] = 1;
    memcpy(f + $B, xs, sizeof($T) * $D * $B);
    for (int n = 0; n < $D * $B; n++) f[(1 + $D) * $B + n] = xs[n] * xs[n];
}
