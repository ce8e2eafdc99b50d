/* bench_products — the matrix products of one training step, by themselves.
 *
 * The same products by the same functions on the same sizes as the layers of a model ask for, on
 * numbers of no meaning; convolutions count as the products they are.
 */
#ifndef STARLING_BENCH_PRODUCTS_H
#define STARLING_BENCH_PRODUCTS_H

#include <stddef.h>

#include "model/plan.h"

struct products {
    const struct plan *plan;
    size_t batch;
    float *a, *b, *out, *lent; /* long enough for every layer */
};

/* Aborts when memory is out. */
void products_begin(struct products *products, const struct plan *plan, size_t batch);
void products_end(struct products *products);

/* Floating-point operations of a step's products: a multiplication and an addition are two. */
double products_operations(const struct products *products);
void products_run(struct products *products);

#endif
