/* Event n by the inverse Cholesky factor v[D][D] of a covariance; xs and ys have a row of `rows` events for
   each dimension */
static void whiten(__global const $T *restrict xs, long n, long rows, __global const double *restrict v,
                   __global $T *restrict ys)
{
    for (int i = 0; i < $D; i++) {
        $T sum = 0;
        for (int j = 0; j <= i; j++) sum += xs[j * rows + n] * ($T)v[i * $D + j];
        ys[i * rows + n] = sum;
    }
}
