/* backend_cpu: oneDNN through its C interface, float32, on the calling thread alone. A plan is compiled once into a program
 * over blocked layouts (backend_cpu.h); a run executes it sample by sample and takes no memory of ours. */
#include "net/backend_cpu.h"
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The OpenMP runtime behind oneDNN. Written out because <omp.h> belongs to one compiler and the library to another. */
int omp_get_max_threads(void);
void omp_set_num_threads(int n);

/* oneDNN takes its number of threads from OpenMP, when a primitive is made and when it runs. The setting belongs to the
 * calling thread, so it is put back for whatever else that thread does. */
static int one_thread(void)
{
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    return before;
}

static enum burst_err open_engine(void **ret_engine, struct burst_error *reterr)
{
    dnnl_engine_t engine;
    dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (status != dnnl_success)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "oneDNN has no CPU engine here (status %d)", (int)status);
    *ret_engine = engine;
    return BURST_OK;
}

static void close_engine(void *engine)
{
    (void)dnnl_engine_destroy(engine); /* NULL is accepted; nothing can be done about a refusal */
}

static void release(void *code)
{
    struct cpu_code *c = code;
    if (!c) return;
    for (int i = 0; i < c->n_op; i++) {
        for (int a = 0; a < c->op[i].n_arg; a++)
            (void)dnnl_memory_destroy(c->op[i].arg[a].memory); /* none of these can fail on what they made */
        (void)dnnl_primitive_destroy(c->op[i].primitive);
    }
    for (int i = 0; i < c->n_result; i++) {
        (void)dnnl_primitive_destroy(c->result[i].reorder);
        (void)dnnl_memory_destroy(c->result[i].from);
        (void)dnnl_memory_destroy(c->result[i].to);
    }
    if (c->stream) (void)dnnl_stream_destroy(c->stream);
    while (c->blocks) {
        struct cpu_block *next = c->blocks->next;
        free(c->blocks->bytes);
        free(c->blocks);
        c->blocks = next;
    }
    free(c->form);
    free(c->op);
    free(c);
}

/* ---- compiling ---- */

static int *ints(struct cpu_code *c, int n, int value)
{
    int *p = cpu_take(c, (size_t)n * sizeof *p);
    for (int i = 0; p && i < n; i++)
        p[i] = value;
    return p;
}

static enum burst_err start(const struct net_plan *plan, dnnl_engine_t engine, struct cpu_code **ret,
                            struct burst_error *reterr)
{
    struct cpu_code *c = calloc(1, sizeof *c);
    if (!c) return burst_fail(reterr, BURST_E_NOMEM, "cpu: no memory for a program");
    c->plan = plan;
    c->engine = engine;
    c->root = ints(c, plan->n_value, 0);
    c->home = ints(c, plan->n_value, CPU_NO_FORM);
    c->plain_of = ints(c, plan->n_value, CPU_NO_FORM);
    c->last_use = ints(c, plan->n_value, -1);
    c->result_of = ints(c, plan->n_value, -1);
    c->keep_result = ints(c, plan->n_keep, -1);
    c->at = cpu_take(c, (size_t)plan->n_value * sizeof *c->at);
    c->result = cpu_take(c, (size_t)plan->n_keep * sizeof *c->result);
    if (c->result) memset(c->result, 0, (size_t)plan->n_keep * sizeof *c->result);
    dnnl_status_t status = dnnl_out_of_memory;
    if (c->root && c->home && c->plain_of && c->last_use && c->result_of && c->keep_result && c->at && c->result)
        status = dnnl_stream_create(&c->stream, engine, dnnl_stream_default_flags);
    if (status != dnnl_success) {
        enum burst_err err = cpu_fail(c, status, "a stream", reterr);
        release(c);
        return err;
    }
    *ret = c;
    return BURST_OK;
}

/* Find for every value what it is a view of: the value that a step writes into the same buffer. */
static enum burst_err find_roots(struct cpu_code *c, struct burst_error *reterr)
{
    const struct net_plan *p = c->plan;
    int *maker = ints(c, p->n_buffer, -1);
    if (!maker) return cpu_fail(c, dnnl_out_of_memory, "the program", reterr);
    for (int i = 0; i < p->n_step; i++) {
        int out = p->step[i].output, buffer = p->value[out].buffer;
        if (p->value[out].at != PLAN_AT_SCRATCH || buffer < 0 || maker[buffer] >= 0)
            return burst_fail(reterr, BURST_E_INTERNAL, "%.100s: two steps write one buffer", p->step[i].name);
        maker[buffer] = out;
    }
    for (int v = 0; v < p->n_value; v++) {
        bool view = p->value[v].at == PLAN_AT_SCRATCH && p->value[v].buffer >= 0 && maker[p->value[v].buffer] >= 0;
        c->root[v] = view ? maker[p->value[v].buffer] : v;
    }
    return BURST_OK;
}

