/* $T operations/s of fused multiply-adds, two a step and lane; the best of `rounds`, of
   which no new one begins after `limit` seconds.

   Chains enough to hide the latency of one, few enough for the registers.  They start unequal: equal
   chains are one to the compiler. */
typedef $T vector_$T __attribute__((vector_size(VECTOR_BYTES)));

void peak_$T(double *rate, int64_t threads, int64_t steps, int64_t rounds, double limit)
{
    double sink = 0;
    const double end = now() + limit;
    over = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sink)
    {
        const int me = THREAD, team = TEAM;
        const vector_$T scale = (vector_$T){0} + ($T)0.999999, shift = (vector_$T){0} + ($T)1e-6;
        for (int64_t round = 0; round < rounds && !over; round++) {
#define START(k) vector_$T x##k = (vector_$T){0} + ($T)(2.0 + 0.1 * k);
#define STEP(k) x##k = x##k * scale + shift;
#define END(k) sink += x##k[0];
            EACH_CHAIN(START)
            arrived[me] = now();
#pragma omp barrier
            for (int64_t step = 0; step < steps; step++) {
                EACH_CHAIN(STEP)
            }
#pragma omp barrier
            if (me == 0) {
                const double done = 2.0 * CHAINS * (VECTOR_BYTES / sizeof($T)) * (double)(steps * team);
                keep_larger(rate, done / (now() - last_arrival(team)));
                over = now() > end;
            }
            EACH_CHAIN(END)
#undef START
#undef STEP
#undef END
#pragma omp barrier
        }
    }
    rate[1] = sink;
}
