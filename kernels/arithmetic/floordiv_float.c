/* Python's a // b: the quotient without the remainder, rounded down */
$head $name($T a, $T b)
{
    if (b == 0) return a / b;
    const $T r = fmod$f(a, b);
    $T q = (a - r) / b;
    if (r != 0 && (b < 0) != (r < 0)) q -= 1;
    if (q == 0) return copysign$f(($T)0, a / b);
    const $T whole = floor$f(q);
    return q - whole > ($T)0.5 ? whole + 1 : whole;
}
