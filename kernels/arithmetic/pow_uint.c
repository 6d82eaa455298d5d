/* a ** b for b >= 0, by squaring */
$head $name($T a, $T b)
{
    $U64 result = 1, power = a;
    for (; b > 0; b >>= 1, power *= power)
        if (b & 1) result *= power;
    return ($T)result;
}
