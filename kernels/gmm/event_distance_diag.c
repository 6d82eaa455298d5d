/* The squared Mahalanobis distance of event n with a diagonal covariance; xs has a row of `rows` events
   for each dimension */
static $T distance(__global const $T *restrict xs, long n, long rows, __global const $T *restrict w)
{
    $T sum = 0;
    for (int d = 0; d < $D; d++) {
        const $T t = xs[d * rows + n] * w[2 * d] + w[2 * d + 1];
        sum += t * t;
    }
    return sum;
}
