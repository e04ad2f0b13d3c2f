/* Lanes and their states; jobs. */
#include "base/clock.h"
#include "infer/device_inside.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 200, STARTING_MS = 10, CHECKING_MS = 1, BACKOFFS = 4 };
static const int64_t BACKOFF_NS[BACKOFFS] = {CLOCK_NS_PER_S / 10, CLOCK_NS_PER_S, 10 * CLOCK_NS_PER_S,
                                             60 * CLOCK_NS_PER_S};
static const int64_t LOSSES_WITHIN_NS = 600 * CLOCK_NS_PER_S, TELL_AGAIN_NS = 60 * CLOCK_NS_PER_S,
                     ASK_AGAIN_NS = 600 * CLOCK_NS_PER_S;

/* Most samples of one job: no engine is timed and no memory taken for more than are asked. What the background lane has
 * on the card at once is also what an alert may have to wait for. */
static const int BATCH[DEVICE_SLOTS][DEVICE_LANES] = {
    [DEVICE_LIGHT_CURVE] = {[DEVICE_ALERT] = DETECTOR_MAX, [DEVICE_BACKGROUND] = DETECTOR_MAX},
    [DEVICE_IMAGE] = {[DEVICE_ALERT] = GOLDEN_BATCH, [DEVICE_BACKGROUND] = DEVICE_PARTS_MOST}};

/* ---- opening ---- */

static enum burst_err lane_open(struct device *d, enum device_lane lane, const struct device_settings *s,
                                struct burst_error *reterr)
{
    bool alert = lane == DEVICE_ALERT;
    struct worker_settings settings = {.socket = alert ? s->socket : worker_socket(d->lane[DEVICE_ALERT].worker),
                                       .program = alert ? s->program : NULL, /* both lanes lead to one worker */
                                       .cache = alert ? s->cache : NULL,
                                       .precision = s->precision,
                                       .background = !alert,
                                       .spin = alert && s->spin,
                                       .core = s->core};
    return worker_new(&settings, &d->lane[lane].worker, reterr);
}

enum burst_err device_open(const struct device_settings *settings, const struct device_own *own, struct device **ret,
                           struct burst_error *reterr)
{
    struct device *d = calloc(1, sizeof *d);
    if (!d) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the lanes to the GPU");
    d->precision = settings->precision;
    d->deadline_ns = settings->deadline_ns;
    d->background_ns = settings->background_ns;
    d->canary_ns = settings->canary_ns;
    d->own = *own;
    made_image(&d->made);
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < DEVICE_LANES; i++)
        err = lane_open(d, (enum device_lane)i, settings, reterr);
    if (err)
        device_close(d);
    else
        *ret = d;
    return err;
}

void device_close(struct device *d)
{
    if (!d) return;
    for (int i = DEVICE_LANES - 1; i >= 0; i--) /* the alert lane may own the process */
        worker_free(d->lane[i].worker);
    for (int i = 0; i < DEVICE_SLOTS; i++)
        golden_free(&d->net[i]);
    window_free(d->made.window);
    free(d);
}

static enum burst_err net_fill(struct device *d, enum device_slot slot, const struct device_model *m,
                               struct burst_error *reterr)
{
    struct device_net *net = &d->net[slot];
    bool curve = slot == DEVICE_LIGHT_CURVE;
    net->n_logit = m->n_logit;
    net->n_cam = curve ? m->n_cam : 0;
    net->bands = m->bands;
    net->n_input = curve ? (size_t)m->bands.n_band * WINDOW_BINS : (size_t)2 * IMAGE_SIDE * IMAGE_SIDE;
    (void)snprintf(net->sha256, sizeof net->sha256, "%s", m->sha256);
    enum burst_err err = golden_read(net, m->folder, reterr);
    if (!err && curve) err = made_window(&d->made, &m->bands, reterr);
    return err;
}

enum burst_err device_model(struct device *d, enum device_slot slot, const struct device_model *model,
                            struct burst_error *reterr)
{
    struct worker_model m = {.role = slot == DEVICE_LIGHT_CURVE ? WORKER_LIGHT_CURVE : WORKER_IMAGE,
                             .bytes = model->bytes,
                             .n = model->n,
                             .cam_index = model->n_logit == 1 ? 0 : model->true_index,
                             .n_atom = model->bands.n_atom,
                             .n_band = model->bands.n_band,
                             .scaling = model->scaling};
    memcpy(m.first, model->bands.first, sizeof m.first);
    memcpy(m.last, model->bands.last, sizeof m.last);
    enum burst_err err = net_fill(d, slot, model, reterr);
    for (int i = 0; !err && i < DEVICE_LANES; i++) {
        m.batch = BATCH[slot][i];
        err = worker_model(d->lane[i].worker, (int)slot, &m, reterr);
    }
    d->net[slot].named = !err;
    return err;
}

