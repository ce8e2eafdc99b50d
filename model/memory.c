#include "model/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* The first number behind `name` in a file of the system's; false when there is none. */
static bool read_number(const char *path, const char *name, unsigned long long *number)
{
    char line[256], form[64];
    snprintf(form, sizeof form, "%s%%llu", name);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = sscanf(line, form, number) == 1;
    if (file)
        fclose(file);
    return found;
}

/* What the container's limit leaves; SIZE_MAX where there is none. */
static size_t limit_left(size_t page)
{
    unsigned long long limit, used = 0;
    if (!read_number("/sys/fs/cgroup/memory.max", "", &limit) &&
        !read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "", &limit))
        return SIZE_MAX;
    read_number("/proc/self/statm", "%*u ", &used); /* its second number: resident pages */
    used *= page;
    return limit > SIZE_MAX ? SIZE_MAX : limit > used ? (size_t)(limit - used) : 0;
}

size_t memory_left(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t page_bytes = page > 0 ? (size_t)page : 4096, left = SIZE_MAX;
    unsigned long long available;
    if (read_number("/proc/meminfo", "MemAvailable: ", &available))
        left = available > SIZE_MAX / 1024 ? SIZE_MAX : (size_t)available * 1024;
    else if (pages > 0)
        left = (size_t)pages > SIZE_MAX / page_bytes ? SIZE_MAX : (size_t)pages * page_bytes;
    size_t within = limit_left(page_bytes);
    return within < left ? within : left;
}

bool memory_holds(size_t bytes)
{
    size_t left = memory_left();
    return bytes <= left - left / 16;
}
