/* How far counts stand above an expected background, over any stretch of bins. */
#ifndef BURST_KERNELS_SIGNIFICANCE_H
#define BURST_KERNELS_SIGNIFICANCE_H
#include <stddef.h>
#include <stdint.h>

/* Running sums over bins [0, t): counts seen and counts expected. Bins that are not data add nothing to either. */
struct running {
    size_t n_bin;
    const double *seen, *expected; /* [n_bin + 1], first element 0 */
};

/* A stretch [from, to). */
struct stretch {
    size_t from, to;
    double snr; /* (seen - expected) / sqrt(max(expected, 1)) */
};

double stretch_excess(const struct running *r, size_t from, size_t to);
/* (seen - expected) / sqrt(max(expected, 1)): the S/N people quote. 0 for an empty stretch. */
double stretch_snr(const struct running *r, size_t from, size_t to);
/* Signed square root of the Poisson likelihood ratio: honest in few counts, negative below the background. 0 where nothing is
 * expected. */
double stretch_sigma(const struct running *r, size_t from, size_t to);

/* The stretch inside [from, to) with the highest S/N among lengths 1, 2, 4 ... up to `longest` bins; the first of equals.
 * Notes     Where [from, to) is empty the answer is empty, snr 0. */
struct stretch stretch_best(const struct running *r, size_t from, size_t to, size_t longest);

/* Where the excess that ends at `end` begins: the start in [end - longest, end) of the highest likelihood ratio, then further
 * back as long as a stretch of at most `longest` bins before it stands at least `sigma` above the background. */
size_t stretch_onset(const struct running *r, size_t end, size_t longest, double sigma);
/* The same towards later bins: where the excess that begins at `begin` has ended. */
size_t stretch_ending(const struct running *r, size_t begin, size_t longest, double sigma);
#endif
