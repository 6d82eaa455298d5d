/* Vectors of the events' type, as long as the processor has them; events of a block are lanes. */
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef $T lanes __attribute__((vector_size(VECTOR_BYTES)));
typedef $I lanes_int __attribute__((vector_size(VECTOR_BYTES)));
typedef double lanes_f64 __attribute__((vector_size(VECTOR_BYTES / sizeof($T) * 8)));
typedef $T strip __attribute__((vector_size(32)));
typedef $T strip_anywhere __attribute__((vector_size(32), aligned(4)));
enum { LANES = VECTOR_BYTES / sizeof($T), STRIP = 32 / sizeof($T) };
/* A value in all lanes; 0 + value would be an addition, as there is a -0 */
#define ALL(value) ((value) - (lanes){})
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
/* A value that is used more than once: loaded once, instead of by every instruction that uses it */
#if defined(__AVX512F__)
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#elif defined(__x86_64__)
#define IN_REGISTER(v) __asm__("" : "+x"(v))
#else
#define IN_REGISTER(v) (void)(v)
#endif
