#include "model/read.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/json.h"
#include "model/rows.h"
#include "model/set_apart.h"

#define FILES_MAX 100000
#define PATH_SIZE 4096

/* A user of the data set: in which file it was met last, and how many examples it has there. */
struct told {
    size_t file, examples;
};

/* Room that grows. */
struct values {
    void *at;
    size_t room;
};

/* What is the same for all files of the data set. */
struct leaf {
    struct row_names names;
    size_t features;      /* of every example; 0 before the first */
    size_t file;          /* number of the file being read, from 1 */
    struct values told;   /* struct told by user */
    struct values listed; /* uint32_t: `users` of a file */
    struct values counts; /* size_t: its `num_samples` */
    struct values x;      /* float: an example */
    struct values y;      /* uint16_t: the labels of a user */
};

/* One file while it is read. */
struct reading {
    struct leaf *leaf;
    const char *path;
    struct json *json;
    struct dataset *rows;
    size_t *capacity;             /* rows that there is room for */
    bool training;                /* labels may be new */
    size_t before;                /* rows of the files before it */
    size_t listed, counts;        /* how many `users` and `num_samples` there are */
    bool with_users, with_counts; /* whether there are such lists */
    bool with_data;
    uint32_t user; /* being read, and what a problem shows of it */
    char shown[FIELDS_SHOWN];
};

static bool has_room(struct values *values, size_t wanted, size_t width)
{
    if (wanted <= values->room)
        return true;
    size_t room = values->room ? values->room * 2 : 64, bytes;
    if (room < wanted)
        room = wanted;
    void *at = __builtin_mul_overflow(room, width, &bytes) ? NULL : realloc(values->at, bytes);
    if (!at)
        return false;
    values->at = at;
    values->room = room;
    return true;
}

static enum starling_error no_room(struct problem *problem)
{
    return problem_no_memory(problem, "reading a LEAF file");
}

/* Puts "FILE: user 'NAME'", and "KEY NUMBER" where there is a key, before the problem's text. */
static enum starling_error at_user(const struct reading *reading, const char *key, size_t number,
                                   enum starling_error error, struct problem *problem)
{
    char where[PROBLEM_TEXT_MAX];
    if (!error)
        return error;
    if (key)
        snprintf(where, sizeof where, "%.300s: user '%s': %s %zu", reading->path, reading->shown,
                 key, number);
    else
        snprintf(where, sizeof where, "%.300s: user '%s'", reading->path, reading->shown);
    problem_at(problem, where);
    return error;
}

static enum starling_error wants(const struct reading *reading, const char *what,
                                 struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "%s: %s is wanted, as LEAF writes it: {\"users\": [\"a\"], \"num_samples\": "
                       "[1], \"user_data\": {\"a\": {\"x\": [[0.5]], \"y\": [1]}}}",
                       reading->path, what);
}

/* What is told of `user`, NULL when memory is out. */
static struct told *told_of(struct leaf *leaf, uint32_t user)
{
    size_t before = leaf->told.room;
    if (!has_room(&leaf->told, (size_t)user + 1, sizeof(struct told)))
        return NULL;
    struct told *told = leaf->told.at;
    memset(told + before, 0, (leaf->told.room - before) * sizeof *told);
    return &told[user];
}

static enum starling_error take_user(struct reading *reading, uint32_t *user,
                                     struct problem *problem)
{
    if (json_text_is_cut(reading->json))
        return problem_set(problem, STARLING_INVALID,
                           "%s: a user's name of more than %u bytes: shorten it", reading->path,
                           JSON_TEXT_MAX);
    fields_shown(json_text(reading->json), reading->shown);
    return at_user(reading, NULL, 0,
                   row_names_user(&reading->leaf->names, json_text(reading->json), user, problem),
                   problem);
}

/* "users": ["a", …] */
static enum starling_error read_users(struct reading *reading, struct problem *problem)
{
    struct values *listed = &reading->leaf->listed;
    enum json_token token;
    enum starling_error error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_ARRAY)
        return wants(reading, "a list of names behind \"users\"", problem);
    reading->with_users = true;
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_ARRAY_END) {
        if (token != JSON_STRING && token != JSON_NUMBER)
            return wants(reading, "a name in \"users\"", problem);
        if (!has_room(listed, reading->listed + 1, sizeof(uint32_t)))
            return no_room(problem);
        error = take_user(reading, (uint32_t *)listed->at + reading->listed++, problem);
    }
    return error;
}