/* ---- states ---- */

/* The background lane follows the alert lane, which may have to start the worker first. Nor is it asked while that one
 * is left: it is the same worker, and one that hangs would cost background_ns more. */
static bool may_ask(const struct device *d, enum device_lane lane)
{
    return lane == DEVICE_ALERT || d->lane[DEVICE_ALERT].told.state == DEVICE_ON;
}

static int64_t job_ns(const struct device *d, enum device_lane lane)
{
    return lane == DEVICE_ALERT ? d->deadline_ns : d->background_ns;
}

static int64_t backoff(struct device_lane_inside *l, bool was_on, int64_t now_ns)
{
    int n = l->n_start_failed;
    if (!was_on) {
        l->n_start_failed = n + 1;
        return BACKOFF_NS[n < BACKOFFS ? n : BACKOFFS - 1];
    }
    for (int i = 1; i < LOSSES; i++)
        l->lost_ns[i - 1] = l->lost_ns[i];
    l->lost_ns[LOSSES - 1] = now_ns;
    bool often = l->lost_ns[0] && now_ns - l->lost_ns[0] < LOSSES_WITHIN_NS;
    l->n_start_failed = often ? BACKOFFS : 1;
    return BACKOFF_NS[often ? BACKOFFS - 1 : 0];
}

/* Leave a lane. Told where it was ON, or where the reason is another than the last time. */
static void lane_leave(struct device *d, enum device_lane lane, bool alarm, const char *why)
{
    struct device_lane_inside *l = &d->lane[lane];
    bool was_on = l->told.state == DEVICE_ON;
    char text[DEVICE_WHY_TEXT];
    int64_t now_ns = clock_mono_ns();
    (void)snprintf(text, sizeof text, "%s", why); /* worker_why may be what is given, and goes with the lane */
    if (worker_state(l->worker) != WORKER_ABSENT) worker_give_up(l->worker, text);
    bool news = was_on || alarm || strcmp(text, l->told.why) != 0;
    memcpy(l->told.why, text, sizeof text);
    l->told.state = DEVICE_FAILED;
    l->told.n_failed += was_on;
    l->told.next_try_ns = now_ns + backoff(l, was_on, now_ns);
    d->n_alarm += alarm;
    memset(l->loaded, 0, sizeof l->loaded);
    l->asks_again = false;
    if (news) device_tell(d, lane, alarm, text);
}

/* Both lanes lead to one worker: one that computed wrongly in either is believed in neither. */
static void lane_fail(struct device *d, enum device_lane lane, bool alarm, const char *why)
{
    enum device_lane other = lane == DEVICE_ALERT ? DEVICE_BACKGROUND : DEVICE_ALERT;
    enum device_state state = d->lane[other].told.state;
    char text[DEVICE_WHY_TEXT];
    lane_leave(d, lane, alarm, why);
    if (!alarm || state == DEVICE_OFF || state == DEVICE_FAILED) return;
    (void)snprintf(text, sizeof text, "an answer of the %s lane is wrong", device_lane_name(lane));
    lane_leave(d, other, false, text);
}

static void lane_error(struct device *d, enum device_lane lane, int64_t allowed_ns, const struct burst_error *e)
{
    char text[DEVICE_WHY_TEXT];
    if (e->code == BURST_E_TIMEOUT)
        (void)snprintf(text, sizeof text, "the GPU worker gave no answer in %g ms", (double)allowed_ns * 1e-6);
    else
        (void)snprintf(text, sizeof text, "%.250s", e->text);
    lane_fail(d, lane, e->code == BURST_E_MODEL, text);
}

static void lane_try(struct device *d, enum device_lane lane)
{
    d->lane[lane].told.state = DEVICE_STARTING;
}

/* Is what the worker holds in this slot the network that we have? */
static bool slot_fits(const struct device *d, enum device_lane lane, int slot)
{
    const struct device_net *net = &d->net[slot];
    const struct worker_slot *s = worker_slot(d->lane[lane].worker, slot);
    return net->named && s->state == WORKER_SLOT_LOADED && s->n_output == 1 && s->output_floats[0] == net->n_logit &&
           s->n_input == 1 && s->input_floats[0] == (int64_t)net->n_input && strcmp(s->sha256, net->sha256) == 0;
}

