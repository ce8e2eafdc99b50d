#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/dataset.h"
#include "model/loss.h"
#include "model/random.h"

#define ROWS_MOST 150
#define CLASSES_MOST 7

/* Outputs and labels, a few of them LABEL_NONE. */
static void draw(size_t classes, size_t rows, float *outputs, uint16_t *labels)
{
    struct random random = random_stream(7, (uint32_t)rows, RANDOM_INITIAL, classes);
    for (size_t i = 0; i < rows * loss_outputs(classes); i++)
        outputs[i] = (float)(2 * random_normal(&random));
    for (size_t r = 0; r < rows; r++)
        labels[r] = random_below(&random, 10) == 0
                        ? LABEL_NONE
                        : (uint16_t)random_below(&random, (uint32_t)classes);
}

/* The definition: binary, or Crammer and Singer's. */
static double plain_hinge(const float *z, size_t classes, size_t label)
{
    if (classes == 2)
        return fmax(0, 1 - (label ? 1 : -1) * (double)z[0]);
    double worst = -INFINITY;
    for (size_t c = 0; c < classes; c++)
        worst = fmax(worst, (c != label) + (double)z[c]);
    return worst - (double)z[label];
}

static void the_hinge_and_its_gradient_are_as_defined(void **state)
{
    (void)state;
    static const size_t classes[] = {2, 3, CLASSES_MOST}, rows[] = {1, 5, 64, ROWS_MOST};
    float outputs[ROWS_MOST * CLASSES_MOST], gradient[ROWS_MOST * CLASSES_MOST];
    float copy[ROWS_MOST * CLASSES_MOST], losses[ROWS_MOST];
    uint16_t labels[ROWS_MOST];
    for (size_t c = 0; c < 3; c++)
        for (size_t n = 0; n < 4; n++) {
            size_t width = loss_outputs(classes[c]), labelled = 0;
            double sum = 0;
            draw(classes[c], rows[n], outputs, labels);
            memcpy(gradient, outputs, sizeof gradient);
            memcpy(copy, outputs, sizeof copy);
            double mean = loss_gradient(LOSS_HINGE, classes[c], gradient, labels, NULL, rows[n]);
            loss_predict(LOSS_HINGE, classes[c], copy, labels, rows[n], losses, NULL);
            for (size_t r = 0; r < rows[n]; r++)
                labelled += labels[r] != LABEL_NONE;
            for (size_t r = 0; r < rows[n]; r++) {
                float *z = outputs + r * width;
                double here = labels[r] == LABEL_NONE ? 0 : plain_hinge(z, classes[c], labels[r]);
                assert_true(fabs((double)losses[r] - here) < 1e-5);
                sum += here;
                for (size_t k = 0; k < width; k++) {
                    float was = z[k];
                    z[k] = was + 1e-3f;
                    double up = labels[r] == LABEL_NONE ? 0 : plain_hinge(z, classes[c], labels[r]);
                    z[k] = was - 1e-3f;
                    double down =
                        labels[r] == LABEL_NONE ? 0 : plain_hinge(z, classes[c], labels[r]);
                    z[k] = was;
                    double slope = (up - down) / 2e-3 / (double)labelled;
                    double saw = (double)gradient[r * width + k];
                    if (fabs(saw - slope) > 2e-3 / (double)labelled)
                        fail_msg("%zu classes, row %zu, output %zu: %g, wanted %g", classes[c], r,
                                 k, saw, slope);
                }
            }
            assert_true(fabs(mean - (labelled ? sum / (double)labelled : 0)) < 1e-5);
        }
}

static void the_hinge_predicts_the_greatest_output(void **state)
{
    (void)state;
    float three[] = {-3, 2, 1, 5, 2, 4, NAN, 1, 2}, one[] = {-1, 1, INFINITY}, losses[3];
    uint16_t labels[] = {1, 2, 2}, predicted[3];
    loss_predict(LOSS_HINGE, 3, three, labels, 3, losses, predicted);
    assert_true(predicted[0] == 1 && predicted[1] == 0 && predicted[2] == 0);
    assert_true(losses[0] == 0 && losses[1] == 2 && isinf(losses[2]));
    uint16_t sides[] = {0, 0, 1};
    loss_predict(LOSS_HINGE, 2, one, sides, 3, losses, predicted);
    assert_true(predicted[0] == 0 && predicted[1] == 1 && predicted[2] == 0);
    assert_true(losses[0] == 0 && losses[1] == 2 && isinf(losses[2]));
}

/* Of every loss: a row counts as its class does, in the gradient and in the mean. */
static void weights_count_rows_by_their_class(void **state)
{
    (void)state;
    static const float weights[CLASSES_MOST] = {0.5f, 3, 1, 0, 10, 0.1f, 2};
    float outputs[ROWS_MOST * CLASSES_MOST], plain[ROWS_MOST * CLASSES_MOST];
    uint16_t labels[ROWS_MOST];
    for (int loss = LOSS_CROSS_ENTROPY; loss <= LOSS_HINGE; loss++)
        for (size_t classes = 2; classes <= CLASSES_MOST; classes += 5) {
            size_t width = loss_outputs(classes), labelled = 0;
            draw(classes, ROWS_MOST, outputs, labels);
            double sum = 0;
            float losses[ROWS_MOST];
            memcpy(plain, outputs, sizeof plain);
            loss_predict((enum loss)loss, classes, plain, labels, ROWS_MOST, losses, NULL);
            memcpy(plain, outputs, sizeof plain);
            loss_gradient((enum loss)loss, classes, plain, labels, NULL, ROWS_MOST);
            double mean =
                loss_gradient((enum loss)loss, classes, outputs, labels, weights, ROWS_MOST);
            for (size_t r = 0; r < ROWS_MOST; r++) {
                if (labels[r] == LABEL_NONE)
                    continue;
                labelled++;
                sum += (double)losses[r] * (double)weights[labels[r]];
                for (size_t k = 0; k < width; k++)
                    assert_true(fabsf(outputs[r * width + k] -
                                      weights[labels[r]] * plain[r * width + k]) < 1e-7f);
            }
            assert_true(fabs(mean - sum / (double)labelled) < 1e-5);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hinge_and_its_gradient_are_as_defined),
        cmocka_unit_test(the_hinge_predicts_the_greatest_output),
        cmocka_unit_test(weights_count_rows_by_their_class),
    };
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
