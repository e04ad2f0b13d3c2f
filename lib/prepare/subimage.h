/* A sub-image to the fixed frame a network sees: 56 x 56 with the trigger pixel at [28][28], and a mask that says what
 * every pixel is. It refuses images whose geometry cannot be trusted; it never invents a pixel. */
#ifndef BURST_PREPARE_SUBIMAGE_H
#define BURST_PREPARE_SUBIMAGE_H
#include "base/err.h"
#include "prepare/catalogue.h"
#include "records/sample.h"

/* Place, pad and mask one sub-image.
 *
 * Given     p  lent: ret_s->packet points to it. n_y, n_z 1..56; sky_n 1..4096; trigger pixel and image lie in the sky;
 *              snr [n_z][n_y] finite, or NaN where no data came
 *           c  lent for the call; Moon and Sun at the middle of the exposure count as two more sources
 * Returned  ret_s  snr 0 where the mask is MASK_IGNORE; mask by the first rule that fits: MASK_IGNORE without data or
 *                  outside the image, MASK_TRIGGER, MASK_SOURCE within 1.0 pixel of a source, MASK_BACKGROUND.
 *                  nearest_px and nearest_name ("Moon" and "Sun" for those) are over the whole sky image.
 *                  arrived_mono_ns and decode_s are 0: the caller sets them.
 * Errors    BURST_E_SHAPE  n_y or n_z out of range
 *           BURST_E_RANGE  sky_n, image or trigger pixel outside the sky, an infinite pixel, a wcs that
 *                          sky_from_pixels refuses; ret_s is untouched on every error
 * Notes     IMAGE_TRIGGER_NO_DATA: the trigger pixel is NaN, or was not sent. IMAGE_PARTIAL: n_missing > 0, where
 *           n_missing counts frame pixels inside the sky without data, be it a lost packet or the edge of the coded
 *           field: a file does not tell those apart.
 * Source    protocol.md 5 */
enum burst_err subimage_prepare(const struct subimage_packet *p, const struct catalogue *c, struct image_sample *ret_s,
                                struct burst_error *reterr);
#endif
