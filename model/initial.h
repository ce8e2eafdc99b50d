/* initial — the numbers that training starts from. */
#ifndef STARLING_INITIAL_H
#define STARLING_INITIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/random.h"

/* `count` weights, each output made of `inputs` and each input going into `outputs`. He et al. 2015
 * (arXiv 1502.01852) before a ReLU: normal, variance 2 / inputs. Glorot and Bengio 2010 elsewhere:
 * uniform, variance 2 / (inputs + outputs). */
void initial_weights(float *weights, size_t count, size_t inputs, size_t outputs, bool before_relu,
                     struct random *random);

void initial_biases(float *biases, size_t count);

#endif
