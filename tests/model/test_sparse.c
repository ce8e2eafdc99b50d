#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/evaluation.h"
#include "model/product.h"
#include "model/product_sparse.h"
#include "model/sparse.h"
#include "model/vector.h"

/* Widths that fill no vector and no panel, depths that fill no block, more rows than a group. */
static const struct {
    size_t rows, columns, depth;
} shapes[] = {
    {1, 16, 1},   {3, 16, 7},   {16, 17, 64}, {5, 23, 65},    {33, 32, 100},  {16, 33, 129},
    {2, 63, 40},  {64, 64, 64}, {65, 65, 70}, {16, 100, 200}, {70, 128, 784}, {8, 129, 31},
    {40, 137, 9}, {9, 256, 50}, {3, 300, 66}, {16, 40, 0},
};

/* Of standard normals, the share `zeros` of them 0, some of those -0. */
static float *matrix_of(size_t count, double zeros, uint32_t which)
{
    struct random random = random_stream(2, which, RANDOM_INITIAL, count);
    float *matrix = vector_new(count + 1);
    assert_non_null(matrix);
    for (size_t i = 0; i < count; i++) {
        float value = (float)random_normal(&random), zero = i % 3 ? 0.0f : -0.0f;
        matrix[i] = random_uniform(&random) < zeros ? zero : value;
    }
    return matrix;
}

static void assert_near(const float *saw, const float *wanted, size_t count, double tolerance,
                        const char *what, size_t number)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)saw[i] - (double)wanted[i]) <= tolerance))
            fail_msg("%s %zu, at %zu: saw %g, wanted %g", what, number, i, (double)saw[i],
                     (double)wanted[i]);
}

static void packing_there_and_back_changes_nothing(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        size_t columns = shapes[s].columns, depth = shapes[s].depth, count = columns * depth;
        float *b = matrix_of(count, 0, 1), *packed = matrix_of(count, 0, 2);
        float *back = matrix_of(count, 0, 3);
        product_sparse_pack(packed, b, columns, depth);
        product_sparse_unpack(back, packed, columns, depth);
        assert_memory_equal(back, b, count * sizeof *b);
        vector_free(b);
        vector_free(packed);
        vector_free(back);
    }
}

static void check_products(size_t s, double zeros)
{
    const struct descent descent = {.rate = 0.3f, .beta = 0.9f, .decay = 0.02f};
    size_t rows = shapes[s].rows, columns = shapes[s].columns, depth = shapes[s].depth;
    size_t weights = columns * depth;
    double tolerance = 1e-5 * (4 + sqrt((double)(depth + rows)));
    float *a = matrix_of(rows * depth, zeros, 1), *b = matrix_of(weights, 0, 2);
    float *g = matrix_of(rows * columns, 0, 3), *wanted = matrix_of(weights, 0, 4);
    float *packed = matrix_of(weights, 0, 5), *back = matrix_of(weights, 0, 6);
    float *out = matrix_of(rows * columns, 0, 7), *product = matrix_of(rows * columns, 0, 7);
    float *momentum = matrix_of(weights, 0, 8), *packed_momentum = matrix_of(weights, 0, 9);
    void *scratch = vector_new(product_sparse_scratch(rows) / sizeof(float));
    assert_non_null(scratch);

    product_sparse_pack(packed, b, columns, depth);
    product_sparse_add(out, a, packed, rows, columns, depth);
    float *before = matrix_of(rows * columns, 0, 7);
    product_abt(product, a, b, rows, columns, depth);
    vector_add_scaled(product, before, 1, rows * columns);
    assert_near(out, product, rows * columns, tolerance, "sum", s);

    product_sparse_gradient(packed, a, g, rows, columns, depth, scratch);
    product_sparse_unpack(back, packed, columns, depth);
    product_atb(wanted, g, a, columns, depth, rows);
    assert_near(back, wanted, weights, tolerance, "gradient", s);

    product_sparse_pack(packed, b, columns, depth);
    product_sparse_pack(packed_momentum, momentum, columns, depth);
    memcpy(wanted, b, weights * sizeof *b);
    for (int with = 0; with < 2; with++) {
        product_sparse_descend(packed, with ? packed_momentum : NULL, a, g, rows, columns, depth,
                               &descent, scratch);
        product_sparse_unpack(back, packed, columns, depth);
        product_atb_descend(wanted, with ? momentum : NULL, g, a, columns, depth, rows, &descent);
        assert_near(back, wanted, weights, tolerance, "descent", s);
    }
    product_sparse_unpack(back, packed_momentum, columns, depth);
    assert_near(back, momentum, weights, tolerance, "momentum", s);

    float *all[] = {a, b, g, wanted, packed, back, out, product, momentum, packed_momentum, before};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        vector_free(all[i]);
    vector_free(scratch);
}

