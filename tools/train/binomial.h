/* Exact binomial draws: what stays when each count is kept by chance. */
#ifndef BURST_TRAIN_BINOMIAL_H
#define BURST_TRAIN_BINOMIAL_H
#include "sim/rng.h"

/* How many of n are kept, each with probability p. p at or below 0 keeps none, at or above 1 all.
 * Notes   No normal approximation anywhere: counts thinned with it stay exactly Poisson.
 * Source  Hormann 1993, J. Stat. Comput. Simul. 46, 101 (transformed rejection, BTRS) from n p = 10 on; below, the sum of
 *         probabilities */
uint32_t binomial_draw(struct rng *r, uint32_t n, double p);
#endif
