$head $name($T a) { return a < 0 ? -a : a; }
