#include "model/model.h"

#include <assert.h>
#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "model/layer.h"
#include "model/loss.h"
#include "model/nearest.h"

#define HIDDEN_MAX 8
#define WIDTH_MAX 65536u
#define LAYERS_MAX (2 * HIDDEN_MAX + 1)
#define PARAMETERS_MAX ((size_t)1 << 30)
_Static_assert(sizeof(size_t) >= 8, "features times widths are counted without overflow");
#define NAME_MAX_BYTES 80 /* "mlp:" and HIDDEN_MAX widths of up to 5 digits with their commas */

/* A kind of model: the word that names it, and what the rest of its specification becomes. */
struct family {
    const char *name;
    double rate; /* what it is trained with unless told otherwise */
    bool convex; /* one valley: it may start from zero */
    enum starling_error (*build)(struct model *model, const char *rest, struct problem *problem);
};

struct model {
    const struct family *family;
    char name[NAME_MAX_BYTES];
    struct shape shape;
    size_t outputs; /* floats a prediction: as loss_outputs says */
    size_t parameters;
    size_t widest; /* values an example takes between two layers, at most */
    size_t layer_count;
    struct layer layers[LAYERS_MAX]; /* the first takes the features, the last gives the outputs */
};

/* Appends a layer, applied once an example, to what is there so far. */
static void add_layer(struct model *model, const struct layer_kind *kind, size_t outputs)
{
    assert(model->layer_count < LAYERS_MAX);
    size_t inputs =
        model->layer_count ? model->layers[model->layer_count - 1].outputs : model->shape.features;
    size_t count = kind->count(inputs, outputs);
    model->layers[model->layer_count++] = (struct layer){
        .kind = kind,
        .inputs = inputs,
        .outputs = outputs,
        .repeat = 1,
        .start = model->parameters,
        .parameters = count,
    };
    model->parameters += count;
    if (outputs > model->widest)
        model->widest = outputs;
}

/* Refuses data that `model` has no layer for. */
static enum starling_error need_flat(const struct model *model, const char *name,
                                     struct problem *problem)
{
    if (model->shape.symbols == 0)
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "task.model: '%s' takes numbers, and the data are sequences of symbols: use "
                       "a recurrent model",
                       name);
}

/* "linear": one layer. */
static enum starling_error build_linear(struct model *model, const char *rest,
                                        struct problem *problem)
{
    if (rest)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: 'linear' takes no ':%s': write linear", rest);
    enum starling_error error = need_flat(model, "linear", problem);
    if (error)
        return error;
    strcpy(model->name, "linear");
    add_layer(model, &layer_dense, model->outputs);
    return STARLING_OK;
}

/* Reads a width of 1 to WIDTH_MAX and moves *text behind it; 0 when there is none. */
static size_t read_width(const char **text)
{
    size_t width = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && width <= WIDTH_MAX; at++)
        width = 10 * width + (size_t)(*at - '0');
    *text = at;
    return width <= WIDTH_MAX ? width : 0;
}

/* "mlp:A,B,…": hidden layers of these widths, each with a ReLU behind it. */
static enum starling_error build_mlp(struct model *model, const char *rest, struct problem *problem)
{
    size_t hidden = 0;
    enum starling_error error = need_flat(model, "mlp", problem);
    if (error)
        return error;
    int length = snprintf(model->name, sizeof model->name, "mlp");
    for (const char *at = rest; at; hidden++) {
        size_t width = read_width(&at);
        if (hidden == HIDDEN_MAX || width == 0 || (*at != ',' && *at != '\0'))
            return problem_set(
                problem, STARLING_INVALID,
                "task.model: 'mlp:%.80s' is not 1 to %d widths of 1 to %u: write for "
                "example mlp:128 or mlp:256,128",
                rest, HIDDEN_MAX, WIDTH_MAX);
        add_layer(model, &layer_dense, width);
        add_layer(model, &layer_relu, width);
        length += snprintf(model->name + length, sizeof model->name - (size_t)length, "%c%zu",
                           hidden ? ',' : ':', width);
        at = *at ? at + 1 : NULL;
    }
    if (hidden == 0)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: 'mlp' lacks the width of its hidden layer: write for "
                           "example mlp:128");
    add_layer(model, &layer_dense, model->outputs);
    return STARLING_OK;
}

