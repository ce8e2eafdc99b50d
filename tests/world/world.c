/* world — runs worlds by seed: one, to be looked at; a range, for ./dev soak; or, without
 * arguments, so many as a test run has time for, in TAP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/world/folder.h"
#include "tests/world/world.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define TEST_SEEDS 15
#else
#define TEST_SEEDS 60
#endif
#define TWICE_EVERY 12 /* of them, every so many are run again, for their traces */
#define LEAK_MOST 65536

static const char usage[] =
    "world: whole swarms under random faults, by seed (docs/testing.md)\n"
    "\n"
    "  world                      a test run, in TAP\n"
    "  world --seed N [--verbose] one world, to replay what was found\n"
    "  world --seeds A-B          each world of a range: a line of JSON when it is over\n";

static void print_hex(const uint8_t trace[TRACE_BYTES], char text[17])
{
    for (size_t i = 0; i < 8; i++)
        snprintf(text + 2 * i, 3, "%02x", trace[i]);
}

/* Quotes and the like do not occur in what is said of a law. */
static void print_json(const struct outcome *outcome)
{
    char trace[17];
    print_hex(outcome->trace, trace);
    printf("{\"seed\": %llu, \"trace\": \"%s\", \"devices\": %u, \"events\": %llu, \"rounds\": "
           "%llu, \"crashes\": %llu, \"bytes\": %llu, \"connected\": %.2f, \"before\": %.3f, "
           "\"after\": %.3f, \"leaked\": %llu, \"faults\": [",
           (unsigned long long)outcome->plan.seed, trace, outcome->plan.devices,
           (unsigned long long)outcome->events, (unsigned long long)outcome->rounds,
           (unsigned long long)outcome->crashes, (unsigned long long)outcome->heard_bytes,
           outcome->connected_periods, outcome->accuracy_before, outcome->accuracy_after,
           (unsigned long long)outcome->leaked_bytes);
    const char *comma = "";
    for (size_t i = 0; i < FAULTS; i++) {
        if (outcome->plan.faults[i])
            printf("%s\"%s\"", comma, fault_names[i]);
        comma = outcome->plan.faults[i] ? ", " : comma;
    }
    printf("], \"broken\": \"%s\"}\n", outcome->broken);
    fflush(stdout);
}

static bool make_dir(char *dir, size_t size)
{
    const char *below = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    if (snprintf(dir, size, "%s/starling-world-XXXXXX", below ? below : "/tmp") >= (int)size)
        return false;
    if (mkdtemp(dir))
        return true;
    fprintf(stderr, "world: %s: %s\n", dir, strerror(errno));
    return false;
}

static int run_one(uint64_t seed, const char *dir, bool verbose)
{
    struct outcome outcome;
    world_run(seed, dir, verbose, &outcome);
    print_json(&outcome);
    return outcome.broken[0] != '\0';
}

static int run_range(uint64_t first, uint64_t last, const char *dir)
{
    int failed = 0;
    for (uint64_t seed = first; seed <= last; seed++)
        failed |= run_one(seed, dir, false);
    return failed;
}

/* One line of TAP a world, and one for those that are run twice. */
static int run_test(const char *program, const char *dir)
{
    struct outcome outcome, again;
    int number = 0, failed = 0;
    printf("1..%d\n", TEST_SEEDS + (TEST_SEEDS + TWICE_EVERY - 1) / TWICE_EVERY);
    for (uint64_t seed = 1; seed <= TEST_SEEDS; seed++) {
        world_run(seed, dir, false, &outcome);
        bool leaks = seed > 1 && outcome.leaked_bytes > LEAK_MOST;
        bool good = !outcome.broken[0] && !leaks;
        failed += !good;
        printf("%s %d - the laws hold in world %llu\n", good ? "ok" : "not ok", ++number,
               (unsigned long long)seed);
        if (!good)
            printf("# %s%s\n# %s --seed %llu --verbose\n", outcome.broken,
                   leaks ? " memory is not given back" : "", program, (unsigned long long)seed);
        if (seed % TWICE_EVERY != 1)
            continue;
        world_run(seed, dir, false, &again);
        bool same = memcmp(outcome.trace, again.trace, TRACE_BYTES) == 0;
        failed += !same;
        printf("%s %d - world %llu is the same world again\n", same ? "ok" : "not ok", ++number,
               (unsigned long long)seed);
    }
    return failed;
}

int main(int count, char **arguments)
{
    char dir[64];
    unsigned long long first = 0, last = 0;
    bool verbose = count == 4 && strcmp(arguments[3], "--verbose") == 0;
    bool one = (count == 3 || verbose) && strcmp(arguments[1], "--seed") == 0 &&
               sscanf(arguments[2], "%llu", &first) == 1;
    bool range = count == 3 && strcmp(arguments[1], "--seeds") == 0 &&
                 sscanf(arguments[2], "%llu-%llu", &first, &last) == 2;
    if (count > 1 && !one && !range) {
        fputs(usage, stderr);
        return 2;
    }
    if (!make_dir(dir, sizeof dir))
        return 1;
    int failed = one     ? run_one(first, dir, verbose)
                 : range ? run_range(first, last, dir)
                         : run_test(arguments[0], dir);
    folder_remove(dir);
    return failed;
}
