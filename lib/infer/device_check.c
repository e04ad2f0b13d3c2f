/* Is it right? Golden answers of the models' makers first, then this process's own networks on data made here; and
 * later, every few seconds, the same question again. */
#include "base/clock.h"
#include "infer/device_inside.h"
#include "net/tensor_file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_TEXT = 4096 };
/* A map is a gradient times a feature: rounding is some ten times that of a logit. */
static const double CAM_FACTOR = 10, CAM_MOST = 0.5;

double device_tolerance(enum worker_precision precision)
{
    static const double most[WORKER_PRECISION_N] = {[WORKER_FP32] = 1e-4, [WORKER_TF32] = 2e-2, [WORKER_BF16] = 1e-1};
    return most[precision];
}

int answer_wrong(const float *got, const float *want, int n, double tolerance)
{
    for (int i = 0; i < n; i++) {
        double off = fabs((double)got[i] - (double)want[i]);
        if (!isfinite(got[i]) || !(off <= tolerance * fmax(1, fabs((double)want[i])))) return i;
    }
    return -1;
}

/* ---- golden vectors ---- */

static enum burst_err tensor_take(const char *folder, int set, const char *word, size_t n_sample, int *n, float **ret,
                                  struct burst_error *reterr)
{
    char path[PATH_TEXT];
    struct net_tensor t = {0};
    (void)snprintf(path, sizeof path, "%.4000s/test_data_set_%d/%s_0.pb", folder, set, word);
    enum burst_err err = tensor_read(path, &t, reterr);
    if (err) return err;
    int64_t count = dims_count(&t.dims);
    bool fits = t.dtype == NET_F32 && t.dims.rank > 1 && t.dims.dim[0] > 0 && t.dims.dim[0] < 1 << 20 &&
                count == t.dims.dim[0] * (int64_t)n_sample && (*n == 0 || *n == (int)t.dims.dim[0]);
    float *copy = fits ? malloc((size_t)count * sizeof *copy) : NULL;
    if (!fits)
        err = burst_fail(reterr, BURST_E_SHAPE, "%.300s: not N x %zu numbers, as many as its partner", path, n_sample);
    else if (!copy)
        err = burst_fail(reterr, BURST_E_NOMEM, "no memory for golden answers");
    else {
        memcpy(copy, t.f32, (size_t)count * sizeof *copy);
        *n = (int)t.dims.dim[0];
        *ret = copy;
    }
    tensor_fini(&t);
    return err;
}

static bool has_set(const char *folder, int set)
{
    char path[PATH_TEXT];
    (void)snprintf(path, sizeof path, "%.4000s/test_data_set_%d/input_0.pb", folder, set);
    return access(path, F_OK) == 0;
}

enum burst_err golden_read(struct device_net *net, const char *folder, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    while (!err && net->n_set < GOLDEN_SETS && has_set(folder, net->n_set)) {
        struct golden_set *set = &net->set[net->n_set++]; /* counted first: golden_free takes halves */
        err = tensor_take(folder, net->n_set - 1, "input", net->n_input, &set->n, &set->input, reterr);
        if (!err)
            err = tensor_take(folder, net->n_set - 1, "output", (size_t)net->n_logit, &set->n, &set->output, reterr);
    }
    return err;
}

void golden_free(struct device_net *net)
{
    for (int i = 0; i < net->n_set; i++) {
        free(net->set[i].input);
        free(net->set[i].output);
    }
    net->n_set = 0;
}

/* ---- one stage each; *ret_asked: a job was given ---- */

static enum burst_err wrong(struct burst_error *reterr, const char *what, int i, float got, float want)
{
    return burst_fail(reterr, BURST_E_MODEL, "%s: number %d is %.9g, not %.9g", what, i, (double)got, (double)want);
}

static enum burst_err compare(const struct device *d, const char *what, const float *want, int n,
                              struct burst_error *reterr)
{
    int i = answer_wrong(d->answer, want, n, device_tolerance(d->precision));
    return i < 0 ? BURST_OK : wrong(reterr, what, i, d->answer[i], want[i]);
}

static int64_t patience(const struct device *d)
{
    return clock_mono_ns() + d->background_ns;
}

