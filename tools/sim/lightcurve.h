/* How bright a happening is in a light curve. */
#ifndef BURST_SIM_LIGHTCURVE_H
#define BURST_SIM_LIGHTCURVE_H
#include <stddef.h>
#include <stdint.h>

/* Best expected S/N of `signal` over `background` (both counts per bin, valid bins only) over lengths of 1, 2, 4 ...
 * 128 bins (8.192 s, as flight triggers). */
double lightcurve_snr(const double *signal, const double *background, const uint8_t *valid, size_t n_bin);
#endif