/* All families. A new one is a line here; a new layer is a file and a line in layer.h. The rates
 * are the best of sweeps over swarms at batch 8 (docs/algorithms.md). */
static const struct family families[] = {
    {.name = "linear", .rate = 1, .convex = true, .build = build_linear},
    {.name = "mlp", .rate = 0.1, .build = build_mlp},
};
#define FAMILIES (sizeof families / sizeof *families)

static const struct family *find_family(const char *specification, size_t length,
                                        struct problem *problem)
{
    const char *names[FAMILIES];
    for (size_t f = 0; f < FAMILIES; f++) {
        names[f] = families[f].name;
        if (strlen(names[f]) == length && memcmp(names[f], specification, length) == 0)
            return &families[f];
    }
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)(length < 32 ? length : 32), specification);
    const char *nearest = nearest_word(word, names, FAMILIES);
    if (nearest)
        problem_set(problem, STARLING_INVALID,
                    "task.model: there is no model '%s': did you mean '%s'?", word, nearest);
    else
        problem_set(problem, STARLING_INVALID,
                    "task.model: there is no model '%s': use linear or mlp:WIDTH[,WIDTH…]", word);
    return NULL;
}

static enum starling_error build(struct model *model, const char *specification,
                                 struct problem *problem)
{
    const struct shape *shape = &model->shape;
    if (shape->features == 0 || shape->features > DATASET_FEATURES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "task.data: %zu features: a model takes 1 to %u", shape->features,
                           DATASET_FEATURES_MAX);
    if (shape->classes < 2 || shape->classes > DATASET_CLASSES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "task.data: %zu classes: a model tells 2 to %u apart", shape->classes,
                           DATASET_CLASSES_MAX);
    const char *colon = strchr(specification, ':');
    size_t length = colon ? (size_t)(colon - specification) : strlen(specification);
    model->family = find_family(specification, length, problem);
    if (!model->family)
        return STARLING_INVALID;
    enum starling_error error = model->family->build(model, colon ? colon + 1 : NULL, problem);
    if (error == STARLING_OK && model->parameters > PARAMETERS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: '%s' has %zu parameters on this data, beyond %zu: use "
                           "narrower layers",
                           model->name, model->parameters, PARAMETERS_MAX);
    return error;
}

struct model *model_new(const char *specification, struct shape shape, struct problem *problem)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model) {
        problem_no_memory(problem, "a model");
        return NULL;
    }
    model->shape = shape;
    model->outputs = loss_outputs(shape.classes);
    if (build(model, specification, problem) != STARLING_OK)
        model_free(&model);
    else if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1); /* one thread a node: the caller has the threads */
    return model;
}

void model_free(struct model **model)
{
    free(*model);
    *model = NULL;
}

size_t model_parameters(const struct model *model)
{
    return model->parameters;
}

size_t model_features(const struct model *model)
{
    return model->shape.features;
}

size_t model_classes(const struct model *model)
{
    return model->shape.classes;
}

size_t model_positions(const struct model *model)
{
    return model->shape.positions;
}

const struct shape *model_shape(const struct model *model)
{
    return &model->shape;
}

const char *model_name(const struct model *model)
{
    return model->name;
}

double model_rate(const struct model *model)
{
    return model->family->rate;
}

void model_initialise(const struct model *model, uint64_t seed, float *parameters)
{
    memset(parameters, 0, model->parameters * sizeof *parameters);
    if (model->family->convex)
        return;
    for (size_t l = 0; l < model->layer_count; l++) {
        const struct layer *layer = &model->layers[l];
        if (!layer->kind->initialise)
            continue;
        struct random random = random_stream(seed, 0, RANDOM_INITIAL, l);
        bool before_relu = l + 1 < model->layer_count && layer[1].kind == &layer_relu;
        layer->kind->initialise(layer, before_relu, &random, parameters + layer->start);
    }
}

