#include "sim/allocator.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES_LEAST 50000

/* Huge pages where the system gives them, and many blocks at hand for each thread (glibc's manual,
 * "Memory Allocation Tunables"). */
static const char name[] = "GLIBC_TUNABLES";
static const char wanted[] = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=1000";

void allocator_prepare(size_t nodes, char **argv)
{
    const char *told = getenv(name);
    char path[4096];
    if (told) {
        if (strcmp(told, wanted) == 0)
            unsetenv(name); /* not for the programs that this one starts */
        return;
    }
    if (nodes < NODES_LEAST)
        return;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return;
    path[length] = '\0';
    if (setenv(name, wanted, 1) == 0)
        execv(path, argv);
    unsetenv(name);
}
