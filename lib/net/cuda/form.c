/* Forms: which layouts of a value there are, and the operations that make one from another. */
#include "net/cuda/code.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_BYTES = 256 }; /* what cudaMalloc aligns to, and more than any kernel asks for */

enum burst_err code_refuse(const struct cuda_code *c, enum burst_err code, struct burst_error *reterr, const char *why)
{
    const struct plan_step *s = &c->plan->step[c->step];
    return burst_fail(reterr, code, "cuda: node '%.130s' (%.60s): %s", s->name, s->kind, why);
}

void code_remark(struct cuda_code *c, const char *format, ...)
{
    if (c->n_remark == c->n_remark_room) {
        int room = c->n_remark_room ? 2 * c->n_remark_room : 8;
        char(*grown)[CODE_REMARK] = realloc(c->remark, (size_t)room * sizeof *grown);
        if (!grown) return;
        c->remark = grown;
        c->n_remark_room = room;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->remark[c->n_remark++], CODE_REMARK, format, args); /* cut where it is longer */
    va_end(args);
}

/* ---- roots ---- */

enum burst_err form_find_roots(struct cuda_code *c, struct burst_error *reterr)
{
    const struct net_plan *p = c->plan;
    int *maker = malloc(((size_t)p->n_buffer + 1) * sizeof *maker);
    if (!maker) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    for (int i = 0; i < p->n_buffer; i++)
        maker[i] = CODE_NONE;
    for (int i = 0; i < p->n_step; i++) {
        const struct plan_value *out = &p->value[p->step[i].output];
        if (out->at != PLAN_AT_SCRATCH || out->buffer < 0 || maker[out->buffer] >= 0) {
            free(maker);
            return burst_fail(reterr, BURST_E_INTERNAL, "%.100s: two steps write one buffer", p->step[i].name);
        }
        maker[out->buffer] = p->step[i].output;
    }
    for (int v = 0; v < p->n_value; v++) {
        int buffer = p->value[v].at == PLAN_AT_SCRATCH ? p->value[v].buffer : -1;
        c->root[v] = buffer >= 0 && maker[buffer] >= 0 ? maker[buffer] : v;
        c->home[v] = CODE_NONE;
    }
    free(maker);
    return BURST_OK;
}

int form_readers(const struct cuda_code *c, int root)
{
    int n = 0;
    for (int i = 0; i < c->plan->n_step; i++) {
        const struct plan_step *s = &c->plan->step[i];
        for (int j = 0; j < s->n_input; j++)
            n += c->root[s->input[j]] == root;
        n += s->add >= 0 && c->root[s->add] == root;
    }
    return n;
}

bool form_is_kept(const struct cuda_code *c, int root)
{
    for (int i = 0; i < c->plan->n_keep; i++)
        if (c->root[c->plan->keep[i].value] == root) return true;
    return false;
}

/* The first output that is this value or a view of it; CODE_NONE if none is. */
static int output_of(const struct cuda_code *c, int root)
{
    for (int i = 0; i < c->plan->n_output; i++)
        if (c->root[c->plan->output[i]] == root) return i;
    return CODE_NONE;
}

/* ---- layouts ---- */

/* Channels in memory: 16 bytes at least, which kernels and cuDNN read at once; two such for bfloat16, whose tensor cores
 * take 16 channels a step, where there is more than one's worth. */
static int64_t padded(int64_t n, bool bf16)
{
    int64_t unit = bf16 && n > 8 ? 16 : 8;
    return (n + unit - 1) / unit * unit;
}

static bool map_of(const struct cuda_code *c, int value, struct cuda_form *ret)
{
    const struct net_dims *d = &c->plan->value[value].dims;
    if (d->rank != 3 && d->rank != 4) return false;
    bool bf16 = c->engine->precision == CUDA_BF16;
    int64_t n_position = d->dim[2] * (d->rank == 4 ? d->dim[3] : 1);
    *ret = (struct cuda_form){.root = c->root[value],
                              .map = true,
                              .as = {n_position, d->dim[1], padded(d->dim[1], bf16), bf16},
                              .n_image = d->dim[0]};
    return true;
}

static struct cuda_form rows_of(const struct cuda_code *c, int value)
{
    int64_t n = c->plan->value[value].n_element;
    return (struct cuda_form){.root = c->root[value], .as = {1, n, n, false}, .n_image = 1};
}

