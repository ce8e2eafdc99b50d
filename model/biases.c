#include "model/biases.h"

#include <string.h>

#include "model/clones.h"
#include "model/optimizer.h"

#define PIECE 64 /* stepped at a time */

CLONES void biases_add(float *out, const float *biases, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < width; i++)
            out[r * width + i] += biases[i];
}

CLONES void biases_gradient(float *gradient, const float *out_gradient, size_t rows, size_t width)
{
    memset(gradient, 0, width * sizeof *gradient);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < width; i++)
            gradient[i] += out_gradient[r * width + i];
}

CLONES void biases_descend(float *biases, float *momentum, const float *out_gradient, size_t rows,
                           size_t width, const struct descent *descent)
{
    for (size_t start = 0; start < width; start += PIECE) {
        float sum[PIECE] = {0.0f};
        size_t count = width - start < PIECE ? width - start : PIECE;
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < count; i++)
                sum[i] += out_gradient[r * width + start + i];
        optimizer_sgd(biases + start, momentum ? momentum + start : NULL, sum, descent->rate,
                      descent->beta, descent->decay, count);
    }
}
