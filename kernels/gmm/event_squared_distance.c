/* The squared distance of whitened event n from a whitened mean; ys has a row of `rows` events for each
   dimension */
static $T squared_distance(__global const $T *restrict ys, long n, long rows, __global const $T *restrict c)
{
    $T sum = 0;
    for (int d = 0; d < $D; d++) {
        const $T t = ys[d * rows + n] - c[d];
        sum += t * t;
    }
    return sum;
}
