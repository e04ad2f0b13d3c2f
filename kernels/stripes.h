/* Does an image consist of stripes along one of its axes? */
#ifndef BURST_KERNELS_STRIPES_H
#define BURST_KERNELS_STRIPES_H
#include <stdbool.h>
#include <stdint.h>

enum { STRIPES_LINE_LEAST = 20 }; /* pixels in use: shorter lines say nothing about stripes */

/* How much the means of lines vary, over what independent pixels would give: 1 for white noise; the correlation length in
 * pixels for noise that is correlated; up to the side of the image where every line is of one value. */
struct stripes {
    double along_rows, along_columns;
};

/* Given     value [side][side]  finite where in use
 *           use [side][side]    1 where a pixel may be used
 * Returned  *ret                mean over lines with enough pixels of n (mean of the line - mean of all)^2 / variance of all
 *                               pixels in use; 0 for an axis without such lines
 *           false, and *ret untouched, where no pixel is in use or all are equal */
bool stripes_measure(const float *value, const uint8_t *use, int side, struct stripes *ret);
#endif
