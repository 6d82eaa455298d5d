/* Python's a % b has the sign of b; by zero it is 0, as in NumPy */
$head $name($T a, $T b)
{
    if (b == 0 || b == -1) return 0;
    const $T r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
