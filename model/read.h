/* read — the door of each file format; a reader is one file and one line in data_open's table.
 *
 * Readers fill data->train and data->test unscaled, check every length and number before use, and
 * leave nothing half read: on failure the caller frees what there is.
 */
#ifndef STARLING_READ_H
#define STARLING_READ_H

#include "model/dataset.h"

/* The part of a specification after "kind:", with its "?key=value&…" taken apart. */
struct read_options {
    const char *path;
    const char *label, *user, *ignore, *test; /* NULL where not given; as written */
    const char *writers;
    const char *features;
    const char *shape; /* of images in a table; data_open's affair */
    const char *by, *length, *alphabet, *windows;
    const char *classes; /* how many there are, where a share of the data may lack some */
};

/* The number that `text`, given as the option `key`, says; left as it is when `text` is NULL.
 * STARLING_INVALID when it is none from least to most. */
enum starling_error read_option_number(const struct read_options *options, const char *key,
                                       const char *text, size_t least, size_t most, size_t *number,
                                       struct problem *problem);

/* options->classes as a number, 0 where it is not given; STARLING_INVALID when it is none. */
enum starling_error read_classes(const struct read_options *options, size_t *classes,
                                 struct problem *problem);

typedef enum starling_error read_function(const struct read_options *options,
                                          const struct data_hints *hints, struct data *data,
                                          struct problem *problem);

read_function read_idx;       /* idx:DIR   MNIST's four files, gzip or not */
read_function read_csv;       /* csv:FILE  a table, gzip or not */
read_function read_libsvm;    /* libsvm:FILE  LIBSVM's sparse text, gzip or not */
read_function read_leaf;      /* leaf:DIR  LEAF's JSON, a list of examples a user */
read_function read_text;      /* text:FILE  characters to be foretold, gzip or not */
read_function read_synthetic; /* synth:writers  handwriting-like digits, made from the seed */

#endif
