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

/* The greatest output but the label's. */
static size_t rival_of(const float *row, size_t classes, size_t label)
{
    size_t best = label == 0;
    for (size_t c = 0; c < classes; c++)
        if (c != label && row[c] > row[best])
            best = c;
    return best;
}

static double hinge_loss(const float *row, size_t classes, size_t label)
{
    double by = classes == 2 ? (label ? (double)row[0] : -(double)row[0])
                             : (double)row[label] - (double)row[rival_of(row, classes, label)];
    return by < 1 ? 1 - by : 0;
}

/* These replace rows (at most ROWS) by their gradient times `share`, 0 without a label, and fill in
 * their losses. Of softmax: probabilities, less one at the label. */
static void softmax_gradient(float *rows, size_t classes, const uint16_t *labels, size_t count,
                             float share, double *losses)
{
    float held[ROWS];
    for (size_t r = 0; r < count; r++)
        held[r] = labels[r] == LABEL_NONE ? 0.0f : rows[r * classes + labels[r]];
    softmax_rows(rows, share, losses, count, classes);
    for (size_t r = 0; r < count; r++) {
        float *row = rows + r * classes;
        if (labels[r] == LABEL_NONE) {
            memset(row, 0, classes * sizeof *row);
            losses[r] = 0;
            continue;
        }
        row[labels[r]] -= share;
        losses[r] -= (double)held[r];
    }
}

static void logistic_gradient(float *outputs, const uint16_t *labels, size_t count, float share,
                              double *losses)
{
    for (size_t r = 0; r < count; r++)
        losses[r] = labels[r] == LABEL_NONE ? 0.0 : logistic_loss(outputs[r], labels[r]);
    vector_logistic(outputs, outputs, count);
    for (size_t r = 0; r < count; r++)
        outputs[r] = labels[r] == LABEL_NONE ? 0.0f : (outputs[r] - (float)labels[r]) * share;
}

static void hinge_gradient(float *rows, size_t classes, const uint16_t *labels, size_t count,
                           float share, double *losses)
{
    size_t width = loss_outputs(classes);
    for (size_t r = 0; r < count; r++) {
        float *row = rows + r * width;
        size_t label = labels[r];
        losses[r] = label == LABEL_NONE ? 0 : hinge_loss(row, classes, label);
        bool wrong = losses[r] > 0;
        size_t rival = wrong && width > 1 ? rival_of(row, classes, label) : 0;
        memset(row, 0, width * sizeof *row);
        if (wrong && width == 1) {
            row[0] = label ? -share : share;
        } else if (wrong) {
            row[rival] = share;
            row[label] = -share;
        }
    }
}

/* Counts each row as its class does: its gradient at once, its loss in the sum that is returned. */
static double weigh(float *rows, size_t width, const uint16_t *labels, const float *weights,
                    size_t count, const double *losses)
{
    double sum = 0;
    for (size_t r = 0; r < count; r++) {
        float weight = weights && labels[r] != LABEL_NONE ? weights[labels[r]] : 1;
        sum += (double)weight * losses[r];
        if (weights)
            vector_scale(rows + r * width, weight, width);
    }
    return sum;
}

double loss_gradient(enum loss loss, size_t classes, float *outputs, const uint16_t *labels,
                     const float *weights, size_t rows)
{
    size_t labelled = 0;
    for (size_t r = 0; r < rows; r++) {
        assert(labels[r] < classes || labels[r] == LABEL_NONE);
        labelled += labels[r] != LABEL_NONE;
    }
    size_t width = loss_outputs(classes), counted = labelled ? labelled : 1;
    float share = 1.0f / (float)counted;
    bool finite = vector_finite(outputs, rows * width);
    double losses[ROWS], sum = 0.0;
    for (size_t start = 0; start < rows; start += ROWS) {
        size_t count = rows - start < ROWS ? rows - start : ROWS;
        float *first = outputs + start * width;
        const uint16_t *of = labels + start;
        if (loss == LOSS_HINGE)
            hinge_gradient(first, classes, of, count, share, losses);
        else if (width == 1)
            logistic_gradient(first, of, count, share, losses);
        else
            softmax_gradient(first, classes, of, count, share, losses);
        sum += weigh(first, width, of, weights, count, losses);
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

static void hinge_predict(const float *rows, size_t classes, const uint16_t *labels, size_t count,
                          float *losses, uint16_t *predicted)
{
    size_t width = loss_outputs(classes);
    for (size_t r = 0; r < count; r++) {
        const float *row = rows + r * width;
        if (predicted)
            predicted[r] = (uint16_t)(width > 1 ? largest(row, classes) : row[0] > 0.0f);
        if (losses)
            losses[r] = labels[r] == LABEL_NONE ? 0.0f : (float)hinge_loss(row, classes, labels[r]);
    }
}

void loss_predict(enum loss loss, size_t classes, float *outputs, const uint16_t *labels,
                  size_t rows, float *losses, uint16_t *predicted)
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
        if (loss == LOSS_HINGE)
            hinge_predict(first, classes, of, count, to, likely);
        else if (width == 1)
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
