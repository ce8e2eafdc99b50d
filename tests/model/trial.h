/* trial — a model and a batch to try it on, against a loss that is written plainly and in double.
 */
#ifndef STARLING_TEST_TRIAL_H
#define STARLING_TEST_TRIAL_H

#include <stdint.h>

#include "model/descent.h"
#include "model/model.h"

/* The loss of one example (of a sequence the sum over its labelled positions) by what `kind` tells
 * of the model; `parameters` as the model lays them out. */
typedef double trial_loss(const void *kind, const double *parameters, const float *inputs,
                          const uint16_t *labels);

struct trial {
    const char *specification;
    const void *kind; /* for the plain loss: borrowed */
    trial_loss *loss;
    struct shape shape;
    size_t batch, labelled; /* examples, and labels among them */
    struct model *model;
    float *parameters, *inputs, *gradient;
    uint16_t *labels;
    struct workspace workspace;
};

/* Parameters and inputs are drawn from a normal distribution, sequences hold symbol by symbol in
 * turn, and every fifth of their positions has no label. Fails the test where there is no such
 * model. */
struct trial trial_new(const char *specification, struct shape shape, size_t batch,
                       trial_loss *loss, const void *kind);
void trial_free(struct trial *trial);

/* Fills the gradient in and returns the mean loss. */
double trial_gradient(struct trial *trial);

/* The parameters in double, the caller's. */
double *trial_parameters(const struct trial *trial);

/* Fail the test unless the loss and its gradient are those of the plain loss and its finite
 * differences; */
void trial_check_gradient(struct trial *trial);
/* unless the step that the model makes by itself is the gradient's and the optimiser's; */
void trial_check_descent(struct trial *trial, const struct descent *descent);
/* and unless no parameter may be NaN or infinite without the loss being infinite. */
void trial_check_not_finite(struct trial *trial);

#endif
