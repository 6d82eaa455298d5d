/* Sums over the events of a block: weights of the components [k, last) times the features [i, end), added
   to s[K][F].  Features are lanes; a tile holds as many sums as there are registers for: Q vectors of
   features for each of P components.  f is [B][F], w is [K][B] */
enum { Q = $Q, P = VECTOR_BYTES == 64 ? $P : ($P + 1) / 2, LEFT = $K % P };
static inline __attribute__((always_inline)) void add_tile(const $T *restrict f, const $T *restrict w,
                                                           double *restrict s, const int components)
{
    lanes a[P][Q];
    UNROLL for (int p = 0; p < components; p++) UNROLL for (int q = 0; q < Q; q++) a[p][q] = (lanes){};
    for (int n = 0; n < $B; n++, f += $F) {
        lanes v[Q];
        UNROLL for (int q = 0; q < Q; q++) {
            v[q] = *(const lanes *)(f + q * LANES);
            IN_REGISTER(v[q]);
        }
        UNROLL for (int p = 0; p < components; p++) {
            const lanes weight = ALL(w[p * $B + n]);
            UNROLL for (int q = 0; q < Q; q++) a[p][q] += v[q] * weight;
        }
    }
    UNROLL for (int p = 0; p < components; p++) UNROLL for (int q = 0; q < Q; q++)
        *(lanes_f64 *)(s + p * $F + q * LANES) += __builtin_convertvector(a[p][q], lanes_f64);
}
/* inlined into a large function, gcc keeps copies of v in memory */
static __attribute__((noinline)) void accumulate(const $T *restrict f, const $T *restrict w,
                                                 double *restrict s, int64_t i, int64_t end, int64_t k,
                                                 int64_t last)
{
    for (; i < end; i += Q * LANES) {
        int64_t c = k;
        for (; c + P <= last; c += P) add_tile(f + i, w + c * $B, s + c * $F + i, P);
        if (LEFT && c + LEFT == last)
            add_tile(f + i, w + c * $B, s + c * $F + i, LEFT);
        else
            for (; c < last; c++) add_tile(f + i, w + c * $B, s + c * $F + i, 1);
    }
}
