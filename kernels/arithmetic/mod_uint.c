$head $name($T a, $T b) { return b == 0 ? 0 : a % b; }
