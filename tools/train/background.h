/* The background under a burst: a polynomial through the bins outside it, for each atom. */
#ifndef BURST_TRAIN_BACKGROUND_H
#define BURST_TRAIN_BACKGROUND_H
#include "train/curves.h"
#include <stdbool.h>

enum { CURVE_DEGREE_MOST = 4 };
#define CURVE_BACKGROUND_LEAST 1e-3 /* counts per bin: a background is never negative, nor nothing */

/* Fit by Poisson likelihood: weighted least squares, the weights 1 / expected, renewed until they stand.
 *
 * Given     onset_bin, stop_bin [n]  bins [onset, stop) are the burst's; onset = stop: there is none. May lie outside the window
 *           degree                   0..CURVE_DEGREE_MOST; lowered where fewer than 3 bins per coefficient are left, and where
 *                                    the burst or a gap leaves bins on one side only, to 1 at most
 * Returned  ret_background [n][n_atom][n_bin]  counts expected, >= CURVE_BACKGROUND_LEAST, in missing bins too
 * Errors    those of curves_check; BURST_E_RANGE  the degree; BURST_E_MISSING  a NULL, or a row without a valid bin outside its
 *           burst: which one. ret_background may then be written
 * Notes     Beyond the outermost bins that were fitted the polynomial is held at its value there: it does not run away.
 * Source    science.md A.6 and A.8 */
enum burst_err curves_background(const struct curves *c, const int32_t *onset_bin, const int32_t *stop_bin, int degree,
                                 float *ret_background, struct burst_error *reterr);

/* The same for one row of counts. False, ret untouched, where no bin may be used.
 * Given     use [n_bin]  1 where a bin is background */
bool background_fit_row(const double *counts, const uint8_t *use, size_t n_bin, int degree, double *ret);
#endif