static bool same_map(const struct cuda_form *a, const struct cuda_form *b)
{
    return a->map && b->map && a->n_image == b->n_image && a->as.n_channel == b->as.n_channel &&
           a->as.n_position == b->as.n_position;
}

/* ---- making forms ---- */

static enum burst_err add_form(struct cuda_code *c, struct cuda_form form, int *ret, struct burst_error *reterr)
{
    struct cuda_form *grown = realloc(c->form, (size_t)(c->n_form + 1) * sizeof *grown);
    if (!grown) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    c->form = grown;
    size_t bytes = layout_bytes(&form.as, form.n_image * c->plan->batch);
    form.bytes = (bytes + PLACE_BYTES - 1) / PLACE_BYTES * PLACE_BYTES;
    form.first = c->n_op;
    form.last = c->n_op;
    c->form[c->n_form] = form;
    *ret = c->n_form++;
    return BURST_OK;
}

enum burst_err form_op(struct cuda_code *c, const struct cuda_op *op, struct burst_error *reterr)
{
    struct cuda_op *grown = realloc(c->op, (size_t)(c->n_op + 1) * sizeof *grown);
    if (!grown) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    c->op = grown;
    c->op[c->n_op] = *op;
    c->op[c->n_op].step = c->step;
    for (int i = 0; i < op->n_in; i++)
        c->form[op->in[i]].last = c->n_op;
    c->form[op->out].last = c->n_op++;
    return BURST_OK;
}

enum burst_err form_output(struct cuda_code *c, int value, bool map, int *ret, struct burst_error *reterr)
{
    struct cuda_form form = rows_of(c, value);
    int output = output_of(c, value);
    if (map && !map_of(c, value, &form))
        return code_refuse(c, BURST_E_UNSUPPORTED, reterr, "only tensors of 3 or 4 dimensions are maps");
    if (!map && output >= 0 && form_readers(c, value) == 0) {
        form.place = FORM_RESULT;
        form.index = output;
    }
    enum burst_err err = add_form(c, form, ret, reterr);
    if (!err) c->home[value] = *ret;
    return err;
}

/* A copy of a constant for each sample: kernels know no tensors that samples share. */
static enum burst_err upload_constant(struct cuda_code *c, int value, struct cuda_form *form,
                                      struct burst_error *reterr)
{
    const struct plan_value *v = &c->plan->value[value];
    size_t bytes = (size_t)v->n_element * sizeof(float), n = (size_t)c->plan->batch;
    uint8_t *all = malloc(bytes * n + 1);
    if (!all) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a constant");
    for (size_t i = 0; i < n; i++)
        memcpy(all + i * bytes, v->constant, bytes);
    enum burst_err err = constant_put(c, all, bytes * n, &form->at, reterr);
    free(all);
    return err;
}

/* Where a value was made; inputs and constants get their form when they are first asked for. */
static enum burst_err home_of(struct cuda_code *c, int value, int *ret, struct burst_error *reterr)
{
    int root = c->root[value];
    enum burst_err err = BURST_OK;
    if (c->home[root] == CODE_NONE) {
        const struct plan_value *v = &c->plan->value[root];
        struct cuda_form form = rows_of(c, root);
        if (v->at == PLAN_AT_SCRATCH) return code_refuse(c, BURST_E_INTERNAL, reterr, "reads what nothing made");
        form.place = v->at == PLAN_AT_INPUT ? FORM_ROWS : FORM_CONSTANT;
        form.index = v->index;
        if (form.place == FORM_CONSTANT) err = upload_constant(c, root, &form, reterr);
        if (!err) err = add_form(c, form, &c->home[root], reterr);
    }
    if (!err) *ret = c->home[root];
    return err;
}

static enum burst_err convert(struct cuda_code *c, enum op_kind kind, const char *name, int from, struct cuda_form form,
                              int *ret, struct burst_error *reterr)
{
    int to = CODE_NONE;
    enum burst_err err = add_form(c, form, &to, reterr);
    struct cuda_op op = {.kind = kind, .n_in = 1, .in = {from}};
    if (err) return err;
    op.out = to;
    (void)snprintf(op.name, sizeof op.name, "%s", name);
    err = form_op(c, &op, reterr);
    if (!err) *ret = to;
    return err;
}

