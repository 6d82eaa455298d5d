/* a ** b for b >= 0, by squaring; unsigned, so that it wraps */
$head $name($T a, $T b)
{
    $U64 result = 1, power = ($U64)a;
    for (; b > 0; b >>= 1, power *= power)
        if (b & 1) result *= power;
    return ($T)result;
}