static void find_last_uses(struct cpu_code *c)
{
    const struct net_plan *p = c->plan;
    for (int i = 0; i < p->n_step; i++) {
        for (int j = 0; j < p->step[i].n_input; j++)
            c->last_use[c->root[p->step[i].input[j]]] = i;
        if (p->step[i].add >= 0) c->last_use[c->root[p->step[i].add]] = i;
    }
    for (int i = 0; i < p->n_keep; i++) {
        int root = c->root[p->keep[i].value];
        c->last_use[root] = INT_MAX; /* read after the run */
        if (c->result_of[root] < 0) {
            c->result[c->n_result] = (struct cpu_result){.value = root, .form = CPU_NO_FORM};
            c->result_of[root] = c->n_result++;
        }
        c->keep_result[i] = c->result_of[root];
    }
}

/* Inputs and constants that are outputs at once: copied to the results. */
static enum burst_err keep_unmade(struct cpu_code *c, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; i < c->n_result && err == BURST_OK; i++) {
        if (c->result[i].form != CPU_NO_FORM) continue;
        int from, value = c->result[i].value;
        err = cpu_home(c, value, &from, reterr);
        if (err != BURST_OK) return err;
        struct cpu_form *grown = realloc(c->form, (size_t)(c->n_form + 1) * sizeof *grown);
        if (!grown) return cpu_fail(c, dnnl_out_of_memory, "the program", reterr);
        c->form = grown;
        struct cpu_form form = c->form[from];
        form.place = CPU_AT_RESULT;
        form.index = i;
        c->result[i].form = c->n_form;
        c->form[c->n_form++] = form;
        struct cpu_op copy = {.from = from, .to = c->result[i].form, .n_row = 1};
        copy.row_bytes = dnnl_memory_desc_get_size(&form.md);
        err = cpu_op_copy(c, copy, reterr);
    }
    return err;
}

/* How results leave: each in its layout, and row-major when somebody asks. */
static enum burst_err make_result_reorders(struct cpu_code *c, struct burst_error *reterr)
{
    for (int i = 0; i < c->n_result; i++) {
        struct cpu_result *r = &c->result[i];
        const dnnl_memory_desc_t *md = &c->form[r->form].md;
        if (cpu_md_is_plain(md)) continue;
        dnnl_memory_desc_t plain = cpu_md_plain(md->ndims, md->dims);
        dnnl_primitive_desc_t pd = NULL;
        dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, md, c->engine, &plain, c->engine, NULL);
        if (status == dnnl_success) status = dnnl_primitive_create(&r->reorder, pd);
        (void)dnnl_primitive_desc_destroy(pd); /* NULL is accepted; the primitive holds its own */
        if (status == dnnl_success) status = dnnl_memory_create(&r->from, md, c->engine, DNNL_MEMORY_NONE);
        if (status == dnnl_success) status = dnnl_memory_create(&r->to, &plain, c->engine, DNNL_MEMORY_NONE);
        if (status != dnnl_success) return cpu_fail(c, status, "a result's layout", reterr);
    }
    return BURST_OK;
}

static const struct cpu_form *storage_of(const struct cpu_code *c, int form)
{
    return &c->form[cpu_storage(c, form)];
}

/* Offsets of all scratch forms: storage lives as long as every form that lies in it, and shares bytes over time. */
static enum burst_err arrange_scratch(struct cpu_code *c, size_t *ret_bytes, struct burst_error *reterr)
{
    struct plan_buffer *buffer = calloc((size_t)c->n_form + 1, sizeof *buffer);
    if (!buffer) return cpu_fail(c, dnnl_out_of_memory, "the program", reterr);
    int n = 0;
    for (int i = 0; i < c->n_form; i++) {
        struct cpu_form *storage = &c->form[cpu_storage(c, i)];
        if (c->form[i].first < storage->first) storage->first = c->form[i].first;
        if (c->form[i].last > storage->last) storage->last = c->form[i].last;
    }
    for (int i = 0; i < c->n_form; i++)
        if (c->form[i].place == CPU_AT_SCRATCH)
            buffer[n++] =
                (struct plan_buffer){.bytes = c->form[i].bytes, .first = c->form[i].first, .last = c->form[i].last};
    enum burst_err err = plan_arrange(buffer, n, ret_bytes, reterr);
    n = 0;
    for (int i = 0; i < c->n_form && err == BURST_OK; i++)
        if (c->form[i].place == CPU_AT_SCRATCH) c->form[i].offset = buffer[n++].offset;
    free(buffer);
    return err;
}

