/* clones — one function compiled for several processors, the best chosen at run time.
 *
 * `CLONES void f(…)` is compiled for AVX-512, AVX2 with FMA, and the plain machine; the dynamic
 * linker picks once, at start. Where that cannot work the plain one is all there is: other
 * processors and C libraries, clang, and sanitizers, whose run time is not up yet when it picks.
 *
 * Files that use it are built with KERNEL_CFLAGS: the compiler may reorder their sums, and so use
 * vectors for them; infinities and NaN keep their meaning.
 */
#ifndef STARLING_CLONES_H
#define STARLING_CLONES_H

#include <features.h>

#if defined __x86_64__ && defined __GLIBC__ && defined __GNUC__ && !defined __clang__ &&           \
    !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define CLONES_CHOSEN 1
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES_CHOSEN 0
#define CLONES
#endif

/* For the body that a cloned function shares with others: it must end up inside the clone. */
#define CLONED_INLINE static inline __attribute__((always_inline))

#endif
