/* NumPy's a >> b: only the sign is left of a shift by the whole width */
$head $name($T a, $T b) { return b < 0 || b >= (int)(8 * sizeof a) ? (a < 0 ? -1 : 0) : a >> b; }