/* One block: scratch, results, oneDNN's scratchpad. */
static enum burst_err take_memory(struct cpu_code *c, struct burst_error *reterr)
{
    size_t bytes = 0, scratch;
    enum burst_err err = arrange_scratch(c, &scratch, reterr);
    if (err != BURST_OK) return err;
    for (int i = 0; i < c->n_result; i++) {
        c->result[i].offset = bytes;
        size_t all;
        if (__builtin_mul_overflow(c->form[c->result[i].form].bytes, (size_t)c->plan->batch, &all) ||
            __builtin_add_overflow(bytes, all, &bytes))
            return burst_fail(reterr, BURST_E_LIMIT, "cpu: the results of %d samples are too large", c->plan->batch);
    }
    if (__builtin_add_overflow(scratch, bytes, &bytes) || __builtin_add_overflow(bytes, c->scratchpad_bytes, &bytes))
        return burst_fail(reterr, BURST_E_LIMIT, "cpu: the network needs too much scratch");
    c->scratch = cpu_take(c, bytes);
    if (!c->scratch) return burst_fail(reterr, BURST_E_NOMEM, "cpu: no memory for %zu bytes", bytes);
    c->results = c->scratch + scratch;
    c->scratchpad = c->scratch + bytes - c->scratchpad_bytes;
    return BURST_OK;
}

/* Where a form lies for one sample. `input` may be NULL for forms that do not move. */
static void *address_of(const struct cpu_code *c, int form, const float *const *input, int sample)
{
    size_t inside = 0;
    for (; c->form[form].place == CPU_INSIDE; form = c->form[form].index)
        inside += c->form[form].offset;
    const struct cpu_form *f = &c->form[form];
    switch (f->place) {
    case CPU_AT_INPUT: /* read, never written; oneDNN's C interface has no const for that */
        return (void *)(uintptr_t)(input[f->index] + sample * c->plan->value[f->value].n_element);
    case CPU_AT_CONSTANT: return (void *)(uintptr_t)f->constant;
    case CPU_AT_RESULT: return c->results + c->result[f->index].offset + (size_t)sample * f->bytes + inside;
    case CPU_AT_SCRATCH:
    case CPU_INSIDE: break;
    }
    return c->scratch + f->offset + inside;
}

static bool moves(const struct cpu_code *c, int form)
{
    enum cpu_place place = storage_of(c, form)->place;
    return place == CPU_AT_INPUT || place == CPU_AT_RESULT;
}

/* Tell oneDNN every address that stays. */
static enum burst_err fix_addresses(struct cpu_code *c, struct burst_error *reterr)
{
    for (int i = 0; i < c->n_op; i++)
        for (int a = 0; a < c->op[i].n_arg; a++) {
            int form = c->op[i].form[a];
            if (form == CPU_NO_FORM) continue;
            if (form != CPU_SCRATCHPAD && moves(c, form)) {
                c->op[i].moving |= 1U << a;
                continue;
            }
            void *at = form == CPU_SCRATCHPAD ? c->scratchpad : address_of(c, form, NULL, 0);
            dnnl_status_t status = dnnl_memory_set_data_handle(c->op[i].arg[a].memory, at);
            if (status != dnnl_success) return cpu_fail(c, status, "an address", reterr);
        }
    return BURST_OK;
}

static enum burst_err build(struct cpu_code *c, struct burst_error *reterr)
{
    enum burst_err err = find_roots(c, reterr);
    if (err == BURST_OK) find_last_uses(c);
    for (int i = 0; i < c->plan->n_step && err == BURST_OK; i++)
        err = cpu_step(c, i, reterr);
    if (err == BURST_OK) err = keep_unmade(c, reterr);
    if (err == BURST_OK) err = make_result_reorders(c, reterr);
    if (err == BURST_OK) err = take_memory(c, reterr);
    if (err == BURST_OK) err = fix_addresses(c, reterr);
    return err;
}

static enum burst_err compile(void *engine, const struct net_plan *plan, void **ret_code, struct burst_error *reterr)
{
    struct cpu_code *c = NULL;
    int threads = one_thread();
    enum burst_err err = start(plan, engine, &c, reterr);
    if (err == BURST_OK) err = build(c, reterr);
    omp_set_num_threads(threads);
    if (err != BURST_OK) {
        release(c);
        return err;
    }
    *ret_code = c;
    return BURST_OK;
}

