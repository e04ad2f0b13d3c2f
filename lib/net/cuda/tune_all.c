#include "net/cuda/code.h"
#include <stdio.h>
#include <stdlib.h>

enum { TILE_ROUNDS = 5 };
static const float SLOW_US = 100000; /* no card is so slow: the first that takes as long is the last that is tried */

/* ---- the MSCFM's tile ---- */

static enum burst_err time_tile(struct cuda_code *c, int i, int which, float *ret_us, struct burst_error *reterr)
{
    struct cuda_engine *engine = c->engine;
    float ms = 0;
    enum burst_err err = CUDA_TRY(cudaEventRecord, engine->started, engine->stream);
    if (!err) err = queue_op(c, i, which, false, reterr);
    if (!err) err = CUDA_TRY(cudaEventRecord, engine->ended, engine->stream);
    if (!err) err = engine_wait(engine, engine_deadline(engine), reterr);
    if (!err) err = CUDA_TRY(cudaEventElapsedTime, &ms, engine->started, engine->ended);
    if (!err) *ret_us = ms * 1000;
    return err;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The least median of rounds over all tiles, one after the other. */
static enum burst_err time_tiles(struct cuda_code *c, int i, int which, const int *tile, int n, struct choice *ret,
                                 struct burst_error *reterr)
{
    float us[MSCFM_TILE_N][TILE_ROUNDS];
    int *chosen = &c->op[i].mscfm.tile[which];
    enum burst_err err = BURST_OK;
    int rounds = TILE_ROUNDS;
    for (int r = 0; r < rounds; r++)
        for (int k = 0; !err && k < n; k++) {
            *chosen = tile[k];
            err = time_tile(c, i, which, &us[k][r], reterr);
            if (err || us[k][r] <= SLOW_US || c->engine->tune) continue;
            rounds = r + 1;
            if (r == 0) n = k + 1;
        }
    if (err) return err;
    for (int k = 0; k < n; k++) {
        qsort(us[k], (size_t)rounds, sizeof us[k][0], compare_floats);
        double median = (double)us[k][rounds / 2];
        if (k > 0 && median >= ret->us) continue;
        ret->us = median;
        ret->engine = tile[k];
    }
    return BURST_OK;
}

static bool is_one_of(int64_t x, const int *tile, int n)
{
    for (int k = 0; k < n; k++)
        if (tile[k] == x) return true;
    return false;
}

static enum burst_err tune_mscfm(struct cuda_code *c, int i, int which, struct burst_error *reterr)
{
    struct cuda_op *op = &c->op[i];
    const struct mscfm_job *job = &op->mscfm.job;
    int tile[MSCFM_TILE_N], n = mscfm_tiles(job->n_channel, job->precision, c->engine->shared_most, tile);
    struct choice choice = {0};
    (void)snprintf(choice.shape, sizeof choice.shape, "mscfm:%dx%dx%d", c->size[which], job->n_bin, job->n_channel);
    const struct choice *known = choices_find(&c->engine->choices, choice.shape);
    if (known && is_one_of(known->engine, tile, n)) {
        op->mscfm.tile[which] = (int)known->engine;
        return BURST_OK;
    }
    if (n == 1) {
        op->mscfm.tile[which] = tile[0];
        return BURST_OK;
    }
    enum burst_err err = time_tiles(c, i, which, tile, n, &choice, reterr);
    if (err) return err;
    op->mscfm.tile[which] = (int)choice.engine;
    c->choices_changed = true;
    return choices_put(&c->engine->choices, &choice, reterr);
}

/* ---- all ---- */

static bool is_tuned(const struct cuda_op *op)
{
    return op->kind == OP_CONV || op->kind == OP_MSCFM;
}

static enum burst_err tune_op(struct cuda_code *c, int i, int *done, int all, struct burst_error *reterr)
{
    struct cuda_op *op = &c->op[i];
    enum burst_err err = BURST_OK;
    for (int w = 0; !err && is_tuned(op) && w < c->n_size; w++) {
        err = op->kind == OP_CONV ? tune_conv(c, op, w, reterr) : tune_mscfm(c, i, w, reterr);
        if (!err && c->engine->progress) c->engine->progress(c->engine->context, ++*done, all);
    }
    return err;
}

static enum burst_err tune_ops(struct cuda_code *c, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    int done = 0, all = 0;
    for (int i = 0; i < c->n_op; i++)
        all += is_tuned(&c->op[i]) ? c->n_size : 0;
    for (int i = 0; !err && i < c->n_op; i++)
        err = tune_op(c, i, &done, all, reterr);
    return err;
}

/* For who has asked for nothing else, the file is the result; for all others it saves time. */
static enum burst_err keep_choices(struct cuda_code *c, struct burst_error *reterr)
{
    struct burst_error why;
    if (!c->choices_changed || !c->engine->choices_file) return BURST_OK;
    (void)choices_read(&c->engine->choices, c->engine->choices_file, NULL); /* what other lanes have found meanwhile */
    enum burst_err err = choices_write(&c->engine->choices, c->engine->choices_file, &why);
    if (err && c->engine->tune)
        return burst_fail(reterr, BURST_E_IO, "the choice of engines is not kept: %.150s", why.text);
    if (err) code_remark(c, "the choice of engines is not kept: %.150s", why.text);
    return BURST_OK;
}

enum burst_err tune_all(struct cuda_code *c, struct burst_error *reterr)
{
    enum burst_err err = tune_ops(c, reterr);
    for (int i = 0; !err && i < c->n_op; i++) /* now that the workspace grows no more */
        for (int w = 0; !err && c->op[i].kind == OP_CONV && w < c->n_size; w++)
            err = tune_bind(c, &c->op[i], &c->op[i].conv->plan[w], reterr);
    return err ? err : keep_choices(c, reterr);
}
