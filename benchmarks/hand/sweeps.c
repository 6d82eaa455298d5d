/* A 7-point Laplacian and a divergence of float64 grids, written by hand: the mark for generated code.

   Several planes a step keep what they share in registers; tiles of the middle dimension keep the planes
   of a step in the second-level cache, where hints fetch what is read `ahead` numbers further on: the next
   step's planes, or the same row's next lines; results go past the caches.  Rows begin at cache lines and hold a multiple of eight numbers; the rim of the output is not
   touched, so the first and the last vector of a row are stored in part. */
#include <stdint.h>

#if defined __AVX512F__
#include <immintrin.h>
#define BITS 512
#define LANES 8
typedef __m512d vector;
#define LOAD _mm512_load_pd
#define LOAD_ANY _mm512_loadu_pd
#define ALL _mm512_set1_pd
#define FMA _mm512_fmadd_pd
#define STREAM _mm512_stream_pd
#define STORE_FIRST(p, x) _mm512_mask_storeu_pd(p, 0xfe, x)
#define STORE_LAST(p, x) _mm512_mask_storeu_pd(p, 0x7f, x)
#elif defined __AVX2__ && defined __FMA__
#include <immintrin.h>
#define BITS 256
#define LANES 4
typedef __m256d vector;
#define LOAD _mm256_load_pd
#define LOAD_ANY _mm256_loadu_pd
#define ALL _mm256_set1_pd
#define FMA _mm256_fmadd_pd
#define STREAM _mm256_stream_pd
#define STORE_FIRST(p, x) _mm256_maskstore_pd(p, _mm256_set_epi64x(-1, -1, -1, 0), x)
#define STORE_LAST(p, x) _mm256_maskstore_pd(p, _mm256_set_epi64x(0, -1, -1, -1), x)
#else
#define BITS 0
#endif

/* Bits of the vectors in use; 0: this CPU has none that the sweeps are written for. */
void vector_bits(int64_t *bits) { *bits = BITS; }

#if BITS
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MOST_PLANES 4

enum part { FIRST, MIDDLE, LAST };

/* Elements between rows and between planes, and ahead to where hints go; the coefficients. */
struct grid {
    int64_t row, plane, ahead;
    double a, b, c;
};

INLINE void fetch(const double *p) { _mm_prefetch((const char *)p, _MM_HINT_T1); }

/* Lines that are stored in part are read first: asked for one step early. */
INLINE void fetch_to_write(const double *p) { __builtin_prefetch(p, 1, 3); }

INLINE void put(double *p, vector x, enum part part)
{
    if (part == FIRST) STORE_FIRST(p, x);
    else if (part == LAST) STORE_LAST(p, x);
    else STREAM(p, x);
}

INLINE void laplacian_at(const double *u, double *out, struct grid g, int planes, enum part part)
{
    UNROLL for (int i = 0; i < planes; i++) {
        fetch(u + (1 + i) * g.plane + g.ahead);
        if (part != MIDDLE) fetch_to_write(out + (planes + i) * g.plane);
    }
    vector centre[MOST_PLANES + 2];
    UNROLL for (int i = 0; i < planes + 2; i++) centre[i] = LOAD(u + (i - 1) * g.plane);
    UNROLL for (int i = 0; i < planes; i++) {
        const double *p = u + i * g.plane;
        vector sum = (LOAD_ANY(p - 1) + LOAD_ANY(p + 1)) + (LOAD(p - g.row) + LOAD(p + g.row));
        sum += centre[i] + centre[i + 2];
        put(out + i * g.plane, FMA(ALL(g.a), centre[i + 1], ALL(g.b) * sum), part);
    }
}

INLINE void divergence_at(const double *u, const double *v, const double *w, double *out, struct grid g,
                          int planes, enum part part)
{
    UNROLL for (int i = 0; i < planes; i++) {
        fetch(u + (1 + i) * g.plane + g.ahead);
        fetch(v + i * g.plane + g.row + g.ahead);
        fetch(w + i * g.plane + g.ahead);
        if (part != MIDDLE) fetch_to_write(out + (planes + i) * g.plane);
    }
    UNROLL for (int i = 0; i < planes; i++) {
        const int64_t at = i * g.plane;
        vector x = LOAD(u + at + g.plane) - LOAD(u + at - g.plane);
        vector y = LOAD(v + at + g.row) - LOAD(v + at - g.row);
        vector z = LOAD_ANY(w + at + 1) - LOAD_ANY(w + at - 1);
        put(out + at, FMA(ALL(g.a), x, FMA(ALL(g.b), y, ALL(g.c) * z)), part);
    }
}

/* One row of `planes` planes: its first vector, those that are stored whole, its last. */
#define ROW(n, AT) \
    do { \
        int64_t k = 0; \
        { const enum part part = FIRST; AT; } \
        for (k = LANES; k < n - LANES; k += LANES) { const enum part part = MIDDLE; AT; } \
        { const enum part part = LAST; AT; } \
    } while (0)

/* The interior in blocks of planes, one a thread, and tiles of rows; AT(planes) computes a vector. */
#define SWEEP(n0, n1, n2, planes, tile, threads, AT) \
    _Pragma("omp parallel num_threads(threads)") \
    { \
        const int64_t block = (n0 - 2 + threads - 1) / threads; \
        _Pragma("omp for collapse(2) schedule(static)") \
        for (int64_t i0 = 1; i0 < n0 - 1; i0 += block) \
            for (int64_t j0 = 1; j0 < n1 - 1; j0 += tile) { \
                const int64_t i1 = MIN(i0 + block, n0 - 1), j1 = MIN(j0 + tile, n1 - 1); \
                int64_t i = i0; \
                for (; i + planes <= i1; i += planes) \
                    for (int64_t j = j0; j < j1; j++) { \
                        const int64_t start = i * g.plane + j * g.row; \
                        switch (planes) { \
                        case 1: ROW(n2, AT(1)); break; \
                        case 2: ROW(n2, AT(2)); break; \
                        default: ROW(n2, AT(4)); \
                        } \
                    } \
                for (; i < i1; i++) \
                    for (int64_t j = j0; j < j1; j++) { \
                        const int64_t start = i * g.plane + j * g.row; \
                        ROW(n2, AT(1)); \
                    } \
            } \
        _mm_sfence(); \
    }

/* out = a u + b (sum of the six neighbors); planes: 1, 2 or 4 a step. */
void laplacian(const double *u, double *out, int64_t n0, int64_t n1, int64_t n2, int64_t plane,
               double a, double b, int64_t planes, int64_t tile, int64_t ahead, int64_t threads)
{
    const struct grid g = {n2, plane, ahead, a, b, 0};
#define AT(P) laplacian_at(u + start + k, out + start + k, g, P, part)
    SWEEP(n0, n1, n2, planes, tile, threads, AT)
#undef AT
}

/* out = a (u+ - u-) + b (v+ - v-) + c (w+ - w-), each along its own dimension. */
void divergence(const double *u, const double *v, const double *w, double *out, int64_t n0, int64_t n1,
                int64_t n2, int64_t plane, double a, double b, double c, int64_t planes, int64_t tile,
                int64_t ahead, int64_t threads)
{
    const struct grid g = {n2, plane, ahead, a, b, c};
#define AT(P) divergence_at(u + start + k, v + start + k, w + start + k, out + start + k, g, P, part)
    SWEEP(n0, n1, n2, planes, tile, threads, AT)
#undef AT
}
#endif
