/* Gaussian likelihoods of the two pictures. */
#include "decide/angular.h"
#include <math.h>

#define ALIKE_PART     0.10
#define DIRECTION_PART 0.60
#define MEAN_SIGMA     5.0

struct angular angular_test(const double *excess, const double *sigma, int n)
{
    struct angular a = {.tested = false};
    double mean = 0, noise2 = 0, spread2 = 0;
    for (int i = 0; i < n; i++) {
        mean += excess[i];
        noise2 += sigma[i] * sigma[i];
    }
    if (n < ANGULAR_LEAST || mean < MEAN_SIGMA * sqrt(noise2)) return a;
    mean /= n;
    for (int i = 0; i < n; i++) {
        double square = (excess[i] - mean) * (excess[i] - mean), s2 = sigma[i] * sigma[i];
        double alike2 = s2 + ALIKE_PART * ALIKE_PART * mean * mean;
        double direction2 = s2 + DIRECTION_PART * DIRECTION_PART * mean * mean;
        a.alike += 0.5 * (log(direction2 / alike2) + square / direction2 - square / alike2);
        spread2 += square;
    }
    double own2 = (spread2 - noise2) / n;
    a.scatter = own2 > 0 ? sqrt(own2) / mean : 0;
    a.tested = true;
    return a;
}
