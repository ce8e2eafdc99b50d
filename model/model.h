/* model — a specification made into layers; loss and gradient of a flat parameter vector.
 *
 * A model is two things: an immutable architecture (this struct, shared by every node of a
 * process and by threads) and a vector of model_parameters() floats, one per node. Specifications:
 * "linear", "svm", "mlp:128", "mlp:256,128". The output layer follows from the data: one logit for
 * two classes, otherwise one a class; of sequences, at each position. Parameters lie layer by
 * layer: weights, outputs × inputs (a row an output), then biases. Loss is softmax (or logistic)
 * cross-entropy in nats, and of "svm" the hinge.
 */
#ifndef STARLING_MODEL_H
#define STARLING_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dataset.h"
#include "model/descent.h"
#include "model/loss.h"
#include "model/problem.h"
#include "model/workspace.h"

struct model;

/* For data of this shape. NULL and a problem on a specification that makes no sense, by itself or
 * for such data. Freed by model_free. */
struct model *model_new(const char *specification, struct shape shape, struct problem *problem);
void model_free(struct model **model);

size_t model_parameters(const struct model *model);
size_t model_features(const struct model *model);
size_t model_classes(const struct model *model);
size_t model_positions(const struct model *model);          /* predictions an example */
const struct shape *model_shape(const struct model *model); /* of the data it is for */
const char *model_name(const struct model *model);          /* the specification in normal form */
double model_rate(const struct model *model);               /* η₀ of SGD that suits it */
double model_clip(const struct model *model);               /* the default of learn.clip; 0: none */
bool model_convex(const struct model *model);
enum loss model_loss(const struct model *model);

/* Fills `parameters` by the seed: He et al. 2015 (arXiv 1502.01852) before a ReLU, Glorot and
 * Bengio 2010 elsewhere, zero biases, zero weights for a convex model. */
void model_initialise(const struct model *model, uint64_t seed, float *parameters);

/* The same model for inputs that are often zero, which then cost next to nothing: it takes the
 * parameters, and gives the gradient, in another order, model_sparse_pack and back. An infinite or
 * missing weight of an input that is zero goes unnoticed. NULL: there is none for `model`. */
const struct model *model_sparse(const struct model *model);
void model_sparse_pack(const struct model *sparse, float *packed, const float *parameters);
void model_sparse_unpack(const struct model *sparse, float *parameters, const float *packed);

/* Bytes of workspace that the two calls below take at most, for batches up to `batch`. */
size_t model_workspace(const struct model *model, size_t batch);

/* Mean loss over the batch, and its gradient (overwritten, model_parameters() floats).
 * inputs: batch × features; labels: batch × positions; weights: what an example counts by its
 * class, NULL: 1 each. Takes from `workspace`, gives back. */
double model_gradient(const struct model *model, const float *parameters, const float *inputs,
                      const uint16_t *labels, const float *weights, size_t batch, float *gradient,
                      struct workspace *workspace);

/* The same and then optimizer_sgd, on `parameters` and `momentum` (NULL: none) in place; where a
 * layer can, its step is made while its gradient is, which is quicker. */
double model_descend(const struct model *model, float *parameters, float *momentum,
                     const float *inputs, const uint16_t *labels, const float *weights,
                     size_t batch, const struct descent *descent, struct workspace *workspace);

/* Per prediction: loss into losses and predicted class into predicted (batch × positions each;
 * either may be NULL). Values that are not finite yield an infinite loss, never a crash. */
void model_predict(const struct model *model, const float *parameters, const float *inputs,
                   const uint16_t *labels, size_t batch, float *losses, uint16_t *predicted,
                   struct workspace *workspace);

#endif
