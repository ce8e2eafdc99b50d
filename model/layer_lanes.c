/* lanes, rows — into the layout of images, and out of it again.
 *
 * Rows of features hold the channels of a pixel together, lanes each channel by itself; rows that
 * come out of lanes keep the order of lanes. */
#include "model/layer.h"

static size_t lanes_count(const struct layer *layer)
{
    (void)layer;
    return 0;
}

static void lanes_forward(const struct layer *layer, const float *parameters, const float *in,
                          size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)parameters;
    (void)saved;
    (void)workspace;
    lanes_from_rows(out, in, batch, layer->inputs, layer->window.in.channels);
}

static void lanes_backward(const struct layer *layer, const float *parameters, const float *in,
                           const float *out, const float *saved, const float *out_gradient,
                           size_t batch, float *gradient, float *in_gradient,
                           struct workspace *workspace)
{
    (void)parameters;
    (void)in;
    (void)out;
    (void)saved;
    (void)gradient;
    (void)workspace;
    if (in_gradient)
        lanes_to_rows(in_gradient, out_gradient, batch, layer->inputs, layer->window.in.channels);
}

const struct layer_kind layer_lanes = {
    .name = "lanes",
    .chooses = true,
    .count = lanes_count,
    .forward = lanes_forward,
    .backward = lanes_backward,
};

static void rows_forward(const struct layer *layer, const float *parameters, const float *in,
                         size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)parameters;
    (void)saved;
    (void)workspace;
    lanes_to_rows(out, in, batch, layer->inputs, 1);
}

static void rows_backward(const struct layer *layer, const float *parameters, const float *in,
                          const float *out, const float *saved, const float *out_gradient,
                          size_t batch, float *gradient, float *in_gradient,
                          struct workspace *workspace)
{
    (void)parameters;
    (void)in;
    (void)out;
    (void)saved;
    (void)gradient;
    (void)workspace;
    if (in_gradient)
        lanes_from_rows(in_gradient, out_gradient, batch, layer->inputs, 1);
}

const struct layer_kind layer_rows = {
    .name = "rows",
    .chooses = true,
    .count = lanes_count,
    .forward = rows_forward,
    .backward = rows_backward,
};
