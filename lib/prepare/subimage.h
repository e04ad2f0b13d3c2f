/* A sub-image to the fixed frame a network sees: 56 x 56 with the trigger pixel at [28][28], and a mask that says what
 * every pixel is. It refuses images whose geometry cannot be trusted; it never invents a pixel. */
#ifndef BURST_PREPARE_SUBIMAGE_H
#define BURST_PREPARE_SUBIMAGE_H
#include "base/err.h"
#include "prepare/catalogue.h"
#include "records/sample.h"

/* Place, pad and mask one sub-image.
 *
 * Given     p         lent: ret_s->packet points to it. n_y, n_z 1..56; sky_n 1..4096; trigger pixel and image lie in the
 *                     sky; snr [n_z][n_y] finite, or NaN where no data came
 *           c         lent for the call; Moon and Sun at the middle of the exposure count as two more sources
 *           platform  the satellite at the middle of the exposure: the Moon is put where it was seen from there; NULL or
 *                     without position: where the centre of the Earth sees it, up to 1.2 degrees off
 * Returned  ret_s  snr 0 where the mask is MASK_IGNORE; mask by the first rule that fits: MASK_IGNORE without data or
 *                  outside the image, MASK_TRIGGER, MASK_SOURCE within 1.0 pixel of a source, MASK_BACKGROUND. Moon and
 *                  Sun are discs: what lies within 1.0 pixel of any part of them is marked.
 *                  nearest_px and nearest_name ("Moon" and "Sun" for those, their centre or limb) are over the whole sky
 *                  image. config_sha256, arrived_mono_ns and decode_s are 0: the caller sets them.
 * Errors    BURST_E_SHAPE  n_y or n_z out of range
 *           BURST_E_RANGE  sky_n, image or trigger pixel outside the sky, an infinite pixel, a wcs that
 *                          sky_from_pixels refuses; ret_s is untouched on every error
 * Notes     IMAGE_TRIGGER_NO_DATA: the trigger pixel is NaN, or was not sent. IMAGE_PARTIAL: n_missing > 0, where
 *           n_missing counts frame pixels inside the sky without data, be it a lost packet or the edge of the coded
 *           field: a file does not tell those apart. IMAGE_SPARSE: less than a quarter of the frame has data.
 *           With SUBIMAGE_NO_WCS nothing is known of the sky: no position, no source in the mask, nearest_px negative.
 *           A Moon that moves during a long exposure is marked where it stood in the middle.
 * Source    protocol.md 5; docs/decisions/0008 */
enum burst_err subimage_prepare(const struct subimage_packet *p, const struct catalogue *c,
                                const struct platform_state *platform, struct image_sample *ret_s,
                                struct burst_error *reterr);
#endif
