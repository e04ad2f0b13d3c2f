/* Entries: a network's operations, between a front and the host's results, as one CUDA graph for each size of batch. */
#include "net/cuda/entry.h"
#include "base/clock.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cuda_entry {
    struct cuda_code *code;
    struct cuda_front front; /* queue NULL: rows */
    int front_op;            /* the packing that the front stands for */
    int cam_class;           /* -1: none */
    struct cuda_memory *memory;
    float *cam; /* pinned [batch][n_position] */
    void *cam_at;
    cudaGraphExec_t graph[CODE_SIZES];
};

/* ---- what an entry queues ---- */

static enum burst_err queue_front(struct cuda_entry *e, int which, struct burst_error *reterr)
{
    const struct cuda_code *c = e->code;
    const struct cuda_form *to = &c->form[c->op[e->front_op].out];
    const struct net_dims *d = &c->plan->value[c->plan->input[0]].dims;
    struct cuda_tensor tensor = {
        to->at, to->as.bf16, to->as.n_channel, to->as.n_padded, {d->rank == 4 ? d->dim[2] : 1, d->dim[d->rank - 1]}};
    return e->front.queue(e->front.context, &tensor, c->size[which], c->engine->stream, reterr);
}

static enum burst_err queue_cam(struct cuda_entry *e, int which, struct burst_error *reterr)
{
    struct cuda_code *c = e->code;
    const struct cuda_form *feature = &c->form[c->head_feature];
    struct cam_job job = {.head = c->head,
                          .as = feature->as,
                          .feature = feature->at,
                          .index = e->cam_class,
                          .ret = e->cam_at,
                          .n_sample = c->size[which]};
    return cuda_check(c->engine, cam_cuda(&job, c->engine->stream), "burst:cam", reterr);
}

/* The Grad-CAM goes before the last operation, which tells the host that all is there. */
static enum burst_err queue_entry(struct cuda_entry *e, int which, struct burst_error *reterr)
{
    struct cuda_code *c = e->code;
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < c->n_op; i++) {
        bool last = i == c->n_op - 1;
        if (last && e->cam_class >= 0) err = queue_cam(e, which, reterr);
        if (err) break;
        err = i == e->front_op ? queue_front(e, which, reterr) : queue_op(c, i, which, last, reterr);
    }
    return err;
}

/* ---- making ---- */

/* Record one size of batch. An error inside a capture ends the capture, too. Relaxed: kernels that have not been launched
 * before, a front's and those of a choice out of the file, are then brought to the device, and a cuDNN engine may take memory
 * when it first runs; every other mode forbids this thread both. */
static enum burst_err record(struct cuda_entry *e, int which, cudaGraph_t *ret, struct burst_error *reterr)
{
    struct cuda_engine *engine = e->code->engine;
    struct burst_error ignored;
    enum burst_err err = CUDA_TRY(cudaStreamBeginCapture, engine->stream, cudaStreamCaptureModeRelaxed);
    if (err) return err;
    err = queue_entry(e, which, reterr);
    cudaError_t ended = cudaStreamEndCapture(engine->stream, ret);
    enum burst_err end = cuda_check(engine, (int)ended, "cudaStreamEndCapture", err ? &ignored : reterr);
    return err ? err : end;
}

static enum burst_err capture(struct cuda_entry *e, int which, struct burst_error *reterr)
{
    struct cuda_engine *engine = e->code->engine;
    cudaGraph_t graph = NULL;
    enum burst_err err = record(e, which, &graph, reterr);
    if (!err) err = CUDA_TRY(cudaGraphInstantiate, &e->graph[which], graph, 0);
    if (!err) err = CUDA_TRY(cudaGraphUpload, e->graph[which], engine->stream);
    if (graph) (void)cudaGraphDestroy(graph); /* the executable one is its own */
    return err;
}

/* The one operation that reads the caller's rows, if it is one that a front can stand for. */
static enum burst_err find_front(const struct cuda_code *c, int *ret, struct burst_error *reterr)
{
    int found = CODE_NONE, readers = 0;
    for (int i = 0; i < c->n_op; i++)
        for (int k = 0; k < c->op[i].n_in; k++) {
            if (c->form[c->op[i].in[k]].place != FORM_ROWS) continue;
            readers++;
            if (c->op[i].kind == OP_PACK) found = i;
        }
    bool image = found != CODE_NONE && readers == 1 && c->form[c->op[found].out].n_image == 1;
    if (!image || found == c->n_op - 1)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "cuda: the network's input is no image or sequence");
    *ret = found;
    return BURST_OK;
}

static enum burst_err check_entry(struct cuda_entry *e, bool front, struct burst_error *reterr)
{
    const struct cuda_code *c = e->code;
    if (e->cam_class >= 0 && c->head_feature == CODE_NONE)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "cuda: no Grad-CAM: %.199s", c->no_head);
    if (e->cam_class >= 0 && e->cam_class >= head_n_out(&c->head, c->form[c->head_feature].as.n_channel))
        return burst_fail(reterr, BURST_E_RANGE, "cuda: there is no class %d", e->cam_class);
    return front ? find_front(c, &e->front_op, reterr) : BURST_OK;
}

