/* A rate of charged particles against its own recent past. */
#ifndef BURST_PREPARE_PARTICLES_H
#define BURST_PREPARE_PARTICLES_H
#include "records/sample.h"

enum { PARTICLES_PAST_LEAST = 30 }; /* strides: 30.7 s */

/* The rate in the last stride of a window over the median of the strides before it.
 *
 * Given     w  window of a particle monitor: all rows and atoms are summed
 * Returned  ratio, unitless; 0 where the last stride has no data, fewer than PARTICLES_PAST_LEAST strides before it have, or
 *           their median is 0
 * Notes     A stride's rate is per valid bin and detector. The median of two minutes follows an orbit's slow changes and is not
 *           moved by a burst of particles of up to a minute. */
double particles_ratio(const struct lightcurve_window *w);
#endif
