#include "model/plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "model/loss.h"
#include "model/nearest.h"

#define HIDDEN_MAX 8
#define RECURRENT_CLIP 1.0 /* gradients grow through positions, now and then beyond all measure */
_Static_assert(PLAN_LAYERS_MAX >= 2 * HIDDEN_MAX + 1, "the deepest mlp fits");
_Static_assert(sizeof(size_t) >= 8, "features times widths are counted without overflow");

/* A kind of model: the word that names it, and what the rest of its specification becomes. */
struct family {
    const char *name;
    double rate;
    enum loss loss;
    bool convex;
    enum starling_error (*build)(struct plan *plan, const char *rest, struct problem *problem);
};

void plan_add(struct plan *plan, struct layer layer)
{
    assert(plan->layer_count < PLAN_LAYERS_MAX);
    const struct layer *last = plan->layer_count ? &plan->layers[plan->layer_count - 1] : NULL;
    bool sequence = plan->shape.symbols > 0;
    layer.inputs = last ? last->outputs : sequence ? 1 : plan->shape.features;
    layer.repeat = last ? last->repeat : sequence ? plan->shape.positions : 1;
    layer.start = plan->parameters;
    layer.parameters = layer.kind->count(&layer);
    plan->parameters += layer.parameters;
    plan->layers[plan->layer_count++] = layer;
}

/* Refuses data that the plan has no layer for. */
static enum starling_error need_flat(const struct plan *plan, const char *name,
                                     struct problem *problem)
{
    if (plan->shape.symbols == 0)
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "task.model: '%s' takes numbers, and the data are sequences of symbols: use "
                       "a recurrent model",
                       name);
}

/* "linear": one layer. */
static enum starling_error build_linear(struct plan *plan, const char *rest,
                                        struct problem *problem)
{
    if (rest)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: 'linear' takes no ':%s': write linear", rest);
    enum starling_error error = need_flat(plan, "linear", problem);
    if (error)
        return error;
    strcpy(plan->name, "linear");
    plan_add(plan, (struct layer){.kind = &layer_dense, .outputs = plan->outputs});
    return STARLING_OK;
}

/* "svm": the same with the hinge: a hyperplane, or one a class. */
static enum starling_error build_svm(struct plan *plan, const char *rest, struct problem *problem)
{
    if (rest)
        return problem_set(problem, STARLING_INVALID, "task.model: 'svm' takes no ':%s': write svm",
                           rest);
    enum starling_error error = need_flat(plan, "svm", problem);
    if (error)
        return error;
    strcpy(plan->name, "svm");
    plan_add(plan, (struct layer){.kind = &layer_dense, .outputs = plan->outputs});
    return STARLING_OK;
}

/* Reads a width of 1 to PLAN_WIDTH_MAX and moves *text behind it; 0 when there is none. */
static size_t read_width(const char **text)
{
    size_t width = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && width <= PLAN_WIDTH_MAX; at++)
        width = 10 * width + (size_t)(*at - '0');
    *text = at;
    return width <= PLAN_WIDTH_MAX ? width : 0;
}

/* "NAME:A,B,…": hidden layers of these widths, each as `add` adds it. */
static enum starling_error build_hidden(struct plan *plan, const char *name, const char *rest,
                                        void (*add)(struct plan *plan, size_t width),
                                        struct problem *problem)
{
    size_t hidden = 0;
    int length = snprintf(plan->name, sizeof plan->name, "%s", name);
    for (const char *at = rest; at; hidden++) {
        size_t width = read_width(&at);
        if (hidden == HIDDEN_MAX || width == 0 || (*at != ',' && *at != '\0'))
            return problem_set(problem, STARLING_INVALID,
                               "task.model: '%s:%.80s' is not 1 to %d widths of 1 to %u: write for "
                               "example %s:128 or %s:256,128",
                               name, rest, HIDDEN_MAX, PLAN_WIDTH_MAX, name, name);
        add(plan, width);
        length += snprintf(plan->name + length, sizeof plan->name - (size_t)length, "%c%zu",
                           hidden ? ',' : ':', width);
        at = *at ? at + 1 : NULL;
    }
    if (hidden == 0)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: '%s' lacks the width of its hidden layer: write for "
                           "example %s:128",
                           name, name);
    plan_add(plan, (struct layer){.kind = &layer_dense, .outputs = plan->outputs});
    return STARLING_OK;
}

static void add_rectified(struct plan *plan, size_t width)
{
    plan_add(plan, (struct layer){.kind = &layer_dense, .outputs = width});
    plan_add(plan, (struct layer){.kind = &layer_relu, .outputs = width});
}

/* "mlp:A,B,…": each hidden layer with a ReLU behind it. */
static enum starling_error build_mlp(struct plan *plan, const char *rest, struct problem *problem)
{
    enum starling_error error = need_flat(plan, "mlp", problem);
    return error ? error : build_hidden(plan, "mlp", rest, add_rectified, problem);
}

void plan_add_gru(struct plan *plan, size_t units)
{
    size_t symbols = plan->layer_count ? 0 : plan->shape.symbols;
    plan_add(plan, (struct layer){.kind = symbols ? &layer_embed : &layer_dense,
                                  .outputs = 3 * units,
                                  .symbols = symbols});
    plan_add(plan, (struct layer){.kind = &layer_gru,
                                  .outputs = units,
                                  .saved = 4 * units * plan->shape.positions});
    plan->clip = RECURRENT_CLIP;
}

