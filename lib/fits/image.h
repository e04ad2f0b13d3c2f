/* An image HDU seen in place. */
#ifndef BURST_FITS_IMAGE_H
#define BURST_FITS_IMAGE_H
#include "fits/gate.h"
#include <stdbool.h>

struct fits_image {
    const struct fits_hdu *hdu;
    size_t n_pixel;     /* product of the axes; 0 without axes */
    double scale, zero; /* BSCALE (1), BZERO (0) */
    bool has_blank;     /* BLANK given (integer images) */
    int64_t blank;
};

/* View an image HDU of a file that passed the gate.
 * Errors  BURST_E_SHAPE    the HDU is a table
 *         BURST_E_FORMAT, BURST_E_RANGE  BSCALE, BZERO or BLANK are no finite numbers; ret_image untouched */
enum burst_err fits_image_view(const struct fits_hdu *hdu, struct fits_image *ret_image, struct burst_error *reterr);

/* Pixel i in file order (axis 1 fastest): stored * BSCALE + BZERO; NaN where the stored integer is BLANK. i < n_pixel. */
double fits_image_pixel(const struct fits_image *image, size_t i);
/* Byte offset of pixel i in the file: for messages. */
size_t fits_image_pixel_at(const struct fits_image *image, size_t i);
#endif
