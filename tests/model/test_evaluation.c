#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/evaluation.h"
#include "model/vector.h"

#define FEATURES 5
#define EXAMPLES 700 /* more than two of the batches it is tested in */

static struct dataset data;
static uint32_t rows[EXAMPLES];
static struct model *model;
static float *parameters;

static int make_all(void **state)
{
    (void)state;
    data = (struct dataset){.examples = EXAMPLES, .features = FEATURES, .classes = 4};
    model = model_new("mlp:6", shape_flat(FEATURES, 4), NULL);
    if (!model || dataset_allocate(&data, 0, 0, NULL) != STARLING_OK)
        return 1;
    parameters = vector_new(model_parameters(model));
    model_initialise(model, 1, parameters);
    struct random random = random_stream(4, 0, RANDOM_INITIAL, 0);
    for (uint32_t e = 0; e < EXAMPLES; e++) {
        for (size_t f = 0; f < FEATURES; f++)
            data.floats[e * FEATURES + f] = (float)random_normal(&random);
        data.labels[e] = (uint16_t)random_below(&random, 4);
        rows[e] = (e * 11) % EXAMPLES;
    }
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    vector_free(parameters);
    model_free(&model);
    dataset_clear(&data);
    return 0;
}

static struct evaluation evaluate_first(size_t count)
{
    struct workspace workspace = {0};
    struct examples examples = {.data = &data, .rows = rows, .count = count};
    assert_true(workspace_reset(&workspace, evaluation_workspace(model)));
    struct evaluation evaluation = evaluate(model, parameters, &examples, &workspace);
    assert_int_equal(workspace.used, 0);
    workspace_free(&workspace);
    return evaluation;
}

static void it_counts_what_one_by_one_counts(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 255, 256, 257, 512, EXAMPLES};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        struct evaluation saw = evaluate_first(counts[c]), wanted = {.examples = counts[c]};
        struct workspace workspace = {0};
        assert_true(workspace_reset(&workspace, model_workspace(model, 1)));
        for (size_t e = 0; e < counts[c]; e++) {
            float input[FEATURES], loss;
            uint16_t label, predicted;
            dataset_gather(&data, &rows[e], 1, input, &label);
            model_predict(model, parameters, input, &label, 1, &loss, &predicted, &workspace);
            wanted.correct += predicted == label;
            wanted.loss_sum += (double)loss;
            wanted.loss_sum2 += (double)loss * (double)loss;
        }
        workspace_free(&workspace);
        assert_int_equal(saw.examples, wanted.examples);
        assert_int_equal(saw.correct, wanted.correct);
        assert_true(fabs(saw.loss_sum - wanted.loss_sum) < 1e-4 * wanted.loss_sum);
        assert_true(fabs(saw.loss_sum2 - wanted.loss_sum2) < 1e-4 * wanted.loss_sum2);
        double count = (double)counts[c];
        assert_true(evaluation_accuracy(&saw) == (double)saw.correct / count);
        assert_true(evaluation_loss(&saw) == saw.loss_sum / count);
    }
}

static void without_examples_nothing_is_known(void **state)
{
    (void)state;
    struct evaluation evaluation = evaluate_first(0);
    assert_int_equal(evaluation.examples, 0);
    assert_true(isnan(evaluation_accuracy(&evaluation)));
    assert_true(isnan(evaluation_loss(&evaluation)));
}

static void a_broken_model_has_an_infinite_loss(void **state)
{
    (void)state;
    float kept = parameters[2];
    parameters[2] = NAN;
    struct evaluation evaluation = evaluate_first(300);
    parameters[2] = kept;
    assert_true(isinf(evaluation_loss(&evaluation)));
    assert_true(evaluation_accuracy(&evaluation) <= 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_what_one_by_one_counts),
        cmocka_unit_test(without_examples_nothing_is_known),
        cmocka_unit_test(a_broken_model_has_an_infinite_loss),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
