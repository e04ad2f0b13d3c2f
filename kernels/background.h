/* The background of a light curve: a low polynomial through what is left when the burst is taken out. */
#ifndef BURST_KERNELS_BACKGROUND_H
#define BURST_KERNELS_BACKGROUND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BACKGROUND_DEGREE = 3, BACKGROUND_BLOCKS = 1024, BACKGROUND_BLOCK_BINS = 16 };

/* Counts per bin at bin t: sum of coef[i] u^i with u = (t + 0.5 - middle) / half, at least BACKGROUND_LEAST. */
struct background {
    double middle, half;
    double coef[BACKGROUND_DEGREE + 1];
    int degree;
};
#define BACKGROUND_LEAST 1e-3

/* Fit by least squares to blocks of 16 bins, starting from their median and leaving out, in each of up to 12 rounds, blocks
 * more than 3 sigma above the fit with their two neighbours on either side, and blocks more than 5 sigma below.
 *
 * Given     counts [n_bin]   counts per bin
 *           use [n_bin]      1 where a bin may be used; blocks with fewer than half their bins in use are left out
 *           degree           0..BACKGROUND_DEGREE; lowered where fewer than 4 blocks per coefficient remain
 * Returned  *ret             false, and *ret untouched, where no block can be used
 * Notes     Above 1,024 blocks the blocks grow. A burst that fills more than half of the bins is taken for background.
 * Source    science.md A.6: GBM background is Poisson up to slow trends; |quadratic| below 3.3 % per 120 s for 99 % */
bool background_fit(const uint32_t *counts, const uint8_t *use, size_t n_bin, int degree, struct background *ret);

/* Counts expected in bin t. */
double background_at(const struct background *b, size_t t);
#endif
