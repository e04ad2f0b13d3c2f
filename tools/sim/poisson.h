/* Many Poisson counts at once, exactly and fast. */
#ifndef BURST_SIM_POISSON_H
#define BURST_SIM_POISSON_H
#include "base/err.h"
#include "sim/rng.h"
#include <stddef.h>

/* Tables shared by all threads once made. */
struct poisson_tables;

/* Errors  BURST_E_NOMEM; *ret_tables untouched */
enum burst_err poisson_new(struct poisson_tables **ret_tables, struct burst_error *reterr);
/* NULL is accepted. */
void poisson_free(struct poisson_tables *tables);

/* Draw counts of the means.
 *
 * Given     mean [n]  expected counts, at most 1e8; one that is not positive gives 0
 * Returned  counts [n]
 * Notes     A mean below 64 is split into a multiple of 1/8, whose count is looked up in a table of the cumulative
 *           distribution, and the small rest, whose count is nearly always 0: sums of Poisson counts are Poisson. Exact
 *           to the 32 bits of each uniform number; no normal approximation anywhere. Larger means: rng_poisson.
 * Source    Devroye 1986, III.2.4 (guide tables) and X.3 (additivity) */
void poisson_draw(const struct poisson_tables *tables, struct rng *r, const float *mean, size_t n, uint32_t *counts);
#endif
