/* Streamed lines are written before anything that follows */
$procedure $name(void)
{
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
}
