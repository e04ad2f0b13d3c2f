/* Detector plane to sky: balanced cross-correlation with the mask. One object per thread. */
#ifndef BURST_SIM_ECLAIRS_DECODE_H
#define BURST_SIM_ECLAIRS_DECODE_H
#include "base/err.h"
#include "sim/eclairs_mask.h"

struct decoder;

/* Errors    BURST_E_NOMEM; *ret_d untouched
 * Notes     Plans are made here: FFTW's planner is for one thread at a time, decoding is not. */
enum burst_err decoder_new(const struct coded_mask *m, struct decoder **ret_d, struct burst_error *reterr);
void decoder_free(struct decoder *d); /* NULL is accepted */

/* Which pixels count: [PLANE_SIDE][PLANE_SIDE] 1 or 0. Needed before decode_sky, once for any number of exposures. */
void decoder_set_alive(struct decoder *d, const float *alive);

/* Decode one exposure.
 *
 * Given     residual [PLANE_SIDE][PLANE_SIDE]  counts minus model, 0 on dead pixels
 *           counts   [PLANE_SIDE][PLANE_SIDE]  counts, 0 on dead pixels: their variance
 * Returned  ret_snr [SKY_SIDE][SKY_SIDE]  sigma; NaN where less than 2 % of the plane sees the sky through the mask
 * Source    science.md B.2 step 5; Goldwurm & Gros 2023, section on balanced deconvolution */
void decode_sky(struct decoder *d, const float *residual, const float *counts, float *ret_snr);

/* What a sky of many directions throws on the plane: sum over sky pixels of `weight` times the mask's shadow.
 *
 * Given     weight  [SKY_SIDE][SKY_SIDE]
 * Returned  ret_plane [PLANE_SIDE][PLANE_SIDE] */
void project_sky(struct decoder *d, const float *weight, float *ret_plane);
#endif
