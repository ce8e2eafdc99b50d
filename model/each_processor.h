/* each_processor — includes TEMPLATE, a file's name, once for each kind of processor.
 *
 * With WIDTH, floats in a vector; REGISTERS, vectors that the processor has names for; TARGET, an
 * attribute of its functions; and NAME, a suffix for names. Where clones.h says that only the plain
 * machine is chosen, only that one is there. A template defines a constant NAME(kernels), and
 * each_processor(kernels) in a function is a pointer to that of the processor it runs on.
 *
 * Templates spell vectors out where loops are not enough: a block of sums stays in registers only
 * if its size is a constant that fits the processor.
 */
#include "model/clones.h"

#if CLONES_CHOSEN
#define WIDTH 16
#define REGISTERS 32
#define TARGET __attribute__((target("arch=x86-64-v4")))
#define NAME(name) name##_avx512
#include TEMPLATE
#undef WIDTH
#undef REGISTERS
#undef TARGET
#undef NAME

#define WIDTH 8
#define REGISTERS 16
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define NAME(name) name##_avx2
#include TEMPLATE
#undef WIDTH
#undef REGISTERS
#undef TARGET
#undef NAME
#endif

#define WIDTH 4
#ifdef __aarch64__
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#define TARGET
#define NAME(name) name##_generic
#include TEMPLATE
#undef WIDTH
#undef REGISTERS
#undef TARGET
#undef NAME

#if CLONES_CHOSEN
#define each_processor(kernels)                                                                    \
    (__builtin_cpu_init(), __builtin_cpu_supports("x86-64-v4")   ? &kernels##_avx512               \
                           : __builtin_cpu_supports("x86-64-v3") ? &kernels##_avx2                 \
                                                                 : &kernels##_generic)
#else
#define each_processor(kernels) (&kernels##_generic)
#endif
