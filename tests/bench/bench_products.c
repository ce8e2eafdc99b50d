#include "tests/bench/bench_products.h"

#include <stdlib.h>

#include "model/product.h"
#include "model/vector.h"

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Floats of the largest operand of a layer's products, with room for what packing adds. */
static size_t longest(const struct layer *layer, size_t batch)
{
    const struct convolution *window = &layer->window;
    size_t groups = lanes_groups(batch), rows = batch * layer->repeat;
    if (layer->kind == &layer_conv) {
        struct convolution back = convolution_back(window);
        size_t most = larger(convolution_padded(window->in, window->pad_width),
                             convolution_padded(back.in, back.pad_width));
        return larger(groups * most, larger(convolution_lent(window), layer->parameters));
    }
    size_t wide = product_packed_columns(3 * layer->outputs);
    return larger(wide * larger(layer->inputs, rows), rows * larger(layer->inputs, layer->outputs));
}

void products_begin(struct products *products, const struct plan *plan, size_t batch)
{
    size_t count = 0;
    for (size_t l = 0; l < plan->layer_count; l++)
        count = larger(count, longest(&plan->layers[l], batch));
    *products = (struct products){.plan = plan,
                                  .batch = batch,
                                  .a = vector_new(count),
                                  .b = vector_new(count),
                                  .out = vector_new(count),
                                  .lent = vector_new(count)};
    if (!products->a || !products->b || !products->out || !products->lent)
        abort();
    for (size_t i = 0; i < count; i++)
        products->a[i] = products->b[i] = (float)(i % 7) * 0.1f;
}

void products_end(struct products *products)
{
    vector_free(products->a);
    vector_free(products->b);
    vector_free(products->out);
    vector_free(products->lent);
}

/* The first layer with parameters hands no gradient back. */
static bool is_first(const struct plan *plan, size_t l)
{
    while (l-- > 0)
        if (plan->layers[l].parameters > 0)
            return false;
    return true;
}

static double layer_operations(const struct layer *layer, size_t batch, bool first)
{
    double rows = (double)(batch * layer->repeat), ways = first ? 2 : 3;
    if (layer->kind == &layer_dense)
        return ways * 2 * rows * (double)layer->inputs * (double)layer->outputs;
    if (layer->kind == &layer_gru)
        return 3 * 2 * rows * 3 * (double)layer->outputs * (double)layer->outputs;
    if (layer->kind == &layer_conv)
        return ways * 2 * rows * (double)convolution_weights(&layer->window) *
               (double)(layer->window.out.height * layer->window.out.width);
    return 0;
}

double products_operations(const struct products *products)
{
    double sum = 0;
    for (size_t l = 0; l < products->plan->layer_count; l++)
        sum += layer_operations(&products->plan->layers[l], products->batch,
                                is_first(products->plan, l));
    return sum;
}

static void run_dense(const struct products *with, const struct layer *layer, bool first)
{
    static const struct descent descent = {.rate = 1e-9f, .beta = 0.9f};
    size_t rows = with->batch * layer->repeat, inputs = layer->inputs, outputs = layer->outputs;
    product_abt(with->out, with->a, with->b, rows, outputs, inputs);
    if (!first)
        product_ab(with->out, with->a, with->b, rows, inputs, outputs);
    product_atb_descend(with->out, with->lent, with->a, with->b, outputs, inputs, rows, &descent);
}

static void run_gru(const struct products *with, const struct layer *layer)
{
    size_t units = layer->outputs, positions = layer->repeat, batch = with->batch;
    for (size_t t = 0; t < positions; t++) {
        product_ab_packed(with->out, product_packed_columns(3 * units), with->a, units, with->b,
                          batch, 3 * units, units);
        product_ab_packed(with->out, product_packed_columns(units), with->a, 3 * units, with->b,
                          batch, units, 3 * units);
    }
    product_atb(with->out, with->a, with->b, units, 3 * units, batch * positions);
}

static void run_conv(const struct products *with, const struct layer *layer, bool first)
{
    const struct convolution *window = &layer->window;
    struct convolution back = convolution_back(window);
    size_t groups = lanes_groups(with->batch);
    for (size_t g = 0; g < groups; g++)
        convolution_sum(window, with->a + g * convolution_padded(window->in, window->pad_width),
                        with->b, NULL, with->out);
    for (size_t g = 0; g < groups && !first; g++)
        convolution_sum(&back, with->a, with->b, NULL, with->out);
    convolution_gradient(window, with->a, with->b, groups, with->lent, with->out);
}

void products_run(struct products *products)
{
    const struct plan *plan = products->plan;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const struct layer *layer = &plan->layers[l];
        if (layer->kind == &layer_dense)
            run_dense(products, layer, is_first(plan, l));
        else if (layer->kind == &layer_gru)
            run_gru(products, layer);
        else if (layer->kind == &layer_conv)
            run_conv(products, layer, is_first(plan, l));
    }
}
