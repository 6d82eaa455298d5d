$head $name($T a) { return a < 0 ? ($T)(0 - ($U64)a) : a; }
