/* The coded mask of ECLAIRs and the shadow it throws. Lengths are detector pixels (4.5 mm); arrays are [z][y].
 * The flight pattern is not public: one with the same geometry and open fraction stands in for it. */
#ifndef BURST_SIM_ECLAIRS_MASK_H
#define BURST_SIM_ECLAIRS_MASK_H
#include <stdint.h>

/* Source: science.md B.1. */
enum { MASK_CELLS = 46, MASK_SIDE = 120, PLANE_SIDE = 80, PLANE_PIXELS = PLANE_SIDE * PLANE_SIDE };
enum { SKY_SIDE = MASK_SIDE + PLANE_SIDE - 1, SKY_CENTRE = 99 }; /* sky pixel 99 is on axis */
#define TAN_PER_PIXEL (4.5 / 460.0) /* detector pitch over height of the mask: one sky pixel */

struct coded_mask {
    double open[MASK_CELLS + 1][MASK_CELLS + 1]; /* open cells in [0, z) x [0, y) */
};

/* A random pattern: 40 % open cells, opaque central cross two cells wide, and every opaque cell joined to frame or
 * cross through opaque neighbours, so that the sheet holds itself. The same for the same seed. */
void mask_make(uint64_t seed, struct coded_mask *ret_mask);

/* Openness, 0 to 1, of n x n pixels whose first corner lies `z0`, `y0` pixels from the mask's corner; 0 outside. */
void mask_sample(const struct coded_mask *m, double z0, double y0, int n, float *ret_open);

/* Shadow of a source at a fractional sky pixel: openness over each detector pixel, [PLANE_SIDE][PLANE_SIDE]. */
void mask_shadow(const struct coded_mask *m, double sky_y, double sky_z, float *ret_open);
#endif
