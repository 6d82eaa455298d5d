/* A hint: the line at p will be read soon; into the second-level cache */
$procedure $name(const $T *p) { __builtin_prefetch(p, 0, 2); }
