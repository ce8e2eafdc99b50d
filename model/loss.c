#include "model/loss.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "model/dataset.h"
#include "model/vector.h"

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

static float logistic(float z)
{
    float small = expf(-fabsf(z));
    return (z > 0.0f ? 1.0f : small) / (1.0f + small);
}

static size_t largest(const float *row, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}

static double softmax_loss(const float *row, size_t classes, size_t label)
{
    float most = row[largest(row, classes)];
    float sum = 0.0f;
    for (size_t c = 0; c < classes; c++)
        sum += expf(row[c] - most);
    return log((double)sum) + ((double)most - (double)row[label]);
}

/* Replaces a row by its gradient: probabilities, less one at the label; over the batch. */
static double softmax_gradient(float *row, size_t classes, size_t label, float share)
{
    float most = row[largest(row, classes)];
    double behind = (double)most - (double)row[label];
    float sum = 0.0f;
    for (size_t c = 0; c < classes; c++) {
        row[c] = expf(row[c] - most);
        sum += row[c];
    }
    float factor = share / sum;
    for (size_t c = 0; c < classes; c++)
        row[c] *= factor;
    row[label] -= share;
    return log((double)sum) + behind;
}

double loss_gradient(size_t classes, float *outputs, const uint16_t *labels, size_t rows)
{
    size_t labelled = 0;
    for (size_t r = 0; r < rows; r++)
        labelled += labels[r] != LABEL_NONE;
    float share = 1.0f / (float)(labelled ? labelled : 1);
    size_t width = loss_outputs(classes);
    bool finite = vector_finite(outputs, rows * width);
    double sum = 0.0;
    for (size_t r = 0; r < rows; r++) {
        float *row = outputs + r * width;
        if (labels[r] == LABEL_NONE) {
            memset(row, 0, width * sizeof *row);
            continue;
        }
        assert(labels[r] < classes);
        if (width == 1) {
            sum += logistic_loss(row[0], labels[r]);
            row[0] = (logistic(row[0]) - (float)labels[r]) * share;
        } else {
            sum += softmax_gradient(row, classes, labels[r], share);
        }
    }
    return finite ? sum / (double)(labelled ? labelled : 1) : INFINITY;
}

void loss_predict(size_t classes, const float *outputs, const uint16_t *labels, size_t rows,
                  float *losses, uint16_t *predicted)
{
    size_t width = loss_outputs(classes);
    for (size_t r = 0; r < rows; r++) {
        const float *row = outputs + r * width;
        bool finite = vector_finite(row, width);
        if (losses && labels[r] == LABEL_NONE) {
            losses[r] = 0.0f;
        } else if (losses && !finite) {
            losses[r] = INFINITY;
        } else if (losses) {
            assert(labels[r] < classes);
            losses[r] = (float)(width == 1 ? logistic_loss(row[0], labels[r])
                                           : softmax_loss(row, classes, labels[r]));
        }
        if (predicted && !finite)
            predicted[r] = 0;
        else if (predicted)
            predicted[r] = (uint16_t)(width == 1 ? row[0] > 0.0f : largest(row, classes));
    }
}
