/* The network's input made from a light-curve window. (Storage: records/sample.h.) */
#ifndef BURST_PREPARE_WINDOW_H
#define BURST_PREPARE_WINDOW_H
#include "records/sample.h"

/* The network's input of one row: each band a sum of atoms, standardised over its valid bins, missing bins 0.
 *
 * Given     row                           0..n_detector-1
 * Returned  ret_z [n_band][WINDOW_BINS]   unitless
 * Source    protocol.md 4; kernels/standardise.h */
void window_standardise(const struct lightcurve_window *w, int row, float *ret_z);
#endif
