/* The squared Mahalanobis distance of event n: the inverse Cholesky factor of a component, as `factor`
   leaves it, times the event; xs has a row of `rows` events for each dimension */
static $T distance(__global const $T *restrict xs, long n, long rows, __global const $T *restrict w)
{
    $T sum = 0;
    for (int i = 0; i < $D; i += 2) {
        const int both = i + 1 < $D;
        $T a = *w++, b = both ? *w++ : 0;
        for (int j = 0; j <= i; j++) {
            const $T x = xs[j * rows + n];
            a += x * *w++;
            if (both) b += x * *w++;
        }
        if (both) b += xs[(i + 1) * rows + n] * *w++;
        sum += a * a + b * b;
    }
    return sum;
}
