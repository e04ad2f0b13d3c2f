/* What a network is given, made from counts: the arithmetic of the daemon, and the scalings it was compared with. */
#ifndef BURST_TRAIN_PREPARE_H
#define BURST_TRAIN_PREPARE_H
#include "train/curves.h"

enum scaling {
    SCALING_STANDARDISE,    /* (x - mean) / deviation over the valid bins: what burstd serves */
    SCALING_NORMALISE,      /* (x - least) / (largest - least): 0..1 */
    SCALING_RUNNING,        /* (x - m) / sqrt(max(m, 1)) in [-5, 50]: m is the median of the bins around */
    SCALING_RUNNING_CAUSAL, /* the same, m of the bins before: what a stream could know */
    SCALING_N
};

struct scaling_plan {
    const uint8_t *first, *last; /* [n_band] band b is the sum of atoms [first[b], last[b]) */
    int32_t n_band;              /* 1..BAND_MAX */
    int32_t scaling;             /* enum scaling */
    int32_t together; /* 0: each band by itself; 1: one scale for all bands of a light curve (the first two scalings) */
    int32_t median_bins; /* bins that a running median looks at; 0 is a fifth of the window, at least 5 */
};

/* Light curves to the rows of input.
 *
 * Returned  ret_x [n][n_band][n_bin]  unitless; missing bins are 0
 * Errors    those of curves_check; BURST_E_SHAPE  n_band out of range or a band of no atom or of atoms that are not there
 *           BURST_E_RANGE  no such scaling; a running median of all bands together; median_bins over n_bin
 *           BURST_E_NOMEM. ret_x untouched, but for NOMEM
 * Notes     Standardised each by itself a row has the very bits of prepare/window.h's window_standardise. Where all valid bins
 *           are equal, or none is valid, the row is zeros. A running median takes the mean of the two middle values of an even
 *           number of bins; the one around a bin looks at median_bins/2 bins on each side, fewer at the window's ends, itself
 *           included; the causal one is 0 until a quarter of median_bins are known.
 * Source    science.md A.9; Zhang et al., table 2 */
enum burst_err curves_prepare(const struct curves *c, const struct scaling_plan *plan, float *ret_x,
                              struct burst_error *reterr);
#endif
