/* Weights of a block by event instead of by component: [K][B] -> [B][KP], for lanes of components */
static void turn(const $T *restrict w, $T *restrict r)
{
    for (int n = 0; n < $B; n += 8)
        for (int k = 0; k < $K; k++)
            for (int l = 0; l < 8; l++) r[(n + l) * $KP + k] = w[k * $B + n + l];
}
