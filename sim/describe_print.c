#include "sim/describe.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES_SHOWN 20 /* rows of classes for a person; more are cut to the most frequent */
#define COLUMNS_MAX 8    /* classes beside each other in the table of nodes */
#define COLUMN_WIDTH 7

static const char *const scale_names[] = {[SCALE_AUTO] = "auto",
                                          [SCALE_NONE] = "none",
                                          [SCALE_STANDARD] = "standard",
                                          [SCALE_LOG] = "log"};

static double share(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* The least, the middle and the largest of `count` > 0 numbers, which are sorted. */
struct sizes {
    size_t min, median, max;
};

static struct sizes sizes_of(size_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return (struct sizes){values[0], values[count / 2], values[count - 1]};
}

/* The classes, the most frequent in training first; NULL when memory is out. */
struct ranked {
    size_t train, class;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->train != y->train)
        return x->train > y->train ? -1 : 1;
    return x->class < y->class ? -1 : 1;
}

static struct ranked *rank_classes(const struct description *description)
{
    size_t classes = description->data->train.classes;
    struct ranked *ranked = malloc(classes * sizeof *ranked);
    for (size_t c = 0; c < classes && ranked; c++)
        ranked[c] = (struct ranked){description->classes[c].train, c};
    if (ranked)
        qsort(ranked, classes, sizeof *ranked, by_rank);
    return ranked;
}

/* Training examples of those users that have any; false when memory is out. */
static bool user_sizes(const struct description *description, size_t *count, struct sizes *sizes)
{
    size_t users = description->data->train.user_count;
    size_t *values = malloc((users + 1) * sizeof *values);
    if (!values)
        return false;
    *count = 0;
    for (size_t u = 0; u < users; u++)
        if (description->users[u])
            values[(*count)++] = description->users[u];
    *sizes = sizes_of(values, *count);
    free(values);
    return true;
}

/* What nodes hold: examples, and classes. */
struct split {
    struct sizes examples, classes;
    size_t total;
};

static bool split_sizes(const struct description *description, struct split *split)
{
    size_t nodes = description->partition->nodes, classes = description->data->train.classes;
    size_t *counts = malloc(classes * sizeof *counts);
    size_t *held = malloc(nodes * sizeof *held), *kinds = malloc(nodes * sizeof *kinds);
    bool complete = counts && held && kinds;
    *split = (struct split){0};
    for (size_t node = 0; node < nodes && complete; node++) {
        partition_rows(description->partition, node, &held[node]);
        split->total += held[node];
        kinds[node] = description_node(description, node, counts);
    }
    if (complete) {
        split->examples = sizes_of(held, nodes);
        split->classes = sizes_of(kinds, nodes);
    }
    free(counts);
    free(held);
    free(kinds);
    return complete;
}

static void print_shape(const struct description *description, FILE *file)
{
    const struct dataset *train = &description->data->train, *test = &description->data->test;
    fprintf(file, "  examples     %zu training, %zu test\n", train->examples, test->examples);
    if (train->symbols)
        fprintf(file, "  features     %zu characters, of %zu that there are\n", train->features,
                train->symbols);
    else if (train->height > 0)
        fprintf(file, "  features     %zu: images of %zu x %zu, %zu channel%s\n", train->features,
                train->height, train->width, train->channels, train->channels == 1 ? "" : "s");
    else
        fprintf(file, "  features     %zu\n", train->features);
}

