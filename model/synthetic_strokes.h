/* synthetic_strokes — how the ten digits are written, as strokes of a pen.
 *
 * A glyph is one way to write a digit, in a box from (0, 0) at the upper left to (1, 1). Strokes
 * share points, so that a hand that moves a point moves every stroke through it.
 */
#ifndef STARLING_SYNTHETIC_STROKES_H
#define STARLING_SYNTHETIC_STROKES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLYPH_POINTS_MAX 14
#define GLYPH_STROKES_MAX 3
#define GLYPH_COUNT 22

struct stroke {
    bool smooth;   /* a curve through the points (Catmull and Rom 1974), else straight lines */
    uint8_t count; /* of points; a smooth stroke that ends where it began is closed */
    uint8_t points[GLYPH_POINTS_MAX];
};

struct glyph {
    uint8_t digit;
    uint8_t point_count, stroke_count;
    float points[GLYPH_POINTS_MAX][2];
    struct stroke strokes[GLYPH_STROKES_MAX];
};

extern const struct glyph glyphs[GLYPH_COUNT]; /* by digit: the ways to write one lie together */

#endif
