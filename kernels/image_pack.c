/* Samples of an image network, pixel by pixel. */
#include "kernels/image_pack.h"

enum burst_err image_job_check(const struct image_job *job, int n_image, int side, int n_sample,
                               struct burst_error *reterr)
{
    if (job->n_sample < 0 || job->n_sample > n_sample || job->n_sample > IMAGE_JOB_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "%d samples; 0 to %d fit", job->n_sample, n_sample);
    for (int i = 0; i < job->n_sample; i++) {
        const struct image_variant *v = &job->sample[i];
        if (v->image < 0 || v->image >= n_image || v->without < IMAGE_WITHOUT_SOURCES || v->without >= side * side)
            return burst_fail(reterr, BURST_E_RANGE, "sample %d is image %d of %d without %d of %d pixels", i, v->image,
                              n_image, v->without, side * side);
    }
    return BURST_OK;
}

bool image_occlude(const uint8_t *mask, int side, const struct image_scaling *s, int pixel, float *input)
{
    struct image_pixel blank = image_background(s);
    bool changed = false;
    for (int i = pixel / side - IMAGE_REACH; i <= pixel / side + IMAGE_REACH; i++)
        for (int j = pixel % side - IMAGE_REACH; j <= pixel % side + IMAGE_REACH; j++) {
            int at = i * side + j;
            if (i < 0 || i >= side || j < 0 || j >= side || mask[at] == IMAGE_PACK_IGNORE) continue;
            input[at] = blank.snr;
            input[side * side + at] = blank.mask;
            changed = true;
        }
    return changed;
}

bool image_hide_sources(const uint8_t *mask, int side, const struct image_scaling *s, float *input)
{
    struct image_pixel blank = image_background(s);
    bool changed = false;
    for (int i = 0; i < side * side; i++) {
        if (mask[i] != IMAGE_PACK_SOURCE) continue;
        input[side * side + i] = blank.mask;
        changed = true;
    }
    return changed;
}

void image_pack_one(const float *snr, const uint8_t *mask, int side, const struct image_scaling *s, int without,
                    const struct layout *as, void *ret)
{
    for (int i = 0; i < side * side; i++) {
        struct image_pixel px = image_pixel_without(snr[i], mask[i], i / side, i % side, side, without, s);
        for (int64_t c = 0; c < as->n_padded; c++)
            layout_put(ret, as->bf16, i * as->n_padded + c, c == 0 ? px.snr : c == 1 ? px.mask : 0.0F);
    }
}
