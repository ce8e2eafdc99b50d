#include "model/synthetic_hand.h"

#include <math.h>

/* How far hands differ from each other, and one writing from the next: standard deviations unless
 * said otherwise. Chosen so that a linear model reaches about nine digits in ten on people it has
 * never met, a network clearly more, and a model that saw one person's hand clearly less. */
#define SLANT_MEAN 0.12f
#define SLANT_SPREAD 0.11f
#define TURN_SPREAD 0.05f
#define WIDTH_MEAN 13.5f
#define WIDTH_SPREAD 1.3f
#define HEIGHT_MEAN 19.0f
#define HEIGHT_SPREAD 1.2f
#define PLACE_SPREAD 0.3f
#define RADIUS_LEAST 1.0f
#define RADIUS_RANGE 0.8f
#define DARKNESS_LEAST 0.7f
#define BEND_SPREAD 0.03f /* of the box: a hand's own shapes */
#define CARELESSNESS_LEAST 0.6f
#define CARELESSNESS_RANGE 0.8f
#define HABIT_SHAPE 1.0 /* of the Dirichlet that ways to write a digit are drawn from */

/* One writing, times the hand's carelessness. */
#define WOBBLE_SPREAD 0.045f /* of the box, each point */
#define SLANT_JITTER 0.1f
#define TURN_JITTER 0.06f
#define SIZE_JITTER 0.09f
#define PLACE_JITTER 0.85f
#define RADIUS_JITTER 0.12f
#define GRAIN 12 /* noise of the paper and the pen, in steps of a pixel's value */

#define PIECES 4 /* straight pieces between two points of a curve */

static float normal(struct random *random)
{
    return (float)random_normal(random);
}

static float uniform(struct random *random)
{
    return (float)random_uniform(random);
}

static float clamp(float value, float least, float most)
{
    return fminf(fmaxf(value, least), most);
}

void hand_make(struct hand *hand, struct random *random)
{
    hand->slant = SLANT_MEAN + SLANT_SPREAD * normal(random);
    hand->turn = TURN_SPREAD * normal(random);
    hand->width = clamp(WIDTH_MEAN + WIDTH_SPREAD * normal(random), 8, 20);
    hand->height = clamp(HEIGHT_MEAN + HEIGHT_SPREAD * normal(random), 14, 23);
    hand->right = PLACE_SPREAD * normal(random);
    hand->down = PLACE_SPREAD * normal(random);
    hand->radius = RADIUS_LEAST + RADIUS_RANGE * uniform(random);
    hand->darkness = DARKNESS_LEAST + (1 - DARKNESS_LEAST) * uniform(random);
    hand->carelessness = CARELESSNESS_LEAST + CARELESSNESS_RANGE * uniform(random);
    for (size_t g = 0; g < GLYPH_COUNT; g++) {
        hand->habit[g] = (float)random_gamma(random, HABIT_SHAPE);
        for (size_t p = 0; p < glyphs[g].point_count; p++)
            for (size_t axis = 0; axis < 2; axis++)
                hand->shapes[g][p][axis] = glyphs[g].points[p][axis] + BEND_SPREAD * normal(random);
    }
}

/* One of the ways to write `digit`, by the hand's habit. */
static size_t choose_glyph(const struct hand *hand, unsigned digit, struct random *random)
{
    size_t first = 0, end;
    while (glyphs[first].digit != digit)
        first++;
    float sum = 0;
    for (end = first; end < GLYPH_COUNT && glyphs[end].digit == digit; end++)
        sum += hand->habit[end];
    float left = uniform(random) * sum;
    size_t chosen = first;
    while (chosen + 1 < end && left >= hand->habit[chosen])
        left -= hand->habit[chosen++];
    return chosen;
}

/* The glyph's points for this writing, in pixels. */
static void place_points(const struct hand *hand, size_t glyph, struct random *random,
                         float points[GLYPH_POINTS_MAX][2])
{
    float care = hand->carelessness;
    float slant = hand->slant + care * SLANT_JITTER * normal(random);
    float turn = hand->turn + care * TURN_JITTER * normal(random);
    float width = hand->width * clamp(1 + care * SIZE_JITTER * normal(random), 0.7f, 1.3f);
    float height = hand->height * clamp(1 + care * SIZE_JITTER * normal(random), 0.7f, 1.2f);
    float right = hand->right + care * PLACE_JITTER * normal(random);
    float down = hand->down + care * PLACE_JITTER * normal(random);
    float cosine = cosf(turn), sine = sinf(turn);
    for (size_t p = 0; p < glyphs[glyph].point_count; p++) {
        const float *shape = hand->shapes[glyph][p];
        float x = (shape[0] - 0.5f + care * WOBBLE_SPREAD * normal(random)) * width;
        float y = (shape[1] - 0.5f + care * WOBBLE_SPREAD * normal(random)) * height;
        x -= slant * y;
        points[p][0] = HAND_SIDE / 2.0f + right + cosine * x - sine * y;
        points[p][1] = HAND_SIDE / 2.0f + down + sine * x + cosine * y;
    }
}