static enum burst_err check_echo(struct device *d, enum device_lane lane, struct burst_error *reterr)
{
    uint8_t sent[ECHO_BYTES], got[ECHO_BYTES] = {0};
    for (int i = 0; i < ECHO_BYTES; i++)
        sent[i] = (uint8_t)(255 - 3 * i);
    enum burst_err err = worker_echo(d->lane[lane].worker, sent, sizeof sent, got, patience(d), reterr);
    if (!err && memcmp(sent, got, sizeof sent) != 0)
        err = burst_fail(reterr, BURST_E_MODEL, "the GPU worker gave other bytes back than it was given");
    return err;
}

/* On to the next samples that there are; false: there are none. */
static bool golden_next(const struct device *d, enum device_lane lane, struct device_check *c)
{
    for (; c->slot < DEVICE_SLOTS; c->slot++, c->set = c->at = 0) {
        const struct device_net *net = &d->net[c->slot];
        for (; d->lane[lane].loaded[c->slot] && c->set < net->n_set; c->set++, c->at = 0)
            if (c->at < net->set[c->set].n) return true;
    }
    return false;
}

static enum burst_err check_golden(struct device *d, enum device_lane lane, struct burst_error *reterr)
{
    struct device_check *c = &d->lane[lane].check;
    const struct device_net *net = &d->net[c->slot];
    const struct golden_set *set = &net->set[c->set];
    const struct worker_slot *slot = worker_slot(d->lane[lane].worker, c->slot);
    char what[64];
    int most = slot->batch < GOLDEN_BATCH ? slot->batch : GOLDEN_BATCH, left = set->n - c->at;
    int n = left < most ? left : most;
    const float *input = set->input + (size_t)c->at * net->n_input;
    float *output = d->answer;
    enum burst_err err =
        worker_run(d->lane[lane].worker, c->slot, &input, n, &output, clock_mono_ns() + d->background_ns, reterr);
    (void)snprintf(what, sizeof what, "golden answers %d of the %s network", c->set, c->slot ? "image" : "light-curve");
    if (!err) err = compare(d, what, set->output + (size_t)c->at * (size_t)net->n_logit, n * net->n_logit, reterr);
    c->at += n;
    return err;
}

/* Of a job begun now, that is when this process's own answer is there: `in_time` as an alert, else with patience. */
static int64_t deadline_of(const struct device *d, enum device_lane lane, bool in_time)
{
    return in_time ? device_deadline(d, lane) : patience(d);
}

static enum burst_err check_window(struct device *d, enum device_lane lane, bool in_time, struct burst_error *reterr)
{
    struct device_made *m = &d->made;
    enum burst_err err = m->has_window ? BURST_OK : d->own.window(d->own.context, m->window, m->window_logits, reterr);
    if (err) return err;
    m->has_window = true;
    err = device_ask_window(d, lane, m->window, true, d->answer, deadline_of(d, lane, in_time), reterr);
    return err ? err
               : compare(d, "a made window", m->window_logits, MADE_ROWS * d->net[DEVICE_LIGHT_CURVE].n_logit, reterr);
}

static enum burst_err check_image(struct device *d, enum device_lane lane, bool in_time, struct burst_error *reterr)
{
    struct device_made *m = &d->made;
    enum burst_err err = m->has_image ? BURST_OK : d->own.image(d->own.context, &m->image, m->image_logits, reterr);
    if (err) return err;
    m->has_image = true;
    err = device_ask_image(d, lane, &m->image, d->answer, deadline_of(d, lane, in_time), reterr);
    return err ? err : compare(d, "a made image", m->image_logits, d->net[DEVICE_IMAGE].n_logit, reterr);
}

static enum burst_err check_cam(struct device *d, enum device_lane lane, struct burst_error *reterr)
{
    struct device_made *m = &d->made;
    int n = d->net[DEVICE_LIGHT_CURVE].n_cam;
    float peak = 0;
    enum burst_err err = m->has_cam ? BURST_OK : d->own.cam(d->own.context, m->window, 0, m->cam, reterr);
    if (err) return err;
    m->has_cam = true;
    err = device_ask_cam(d, lane, m->window, 0, d->cam, patience(d), reterr);
    if (err) return err;
    for (int i = 0; i < n; i++)
        peak = fmaxf(peak, m->cam[i]);
    for (int i = 0; i < n; i++) {
        double most = fmin(CAM_MOST, CAM_FACTOR * device_tolerance(d->precision)) * fmax(1, (double)peak);
        if (!isfinite(d->cam[i]) || !(fabs((double)d->cam[i] - (double)m->cam[i]) <= most))
            return wrong(reterr, "the map of a made window", i, d->cam[i], m->cam[i]);
    }
    return BURST_OK;
}

