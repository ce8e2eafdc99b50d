/* The final phase of real nodes: they learn no more, agree on one model, and keep to it. */
#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "model/vector.h"
#include "node/slots.h"

enum { NODES = 3 };

static const char *const conclude[] = {"conclude", NULL};

static void up(struct device *device, const char *name, const char *seed)
{
    char seeds[256];
    snprintf(seeds, sizeof seeds, "node.seeds=%s", seed);
    const char *const settings[] = {seeds, "node.save_every=1d", NULL};
    if (device->dir[0] == '\0')
        device_make(device, &tested_swarm, name, tested_swarm.authority, VALID);
    device_up(device, settings);
}

/* What a stopped device has on disk: its read-out. */
static struct saved saved_by(const struct device *device)
{
    struct saved saved = {0};
    struct problem problem = {0};
    bool found = false;
    char note[PROBLEM_TEXT_MAX];
    if (slots_load(device->dir, 1 << 24, &saved, &found, note, &problem) || !found || note[0])
        fail_msg("%s: %s", device->dir, found ? problem.text : "nothing is saved");
    assert_non_null(saved.readout);
    return saved;
}

/* ‖a − b‖ / ‖a‖ */
static double apart(const struct saved *a, const struct saved *b)
{
    return sqrt(vector_distance2(a->readout, b->readout, a->parameters) /
                vector_norm2(a->readout, a->parameters));
}

static void all_end_with_one_model_and_keep_it(void **state)
{
    (void)state;
    static const char *const names[NODES] = {"one", "two", "three"};
    struct device devices[NODES] = {0};
    char said[1000], seed[256] = "";
    if (!swarm_ready)
        skip();
    for (int i = 0; i < NODES; i++) {
        up(&devices[i], names[i], seed);
        snprintf(seed, sizeof seed, "%s", device_seed(&devices[0]));
    }
    for (int i = 0; i < NODES; i++) {
        device_await(&devices[i], "age", 3);
        device_await(&devices[i], "peers.connected", 2);
    }
    for (int i = 0; i < NODES; i++)
        if (device_ctl(&devices[i], said, sizeof said, conclude) ||
            !strstr(said, "concluding: averages with others for 20 periods"))
            fail_msg("%s", said);
    struct saved saved[NODES];
    for (int i = 0; i < NODES; i++)
        device_await_text(&devices[i], "state", "concluded");
    for (int i = 0; i < NODES; i++) {
        assert_int_equal(device_ctl(&devices[i], said, sizeof said, conclude), 0); /* no harm */
        device_stop(&devices[i]);
        saved[i] = saved_by(&devices[i]);
        if (!(apart(&saved[0], &saved[i]) < 1e-3))
            fail_msg("%s is %g away", names[i], apart(&saved[0], &saved[i]));
    }
    up(&devices[0], names[0], "");
    device_await_text(&devices[0], "state", "concluded");
    device_stop(&devices[0]);
    struct saved again = saved_by(&devices[0]);
    assert_true(again.works == saved[0].works && apart(&saved[0], &again) == 0);
    saved_clear(&again);
    for (int i = 0; i < NODES; i++)
        saved_clear(&saved[i]);
}

static void who_has_not_begun_cannot_conclude(void **state)
{
    (void)state;
    static const char *const waiting[] = {"node.autostart=off", NULL};
    struct device device;
    char said[1000];
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "waiting", tested_swarm.authority, VALID);
    device_up(&device, waiting);
    assert_int_equal(device_ctl(&device, said, sizeof said, conclude), 1);
    assert_non_null(strstr(said, "conclude: nothing is learned here yet"));
    device_stop(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_end_with_one_model_and_keep_it),
        cmocka_unit_test(who_has_not_begun_cannot_conclude),
    };
    return cmocka_run_group_tests_name("live conclude", tests, swarm_setup, swarm_teardown);
}
