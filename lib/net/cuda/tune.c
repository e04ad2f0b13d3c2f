/* What runs each convolution: every engine cuDNN offers is run once on numbers whose answer is computed here, and timed against
 * the others. The tensors are the network's own, at their final addresses, filled with a pattern. */
#include "kernels/bf16.h"
#include "net/cuda/code.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN = 1 << 16, SAMPLES = 48, OFFERS = 32, ROUNDS = 5, REPEATS_MOST = 10 };
static const int64_t HELD_NS = 200000; /* for asking REPEATS_MOST times, 5 to 10 us each */
static const float ROUND_US = 200;     /* a round of one engine should take about as long, so that events can tell */
static const float SLOW_US = 100000;   /* where the first right one takes as long it is taken: no card is so slow */

/* One convolution at one size of batch. */
struct tuning {
    struct cuda_code *c;
    struct cuda_op *op;
    const struct plan_step *s;
    struct op_conv *conv;
    struct conv_shape shape;
    int which;
    struct conv_graph graph[CONV_FORM_N];
    struct conv_plan plan[OFFERS];
    float us[OFFERS][ROUNDS];
    int repeats[OFFERS], n_plan;
    struct burst_error *reterr;
};

/* ---- the pattern ---- */

/* Numbers in (-1, 1) that repeat after PATTERN - 1 elements, which no tensor's row length divides by chance. */
static float pattern_at(int64_t i, bool bf16)
{
    uint32_t x = (uint32_t)(i % (PATTERN - 1)) * 2654435761u + 12345u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    float value = (float)(x >> 8) * 0x1p-23F - 1;
    return bf16 ? bf16_round(value) : value;
}

static enum burst_err fill(struct tuning *t, const struct cuda_form *f)
{
    struct cuda_engine *engine = t->c->engine;
    struct burst_error *reterr = t->reterr;
    size_t element = f->as.bf16 ? sizeof(uint16_t) : sizeof(float);
    size_t n = layout_bytes(&f->as, t->shape.n) / element, period = PATTERN - 1;
    uint8_t *p = malloc(period * element);
    if (!p) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a pattern");
    for (size_t i = 0; i < period; i++) {
        float value = pattern_at((int64_t)i, f->as.bf16);
        uint16_t half = bf16_from_float(value);
        memcpy(p + i * element, f->as.bf16 ? (const void *)&half : (const void *)&value, element);
    }
    enum burst_err err = BURST_OK;
    for (size_t i = 0; !err && i < n; i += period)
        err = CUDA_TRY(cudaMemcpyAsync, (uint8_t *)f->at + i * element, p, (n - i < period ? n - i : period) * element,
                       cudaMemcpyHostToDevice, engine->stream);
    if (!err) err = engine_wait(engine, engine_deadline(engine), reterr);
    free(p);
    return err;
}

/* ---- the right answer ---- */

struct expected {
    double value, scale; /* scale: the sum of the magnitudes of all terms */
};

static float weight_at(const struct tuning *t, int64_t k, int64_t c, int64_t tap)
{
    const struct plan_step *s = t->s;
    if (k >= s->n_out || c >= s->n_in) return 0;
    float w = s->weight[(k * s->n_in + c) * s->window.kernel[0] * s->window.kernel[1] + tap];
    return t->shape.bf16 ? bf16_round(w) : w;
}

static void add_tap(const struct tuning *t, const int64_t at[4], int64_t tap, struct expected *e)
{
    const struct conv_shape *s = &t->shape;
    int64_t y = at[1] * s->stride[0] - s->pad_begin[0] + tap / s->kernel[1] * s->dilation[0];
    int64_t x = at[2] * s->stride[1] - s->pad_begin[1] + tap % s->kernel[1] * s->dilation[1];
    if (y < 0 || y >= s->in[0] || x < 0 || x >= s->in[1]) return;
    int64_t row = ((at[0] * s->in[0] + y) * s->in[1] + x) * s->c;
    for (int64_t c = 0; c < t->s->n_in; c++) {
        double term = (double)weight_at(t, at[3], c, tap) * (double)pattern_at(row + c, s->bf16);
        e->value += term;
        e->scale += fabs(term);
    }
}

