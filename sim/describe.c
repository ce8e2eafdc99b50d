#include "sim/describe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "sim/experiment.h"

_Static_assert(FIELDS_SHOWN == 44, "names are shown as fields are");

static void count_labels(struct description *description)
{
    const struct dataset *both[] = {&description->data->train, &description->data->test};
    for (size_t k = 0; k < 2; k++) {
        size_t count = both[k]->examples * dataset_positions(both[k]);
        for (size_t i = 0; i < count; i++) {
            if (both[k]->labels[i] == LABEL_NONE)
                continue;
            struct class_count *class = &description->classes[both[k]->labels[i]];
            *(k ? &class->test : &class->train) += 1;
            *(k ? &description->labels.test : &description->labels.train) += 1;
        }
    }
    for (size_t c = 1; c < description->data->train.classes; c++)
        if (description->classes[c].train > description->classes[description->majority].train)
            description->majority = c;
}

static double value_at(const struct dataset *dataset, size_t at)
{
    return dataset->bytes ? dataset->bytes[at] : (double)dataset->floats[at];
}

static void measure_features(struct description *description)
{
    const struct dataset *train = &description->data->train, *test = &description->data->test;
    struct feature_summary *features = description->features;
    for (size_t i = 0, at = 0; i < train->examples; i++) {
        for (size_t f = 0; f < train->features; f++, at++) {
            double value = value_at(train, at);
            if (isnan(value)) {
                features[f].missing_train++;
                continue;
            }
            if (value < features[f].least)
                features[f].least = value;
            if (value > features[f].most)
                features[f].most = value;
        }
    }
    for (size_t i = 0, at = 0; i < test->examples; i++)
        for (size_t f = 0; f < test->features; f++, at++)
            features[f].missing_test += isnan(value_at(test, at)) != 0;
}

static size_t missing_of(const struct feature_summary *feature)
{
    return feature->missing_train + feature->missing_test;
}

/* Puts feature f where it belongs among the worst, if it does. */
static void place_among_worst(struct description *description, size_t f)
{
    size_t place = description->worst_count;
    const struct feature_summary *features = description->features;
    while (place > 0 &&
           missing_of(&features[description->worst[place - 1]]) < missing_of(&features[f]))
        place--;
    if (place == DESCRIBE_WORST)
        return;
    description->worst_count += description->worst_count < DESCRIBE_WORST;
    memmove(description->worst + place + 1, description->worst + place,
            (description->worst_count - place - 1) * sizeof *description->worst);
    description->worst[place] = f;
}

static void sum_up_features(struct description *description)
{
    double widest = -1;
    description->least = INFINITY;
    description->most = -INFINITY;
    for (size_t f = 0; f < description->data->train.features; f++) {
        const struct feature_summary *feature = &description->features[f];
        if (missing_of(feature) > 0) {
            description->missing_features++;
            description->missing_values += missing_of(feature);
            place_among_worst(description, f);
        }
        description->constant_features += feature->least >= feature->most;
        description->least = fmin(description->least, feature->least);
        description->most = fmax(description->most, feature->most);
        if (feature->most - feature->least > widest) {
            widest = feature->most - feature->least;
            description->widest = f;
        }
    }
}

/* What models will see: all training examples, scaled. */
static enum starling_error measure_scaled(struct description *description, struct problem *problem)
{
    struct data *data = description->data;
    enum starling_error error =
        dataset_fit(&data->train, &data->test, description->config->task.scale, problem);
    if (error)
        return error;
    float *row = malloc(data->train.features * sizeof *row);
    uint16_t label;
    if (!row)
        return problem_no_memory(problem, "describing a data set");
    description->scaled_least = INFINITY;
    description->scaled_most = -INFINITY;
    for (uint32_t i = 0; i < data->train.examples; i++) {
        dataset_gather(&data->train, &i, 1, row, &label);
        for (size_t f = 0; f < data->train.features; f++) {
            description->scaled_least = fmin(description->scaled_least, (double)row[f]);
            description->scaled_most = fmax(description->scaled_most, (double)row[f]);
        }
    }
    free(row);
    return STARLING_OK;
}

static enum starling_error measure(struct description *description, struct problem *problem)
{
    const struct dataset *train = &description->data->train;
    description->classes = calloc(train->classes, sizeof *description->classes);
    if (!description->classes)
        return problem_no_memory(problem, "describing a data set");
    count_labels(description);
    if (train->users) {
        description->users = calloc(train->user_count + 1, sizeof *description->users);
        if (!description->users)
            return problem_no_memory(problem, "describing a data set");
        for (size_t i = 0; i < train->examples; i++)
            description->users[train->users[i]]++;
    }
    if (train->symbols)
        return STARLING_OK;
    description->features = malloc(train->features * sizeof *description->features);
    if (!description->features)
        return problem_no_memory(problem, "describing a data set");
    for (size_t f = 0; f < train->features; f++)
        description->features[f] = (struct feature_summary){.least = INFINITY, .most = -INFINITY};
    measure_features(description);
    sum_up_features(description);
    return measure_scaled(description, problem);
}

static bool wants_split(const struct config *config)
{
    return config_given(config, "sim.partition") || config_given(config, "sim.nodes") ||
           config_given(config, "sim.samples");
}

enum starling_error description_make(struct description *description, const struct config *config,
                                     struct problem *problem)
{
    *description = (struct description){.config = config};
    /* Standardising is left to others here, so that values stay what they are in the file. */
    struct config *raw = malloc(sizeof *raw);
    if (!raw)
        return problem_no_memory(problem, "describing a data set");
    *raw = *config;
    raw->task.scale = SCALE_STANDARD;
    raw->task.agree = AGREE_ON;
    description->data = experiment_data(raw, problem);
    free(raw);
    enum starling_error error = STARLING_OK;
    if (!description->data)
        error = problem->error;
    else
        error = measure(description, problem);
    if (!error && wants_split(config)) {
        description->partition =
            partition_new(config->sim.partition, &description->data->train, config->sim.nodes,
                          config->sim.samples, config->sim.seed, problem);
        error = description->partition ? STARLING_OK : problem->error;
    }
    if (error)
        description_clear(description);
    return error;
}

void description_clear(struct description *description)
{
    data_free(&description->data);
    partition_free(&description->partition);
    free(description->classes);
    free(description->features);
    free(description->users);
    *description = (struct description){0};
}

size_t description_node(const struct description *description, size_t node, size_t *counts)
{
    const struct dataset *train = &description->data->train;
    size_t count, positions = dataset_positions(train), classes = 0;
    const uint32_t *rows = partition_rows(description->partition, node, &count);
    memset(counts, 0, train->classes * sizeof *counts);
    for (size_t i = 0; i < count * positions; i++) {
        uint16_t label = train->labels[rows[i / positions] * positions + i % positions];
        if (label != LABEL_NONE)
            classes += counts[label]++ == 0;
    }
    return classes;
}

const char *description_class(const struct description *description, size_t class, char out[44])
{
    char **names = description->data->class_names;
    if (names)
        return fields_shown(names[class], out);
    snprintf(out, FIELDS_SHOWN, "%zu", class);
    return out;
}

const char *description_feature(const struct description *description, size_t feature, char out[44])
{
    char **names = description->data->feature_names;
    if (names)
        return fields_shown(names[feature], out);
    snprintf(out, FIELDS_SHOWN, "%zu", feature + 1);
    return out;
}
