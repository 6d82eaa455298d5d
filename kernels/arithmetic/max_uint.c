$head $name($T a, $T b) { return b > a ? b : a; }