static void lane_loaded(struct device *d, enum device_lane lane)
{
    struct device_lane_inside *l = &d->lane[lane];
    char why[DEVICE_WHY_TEXT] = "the GPU worker has no network";
    bool any = false;
    for (int i = 0; i < DEVICE_SLOTS; i++) {
        const struct worker_slot *s = worker_slot(l->worker, i);
        bool had = l->loaded[i];
        any |= l->loaded[i] = slot_fits(d, lane, i);
        if (l->loaded[i] && !had) l->asks_again = false; /* which is news */
        if (!d->net[i].named || l->loaded[i]) continue;
        (void)snprintf(why, sizeof why, "the GPU worker does not take the %s network: %s", i ? "image" : "light-curve",
                       s->state == WORKER_SLOT_REFUSED ? s->text : "it holds another one");
        if (!l->asks_again && (any || i + 1 < DEVICE_SLOTS)) device_tell(d, lane, false, why);
    }
    l->loaded_ns = clock_mono_ns();
    const struct worker_facts *facts = worker_facts(l->worker);
    d->has_facts |= facts != NULL;
    if (facts) d->facts = *facts;
    l->check = (struct device_check){.stage = CHECK_ECHO};
    l->told.state = DEVICE_CHECKING;
    if (!any) lane_fail(d, lane, false, why);
}

static void lane_start(struct device *d, enum device_lane lane, int64_t now_ns)
{
    struct worker *w = d->lane[lane].worker;
    switch (worker_step(w, now_ns)) {
    case WORKER_ABSENT: lane_fail(d, lane, false, worker_why(w)); break;
    case WORKER_READY: lane_loaded(d, lane); break;
    case WORKER_CONNECTING:
    case WORKER_LOADING: break;
    }
}

static void lane_turn_on(struct device *d, enum device_lane lane)
{
    struct device_lane_inside *l = &d->lane[lane];
    char text[DEVICE_WHY_TEXT];
    l->told.state = DEVICE_ON;
    l->n_start_failed = 0;
    if (lane == DEVICE_ALERT) {
        d->canary.has_first = false;
        d->canary.asked_ns = clock_mono_ns();
    }
    (void)snprintf(text, sizeof text, "golden answers are right: %s, %s", d->facts.device,
                   device_precision_name(d->precision));
    if (!l->asks_again) device_tell(d, lane, false, text);
    l->asks_again = false;
}

static void lane_check(struct device *d, enum device_lane lane)
{
    struct burst_error e;
    enum burst_err err = check_step(d, lane, &e);
    if (err)
        lane_error(d, lane, d->lane[lane].check.stage == CHECK_DONE ? job_ns(d, lane) : d->background_ns, &e);
    else if (d->lane[lane].check.stage == CHECK_DONE)
        lane_turn_on(d, lane);
}

/* A worker that hung up is noticed here, not at the next alert. */
static void lane_watch(struct device *d, enum device_lane lane, int64_t now_ns)
{
    struct device_lane_inside *l = &d->lane[lane];
    struct burst_error e;
    if (worker_step(l->worker, now_ns) != WORKER_READY) {
        const char *why = worker_why(l->worker);
        lane_fail(d, lane, false, why[0] ? why : "the GPU worker hung up");
        return;
    }
    if (now_ns - l->loaded_ns >= ASK_AGAIN_NS && worker_ask_again(l->worker)) { /* there may be memory for it by now */
        l->asks_again = true;
        lane_try(d, lane);
        return;
    }
    if (lane != DEVICE_ALERT || d->canary_ns == 0 || now_ns - d->canary.asked_ns < d->canary_ns) return;
    d->canary.asked_ns = now_ns;
    if (canary_step(d, &e)) lane_error(d, lane, d->deadline_ns, &e);
}

static int lane_step(struct device *d, enum device_lane lane, int64_t now_ns)
{
    struct device_lane_inside *l = &d->lane[lane];
    bool due = l->told.state == DEVICE_OFF || (l->told.state == DEVICE_FAILED && now_ns >= l->told.next_try_ns);
    if (due && may_ask(d, lane)) lane_try(d, lane);
    switch (l->told.state) {
    case DEVICE_OFF:
    case DEVICE_FAILED: return STEP_MS;
    case DEVICE_STARTING: lane_start(d, lane, now_ns); return STARTING_MS;
    case DEVICE_CHECKING:
        if (!may_ask(d, lane)) return STEP_MS;
        lane_check(d, lane);
        return CHECKING_MS;
    case DEVICE_ON: lane_watch(d, lane, now_ns); break;
    }
    return STEP_MS;
}

