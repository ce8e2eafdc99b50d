#include "model/convolution_blocks.h"

#include "model/clones.h"
#include "model/lanes.h"

/* SUMS leaves registers for what is multiplied: of 32 that hold a vector each, or of 16. */
#if CLONES_CHOSEN
#define WIDTH 16
#define SUMS 24
#define TARGET __attribute__((target("arch=x86-64-v4")))
#define NAME(name) name##_avx512
#include "model/convolution_template.h"
#undef WIDTH
#undef SUMS
#undef TARGET
#undef NAME

#define WIDTH 8
#define SUMS 12
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define NAME(name) name##_avx2
#include "model/convolution_template.h"
#undef WIDTH
#undef SUMS
#undef TARGET
#undef NAME
#endif

#define WIDTH 4
#ifdef __aarch64__
#define SUMS 24
#else
#define SUMS 10
#endif
#define TARGET
#define NAME(name) name##_generic
#include "model/convolution_template.h"

const struct convolution_blocks *convolution_blocks(void)
{
#if CLONES_CHOSEN
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4"))
        return &blocks_avx512;
    if (__builtin_cpu_supports("x86-64-v3"))
        return &blocks_avx2;
#endif
    return &blocks_generic;
}