static void print_features(const struct description *description, FILE *file)
{
    char name[44];
    size_t examples = description->data->train.examples + description->data->test.examples;
    size_t features = description->data->train.features, listed = 0;
    if (description->missing_features == 0)
        fprintf(file, "  missing      nothing\n");
    else
        fprintf(file, "  missing      in %zu feature%s, %.2g %% of all values: ",
                description->missing_features, description->missing_features == 1 ? "" : "s",
                100 * share(description->missing_values, examples * features));
    for (size_t i = 0; i < description->worst_count; i++) {
        const struct feature_summary *feature = &description->features[description->worst[i]];
        fprintf(file, "%s%s %.3g %%", i ? ", " : "",
                description_feature(description, description->worst[i], name),
                100 * share(feature->missing_train + feature->missing_test, examples));
    }
    if (description->missing_features > 0)
        fprintf(file, description->missing_features > description->worst_count ? ", ...\n" : "\n");
    if (description->constant_features > 0) {
        fprintf(file, "  constant     %zu feature%s: ", description->constant_features,
                description->constant_features == 1 ? "" : "s");
        for (size_t f = 0; f < features && listed < DESCRIBE_WORST; f++)
            if (description->features[f].least >= description->features[f].most)
                fprintf(file, "%s%s", listed++ ? ", " : "",
                        description_feature(description, f, name));
        fprintf(file, description->constant_features > listed ? ", ...\n" : "\n");
    }
    const struct feature_summary *widest = &description->features[description->widest];
    bool pixels = description->data->train.height > 0;
    if (description->least <= description->most && pixels)
        fprintf(file, "  range        %.6g to %.6g\n", description->least, description->most);
    else if (description->least <= description->most)
        fprintf(file, "  range        %.6g to %.6g; widest is feature %s, %.6g to %.6g\n",
                description->least, description->most,
                description_feature(description, description->widest, name), widest->least,
                widest->most);
    fprintf(file, "  scaled       %.4g to %.4g, by task.scale = %s\n", description->scaled_least,
            description->scaled_most, scale_names[description->config->task.scale]);
}

static void print_class(const struct description *description, size_t class, FILE *file)
{
    char name[44];
    const struct class_count *count = &description->classes[class];
    fprintf(file, "  %-16.16s %10zu %6.2f %%", description_class(description, class, name),
            count->train, 100 * share(count->train, description->labels.train));
    if (description->labels.test > 0)
        fprintf(file, " %10zu %6.2f %%", count->test,
                100 * share(count->test, description->labels.test));
    fputc('\n', file);
}

static bool print_classes(const struct description *description, FILE *file)
{
    char name[44];
    size_t classes = description->data->train.classes;
    bool tested = description->labels.test > 0;
    struct ranked *ranked = rank_classes(description);
    if (!ranked)
        return false;
    fprintf(file, "\n  %-16s %19s%s\n", "class", "training", tested ? "                test" : "");
    for (size_t i = 0; i < classes && i < CLASSES_SHOWN; i++)
        print_class(description, classes > CLASSES_SHOWN ? ranked[i].class : i, file);
    free(ranked);
    if (classes > CLASSES_SHOWN)
        fprintf(file, "  and %zu more, none of them more frequent\n", classes - CLASSES_SHOWN);
    const struct class_count *most = &description->classes[description->majority];
    fprintf(file, "\n  always %s, the most frequent, is right in %.2f %% of the %s\n",
            description_class(description, description->majority, name),
            100 * (tested ? share(most->test, description->labels.test)
                          : share(most->train, description->labels.train)),
            tested ? "test" : "training");
    return true;
}

/* Cut to a column, and never within a character of UTF-8. */
static void print_heading(const char *name, FILE *file)
{
    size_t length = strlen(name);
    if (length > COLUMN_WIDTH - 1)
        length = COLUMN_WIDTH - 1;
    while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
        length--;
    fprintf(file, "%*.*s", COLUMN_WIDTH, (int)length, name);
}

/* A row a node, a column a class: the most frequent ones, and what is left. */
static bool print_nodes(const struct description *description, FILE *file)
{
    char name[44];
    size_t classes = description->data->train.classes, nodes = description->partition->nodes;
    size_t columns = classes <= COLUMNS_MAX + 1 ? classes : COLUMNS_MAX;
    struct ranked *ranked = rank_classes(description);
    size_t *counts = malloc(classes * sizeof *counts);
    for (size_t i = 0; i < classes && ranked && columns == classes; i++)
        ranked[i].class = i; /* where all fit, in their own order */
    if (ranked && counts) {
        fprintf(file, "\n  %6s %9s", "node", "examples");
        for (size_t i = 0; i < columns; i++)
            print_heading(description_class(description, ranked[i].class, name), file);
        fprintf(file, columns < classes ? " others\n" : "\n");
    }
    for (size_t node = 0; node < nodes && node < DESCRIBE_NODES && ranked && counts; node++) {
        size_t examples, others = 0;
        partition_rows(description->partition, node, &examples);
        description_node(description, node, counts);
        fprintf(file, "  %6zu %9zu", node, examples);
        for (size_t i = 0; i < classes; i++) {
            if (i < columns)
                fprintf(file, "%*zu", COLUMN_WIDTH, counts[ranked[i].class]);
            else
                others += counts[ranked[i].class];
        }
        if (columns < classes)
            fprintf(file, "%*zu", COLUMN_WIDTH, others);
        fputc('\n', file);
    }
    bool complete = ranked && counts;
    free(ranked);
    free(counts);
    if (complete && nodes > DESCRIBE_NODES)
        fprintf(file, "  and %zu nodes more: --json lists them\n", nodes - DESCRIBE_NODES);
    return complete;
}

