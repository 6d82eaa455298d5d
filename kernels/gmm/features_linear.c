/* What the moments are of: 1 and x_d, one event a row that ends in zeros.  What a strip writes past its end is
   written anew by what follows it */
static void features(const $T *restrict x, $T *restrict f)
{
    for (int n = 0; n < $B; n++, x += $R, f += $F) {
        UNROLL for (int j = $FEATURES / STRIP * STRIP; j < $FP; j += STRIP) *(strip *)(f + j) = (strip){};
        f[0] = 1;
        UNROLL for (int j = 0; j < $D; j += STRIP) *(strip_anywhere *)(f + 1 + j) = *(const strip *)(x + j);
    }
}
