/* Elements from p to the next start of a cache line */
$helper $I64 $name(const $T *p) { return (-(uintptr_t)p & 63) / sizeof($T); }
