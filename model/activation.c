#include "model/activation.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "model/clones.h"
#include "model/curve.h"

#define ROWS 64 /* at a time: of some ten classes they stay in the nearest cache */

CLONES void vector_exp(float *out, const float *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = curve_exp(in[i]);
}

CLONES void vector_tanh(float *out, const float *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = curve_tanh(in[i]);
}

CLONES void vector_logistic(float *out, const float *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = curve_logistic(in[i]);
}

/* Floats as integers in the same order, and back: a largest of integers is found by vectors, while
 * one of floats must mind NaN. */
CLONED_INLINE int32_t in_order(int32_t bits)
{
    return bits ^ ((bits >> 31) & INT32_MAX);
}

CLONED_INLINE float largest_of(const float *row, size_t width)
{
    int32_t most = INT32_MIN;
    for (size_t c = 0; c < width; c++) {
        int32_t bits;
        memcpy(&bits, &row[c], sizeof bits);
        bits = in_order(bits);
        most = bits > most ? bits : most;
    }
    most = in_order(most);
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}

/* The steps of softmax, each over all rows: where they are short, their exponentials still fill
 * vectors. `most` becomes each row's largest, `sums` its sum. */
CLONES static void exponentials(float *rows, float *most, float *sums, size_t count, size_t width)
{
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * width, largest = largest_of(row, width);
        most[i] = largest;
        for (size_t c = 0; c < width; c++)
            row[c] -= largest;
    }
    for (size_t i = 0; i < count * width; i++)
        rows[i] = curve_exp(rows[i]);
    for (size_t i = 0; i < count; i++) {
        const float *row = rows + i * width;
        float sum = 0.0f;
        for (size_t c = 0; c < width; c++)
            sum += row[c];
        sums[i] = sum;
    }
}

CLONES static void scale_rows(float *rows, const float *sums, float factor, size_t count,
                              size_t width)
{
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * width, scale = factor / sums[i];
        for (size_t c = 0; c < width; c++)
            row[c] *= scale;
    }
}

void softmax_rows(float *rows, float factor, double *log_sums, size_t count, size_t width)
{
    float most[ROWS], sums[ROWS];
    for (size_t start = 0; start < count; start += ROWS) {
        size_t some = count - start < ROWS ? count - start : ROWS;
        float *first = rows + start * width;
        exponentials(first, most, sums, some, width);
        scale_rows(first, sums, factor, some, width);
        for (size_t i = 0; i < some; i++)
            log_sums[start + i] = (double)most[i] + log((double)sums[i]);
    }
}
