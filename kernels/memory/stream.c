/* A cache line of results past the caches: no line is read only to be overwritten.
   Where p is no line's start, or the processor has no such store, an ordinary copy. */
$procedure $name($T *p, const $T *line)
{
#if defined(__x86_64__)
    if ((uintptr_t)p % 64 == 0) {
#if defined(__AVX512F__)
        typedef double V __attribute__((vector_size(64), may_alias));
#elif defined(__AVX__)
        typedef double V __attribute__((vector_size(32), may_alias));
#else
        typedef double V __attribute__((vector_size(16), may_alias));
#endif
        for (int part = 0; part < 64 / (int)sizeof(V); part++) {
#if defined(__clang__)
            __builtin_nontemporal_store(((const V *)line)[part], (V *)p + part);
#elif defined(__AVX512F__)
            __builtin_ia32_movntpd512((double *)((V *)p + part), ((const V *)line)[part]);
#elif defined(__AVX__)
            __builtin_ia32_movntpd256((double *)((V *)p + part), ((const V *)line)[part]);
#else
            __builtin_ia32_movntpd((double *)((V *)p + part), ((const V *)line)[part]);
#endif
        }
        return;
    }
#endif
    for (int part = 0; part < 64 / (int)sizeof($T); part++) p[part] = line[part];
}
