/* What the moments are of: 1, x_d, and x_i x_j for i <= j, one event a row that ends in zeros.  What a strip writes past
   its end is written anew by what follows it */
static void features(const $T *restrict x, $T *restrict f)
{
    for (int n = 0; n < $B; n++, x += $R, f += $F) {
        $T *to = f + 1 + $D;
        UNROLL for (int j = $FEATURES / STRIP * STRIP; j < $FP; j += STRIP) *(strip *)(f + j) = (strip){};
        f[0] = 1;
        UNROLL for (int j = 0; j < $D; j += STRIP) *(strip_anywhere *)(f + 1 + j) = *(const strip *)(x + j);
        UNROLL for (int i = 0; i < $D; to += $D - i, i++) {
            const strip left = x[i] - (strip){};
            UNROLL for (int j = i; j < $D; j += STRIP)
                *(strip_anywhere *)(to + j - i) = left * *(const strip_anywhere *)(x + j);
        }
    }
}
