/* The worker behind the face of a backend: the whole plan is one step over there. */
#include "model_cuda.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "science/gpu.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const int64_t LOAD_NS = 240 * CLOCK_NS_PER_S; /* every engine of cuDNN may be timed */
static const int64_t JOB_NS = 60 * CLOCK_NS_PER_S;

struct model_worker {
    struct worker *worker;
    enum worker_precision precision;
    const struct net_plan *plan; /* lent by the network */
    float *output[MODEL_FILE_MAX];
};

/* ---- struct net_backend ---- */

static const struct plan_value *output_of(const struct model_worker *m, int i)
{
    return &m->plan->value[m->plan->output[i]];
}

static enum burst_err compile(void *engine, const struct net_plan *plan, void **ret_code, struct burst_error *reterr)
{
    struct model_worker *m = engine;
    m->plan = plan;
    if (plan->n_output > MODEL_FILE_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "a network of %d outputs; at most %d", plan->n_output, MODEL_FILE_MAX);
    for (int i = 0; i < plan->n_output; i++) {
        m->output[i] = calloc((size_t)plan->batch * (size_t)output_of(m, i)->n_element + 1, sizeof(float));
        if (!m->output[i]) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the GPU's answers");
    }
    *ret_code = m;
    return BURST_OK;
}

static enum burst_err run(void *code, const float *const *input, int n, struct burst_error *reterr)
{
    struct model_worker *m = code;
    return worker_run(m->worker, 0, input, n, m->output, clock_mono_ns() + JOB_NS, reterr);
}

static enum burst_err read(void *code, int keep, int n, float *ret, struct burst_error *reterr)
{
    const struct model_worker *m = code;
    if (keep >= m->plan->n_output)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "tensors inside a network are not read from the GPU's worker");
    memcpy(ret, m->output[keep], (size_t)n * (size_t)output_of(m, keep)->n_element * sizeof *ret);
    return BURST_OK;
}

/* What was compiled goes with the worker. */
static void release(void *code)
{
    (void)code;
}

/* Which kernels serve a step is known over there alone. */
static bool operation(void *code, int i, int *ret_step, const char **ret_name)
{
    const struct model_worker *m = code;
    if (i >= m->plan->n_step) return false;
    *ret_step = i;
    *ret_name = "burst-cuda";
    return true;
}

static const struct net_backend WORKER_BACKEND = {
    .name = "cuda", .compile = compile, .run = run, .read = read, .release = release, .operation = operation};

/* ---- opening ---- */

static enum burst_err await_worker(struct model_worker *m, struct burst_error *reterr)
{
    int64_t until_ns = clock_mono_ns() + LOAD_NS;
    enum worker_state state = worker_step(m->worker, clock_mono_ns());
    while (state != WORKER_ABSENT && state != WORKER_READY && clock_mono_ns() < until_ns) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        state = worker_step(m->worker, clock_mono_ns());
    }
    if (state != WORKER_READY)
        return burst_fail(reterr, BURST_E_DEVICE, "no GPU can be used: %s", worker_why(m->worker));
    const struct worker_slot *slot = worker_slot(m->worker, 0);
    if (slot->state == WORKER_SLOT_LOADED) return BURST_OK;
    return burst_fail(reterr, slot->code ? slot->code : BURST_E_DEVICE, "the GPU's worker does not take it: %s",
                      slot->text);
}

static enum burst_err read_config_of(const struct model_options *options, struct gpu_settings *ret,
                                     struct burst_error *reterr)
{
    struct burst_config config;
    if (read_config("model", options->config, &config))
        return burst_fail(reterr, BURST_E_CONFIG, "%s: not a configuration", options->config);
    return gpu_settings_of(&config, ret, reterr);
}

static enum burst_err open_worker(const struct model_options *options, const uint8_t *bytes, size_t n, int batch,
                                  struct model_worker *m, struct burst_error *reterr)
{
    static struct gpu_settings gpu;
    enum burst_err err = read_config_of(options, &gpu, reterr);
    m->precision = gpu.device.precision;
    struct worker_settings settings = {.socket = gpu.device.socket,
                                       .program = gpu.device.program,
                                       .cache = gpu.device.cache,
                                       .precision = gpu.device.precision,
                                       .core = -1,
                                       .input_bytes = (size_t)64 << 20,
                                       .output_bytes = (size_t)16 << 20};
    struct worker_model model = {.role = WORKER_PLAIN, .bytes = bytes, .n = n, .batch = batch};
    if (!err) err = worker_new(&settings, &m->worker, reterr);
    if (!err) err = worker_model(m->worker, 0, &model, reterr);
    return err ? err : await_worker(m, reterr);
}

static enum burst_err open_cuda(const struct model_options *options, const char *file, int batch, struct net **ret,
                                struct model_worker *m, struct burst_error *reterr)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct net_settings settings = {.with = &WORKER_BACKEND, .engine = m, .batch_most = batch};
    enum burst_err err = bytes_read_file(file, NET_FILE_MOST, &bytes, &n, reterr);
    if (!err) err = open_worker(options, bytes, n, batch, m, reterr);
    if (!err) err = net_open_bytes(bytes, n, &settings, ret, reterr);
    free(bytes);
    return err;
}

enum burst_err model_open(const struct model_options *options, enum net_backend_id backend, int batch, struct net **ret,
                          struct model_worker **ret_worker, struct burst_error *reterr)
{
    struct net_settings settings = {.backend = backend, .batch_most = batch};
    char file[4096];
    struct stat st;
    *ret_worker = NULL;
    if (!options->cuda) return net_open(options->path, &settings, ret, reterr);
    bool folder = stat(options->path, &st) == 0 && S_ISDIR(st.st_mode);
    (void)snprintf(file, sizeof file, "%.4000s%s", options->path, folder ? "/model.onnx" : "");
    struct model_worker *m = calloc(1, sizeof *m);
    if (!m) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a lane to the GPU");
    enum burst_err err = open_cuda(options, file, batch, ret, m, reterr);
    if (err)
        model_close(NULL, m);
    else
        *ret_worker = m;
    return err;
}

void model_close(struct net *net, struct model_worker *worker)
{
    net_close(net);
    if (!worker) return;
    worker_free(worker->worker);
    for (int i = 0; i < MODEL_FILE_MAX; i++)
        free(worker->output[i]);
    free(worker);
}

const struct worker_facts *model_facts(const struct model_worker *worker)
{
    return worker ? worker_facts(worker->worker) : NULL;
}

const char *model_precision(const struct model_worker *worker)
{
    return device_precision_name(worker->precision);
}

double model_tolerance(const struct model_worker *worker)
{
    return device_tolerance(worker->precision);
}
