/* Why: Grad-CAM through the dense head, occlusion by brute force. */
#include "infer/inside.h"
#include <string.h>

enum { REACH = 2, HEAD_WIDTH_MOST = 1024 };

/* ---- Grad-CAM ---- */

/* The outputs of every layer for one pooled vector: which ReLUs are open decides the gradient. */
struct head_pass {
    float pooled[HEAD_WIDTH_MOST];
    float out[NET_HEAD_LAYERS][HEAD_WIDTH_MOST];
};

static enum burst_err head_fits(const struct net_head *h, struct burst_error *reterr)
{
    bool fits = h->n_channel <= HEAD_WIDTH_MOST;
    for (int i = 0; fits && i < h->n_layer; i++)
        fits = h->layer[i].n_out <= HEAD_WIDTH_MOST;
    if (fits) return BURST_OK;
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "a dense head wider than %d cannot be explained", HEAD_WIDTH_MOST);
}

static void head_forward(const struct net_head *h, const float *feature, struct head_pass *pass)
{
    for (int k = 0; k < h->n_channel; k++) {
        double sum = 0;
        for (int64_t t = 0; t < h->n_position; t++)
            sum += (double)feature[(int64_t)k * h->n_position + t];
        pass->pooled[k] = (float)(sum / (double)h->n_position);
    }
    const float *in = pass->pooled;
    for (int i = 0; i < h->n_layer; i++) {
        const struct net_layer *l = &h->layer[i];
        for (int o = 0; o < l->n_out; o++) {
            double y = l->bias ? (double)l->bias[o] : 0;
            for (int k = 0; k < l->n_in; k++)
                y += (double)l->weight[(size_t)o * (size_t)l->n_in + (size_t)k] * (double)in[k];
            pass->out[i][o] = l->relu && y < 0 ? 0.0F : (float)y;
        }
        in = pass->out[i];
    }
}

/* d output[index] / d pooled[k], for every k. */
static void head_backward(const struct net_head *h, const struct head_pass *pass, int index, double *ret_gradient)
{
    double up[HEAD_WIDTH_MOST] = {0}, down[HEAD_WIDTH_MOST];
    up[index] = 1;
    for (int i = h->n_layer - 1; i >= 0; i--) {
        const struct net_layer *l = &h->layer[i];
        for (int k = 0; k < l->n_in; k++)
            down[k] = 0;
        for (int o = 0; o < l->n_out; o++) {
            if (l->relu && pass->out[i][o] <= 0) continue;
            for (int k = 0; k < l->n_in; k++)
                down[k] += up[o] * (double)l->weight[(size_t)o * (size_t)l->n_in + (size_t)k];
        }
        memcpy(up, down, (size_t)l->n_in * sizeof *up);
    }
    memcpy(ret_gradient, up, (size_t)h->n_channel * sizeof *up);
}

static void cam_make(const struct net_head *h, const float *feature, int index, struct window_explanation *x)
{
    struct head_pass pass;
    double gradient[HEAD_WIDTH_MOST];
    head_forward(h, feature, &pass);
    head_backward(h, &pass, index, gradient);
    x->n_cam = (int)h->n_position;
    for (int64_t t = 0; t < h->n_position; t++) {
        double sum = 0;
        for (int k = 0; k < h->n_channel; k++)
            sum += gradient[k] * (double)feature[(int64_t)k * h->n_position + t];
        sum /= (double)h->n_position; /* the pooling's share: d pooled / d A[t] */
        x->cam[t] = sum > 0 ? (float)sum : 0.0F;
    }
}