static void sparse_products_agree_with_the_others(void **state)
{
    (void)state;
    static const double zeros[] = {0, 0.5, 0.9, 1};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t z = 0; z < sizeof zeros / sizeof *zeros; z++)
            check_products(s, zeros[z]);
}

static void what_is_not_a_number_is_no_zero(void **state)
{
    (void)state;
    enum { COLUMNS = 40, DEPTH = 70 };
    for (size_t bad = 0; bad < DEPTH; bad++) {
        float *a = matrix_of(DEPTH, 1, 1), *b = matrix_of(COLUMNS * DEPTH, 0, 2);
        float *packed = matrix_of(COLUMNS * DEPTH, 0, 3), *out = matrix_of(COLUMNS, 1, 4);
        a[bad] = NAN;
        product_sparse_pack(packed, b, COLUMNS, DEPTH);
        product_sparse_add(out, a, packed, 1, COLUMNS, DEPTH);
        for (size_t c = 0; c < COLUMNS; c++)
            assert_true(isnan(out[c]));
        vector_free(a);
        vector_free(b);
        vector_free(packed);
        vector_free(out);
    }
}

enum { FEATURES = 90, EXAMPLES = 600, CLASSES = 4 };

/* Examples of which most values are zero, or next to it: as good as zero, but no zeros. */
static struct dataset examples_of(float zero)
{
    struct dataset data = {.examples = EXAMPLES, .features = FEATURES, .classes = CLASSES};
    assert_int_equal(dataset_allocate(&data, 0, 0, NULL), STARLING_OK);
    struct random random = random_stream(4, 0, RANDOM_INITIAL, 0);
    for (size_t e = 0; e < EXAMPLES; e++) {
        data.labels[e] = (uint16_t)random_below(&random, CLASSES);
        for (size_t f = 0; f < FEATURES; f++) {
            bool here = f % CLASSES == data.labels[e] || random_below(&random, 5) == 0;
            float value = (float)(1 + random_normal(&random));
            data.floats[e * FEATURES + f] = here ? value : zero;
        }
    }
    return data;
}

static uint32_t rows[EXAMPLES];

static struct examples all_of(const struct dataset *data)
{
    for (uint32_t r = 0; r < EXAMPLES; r++)
        rows[r] = EXAMPLES - 1 - r;
    return (struct examples){.data = data, .rows = rows, .count = EXAMPLES};
}

static bool is_chosen(const char *specification, const struct dataset *data, size_t count)
{
    struct workspace workspace = {0};
    struct model *model = model_new(specification, shape_flat(FEATURES, CLASSES), NULL);
    struct examples examples = all_of(data);
    assert_true(workspace_reset(&workspace, sparse_workspace(model)));
    bool chosen = sparse_choice(model, &examples, count, 1, &workspace) != model;
    workspace_free(&workspace);
    model_free(&model);
    return chosen;
}

static void it_is_chosen_for_many_zeros_and_enough_examples(void **state)
{
    (void)state;
    struct dataset zeros = examples_of(0), none = examples_of(1e-30f);
    assert_true(is_chosen("mlp:20", &zeros, EXAMPLES));
    assert_true(is_chosen("mlp:20,5", &zeros, EXAMPLES));
    assert_false(is_chosen("mlp:20", &none, EXAMPLES));
    assert_false(is_chosen("mlp:20", &zeros, 10));
    assert_false(is_chosen("mlp:8,20", &zeros, EXAMPLES));
    assert_false(is_chosen("linear", &zeros, EXAMPLES));
    dataset_clear(&zeros);
    dataset_clear(&none);
}

