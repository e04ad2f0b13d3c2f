/* Is the excess the same in all detectors, as charged particles make it, or as uneven as a direction makes it? */
#ifndef BURST_DECIDE_ANGULAR_H
#define BURST_DECIDE_ANGULAR_H
#include <stdbool.h>

enum { ANGULAR_LEAST = 6 }; /* detectors: fewer, as SVOM/GRM's three, may well all face the source */

/* What the detectors' excesses say together. */
struct angular {
    bool tested; /* false: too few detectors, or too little excess to tell */
    double
        alike; /* natural logarithm of the likelihood ratio "all alike" over "from a direction"; positive: particles */
    double scatter; /* root mean square of (excess - mean) / mean, noise taken off; 0 where the noise is all of it */
};

/* Compare two pictures of n excesses: equal up to 10 %, or scattered by 60 % of their mean.
 *
 * Given     excess, sigma [n]  counts above background and their standard deviation, sigma > 0
 * Notes     Tested from ANGULAR_LEAST detectors and a mean excess of 5 standard deviations on. 60 %: detectors that look
 *           every way see R(theta) = 0.89 cos^1.25 + 0.12 and the like, whose scatter over a dome of GECAM-B or the 12
 *           NaI of GBM is 0.63 to 1.0 of the mean; 10 %: unequal detectors. No geometry is needed, and none is used: a
 *           test against the best direction can only be sharper.
 * Source    science.md A.5 (angular response), A.7 (DISTPAR: all detectors, equal gain within 10 %) */
struct angular angular_test(const double *excess, const double *sigma, int n);
#endif
