/* Why: Grad-CAM through the dense head, occlusion by brute force. Whoever computes, the question is put here. */
#include "infer/inside.h"
#include "kernels/image_pack.h"
#include <string.h>

enum burst_err infer_explain_window(struct infer *infer, const struct lightcurve_window *w, int row,
                                    struct window_explanation *ret, struct burst_error *reterr)
{
    if (!infer->lightcurve) return burst_fail(reterr, BURST_E_STATE, "no light-curve network is open");
    if (row < 0 || row >= w->n_detector)
        return burst_fail(reterr, BURST_E_RANGE, "row %d of a window of %d detectors", row, w->n_detector);
    enum burst_err err = infer_bands_check(infer, w, reterr);
    if (err) return err;
    if (!infer->has_head) return burst_fail(reterr, infer->no_head.code, "%s", infer->no_head.text);
    struct window_explanation x = {.detector = w->detector[row], .n_cam = (int)infer->head.n_position};
    if (!infer->device || !device_cam(infer->device, w, row, x.cam)) err = own_cam(infer, w, row, x.cam, reterr);
    if (!err) *ret = x;
    return err;
}

/* ---- occlusion ---- */

/* Is there anything to take away around this pixel? */
static bool has_data(const struct image_sample *s, int pixel)
{
    for (int i = 0; i < IMAGE_PIXELS; i++)
        if ((&s->mask[0][0])[i] != MASK_IGNORE && image_is_near(i / IMAGE_SIDE, i % IMAGE_SIDE, pixel, IMAGE_SIDE))
            return true;
    return false;
}

static bool has_source(const struct image_sample *s)
{
    return memchr(s->mask, MASK_SOURCE, sizeof s->mask) != NULL;
}

/* What is asked in one part: the whole image, some of it without a pixel's neighbourhood, at the end one without the
 * sources. */
struct part {
    int n;
    int32_t without[DEVICE_PARTS_MOST];
};

static struct part part_of(const struct image_sample *s, int from, int to)
{
    struct part p = {.n = 1, .without = {IMAGE_WHOLE}};
    for (int pixel = from; pixel < to; pixel++)
        if (has_data(s, pixel)) p.without[p.n++] = pixel;
    if (to == IMAGE_PIXELS && has_source(s)) p.without[p.n++] = IMAGE_WITHOUT_SOURCES;
    return p;
}

static void part_take(const struct infer *infer, const struct part *p, struct image_explanation *x)
{
    const struct infer_model *m = &infer->image_model;
    double whole = infer_logit(infer, m, 0);
    for (int i = 1; i < p->n; i++) {
        double logit = infer_logit(infer, m, i);
        if (p->without[i] == IMAGE_WITHOUT_SOURCES)
            x->p_without_sources = infer_probability(m, logit);
        else
            (&x->drop[0][0])[p->without[i]] = (float)(whole - logit);
    }
    x->p_without_centre = infer_probability(m, whole - (double)x->drop[IMAGE_CENTRE][IMAGE_CENTRE]);
}

enum burst_err infer_explain_image_part(struct infer *infer, const struct image_sample *sample, int n_pixel, int *done,
                                        struct image_explanation *x, struct burst_error *reterr)
{
    if (!infer->image) return burst_fail(reterr, BURST_E_STATE, "no image network is open");
    int n = n_pixel < INFER_EXPLAIN_MOST ? n_pixel : INFER_EXPLAIN_MOST, left = IMAGE_PIXELS - *done;
    int to = *done + (n < left ? n : left);
    struct part p = part_of(sample, *done, to);
    bool cuda = infer->device && device_occlude(infer->device, sample, p.without, p.n, infer->logits);
    enum burst_err err = cuda ? BURST_OK : own_occlude(infer, sample, p.without, p.n, infer->logits, reterr);
    if (err) return err;
    if (*done == 0) {
        memset(x, 0, sizeof *x);
        x->p_without_sources = -1;
    }
    part_take(infer, &p, x);
    *done = to;
    return BURST_OK;
}
