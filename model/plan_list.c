/* plan_list — layers as a specification lists them, "conv 5x5x6 pad 2, relu, maxpool 2, dense 120".
 */
#include <stdio.h>
#include <string.h>

#include "model/nearest.h"
#include "model/plan.h"

#define ITEM_BYTES 64
#define SIDE_MAX 64u          /* of a kernel or a window */
#define VALUES_MAX (1u << 24) /* an example's behind a layer */

/* One layer of the list, being read. */
struct item {
    size_t number;         /* from 1 */
    char text[ITEM_BYTES]; /* without blanks around it */
    const char *at;        /* what is not read yet */
};

/* A word that a list may hold. `add` reads what is behind the word and appends the layer. */
struct word {
    const char *name;
    enum starling_error (*add)(struct plan *plan, struct item *item, struct problem *problem);
};

static enum starling_error refuse(const struct item *item, const char *what,
                                  struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID, "task.model: layer %zu, '%s': %s", item->number,
                       item->text, what);
}

static void skip_blanks(struct item *item)
{
    while (*item->at == ' ' || *item->at == '\t')
        item->at++;
}

/* Reads a number of 1 to `most`; false when there is none. */
static bool read_number(struct item *item, size_t most, size_t *number)
{
    skip_blanks(item);
    const char *at = item->at;
    *number = 0;
    for (; *at >= '0' && *at <= '9' && *number <= most; at++)
        *number = 10 * *number + (size_t)(*at - '0');
    bool read = at > item->at && *number >= 1 && *number <= most;
    item->at = at;
    return read;
}

static bool read_letter(struct item *item, char letter)
{
    if (*item->at != letter)
        return false;
    item->at++;
    return true;
}

/* Reads `word` and the blanks around it. */
static bool read_word(struct item *item, const char *word)
{
    skip_blanks(item);
    size_t length = strlen(word);
    if (strncmp(item->at, word, length) != 0)
        return false;
    item->at += length;
    skip_blanks(item);
    return true;
}

static bool at_end(struct item *item)
{
    skip_blanks(item);
    return *item->at == '\0';
}

static void name_append(struct plan *plan, const char *text)
{
    size_t length = strlen(plan->name);
    snprintf(plan->name + length, sizeof plan->name - length, "%s%s", length > 0 ? ", " : "", text);
}

static struct layer *last_layer(struct plan *plan)
{
    return plan->layer_count > 0 ? &plan->layers[plan->layer_count - 1] : NULL;
}

/* Makes sure that what is there so far is images in lanes, and says of what size. */
static enum starling_error need_images(struct plan *plan, const struct item *item,
                                       struct image *image, struct problem *problem)
{
    struct layer *last = last_layer(plan);
    const struct shape *shape = &plan->shape;
    if (shape->symbols > 0)
        return refuse(item, "it needs images, and the data are sequences", problem);
    if (last && last->lanes) {
        *image = last->window.out;
        return STARLING_OK;
    }
    if (last)
        return refuse(item, "a dense layer leaves no image to it: put it in front of all of them",
                      problem);
    if (shape->height == 0 || shape->width == 0)
        return refuse(item,
                      "it needs images, and the data have no height and width: say them behind the "
                      "data's name, as in ?shape=28x28",
                      problem);
    *image = (struct image){shape->channels, shape->height, shape->width};
    plan_add(plan, (struct layer){.kind = &layer_lanes,
                                  .outputs = shape->features,
                                  .lanes = true,
                                  .window = {.in = *image, .out = *image}});
    return STARLING_OK;
}

/* Makes sure that what is there so far is numbers. */
static enum starling_error need_numbers(struct plan *plan, const struct item *item,
                                        struct problem *problem)
{
    if (plan->layer_count > 0 || plan->shape.symbols == 0)
        return STARLING_OK;
    return refuse(item,
                  "it takes numbers, and the data are sequences of symbols: put gru 128 or embed "
                  "32 in front",
                  problem);
}

/* Takes images out of their lanes. */
static void need_rows(struct plan *plan)
{
    struct layer *last = last_layer(plan);
    if (last && last->lanes)
        plan_add(plan, (struct layer){.kind = &layer_rows, .outputs = last->outputs});
}

