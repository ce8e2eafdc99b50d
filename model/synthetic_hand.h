/* synthetic_hand — somebody's handwriting: made from a seed, writes digits of 28×28 pixels.
 *
 * A hand has a slant, thickness, proportions, wobble, turn, place, darkness and care of its own, a
 * favourite way to write each digit, and bends each stroke in its own manner. Pure: what a hand
 * writes depends on the numbers drawn from the streams it is lent, and on nothing else.
 */
#ifndef STARLING_SYNTHETIC_HAND_H
#define STARLING_SYNTHETIC_HAND_H

#include <stdint.h>

#include "model/random.h"
#include "model/synthetic_strokes.h"

#define HAND_SIDE 28
#define HAND_PIXELS (HAND_SIDE * HAND_SIDE)

struct hand {
    float slant;         /* shear: pixels to the right a pixel up */
    float turn;          /* radians */
    float width, height; /* pixels */
    float right, down;   /* where the middle lies, pixels off the image's */
    float radius;        /* half the width of the pen, pixels */
    float darkness;      /* of the pen, 0 to 1 */
    float carelessness;  /* how much one writing of a digit differs from the next */
    float shapes[GLYPH_COUNT][GLYPH_POINTS_MAX][2]; /* the glyphs as this hand bends them */
    float habit[GLYPH_COUNT];                       /* how likely each way among its digit's */
};

/* Draws a hand from `random`. */
void hand_make(struct hand *hand, struct random *random);

/* Writes `digit` (0 to 9) once: ink from 0 (paper) to 255. */
void hand_write(const struct hand *hand, unsigned digit, struct random *random,
                uint8_t pixels[HAND_PIXELS]);

#endif