/* "num_samples": [1, …] */
static enum starling_error read_counts(struct reading *reading, struct problem *problem)
{
    struct values *counts = &reading->leaf->counts;
    enum json_token token;
    enum starling_error error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_ARRAY)
        return wants(reading, "a list of counts behind \"num_samples\"", problem);
    reading->with_counts = true;
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_ARRAY_END) {
        double count;
        if (token != JSON_NUMBER || !fields_double(json_text(reading->json), &count) ||
            !(count >= 0 && count <= DATASET_EXAMPLES_MAX) || count != (double)(size_t)count)
            return wants(reading, "a count in \"num_samples\"", problem);
        if (!has_room(counts, reading->counts + 1, sizeof(size_t)))
            return no_room(problem);
        ((size_t *)counts->at)[reading->counts++] = (size_t)count;
    }
    return error;
}

/* One number of an example, or null, which is missing. */
static enum starling_error take_number(struct reading *reading, enum json_token token, float *value,
                                       struct problem *problem)
{
    static const char *const wrong[] = {
        [NUMBER_NOT_FINITE] = "is not finite: write null where a number is missing",
        [NUMBER_TOO_LARGE] = "is beyond 1e30: scale it down",
    };
    char field[FIELDS_SHOWN];
    if (token == JSON_STRING || token == JSON_KEY)
        return problem_set(problem, STARLING_INVALID,
                           "holds text, where only numbers are read: give text as a plain file, "
                           "text:FILE");
    if (token == JSON_NULL) {
        fields_number("", value);
        return STARLING_OK;
    }
    if (token != JSON_NUMBER)
        return problem_set(
            problem, STARLING_INVALID,
            "is no list of numbers: write true and false as 1 and 0, and null where a "
            "number is missing");
    enum number_kind kind = json_number(reading->json, value);
    if (kind == NUMBER_FINE)
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID, "'%s' %s",
                       fields_shown(json_text(reading->json), field), wrong[kind]);
}

/* The rest of an example that has begun with `token`: numbers in lists, which may lie in lists as
 * the rows of an image do. */
static enum starling_error read_example(struct reading *reading, size_t number,
                                        enum json_token token, struct problem *problem)
{
    struct leaf *leaf = reading->leaf;
    size_t count = 0, depth = 0;
    enum starling_error error = STARLING_OK;
    do {
        if (token == JSON_ARRAY) {
            depth++;
        } else if (token == JSON_ARRAY_END) {
            depth--;
        } else {
            float value;
            error = at_user(reading, "x", number, take_number(reading, token, &value, problem),
                            problem);
            if (error)
                return error;
            if (count == DATASET_FEATURES_MAX)
                return at_user(reading, "x", number,
                               problem_set(problem, STARLING_INVALID,
                                           "more than %u numbers: that is more than are read",
                                           DATASET_FEATURES_MAX),
                               problem);
            if (!has_room(&leaf->x, count + 1, sizeof(float)))
                return no_room(problem);
            ((float *)leaf->x.at)[count++] = value;
        }
        if (depth > 0)
            error = json_next(reading->json, &token, problem);
    } while (!error && depth > 0);
    if (!error && count == 0)
        return at_user(reading, "x", number,
                       problem_set(problem, STARLING_INVALID,
                                   "holds no number: every example must have as many as the first"),
                       problem);
    if (!error && leaf->features == 0)
        leaf->features = count;
    if (!error && count != leaf->features)
        return at_user(reading, "x", number,
                       problem_set(problem, STARLING_INVALID,
                                   "%zu numbers, where the first example has %zu: every example "
                                   "must have as many",
                                   count, leaf->features),
                       problem);
    return error;
}

/* "x": [[0.5, …], …]; the examples go behind the rows that are complete. */
static enum starling_error read_x(struct reading *reading, size_t *count, struct problem *problem)
{
    struct dataset *rows = reading->rows;
    enum json_token token;
    enum starling_error error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_ARRAY)
        return wants(reading, "a list of examples behind \"x\"", problem);
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_ARRAY_END) {
        size_t row = rows->examples + *count;
        error = read_example(reading, ++*count, token, problem);
        if (error)
            return error;
        rows->features = reading->leaf->features;
        error = rows_make_room(rows, reading->capacity, row + 1, true, reading->path, problem);
        if (!error)
            memcpy(rows->floats + row * rows->features, reading->leaf->x.at,
                   rows->features * sizeof *rows->floats);
    }
    return error;
}

/* "y": [1, …]; the labels go to leaf->y. */
static enum starling_error read_y(struct reading *reading, size_t *count, struct problem *problem)
{
    struct leaf *leaf = reading->leaf;
    enum json_token token;
    enum starling_error error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_ARRAY)
        return wants(reading, "a list of labels behind \"y\"", problem);
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_ARRAY_END) {
        if (*count == DATASET_EXAMPLES_MAX || !has_room(&leaf->y, *count + 1, sizeof(uint16_t)))
            return no_room(problem);
        uint16_t *label = (uint16_t *)leaf->y.at + (*count)++;
        if ((token != JSON_STRING && token != JSON_NUMBER) || json_text_is_cut(reading->json))
            error =
                problem_set(problem, STARLING_INVALID,
                            "a label is a number or a string of at most %u bytes", JSON_TEXT_MAX);
        else
            error = row_names_label(&leaf->names, json_text(reading->json), reading->training,
                                    label, problem);
        error = at_user(reading, "y", *count, error, problem);
    }
    return error;
}

