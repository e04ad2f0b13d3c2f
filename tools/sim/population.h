/* Which bursts there are: for the light-curve sets. */
#ifndef BURST_SIM_POPULATION_H
#define BURST_SIM_POPULATION_H
#include "sim/profile.h"

/* Draw a burst: 70 % pulse avalanches and 30 % Norris pulses; short ones and long ones; of the long ones 9 % a single
 * slow pulse 10-40 s wide, 15 % with a quiescent gap, 10 % with a weak precursor; of the short ones 15 % with soft
 * extended emission; thinned where a trigger would seldom find them. Its pulses lie around t = 0.
 *
 * Given     mix_low, mix_high  where between the avalanches of BATSE (0) and Swift/BAT (1) to draw from
 *           peak_sigma         how bright it is in standard deviations of the logarithm: bright bursts are hard,
 *                              rho = 0.27
 * Source    science.md A.2, A.3 */
void population_draw(struct rng *r, double mix_low, double mix_high, double peak_sigma, struct burst *ret_burst);

/* S/N of a burst in the detector that sees it best, as triggers find them: ln S/N normal about ln 14 with 1.1, 4 or
 * more, and 3 % on the bright side falling as S/N^-1.2 from 100 on to 1500. science.md A.4. */
double population_snr(struct rng *r);
/* The same number in standard deviations, for population_draw. */
double population_sigma(double snr);

/* Peak flux as the sky has it, photons / cm2 / s between 50 and 300 keV over 1.024 s: N(> P) falls as P^-0.6 from 0.15
 * to 1, as 1/P to 10, as P^-1.5 beyond, to 300. science.md A.4. */
double population_flux(struct rng *r);
/* Its place in BATSE's log10 P, 0.107 +- 0.465 (A.4), in standard deviations. */
double population_flux_sigma(double flux);
#endif
