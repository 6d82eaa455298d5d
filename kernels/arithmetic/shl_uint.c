/* NumPy's a << b: nothing is left of a shift by the whole width */
$head $name($T a, $T b) { return b >= 8 * sizeof a ? 0 : ($T)(($U64)a << b); }
