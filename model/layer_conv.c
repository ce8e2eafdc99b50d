/* conv — a convolution of images, in lanes.
 *
 * Parameters: weights, out channels × in channels × kernel height × kernel width, then one bias an
 * out channel. */
#include "model/layer.h"

#include "model/clones.h"
#include "model/initial.h"

static size_t conv_count(const struct layer *layer)
{
    return convolution_weights(&layer->window) + layer->window.out.channels;
}

static void conv_initialise(const struct layer *layer, bool before_relu, struct random *random,
                            float *parameters)
{
    const struct convolution *window = &layer->window;
    size_t places = window->kernel_height * window->kernel_width;
    initial_weights(parameters, convolution_weights(window), window->in.channels * places,
                    window->out.channels * places, before_relu, random);
    initial_biases(parameters + convolution_weights(window), window->out.channels);
}

/* What backward takes, the more of the two. */
static size_t conv_scratch(const struct layer *layer, size_t batch)
{
    const struct convolution *window = &layer->window;
    struct convolution back = convolution_back(window);
    size_t padded = convolution_padded(window->in, window->pad_width);
    size_t back_padded = convolution_padded(back.in, back.pad_width);
    return workspace_cost(lanes_groups(batch) * padded * sizeof(float)) +
           workspace_cost(convolution_lent(window) * sizeof(float)) +
           workspace_cost(convolution_weights(window) * sizeof(float)) +
           workspace_cost(back_padded * sizeof(float));
}

/* `in` itself where nothing is to be padded, else a padded copy. */
static const float *padded_groups(const struct convolution *window, const float *in, size_t groups,
                                  struct workspace *workspace)
{
    if (window->pad_width == 0)
        return in;
    size_t each = convolution_padded(window->in, window->pad_width);
    float *padded = workspace_take(workspace, groups * each * sizeof *padded);
    for (size_t g = 0; g < groups; g++)
        convolution_pad(padded + g * each, in + g * convolution_group(window->in), window->in,
                        window->pad_width);
    return padded;
}

static void conv_forward(const struct layer *layer, const float *parameters, const float *in,
                         size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)saved;
    const struct convolution *window = &layer->window;
    const float *biases = parameters + convolution_weights(window);
    size_t used = workspace->used;
    for (size_t g = 0; g < lanes_groups(batch); g++) {
        const float *padded =
            padded_groups(window, in + g * convolution_group(window->in), 1, workspace);
        convolution_sum(window, padded, parameters, biases, out);
        out += convolution_group(window->out);
        workspace->used = used;
    }
}

/* Four sums side by side: one alone would wait for its own last addition at every step. `count` is
 * a multiple of LANES. */
CLONES static float sum_of(const float *values, size_t count)
{
    float sum[4][LANES] = {{0.0f}};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        for (size_t part = 0; part < 4; part++)
            for (size_t lane = 0; lane < LANES; lane++)
                sum[part][lane] += values[i + part * LANES + lane];
    for (; i < count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sum[0][lane] += values[i + lane];
    float all = 0.0f;
    for (size_t part = 0; part < 4; part++)
        for (size_t lane = 0; lane < LANES; lane++)
            all += sum[part][lane];
    return all;
}

static void bias_gradient(const struct convolution *window, const float *out_gradient,
                          size_t groups, float *gradient)
{
    size_t channels = window->out.channels, each = convolution_group(window->out) / channels;
    for (size_t c = 0; c < channels; c++) {
        gradient[c] = 0.0f;
        for (size_t g = 0; g < groups; g++)
            gradient[c] += sum_of(out_gradient + (g * channels + c) * each, each);
    }
}

static void conv_backward(const struct layer *layer, const float *parameters, const float *in,
                          const float *out, const float *saved, const float *out_gradient,
                          size_t batch, float *gradient, float *in_gradient,
                          struct workspace *workspace)
{
    (void)out;
    (void)saved;
    const struct convolution *window = &layer->window;
    size_t used = workspace->used, groups = lanes_groups(batch);
    const float *padded = padded_groups(window, in, groups, workspace);
    float *lent = workspace_take(workspace, convolution_lent(window) * sizeof *lent);
    convolution_gradient(window, padded, out_gradient, groups, lent, gradient);
    bias_gradient(window, out_gradient, groups, gradient + convolution_weights(window));
    if (in_gradient) {
        struct convolution back = convolution_back(window);
        float *turned = workspace_take(workspace, convolution_weights(window) * sizeof *turned);
        convolution_turn(window, parameters, turned);
        size_t taken = workspace->used;
        for (size_t g = 0; g < groups; g++) {
            const float *by_out =
                padded_groups(&back, out_gradient + g * convolution_group(back.in), 1, workspace);
            convolution_sum(&back, by_out, turned, NULL, in_gradient);
            in_gradient += convolution_group(back.out);
            workspace->used = taken;
        }
    }
    workspace->used = used;
}

const struct layer_kind layer_conv = {
    .name = "conv",
    .count = conv_count,
    .scratch = conv_scratch,
    .initialise = conv_initialise,
    .forward = conv_forward,
    .backward = conv_backward,
};