static int canary_ms(const struct device *d, int64_t now_ns)
{
    if (d->canary_ns == 0 || d->lane[DEVICE_ALERT].told.state != DEVICE_ON) return STEP_MS;
    int64_t left_ms = (d->canary.asked_ns + d->canary_ns - now_ns) / 1000000 + 1;
    return left_ms < 1 ? 1 : left_ms > STEP_MS ? STEP_MS : (int)left_ms;
}

int device_step(struct device *d, int64_t now_ns)
{
    int alert = lane_step(d, DEVICE_ALERT, now_ns), background = lane_step(d, DEVICE_BACKGROUND, now_ns);
    int canary = canary_ms(d, now_ns), least = alert < background ? alert : background;
    return canary < least ? canary : least;
}

/* ---- jobs ---- */

int64_t device_deadline(const struct device *d, enum device_lane lane)
{
    return clock_mono_ns() + job_ns(d, lane);
}

enum ring_kind { RING_WINDOW, RING_CAM, RING_MADE };

static uint64_t ring_key(struct source s, int detector, enum ring_kind kind)
{
    uint64_t key = (uint64_t)kind;
    key = key * REALM_N + (uint64_t)s.realm;
    key = key * MISSION_N + (uint64_t)s.mission;
    key = key * INSTRUMENT_N + (uint64_t)s.instrument;
    return key * DETECTOR_MAX + (uint64_t)detector;
}

enum burst_err device_ask_window(struct device *d, enum device_lane lane, const struct lightcurve_window *w, bool made,
                                 float *ret_logits, int64_t deadline_ns, struct burst_error *reterr)
{
    uint64_t key[DETECTOR_MAX];
    for (int row = 0; row < w->n_detector; row++)
        key[row] = ring_key(w->source, w->detector[row], made ? RING_MADE : RING_WINDOW);
    struct worker_window job = {.n_row = w->n_detector,
                                .n_atom = w->bands.n_atom,
                                .k_first = w->k_end - WINDOW_BINS,
                                .key = key,
                                .scored = w->scored,
                                .counts = w->counts,
                                .valid = w->valid};
    return worker_window(d->lane[lane].worker, DEVICE_LIGHT_CURVE, &job, ret_logits, deadline_ns, reterr);
}

/* One row travels, not the window. */
enum burst_err device_ask_cam(struct device *d, enum device_lane lane, const struct lightcurve_window *w, int row,
                              float *ret_cam, int64_t deadline_ns, struct burst_error *reterr)
{
    uint64_t key = ring_key(w->source, w->detector[row], RING_CAM);
    struct worker_window job = {.n_row = 1,
                                .n_atom = w->bands.n_atom,
                                .k_first = w->k_end - WINDOW_BINS,
                                .key = &key,
                                .counts = w->counts + (size_t)row * (size_t)w->bands.n_atom * WINDOW_BINS,
                                .valid = w->valid + (size_t)row * WINDOW_BINS};
    return worker_cam(d->lane[lane].worker, DEVICE_LIGHT_CURVE, &job, 0, ret_cam, deadline_ns, reterr);
}

enum burst_err device_ask_image(struct device *d, enum device_lane lane, const struct image_sample *s,
                                float *ret_logits, int64_t deadline_ns, struct burst_error *reterr)
{
    return worker_image(d->lane[lane].worker, DEVICE_IMAGE, &s->snr[0][0], &s->mask[0][0], ret_logits, deadline_ns,
                        reterr);
}

enum burst_err device_ask_occluded(struct device *d, enum device_lane lane, const struct image_sample *s,
                                   const int32_t *without, int n, float *ret_logits, int64_t deadline_ns,
                                   struct burst_error *reterr)
{
    return worker_occlude(d->lane[lane].worker, DEVICE_IMAGE, &s->snr[0][0], &s->mask[0][0], without, n, ret_logits,
                          deadline_ns, reterr);
}

static bool is_on(const struct device *d, enum device_lane lane, enum device_slot slot)
{
    return d->lane[lane].told.state == DEVICE_ON && d->lane[lane].loaded[slot] && may_ask(d, lane);
}

bool device_has_cam(const struct device *d, enum device_lane lane)
{
    int n_cam = d->net[DEVICE_LIGHT_CURVE].n_cam;
    return n_cam > 0 && n_cam <= CAM_MAX && worker_slot(d->lane[lane].worker, DEVICE_LIGHT_CURVE)->n_cam == n_cam;
}

