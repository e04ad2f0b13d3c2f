/* Sub-images, whole or with something taken away, to the input of an image network: the plain C truth, and what client, worker
 * and kernel agree on. What the pixels become is image_input.h's. */
#ifndef BURST_KERNELS_IMAGE_PACK_H
#define BURST_KERNELS_IMAGE_PACK_H
#include "kernels/image_input.h"
#include "kernels/layout.h"

/* What is taken away: a pixel number >= 0 for its neighbourhood, or one of these. */
enum { IMAGE_WHOLE = -1, IMAGE_WITHOUT_SOURCES = -2 };
enum { IMAGE_REACH = 2, IMAGE_JOB_MOST = 256 };

/* Sample i: image `image` without `without`. */
struct image_variant {
    int32_t image, without;
};
/* Numbers of fixed size: it crosses processes. */
struct image_job {
    int32_t n_sample;
    struct image_variant sample[IMAGE_JOB_MOST];
};

/* Mask values that decide what can be taken away (records/sample.h has all of them). */
enum { IMAGE_PACK_IGNORE = 0, IMAGE_PACK_BACKGROUND = 1, IMAGE_PACK_SOURCE = 2 };

struct image_pixel {
    float snr, mask;
};

/* Does the pixel in `row` and `col` lie in the neighbourhood of pixel number `centre`? */
IMAGE_BOTH bool image_is_near(int row, int col, int centre, int side)
{
    int down = row - centre / side, right = col - centre % side;
    return down >= -IMAGE_REACH && down <= IMAGE_REACH && right >= -IMAGE_REACH && right <= IMAGE_REACH;
}

/* What the network sees of a pixel of background. */
IMAGE_BOTH struct image_pixel image_background(const struct image_scaling *s)
{
    struct image_pixel blank = {0.0F / s->image_scale, image_input_mask(IMAGE_PACK_BACKGROUND, s)};
    return blank;
}

/* What it sees of one pixel of a sample `without` something. */
IMAGE_BOTH struct image_pixel image_pixel_without(float snr, uint8_t mask, int row, int col, int side, int without,
                                                  const struct image_scaling *s)
{
    struct image_pixel px = {image_input_snr(snr, s), image_input_mask(mask, s)};
    if (without >= 0 && mask != IMAGE_PACK_IGNORE && image_is_near(row, col, without, side)) px = image_background(s);
    if (without == IMAGE_WITHOUT_SOURCES && mask == IMAGE_PACK_SOURCE) px.mask = image_background(s).mask;
    return px;
}

/* Check a job that came from outside.
 * Given   n_image, side   how many images there are, of side x side pixels; n_sample  most samples of one job
 * Errors  BURST_E_RANGE   a number outside those: which, and what it is */
enum burst_err image_job_check(const struct image_job *job, int n_image, int side, int n_sample,
                               struct burst_error *reterr);

/* Make the 5 x 5 pixels around `pixel` background (SNR 0, mask 1) in an input that image_input made; pixels without data stay.
 * Given     mask [side * side] of the sample; pixel 0..side*side-1
 * Changed   input [2][side * side]
 * Returned  whether anything was changed */
bool image_occlude(const uint8_t *mask, int side, const struct image_scaling *s, int pixel, float *input);
/* The same for known sources: their mask becomes background, their SNR stays. */
bool image_hide_sources(const uint8_t *mask, int side, const struct image_scaling *s, float *input);

/* One sample of a job, channels last.
 * Given     snr, mask  [side * side] of the sample's image, finite; the scaling is good (image_input checks both)
 * Returned  ret  [side * side][n_padded] as `as` says, channel 0 SNR, channel 1 mask, then zeros */
void image_pack_one(const float *snr, const uint8_t *mask, int side, const struct image_scaling *s, int without,
                    const struct layout *as, void *ret);
#endif
