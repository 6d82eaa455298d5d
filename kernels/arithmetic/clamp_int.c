/* the nearest index of an axis of n points */
$head $name($T i, $T n) { return i < 0 ? 0 : i < n ? i : n - 1; }
