/* The network's input made from a light-curve window, and what is odd about its bins. (Storage: records/sample.h.) */
#ifndef BURST_PREPARE_WINDOW_H
#define BURST_PREPARE_WINDOW_H
#include "records/sample.h"

/* The network's input of one row: each band a sum of atoms, standardised over its valid bins, missing bins 0.
 *
 * Given     row                           0..n_detector-1
 * Returned  ret_z [n_band][WINDOW_BINS]   unitless
 * Source    protocol.md 4; kernels/standardise.h */
void window_standardise(const struct lightcurve_window *w, int row, float *ret_z);

/* Add to the quality of every row what its valid bins show.
 *
 * Given     fact  the instrument's ordinary rate and limits
 * Returned  w->quality: EVENT_DEAD_TIME  over 10 % of a bin is dead time
 *                       EVENT_FAST       counts of all atoms over 100 times the ordinary rate in a bin
 *                       EVENT_SATURATED  half a bin or more is dead time, so that counts no longer follow the flux; or the rows
 *                                        of all detectors come within 5 % of what the instrument records: then of every row
 * Notes     Where the dead time is not known, neither is the first nor the last. Counts themselves are left as they are.
 * Source    reliability.md 5 T12 */
void window_judge_bins(struct lightcurve_window *w, const struct instrument_fact *fact);
#endif
