/* Why: Grad-CAM through the dense head, occlusion by brute force. */
#include "infer/inside.h"
#include "kernels/cam.h"
#include "kernels/image_pack.h"
#include <string.h>

_Static_assert((int)MASK_IGNORE == (int)IMAGE_PACK_IGNORE && (int)MASK_BACKGROUND == (int)IMAGE_PACK_BACKGROUND &&
                   (int)MASK_SOURCE == (int)IMAGE_PACK_SOURCE && (int)NET_HEAD_LAYERS == (int)HEAD_LAYERS,
               "kernels and records number alike");

/* ---- Grad-CAM ---- */

static enum burst_err head_take(const struct net_head *from, struct head *ret, struct burst_error *reterr)
{
    ret->n_layer = from->n_layer;
    for (int i = 0; i < from->n_layer; i++) {
        const struct net_layer *l = &from->layer[i];
        ret->layer[i] = (struct head_layer){l->n_in, l->n_out, l->weight, l->bias, l->relu};
    }
    if (head_fits(ret, from->n_channel)) return BURST_OK;
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "a dense head wider than %d cannot be explained", HEAD_WIDTH_MOST);
}

enum burst_err infer_cam(struct infer *infer, struct window_explanation *ret, struct burst_error *reterr)
{
    const struct infer_model *m = &infer->lightcurve_model;
    const struct net_head *h = &infer->head;
    if (!infer->has_head) return burst_fail(reterr, infer->no_head.code, "%s", infer->no_head.text);
    struct head head;
    enum burst_err err = head_take(h, &head, reterr);
    if (!err) err = infer_run(infer, infer->lightcurve, m, 1, reterr);
    size_t n = (size_t)h->n_channel * (size_t)h->n_position;
    if (!err) err = net_read(infer->lightcurve, h->name, infer->feature, n, NULL, reterr);
    if (err) return err;
    cam_plane(&head, h->n_channel, h->n_position, infer->feature, m->n_logit == 1 ? 0 : m->true_index, ret->cam);
    ret->n_cam = (int)h->n_position;
    return BURST_OK;
}

enum burst_err infer_explain_window(struct infer *infer, const struct lightcurve_window *w, int row,
                                    struct window_explanation *ret, struct burst_error *reterr)
{
    if (!infer->lightcurve) return burst_fail(reterr, BURST_E_STATE, "no light-curve network is open");
    if (row < 0 || row >= w->n_detector)
        return burst_fail(reterr, BURST_E_RANGE, "row %d of a window of %d detectors", row, w->n_detector);
    enum burst_err err = infer_bands_check(infer, w, reterr);
    if (err) return err;
    struct window_explanation x = {.detector = w->detector[row]};
    infer_row_input(infer, w, row, 0);
    err = infer_cam(infer, &x, reterr);
    if (!err) *ret = x;
    return err;
}

/* ---- occlusion ---- */

/* One batch of changed inputs, and where their answers go. */
struct batch {
    int n;
    int pixel[IMAGE_BATCH];
};

static enum burst_err batch_flush(struct infer *infer, struct batch *b, double logit, struct image_explanation *x,
                                  struct burst_error *reterr)
{
    if (b->n == 0) return BURST_OK;
    enum burst_err err = infer_run(infer, infer->image, &infer->image_model, b->n, reterr);
    for (int i = 0; !err && i < b->n; i++)
        (&x->drop[0][0])[b->pixel[i]] = (float)(logit - infer_logit(infer, &infer->image_model, i));
    b->n = 0;
    return err;
}

/* Pixels [from, to) in turn. */
static enum burst_err occlude_part(struct infer *infer, const struct image_sample *s, const float *plain, double logit,
                                   int from, int to, struct image_explanation *x, struct burst_error *reterr)
{
    struct batch b = {.n = 0};
    enum burst_err err = BURST_OK;
    for (int pixel = from; !err && pixel < to; pixel++) {
        float *input = infer->input + (size_t)b.n * 2 * IMAGE_PIXELS;
        memcpy(input, plain, 2 * IMAGE_PIXELS * sizeof *input);
        if (!image_occlude(&s->mask[0][0], IMAGE_SIDE, &infer->image_model.scaling, pixel, input)) continue;
        b.pixel[b.n++] = pixel;
        if (b.n == IMAGE_BATCH) err = batch_flush(infer, &b, logit, x, reterr);
    }
    return err ? err : batch_flush(infer, &b, logit, x, reterr);
}

/* What only the whole map tells: p without the centre, and p without known sources. */
static enum burst_err finish_image(struct infer *infer, const struct image_sample *s, const float *plain, double logit,
                                   struct image_explanation *x, struct burst_error *reterr)
{
    const struct infer_model *m = &infer->image_model;
    x->p_without_centre = infer_probability(m, logit - (double)x->drop[IMAGE_CENTRE][IMAGE_CENTRE]);
    x->p_without_sources = -1;
    memcpy(infer->input, plain, 2 * IMAGE_PIXELS * sizeof *plain);
    if (!image_hide_sources(&s->mask[0][0], IMAGE_SIDE, &m->scaling, infer->input)) return BURST_OK;
    enum burst_err err = infer_run(infer, infer->image, m, 1, reterr);
    if (!err) x->p_without_sources = infer_probability(m, infer_logit(infer, m, 0));
    return err;
}

enum burst_err infer_explain_image_part(struct infer *infer, const struct image_sample *sample, int n_pixel, int *done,
                                        struct image_explanation *x, struct burst_error *reterr)
{
    struct image_score score;
    float plain[2 * IMAGE_PIXELS];
    int from = *done, to = n_pixel < IMAGE_PIXELS - from ? from + n_pixel : IMAGE_PIXELS;
    enum burst_err err = infer_image(infer, sample, &score, reterr);
    if (err) return err;
    memcpy(plain, infer->input, sizeof plain);
    if (from == 0) memset(x, 0, sizeof *x);
    err = occlude_part(infer, sample, plain, score.logit, from, to, x, reterr);
    if (!err && to == IMAGE_PIXELS) err = finish_image(infer, sample, plain, score.logit, x, reterr);
    if (!err) *done = to;
    return err;
}

enum burst_err infer_explain_image(struct infer *infer, const struct image_sample *sample,
                                   struct image_explanation *ret, struct burst_error *reterr)
{
    struct image_explanation x;
    int done = 0;
    enum burst_err err = infer_explain_image_part(infer, sample, IMAGE_PIXELS, &done, &x, reterr);
    if (!err) *ret = x;
    return err;
}