static bool print_split(const struct description *description, FILE *file)
{
    const struct config *config = description->config;
    struct split split;
    if (!split_sizes(description, &split))
        return false;
    fprintf(file, "\n  split        %s over %zu nodes, seed %llu", config->sim.partition,
            description->partition->nodes, (unsigned long long)config->sim.seed);
    if (config->sim.samples)
        fprintf(file, ", at most %llu examples each", (unsigned long long)config->sim.samples);
    fprintf(file, "\n  dealt out    %zu of %zu training examples\n", split.total,
            description->data->train.examples);
    fprintf(file,
            "  a node has   %zu to %zu examples, median %zu; %zu to %zu classes, median %zu\n",
            split.examples.min, split.examples.max, split.examples.median, split.classes.min,
            split.classes.max, split.classes.median);
    return print_nodes(description, file);
}

bool describe_print(const struct description *description, FILE *file)
{
    struct sizes sizes;
    size_t users;
    fprintf(file, "%s\n\n", description->data->name);
    print_shape(description, file);
    if (description->users) {
        if (!user_sizes(description, &users, &sizes))
            return false;
        fprintf(file, "  users        %zu, of %zu to %zu training examples, median %zu\n", users,
                sizes.min, sizes.max, sizes.median);
    }
    if (description->features)
        print_features(description, file);
    if (!print_classes(description, file))
        return false;
    return !description->partition || print_split(description, file);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(size_t value)
{
    return json_integer((json_int_t)value);
}

/* A name; without what JSON cannot hold. */
static json_t *name_json(const char *name)
{
    char plain[44];
    json_t *json = json_string(name);
    if (json)
        return json;
    snprintf(plain, sizeof plain, "%s", name);
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(plain);
}

static json_t *sizes_json(const struct sizes *sizes)
{
    return json_pack("{s:o,s:o,s:o}", "min", whole(sizes->min), "median", whole(sizes->median),
                     "max", whole(sizes->max));
}

static json_t *classes_json(const struct description *description)
{
    char name[44];
    json_t *list = json_array();
    for (size_t c = 0; c < description->data->train.classes; c++) {
        const struct class_count *count = &description->classes[c];
        json_array_append_new(list,
                              json_pack("{s:o,s:o,s:o,s:o,s:o}", "name",
                                        name_json(description_class(description, c, name)), "train",
                                        whole(count->train), "train_share",
                                        number(share(count->train, description->labels.train)),
                                        "test", whole(count->test), "test_share",
                                        number(share(count->test, description->labels.test))));
    }
    return list;
}

static json_t *majority_json(const struct description *description)
{
    char name[44];
    const struct class_count *most = &description->classes[description->majority];
    return json_pack("{s:o,s:o,s:o,s:o}", "class", whole(description->majority), "name",
                     name_json(description_class(description, description->majority, name)),
                     "train_share", number(share(most->train, description->labels.train)),
                     "test_share", number(share(most->test, description->labels.test)));
}

static json_t *missing_json(const struct description *description)
{
    char name[44];
    json_t *worst = json_array();
    size_t examples = description->data->train.examples + description->data->test.examples;
    if (!description->features) {
        json_decref(worst);
        return json_null();
    }
    for (size_t i = 0; i < description->worst_count; i++) {
        size_t f = description->worst[i];
        const struct feature_summary *feature = &description->features[f];
        json_array_append_new(
            worst,
            json_pack("{s:o,s:o,s:o,s:o,s:o}", "feature", whole(f + 1), "name",
                      name_json(description_feature(description, f, name)), "train",
                      whole(feature->missing_train), "test", whole(feature->missing_test), "share",
                      number(share(feature->missing_train + feature->missing_test, examples))));
    }
    return json_pack(
        "{s:o,s:o,s:o,s:o}", "features", whole(description->missing_features), "values",
        whole(description->missing_values), "share",
        number(share(description->missing_values, examples * description->data->train.features)),
        "worst", worst);
}

/* The names of the constant features. */
static json_t *constant_json(const struct description *description)
{
    char name[44];
    if (!description->features)
        return json_null();
    json_t *list = json_array();
    for (size_t f = 0; f < description->data->train.features; f++)
        if (description->features[f].least >= description->features[f].most)
            json_array_append_new(list, name_json(description_feature(description, f, name)));
    return list;
}

static json_t *range_json(const struct description *description)
{
    char name[44];
    if (!description->features)
        return json_null();
    const struct feature_summary *widest = &description->features[description->widest];
    return json_pack("{s:o,s:o,s:{s:o,s:o,s:o}}", "min", number(description->least), "max",
                     number(description->most), "widest", "name",
                     name_json(description_feature(description, description->widest, name)), "min",
                     number(widest->least), "max", number(widest->most));
}

static json_t *shape_json(const struct dataset *train)
{
    if (train->height == 0)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "height", whole(train->height), "width", whole(train->width),
                     "channels", whole(train->channels));
}