/* Joins a user's x and y to rows. */
static enum starling_error add_rows(struct reading *reading, size_t count, struct problem *problem)
{
    struct dataset *rows = reading->rows;
    struct told *told = told_of(reading->leaf, reading->user);
    if (!told)
        return no_room(problem);
    if (told->file == reading->leaf->file)
        return at_user(
            reading, NULL, 0,
            problem_set(problem, STARLING_INVALID, "is there twice: once is right: mend the file"),
            problem);
    *told = (struct told){.file = reading->leaf->file, .examples = count};
    for (size_t i = 0; i < count; i++) {
        rows->labels[rows->examples] = ((const uint16_t *)reading->leaf->y.at)[i];
        rows->users[rows->examples++] = reading->user;
    }
    return STARLING_OK;
}

/* {"x": …, "y": …} of the user that the key before has named. */
static enum starling_error read_user(struct reading *reading, struct problem *problem)
{
    size_t x = 0, y = 0;
    bool with_x = false, with_y = false;
    enum json_token token;
    enum starling_error error = take_user(reading, &reading->user, problem);
    if (!error)
        error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_OBJECT)
        return wants(reading, "an object with \"x\" and \"y\" for each user", problem);
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_OBJECT_END) {
        bool is_x = strcmp(json_text(reading->json), "x") == 0;
        bool is_y = strcmp(json_text(reading->json), "y") == 0;
        if ((is_x && with_x) || (is_y && with_y))
            return at_user(reading, NULL, 0,
                           problem_set(problem, STARLING_INVALID,
                                       "has two lists '%s': one is right: mend the file",
                                       is_x ? "x" : "y"),
                           problem);
        with_x |= is_x;
        with_y |= is_y;
        if (is_x || is_y) {
            error = is_x ? read_x(reading, &x, problem) : read_y(reading, &y, problem);
        } else {
            error = json_next(reading->json, &token, problem);
            if (!error)
                error = json_skip(reading->json, token, problem);
        }
    }
    if (error)
        return error;
    if (!with_x || !with_y)
        return at_user(reading, NULL, 0,
                       problem_set(problem, STARLING_INVALID,
                                   "has no '%s': a user has examples x and labels y",
                                   with_x ? "y" : "x"),
                       problem);
    if (x != y)
        return at_user(reading, NULL, 0,
                       problem_set(problem, STARLING_INVALID,
                                   "has %zu examples x and %zu labels y: every example needs one",
                                   x, y),
                       problem);
    return add_rows(reading, x, problem);
}

/* "user_data": {"a": {…}, …} */
static enum starling_error read_user_data(struct reading *reading, struct problem *problem)
{
    enum json_token token;
    enum starling_error error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_OBJECT)
        return wants(reading, "an object behind \"user_data\"", problem);
    reading->with_data = true;
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_OBJECT_END)
        error = read_user(reading, problem);
    return error;
}

/* Holds `num_samples` against what was there. */
static enum starling_error check_counts(struct reading *reading, struct problem *problem)
{
    const uint32_t *listed = reading->leaf->listed.at;
    const size_t *counts = reading->leaf->counts.at;
    size_t sum = 0, found = reading->rows->examples - reading->before;
    if (!reading->with_users || !reading->with_counts)
        return STARLING_OK;
    if (reading->listed != reading->counts)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %zu users and %zu num_samples: there must be one a user",
                           reading->path, reading->listed, reading->counts);
    for (size_t i = 0; i < reading->listed; i++) {
        const struct told *told = told_of(reading->leaf, listed[i]);
        if (!told)
            return no_room(problem);
        size_t examples = told->file == reading->leaf->file ? told->examples : 0;
        fields_shown(reading->leaf->names.users.texts[listed[i]], reading->shown);
        if (examples != counts[i])
            return at_user(reading, NULL, 0,
                           problem_set(problem, STARLING_INVALID,
                                       "has %zu examples, but num_samples says %zu: fetch the "
                                       "file again",
                                       examples, counts[i]),
                           problem);
        sum += counts[i];
    }
    if (sum != found)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %zu examples, but num_samples say %zu in all: every user must "
                           "be listed in users, once",
                           reading->path, found, sum);
    return STARLING_OK;
}