/* Element at = {image, y, x, channel} of the answer, in double. */
static struct expected expect(const struct tuning *t, const int64_t at[4], enum conv_form form)
{
    const struct conv_shape *s = &t->shape;
    struct expected e = {0, 0};
    for (int64_t tap = 0; tap < s->kernel[0] * s->kernel[1]; tap++)
        add_tap(t, at, tap, &e);
    if (form == CONV_ALONE) return e;
    float given = s->bias && at[3] < t->s->n_out ? t->s->bias[at[3]] : 0;
    double bias = (double)(s->bf16 && form == CONV_ADD_FIRST ? bf16_round(given) : given);
    int64_t i = ((at[0] * s->out[0] + at[1]) * s->out[1] + at[2]) * s->k + at[3];
    double add = s->add && at[3] < t->s->n_out ? (double)pattern_at(i, s->bf16) : 0;
    e.value += bias + add;
    e.scale += fabs(bias) + fabs(add);
    if (s->relu && e.value < 0) e.value = 0;
    return e;
}

/* How far off an engine may be: rounding of sums in float (Winograd's included); of factors to TF32's 10 bits; of the
 * result to bfloat16's 7. */
static double allowed(const struct tuning *t, struct expected e)
{
    switch (t->c->engine->precision) {
    case CUDA_TF32: return 2e-3 * e.scale;
    case CUDA_BF16: return 8e-3 * fabs(e.value) + 1e-4 * e.scale;
    default: return 5e-5 * e.scale;
    }
}

/* The i-th place looked at: corners first, then scattered; the channels that pad are not looked at, for the pattern's are
 * not zero and a residual's show. */
static void place_of(const struct tuning *t, int i, int64_t ret[4])
{
    const int64_t size[4] = {t->shape.n, t->shape.out[0], t->shape.out[1], t->s->n_out};
    uint32_t x = (uint32_t)i * 2654435761u + 99u;
    for (int d = 0; d < 4; d++) {
        x = (x ^ (x >> 16)) * 2246822519u;
        ret[d] = i < 16 ? (i >> d & 1 ? size[d] - 1 : 0) : (int64_t)(x >> 4) % size[d];
    }
}

static enum burst_err read_one(struct tuning *t, int64_t i, float *ret)
{
    struct cuda_engine *engine = t->c->engine;
    struct burst_error *reterr = t->reterr;
    const uint8_t *from = t->c->form[t->op->out].at;
    uint16_t half;
    enum burst_err err;
    if (!t->shape.bf16)
        return CUDA_TRY(cudaMemcpy, ret, from + (size_t)i * sizeof *ret, sizeof *ret, cudaMemcpyDeviceToHost);
    err = CUDA_TRY(cudaMemcpy, &half, from + (size_t)i * sizeof half, sizeof half, cudaMemcpyDeviceToHost);
    if (!err) *ret = bf16_to_float(half);
    return err;
}

static const char *maker_of(const struct conv_plan *plan)
{
    return plan->form == CONV_OURS ? "our kernel's tile" : "cuDNN engine";
}

/* Compare what the plan has left with what it should have. */
static enum burst_err compare(struct tuning *t, const struct conv_plan *plan, bool *ret_right)
{
    *ret_right = true;
    for (int i = 0; i < SAMPLES && *ret_right; i++) {
        int64_t at[4];
        float got = 0;
        place_of(t, i, at);
        int64_t index = ((at[0] * t->shape.out[0] + at[1]) * t->shape.out[1] + at[2]) * t->shape.k + at[3];
        enum burst_err err = read_one(t, index, &got);
        if (err) return err;
        struct expected e = expect(t, at, plan->form);
        if (fabs((double)got - e.value) <= allowed(t, e)) continue;
        *ret_right = false;
        code_remark(t->c, "%.60s: %s %lld gives %.6g for %.6g and is not used", t->s->name, maker_of(plan),
                    (long long)plan->engine, (double)got, e.value);
    }
    return BURST_OK;
}

/* ---- running ---- */

static enum burst_err grow_workspace(struct cuda_code *c, size_t bytes, struct burst_error *reterr)
{
    if (bytes <= c->workspace_bytes) return BURST_OK;
    void *larger;
    enum burst_err err = memory_take(c->engine, &c->memory, CUDA_ON_DEVICE, bytes, &larger, NULL, reterr);
    if (err) return err;
    if (c->workspace) memory_give_back(&c->memory, c->workspace);
    c->workspace = larger;
    c->workspace_bytes = bytes;
    return BURST_OK;
}

enum burst_err tune_bind(struct cuda_code *c, const struct cuda_op *op, struct conv_plan *plan,
                         struct burst_error *reterr)
{
    if (plan->form == CONV_OURS) return BURST_OK;
    struct conv_address at = {.x = c->form[op->in[0]].at,
                              .w = op->conv->w,
                              .bias = op->conv->bias,
                              .bias_stored = op->conv->bias_stored,
                              .add = op->n_in == 2 ? c->form[op->in[1]].at : NULL,
                              .y = c->form[op->out].at};
    enum burst_err err = grow_workspace(c, plan->workspace, reterr);
    return err ? err : conv_plan_bind(c->engine, plan, &at, c->workspace, reterr);
}