/* The worker would not do this one: nothing is broken, and the cpu answers it. */
static void refused(struct device *d, enum device_lane lane, const struct burst_error *e)
{
    struct device_lane_inside *l = &d->lane[lane];
    int64_t now_ns = clock_mono_ns();
    if (l->refused_told_ns && now_ns - l->refused_told_ns < TELL_AGAIN_NS) return;
    l->refused_told_ns = now_ns;
    device_tell_refused(d, lane, e->text);
}

static bool is_finite(const float *x, int n, struct burst_error *reterr)
{
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i])) {
            (void)burst_fail(reterr, BURST_E_MODEL, "the GPU answered %g, number %d of %d", (double)x[i], i, n);
            return false;
        }
    return true;
}

/* What a job's end means. True: `answer` is good, and was copied. */
static bool answered(struct device *d, enum device_lane lane, enum burst_err err, const float *answer, int n,
                     float *ret, struct burst_error *e)
{
    struct device_lane_inside *l = &d->lane[lane];
    if (!err && is_finite(answer, n, e)) {
        memcpy(ret, answer, (size_t)n * sizeof *ret);
        l->told.n_answered++;
        return true;
    }
    l->told.n_redone++;
    if (!err || worker_state(l->worker) != WORKER_READY)
        lane_error(d, lane, job_ns(d, lane), e);
    else
        refused(d, lane, e);
    return false;
}

bool device_window(struct device *d, enum device_lane lane, const struct lightcurve_window *w, float *ret_logits)
{
    struct burst_error e;
    int n = 0;
    const struct device_net *net = &d->net[DEVICE_LIGHT_CURVE];
    if (!is_on(d, lane, DEVICE_LIGHT_CURVE) || !band_set_equal(&w->bands, &net->bands)) return false;
    for (int row = 0; row < w->n_detector; row++)
        n += w->scored[row];
    if (n == 0) return false;
    enum burst_err err = device_ask_window(d, lane, w, false, d->answer, device_deadline(d, lane), &e);
    return answered(d, lane, err, d->answer, n * net->n_logit, ret_logits, &e);
}

bool device_cam(struct device *d, const struct lightcurve_window *w, int row, float *ret_cam)
{
    const enum device_lane lane = DEVICE_BACKGROUND;
    const struct device_net *net = &d->net[DEVICE_LIGHT_CURVE];
    struct burst_error e;
    if (!is_on(d, lane, DEVICE_LIGHT_CURVE) || !device_has_cam(d, lane) || !band_set_equal(&w->bands, &net->bands))
        return false;
    enum burst_err err = device_ask_cam(d, lane, w, row, d->cam, device_deadline(d, lane), &e);
    return answered(d, lane, err, d->cam, net->n_cam, ret_cam, &e);
}

bool device_image(struct device *d, enum device_lane lane, const struct image_sample *s, float *ret_logits)
{
    struct burst_error e;
    if (!is_on(d, lane, DEVICE_IMAGE)) return false;
    enum burst_err err = device_ask_image(d, lane, s, d->answer, device_deadline(d, lane), &e);
    return answered(d, lane, err, d->answer, d->net[DEVICE_IMAGE].n_logit, ret_logits, &e);
}

bool device_occlude(struct device *d, const struct image_sample *s, const int32_t *without, int n, float *ret_logits)
{
    const enum device_lane lane = DEVICE_BACKGROUND;
    struct burst_error e;
    if (!is_on(d, lane, DEVICE_IMAGE)) return false;
    enum burst_err err = device_ask_occluded(d, lane, s, without, n, d->answer, device_deadline(d, lane), &e);
    return answered(d, lane, err, d->answer, n * d->net[DEVICE_IMAGE].n_logit, ret_logits, &e);
}

bool device_agrees(struct device *d, enum device_lane lane, const float *answer, const float *own, int n)
{
    char why[DEVICE_WHY_TEXT];
    int i = answer_wrong(answer, own, n, device_tolerance(d->precision));
    if (i < 0) return true;
    (void)snprintf(why, sizeof why, "the GPU and this processor disagree: logit %d is %.9g and %.9g", i,
                   (double)answer[i], (double)own[i]);
    d->lane[lane].told.n_answered--; /* it was the cpu's after all */
    d->lane[lane].told.n_redone++;
    lane_fail(d, lane, true, why);
    return false;
}

bool device_is_on(const struct device *d, enum device_lane lane, enum device_slot slot)
{
    return is_on(d, lane, slot);
}
