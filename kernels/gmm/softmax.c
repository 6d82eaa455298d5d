/* The larger ones, lane by lane: compilers make one instruction of it, and two of > with masks */
static inline lanes larger(lanes a, lanes b)
{
    lanes c;
    for (int l = 0; l < LANES; l++) c[l] = a[l] > b[l] ? a[l] : b[l];
    return c;
}
/* Responsibilities in place of the joint log-densities of a block, what its log-likelihoods are made of,
   and their sum added to *total; events from m on get 0.  Sums of K terms of which the largest is 1 can
   be multiplied by the dozen before a logarithm is taken */
static void softmax($T *restrict joint, $T *restrict tops, $T *restrict sums, int64_t m,
                    double *restrict total)
{
    for (int n = 0; n < $B; n += LANES) {
        lanes top = *(lanes *)(joint + n), sum = {};
        for (int k = 1; k < $K; k++) top = larger(*(lanes *)(joint + k * $B + n), top);
        for (int k = 0; k < $K; k++) {
            lanes *v = (lanes *)(joint + k * $B + n);
            *v = exp_lanes(*v - top);
            sum += *v;
        }
        lanes scale = 1 / sum;
        if (n + LANES > m)
            for (int l = 0; l < LANES; l++)
                if (n + l >= m) scale[l] = 0;
        for (int k = 0; k < $K; k++) *(lanes *)(joint + k * $B + n) *= scale;
        *(lanes *)(tops + n) = top;
        *(lanes *)(sums + n) = sum;
    }
    double added = 0;
    for (int64_t n = 0; n < m; n += 16) {
        double even = 1, odd = 1;
        for (int64_t l = n; l < n + 16 && l < m; l += 2) {
            even *= sums[l];
            added += tops[l];
            if (l + 1 < m) odd *= sums[l + 1], added += tops[l + 1];
        }
        added += log(even * odd);
    }
    *total += added;
}
