#include "model/initial.h"

#include <math.h>
#include <string.h>

void initial_weights(float *weights, size_t count, size_t inputs, size_t outputs, bool before_relu,
                     struct random *random)
{
    double deviation = sqrt(2.0 / (double)inputs);
    double limit = sqrt(6.0 / (double)(inputs + outputs));
    for (size_t i = 0; i < count; i++)
        weights[i] = (float)(before_relu ? deviation * random_normal(random)
                                         : limit * (2.0 * random_uniform(random) - 1.0));
}

void initial_biases(float *biases, size_t count)
{
    memset(biases, 0, count * sizeof *biases);
}
