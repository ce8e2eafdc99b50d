#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/product.h"
#include "model/random.h"
#include "model/vector.h"

/* Small ones for our own kernels, large ones for OpenBLAS in one piece and in several; ends that
 * fill no register block and no piece. */
static const struct {
    size_t rows, columns, depth;
} shapes[] = {
    {1, 1, 1},      {1, 1, 57},    {32, 1, 57},    {1, 10, 784},  {3, 5, 7},
    {7, 3, 600},    {4, 4, 4},     {32, 10, 128},  {10, 128, 32}, {33, 17, 19},
    {2, 2, 2},      {5, 300, 1},   {3, 5, 0},      {8, 257, 11},  {64, 31, 9},
    {32, 150, 784}, {8, 600, 512}, {131, 785, 33}, {256, 70, 65},
};

static float *random_matrix(size_t count, uint32_t which)
{
    struct random random = random_stream(2, which, RANDOM_INITIAL, count);
    float *matrix = vector_new(count);
    assert_non_null(matrix);
    for (size_t i = 0; i < count; i++)
        matrix[i] = (float)random_normal(&random);
    return matrix;
}

/* Which operand lies with its depth along its columns. */
enum layout { ABT, AB, ATB };

static double element(enum layout layout, const float *a, const float *b, size_t rows,
                      size_t columns, size_t depth, size_t i, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < depth; k++)
        sum += (double)(layout == ATB ? a[k * rows + i] : a[i * depth + k]) *
               (double)(layout == ABT ? b[j * depth + k] : b[k * columns + j]);
    return sum;
}

static void check(enum layout layout, size_t rows, size_t columns, size_t depth)
{
    float *a = random_matrix(rows * depth, 1), *b = random_matrix(columns * depth, 2);
    float *out = random_matrix(rows * columns, 3); /* what was there must not matter */
    if (layout == ABT)
        product_abt(out, a, b, rows, columns, depth);
    else if (layout == AB)
        product_ab(out, a, b, rows, columns, depth);
    else
        product_atb(out, a, b, rows, columns, depth);
    double tolerance = 1e-5 * (4 + sqrt((double)depth));
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double saw = (double)out[i * columns + j];
            double wanted = element(layout, a, b, rows, columns, depth, i, j);
            if (!(fabs(saw - wanted) <= tolerance))
                fail_msg("layout %d, %zu × %zu, depth %zu, at %zu, %zu: saw %g, wanted %g",
                         (int)layout, rows, columns, depth, i, j, saw, wanted);
        }
    vector_free(a);
    vector_free(b);
    vector_free(out);
}

static void products_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int layout = ABT; layout <= ATB; layout++)
            check((enum layout)layout, shapes[s].rows, shapes[s].columns, shapes[s].depth);
}

static void check_descent(size_t rows, size_t columns, size_t depth, bool with_momentum)
{
    const struct descent descent = {.rate = 0.3f, .beta = 0.9f, .decay = 0.02f};
    size_t count = rows * columns;
    float *a = random_matrix(rows * depth, 1), *b = random_matrix(columns * depth, 2);
    float *start = random_matrix(count, 3), *parameters = random_matrix(count, 3);
    float *momentum_start = random_matrix(count, 4), *momentum = random_matrix(count, 4);
    product_atb_descend(parameters, with_momentum ? momentum : NULL, a, b, rows, columns, depth,
                        &descent);
    double tolerance = 1e-5 * (4 + sqrt((double)depth));
    for (size_t i = 0; i < count; i++) {
        double m = element(ATB, a, b, rows, columns, depth, i / columns, i % columns);
        if (with_momentum)
            m += 0.9 * (double)momentum_start[i];
        double wanted = (double)start[i] - 0.3 * (m + 0.02 * (double)start[i]);
        double wanted_momentum = with_momentum ? m : (double)momentum_start[i];
        if (!(fabs((double)parameters[i] - wanted) <= tolerance) ||
            !(fabs((double)momentum[i] - wanted_momentum) <= tolerance))
            fail_msg("%zu × %zu, depth %zu, at %zu: saw %g and %g, wanted %g and %g", rows, columns,
                     depth, i, (double)parameters[i], (double)momentum[i], wanted, wanted_momentum);
    }
    vector_free(a);
    vector_free(b);
    vector_free(start);
    vector_free(parameters);
    vector_free(momentum_start);
    vector_free(momentum);
}

static void descents_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        check_descent(shapes[s].rows, shapes[s].columns, shapes[s].depth, false);
        check_descent(shapes[s].rows, shapes[s].columns, shapes[s].depth, true);
    }
}

/* Rows with something between them, and columns behind the last: those are zero. */
static void check_packed(bool transposed, size_t rows, size_t columns, size_t depth)
{
    size_t wide = product_packed_columns(columns), a_row = depth + 3, out_row = wide + 5;
    float *a = random_matrix(rows * a_row, 1), *b = random_matrix(columns * depth + 1, 2);
    float *packed = random_matrix(depth * wide + 1, 3), *out = random_matrix(rows * out_row, 4);
    float *before = random_matrix(rows * out_row, 4);
    if (transposed)
        product_pack_transposed(packed, b, columns, depth);
    else
        product_pack(packed, b, columns, depth);
    product_ab_packed(out, out_row, a, a_row, packed, rows, columns, depth);
    double tolerance = 1e-5 * (4 + sqrt((double)depth));
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < out_row; j++) {
            double saw = (double)out[i * out_row + j], wanted = 0;
            for (size_t k = 0; k < depth && j < columns; k++)
                wanted += (double)a[i * a_row + k] *
                          (double)(transposed ? b[j * depth + k] : b[k * columns + j]);
            if (j >= wide)
                wanted = (double)before[i * out_row + j];
            if (!(fabs(saw - wanted) <= tolerance))
                fail_msg("%zu × %zu, depth %zu, at %zu, %zu: saw %g, wanted %g", rows, columns,
                         depth, i, j, saw, wanted);
        }
    vector_free(a);
    vector_free(b);
    vector_free(packed);
    vector_free(out);
    vector_free(before);
}

static void packed_products_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        check_packed(false, shapes[s].rows, shapes[s].columns, shapes[s].depth);
        check_packed(true, shapes[s].rows, shapes[s].columns, shapes[s].depth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_agree_with_the_plain_ones),
        cmocka_unit_test(descents_agree_with_the_plain_ones),
        cmocka_unit_test(packed_products_agree_with_the_plain_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
