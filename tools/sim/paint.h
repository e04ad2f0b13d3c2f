/* A burst painted onto a grid of bins: the light-curve sets' fast way, each bin the pulse's own integral. */
#ifndef BURST_SIM_PAINT_H
#define BURST_SIM_PAINT_H
#include "sim/profile.h"
#include "sim/spacecraft.h"

/* Add a burst, its own t = 0 lying at `start_s` on the grid's time axis.
 *
 * Given     part [COLOUR_PEAKS][SIM_GROUP]  its colours in the response meant: spacecraft_colours of b->spectrum
 * Returned  rate [SIM_GROUP][grid->n_bin]: more by the mean over each bin, in counts per second for pulses that are
 *           worth `amplitude` counts per second at their top in the five atoms of a Fermi/GBM NaI on whose axis they
 *           stand
 * Notes     Pulses are integrated over bins of any length; 1e-3 of the top or better.
 * Source    science.md A.2 (widths, lags, spectral evolution) */
void burst_paint(const struct burst *b, float part[][SIM_GROUP], const struct sim_grid *grid, double start_s,
                 float *rate);

/* Seconds between 5 % and 95 % of its counts, all pulses in one colour; resolution extent / 2048. */
double burst_paint_t90(const struct burst *b);
#endif