/* The squared distance of every pixel's middle to the ink, where it is below the reach. */
struct canvas {
    float reach;
    float distance2[HAND_PIXELS];
};

static void bounds(float a, float b, float reach, int *first, int *last)
{
    *first = (int)clamp(fminf(a, b) - reach, 0, HAND_SIDE);
    *last = (int)clamp(fmaxf(a, b) + reach + 1, 0, HAND_SIDE);
}

/* Draws a straight piece; only the pixels that it can reach are looked at. */
static void draw_line(struct canvas *canvas, const float *from, const float *to)
{
    int left, right, top, bottom;
    bounds(from[0], to[0], canvas->reach, &left, &right);
    bounds(from[1], to[1], canvas->reach, &top, &bottom);
    float along_x = to[0] - from[0], along_y = to[1] - from[1];
    float inverse = 1 / fmaxf(along_x * along_x + along_y * along_y, 1e-6f);
    for (int row = top; row < bottom; row++) {
        float *distance2 = canvas->distance2 + row * HAND_SIDE;
        float y = (float)row + 0.5f - from[1];
        for (int column = left; column < right; column++) {
            float x = (float)column + 0.5f - from[0];
            float at = (x * along_x + y * along_y) * inverse;
            at = at < 0 ? 0 : at > 1 ? 1 : at;
            float dx = x - at * along_x, dy = y - at * along_y;
            float d2 = dx * dx + dy * dy;
            distance2[column] = d2 < distance2[column] ? d2 : distance2[column];
        }
    }
}

/* The point at t between b and c on the Catmull–Rom curve through a, b, c, d. */
static float curve(float a, float b, float c, float d, float t)
{
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

static void draw_stroke(struct canvas *canvas, const struct stroke *stroke,
                        float points[GLYPH_POINTS_MAX][2])
{
    size_t last = stroke->count - 1u;
    bool closed = stroke->points[0] == stroke->points[last];
    for (size_t i = 0; i < last; i++) {
        const float *b = points[stroke->points[i]], *c = points[stroke->points[i + 1]];
        if (!stroke->smooth) {
            draw_line(canvas, b, c);
            continue;
        }
        const float *a = i > 0    ? points[stroke->points[i - 1]]
                         : closed ? points[stroke->points[last - 1]]
                                  : b;
        const float *d = i + 1 < last ? points[stroke->points[i + 2]]
                         : closed     ? points[stroke->points[1]]
                                      : c;
        float from[2] = {b[0], b[1]};
        for (int piece = 1; piece <= PIECES; piece++) {
            float t = (float)piece / PIECES;
            float to[2] = {curve(a[0], b[0], c[0], d[0], t), curve(a[1], b[1], c[1], d[1], t)};
            draw_line(canvas, from, to);
            from[0] = to[0];
            from[1] = to[1];
        }
    }
}

/* Ink where the pen passed, an edge a pixel wide around it, and the grain of paper and pen: the sum
 * of four bytes, near enough to a normal. */
static void ink(const struct canvas *canvas, float radius, float darkness, struct random *random,
                uint8_t pixels[HAND_PIXELS])
{
    for (size_t i = 0; i < HAND_PIXELS; i++) {
        float cover = 0;
        if (canvas->distance2[i] < canvas->reach * canvas->reach)
            cover = clamp(radius + 0.5f - sqrtf(canvas->distance2[i]), 0, 1);
        uint32_t draw = random_u32(random);
        int grain =
            (int)((draw & 255) + (draw >> 8 & 255) + (draw >> 16 & 255) + (draw >> 24)) - 510;
        float value = 255 * darkness * cover + (float)grain * (GRAIN / 148.0f);
        pixels[i] = (uint8_t)clamp(value, 0, 255);
    }
}

void hand_write(const struct hand *hand, unsigned digit, struct random *random,
                uint8_t pixels[HAND_PIXELS])
{
    size_t glyph = choose_glyph(hand, digit, random);
    float points[GLYPH_POINTS_MAX][2];
    place_points(hand, glyph, random, points);
    float radius =
        hand->radius * clamp(1 + hand->carelessness * RADIUS_JITTER * normal(random), 0.6f, 1.5f);
    struct canvas canvas = {.reach = radius + 0.5f};
    for (size_t i = 0; i < HAND_PIXELS; i++)
        canvas.distance2[i] = HAND_PIXELS;
    for (size_t i = 0; i < glyphs[glyph].stroke_count; i++)
        draw_stroke(&canvas, &glyphs[glyph].strokes[i], points);
    ink(&canvas, radius, hand->darkness, random, pixels);
}
