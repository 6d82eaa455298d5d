/* Python's a // b rounds down; by zero it is 0, as in NumPy */
$head $name($T a, $T b)
{
    if (b == 0) return 0;
    if (b == -1) return ($T)(0 - ($U64)a);
    return a / b - ((a % b != 0) & ((a < 0) != (b < 0)));
}
