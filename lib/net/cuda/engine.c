/* Opening a device: one stream, one cuDNN handle, the choices of earlier runs. */
#include "net/cuda/engine.h"
#include "base/clock.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SM_LEAST = 80 }; /* bfloat16 and TF32 on tensor cores; what our kernels are built for */
static const int64_t PATIENCE_NS = 10 * CLOCK_NS_PER_S;
enum { ENGINES_TRIED = 16, SPINS = 2000 };

static const char *const PRECISIONS[CUDA_PRECISION_N] = {"fp32", "tf32", "bf16"};

enum burst_err cuda_precision_parse(const char *word, enum cuda_precision *ret, struct burst_error *reterr)
{
    for (int i = 0; i < CUDA_PRECISION_N; i++) {
        if (strcmp(word, PRECISIONS[i]) != 0) continue;
        *ret = (enum cuda_precision)i;
        return BURST_OK;
    }
    return burst_fail(reterr, BURST_E_RANGE, "precision '%.40s' is none of fp32, tf32, bf16", word);
}

const char *cuda_precision_name(enum cuda_precision precision)
{
    return PRECISIONS[precision];
}

bool cuda_is_dead(const struct cuda_engine *engine)
{
    return engine->dead;
}

void *cuda_stream(const struct cuda_engine *engine)
{
    return engine->stream;
}

void cuda_describe(const struct cuda_engine *engine, struct cuda_device_facts *ret)
{
    *ret = engine->facts;
}

/* ---- opening ---- */

static enum burst_err find_device(struct cuda_engine *engine, struct burst_error *reterr)
{
    int n = 0;
    cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver) {
        (void)cuda_check(NULL, (int)error, "cudaGetDeviceCount", reterr);
        if (reterr) reterr->code = BURST_E_UNSUPPORTED;
        return BURST_E_UNSUPPORTED;
    }
    enum burst_err err = cuda_check(engine, (int)error, "cudaGetDeviceCount", reterr);
    if (err) return err;
    if (engine->device < 0 || engine->device >= n)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "there is no GPU %d: CUDA sees %d", engine->device, n);
    return CUDA_TRY(cudaSetDevice, engine->device);
}

static enum burst_err learn_facts(struct cuda_engine *engine, struct burst_error *reterr)
{
    struct cudaDeviceProp p;
    struct cuda_device_facts *f = &engine->facts;
    enum burst_err err = CUDA_TRY(cudaGetDeviceProperties, &p, engine->device);
    if (!err) err = CUDA_TRY(cudaDriverGetVersion, &f->driver);
    if (!err) err = CUDA_TRY(cudaRuntimeGetVersion, &f->runtime);
    if (err) return err;
    engine->shared_most = p.sharedMemPerBlockOptin;
    (void)snprintf(f->name, sizeof f->name, "%.255s", p.name);
    f->sm = p.major * 10 + p.minor;
    f->n_multiprocessor = p.multiProcessorCount;
    f->memory_bytes = p.totalGlobalMem;
    f->cudnn = (int)cudnnGetVersion();
    f->precision = engine->precision;
    if (f->sm < SM_LEAST)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%.200s has compute capability %d.%d; 8.0 is the least", f->name,
                          p.major, p.minor);
    return BURST_OK;
}

static enum burst_err make_stream(struct cuda_engine *engine, bool background, struct burst_error *reterr)
{
    int lowest = 0, highest = 0;
    enum burst_err err = CUDA_TRY(cudaDeviceGetStreamPriorityRange, &lowest, &highest);
    if (err) return err;
    return CUDA_TRY(cudaStreamCreateWithPriority, &engine->stream, cudaStreamNonBlocking,
                    background ? lowest : highest);
}

/* What cuDNN's engines are chosen for; all else in the file's lines is shapes. */
static void choices_title_of(const struct cuda_engine *engine, char ret_title[CHOICES_TITLE])
{
    (void)snprintf(ret_title, CHOICES_TITLE, "cudnn %d, %s, %.200s", engine->facts.cudnn, PRECISIONS[engine->precision],
                   engine->facts.name);
}