static enum burst_err check_occlude(struct device *d, enum device_lane lane, struct burst_error *reterr)
{
    struct device_made *m = &d->made;
    enum burst_err err = m->has_occluded
                             ? BURST_OK
                             : d->own.occlude(d->own.context, &m->image, m->without, MADE_PARTS, m->occluded, reterr);
    if (err) return err;
    m->has_occluded = true;
    err = device_ask_occluded(d, lane, &m->image, m->without, MADE_PARTS, d->answer, patience(d), reterr);
    return err ? err
               : compare(d, "a made image in parts", m->occluded, MADE_PARTS * d->net[DEVICE_IMAGE].n_logit, reterr);
}

/* ---- their order ---- */

static bool applies(const struct device *d, enum device_lane lane, struct device_check *c)
{
    const struct device_lane_inside *l = &d->lane[lane];
    bool curve = l->loaded[DEVICE_LIGHT_CURVE], image = l->loaded[DEVICE_IMAGE];
    switch (c->stage) {
    case CHECK_ECHO: return true;
    case CHECK_GOLDEN: return golden_next(d, lane, c);
    case CHECK_WINDOW: return curve;
    case CHECK_CAM: return curve && device_has_cam(d, lane);
    case CHECK_IMAGE:
    case CHECK_OCCLUDE: return image;
    case CHECK_IN_TIME: return lane == DEVICE_ALERT;
    case CHECK_DONE: break;
    }
    return true;
}

static enum burst_err canary_ask(struct device *d, struct burst_error *reterr)
{
    return d->lane[DEVICE_ALERT].loaded[DEVICE_LIGHT_CURVE] ? check_window(d, DEVICE_ALERT, true, reterr)
                                                            : check_image(d, DEVICE_ALERT, true, reterr);
}

enum burst_err check_step(struct device *d, enum device_lane lane, struct burst_error *reterr)
{
    struct device_check *c = &d->lane[lane].check;
    while (!applies(d, lane, c))
        c->stage++;
    enum check_stage stage = c->stage;
    if (stage != CHECK_GOLDEN && stage != CHECK_DONE) c->stage++;
    switch (stage) {
    case CHECK_ECHO: return check_echo(d, lane, reterr);
    case CHECK_GOLDEN: return check_golden(d, lane, reterr);
    case CHECK_WINDOW: return check_window(d, lane, false, reterr);
    case CHECK_CAM: return check_cam(d, lane, reterr);
    case CHECK_IMAGE: return check_image(d, lane, false, reterr);
    case CHECK_OCCLUDE: return check_occlude(d, lane, reterr);
    case CHECK_IN_TIME: return canary_ask(d, reterr);
    case CHECK_DONE: break;
    }
    return BURST_OK;
}

enum burst_err canary_step(struct device *d, struct burst_error *reterr)
{
    struct device_canary *c = &d->canary;
    bool curve = d->lane[DEVICE_ALERT].loaded[DEVICE_LIGHT_CURVE];
    int n = curve ? MADE_ROWS * d->net[DEVICE_LIGHT_CURVE].n_logit : d->net[DEVICE_IMAGE].n_logit;
    int64_t from_ns = clock_mono_ns();
    enum burst_err err = canary_ask(d, reterr);
    if (err) return err;
    canary_took(c, clock_mono_ns() - from_ns);
    if (!c->has_first) memcpy(c->first, d->answer, (size_t)n * sizeof c->first[0]);
    c->has_first = true;
    for (int i = 0; i < n; i++)
        if (memcmp(&c->first[i], &d->answer[i], sizeof c->first[i]) != 0)
            return wrong(reterr, "the canary's answer has changed", i, d->answer[i], c->first[i]);
    return BURST_OK;
}
