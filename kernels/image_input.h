/* Sky pixels and mask values to the two planes an image network sees. Arithmetic only: it knows no model file and no
 * FITS. */
#ifndef BURST_KERNELS_IMAGE_INPUT_H
#define BURST_KERNELS_IMAGE_INPUT_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* How a network wants its input; a model file's burst.image_clip, burst.image_scale and burst.mask_encoding. */
struct image_scaling {
    float clip_lo, clip_hi; /* sigma; pixels are cut to [lo, hi] first ... */
    float image_scale;      /* ... and divided by this */
    float mask_scale;       /* mask values are divided by this */
};

#ifdef __CUDACC__
#define IMAGE_BOTH static __host__ __device__ inline
#else
#define IMAGE_BOTH static inline
#endif

/* One pixel, and one mask value, as the network sees it. */
IMAGE_BOTH float image_input_snr(float snr, const struct image_scaling *s)
{
    float x = snr < s->clip_lo ? s->clip_lo : snr > s->clip_hi ? s->clip_hi : snr;
    return x / s->image_scale;
}

IMAGE_BOTH float image_input_mask(uint8_t mask, const struct image_scaling *s)
{
    return (float)mask / s->mask_scale;
}

/* Fill the image plane and the mask plane of one sample.
 *
 * Given     snr [n_px]   sigma, finite
 *           mask [n_px]  0 ignore, 1 background, 2 known source, 3 trigger
 *           s            clip_lo < clip_hi, both scales > 0, all finite
 * Returned  ret [2][n_px]  clip(snr) / image_scale, then mask / mask_scale
 * Errors    BURST_E_RANGE  a pixel is not finite, or the scaling is not as above; ret is then untouched
 * Source    science.md B.4: clip [-10, 30] / 5, mask / 3 for the 1,624,993-parameter network */
enum burst_err image_input(const float *snr, const uint8_t *mask, size_t n_px, const struct image_scaling *s,
                           float *ret, struct burst_error *reterr);
#endif
