#include "model/loss.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

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

double loss_gradient(size_t classes, float *outputs, const uint16_t *labels, size_t batch)
{
    if (batch == 0)
        return 0.0;
    float share = 1.0f / (float)batch;
    size_t width = loss_outputs(classes);
    bool finite = vector_finite(outputs, batch * width);
    double sum = 0.0;
    for (size_t b = 0; b < batch; b++) {
        assert(labels[b] < classes);
        if (width == 1) {
            sum += logistic_loss(outputs[b], labels[b]);
            outputs[b] = (logistic(outputs[b]) - (float)labels[b]) * share;
        } else {
            sum += softmax_gradient(outputs + b * width, classes, labels[b], share);
        }
    }
    return finite ? sum / (double)batch : INFINITY;
}

void loss_predict(size_t classes, const float *outputs, const uint16_t *labels, size_t batch,
                  float *losses, uint16_t *predicted)
{
    size_t width = loss_outputs(classes);
    for (size_t b = 0; b < batch; b++) {
        const float *row = outputs + b * width;
        bool finite = vector_finite(row, width);
        if (losses && !finite) {
            losses[b] = INFINITY;
        } else if (losses) {
            assert(labels[b] < classes);
            losses[b] = (float)(width == 1 ? logistic_loss(row[0], labels[b])
                                           : softmax_loss(row, classes, labels[b]));
        }
        if (predicted && !finite)
            predicted[b] = 0;
        else if (predicted)
            predicted[b] = (uint16_t)(width == 1 ? row[0] > 0.0f : largest(row, classes));
    }
}
