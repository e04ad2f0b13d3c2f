/* Opening, scoring. */
#include "infer/infer.h"
#include "base/clock.h"
#include "infer/inside.h"
#include "infer/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEST_DETECTORS = 3 };

static bool is_named(const char *path)
{
    return path && path[0];
}

static enum burst_err open_lightcurve(struct infer *infer, const struct infer_settings *s, struct burst_error *reterr)
{
    const struct net_settings settings = {.backend = s->backend, .batch_most = DETECTOR_MAX};
    enum burst_err err = net_open(s->light_curve, &settings, &infer->lightcurve, reterr);
    if (err) return err; /* names the file */
    err = model_read_lightcurve(infer->lightcurve, s->light_curve, &infer->lightcurve_model, reterr);
    if (err) return burst_prefix(reterr, err, s->light_curve);
    infer->has_head = net_head(infer->lightcurve, &infer->head, &infer->no_head) == BURST_OK;
    if (infer->has_head && (infer->head.n_position > CAM_MAX || infer->head.size[0] != 1)) {
        infer->has_head = false;
        (void)burst_fail(&infer->no_head, BURST_E_UNSUPPORTED, "the last feature map has %lld positions; %d fit",
                         (long long)infer->head.n_position, CAM_MAX);
    }
    if (!infer->has_head) return BURST_OK;
    infer->feature = calloc((size_t)infer->head.n_channel * (size_t)infer->head.n_position, sizeof *infer->feature);
    return infer->feature ? BURST_OK : burst_fail(reterr, BURST_E_NOMEM, "no memory for a feature map");
}

static enum burst_err open_image(struct infer *infer, const struct infer_settings *s, struct burst_error *reterr)
{
    const struct net_settings settings = {.backend = s->backend, .batch_most = IMAGE_BATCH};
    enum burst_err err = net_open(s->image, &settings, &infer->image, reterr);
    if (err) return err;
    err = model_read_image(infer->image, s->image, &infer->image_model, reterr);
    return err ? burst_prefix(reterr, err, s->image) : BURST_OK;
}

enum burst_err infer_open(const struct infer_settings *settings, struct infer **ret, struct burst_error *reterr)
{
    if (!is_named(settings->light_curve) && !is_named(settings->image))
        return burst_fail(reterr, BURST_E_CONFIG, "neither a light-curve nor an image network is named");
    struct infer *infer = calloc(1, sizeof *infer);
    if (!infer) return burst_fail(reterr, BURST_E_NOMEM, "no memory for networks");
    enum burst_err err = BURST_OK;
    if (is_named(settings->light_curve)) err = open_lightcurve(infer, settings, reterr);
    if (!err && is_named(settings->image)) err = open_image(infer, settings, reterr);
    size_t n_window = (size_t)DETECTOR_MAX * (size_t)infer->lightcurve_model.n_band * WINDOW_BINS;
    size_t n_image = infer->image ? (size_t)IMAGE_BATCH * 2 * IMAGE_PIXELS : 0;
    if (!err) infer->input = calloc(n_window > n_image ? n_window : n_image, sizeof *infer->input);
    if (!err && !infer->input) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for the inputs of networks");
    if (err) {
        infer_close(infer);
        return err;
    }
    gpu_open(infer, settings);
    *ret = infer;
    return BURST_OK;
}

void infer_close(struct infer *infer)
{
    if (!infer) return;
    device_close(infer->device);
    free(infer->lightcurve_path);
    free(infer->image_path);
    net_close(infer->lightcurve);
    net_close(infer->image);
    free(infer->input);
    free(infer->feature);
    free(infer);
}

const struct infer_model *infer_lightcurve_model(const struct infer *infer)
{
    return infer->lightcurve ? &infer->lightcurve_model : NULL;
}

const struct infer_model *infer_image_model(const struct infer *infer)
{
    return infer->image ? &infer->image_model : NULL;
}

double infer_logit(const struct infer *infer, const struct infer_model *m, int i)
{
    const float *l = infer->logits + i * m->n_logit;
    return m->n_logit == 1 ? (double)l[0] : (double)l[m->true_index] - (double)l[1 - m->true_index];
}

double infer_told(double logit)
{
    return round(logit / INFER_LOGIT_STEP) * INFER_LOGIT_STEP;
}

double infer_probability(const struct infer_model *m, double logit)
{
    return 1.0 / (1.0 + exp(-logit / m->tag.temperature));
}

static bool same_kev(float a, float b)
{
    return !(a < b) && !(a > b);
}

enum burst_err infer_bands_check(const struct infer *infer, const struct lightcurve_window *w,
                                 struct burst_error *reterr)
{
    const struct infer_model *m = &infer->lightcurve_model;
    const struct band_set *b = &w->bands;
    if (b->n_band != m->n_band)
        return burst_fail(reterr, BURST_E_MODEL, "a window of %d bands for a network of %d", b->n_band, m->n_band);
    for (int i = 0; i < m->n_band; i++)
        if (!same_kev(b->edge_kev[b->first[i]], m->band_kev[i][0]) ||
            !same_kev(b->edge_kev[b->last[i]], m->band_kev[i][1]))
            return burst_fail(reterr, BURST_E_MODEL, "band %d of the window is %g-%g keV, of the network %g-%g keV",
                              i + 1, (double)b->edge_kev[b->first[i]], (double)b->edge_kev[b->last[i]],
                              (double)m->band_kev[i][0], (double)m->band_kev[i][1]);
    return BURST_OK;
}

