#include "model/model.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/layer.h"
#include "model/optimizer.h"
#include "model/plan.h"
#include "model/product_sparse.h"

struct model {
    struct plan plan;
    struct model *sparse; /* NULL: none */
};

/* Where features come first to a dense layer that is wide enough for its products. */
static struct model *make_sparse(const struct model *model, struct problem *problem)
{
    struct model *sparse = malloc(sizeof *sparse);
    if (!sparse) {
        problem_no_memory(problem, "a model");
        return NULL;
    }
    *sparse = (struct model){.plan = model->plan};
    sparse->plan.layers[0].kind = &layer_sparse;
    return sparse;
}

static bool may_be_sparse(const struct layer *first)
{
    return first->kind == &layer_dense && first->repeat == 1 &&
           first->outputs >= PRODUCT_SPARSE_LEAST;
}

struct model *model_new(const char *specification, struct shape shape, struct problem *problem)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model) {
        problem_no_memory(problem, "a model");
        return NULL;
    }
    if (plan_make(&model->plan, specification, &shape, problem) != STARLING_OK) {
        model_free(&model);
        return NULL;
    }
    if (may_be_sparse(&model->plan.layers[0])) {
        model->sparse = make_sparse(model, problem);
        if (!model->sparse)
            model_free(&model);
    }
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1); /* one thread a node: the caller has the threads */
    return model;
}

void model_free(struct model **model)
{
    if (*model)
        free((*model)->sparse);
    free(*model);
    *model = NULL;
}

size_t model_parameters(const struct model *model)
{
    return model->plan.parameters;
}

size_t model_features(const struct model *model)
{
    return model->plan.shape.features;
}

size_t model_classes(const struct model *model)
{
    return model->plan.shape.classes;
}

size_t model_positions(const struct model *model)
{
    return model->plan.shape.positions;
}

const struct shape *model_shape(const struct model *model)
{
    return &model->plan.shape;
}

const char *model_name(const struct model *model)
{
    return model->plan.name;
}

double model_rate(const struct model *model)
{
    return model->plan.rate;
}

double model_clip(const struct model *model)
{
    return model->plan.clip;
}

bool model_convex(const struct model *model)
{
    return model->plan.convex;
}

enum loss model_loss(const struct model *model)
{
    return model->plan.loss;
}

void model_initialise(const struct model *model, uint64_t seed, float *parameters)
{
    memset(parameters, 0, model->plan.parameters * sizeof *parameters);
    if (model->plan.convex)
        return;
    for (size_t l = 0; l < model->plan.layer_count; l++) {
        const struct layer *layer = &model->plan.layers[l];
        if (!layer->kind->initialise)
            continue;
        struct random random = random_stream(seed, 0, RANDOM_INITIAL, l);
        const struct layer *next = layer + 1, *end = model->plan.layers + model->plan.layer_count;
        while (next < end && next->kind->chooses)
            next++;
        bool before_relu = next < end && next->kind == &layer_relu;
        layer->kind->initialise(layer, before_relu, &random, parameters + layer->start);
    }
}

const struct model *model_sparse(const struct model *model)
{
    return model->sparse;
}

void model_sparse_pack(const struct model *sparse, float *packed, const float *parameters)
{
    const struct layer *first = &sparse->plan.layers[0];
    size_t weights = first->inputs * first->outputs;
    product_sparse_pack(packed, parameters, first->outputs, first->inputs);
    memcpy(packed + weights, parameters + weights,
           (sparse->plan.parameters - weights) * sizeof *packed);
}

void model_sparse_unpack(const struct model *sparse, float *parameters, const float *packed)
{
    const struct layer *first = &sparse->plan.layers[0];
    size_t weights = first->inputs * first->outputs;
    product_sparse_unpack(parameters, packed, first->outputs, first->inputs);
    memcpy(parameters + weights, packed + weights,
           (sparse->plan.parameters - weights) * sizeof *packed);
}

/* Floats of a batch between two layers, at most. */
static size_t widest(const struct model *model, size_t batch)
{
    size_t most = 0;
    for (size_t l = 0; l < model->plan.layer_count; l++) {
        size_t values = layer_values(&model->plan.layers[l], batch);
        most = values > most ? values : most;
    }
    return most;
}

size_t model_workspace(const struct model *model, size_t batch)
{
    size_t bytes = 2 * workspace_cost(widest(model, batch) * sizeof(float));
    size_t scratch_most = 0;
    for (size_t l = 0; l < model->plan.layer_count; l++) {
        const struct layer *layer = &model->plan.layers[l];
        size_t scratch = layer->kind->scratch ? layer->kind->scratch(layer, batch) : 0;
        if (!layer->kind->descend) /* a gradient that lasts until the step is made */
            scratch += workspace_cost(layer->parameters * sizeof(float));
        scratch_most = scratch > scratch_most ? scratch : scratch_most;
        bytes += workspace_cost(layer_values(layer, batch) * sizeof(float)) +
                 workspace_cost(batch * layer->saved * sizeof(float));
    }
    return bytes + scratch_most;
}

