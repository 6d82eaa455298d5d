/* a ** b for b >= 0, by squaring */
$head $name($T a, $T b)
{
    $T result = 1;
    for (; b > 0; b >>= 1, a *= a)
        if (b & 1) result *= a;
    return result;
}