enum burst_err infer_cam(struct infer *infer, struct window_explanation *ret, struct burst_error *reterr)
{
    const struct infer_model *m = &infer->lightcurve_model;
    const struct net_head *h = &infer->head;
    if (!infer->has_head) return burst_fail(reterr, infer->no_head.code, "%s", infer->no_head.text);
    enum burst_err err = head_fits(h, reterr);
    if (!err) err = infer_run(infer, infer->lightcurve, m, 1, reterr);
    size_t n = (size_t)h->n_channel * (size_t)h->n_position;
    if (!err) err = net_read(infer->lightcurve, h->name, infer->feature, n, NULL, reterr);
    if (!err) cam_make(h, infer->feature, m->n_logit == 1 ? 0 : m->true_index, ret);
    return err;
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

/* Pixel values of background for the network. */
struct blank {
    float snr, mask;
};

/* Make the 5 x 5 pixels around (z, y) background in a copy of the input; pixels without data stay. False: none changed. */
static bool occlude(const struct image_sample *s, struct blank blank, int z, int y, float *input)
{
    bool changed = false;
    for (int i = z - REACH; i <= z + REACH; i++)
        for (int j = y - REACH; j <= y + REACH; j++) {
            if (i < 0 || i >= IMAGE_SIDE || j < 0 || j >= IMAGE_SIDE || s->mask[i][j] == MASK_IGNORE) continue;
            input[i * IMAGE_SIDE + j] = blank.snr;
            input[IMAGE_PIXELS + i * IMAGE_SIDE + j] = blank.mask;
            changed = true;
        }
    return changed;
}

/* Known sources of the mask become background there; false: there are none. */
static bool hide_sources(const struct image_sample *s, struct blank blank, float *input)
{
    bool changed = false;
    for (int i = 0; i < IMAGE_PIXELS; i++) {
        if ((&s->mask[0][0])[i] != MASK_SOURCE) continue;
        input[IMAGE_PIXELS + i] = blank.mask;
        changed = true;
    }
    return changed;
}

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
static enum burst_err occlude_part(struct infer *infer, const struct image_sample *s, const float *plain,
                                   struct blank blank, double logit, int from, int to, struct image_explanation *x,
                                   struct burst_error *reterr)
{
    struct batch b = {.n = 0};
    enum burst_err err = BURST_OK;
    for (int pixel = from; !err && pixel < to; pixel++) {
        float *input = infer->input + (size_t)b.n * 2 * IMAGE_PIXELS;
        memcpy(input, plain, 2 * IMAGE_PIXELS * sizeof *input);
        if (!occlude(s, blank, pixel / IMAGE_SIDE, pixel % IMAGE_SIDE, input)) continue;
        b.pixel[b.n++] = pixel;
        if (b.n == IMAGE_BATCH) err = batch_flush(infer, &b, logit, x, reterr);
    }
    return err ? err : batch_flush(infer, &b, logit, x, reterr);
}

/* What only the whole map tells: p without the centre, and p without known sources. */
static enum burst_err finish_image(struct infer *infer, const struct image_sample *s, const float *plain,
                                   struct blank blank, double logit, struct image_explanation *x,
                                   struct burst_error *reterr)
{
    const struct infer_model *m = &infer->image_model;
    x->p_without_centre = infer_probability(m, logit - (double)x->drop[IMAGE_CENTRE][IMAGE_CENTRE]);
    x->p_without_sources = -1;
    memcpy(infer->input, plain, 2 * IMAGE_PIXELS * sizeof *plain);
    if (!hide_sources(s, blank, infer->input)) return BURST_OK;
    enum burst_err err = infer_run(infer, infer->image, m, 1, reterr);
    if (!err) x->p_without_sources = infer_probability(m, infer_logit(infer, m, 0));
    return err;
}

enum burst_err infer_explain_image_part(struct infer *infer, const struct image_sample *sample, int n_pixel, int *done,
                                        struct image_explanation *x, struct burst_error *reterr)
{
    const struct infer_model *m = &infer->image_model;
    struct image_score score;
    float plain[2 * IMAGE_PIXELS];
    int from = *done, to = n_pixel < IMAGE_PIXELS - from ? from + n_pixel : IMAGE_PIXELS;
    enum burst_err err = infer_image(infer, sample, &score, reterr);
    if (err) return err;
    memcpy(plain, infer->input, sizeof plain);
    struct blank blank = {0.0F / m->scaling.image_scale, (float)MASK_BACKGROUND / m->scaling.mask_scale};
    if (from == 0) memset(x, 0, sizeof *x);
    err = occlude_part(infer, sample, plain, blank, score.logit, from, to, x, reterr);
    if (!err && to == IMAGE_PIXELS) err = finish_image(infer, sample, plain, blank, score.logit, x, reterr);
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
