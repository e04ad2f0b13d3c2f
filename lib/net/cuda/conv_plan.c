#include "net/cuda/conv.h"
#include <stdlib.h>
#include <string.h>

enum {
    COMPILED_MOST = 2
}; /* engines that cuDNN would have to compile a kernel for: seconds each, so only where nothing is ready */
static const size_t WORKSPACE_MOST = (size_t)256 << 20; /* an engine that wants more is passed over */

/* ---- what the heuristics offer ---- */

/* Ask for the configurations of one mode: ret [*n] descriptors on `own`. */
static enum burst_err ask(struct cuda_engine *engine, const struct conv_graph *g, cudnnBackendHeurMode_t mode,
                          struct conv_descriptors *own, cudnnBackendDescriptor_t *ret, int64_t *n,
                          struct burst_error *reterr)
{
    const int64_t most = *n;
    cudnnBackendDescriptor_t heuristics;
    *n = 0;
    enum burst_err err = conv_make(engine, own, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristics, reterr);
    if (!err)
        err = conv_set(engine, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &g->graph, reterr);
    if (!err && engine->described)
        err = conv_set(engine, heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &engine->described, reterr);
    if (!err) err = conv_set(engine, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode, reterr);
    if (!err) err = conv_finalize(engine, heuristics, "cudnnBackendFinalize of the heuristics", reterr);
    if (err) return err == BURST_E_UNSUPPORTED ? BURST_OK : err; /* it has nothing to offer */
    int64_t offered = 0;
    err = CUDNN_TRY(cudnnBackendGetAttribute, heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                    0, &offered, NULL);
    if (offered > most) offered = most;
    for (int64_t i = 0; !err && i < offered; i++)
        err = conv_make(engine, own, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &ret[i], reterr);
    if (!err && offered > 0)
        err = CUDNN_TRY(cudnnBackendGetAttribute, heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                        CUDNN_TYPE_BACKEND_DESCRIPTOR, offered, n, ret);
    return err;
}

/* ---- what a configuration is ---- */

/* May an engine with these notes compute in this precision? The canary compares answers bit by bit, so never one whose
 * sums come in another order each time. */
