#include "model/loss.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "model/activation.h"
#include "model/dataset.h"
#include "model/vector.h"

#define ROWS 64 /* worked on at a time */

size_t loss_outputs(size_t classes)
{
    return classes == 2 ? 1 : classes;
}

/* ln(1 + e^z) − y z, written so that no intermediate value overflows. */
static double logistic_loss(float z, bool y)
{
    double size = fabs((double)z);
    double wrong = (z > 0.0f) == y ? 0.0 : size;
    return wrong + log1p(exp(-size));
}

static size_t largest(const float *row, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}

/* Replaces rows (at most ROWS) by their gradient: probabilities, less one at the label, times
 * `share`; 0 without a label. Returns the sum of their losses. */
static double softmax_gradient(float *rows, size_t classes, const uint16_t *labels, size_t count,
                               float share)
{
    double log_sums[ROWS], sum = 0.0;
    float held[ROWS];
    for (size_t r = 0; r < count; r++)
        held[r] = labels[r] == LABEL_NONE ? 0.0f : rows[r * classes + labels[r]];
    softmax_rows(rows, share, log_sums, count, classes);
    for (size_t r = 0; r < count; r++) {
        float *row = rows + r * classes;
        if (labels[r] == LABEL_NONE) {
            memset(row, 0, classes * sizeof *row);
            continue;
        }
        row[labels[r]] -= share;
        sum += log_sums[r] - (double)held[r];
    }
    return sum;
}

/* The same of single outputs. */
static double logistic_gradient(float *outputs, const uint16_t *labels, size_t count, float share)
{
    double sum = 0.0;
    for (size_t r = 0; r < count; r++)
        sum += labels[r] == LABEL_NONE ? 0.0 : logistic_loss(outputs[r], labels[r]);
    vector_logistic(outputs, outputs, count);
    for (size_t r = 0; r < count; r++)
        outputs[r] = labels[r] == LABEL_NONE ? 0.0f : (outputs[r] - (float)labels[r]) * share;
    return sum;
}

double loss_gradient(size_t classes, float *outputs, const uint16_t *labels, size_t rows)
{
    size_t labelled = 0;
    for (size_t r = 0; r < rows; r++) {
        assert(labels[r] < classes || labels[r] == LABEL_NONE);
        labelled += labels[r] != LABEL_NONE;
    }
    size_t width = loss_outputs(classes), counted = labelled ? labelled : 1;
    float share = 1.0f / (float)counted;
    bool finite = vector_finite(outputs, rows * width);
    double sum = 0.0;
    for (size_t start = 0; start < rows; start += ROWS) {
        size_t count = rows - start < ROWS ? rows - start : ROWS;
        float *first = outputs + start * width;
        sum += width == 1 ? logistic_gradient(first, labels + start, count, share)
                          : softmax_gradient(first, classes, labels + start, count, share);
    }
    return finite ? sum / (double)counted : INFINITY;
}

/* Losses and predictions of rows (at most ROWS) of finite values; what they held is lost. */
static void softmax_predict(float *rows, size_t classes, const uint16_t *labels, size_t count,
                            float *losses, uint16_t *predicted)
{
    double log_sums[ROWS];
    for (size_t r = 0; r < count && predicted; r++)
        predicted[r] = (uint16_t)largest(rows + r * classes, classes);
    if (!losses)
        return;
    for (size_t r = 0; r < count; r++)
        losses[r] = labels[r] == LABEL_NONE ? 0.0f : rows[r * classes + labels[r]];
    softmax_rows(rows, 1.0f, log_sums, count, classes);
    for (size_t r = 0; r < count; r++)
        losses[r] = labels[r] == LABEL_NONE ? 0.0f : (float)(log_sums[r] - (double)losses[r]);
}

static void logistic_predict(const float *outputs, const uint16_t *labels, size_t count,
                             float *losses, uint16_t *predicted)
{
    for (size_t r = 0; r < count; r++) {
        if (predicted)
            predicted[r] = outputs[r] > 0.0f;
        if (losses)
            losses[r] =
                labels[r] == LABEL_NONE ? 0.0f : (float)logistic_loss(outputs[r], labels[r]);
    }
}

void loss_predict(size_t classes, float *outputs, const uint16_t *labels, size_t rows,
                  float *losses, uint16_t *predicted)
{
    size_t width = loss_outputs(classes);
    bool finite[ROWS];
    for (size_t start = 0; start < rows; start += ROWS) {
        size_t count = rows - start < ROWS ? rows - start : ROWS;
        float *first = outputs + start * width, *to = losses ? losses + start : NULL;
        const uint16_t *of = labels ? labels + start : NULL;
        uint16_t *likely = predicted ? predicted + start : NULL;
        for (size_t r = 0; r < count; r++) {
            assert(!losses || of[r] < classes || of[r] == LABEL_NONE);
            finite[r] = vector_finite(first + r * width, width);
        }
        if (width == 1)
            logistic_predict(first, of, count, to, likely);
        else
            softmax_predict(first, classes, of, count, to, likely);
        for (size_t r = 0; r < count; r++) {
            if (predicted && !finite[r])
                likely[r] = 0;
            if (losses && !finite[r] && of[r] != LABEL_NONE)
                to[r] = INFINITY;
        }
    }
}
