$head $name($T a) { return a; }
