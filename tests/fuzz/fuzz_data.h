/* What holds of every data set that data_open returns, whatever the files were. */
#ifndef STARLING_FUZZ_DATA_H
#define STARLING_FUZZ_DATA_H

#include "tests/fuzz/fuzz.h"

#include <math.h>

#include "model/dataset.h"

static inline void check_dataset(const struct dataset *dataset, const struct data *data)
{
    if (dataset->examples == 0)
        return;
    must(dataset->features >= 1 && dataset->features <= DATASET_FEATURES_MAX);
    must(dataset->features == data->train.features && dataset->classes == data->train.classes);
    must(dataset->classes >= 2 && dataset->classes <= DATASET_CLASSES_MAX);
    must(!dataset->bytes != !dataset->floats);
    size_t positions = dataset_positions(dataset);
    must(positions == (dataset->symbols ? dataset->features : 1));
    must(dataset->symbols == data->train.symbols && dataset->symbols <= dataset->classes);
    float *row = malloc(dataset->features * sizeof *row);
    uint16_t *labels = malloc(positions * sizeof *labels);
    must(row != NULL && labels != NULL);
    for (uint32_t i = 0; i < dataset->examples; i++) {
        must(!dataset->users || dataset->users[i] < dataset->user_count);
        dataset_gather(dataset, &i, 1, row, labels);
        for (size_t k = 0; k < positions; k++)
            must(labels[k] < dataset->classes || (dataset->symbols && labels[k] == LABEL_NONE));
        for (size_t k = 0; k < dataset->features; k++)
            must(isfinite(row[k]) &&
                 (!dataset->symbols || (row[k] >= 0 && row[k] < (float)dataset->symbols)));
        dataset_row_hash(dataset, i);
    }
    free(labels);
    free(row);
}

static inline void check_data(const char *specification, enum dataset_scale scale)
{
    struct data_hints hints = {.seed = 1, .scale = scale};
    struct problem problem = {0};
    struct data *data = data_open(specification, &hints, &problem);
    must(data ? !problem.error : problem.error && problem.text[0]);
    if (!data)
        return;
    must(data->train.examples > 0);
    check_dataset(&data->train, data);
    check_dataset(&data->test, data);
    data_free(&data);
}

#endif