static bool notes_allow(const struct cuda_engine *engine, const cudnnBackendNumericalNote_t *note, int64_t n)
{
    bool cores = false, down = false, random = false;
    for (int64_t i = 0; i < n; i++) {
        cores |= note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
        down |= note[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
                note[i] == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION;
        random |= note[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    }
    return !random && !down && !(cores && engine->precision == CUDA_FP32);
}

static enum burst_err read_compiled(struct cuda_engine *engine, cudnnBackendDescriptor_t e, bool *ret,
                                    struct burst_error *reterr)
{
    cudnnBackendBehaviorNote_t note[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
    int64_t n = 0;
    enum burst_err err = CUDNN_TRY(cudnnBackendGetAttribute, e, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                   CUDNN_TYPE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, &n, note);
    if (err) return err;
    for (int64_t i = 0; i < n && i < CUDNN_BEHAVIOR_NOTE_TYPE_COUNT; i++)
        *ret |= note[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
    return BURST_OK;
}

/* Number and notes of the configuration's engine. */
static enum burst_err read_engine(struct cuda_engine *engine, cudnnBackendDescriptor_t config,
                                  struct conv_descriptors *own, struct conv_plan *ret, bool *ret_allowed,
                                  struct burst_error *reterr)
{
    cudnnBackendDescriptor_t e;
    cudnnBackendNumericalNote_t note[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t n = 0;
    enum burst_err err = conv_make(engine, own, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &e, reterr);
    if (!err)
        err = CUDNN_TRY(cudnnBackendGetAttribute, config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                        &n, &e);
    if (!err)
        err = CUDNN_TRY(cudnnBackendGetAttribute, e, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &n,
                        &ret->engine);
    if (!err)
        err = CUDNN_TRY(cudnnBackendGetAttribute, e, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                        CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n, note);
    if (!err) err = read_compiled(engine, e, &ret->compiled, reterr);
    if (err) return err;
    *ret_allowed = notes_allow(engine, note, n < CUDNN_NUMERICAL_NOTE_TYPE_COUNT ? n : CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    return BURST_OK;
}

static enum burst_err read_knob(struct cuda_engine *engine, cudnnBackendDescriptor_t choice, struct choice_knob *ret,
                                struct burst_error *reterr)
{
    cudnnBackendKnobType_t type;
    int64_t n, value;
    enum burst_err err = CUDNN_TRY(cudnnBackendGetAttribute, choice, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                   CUDNN_TYPE_KNOB_TYPE, 1, &n, &type);
    if (!err)
        err = CUDNN_TRY(cudnnBackendGetAttribute, choice, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &n,
                        &value);
    if (err) return err;
    *ret = (struct choice_knob){(int)type, value};
    return BURST_OK;
}

static enum burst_err read_knobs(struct cuda_engine *engine, cudnnBackendDescriptor_t config,
                                 struct conv_descriptors *own, struct conv_plan *ret, struct burst_error *reterr)
{
    cudnnBackendDescriptor_t choice[CHOICE_KNOBS];
    int64_t n = 0;
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < CHOICE_KNOBS; i++)
        err = conv_make(engine, own, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, &choice[i], reterr);
    if (!err)
        err = CUDNN_TRY(cudnnBackendGetAttribute, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                        CUDNN_TYPE_BACKEND_DESCRIPTOR, CHOICE_KNOBS, &n, choice);
    for (ret->n_knob = 0; !err && ret->n_knob < n && ret->n_knob < CHOICE_KNOBS; ret->n_knob++)
        err = read_knob(engine, choice[ret->n_knob], &ret->knob[ret->n_knob], reterr);
    return err;
}

/* ---- plans ---- */

static enum burst_err finish_plan(struct cuda_engine *engine, cudnnBackendDescriptor_t config, struct conv_plan *plan,
                                  struct burst_error *reterr)
{
    int64_t n = 0, bytes = 0;
    enum burst_err err = conv_make(engine, &plan->own, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan->plan, reterr);
    if (!err && engine->described)
        err = conv_set(engine, plan->plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &engine->described, reterr);
    else if (!err)
        err = conv_set(engine, plan->plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &engine->cudnn,
                       reterr);
    if (!err)
        err = conv_set(engine, plan->plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &config, reterr);
    if (!err) err = conv_finalize(engine, plan->plan, "cudnnBackendFinalize of an execution plan", reterr);
    if (!err)
        err = CUDNN_TRY(cudnnBackendGetAttribute, plan->plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                        CUDNN_TYPE_INT64, 1, &n, &bytes);
    if (err) return err;
    if (bytes < 0 || (size_t)bytes > WORKSPACE_MOST)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "engine %lld wants %lld bytes of workspace",
                          (long long)plan->engine, (long long)bytes);
    plan->workspace = (size_t)bytes;
    return BURST_OK;
}

/* The engine of that number with these knobs set. */
static enum burst_err make_config(struct cuda_engine *engine, const struct conv_graph *g, struct conv_plan *plan,
                                  cudnnBackendDescriptor_t *ret, struct burst_error *reterr)
{
    cudnnBackendDescriptor_t e, config, choice[CHOICE_KNOBS];
    struct conv_descriptors *own = &plan->own;
    enum burst_err err = conv_make(engine, own, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &e, reterr);
    if (!err)
        err =
            conv_set(engine, e, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &g->graph, reterr);
    if (!err && engine->described)
        err = conv_set(engine, e, CUDNN_ATTR_ENGINE_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &engine->described,
                       reterr);
    if (!err) err = conv_set(engine, e, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &plan->engine, reterr);
    if (!err) err = conv_finalize(engine, e, "cudnnBackendFinalize of an engine", reterr);
    for (int i = 0; !err && i < plan->n_knob; i++) {
        cudnnBackendKnobType_t type = (cudnnBackendKnobType_t)plan->knob[i].type;
        err = conv_make(engine, own, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, &choice[i], reterr);
        if (!err)
            err = conv_set(engine, choice[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type, reterr);
        if (!err)
            err = conv_set(engine, choice[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1,
                           &plan->knob[i].value, reterr);
        if (!err) err = conv_finalize(engine, choice[i], "cudnnBackendFinalize of a knob", reterr);
    }
    if (!err) err = conv_make(engine, own, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config, reterr);
    if (!err) err = conv_set(engine, config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &e, reterr);
    if (!err && plan->n_knob > 0)
        err = conv_set(engine, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, plan->n_knob,
                       choice, reterr);
    if (!err) err = conv_finalize(engine, config, "cudnnBackendFinalize of an engine's configuration", reterr);
    if (!err) *ret = config;
    return err;
}

/* Every plan is made from numbers, also the ones the heuristics have just offered: a choice that is kept is then known to
 * be one that can be made again. */
static enum burst_err make_plan(struct cuda_engine *engine, const struct conv_graph *g, struct conv_plan *plan,
                                struct burst_error *reterr)
{
    cudnnBackendDescriptor_t config = NULL;
    plan->form = g->form;
    enum burst_err err = make_config(engine, g, plan, &config, reterr);
    if (!err) err = finish_plan(engine, config, plan, reterr);
    if (err) conv_plan_free(plan);
    return err;
}

enum burst_err conv_plan_of(struct cuda_engine *engine, const struct conv_graph *g, const struct choice *choice,
                            struct conv_plan *ret, struct burst_error *reterr)
{
    struct conv_plan plan = {.engine = choice->engine, .n_knob = choice->n_knob};
    memcpy(plan.knob, choice->knob, sizeof plan.knob);
    enum burst_err err = make_plan(engine, g, &plan, reterr);
    /* Numbers out of a file that this cuDNN does not know are no defect of the device. */
    if (err == BURST_E_DEVICE && !engine->dead) err = BURST_E_UNSUPPORTED;
    if (!err) *ret = plan;
    return err;
}

static bool same_choice(const struct conv_plan *a, const struct conv_plan *b)
{
    if (a->engine != b->engine || a->n_knob != b->n_knob) return false;
    for (int i = 0; i < a->n_knob; i++)
        if (a->knob[i].type != b->knob[i].type || a->knob[i].value != b->knob[i].value) return false;
    return true;
}

/* What refuses one offer leaves the others, unless the device is gone. */
static bool passed_over(const struct cuda_engine *engine, enum burst_err err)
{
    return err == BURST_E_UNSUPPORTED || (err == BURST_E_DEVICE && !engine->dead);
}

/* One configuration to a plan behind those there are; none where it is not allowed, not possible, or there already.
 * compiled  whether kernels that cuDNN has to compile are asked for, or ready-made ones */
static enum burst_err take_offer(struct cuda_engine *engine, const struct conv_graph *g,
                                 cudnnBackendDescriptor_t config, bool compiled, struct conv_plan *ret, int *n,
                                 struct burst_error *reterr)
{
    struct conv_plan plan = {0};
    struct conv_descriptors own = {0};
    bool allowed = false;
    enum burst_err err = read_engine(engine, config, &own, &plan, &allowed, reterr);
    allowed = allowed && plan.compiled == compiled;
    if (!err && allowed) err = read_knobs(engine, config, &own, &plan, reterr);
    conv_descriptors_free(&own);
    for (int i = 0; i < *n; i++)
        allowed = allowed && !same_choice(&plan, &ret[i]);
    if (err || !allowed) return passed_over(engine, err) ? BURST_OK : err;
    err = make_plan(engine, g, &plan, reterr);
    if (err) return passed_over(engine, err) ? BURST_OK : err;
    ret[(*n)++] = plan;
    return BURST_OK;
}

static enum burst_err offers_of_mode(struct cuda_engine *engine, const struct conv_graph *g,
                                     cudnnBackendHeurMode_t mode, bool compiled, int most, struct conv_plan *ret,
                                     int *n, struct burst_error *reterr)
{
    cudnnBackendDescriptor_t config[CONV_DESCRIPTORS - 2];
    struct conv_descriptors own = {0};
    int64_t n_config = CONV_DESCRIPTORS - 2;
    enum burst_err err = ask(engine, g, mode, &own, config, &n_config, reterr);
    for (int64_t i = 0; !err && i < n_config && *n < most; i++)
        err = take_offer(engine, g, config[i], compiled, ret, n, reterr);
    conv_descriptors_free(&own);
    return err;
}

enum burst_err conv_plans_offered(struct cuda_engine *engine, const struct conv_graph *g, int most,
                                  struct conv_plan *ret, int *ret_n, struct burst_error *reterr)
{
    static const cudnnBackendHeurMode_t MODES[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK};
    enum burst_err err = BURST_OK;
    int n = 0;
    for (size_t i = 0; !err && n == 0 && i < sizeof MODES / sizeof *MODES; i++)
        err = offers_of_mode(engine, g, MODES[i], false, most, ret, &n, reterr);
    int compiled = engine->tune ? most : n > 0 ? 0 : most < COMPILED_MOST ? most : COMPILED_MOST;
    for (size_t i = 0; !err && n < compiled && i < sizeof MODES / sizeof *MODES; i++)
        err = offers_of_mode(engine, g, MODES[i], true, compiled, ret, &n, reterr);
    for (; err && n > 0; n--)
        conv_plan_free(&ret[n - 1]);
    *ret_n = n;
    return err;
}

enum burst_err conv_plan_bind(struct cuda_engine *engine, struct conv_plan *plan, const struct conv_address *at,
                              void *workspace, struct burst_error *reterr)
{
    const int64_t ids[] = {'x', 'w', 'y', 'b', 'z'};
    const void *bias = plan->form == CONV_ADD_FIRST ? at->bias_stored : at->bias;
    const void *address[] = {at->x, at->w, at->y, bias, at->add};
    int64_t id[5];
    const void *where[5];
    int n = 0;
    for (int i = 0; i < (plan->form == CONV_ALONE ? 3 : 5); i++)
        if (address[i]) {
            id[n] = ids[i];
            where[n++] = address[i];
        }
    enum burst_err err = conv_make(engine, &plan->own, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &plan->pack, reterr);
    if (!err) err = conv_set(engine, plan->pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, id, reterr);
    if (!err)
        err =
            conv_set(engine, plan->pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, where, reterr);
    if (!err)
        err =
            conv_set(engine, plan->pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace, reterr);
    return err ? err : CUDNN_TRY(cudnnBackendFinalize, plan->pack);
}

enum burst_err conv_plan_run(struct cuda_engine *engine, const struct conv_plan *plan, struct burst_error *reterr)
{
    return CUDNN_TRY(cudnnBackendExecute, engine->cudnn, plan->plan, plan->pack);
}

void conv_plan_free(struct conv_plan *plan)
{
    conv_descriptors_free(&plan->own);
    plan->plan = plan->pack = NULL;
}
