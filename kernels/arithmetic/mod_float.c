/* Python's a % b: the remainder with the sign of b */
$head $name($T a, $T b)
{
    const $T r = fmod$f(a, b);
    if (b == 0) return r;
    if (r == 0) return copysign$f(($T)0, b);
    return (b < 0) != (r < 0) ? r + b : r;
}
