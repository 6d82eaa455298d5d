#define _GNU_SOURCE
#include <omp.h>
#include <sched.h>
#include <stdint.h>

#define MOST_THREADS 1024

static cpu_set_t before[MOST_THREADS];
static char held[MOST_THREADS];

/* Each thread of the caller's team to the CPU of its number. */
void hold(int64_t threads, const int64_t *cpus)
{
    if (threads > MOST_THREADS) return;
#pragma omp parallel num_threads(threads)
    {
        const int me = omp_get_thread_num();
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpus[me], &one);
        held[me] = !sched_getaffinity(0, sizeof one, &before[me]) && !sched_setaffinity(0, sizeof one, &one);
    }
}

/* The same team back to where it was. */
void release(int64_t threads)
{
    if (threads > MOST_THREADS) return;
#pragma omp parallel num_threads(threads)
    {
        const int me = omp_get_thread_num();
        if (held[me]) sched_setaffinity(0, sizeof before[me], &before[me]);
        held[me] = 0;
    }
}
