/* plot_axis — from values to places on a chart, and the round numbers that are written beside it.
 * Of the plots alone (sim/plot.h).
 */
#ifndef STARLING_PLOT_AXIS_H
#define STARLING_PLOT_AXIS_H

#include "sim/plot.h"

#define PLOT_ACROSS 1000.0 /* units of the x axis, however wide the chart is */
#define PLOT_TICK_TEXT 32

/* A scale from values to places between `begin` and `end`, whose ends are multiples of `step`. */
struct axis {
    double low, high, step;
    double begin, end;
    enum plot_unit unit;
};

struct axis axis_make(double low, double high, enum plot_unit unit, double begin, double end);

/* A time axis ends where its data ends: a round number would leave an empty strip. */
struct axis axis_tight(double low, double high, enum plot_unit unit, double begin, double end);

double axis_place(const struct axis *axis, double value);

/* The round number of this index on the axis; false past the end. */
bool axis_tick(const struct axis *axis, int index, double *value);
void axis_tick_text(const struct axis *axis, double value, char out[PLOT_TICK_TEXT]);

/* The lines and numbers of the axes, at the edges of an area of `height`. name: NULL for none. */
void axis_write_x(const struct axis *x, double height, const char *name, FILE *file);
void axis_write_y(const struct axis *y, FILE *file);

/* Widens [low, high], which begin as (INFINITY, −INFINITY), to hold what is finite. */
void axis_stretch(double value, double *low, double *high);
void axis_stretch_all(const double *values, size_t count, double *low, double *high);

/* The area of a chart, between which its SVG goes, and within it that which stretches. */
void plot_area_begin(const char *title, unsigned height, bool numbered, FILE *file);
void plot_area_end(FILE *file); /* the SVG; what lies over it may follow, then plot_end */
void plot_end(FILE *file);
/* cut: nothing shows beyond its edges. */
void plot_stretch_begin(unsigned height, bool cut, FILE *file);
void plot_stretch_end(FILE *file);

/* An entry of the key above a chart. */
void plot_key(const char *name, const char *kind, unsigned colour, FILE *file);

#endif