/* Rows of a value wherever they lie, the caller's own included. */
static enum burst_err any_rows(struct cuda_code *c, int value, int *ret, struct burst_error *reterr)
{
    int home;
    enum burst_err err = home_of(c, value, &home, reterr);
    if (err) return err;
    for (int i = 0; i < c->n_form; i++)
        if (c->form[i].root == c->root[value] && !c->form[i].map && c->form[i].place != FORM_RESULT) {
            *ret = i;
            return BURST_OK;
        }
    return convert(c, OP_UNPACK, "burst:unpack", home, rows_of(c, value), ret, reterr);
}

enum burst_err form_rows(struct cuda_code *c, int value, int *ret, struct burst_error *reterr)
{
    int from;
    enum burst_err err = any_rows(c, value, &from, reterr);
    if (err) return err;
    for (int i = 0; i < c->n_form && c->form[from].place == FORM_ROWS; i++)
        if (c->form[i].root == c->root[value] && !c->form[i].map && c->form[i].place == FORM_SCRATCH) from = i;
    if (c->form[from].place == FORM_ROWS) return convert(c, OP_COPY, "copy", from, rows_of(c, value), ret, reterr);
    *ret = from;
    return BURST_OK;
}

enum burst_err form_map(struct cuda_code *c, int value, int *ret, struct burst_error *reterr)
{
    struct cuda_form want;
    int from;
    if (!map_of(c, value, &want))
        return code_refuse(c, BURST_E_UNSUPPORTED, reterr, "only tensors of 3 or 4 dimensions are maps");
    for (int i = 0; i < c->n_form; i++)
        if (c->form[i].root == want.root && same_map(&c->form[i], &want)) {
            *ret = i;
            return BURST_OK;
        }
    enum burst_err err = any_rows(c, value, &from, reterr);
    return err ? err : convert(c, OP_PACK, "burst:pack", from, want, ret, reterr);
}

bool form_lies_as_map(const struct cuda_code *c, int value)
{
    struct cuda_form want;
    int home = c->home[c->root[value]];
    return home != CODE_NONE && map_of(c, value, &want) && same_map(&c->form[home], &want);
}

/* ---- the end ---- */

static enum burst_err deliver(struct cuda_code *c, int output, struct burst_error *reterr)
{
    int value = c->plan->output[output], home, to;
    enum burst_err err = home_of(c, value, &home, reterr);
    if (err || (c->form[home].place == FORM_RESULT && c->form[home].index == output)) return err;
    struct cuda_form form = rows_of(c, value);
    form.place = FORM_RESULT;
    form.index = output;
    bool map = c->form[home].map;
    return convert(c, map ? OP_UNPACK : OP_COPY, map ? "burst:unpack" : "copy", home, form, &to, reterr);
}

enum burst_err form_results(struct cuda_code *c, struct burst_error *reterr)
{
    const struct net_plan *p = c->plan;
    enum burst_err err = BURST_OK;
    c->step = p->n_step - 1;
    for (int i = 0; !err && i < p->n_keep; i++)
        err = home_of(c, p->keep[i].value, &c->keep[i], reterr);
    for (int i = 0; !err && i < p->n_output; i++)
        err = deliver(c, i, reterr);
    for (int i = 0; !err && i < p->n_keep; i++)
        c->form[c->keep[i]].last = c->n_op; /* read after the run */
    return err;
}

/* ---- places ---- */

static void set_address(struct cuda_code *c, struct cuda_form *f, size_t offset)
{
    if (f->place == FORM_SCRATCH) f->at = (uint8_t *)c->scratch + offset;
    if (f->place == FORM_ROWS) f->at = c->rows_at[f->index];
    if (f->place == FORM_RESULT) f->at = c->results_at[f->index];
}

enum burst_err form_arrange(struct cuda_code *c, struct burst_error *reterr)
{
    struct plan_buffer *buffer = calloc((size_t)c->n_form + 1, sizeof *buffer);
    if (!buffer) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    size_t bytes = 0;
    for (int i = 0; i < c->n_form; i++) /* what has its place elsewhere takes none here */
        buffer[i] = (struct plan_buffer){.bytes = c->form[i].place == FORM_SCRATCH ? c->form[i].bytes : 0,
                                         .first = c->form[i].first,
                                         .last = c->form[i].last};
    enum burst_err err = plan_arrange(buffer, c->n_form, &bytes, reterr);
    if (!err) err = memory_take(c->engine, &c->memory, CUDA_ON_DEVICE, bytes + PLACE_BYTES, &c->scratch, NULL, reterr);
    for (int i = 0; !err && i < c->n_form; i++)
        set_address(c, &c->form[i], buffer[i].offset);
    free(buffer);
    return err;
}
