/* Poisson-FOCuS: at every bin, the interval ending there whose excess over expected counts is the most significant, over
 * all lengths at once. */
#ifndef BURST_TRAIN_FOCUS_H
#define BURST_TRAIN_FOCUS_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* A candidate start, by what had been counted and expected before it. */
struct focus_start {
    double counts, expected;
    uint64_t bin;
};

/* One search. Candidate starts are the corners of the lower convex hull of the walk (expected, counts): a start between
 * two corners is no better than one of them whatever the brightness. */
struct focus {
    double mu_min, slope_min;
    double counts, expected; /* since the oldest candidate */
    uint64_t bin;            /* bins taken */
    size_t n, room;
    struct focus_start *start; /* [room], the oldest first; the last is the present */
};

/* The best interval that ends now. */
struct focus_peak {
    double significance; /* sqrt(2 S), S the log likelihood ratio; 0: no excess */
    uint64_t length;     /* bins; 0 where significance is 0 */
};

/* Begin with no data.
 * Given     mu_min  1 or more: the faintest burst looked for, as a factor on the expected counts. Above 1 it ends the
 *           hunt for long faint excesses, which a background only estimated always has
 * Returned  f  freed with focus_fini
 * Errors    BURST_E_RANGE  mu_min is below 1 or not finite; BURST_E_NOMEM
 * Source    Ward, Dilillo, Eckley & Fearnhead 2023, JASA (arXiv 2208.01494), sections 3 and 4 */
enum burst_err focus_init(double mu_min, struct focus *f, struct burst_error *reterr);
/* A zeroed object is accepted. */
void focus_fini(struct focus *f);
/* Forget all data: after a gap no interval reaches back over it. */
void focus_reset(struct focus *f);

/* Take the next bin.
 * Given     counts    0 or more, finite; expected: above 0, finite
 * Returned  ret_peak  the maximum of S = counts log(mu) - expected (mu - 1) over all starts and all mu of at least mu_min
 * Errors    BURST_E_RANGE, BURST_E_NOMEM; nothing is taken
 * Notes     Work per bin goes as the logarithm of the bins seen. */
enum burst_err focus_step(struct focus *f, double counts, double expected, struct focus_peak *ret_peak,
                          struct burst_error *reterr);

/* Search a whole series; bins without validity or expectation end all intervals and get 0.
 * Given     counts, expected [n_bin]; valid [n_bin] or NULL: all
 * Returned  ret_significance, ret_length [n_bin] */
enum burst_err focus_run(const double *counts, const double *expected, const uint8_t *valid, size_t n_bin,
                         double mu_min, double *ret_significance, uint32_t *ret_length, struct burst_error *reterr);
#endif
