/* maxpool — the largest value of each window, in lanes. Windows lie side by side; what is left at
 * the right and lower rim is left out. */
#include "model/layer.h"

#include <stdint.h>
#include <string.h>

#include "model/clones.h"

static size_t maxpool_count(const struct layer *layer)
{
    (void)layer;
    return 0;
}

/* `out` from the window of `side` × `side` places whose upper left is `in`, rows `in_row` apart. */
CLONED_INLINE void largest(float *out, const float *in, size_t in_row, size_t side)
{
    float most[LANES];
    memcpy(most, in, sizeof most);
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t lane = 0; lane < LANES; lane++) {
                float value = in[y * in_row + x * LANES + lane];
                most[lane] = value > most[lane] ? value : most[lane];
            }
    memcpy(out, most, sizeof most);
}

CLONED_INLINE void pool_row(float *out, const float *in, size_t in_row, size_t width, size_t side)
{
    for (size_t x = 0; x < width; x++)
        largest(out + x * LANES, in + x * side * LANES, in_row, side);
}

CLONES static void maxpool_forward(const struct layer *layer, const float *parameters,
                                   const float *in, size_t batch, float *out, float *saved,
                                   struct workspace *workspace)
{
    (void)parameters;
    (void)saved;
    (void)workspace;
    const struct image *from = &layer->window.in, *to = &layer->window.out;
    size_t side = layer->window.kernel_width, in_row = from->width * LANES;
    for (size_t c = 0; c < lanes_groups(batch) * from->channels; c++) {
        for (size_t y = 0; y < to->height; y++) {
            const float *row = in + (c * from->height + y * side) * in_row;
            if (side == 2)
                pool_row(out, row, in_row, to->width, 2);
            else
                pool_row(out, row, in_row, to->width, side);
            out += to->width * LANES;
        }
    }
}

/* The gradient goes to the first of the largest. */
CLONED_INLINE void hand_back(float *by_in, const float *by_out, const float *out, const float *in,
                             size_t in_row, size_t side)
{
    uint32_t open[LANES];
    for (size_t lane = 0; lane < LANES; lane++)
        open[lane] = UINT32_MAX;
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t lane = 0; lane < LANES; lane++) {
                size_t at = y * in_row + x * LANES + lane;
                uint32_t here = in[at] == out[lane] ? open[lane] : 0;
                by_in[at] = here ? by_out[lane] : 0.0f;
                open[lane] &= ~here;
            }
}

/* The same for windows of 2 × 2, in a form that becomes vector instructions. */
CLONED_INLINE void hand_back_two(float *restrict upper, float *restrict lower,
                                 const float *restrict by_out, const float *restrict out,
                                 const float *restrict in, size_t in_row)
{
    for (size_t lane = 0; lane < LANES; lane++) {
        float most = out[lane], given = by_out[lane];
        bool first = in[lane] == most, second = in[LANES + lane] == most;
        bool third = in[in_row + lane] == most;
        float left = first ? 0.0f : given;
        upper[lane] = first ? given : 0.0f;
        upper[LANES + lane] = second ? left : 0.0f;
        left = second ? 0.0f : left;
        lower[lane] = third ? left : 0.0f;
        lower[LANES + lane] = third ? 0.0f : left;
    }
}

CLONED_INLINE void hand_back_row(float *by_in, const float *by_out, const float *out,
                                 const float *in, size_t in_row, size_t width, size_t side)
{
    for (size_t x = 0; x < width; x++) {
        size_t to = x * side * LANES, from = x * LANES;
        if (side == 2)
            hand_back_two(by_in + to, by_in + in_row + to, by_out + from, out + from, in + to,
                          in_row);
        else
            hand_back(by_in + to, by_out + from, out + from, in + to, in_row, side);
    }
}

CLONES static void maxpool_backward(const struct layer *layer, const float *parameters,
                                    const float *in, const float *out, const float *saved,
                                    const float *out_gradient, size_t batch, float *gradient,
                                    float *in_gradient, struct workspace *workspace)
{
    (void)parameters;
    (void)saved;
    (void)gradient;
    (void)workspace;
    if (!in_gradient)
        return;
    const struct image *from = &layer->window.in, *to = &layer->window.out;
    size_t side = layer->window.kernel_width, in_row = from->width * LANES;
    bool rim = from->height % side || from->width % side;
    for (size_t c = 0; c < lanes_groups(batch) * from->channels; c++) {
        size_t start = c * from->height * in_row;
        if (rim)
            memset(in_gradient + start, 0, from->height * in_row * sizeof *in_gradient);
        for (size_t y = 0; y < to->height; y++) {
            size_t row = start + y * side * in_row;
            if (side == 2)
                hand_back_row(in_gradient + row, out_gradient, out, in + row, in_row, to->width, 2);
            else
                hand_back_row(in_gradient + row, out_gradient, out, in + row, in_row, to->width,
                              side);
            out_gradient += to->width * LANES;
            out += to->width * LANES;
        }
    }
}

const struct layer_kind layer_maxpool = {
    .name = "maxpool",
    .chooses = true,
    .count = maxpool_count,
    .forward = maxpool_forward,
    .backward = maxpool_backward,
};
