/* Python's max(a, b): a unless b > a, so that a NaN in a stays */
$head $name($T a, $T b) { return b > a ? b : a; }