/* "conv HxWxCHANNELS", "conv HxWxCHANNELS pad N" */
static enum starling_error add_conv(struct plan *plan, struct item *item, struct problem *problem)
{
    struct convolution window = {0};
    size_t pad = 0;
    bool good = read_number(item, SIDE_MAX, &window.kernel_height) && read_letter(item, 'x') &&
                read_number(item, SIDE_MAX, &window.kernel_width) && read_letter(item, 'x') &&
                read_number(item, PLAN_WIDTH_MAX, &window.out.channels);
    if (good && !at_end(item))
        good = read_word(item, "pad") && read_number(item, SIDE_MAX, &pad) && at_end(item);
    if (!good)
        return refuse(item,
                      "write the kernel's height, width and channels, for example conv 5x5x6 or "
                      "conv 5x5x6 pad 2",
                      problem);
    if (pad >= window.kernel_height || pad >= window.kernel_width)
        return refuse(item, "the rim is as wide as the kernel: pad by less", problem);
    enum starling_error error = need_images(plan, item, &window.in, problem);
    if (error)
        return error;
    if (window.in.height + 2 * pad < window.kernel_height ||
        window.in.width + 2 * pad < window.kernel_width)
        return refuse(item,
                      "the kernel is larger than what the layers before it leave of an image: use "
                      "a smaller one, or pad",
                      problem);
    window.pad_height = window.pad_width = pad;
    window.out.height = window.in.height + 2 * pad - window.kernel_height + 1;
    window.out.width = window.in.width + 2 * pad - window.kernel_width + 1;
    size_t outputs = window.out.channels * window.out.height * window.out.width;
    if (outputs > VALUES_MAX)
        return refuse(item, "it gives more than 16777216 values an example: use fewer channels",
                      problem);
    plan_add(plan, (struct layer){
                       .kind = &layer_conv, .outputs = outputs, .lanes = true, .window = window});
    char text[ITEM_BYTES];
    int length = snprintf(text, sizeof text, "conv %zux%zux%zu", window.kernel_height,
                          window.kernel_width, window.out.channels);
    if (pad > 0)
        snprintf(text + length, sizeof text - (size_t)length, " pad %zu", pad);
    name_append(plan, text);
    return STARLING_OK;
}

static void append_maxpool(struct plan *plan, struct convolution window)
{
    size_t outputs = window.out.channels * window.out.height * window.out.width;
    plan_add(plan,
             (struct layer){
                 .kind = &layer_maxpool, .outputs = outputs, .lanes = true, .window = window});
}

/* "maxpool SIDE". What grows with its input may as well come behind it, where there is less to do;
 * the model is the same. */
static enum starling_error add_maxpool(struct plan *plan, struct item *item,
                                       struct problem *problem)
{
    struct convolution window = {0};
    size_t side;
    if (!read_number(item, SIDE_MAX, &side) || !at_end(item))
        return refuse(item, "write the side of its windows, for example maxpool 2", problem);
    enum starling_error error = need_images(plan, item, &window.in, problem);
    if (error)
        return error;
    if (window.in.height < side || window.in.width < side)
        return refuse(item,
                      "its windows are larger than what the layers before it leave of an image: "
                      "use smaller ones",
                      problem);
    window.kernel_height = window.kernel_width = side;
    window.out =
        (struct image){window.in.channels, window.in.height / side, window.in.width / side};
    const struct layer_kind *growing = last_layer(plan)->kind;
    bool swap = growing == &layer_relu || growing == &layer_tanh;
    if (swap)
        plan->layer_count--;
    append_maxpool(plan, window);
    if (swap)
        plan_add(plan, (struct layer){.kind = growing,
                                      .outputs = last_layer(plan)->outputs,
                                      .lanes = true,
                                      .window = {.in = window.out, .out = window.out}});
    char text[ITEM_BYTES];
    snprintf(text, sizeof text, "maxpool %zu", side);
    name_append(plan, text);
    return STARLING_OK;
}

/* "dense WIDTH" */
static enum starling_error add_dense(struct plan *plan, struct item *item, struct problem *problem)
{
    size_t width;
    if (!read_number(item, PLAN_WIDTH_MAX, &width) || !at_end(item))
        return refuse(item, "write its width, 1 to 65536, for example dense 120", problem);
    enum starling_error error = need_numbers(plan, item, problem);
    if (error)
        return error;
    need_rows(plan);
    plan_add(plan, (struct layer){.kind = &layer_dense, .outputs = width});
    char text[ITEM_BYTES];
    snprintf(text, sizeof text, "dense %zu", width);
    name_append(plan, text);
    return STARLING_OK;
}

/* "gru UNITS", or "embed WIDTH" where `embed`. */
static enum starling_error add_of_sequence(struct plan *plan, bool embed, struct item *item,
                                           struct problem *problem)
{
    size_t width;
    if (!read_number(item, PLAN_WIDTH_MAX, &width) || !at_end(item))
        return refuse(item, "write its width, 1 to 65536, for example gru 128 or embed 32",
                      problem);
    if (plan->shape.symbols == 0)
        return refuse(item, "it takes sequences of symbols, and the data are none: use text:FILE",
                      problem);
    if (embed && plan->layer_count > 0)
        return refuse(item, "it takes symbols: put it first", problem);
    if (embed)
        plan_add(plan, (struct layer){
                           .kind = &layer_embed, .outputs = width, .symbols = plan->shape.symbols});
    else
        plan_add_gru(plan, width);
    char text[ITEM_BYTES];
    snprintf(text, sizeof text, "%s %zu", embed ? "embed" : "gru", width);
    name_append(plan, text);
    return STARLING_OK;
}

