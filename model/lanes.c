#include "model/lanes.h"

#include <string.h>

#include "model/clones.h"

/* Where in a row the value lies that is `place` in lanes. */
CLONED_INLINE size_t row_place(size_t place, size_t values, size_t stride)
{
    size_t each = values / stride;
    return place / each + place % each * stride;
}

CLONES void lanes_from_rows(float *lanes, const float *rows, size_t batch, size_t values,
                            size_t stride)
{
    for (size_t start = 0; start < batch; start += LANES, lanes += values * LANES) {
        size_t used = batch - start < LANES ? batch - start : LANES;
        const float *from = rows + start * values;
        if (used < LANES)
            memset(lanes, 0, values * LANES * sizeof *lanes);
        for (size_t i = 0; i < values; i++) {
            size_t place = stride == 1 ? i : row_place(i, values, stride);
            for (size_t lane = 0; lane < used; lane++)
                lanes[i * LANES + lane] = from[lane * values + place];
        }
    }
}

CLONES void lanes_to_rows(float *rows, const float *lanes, size_t batch, size_t values,
                          size_t stride)
{
    for (size_t start = 0; start < batch; start += LANES, lanes += values * LANES) {
        size_t used = batch - start < LANES ? batch - start : LANES;
        float *to = rows + start * values;
        for (size_t lane = 0; lane < used; lane++)
            for (size_t i = 0; i < values; i++) {
                size_t place = stride == 1 ? i : row_place(i, values, stride);
                to[lane * values + place] = lanes[i * LANES + lane];
            }
    }
}
