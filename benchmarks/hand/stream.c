/* STREAM's copy with non-temporal stores: c = a, n doubles (a multiple of 8), each thread a part.
   Arrays begin at cache lines.  What each kernel is compared with, in the same round. */
#include <stdint.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

void stream_copy(const double *a, double *c, int64_t n, int64_t threads)
{
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t line = 0; line < n; line += 8) {
#if defined __AVX512F__
            _mm512_stream_pd(c + line, _mm512_load_pd(a + line));
#elif defined __AVX__
            _mm256_stream_pd(c + line, _mm256_load_pd(a + line));
            _mm256_stream_pd(c + line + 4, _mm256_load_pd(a + line + 4));
#elif defined __x86_64__
            for (int k = 0; k < 8; k += 2) _mm_stream_pd(c + line + k, _mm_load_pd(a + line + k));
#else
            for (int k = 0; k < 8; k++) c[line + k] = a[line + k];
#endif
        }
#if defined __x86_64__
        _mm_sfence();
#endif
    }
}