static enum burst_err run_plan(struct tuning *t, const struct conv_plan *plan)
{
    const struct cuda_code *c = t->c;
    if (plan->form != CONV_OURS) return conv_plan_run(c->engine, plan, t->reterr);
    int error = ours_queue(c, t->op, (int)plan->engine, c->size[t->which]);
    return cuda_check(c->engine, error, "burst:conv1d", t->reterr);
}

/* For what lies behind it in the stream to be there when it ends. */
static void hold_back(void *unused)
{
    int64_t until = clock_mono_ns() + HELD_NS;
    (void)unused;
    while (clock_mono_ns() < until)
        continue;
}

/* Time `n` runs of a plan, queued before the first begins: small ones would else show how fast the host asks.
 * Returned  *ret_us  of one; *ret_host_us  what it took to ask for all, which is long for a kernel that has never run */
static enum burst_err time_runs(struct tuning *t, const struct conv_plan *plan, int n, float *ret_us,
                                float *ret_host_us)
{
    struct cuda_engine *engine = t->c->engine;
    struct burst_error *reterr = t->reterr;
    float ms = 0;
    enum burst_err err = CUDA_TRY(cudaLaunchHostFunc, engine->stream, hold_back, NULL);
    if (!err) err = CUDA_TRY(cudaEventRecord, engine->started, engine->stream);
    int64_t begun = clock_mono_ns();
    for (int i = 0; !err && i < n; i++)
        err = run_plan(t, plan);
    *ret_host_us = (float)(clock_mono_ns() - begun) / 1000;
    if (!err) err = CUDA_TRY(cudaEventRecord, engine->ended, engine->stream);
    if (!err) err = engine_wait(engine, engine_deadline(engine), reterr);
    if (!err) err = CUDA_TRY(cudaEventElapsedTime, &ms, engine->started, engine->ended);
    if (!err) *ret_us = ms * 1000 / (float)n;
    return err;
}

/* A network runs as a graph: can a plan be in one? */
static enum burst_err try_capture(struct tuning *t, const struct conv_plan *plan)
{
    struct cuda_engine *engine = t->c->engine;
    struct burst_error *reterr = t->reterr, ignored;
    cudaGraph_t graph = NULL;
    enum burst_err err = CUDA_TRY(cudaStreamBeginCapture, engine->stream, cudaStreamCaptureModeRelaxed);
    if (err) return err;
    err = run_plan(t, plan);
    int ended = (int)cudaStreamEndCapture(engine->stream, &graph);
    enum burst_err end = cuda_check(engine, ended, "cudaStreamEndCapture", err ? &ignored : reterr);
    if (graph) (void)cudaGraphDestroy(graph); /* nothing can be done about a refusal */
    return err ? err : end;
}

static void drop(struct tuning *t, int i)
{
    conv_plan_free(&t->plan[i]);
    t->n_plan--;
    memmove(&t->plan[i], &t->plan[i + 1], (size_t)(t->n_plan - i) * sizeof t->plan[0]);
}

static bool is_end(const struct tuning *t, enum burst_err err)
{
    return err && (t->c->engine->dead || err != BURST_E_DEVICE);
}

static void remark_not_run(struct tuning *t, int i)
{
    code_remark(t->c, "%.60s: %s %lld does not run: %.100s", t->s->name, maker_of(&t->plan[i]),
                (long long)t->plan[i].engine, t->reterr->text);
}

/* Room for the largest before any is bound: a plan keeps the workspace that there was when it was. */
static enum burst_err make_room(struct tuning *t)
{
    for (;;) {
        int largest = -1;
        size_t bytes = t->c->workspace_bytes;
        for (int i = 0; i < t->n_plan; i++)
            if (t->plan[i].workspace > bytes) bytes = t->plan[largest = i].workspace;
        enum burst_err err = grow_workspace(t->c, bytes, t->reterr);
        if (!err || is_end(t, err)) return err;
        remark_not_run(t, largest);
        drop(t, largest);
    }
}

/* Is plan i right? What it takes is known from its second run where the first one brought its kernel to the device. */
static enum burst_err check_one(struct tuning *t, int i, bool *ret_right, float *ret_us)
{
    const struct conv_plan *plan = &t->plan[i];
    float host_us = 0;
    enum burst_err err = tune_bind(t->c, t->op, &t->plan[i], t->reterr);
    if (!err) err = time_runs(t, plan, 1, ret_us, &host_us);
    if (!err && t->n_plan > 1 && host_us > (float)HELD_NS / 2000) err = time_runs(t, plan, 1, ret_us, &host_us);
    if (!err) err = compare(t, plan, ret_right);
    if (!err && *ret_right) err = try_capture(t, plan);
    t->repeats[i] = *ret_us * REPEATS_MOST > ROUND_US ? (int)(ROUND_US / *ret_us) + 1 : REPEATS_MOST;
    return err;
}

