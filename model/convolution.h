/* convolution — every output a weighted sum over a small window of each input channel.
 *
 * Images lie in groups of LANES, as in lanes.h; a pointer to some is 64-byte aligned. The window is
 * kernel_height × kernel_width places, moves by one, and reaches over the rim by `pad` places that
 * count as zero. Weights: out channels × in channels × kernel_height × kernel_width.
 * Cross-correlation, as every library has it. Near the machine's peak from three channels on: no
 * copies of windows are made.
 */
#ifndef STARLING_CONVOLUTION_H
#define STARLING_CONVOLUTION_H

#include <stddef.h>

struct image {
    size_t channels, height, width;
};

struct convolution {
    struct image in, out; /* out.height = in.height + 2 pad_height − kernel_height + 1, and so the
                             width */
    size_t kernel_height, kernel_width;
    size_t pad_height, pad_width; /* less than that side of the kernel */
};

/* Floats of one group of images, and of its copy with `pad` zeros left and right of each row. */
size_t convolution_group(struct image image);
size_t convolution_padded(struct image image, size_t pad);
void convolution_pad(float *padded, const float *group, struct image image, size_t pad);

size_t convolution_weights(const struct convolution *convolution);

/* `in` is padded by pad_width; bias: out channels, or NULL. */
void convolution_sum(const struct convolution *convolution, const float *in, const float *weights,
                     const float *bias, float *out);

/* The gradient by the weights (overwritten) of `groups` groups, one behind the other, from that by
 * their outputs; `in` as above. `lent` has convolution_lent floats, 64-byte aligned. */
size_t convolution_lent(const struct convolution *convolution);
void convolution_gradient(const struct convolution *convolution, const float *in,
                          const float *by_out, size_t groups, float *lent, float *gradient);

/* The convolution that leads from the gradient by the outputs to that by the inputs, and its
 * weights: `turned` takes as many as `weights` has. */
struct convolution convolution_back(const struct convolution *convolution);
void convolution_turn(const struct convolution *convolution, const float *weights, float *turned);

#endif
