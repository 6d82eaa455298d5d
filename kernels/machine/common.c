#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef __SSE2__
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#define THREAD omp_get_thread_num()
#define TEAM omp_get_num_threads()
#else
#define THREAD 0
#define TEAM 1
#endif

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define MOST_THREADS 4096

#if defined __AVX512F__ || defined __aarch64__
#define CHAINS 16
#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) \
    DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#else
#define CHAINS 12
#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#endif

typedef double vector __attribute__((vector_size(VECTOR_BYTES)));

/* When each thread arrived at the start: nothing is computed before the last of them, so that a time
   taken from there is never too short, whatever the scheduler does to one thread. */
static double arrived[MOST_THREADS];
static int over; /* the time for a measurement is up: written by one thread between two barriers */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double last_arrival(int team)
{
    double last = arrived[0];
    for (int k = 1; k < team; k++)
        if (arrived[k] > last) last = arrived[k];
    return last;
}

static void keep_larger(double *best, double rate)
{
    if (rate > *best) *best = rate;
}
