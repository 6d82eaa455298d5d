/* A hint: the line at p will be written in part soon */
$procedure $name(const $T *p) { __builtin_prefetch(p, 1, 3); }