static enum burst_err take_cam(struct cuda_entry *e, struct burst_error *reterr)
{
    struct cuda_code *c = e->code;
    if (e->cam_class < 0) return BURST_OK;
    size_t n = (size_t)c->plan->batch * (size_t)c->form[c->head_feature].as.n_position;
    void *host;
    enum burst_err err = memory_take(c->engine, &e->memory, CUDA_ON_HOST, n * sizeof(float), &e->cam_at, &host, reterr);
    if (!err) e->cam = host;
    return err;
}

enum burst_err entry_make(struct cuda_code *c, const struct cuda_front *front, int cam_class, struct cuda_entry **ret,
                          struct burst_error *reterr)
{
    struct cuda_entry *e = calloc(1, sizeof *e);
    if (!e) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for an entry");
    e->code = c;
    e->front_op = CODE_NONE;
    e->cam_class = cam_class < 0 ? -1 : cam_class;
    if (front) e->front = *front;
    enum burst_err err = front || cam_class >= 0 ? check_entry(e, front != NULL, reterr) : BURST_OK;
    if (!err) err = take_cam(e, reterr);
    for (int w = 0; !err && w < c->n_size; w++)
        err = capture(e, w, reterr);
    if (!err) err = engine_wait(c->engine, engine_deadline(c->engine), reterr); /* uploads */
    if (err) {
        cuda_entry_free(e);
        return err;
    }
    *ret = e;
    return BURST_OK;
}

enum burst_err cuda_entry_new(void *code, const struct cuda_front *front, int cam_class, struct cuda_entry **ret,
                              struct burst_error *reterr)
{
    struct cuda_code *c = code;
    enum burst_err err = engine_alive(c->engine, reterr);
    if (!err && (c->plan->n_input != 1 || c->plan->n_output != 1))
        err = burst_fail(reterr, BURST_E_UNSUPPORTED, "cuda: an entry needs one input and one output, not %d and %d",
                         c->plan->n_input, c->plan->n_output);
    return err ? err : entry_make(c, front, cam_class, ret, reterr);
}

void cuda_entry_free(struct cuda_entry *entry)
{
    if (!entry) return;
    for (int i = 0; i < CODE_SIZES; i++)
        if (entry->graph[i]) (void)cudaGraphExecDestroy(entry->graph[i]); /* nothing can be done about a refusal */
    memory_give_back_all(&entry->memory);
    free(entry);
}

float *cuda_entry_rows(const struct cuda_entry *entry)
{
    return entry->front.queue ? NULL : entry->code->rows[0];
}

/* ---- running ---- */

enum { SPINS = 20000, LOOKS = 64 };
static const int64_t ASK_NS =
    CLOCK_NS_PER_S / 1000; /* after so long the runtime is asked whether the device still works */

/* The number may be there already, or may never come: a device that has failed says so only when it is asked. */
static enum burst_err wait_for(struct cuda_code *c, uint32_t sequence, int64_t deadline_ns, struct burst_error *reterr)
{
    struct cuda_engine *engine = c->engine;
    int64_t ask_ns = 0;
    for (long i = 0;; i++) {
        if (__atomic_load_n(&c->sequence[1], __ATOMIC_ACQUIRE) == sequence) return BURST_OK;
        if (i % LOOKS != LOOKS - 1) continue;
        int64_t now_ns = clock_mono_ns();
        if (now_ns > deadline_ns) break;
        if (i > SPINS) (void)sched_yield(); /* cannot fail on Linux */
        if (ask_ns == 0) ask_ns = now_ns + ASK_NS;
        if (now_ns < ask_ns) continue;
        ask_ns = now_ns + ASK_NS;
        cudaError_t error = cudaStreamQuery(engine->stream);
        if (error != cudaSuccess && error != cudaErrorNotReady)
            return cuda_check(engine, (int)error, "a kernel", reterr);
    }
    engine->dead = true; /* what the device still does, nobody knows */
    return burst_fail(reterr, BURST_E_TIMEOUT, "the GPU has not answered in time");
}

enum burst_err entry_launch(struct cuda_entry *e, int n, int64_t deadline_ns, struct burst_error *reterr)
{
    struct cuda_code *c = e->code;
    struct cuda_engine *engine = c->engine;
    int which = 0;
    enum burst_err err = engine_alive(engine, reterr);
    if (err) return err;
    while (c->size[which] < n)
        which++;
    uint32_t sequence = c->sequence[0] + 1;
    __atomic_store_n(&c->sequence[0], sequence, __ATOMIC_RELEASE);
    err = CUDA_TRY(cudaGraphLaunch, e->graph[which], engine->stream);
    return err ? err : wait_for(c, sequence, deadline_ns, reterr);
}

enum burst_err cuda_entry_run(struct cuda_entry *entry, int n, float *ret_output, float *ret_cam, int64_t deadline_ns,
                              struct burst_error *reterr)
{
    const struct cuda_code *c = entry->code;
    if (n < 1 || n > c->plan->batch)
        return burst_fail(reterr, BURST_E_SHAPE, "%d samples; this entry takes 1 to %d", n, c->plan->batch);
    enum burst_err err = entry_launch(entry, n, deadline_ns, reterr);
    if (err) return err;
    size_t row = (size_t)c->plan->value[c->plan->output[0]].n_element;
    memcpy(ret_output, c->results[0], (size_t)n * row * sizeof *ret_output);
    if (ret_cam && entry->cam)
        memcpy(ret_cam, entry->cam, (size_t)n * (size_t)c->form[c->head_feature].as.n_position * sizeof *ret_cam);
    return BURST_OK;
}
