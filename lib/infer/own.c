/* This process's own networks: what answers where no GPU does, and what the GPU's answers are judged by. */
#include "infer/inside.h"
#include "kernels/cam.h"
#include "kernels/image_pack.h"
#include "kernels/standardise.h"
#include <math.h>
#include <string.h>

_Static_assert((int)MASK_IGNORE == (int)IMAGE_PACK_IGNORE && (int)MASK_BACKGROUND == (int)IMAGE_PACK_BACKGROUND &&
                   (int)MASK_SOURCE == (int)IMAGE_PACK_SOURCE && (int)NET_HEAD_LAYERS == (int)HEAD_LAYERS,
               "kernels and records number alike");

/* Run n samples of infer->input; answers that are not finite are BURST_E_MODEL. */
static enum burst_err run(struct infer *infer, struct net *net, const struct infer_model *m, int n, float *ret_logits,
                          struct burst_error *reterr)
{
    enum burst_err err = net_run(net, infer->input, n, ret_logits, reterr);
    if (err) return err;
    for (int i = 0; i < n * m->n_logit; i++)
        if (!isfinite(ret_logits[i]))
            return burst_fail(reterr, BURST_E_MODEL, "network %s answered %g for sample %d of %d", m->tag.name,
                              (double)ret_logits[i], i / m->n_logit, n);
    return BURST_OK;
}

/* Standardise a row of a window into row i of infer->input. */
static void row_input(struct infer *infer, const struct lightcurve_window *w, int row, int i)
{
    const struct band_set *b = &w->bands;
    const uint32_t *counts = w->counts + (size_t)row * (size_t)b->n_atom * WINDOW_BINS;
    standardise_bands(counts, w->valid + (size_t)row * WINDOW_BINS, WINDOW_BINS, b->first, b->last, b->n_band,
                      infer->input + (size_t)i * (size_t)b->n_band * WINDOW_BINS);
}

enum burst_err own_window(void *context, const struct lightcurve_window *w, float *ret_logits,
                          struct burst_error *reterr)
{
    struct infer *infer = context;
    int n = 0;
    for (int row = 0; row < w->n_detector; row++)
        if (w->scored[row]) row_input(infer, w, row, n++);
    return run(infer, infer->lightcurve, &infer->lightcurve_model, n, ret_logits, reterr);
}

enum burst_err own_image(void *context, const struct image_sample *s, float *ret_logits, struct burst_error *reterr)
{
    struct infer *infer = context;
    const struct infer_model *m = &infer->image_model;
    enum burst_err err = image_input(&s->snr[0][0], &s->mask[0][0], IMAGE_PIXELS, &m->scaling, infer->input, reterr);
    return err ? err : run(infer, infer->image, m, 1, ret_logits, reterr);
}

/* One variant of a sample, from the plain one. */
static void variant(const struct image_sample *s, const struct image_scaling *scaling, const float *plain, int without,
                    float *input)
{
    memcpy(input, plain, 2 * IMAGE_PIXELS * sizeof *input);
    if (without >= 0) (void)image_occlude(&s->mask[0][0], IMAGE_SIDE, scaling, without, input);
    if (without == IMAGE_WITHOUT_SOURCES) (void)image_hide_sources(&s->mask[0][0], IMAGE_SIDE, scaling, input);
}

enum burst_err own_occlude(void *context, const struct image_sample *s, const int32_t *without, int n,
                           float *ret_logits, struct burst_error *reterr)
{
    struct infer *infer = context;
    const struct infer_model *m = &infer->image_model;
    float plain[2 * IMAGE_PIXELS];
    enum burst_err err = image_input(&s->snr[0][0], &s->mask[0][0], IMAGE_PIXELS, &m->scaling, plain, reterr);
    for (int at = 0; !err && at < n; at += IMAGE_BATCH) {
        int batch = n - at < IMAGE_BATCH ? n - at : IMAGE_BATCH;
        for (int i = 0; i < batch; i++)
            variant(s, &m->scaling, plain, without[at + i], infer->input + (size_t)i * 2 * IMAGE_PIXELS);
        err = run(infer, infer->image, m, batch, ret_logits + at * m->n_logit, reterr);
    }
    return err;
}

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
    if (!err) err = run(infer, infer->lightcurve, m, 1, infer->logits, reterr);
    size_t n = (size_t)h->n_channel * (size_t)h->n_position;
    if (!err) err = net_read(infer->lightcurve, h->name, infer->feature, n, NULL, reterr);
    if (err) return err;
    cam_plane(&head, h->n_channel, h->n_position, infer->feature, m->n_logit == 1 ? 0 : m->true_index, ret->cam);
    ret->n_cam = (int)h->n_position;
    return BURST_OK;
}

enum burst_err own_cam(void *context, const struct lightcurve_window *w, int row, float *ret_cam,
                       struct burst_error *reterr)
{
    struct infer *infer = context;
    struct window_explanation x;
    row_input(infer, w, row, 0);
    enum burst_err err = infer_cam(infer, &x, reterr);
    if (!err) memcpy(ret_cam, x.cam, (size_t)x.n_cam * sizeof *ret_cam);
    return err;
}
