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

static int longer(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#define MOST_KINDS 5
#define MOST_PIECES 16
static const int arrays[MOST_KINDS] = {1, 2, 3, 2, 3};

/* Bytes/s of read, copy, triad, and of the two with non-temporal stores (the first `kinds` of them).
   Each thread has arrays of its own, three in `bytes`.  They are gone over in `pieces`; a piece in a
   cache is gone over `sweeps` times.  Of each piece the best of `rounds` counts, and of the pieces the
   one that a quarter of them beats: a thread that loses its CPU for a while spoils one piece, not the
   round, and a piece that was still in a cache does not stand for all.  No round begins after `limit`
   seconds.  What could not be measured stays 0. */
void bandwidth(double *rates, int64_t threads, int64_t bytes, int64_t pieces, int64_t sweeps, int64_t kinds,
               int64_t rounds, double limit)
{
    const int64_t line = 64, huge = (int64_t)2 << 20;
    /* the arrays begin on different lines of a page: loads and stores at one page offset would wait */
    const int64_t piece = bytes / 3 / pieces / (4 * VECTOR_BYTES) * 4, n = piece * pieces;
    const int64_t apart = n * VECTOR_BYTES + 17 * line;
    const int64_t share = (3 * apart / huge + 1) * huge;
    const int fits = threads <= MOST_THREADS && pieces <= MOST_PIECES && kinds <= MOST_KINDS;
    char *all = fits ? room(threads, threads * share, huge) : 0;
    if (!all) return;
    double shortest[MOST_KINDS][MOST_PIECES] = {{0}};
    int members = 1;
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
            for (int64_t kind = 0; kind < kinds; kind++)
                for (int64_t i = 0; i < n; i += piece) {
                    arrived[me] = now();
#pragma omp barrier
                    for (int64_t sweep = 0; sweep < sweeps; sweep++) {
                        switch (kind) {
                        case 0: sink += read_sum(a + i, piece)[0]; break;
                        case 1: copy(c + i, a + i, piece); break;
                        case 2: triad(c + i, a + i, b + i, piece); break;
                        case 3: copy_past(c + i, a + i, piece); break;
                        default: triad_past(c + i, a + i, b + i, piece);
                        }
                        __asm__ volatile("" ::: "memory");
                    }
#pragma omp barrier
                    if (me == 0) {
                        const double took = now() - last_arrival(team);
                        double *best = &shortest[kind][i / piece];
                        if (*best == 0 || took < *best) *best = took;
                        members = team;
                        over = kind == kinds - 1 && i + piece == n && now() > end;
                    }
#pragma omp barrier
                }
    }
    for (int64_t kind = 0; kind < kinds; kind++) {
        qsort(shortest[kind], pieces, sizeof(double), longer);
        const double moved = (double)(arrays[kind] * piece * VECTOR_BYTES) * (double)(sweeps * members);
        rates[kind] = moved / shortest[kind][pieces / 4];
    }
    rates[kinds] = sink;
}