static enum starling_error add_embed(struct plan *plan, struct item *item, struct problem *problem)
{
    return add_of_sequence(plan, true, item, problem);
}

static enum starling_error add_gru(struct plan *plan, struct item *item, struct problem *problem)
{
    return add_of_sequence(plan, false, item, problem);
}

/* A layer that does the same to each value. */
static enum starling_error add_elementwise(struct plan *plan, const struct layer_kind *kind,
                                           struct item *item, struct problem *problem)
{
    if (!at_end(item))
        return refuse(item, "it takes nothing behind its name", problem);
    enum starling_error error = need_numbers(plan, item, problem);
    if (error)
        return error;
    struct image image;
    if (!last_layer(plan) && plan->shape.height > 0)
        (void)need_images(plan, item, &image, NULL); /* more layers for them may follow */
    struct layer *last = last_layer(plan);
    struct layer layer = {.kind = kind, .outputs = last ? last->outputs : plan->shape.features};
    if (last && last->lanes) {
        layer.lanes = true;
        layer.window.in = layer.window.out = last->window.out;
    }
    plan_add(plan, layer);
    name_append(plan, kind->name);
    return STARLING_OK;
}

static enum starling_error add_relu(struct plan *plan, struct item *item, struct problem *problem)
{
    return add_elementwise(plan, &layer_relu, item, problem);
}

static enum starling_error add_tanh(struct plan *plan, struct item *item, struct problem *problem)
{
    return add_elementwise(plan, &layer_tanh, item, problem);
}

/* All layers that may be listed. */
static const struct word words[] = {
    {"conv", add_conv},       {"dense", add_dense}, {"embed", add_embed}, {"gru", add_gru},
    {"maxpool", add_maxpool}, {"relu", add_relu},   {"tanh", add_tanh},
};
#define WORDS (sizeof words / sizeof *words)
_Static_assert(WORDS <= PLAN_LISTED_MAX, "callers have room for this many names");

size_t plan_list_words(const char *names[PLAN_LISTED_MAX])
{
    for (size_t w = 0; w < WORDS; w++)
        names[w] = words[w].name;
    return WORDS;
}

/* The word that `text` begins with, NULL when no layer is called so; *length of it. */
static const struct word *find_word(const char *text, size_t *length)
{
    *length = strcspn(text, " \t,:");
    for (size_t w = 0; w < WORDS; w++)
        if (strlen(words[w].name) == *length && memcmp(words[w].name, text, *length) == 0)
            return &words[w];
    return NULL;
}

bool plan_lists(const char *text)
{
    size_t length;
    return find_word(text + strspn(text, " \t"), &length) != NULL;
}

static enum starling_error add_item(struct plan *plan, struct item *item, struct problem *problem)
{
    size_t length;
    const struct word *word = find_word(item->text, &length);
    if (word) {
        item->at = item->text + length;
        return word->add(plan, item, problem);
    }
    const char *names[PLAN_LISTED_MAX];
    char name[ITEM_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)length, item->text);
    const char *nearest = nearest_word(name, names, plan_list_words(names));
    char what[128] = "there is no such layer: use conv, dense, embed, gru, maxpool, relu or tanh";
    if (nearest)
        snprintf(what, sizeof what, "there is no such layer: did you mean '%s'?", nearest);
    return refuse(item, what, problem);
}

enum starling_error plan_list(struct plan *plan, const char *text, struct problem *problem)
{
    for (size_t number = 1;; number++) {
        text += strspn(text, " \t");
        size_t length = strcspn(text, ",");
        const char *next = text[length] ? text + length + 1 : NULL;
        while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
            length--;
        struct item item = {.number = number};
        if (length >= sizeof item.text || number > PLAN_LISTED_MAX)
            return problem_set(problem, STARLING_INVALID,
                               "task.model: layer %zu: a list has at most %d layers of %d letters: "
                               "use fewer",
                               number, PLAN_LISTED_MAX, ITEM_BYTES - 1);
        memcpy(item.text, text, length);
        enum starling_error error = add_item(plan, &item, problem);
        if (error)
            return error;
        if (!next)
            break;
        text = next;
    }
    need_rows(plan);
    plan_add(plan, (struct layer){.kind = &layer_dense, .outputs = plan->outputs});
    return STARLING_OK;
}
