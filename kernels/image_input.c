/* See image_input.h. Checks first, writes after: a refusal leaves the caller's planes as they were. */
#include "kernels/image_input.h"
#include <math.h>
#include <stdbool.h>

static bool scaling_is_good(const struct image_scaling *s)
{
    return isfinite(s->clip_lo) && isfinite(s->clip_hi) && s->clip_lo < s->clip_hi && isfinite(s->image_scale) &&
           s->image_scale > 0 && isfinite(s->mask_scale) && s->mask_scale > 0;
}

enum burst_err image_input(const float *snr, const uint8_t *mask, size_t n_px, const struct image_scaling *s,
                           float *ret, struct burst_error *reterr)
{
    if (!scaling_is_good(s))
        return burst_fail(reterr, BURST_E_RANGE, "image scaling: clip [%g, %g], image scale %g, mask scale %g",
                          (double)s->clip_lo, (double)s->clip_hi, (double)s->image_scale, (double)s->mask_scale);
    for (size_t i = 0; i < n_px; i++)
        if (!isfinite(snr[i])) return burst_fail(reterr, BURST_E_RANGE, "image pixel %zu is not finite", i);
    for (size_t i = 0; i < n_px; i++) {
        ret[i] = image_input_snr(snr[i], s);
        ret[n_px + i] = image_input_mask(mask[i], s);
    }
    return BURST_OK;
}