/* Mean of the highest min(3, n) logits, highest first. */
static double best_mean(const struct detector_score *score, int n)
{
    bool taken[DETECTOR_MAX] = {false};
    int n_best = n < BEST_DETECTORS ? n : BEST_DETECTORS;
    double sum = 0;
    for (int k = 0; k < n_best; k++) {
        int best = -1;
        for (int i = 0; i < n; i++)
            if (!taken[i] && (best < 0 || score[i].logit > score[best].logit)) best = i;
        taken[best] = true;
        sum += score[best].logit;
    }
    return sum / n_best;
}

static void tag_backend(struct model_tag *tag, bool cuda)
{
    if (cuda) (void)snprintf(tag->backend, sizeof tag->backend, "cuda");
}

/* The answer of the GPU is in infer->logits: is it this process's, too? False: it is replaced. */
static bool is_confirmed(struct infer *infer, enum device_lane lane, int n)
{
    if (device_agrees(infer->device, lane, infer->logits, infer->checked, n)) return true;
    memcpy(infer->logits, infer->checked, (size_t)n * sizeof infer->logits[0]);
    return false;
}

/* Logits of the scored rows; *ret_cuda: they are the GPU's. */
static enum burst_err ask_window(struct infer *infer, enum device_lane lane, const struct lightcurve_window *w, int n,
                                 bool *ret_cuda, struct burst_error *reterr)
{
    bool cuda = infer->device && device_window(infer->device, lane, w, infer->logits);
    bool check = cuda && infer->cross_check == INFER_CROSS_ALL;
    *ret_cuda = cuda;
    if (cuda && !check) return BURST_OK;
    enum burst_err err = own_window(infer, w, check ? infer->checked : infer->logits, reterr);
    if (check && !err) *ret_cuda = is_confirmed(infer, lane, n * infer->lightcurve_model.n_logit);
    return err;
}

static enum burst_err ask_image(struct infer *infer, const struct image_sample *s, bool *ret_cuda,
                                struct burst_error *reterr)
{
    bool cuda = infer->device && device_image(infer->device, DEVICE_ALERT, s, infer->logits);
    bool check = cuda && infer->cross_check != INFER_CROSS_OFF;
    *ret_cuda = cuda;
    if (cuda && !check) return BURST_OK;
    enum burst_err err = own_image(infer, s, check ? infer->checked : infer->logits, reterr);
    if (check && !err) *ret_cuda = is_confirmed(infer, DEVICE_ALERT, infer->image_model.n_logit);
    return err;
}

static enum burst_err score_window(struct infer *infer, enum device_lane lane, const struct lightcurve_window *w,
                                   struct window_score *ret, struct burst_error *reterr)
{
    const struct infer_model *m = &infer->lightcurve_model;
    int64_t start_ns = clock_mono_ns();
    bool cuda;
    if (!infer->lightcurve) return burst_fail(reterr, BURST_E_STATE, "no light-curve network is open");
    enum burst_err err = infer_bands_check(infer, w, reterr);
    if (err) return err;
    struct window_score score = {.window = w, .model = m->tag};
    for (int row = 0; row < w->n_detector; row++)
        if (w->scored[row]) score.score[score.n_score++].detector = w->detector[row];
    if (score.n_score == 0) return burst_fail(reterr, BURST_E_MISSING, "no detector of the window has 30 s of data");
    err = ask_window(infer, lane, w, score.n_score, &cuda, reterr);
    if (err) return err;
    for (int i = 0; i < score.n_score; i++) {
        score.score[i].logit = infer_told(infer_logit(infer, m, i));
        score.score[i].p = infer_probability(m, score.score[i].logit);
    }
    tag_backend(&score.model, cuda);
    score.logit = best_mean(score.score, score.n_score);
    score.p = infer_probability(m, score.logit);
    score.infer_s = 1e-9 * (double)(clock_mono_ns() - start_ns);
    *ret = score;
    return BURST_OK;
}

enum burst_err infer_window(struct infer *infer, const struct lightcurve_window *w, struct window_score *ret,
                            struct burst_error *reterr)
{
    return score_window(infer, DEVICE_ALERT, w, ret, reterr);
}

enum burst_err infer_window_background(struct infer *infer, const struct lightcurve_window *w, struct window_score *ret,
                                       struct burst_error *reterr)
{
    return score_window(infer, DEVICE_BACKGROUND, w, ret, reterr);
}

enum burst_err infer_image(struct infer *infer, const struct image_sample *sample, struct image_score *ret,
                           struct burst_error *reterr)
{
    const struct infer_model *m = &infer->image_model;
    int64_t start_ns = clock_mono_ns();
    bool cuda;
    if (!infer->image) return burst_fail(reterr, BURST_E_STATE, "no image network is open");
    enum burst_err err = ask_image(infer, sample, &cuda, reterr);
    if (err) return err;
    struct image_score score = {.sample = sample, .model = m->tag, .logit = infer_told(infer_logit(infer, m, 0))};
    tag_backend(&score.model, cuda);
    score.p = infer_probability(m, score.logit);
    score.infer_s = 1e-9 * (double)(clock_mono_ns() - start_ns);
    *ret = score;
    return BURST_OK;
}
