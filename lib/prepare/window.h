/* Storage of light-curve windows and the network's input made from one. */
#ifndef BURST_PREPARE_WINDOW_H
#define BURST_PREPARE_WINDOW_H
#include "records/sample.h"

/* All storage of a window at once: rows for n_detector detectors of ATOM_MAX atoms each.
 *
 * Given     n_detector  1..DETECTOR_MAX
 * Returned  *ret_w      zeroed; the caller frees it with window_free
 * Errors    BURST_E_SHAPE, BURST_E_NOMEM; *ret_w untouched */
enum burst_err window_new(int n_detector, struct lightcurve_window **ret_w, struct burst_error *reterr);
/* NULL is accepted. */
void window_free(struct lightcurve_window *w);

/* Copy a window with its counts into other storage.
 * Errors    BURST_E_SHAPE  `to` has fewer rows of storage than `from` uses; `to` untouched */
enum burst_err window_copy(const struct lightcurve_window *from, struct lightcurve_window *to,
                           struct burst_error *reterr);

/* The network's input of one row: each band a sum of atoms, standardised over its valid bins, missing bins 0.
 *
 * Given     row                           0..n_detector-1
 * Returned  ret_z [n_band][WINDOW_BINS]   unitless
 * Source    protocol.md 4; kernels/standardise.h */
void window_standardise(const struct lightcurve_window *w, int row, float *ret_z);
#endif