/* What a batch leaves on its way through the layers. */
struct passage {
    const float
        *values[PLAN_LAYERS_MAX + 1]; /* values[l] is what layer l takes, values[l + 1] gives */
    float *saved[PLAN_LAYERS_MAX];    /* what layer l keeps for its way back, or NULL */
};

/* Runs a batch through all layers, `back` when it is to come back, and returns the outputs. */
static float *run_forward(const struct model *model, const float *parameters, const float *inputs,
                          size_t batch, bool back, struct passage *passage,
                          struct workspace *workspace)
{
    float *out = NULL;
    passage->values[0] = inputs;
    for (size_t l = 0; l < model->plan.layer_count; l++) {
        const struct layer *layer = &model->plan.layers[l];
        out = workspace_take(workspace, layer_values(layer, batch) * sizeof *out);
        passage->saved[l] = back && layer->saved > 0
                                ? workspace_take(workspace, batch * layer->saved * sizeof *out)
                                : NULL;
        layer->kind->forward(layer, parameters + layer->start, passage->values[l], batch, out,
                             passage->saved[l], workspace);
        passage->values[l + 1] = out;
    }
    return out;
}

/* What becomes of the gradient by the parameters: it is kept, or `descent` goes down it. */
struct downhill {
    float *gradient; /* NULL: down */
    float *parameters, *momentum;
    const struct descent *descent;
};

/* One layer's way back, and its step down. */
static void descend(const struct layer *layer, const struct downhill *down, const float *in,
                    const float *out, const float *saved, const float *by_out, size_t batch,
                    float *by_in, struct workspace *workspace)
{
    float *parameters = down->parameters + layer->start;
    float *momentum = down->momentum ? down->momentum + layer->start : NULL;
    if (layer->kind->descend) {
        layer->kind->descend(layer, parameters, momentum, in, out, saved, by_out, batch,
                             down->descent, by_in, workspace);
        return;
    }
    size_t used = workspace->used;
    float *gradient = workspace_take(workspace, layer->parameters * sizeof *gradient);
    layer->kind->backward(layer, parameters, in, out, saved, by_out, batch, gradient, by_in,
                          workspace);
    optimizer_sgd(parameters, momentum, gradient, down->descent->rate, down->descent->beta,
                  down->descent->decay, layer->parameters);
    workspace->used = used;
}

/* Runs the gradient by the outputs back through the layers, to the first that has parameters:
 * nobody wants the gradient by the features. */
static void run_backward(const struct model *model, const float *parameters, size_t batch,
                         const struct passage *passage, const float *by_outputs,
                         const struct downhill *down, struct workspace *workspace)
{
    const float *by_out = by_outputs;
    size_t bytes = widest(model, batch) * sizeof *by_out;
    float *spare[2] = {workspace_take(workspace, bytes), workspace_take(workspace, bytes)};
    size_t first = 0;
    while (model->plan.layers[first].parameters == 0)
        first++;
    for (size_t l = model->plan.layer_count; l-- > first;) {
        const struct layer *layer = &model->plan.layers[l];
        const float *in = passage->values[l], *out = passage->values[l + 1];
        float *by_in = l > first ? spare[l % 2] : NULL;
        if (down->gradient)
            layer->kind->backward(layer, parameters + layer->start, in, out, passage->saved[l],
                                  by_out, batch, down->gradient + layer->start, by_in, workspace);
        else
            descend(layer, down, in, out, passage->saved[l], by_out, batch, by_in, workspace);
        by_out = by_in;
    }
}

/* Forward and back; the mean loss. */
static double run(const struct model *model, const float *parameters, const float *inputs,
                  const uint16_t *labels, const float *weights, size_t batch,
                  const struct downhill *down, struct workspace *workspace)
{
    struct passage passage;
    size_t used = workspace->used;
    float *outputs = run_forward(model, parameters, inputs, batch, true, &passage, workspace);
    double loss = loss_gradient(model->plan.loss, model->plan.shape.classes, outputs, labels,
                                weights, batch * model->plan.shape.positions);
    run_backward(model, parameters, batch, &passage, outputs, down, workspace);
    workspace->used = used;
    return loss;
}

double model_gradient(const struct model *model, const float *parameters, const float *inputs,
                      const uint16_t *labels, const float *weights, size_t batch, float *gradient,
                      struct workspace *workspace)
{
    struct downhill down = {.gradient = gradient};
    return run(model, parameters, inputs, labels, weights, batch, &down, workspace);
}

double model_descend(const struct model *model, float *parameters, float *momentum,
                     const float *inputs, const uint16_t *labels, const float *weights,
                     size_t batch, const struct descent *descent, struct workspace *workspace)
{
    struct downhill down = {.parameters = parameters, .momentum = momentum, .descent = descent};
    return run(model, parameters, inputs, labels, weights, batch, &down, workspace);
}

void model_predict(const struct model *model, const float *parameters, const float *inputs,
                   const uint16_t *labels, size_t batch, float *losses, uint16_t *predicted,
                   struct workspace *workspace)
{
    struct passage passage;
    size_t used = workspace->used;
    float *outputs = run_forward(model, parameters, inputs, batch, false, &passage, workspace);
    loss_predict(model->plan.loss, model->plan.shape.classes, outputs, labels,
                 batch * model->plan.shape.positions, losses, predicted);
    workspace->used = used;
}
