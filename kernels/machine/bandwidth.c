/* Past the caches: a line that is written whole need not be read first. */
static inline void stream_store(vector *to, vector value)
{
#if defined __AVX512F__
    _mm512_stream_pd((double *)to, (__m512d)value);
#elif defined __AVX__
    _mm256_stream_pd((double *)to, (__m256d)value);
#elif defined __SSE2__
    _mm_stream_pd((double *)to, (__m128d)value);
#else
    *to = value;
#endif
}

static inline void fence(void)
{
#ifdef __SSE2__
    _mm_sfence();
#endif
}

static vector read_sum(const vector *a, int64_t n)
{
    vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (int64_t i = 0; i < n; i += 4) {
        s0 += a[i];
        s1 += a[i + 1];
        s2 += a[i + 2];
        s3 += a[i + 3];
    }
    return (s0 + s1) + (s2 + s3);
}

static void copy(vector *restrict c, const vector *restrict a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) c[i] = a[i];
}

static void triad(vector *restrict c, const vector *restrict a, const vector *restrict b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) c[i] = a[i] + 3.0 * b[i];
}

static void copy_past(vector *restrict c, const vector *restrict a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) stream_store(c + i, a[i]);
    fence();
}

static void triad_past(vector *restrict c, const vector *restrict a, const vector *restrict b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) stream_store(c + i, a[i] + 3.0 * b[i]);
    fence();
}

static void *memory;
static int64_t memory_bytes, memory_threads;

/* Room for all threads, kept for the next call: fresh pages cost more than a measurement.  Other
   threads get fresh ones, which lie near the CPU that touches them first. */
static char *room(int64_t threads, int64_t bytes, int64_t page)
{
    if (memory && threads == memory_threads && bytes <= memory_bytes) return memory;
    free(memory);
    memory = 0;
    if (posix_memalign(&memory, page, bytes)) return memory = 0;
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    memory_bytes = bytes;
    memory_threads = threads;
    return memory;
}

/* Bytes/s of read, copy, triad, and of the two with non-temporal stores (the first `kinds` of them),
   the best of `rounds`, of which no new one begins after `limit` seconds.  Each thread has arrays of
   its own, three in `bytes`, and goes over them `sweeps` times a round.  What could not be measured
   stays 0. */
void bandwidth(double *rates, int64_t threads, int64_t bytes, int64_t sweeps, int64_t kinds, int64_t rounds,
               double limit)
{
    const int64_t line = 64, huge = (int64_t)2 << 20;
    /* the arrays begin on different lines of a page: loads and stores at one page offset would wait */
    const int64_t n = bytes / 3 / (4 * VECTOR_BYTES) * 4, apart = n * VECTOR_BYTES + 17 * line;
    const int64_t share = (3 * apart / huge + 1) * huge;
    char *all = threads > MOST_THREADS ? 0 : room(threads, threads * share, huge);
    if (!all) return;
    const double end = now() + limit;
    over = 0;
    double sink = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sink)
    {
        const int me = THREAD, team = TEAM;
        char *own = all + me * share;
        vector *a = (vector *)own, *b = (vector *)(own + apart), *c = (vector *)(own + 2 * apart);
        for (int64_t i = 0; i < n; i++) {
            a[i] = (vector){0} + 1.0;
            b[i] = (vector){0} + 2.0;
            c[i] = (vector){0} + 0.5;
        }
        for (int64_t round = 0; round < rounds && !over; round++)
            for (int64_t kind = 0; kind < kinds; kind++) {
                arrived[me] = now();
#pragma omp barrier
                for (int64_t sweep = 0; sweep < sweeps; sweep++) {
                    switch (kind) {
                    case 0: sink += read_sum(a, n)[0]; break;
                    case 1: copy(c, a, n); break;
                    case 2: triad(c, a, b, n); break;
                    case 3: copy_past(c, a, n); break;
                    default: triad_past(c, a, b, n);
                    }
                    __asm__ volatile("" ::: "memory");
                }
#pragma omp barrier
                if (me == 0) {
                    const int64_t arrays = kind == 0 ? 1 : kind % 2 ? 2 : 3;
                    const double moved = (double)(arrays * n * VECTOR_BYTES) * (double)(sweeps * team);
                    keep_larger(rates + kind, moved / (now() - last_arrival(team)));
                    over = kind == kinds - 1 && now() > end;
                }
#pragma omp barrier
            }
    }
    rates[kinds] = sink;
}
