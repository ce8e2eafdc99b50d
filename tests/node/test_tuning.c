#include "node/tuning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/vector.h"

enum { EXAMPLES = 100, FEATURES = 4, STEPS = 40, BATCH = 8 };

/* A participant whose examples say the opposite of what is shared. */
struct setting {
    struct dataset data;
    uint32_t rows[EXAMPLES];
    struct model *model;
    struct version *initial;
    struct participant_settings settings;
    struct view_entry entries[4];
    struct participant participant;
    struct workspace workspace;
    struct tuning tuning;
};

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);
    setting->data = (struct dataset){.examples = EXAMPLES, .features = FEATURES, .classes = 2};
    assert_int_equal(dataset_allocate(&setting->data, 0, 0, NULL), STARLING_OK);
    struct random random = random_stream(1, 0, RANDOM_DIGIT, 0);
    for (uint32_t row = 0; row < EXAMPLES; row++) {
        float *x = setting->data.floats + row * FEATURES;
        for (size_t i = 0; i < FEATURES; i++)
            x[i] = (float)random_normal(&random);
        setting->rows[row] = row;
        setting->data.labels[row] = x[0] > 0;
    }
    setting->model = model_new("linear", shape_flat(FEATURES, 2), NULL);
    setting->initial = version_of(vector_new(model_parameters(setting->model)));
    setting->settings = (struct participant_settings){
        .model = setting->model,
        .learn = {.rate = 1,
                  .decay = 1e-4,
                  .rate_floor = .1,
                  .batch = BATCH,
                  .epochs = 1,
                  .schedule = SCHEDULE_INVERSE},
        .gossip = {.period_us = 1000,
                   .fanout = 1,
                   .view = 4,
                   .inbox = 4,
                   .merge = {.rule = merge_rule_find("limited"), .age_limit = 3, .alpha_max = 1},
                   .parameters = model_parameters(setting->model)},
        .holdout = .2,
        .personal = STEPS,
        .seed = 1};
    const struct gossip_storage storage = {.entries = setting->entries};
    assert_int_equal(participant_init(&setting->participant, &setting->settings, 0, &setting->data,
                                      setting->rows, EXAMPLES, &storage, setting->initial, 0, NULL),
                     STARLING_OK);
    setting->tuning =
        (struct tuning){.participant = &setting->participant, .shared = setting->initial->values};
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;
    participant_clear(&setting->participant);
    version_release(&setting->initial);
    model_free(&setting->model);
    dataset_clear(&setting->data);
    workspace_free(&setting->workspace);
    free(setting);
    return 0;
}

static void both_are_tested_on_the_half_that_chooses_nothing(void **state)
{
    struct setting *setting = *state;
    const struct participant *participant = &setting->participant;
    float *kept = vector_new(model_parameters(setting->model));
    struct tuned tuned;
    assert_true(participant->report_count > 0);
    assert_true(tuning_run(&setting->tuning, kept, &setting->workspace, &tuned));
    assert_int_equal(tuned.chosen.personal.examples, participant->choose_count);
    assert_int_equal(tuned.shared.examples, participant->report_count);
    assert_int_equal(tuned.personal.examples, participant->report_count);
    assert_true(tuned.chosen.steps > 0);
    assert_true(tuned.personal.correct > tuned.shared.correct);
    vector_free(kept);
}

static void a_node_that_holds_nothing_out_serves_what_is_shared(void **state)
{
    struct setting *setting = *state;
    float *kept = vector_new(model_parameters(setting->model));
    struct tuned tuned;
    setting->participant.choose_count = setting->participant.report_count = 0;
    assert_true(tuning_run(&setting->tuning, kept, &setting->workspace, &tuned));
    assert_int_equal(tuned.chosen.steps, 0);
    assert_int_equal(tuned.personal.examples, 0);
    assert_memory_equal(kept, setting->initial->values,
                        model_parameters(setting->model) * sizeof *kept);
    vector_free(kept);
}

/* The passes make `once` steps each: as many rounds go by until there is as much to tune. */
static void a_device_tunes_when_passes_have_made_as_many_steps(void **state)
{
    struct setting *setting = *state;
    size_t once = (setting->participant.train_count + BATCH - 1) / BATCH;
    size_t rounds = (STEPS + once - 1) / once;
    struct personal personal = {0};
    struct evaluation reported;
    assert_true(rounds > 1);
    for (size_t round = 1; round < rounds; round++) {
        assert_true(tuning_round(&personal, &setting->tuning, &setting->workspace, &reported));
        assert_null(personal.values);
        assert_int_equal(reported.examples, setting->participant.report_count);
    }
    size_t before = reported.correct;
    assert_true(tuning_round(&personal, &setting->tuning, &setting->workspace, &reported));
    assert_non_null(personal.values);
    assert_true(reported.correct > before);
    assert_int_equal(personal.learned, 0);
    assert_true(tuning_round(&personal, &setting->tuning, &setting->workspace, &reported));
    assert_int_equal(personal.learned, once); /* kept, not tuned again */
    assert_true(reported.correct > before);
    personal_forget(&personal);
    assert_null(personal.values);
}

static void what_is_shared_is_served_once_it_does_better_than_what_was_kept(void **state)
{
    struct setting *setting = *state;
    size_t count = model_parameters(setting->model);
    struct evaluation reported;
    float *better = vector_new(count);
    struct tuned tuned;
    assert_true(tuning_run(&setting->tuning, better, &setting->workspace, &tuned));
    struct personal personal = {.values = vector_new(count)}; /* knows nothing */
    setting->tuning.shared = better;
    assert_true(tuning_round(&personal, &setting->tuning, &setting->workspace, &reported));
    assert_int_equal(reported.correct, tuned.personal.correct);
    personal_forget(&personal);
    vector_free(better);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_are_tested_on_the_half_that_chooses_nothing),
        TEST(a_node_that_holds_nothing_out_serves_what_is_shared),
        TEST(a_device_tunes_when_passes_have_made_as_many_steps),
        TEST(what_is_shared_is_served_once_it_does_better_than_what_was_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