/* Refuses data that are no sequences. */
static enum starling_error need_sequence(const struct plan *plan, const char *name,
                                         struct problem *problem)
{
    if (plan->shape.symbols > 0)
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "task.model: '%s' takes sequences of symbols, and the data are none: use "
                       "text:FILE, or mlp:128",
                       name);
}

/* "gru:A,B,…": each layer's states are what the next one takes. */
static enum starling_error build_gru(struct plan *plan, const char *rest, struct problem *problem)
{
    enum starling_error error = need_sequence(plan, "gru", problem);
    return error ? error : build_hidden(plan, "gru", rest, plan_add_gru, problem);
}

/* "lenet": LeNet-5 of LeCun, Bottou, Bengio and Haffner 1998 as it is built today, with ReLU for
 * squashed tangents, the largest for the mean of a window, and all maps connected. */
static enum starling_error build_lenet(struct plan *plan, const char *rest, struct problem *problem)
{
    if (rest)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: 'lenet' takes no ':%s': write lenet, or list its layers",
                           rest);
    enum starling_error error = need_flat(plan, "lenet", problem);
    if (error)
        return error;
    error = plan_list(plan,
                      "conv 5x5x6 pad 2, relu, maxpool 2, conv 5x5x16, relu, maxpool 2, "
                      "dense 120, relu, dense 84, relu",
                      problem);
    strcpy(plan->name, "lenet");
    return error;
}

/* All families. A new one is a line here; a new layer is a file and a line in layer.h. The rates
 * are the best of sweeps over swarms at batch 8 (docs/algorithms.md). */
static const struct family families[] = {
    {.name = "linear", .rate = 1, .convex = true, .build = build_linear},
    {.name = "svm", .rate = 0.1, .loss = LOSS_HINGE, .convex = true, .build = build_svm},
    {.name = "mlp", .rate = 0.1, .build = build_mlp},
    {.name = "lenet", .rate = 0.05, .build = build_lenet},
    {.name = "gru", .rate = 3, .build = build_gru},
};
#define FAMILIES (sizeof families / sizeof *families)

static const struct family listed = {.rate = 0.05, .build = plan_list};

/* Says that no model begins with `word`, and which was meant. */
static void problem_no_family(const char *word, struct problem *problem)
{
    const char *names[FAMILIES + PLAN_LISTED_MAX];
    for (size_t f = 0; f < FAMILIES; f++)
        names[f] = families[f].name;
    size_t count = FAMILIES + plan_list_words(names + FAMILIES);
    const char *nearest = nearest_word(word, names, count);
    if (nearest)
        problem_set(problem, STARLING_INVALID,
                    "task.model: there is no model '%s': did you mean '%s'?", word, nearest);
    else
        problem_set(
            problem, STARLING_INVALID,
            "task.model: there is no model '%s': use linear, svm, mlp:WIDTH[,WIDTH…], lenet, "
            "gru:WIDTH[,WIDTH…], or a list of layers",
            word);
}

static const struct family *find_family(const char *specification, size_t length,
                                        struct problem *problem)
{
    for (size_t f = 0; f < FAMILIES; f++)
        if (strlen(families[f].name) == length &&
            memcmp(families[f].name, specification, length) == 0)
            return &families[f];
    if (plan_lists(specification))
        return &listed;
    char word[32];
    size_t letters = strcspn(specification, " \t,:");
    snprintf(word, sizeof word, "%.*s", (int)(letters < 32 ? letters : 32), specification);
    problem_no_family(word, problem);
    return NULL;
}

enum starling_error plan_make(struct plan *plan, const char *specification,
                              const struct shape *shape, struct problem *problem)
{
    *plan = (struct plan){.shape = *shape, .outputs = loss_outputs(shape->classes)};
    if (shape->features == 0 || shape->features > DATASET_FEATURES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "task.data: %zu features: a model takes 1 to %u", shape->features,
                           DATASET_FEATURES_MAX);
    if (shape->classes < 2 || shape->classes > DATASET_CLASSES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "task.data: %zu classes: a model tells 2 to %u apart", shape->classes,
                           DATASET_CLASSES_MAX);
    if (shape->symbols > 0 && shape->positions != shape->features)
        return problem_set(problem, STARLING_INVALID,
                           "task.data: sequences of %zu symbols with %zu labels: a model takes one "
                           "at each position",
                           shape->features, shape->positions);
    const char *colon = strchr(specification, ':');
    size_t length = colon ? (size_t)(colon - specification) : strlen(specification);
    const struct family *family = find_family(specification, length, problem);
    if (!family)
        return STARLING_INVALID;
    plan->rate = family->rate;
    plan->loss = family->loss;
    plan->convex = family->convex;
    const char *rest = family == &listed ? specification : colon ? colon + 1 : NULL;
    enum starling_error error = family->build(plan, rest, problem);
    if (error == STARLING_OK && plan->parameters > PLAN_PARAMETERS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "task.model: '%s' has %zu parameters on this data, beyond %zu: use "
                           "narrower layers",
                           plan->name, plan->parameters, PLAN_PARAMETERS_MAX);
    return error;
}
