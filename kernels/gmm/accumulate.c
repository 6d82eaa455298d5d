/* Sums over the events of a block: every feature times every component's weight, added to s[F][KP].
   Components are lanes; a tile is of one, two or four vectors of them and of 12, 10 or 6 features, as
   many sums as there are registers for; r is [B][KP] */
static void accumulate(const $T *restrict f, const $T *restrict r, double *restrict s)
{
    enum { KP = $KP, VECTORS = KP / LANES, Q = VECTORS % 2 ? 1 : VECTORS % 4 ? 2 : 4 };
    enum { P = Q == 1 ? 12 : Q == 2 ? 10 : 6 };
    for (int k = 0; k < KP; k += Q * LANES)
        for (int i = 0; i < $F; i += P) {
            lanes a[P][Q];
            UNROLL for (int p = 0; p < P; p++) UNROLL for (int q = 0; q < Q; q++) a[p][q] = (lanes){};
            const $T *row = f + i * $B;
            for (int n = 0; n < $B; n++) {
                const lanes *w = (const lanes *)(r + n * KP + k);
                UNROLL for (int p = 0; p < P; p++) {
                    const lanes v = (lanes){} + row[p * $B + n];
                    UNROLL for (int q = 0; q < Q; q++) a[p][q] += v * w[q];
                }
            }
            UNROLL for (int p = 0; p < P; p++) UNROLL for (int q = 0; q < Q; q++) {
                $T sum[LANES] __attribute__((aligned(VECTOR_BYTES)));
                *(lanes *)sum = a[p][q];
                double *to = s + (i + p) * KP + k + q * LANES;
                for (int l = 0; l < LANES; l++) to[l] += sum[l];
            }
        }
}