/* Keep the plans that are right, and say how often each is to be repeated. One that cannot run, or not in a graph, is none; one that breaks the device
 * ends all. */
static enum burst_err check_all(struct tuning *t)
{
    enum burst_err room = make_room(t);
    if (room) return room;
    for (int i = 0; i < t->n_plan;) {
        float us = 0;
        bool right = false;
        if (tune_is_bad(t->c->engine, &t->shape, &t->plan[i])) {
            code_remark(t->c, "%.60s: %s %lld broke the device before and is not used", t->s->name,
                        maker_of(&t->plan[i]), (long long)t->plan[i].engine);
            drop(t, i);
            continue;
        }
        enum burst_err err = check_one(t, i, &right, &us);
        if (err && t->c->engine->dead) tune_mark_bad(t->c->engine, &t->shape, &t->plan[i]);
        if (is_end(t, err)) return err;
        if (err) remark_not_run(t, i);
        if (err || !right) {
            drop(t, i);
            continue;
        }
        i++;
        while (us > SLOW_US && !t->c->engine->tune && t->n_plan > i)
            drop(t, t->n_plan - 1);
    }
    return BURST_OK;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Rounds of all plans, one after the other, so that a change of the clock meets them alike; the least median wins. */
static enum burst_err choose(struct tuning *t, int *ret_best, float *ret_us)
{
    float host_us;
    enum burst_err err = BURST_OK;
    for (int r = 0; t->n_plan > 1 && r < ROUNDS; r++)
        for (int i = 0; !err && i < t->n_plan; i++)
            if ((err = time_runs(t, &t->plan[i], t->repeats[i], &t->us[i][r], &host_us)) && t->c->engine->dead)
                tune_mark_bad(t->c->engine, &t->shape, &t->plan[i]);
    if (err) return err;
    *ret_best = 0;
    *ret_us = 0;
    for (int i = 0; t->n_plan > 1 && i < t->n_plan; i++) {
        qsort(t->us[i], ROUNDS, sizeof t->us[i][0], compare_floats);
        float median = t->us[i][ROUNDS / 2];
        if (i > 0 && median >= *ret_us) continue;
        *ret_best = i;
        *ret_us = median;
    }
    return BURST_OK;
}

/* ---- from offers to the one that runs ---- */

static void take_tile(struct tuning *t, int tile)
{
    t->plan[t->n_plan++] = (struct conv_plan){.form = CONV_OURS, .engine = tile};
}

/* Our own kernel in all its tiles, or in the one that was chosen (-1: all). */
static void take_ours(struct tuning *t, int64_t chosen)
{
    int tile[CONV1D_TILE_N], n = t->conv->ours_weights ? ours_tiles(t->c, t->conv, tile) : 0;
    for (int i = 0; i < n && t->n_plan < OFFERS; i++)
        if (chosen < 0 || chosen == tile[i]) take_tile(t, tile[i]);
}

/* The plan kept from an earlier time; none where there is none or it fits no more. */
static enum burst_err take_choice(struct tuning *t, const struct choice *choice)
{
    if (!choice || choice->form >= CONV_FORM_N) return BURST_OK;
    enum conv_form form = (enum conv_form)choice->form;
    if (form == CONV_OURS) {
        take_ours(t, choice->engine);
        return BURST_OK;
    }
    enum burst_err err = conv_graph_make(t->c->engine, &t->shape, form, &t->graph[form], t->reterr);
    if (!err) err = conv_plan_of(t->c->engine, &t->graph[form], choice, &t->plan[0], t->reterr);
    if (!err) t->n_plan = 1;
    return err == BURST_E_UNSUPPORTED ? BURST_OK : err;
}

static enum burst_err take_offers(struct tuning *t, enum conv_form form)
{
    int n = 0, most = t->c->engine->engine_most;
    if (most > OFFERS - t->n_plan) most = OFFERS - t->n_plan;
    if (!t->graph[form].graph) {
        enum burst_err err = conv_graph_make(t->c->engine, &t->shape, form, &t->graph[form], t->reterr);
        if (err) return err == BURST_E_UNSUPPORTED ? BURST_OK : err;
    }
    enum burst_err err = conv_plans_offered(t->c->engine, &t->graph[form], most, t->plan + t->n_plan, &n, t->reterr);
    t->n_plan += n;
    return err;
}

/* All that there is, against the clock. */
static enum burst_err take_everything(struct tuning *t)
{
    bool bare = !t->shape.bias && !t->shape.add && !t->shape.relu;
    enum burst_err err = BURST_OK;
    take_ours(t, -1);
    err = take_offers(t, bare ? CONV_ALONE : CONV_ADD_FIRST);
    if (!err && !bare) err = take_offers(t, CONV_BIAS_FIRST);
    return err ? err : check_all(t);
}

/* Engines that do all of it, ready-made ones first; where there is none, engines for the convolution alone; at last our own
 * kernel. */
static enum burst_err take_all_offers(struct tuning *t)
{
    static const enum conv_form ORDER[] = {CONV_ADD_FIRST, CONV_BIAS_FIRST, CONV_ALONE};
    bool bare = !t->shape.bias && !t->shape.add && !t->shape.relu;
    enum burst_err err = BURST_OK;
    for (size_t i = 0; !err && t->n_plan == 0 && i < sizeof ORDER / sizeof ORDER[0]; i++) {
        if (bare && ORDER[i] != CONV_ALONE) continue;
        err = take_offers(t, ORDER[i]);
        if (!err) err = check_all(t);
    }
    if (err || t->n_plan > 0) return err;
    take_ours(t, -1);
    return check_all(t);
}

static enum burst_err remember(struct tuning *t, const struct conv_plan *plan, float us)
{
    struct choice choice = {.engine = plan->engine, .form = (int)plan->form, .us = (double)us, .n_knob = plan->n_knob};
    conv_shape_text(&t->shape, choice.shape);
    memcpy(choice.knob, plan->knob, sizeof choice.knob);
    t->c->choices_changed = true;
    return choices_put(&t->c->engine->choices, &choice, t->reterr);
}

static enum burst_err find_plan(struct tuning *t, int *ret_best)
{
    char shape[CHOICE_SHAPE];
    float us;
    conv_shape_text(&t->shape, shape);
    enum burst_err err = take_choice(t, choices_find(&t->c->engine->choices, shape));
    if (!err && t->n_plan > 0) err = check_all(t);
    *ret_best = 0;
    if (err || t->n_plan > 0) return err;
    if (t->c->engine->tune) err = take_everything(t);
    if (!err && t->n_plan == 0) err = take_all_offers(t);
    if (err) return err;
    if (t->n_plan == 0)
        return code_refuse(t->c, BURST_E_UNSUPPORTED, t->reterr,
                           "no engine of cuDNN gives the right answer, nor a kernel of ours");
    err = choose(t, ret_best, &us);
    return err ? err : remember(t, &t->plan[*ret_best], us);
}

static void name_op(struct tuning *t, enum conv_form form)
{
    bool rest = form == CONV_ALONE && (t->shape.bias || t->shape.add || t->shape.relu);
    (void)snprintf(t->op->name, sizeof t->op->name, "%s %lld%s",
                   form == CONV_OURS ? "burst:conv1d tile" : "cudnn:engine", (long long)t->conv->plan[t->which].engine,
                   rest ? " + burst:pointwise" : "");
}

/* The winner goes to the operation with the graph it was made of; all else is freed. */
static void keep(struct tuning *t, int best)
{
    struct op_conv *conv = t->conv;
    if (best >= 0) {
        enum conv_form form = t->plan[best].form;
        conv->plan[t->which] = t->plan[best];
        conv->graph[t->which] = t->graph[form];
        t->plan[best].own.n = 0;
        t->graph[form].own.n = 0;
        name_op(t, form);
    }
    for (int i = 0; i < t->n_plan; i++)
        conv_plan_free(&t->plan[i]);
    for (int i = 0; i < CONV_FORM_N; i++)
        conv_graph_free(&t->graph[i]);
}

enum burst_err tune_conv(struct cuda_code *c, struct cuda_op *op, int which, struct burst_error *reterr)
{
    struct tuning *t = calloc(1, sizeof *t);
    if (!t) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for timing");
    *t = (struct tuning){.c = c, .op = op, .s = &c->plan->step[op->step], .conv = op->conv, .which = which};
    t->shape = op->conv->shape;
    t->shape.n *= c->size[which];
    t->reterr = reterr;
    c->step = op->step;
    int best = -1;
    enum burst_err err = fill(t, &c->form[op->in[0]]);
    if (!err && op->n_in == 2 && op->in[1] != op->in[0]) err = fill(t, &c->form[op->in[1]]);
    if (!err) err = find_plan(t, &best);
    keep(t, err ? -1 : best);
    free(t);
    return err;
}