static enum starling_error read_object(struct reading *reading, struct problem *problem)
{
    static const struct {
        const char *key;
        enum starling_error (*read)(struct reading *, struct problem *);
    } parts[] = {
        {"users", read_users}, {"num_samples", read_counts}, {"user_data", read_user_data}};
    enum json_token token;
    enum starling_error error = json_next(reading->json, &token, problem);
    if (!error && token != JSON_OBJECT)
        return wants(reading, "an object", problem);
    while (!error && !(error = json_next(reading->json, &token, problem)) &&
           token != JSON_OBJECT_END) {
        size_t i = 0;
        while (i < 3 && strcmp(parts[i].key, json_text(reading->json)) != 0)
            i++;
        if (i < 3) {
            error = parts[i].read(reading, problem);
        } else {
            error = json_next(reading->json, &token, problem);
            if (!error)
                error = json_skip(reading->json, token, problem);
        }
    }
    if (!error)
        error = json_next(reading->json, &token, problem); /* the end, or refused */
    if (!error && !reading->with_data)
        return wants(reading, "\"user_data\"", problem);
    return error ? error : check_counts(reading, problem);
}

static enum starling_error read_file(struct leaf *leaf, const char *path, struct dataset *rows,
                                     size_t *capacity, bool training, struct problem *problem)
{
    struct reading reading = {.leaf = leaf,
                              .path = path,
                              .rows = rows,
                              .capacity = capacity,
                              .training = training,
                              .before = rows->examples};
    leaf->file++;
    enum starling_error error = json_open(&reading.json, path, problem);
    if (!error)
        error = read_object(&reading, problem);
    json_close(&reading.json);
    return error;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), behind = strlen(ending);
    return length > behind && strcmp(name + length - behind, ending) == 0;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names that end in .json or .json.gz, sorted, so that nothing depends on the file system. */
static enum starling_error list_files(const char *folder, struct names *files,
                                      struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    DIR *listing = opendir(folder);
    if (!listing)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %s: name a folder that holds LEAF's train and test folders", folder,
                           strerror(errno));
    for (struct dirent *entry; !error && (entry = readdir(listing));) {
        if (!ends_in(entry->d_name, ".json") && !ends_in(entry->d_name, ".json.gz"))
            continue;
        if (files->count == FILES_MAX)
            error = problem_set(problem, STARLING_INVALID,
                                "%s: more than %d files: take a part of them", folder, FILES_MAX);
        else if (names_add(files, entry->d_name) == NAMES_NONE)
            error = no_room(problem);
    }
    closedir(listing);
    if (!error && files->count == 0)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: holds no .json and no .json.gz: name a folder with LEAF's files",
                            folder);
    if (!error)
        qsort(files->texts, files->count, sizeof *files->texts, compare_files);
    return error;
}

static enum starling_error read_folder(struct leaf *leaf, const char *folder, struct dataset *rows,
                                       bool training, struct problem *problem)
{
    struct names files = {0};
    size_t capacity = 0;
    enum starling_error error = list_files(folder, &files, problem);
    for (size_t i = 0; i < files.count && !error; i++) {
        char path[PATH_SIZE];
        int length = snprintf(path, sizeof path, "%s/%s", folder, files.texts[i]);
        if (length < 0 || (size_t)length >= sizeof path)
            error = problem_set(problem, STARLING_INVALID,
                                "%.100s...: the path is too long: choose a shorter one", folder);
        else
            error = read_file(leaf, path, rows, &capacity, training, problem);
    }
    if (!error && rows->examples == 0)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: no user has an example: name a folder with LEAF's files", folder);
    names_clear(&files);
    return error;
}

enum starling_error read_leaf(const struct read_options *options, const struct data_hints *hints,
                              struct data *data, struct problem *problem)
{
    struct leaf leaf = {0};
    char train[PATH_SIZE], test[PATH_SIZE];
    int length = snprintf(train, sizeof train, "%s/train", options->path);
    snprintf(test, sizeof test, "%s/test", options->path);
    if (length < 0 || (size_t)length >= sizeof train)
        return problem_set(problem, STARLING_INVALID,
                           "%.100s...: the path is too long: choose a shorter one", options->path);
    bool divided = is_folder(train), with_test = divided && is_folder(test);
    enum starling_error error =
        row_names_begin(&leaf.names, options, "give every example its class in y", problem);
    if (!error)
        error = read_folder(&leaf, divided ? train : options->path, &data->train, true, problem);
    if (!error && with_test)
        error = read_folder(&leaf, test, &data->test, false, problem);
    if (!error)
        error = row_names_settle(&leaf.names, leaf.features, data, problem);
    if (!error && !with_test)
        error = dataset_set_apart(&data->train, &data->test, hints->seed, problem);
    row_names_clear(&leaf.names);
    free(leaf.told.at);
    free(leaf.listed.at);
    free(leaf.counts.at);
    free(leaf.x.at);
    free(leaf.y.at);
    return error;
}
