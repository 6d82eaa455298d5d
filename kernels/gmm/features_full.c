/* What the moments are of: 1, x_d, and x_i x_j for i <= j, one row each */
static void features(const $T *restrict xs, $T *restrict f)
{
    for (int n = 0; n < $B; n++) f[n] = 1;
    memcpy(f + $B, xs, sizeof($T) * $D * $B);
    $T *row = f + (1 + $D) * $B;
    for (int i = 0; i < $D; i++)
        for (int j = i; j < $D; j++, row += $B)
            for (int n = 0; n < $B; n += LANES)
                *(lanes *)(row + n) = *(const lanes *)(xs + i * $B + n) * *(const lanes *)(xs + j * $B + n);
}
