/* numpy.minimum: a NaN in either operand stays */
$head $name($T a, $T b) { return a < b || a != a ? a : b; }