static json_t *users_json(const struct description *description)
{
    struct sizes sizes;
    size_t users;
    if (!description->users || !user_sizes(description, &users, &sizes))
        return json_null();
    return json_pack("{s:o,s:o}", "count", whole(users), "examples", sizes_json(&sizes));
}

static json_t *nodes_json(const struct description *description)
{
    size_t classes = description->data->train.classes;
    size_t *counts = malloc(classes * sizeof *counts);
    json_t *list = json_array();
    for (size_t node = 0; counts && node < description->partition->nodes; node++) {
        size_t examples;
        partition_rows(description->partition, node, &examples);
        size_t kinds = description_node(description, node, counts);
        json_t *labels = json_array();
        for (size_t c = 0; c < classes; c++)
            json_array_append_new(labels, whole(counts[c]));
        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o}", "node", whole(node), "examples",
                                              whole(examples), "classes", whole(kinds), "labels",
                                              labels));
    }
    free(counts);
    return list;
}

static json_t *split_json(const struct description *description)
{
    const struct config *config = description->config;
    struct split split;
    if (!description->partition || !split_sizes(description, &split))
        return json_null();
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "partition", config->sim.partition,
                     "nodes", whole(description->partition->nodes), "seed", whole(config->sim.seed),
                     "samples", config->sim.samples ? whole(config->sim.samples) : json_null(),
                     "dealt", whole(split.total), "examples", sizes_json(&split.examples),
                     "classes", sizes_json(&split.classes), "node", nodes_json(description));
}

bool describe_json(const struct description *description, FILE *file)
{
    const struct dataset *train = &description->data->train;
    const struct {
        const char *key;
        json_t *value;
    } entries[] = {
        {"schema", json_integer(1)},
        {"data", name_json(description->data->name)},
        {"examples", json_pack("{s:o,s:o}", "train", whole(train->examples), "test",
                               whole(description->data->test.examples))},
        {"features", whole(train->features)},
        {"image", shape_json(train)},
        {"symbols", train->symbols ? whole(train->symbols) : json_null()},
        {"positions", whole(dataset_positions(train))},
        {"users", users_json(description)},
        {"missing", missing_json(description)},
        {"constant", constant_json(description)},
        {"range", range_json(description)},
        {"scaled", description->features ? json_pack("{s:s,s:o,s:o}", "scale",
                                                     scale_names[description->config->task.scale],
                                                     "min", number(description->scaled_least),
                                                     "max", number(description->scaled_most))
                                         : json_null()},
        {"classes", classes_json(description)},
        {"majority", majority_json(description)},
        {"split", split_json(description)},
    };
    json_t *json = json_object();
    bool complete = json != NULL;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        complete = json_object_set_new(json, entries[i].key, entries[i].value) == 0 && complete;
    complete = complete && json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
               fputc('\n', file) != EOF;
    json_decref(json);
    return complete;
}
