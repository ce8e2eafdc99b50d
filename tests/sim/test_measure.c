#include "sim/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/vector.h"
#include "tests/sim/setting.h"

enum { MODELS = 70, TESTED = 700 }; /* more than are tested at a time; a last batch of fewer */

struct models {
    struct version *versions[MODELS];
    const float *scalings[MODELS];
    float *scaling; /* of every third model */
};

static struct models models_of(const struct setting *setting)
{
    struct models models;
    const struct model *model = setting->experiment->model;
    size_t features = model_features(model);
    models.scaling = vector_new(2 * features);
    for (size_t f = 0; f < features; f++)
        models.scaling[features + f] = 1.0f / 200;
    for (size_t i = 0; i < MODELS; i++) {
        float *values = vector_new(model_parameters(model));
        model_initialise(model, i + 1, values);
        models.versions[i] = version_of(values);
        models.scalings[i] = i % 3 ? NULL : models.scaling;
    }
    models.versions[5]->values[0] = NAN;
    return models;
}

static void models_free(struct models *models)
{
    for (size_t i = 0; i < MODELS; i++)
        version_release(&models->versions[i]);
    vector_free(models->scaling);
}

/* Each model by itself and all at once, scaled differently or alike. */
static void check(const char *model, size_t threads, bool scaled)
{
    const char *const pairs[] = {model, "sim.samples=100", NULL};
    struct setting setting;
    struct measured saw[MODELS];
    struct workspace workspace = {0};
    set_up(&setting, threads, pairs);
    struct models models = models_of(&setting);
    const struct experiment *experiment = setting.experiment;
    size_t count = experiment->test_count < TESTED ? experiment->test_count : TESTED;
    measure(experiment, setting.pool, (const struct version *const *)models.versions,
            scaled ? models.scalings : NULL, MODELS, TESTED, saw);
    for (size_t i = 0; i < MODELS; i++) {
        struct examples examples = {.data = experiment->test,
                                    .rows = experiment->test_rows,
                                    .count = count,
                                    .scaling = scaled ? models.scalings[i] : NULL};
        assert_true(workspace_reset(&workspace, evaluation_workspace(experiment->model)));
        struct evaluation wanted =
            evaluate(experiment->model, models.versions[i]->values, &examples, &workspace);
        assert_true(saw[i].accuracy == evaluation_accuracy(&wanted));
        assert_true(saw[i].loss == evaluation_loss(&wanted));
        assert_true(i == 5 ? isinf(saw[i].loss) : isfinite(saw[i].loss));
    }
    workspace_free(&workspace);
    models_free(&models);
    tear_down(&setting);
}

static void together_they_do_as_each_by_itself_to_the_bit(void **state)
{
    (void)state;
    static const char *const tried[] = {"task.model=linear", "task.model=mlp:32"};
    for (size_t m = 0; m < 2; m++)
        for (size_t threads = 1; threads <= 4; threads += 3) {
            check(tried[m], threads, false);
            check(tried[m], threads, true);
        }
}

static void without_examples_nothing_is_known(void **state)
{
    (void)state;
    struct setting setting;
    struct measured saw;
    set_up(&setting, 2, NULL);
    struct models models = models_of(&setting);
    measure(setting.experiment, setting.pool, (const struct version *const *)models.versions, NULL,
            1, 0, &saw);
    assert_true(isnan(saw.accuracy) && isnan(saw.loss));
    models_free(&models);
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_they_do_as_each_by_itself_to_the_bit),
        cmocka_unit_test(without_examples_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