size_t model_workspace(const struct model *model, size_t batch)
{
    size_t bytes = 2 * workspace_cost(batch * model->widest * sizeof(float));
    size_t scratch_most = 0;
    for (size_t l = 0; l < model->layer_count; l++) {
        const struct layer *layer = &model->layers[l];
        size_t scratch = layer->kind->scratch ? layer->kind->scratch(layer, batch) : 0;
        scratch_most = scratch > scratch_most ? scratch : scratch_most;
        bytes += workspace_cost(batch * layer->repeat * layer->outputs * sizeof(float)) +
                 workspace_cost(batch * layer->saved * sizeof(float));
    }
    return bytes + scratch_most;
}

/* What a batch leaves on its way through the layers. */
struct passage {
    const float *values[LAYERS_MAX + 1]; /* values[l] is what layer l takes, values[l + 1] gives */
    float *saved[LAYERS_MAX];            /* what layer l keeps for its way back, or NULL */
};

/* Runs a batch through all layers, `back` when it is to come back, and returns the outputs. */
static float *run_forward(const struct model *model, const float *parameters, const float *inputs,
                          size_t batch, bool back, struct passage *passage,
                          struct workspace *workspace)
{
    float *out = NULL;
    passage->values[0] = inputs;
    for (size_t l = 0; l < model->layer_count; l++) {
        const struct layer *layer = &model->layers[l];
        out = workspace_take(workspace, batch * layer->repeat * layer->outputs * sizeof *out);
        passage->saved[l] = back && layer->saved > 0
                                ? workspace_take(workspace, batch * layer->saved * sizeof *out)
                                : NULL;
        layer->kind->forward(layer, parameters + layer->start, passage->values[l], batch, out,
                             passage->saved[l], workspace);
        passage->values[l + 1] = out;
    }
    return out;
}

/* Runs the gradient by the outputs back through all layers. Nobody wants that by the features. */
static void run_backward(const struct model *model, const float *parameters, size_t batch,
                         const struct passage *passage, const float *by_outputs, float *gradient,
                         struct workspace *workspace)
{
    const float *by_out = by_outputs;
    size_t bytes = batch * model->widest * sizeof *by_out;
    float *spare[2] = {workspace_take(workspace, bytes), workspace_take(workspace, bytes)};
    for (size_t l = model->layer_count; l-- > 0;) {
        const struct layer *layer = &model->layers[l];
        float *by_in = l > 0 ? spare[l % 2] : NULL;
        layer->kind->backward(layer, parameters + layer->start, passage->values[l],
                              passage->values[l + 1], passage->saved[l], by_out, batch,
                              gradient + layer->start, by_in, workspace);
        by_out = by_in;
    }
}

double model_gradient(const struct model *model, const float *parameters, const float *inputs,
                      const uint16_t *labels, size_t batch, float *gradient,
                      struct workspace *workspace)
{
    struct passage passage;
    size_t used = workspace->used;
    float *outputs = run_forward(model, parameters, inputs, batch, true, &passage, workspace);
    double loss =
        loss_gradient(model->shape.classes, outputs, labels, batch * model->shape.positions);
    run_backward(model, parameters, batch, &passage, outputs, gradient, workspace);
    workspace->used = used;
    return loss;
}

void model_predict(const struct model *model, const float *parameters, const float *inputs,
                   const uint16_t *labels, size_t batch, float *losses, uint16_t *predicted,
                   struct workspace *workspace)
{
    struct passage passage;
    size_t used = workspace->used;
    float *outputs = run_forward(model, parameters, inputs, batch, false, &passage, workspace);
    loss_predict(model->shape.classes, outputs, labels, batch * model->shape.positions, losses,
                 predicted);
    workspace->used = used;
}