/* ---- running ---- */

static dnnl_status_t run_primitive(struct cpu_code *c, struct cpu_op *op, const float *const *input, int sample)
{
    for (int a = 0; op->moving >> a; a++) {
        if (!(op->moving >> a & 1U)) continue;
        dnnl_status_t status =
            dnnl_memory_set_data_handle(op->arg[a].memory, address_of(c, op->form[a], input, sample));
        if (status != dnnl_success) return status;
    }
    return dnnl_primitive_execute(op->primitive, c->stream, op->n_arg, op->arg);
}

static void run_copy(const struct cpu_code *c, const struct cpu_op *op, const float *const *input, int sample)
{
    const uint8_t *from = address_of(c, op->from, input, sample);
    uint8_t *to = address_of(c, op->to, input, sample);
    to += op->to_offset;
    for (size_t i = 0; i < op->n_row; i++)
        memcpy(to + i * op->to_step, from + i * op->from_step, op->row_bytes);
}

static void run_plain(struct cpu_code *c, const struct cpu_op *op, const float *const *input, int sample)
{
    const struct plan_step *s = &c->plan->step[op->step];
    for (int i = 0; i < s->n_input; i++)
        c->at[s->input[i]] = address_of(c, c->plain_of[c->root[s->input[i]]], input, sample);
    if (s->add >= 0) c->at[s->add] = address_of(c, c->plain_of[c->root[s->add]], input, sample);
    plain_step(s, c->plan->value, c->at, address_of(c, c->home[s->output], input, sample));
}

static enum burst_err run_sample(struct cpu_code *c, const float *const *input, int sample, struct burst_error *reterr)
{
    for (int i = 0; i < c->n_op; i++) {
        struct cpu_op *op = &c->op[i];
        if (op->kind == CPU_COPY) run_copy(c, op, input, sample);
        if (op->kind == CPU_PLAIN) run_plain(c, op, input, sample);
        if (op->kind != CPU_PRIMITIVE) continue;
        dnnl_status_t status = run_primitive(c, op, input, sample);
        if (status != dnnl_success) {
            c->step = op->step;
            return cpu_fail(c, status, "to run", reterr);
        }
    }
    return BURST_OK;
}

static enum burst_err run(void *code, const float *const *input, int n, struct burst_error *reterr)
{
    struct cpu_code *c = code;
    enum burst_err err = BURST_OK;
    int threads = one_thread();
    for (int i = 0; i < n && err == BURST_OK; i++)
        err = run_sample(c, input, i, reterr);
    omp_set_num_threads(threads);
    return err;
}

/* One row of a result, in row-major order. */
static dnnl_status_t read_row(struct cpu_code *c, const struct cpu_result *r, int row, float *ret)
{
    void *from = address_of(c, r->form, NULL, row);
    if (!r->reorder) {
        memcpy(ret, from, (size_t)c->plan->value[r->value].n_element * sizeof *ret);
        return dnnl_success;
    }
    dnnl_exec_arg_t arg[2] = {{DNNL_ARG_FROM, r->from}, {DNNL_ARG_TO, r->to}};
    dnnl_status_t status = dnnl_memory_set_data_handle(r->from, from);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(r->to, ret);
    return status == dnnl_success ? dnnl_primitive_execute(r->reorder, c->stream, 2, arg) : status;
}

static enum burst_err read_keep(void *code, int keep, int n, float *ret, struct burst_error *reterr)
{
    struct cpu_code *c = code;
    const struct cpu_result *r = &c->result[c->keep_result[keep]];
    dnnl_status_t status = dnnl_success;
    int threads = one_thread();
    for (int i = 0; i < n && status == dnnl_success; i++)
        status = read_row(c, r, i, ret + i * c->plan->value[r->value].n_element);
    omp_set_num_threads(threads);
    if (status == dnnl_success) return BURST_OK;
    return burst_fail(reterr, BURST_E_INTERNAL, "cpu: a result could not be read (status %d)", (int)status);
}

static bool list_operation(void *code, int i, int *ret_step, const char **ret_name)
{
    const struct cpu_code *c = code;
    if (i >= c->n_op) return false;
    *ret_step = c->op[i].step;
    *ret_name = c->op[i].impl;
    return true;
}

const struct net_backend net_backend_cpu = {.name = "cpu",
                                            .open = open_engine,
                                            .compile = compile,
                                            .run = run,
                                            .read = read_keep,
                                            .release = release,
                                            .close = close_engine,
                                            .operation = list_operation};