/* A pass over `data` with every kind of optimizer; what comes of parameters and memory. */
static float *passed(const struct dataset *data, enum optimizer optimizer, double clip)
{
    const struct learn_settings settings = {.optimizer = optimizer,
                                            .rate = 0.01,
                                            .momentum = 0.9,
                                            .decay = 1e-3,
                                            .batch = 16,
                                            .epochs = 2,
                                            .schedule = SCHEDULE_CONSTANT,
                                            .clip = clip};
    struct model *model = model_new("mlp:21", shape_flat(FEATURES, CLASSES), NULL);
    size_t count = model_parameters(model);
    struct workspace workspace = {0};
    struct optimizer_state remembered;
    struct pass_report report;
    struct examples examples = all_of(data);
    float *out = vector_new(3 * count);
    model_initialise(model, 3, out);
    assert_true(optimizer_begin(&remembered, optimizer, 0.9, count));
    for (uint64_t pass = 0; pass < 3; pass++) {
        assert_true(workspace_reset(&workspace, learner_workspace(model, &settings, EXAMPLES)));
        learner_pass(model, &settings, &examples, 1, random_stream(1, 0, RANDOM_BATCH, pass), out,
                     &remembered, &workspace, &report);
        assert_int_equal(report.samples, 2 * EXAMPLES);
    }
    memcpy(out + count, remembered.first, count * sizeof *out);
    if (remembered.second)
        memcpy(out + 2 * count, remembered.second, count * sizeof *out);
    optimizer_end(&remembered);
    workspace_free(&workspace);
    model_free(&model);
    return out;
}

static void a_pass_over_zeros_is_one_like_any_other(void **state)
{
    (void)state;
    static const enum optimizer optimizers[] = {OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW,
                                                OPTIMIZER_QUASI_GLOBAL};
    struct dataset zeros = examples_of(0), none = examples_of(1e-30f);
    size_t count = 3 * (21 * (FEATURES + 1) + CLASSES * 22);
    for (size_t i = 0; i < 8; i++) {
        float *saw = passed(&zeros, optimizers[i % 4], i < 4 ? 0 : 1);
        float *wanted = passed(&none, optimizers[i % 4], i < 4 ? 0 : 1);
        assert_true(vector_norm2(wanted, count) > 1);
        assert_near(saw, wanted, count, 2e-3, "pass", i);
        vector_free(saw);
        vector_free(wanted);
    }
    dataset_clear(&zeros);
    dataset_clear(&none);
}

static struct evaluation tested(const struct model *model, const float *parameters,
                                const struct dataset *data)
{
    struct workspace workspace = {0};
    struct examples examples = all_of(data);
    assert_true(workspace_reset(&workspace, evaluation_workspace(model)));
    struct evaluation evaluation = evaluate(model, parameters, &examples, &workspace);
    assert_int_equal(workspace.used, 0);
    workspace_free(&workspace);
    return evaluation;
}

static void a_test_on_zeros_is_one_like_any_other(void **state)
{
    (void)state;
    struct dataset zeros = examples_of(0), none = examples_of(1e-30f);
    struct model *model = model_new("mlp:50,7", shape_flat(FEATURES, CLASSES), NULL);
    float *parameters = vector_new(model_parameters(model));
    model_initialise(model, 1, parameters);
    struct evaluation saw = tested(model, parameters, &zeros);
    struct evaluation wanted = tested(model, parameters, &none);
    assert_int_equal(saw.examples, EXAMPLES);
    assert_int_equal(saw.correct, wanted.correct);
    assert_true(fabs(saw.loss_sum - wanted.loss_sum) < 1e-5 * wanted.loss_sum);
    assert_true(fabs(saw.loss_sum2 - wanted.loss_sum2) < 1e-5 * wanted.loss_sum2);
    vector_free(parameters);
    model_free(&model);
    dataset_clear(&zeros);
    dataset_clear(&none);
}

static void a_weight_that_is_not_finite_is_seen_behind_zeros(void **state)
{
    (void)state;
    struct dataset zeros = examples_of(0);
    struct model *model = model_new("mlp:20", shape_flat(FEATURES, CLASSES), NULL);
    float *parameters = vector_new(model_parameters(model));
    for (size_t e = 0; e < EXAMPLES; e++)
        zeros.floats[e * FEATURES] = 0;
    model_initialise(model, 1, parameters);
    parameters[0] = INFINITY; /* of the feature that is always zero */
    assert_true(isinf(tested(model, parameters, &zeros).loss_sum));
    vector_free(parameters);
    model_free(&model);
    dataset_clear(&zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packing_there_and_back_changes_nothing),
        cmocka_unit_test(sparse_products_agree_with_the_others),
        cmocka_unit_test(what_is_not_a_number_is_no_zero),
        cmocka_unit_test(it_is_chosen_for_many_zeros_and_enough_examples),
        cmocka_unit_test(a_pass_over_zeros_is_one_like_any_other),
        cmocka_unit_test(a_test_on_zeros_is_one_like_any_other),
        cmocka_unit_test(a_weight_that_is_not_finite_is_seen_behind_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