/* A file that is absent, for another device, or damaged is no error: everything is then timed again. */
static enum burst_err remember_choices(struct cuda_engine *engine, const char *folder, struct burst_error *reterr)
{
    char title[CHOICES_TITLE], name[CHOICES_TITLE];
    choices_title_of(engine, title);
    choices_init(&engine->choices, title);
    if (!folder) return BURST_OK;
    choices_file_name(title, name);
    size_t n = strlen(folder) + strlen(name) + 2;
    engine->choices_file = malloc(n);
    if (!engine->choices_file) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a path");
    (void)snprintf(engine->choices_file, n, "%s/%s", folder, name);
    if (!engine->tune) (void)choices_read(&engine->choices, engine->choices_file, NULL);
    return BURST_OK;
}

static enum burst_err prepare(struct cuda_engine *engine, const struct cuda_settings *s, struct burst_error *reterr)
{
    enum burst_err err = find_device(engine, reterr);
    if (!err) err = learn_facts(engine, reterr);
    if (!err) err = make_stream(engine, s->background, reterr);
    if (!err) err = CUDA_TRY(cudaEventCreate, &engine->started);
    if (!err) err = CUDA_TRY(cudaEventCreate, &engine->ended);
    if (!err) err = CUDNN_TRY(cudnnCreate, &engine->cudnn);
    if (!err) err = CUDNN_TRY(cudnnSetStream, engine->cudnn, engine->stream);
    if (!err) err = remember_choices(engine, s->cache_folder, reterr);
    return err;
}

enum burst_err cuda_open(const struct cuda_settings *settings, struct cuda_engine **ret, struct burst_error *reterr)
{
    const struct cuda_settings plain = {0};
    const struct cuda_settings *s = settings ? settings : &plain;
    if ((unsigned)s->precision >= CUDA_PRECISION_N)
        return burst_fail(reterr, BURST_E_RANGE, "precision %d is none of the three", (int)s->precision);
    struct cuda_engine *engine = calloc(1, sizeof *engine);
    if (!engine) return burst_fail(reterr, BURST_E_NOMEM, "no memory for an engine");
    engine->device = s->device;
    engine->precision = s->precision;
    engine->tune = s->tune;
    engine->progress = s->progress;
    engine->context = s->context;
    engine->patience_ns = s->patience_ns > 0 ? s->patience_ns : PATIENCE_NS;
    engine->engine_most = s->engine_most > 0 ? s->engine_most : ENGINES_TRIED;
    enum burst_err err = prepare(engine, s, reterr);
    if (err) {
        cuda_close(engine);
        return err;
    }
    *ret = engine;
    return BURST_OK;
}

void cuda_close(struct cuda_engine *engine)
{
    if (!engine) return;
    memory_give_back_all(&engine->memory);
    /* A refusal means that the device has failed: nothing is left to be done about it. */
    if (engine->cudnn) (void)cudnnDestroy(engine->cudnn);
    if (engine->started) (void)cudaEventDestroy(engine->started);
    if (engine->ended) (void)cudaEventDestroy(engine->ended);
    if (engine->stream) (void)cudaStreamDestroy(engine->stream);
    choices_fini(&engine->choices);
    free(engine->choices_file);
    free(engine);
}

/* ---- waiting ---- */

enum burst_err engine_alive(const struct cuda_engine *engine, struct burst_error *reterr)
{
    if (!engine->dead) return BURST_OK;
    return burst_fail(reterr, BURST_E_STATE, "the GPU failed this process before; only a new one can use it");
}

int64_t engine_deadline(const struct cuda_engine *engine)
{
    return clock_mono_ns() + engine->patience_ns;
}

enum burst_err engine_wait(struct cuda_engine *engine, int64_t deadline_ns, struct burst_error *reterr)
{
    for (int i = 0;; i++) {
        cudaError_t error = cudaStreamQuery(engine->stream);
        if (error == cudaSuccess) return BURST_OK;
        if (error != cudaErrorNotReady) return cuda_check(engine, (int)error, "cudaStreamQuery", reterr);
        if (clock_mono_ns() > deadline_ns) break;
        if (i > SPINS) (void)sched_yield(); /* cannot fail on Linux */
    }
    engine->dead = true;
    return burst_fail(reterr, BURST_E_TIMEOUT, "the GPU did not finish in time");
}
