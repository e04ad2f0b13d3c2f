/* Layouts of the oneDNN backend: which forms a value has, and the operations that make one out of another. */
#include "net/backend_cpu.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum burst_err cpu_fail(const struct cpu_code *code, dnnl_status_t status, const char *what, struct burst_error *reterr)
{
    const char *name = code->plan->n_step > code->step ? code->plan->step[code->step].name : "end of the network";
    if (status == dnnl_out_of_memory)
        return burst_fail(reterr, BURST_E_NOMEM, "%.100s: out of memory for %s", name, what);
    enum burst_err err = status == dnnl_unimplemented ? BURST_E_UNSUPPORTED : BURST_E_INTERNAL;
    return burst_fail(reterr, err, "%.100s: oneDNN refused %s (status %d)", name, what, (int)status);
}

static enum burst_err no_memory(const struct cpu_code *code, struct burst_error *reterr)
{
    return cpu_fail(code, dnnl_out_of_memory, "the program", reterr);
}

static dnnl_memory_desc_t md_of_tag(int n_dim, const int64_t *dim, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims = {0};
    memcpy(dims, dim, (size_t)n_dim * sizeof dims[0]);
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&md, n_dim, dims, dnnl_f32, tag);
    assert(status == dnnl_success); /* rank and sizes were checked when the plan was made */
    (void)status;
    return md;
}

dnnl_memory_desc_t cpu_md_any(int n_dim, const int64_t *dim)
{
    return md_of_tag(n_dim, dim, dnnl_format_tag_any);
}

dnnl_memory_desc_t cpu_md_plain(int n_dim, const int64_t *dim)
{
    static const dnnl_format_tag_t TAG[] = {dnnl_a,     dnnl_a,      dnnl_ab,      dnnl_abc,     dnnl_abcd,
                                            dnnl_abcde, dnnl_abcdef, dnnl_abcdefg, dnnl_abcdefgh};
    const int64_t one = 1;
    return md_of_tag(n_dim ? n_dim : 1, n_dim ? dim : &one, TAG[n_dim]);
}

static dnnl_memory_desc_t plain_of_md(const dnnl_memory_desc_t *md)
{
    return cpu_md_plain(md->ndims, md->dims);
}

bool cpu_md_is_plain(const dnnl_memory_desc_t *md)
{
    dnnl_memory_desc_t plain = plain_of_md(md);
    if (dnnl_memory_desc_equal(md, &plain)) return true;
    int n_long = 0; /* with one dimension longer than 1 and nothing padded there is only one order */
    for (int i = 0; i < md->ndims; i++) {
        n_long += md->dims[i] > 1;
        if (md->padded_dims[i] != md->dims[i]) return false;
    }
    return n_long <= 1;
}

static bool same_dims(const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b)
{
    return a->ndims == b->ndims && memcmp(a->dims, b->dims, (size_t)a->ndims * sizeof a->dims[0]) == 0;
}

void *cpu_take(struct cpu_code *code, size_t bytes)
{
    struct cpu_block *block = malloc(sizeof *block);
    if (!block) return NULL;
    block->bytes = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64); /* never of size 0 */
    if (!block->bytes) {
        free(block);
        return NULL;
    }
    block->next = code->blocks;
    code->blocks = block;
    return block->bytes;
}

static enum burst_err add_form(struct cpu_code *code, struct cpu_form form, int *ret_form, struct burst_error *reterr)
{
    struct cpu_form *grown = realloc(code->form, (size_t)(code->n_form + 1) * sizeof *grown);
    if (!grown) return no_memory(code, reterr);
    code->form = grown;
    form.bytes = (dnnl_memory_desc_get_size(&form.md) + 63) / 64 * 64;
    form.first = code->n_op;
    form.last = code->n_op;
    *ret_form = code->n_form;
    code->form[code->n_form++] = form;
    return BURST_OK;
}

int cpu_storage(const struct cpu_code *code, int form)
{
    while (code->form[form].place == CPU_INSIDE)
        form = code->form[form].index;
    return form;
}

enum burst_err cpu_home(struct cpu_code *code, int value, int *ret_form, struct burst_error *reterr)
{
    int root = code->root[value];
    const struct plan_value *v = &code->plan->value[root];
    if (code->home[root] == CPU_NO_FORM) {
        if (v->at == PLAN_AT_SCRATCH)
            return burst_fail(reterr, BURST_E_INTERNAL, "%.100s is read before any step has made it", v->name);
        struct cpu_form form = {
            .value = root, .md = cpu_md_plain(v->dims.rank, v->dims.dim), .index = v->index, .constant = v->constant};
        form.place = v->at == PLAN_AT_INPUT ? CPU_AT_INPUT : CPU_AT_CONSTANT;
        enum burst_err err = add_form(code, form, &code->home[root], reterr);
        if (err != BURST_OK) return err;
    }
    *ret_form = code->home[root];
    return BURST_OK;
}

/* A new scratch form of `root` in layout md, filled by a reorder from row-major or home bytes described by from_md. */
static enum burst_err reordered(struct cpu_code *code, int root, int from, const dnnl_memory_desc_t *from_md,
                                const dnnl_memory_desc_t *md, int *ret_form, struct burst_error *reterr)
{
    struct cpu_form form = {.value = root, .md = *md, .place = CPU_AT_SCRATCH};
    enum burst_err err = add_form(code, form, ret_form, reterr);
    return err == BURST_OK ? cpu_op_reorder(code, from, from_md, *ret_form, reterr) : err;
}

enum burst_err cpu_plain(struct cpu_code *code, int value, int *ret_form, struct burst_error *reterr)
{
    int root = code->root[value], home;
    if (code->plain_of[root] == CPU_NO_FORM) {
        enum burst_err err = cpu_home(code, value, &home, reterr);
        if (err != BURST_OK) return err;
        dnnl_memory_desc_t home_md = code->form[home].md, plain = plain_of_md(&home_md);
        if (cpu_md_is_plain(&home_md))
            code->plain_of[root] = home;
        else
            err = reordered(code, root, home, &home_md, &plain, &code->plain_of[root], reterr);
        if (err != BURST_OK) return err;
    }
    *ret_form = code->plain_of[root];
    return BURST_OK;
}

enum burst_err cpu_want(struct cpu_code *code, int value, const dnnl_memory_desc_t *md, int *ret_form,
                        struct burst_error *reterr)
{
    int root = code->root[value], home, plain;
    enum burst_err err = cpu_home(code, value, &home, reterr);
    if (err != BURST_OK) return err;
    for (int i = 0; i < code->n_form; i++)
        if (code->form[i].value == root && dnnl_memory_desc_equal(&code->form[i].md, md)) {
            *ret_form = i;
            return BURST_OK;
        }
    dnnl_memory_desc_t home_md = code->form[home].md, plain_md = plain_of_md(md);
    if (!cpu_md_is_plain(md) && same_dims(&home_md, md))
        return reordered(code, root, home, &home_md, md, ret_form, reterr);
    err = cpu_plain(code, value, &plain, reterr); /* a view: the same bytes under other dimensions */
    if (err != BURST_OK) return err;
    if (!cpu_md_is_plain(md)) return reordered(code, root, plain, &plain_md, md, ret_form, reterr);
    *ret_form = plain;
    return BURST_OK;
}

enum burst_err cpu_output(struct cpu_code *code, const dnnl_memory_desc_t *md, int *ret_form,
                          struct burst_error *reterr)
{
    int value = code->plan->step[code->step].output, result = code->result_of[value];
    struct cpu_form form = {.value = value, .md = *md, .place = CPU_AT_SCRATCH};
    if (result >= 0) {
        form.place = CPU_AT_RESULT;
        form.index = result;
    }
    enum burst_err err = add_form(code, form, ret_form, reterr);
    if (err != BURST_OK) return err;
    code->home[value] = *ret_form;
    if (cpu_md_is_plain(md)) code->plain_of[value] = *ret_form;
    if (result >= 0) code->result[result].form = *ret_form;
    return BURST_OK;
}

static enum burst_err add_op(struct cpu_code *code, struct cpu_op op, struct burst_error *reterr)
{
    struct cpu_op *grown = realloc(code->op, (size_t)(code->n_op + 1) * sizeof *grown);
    if (!grown) return no_memory(code, reterr);
    code->op = grown;
    op.step = code->step;
    code->op[code->n_op++] = op;
    return BURST_OK;
}

/* The last operation uses the form: its storage must live then. */
static void touch(struct cpu_code *code, int form)
{
    if (form < 0) return;
    struct cpu_form *f = &code->form[form];
    if (code->n_op - 1 < f->first) f->first = code->n_op - 1;
    if (code->n_op - 1 > f->last) f->last = code->n_op - 1;
}

enum burst_err cpu_op_primitive(struct cpu_code *code, const_dnnl_primitive_desc_t pd, struct burst_error *reterr)
{
    struct cpu_op op = {.kind = CPU_PRIMITIVE};
    const char *impl = "";
    dnnl_status_t status = dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&impl);
    if (status == dnnl_success) status = dnnl_primitive_create(&op.primitive, pd);
    if (status != dnnl_success) return cpu_fail(code, status, "a primitive", reterr);
    (void)snprintf(op.impl, sizeof op.impl, "%s", impl);
    enum burst_err err = add_op(code, op, reterr);
    if (err != BURST_OK) {
        (void)dnnl_primitive_destroy(op.primitive); /* it was never run */
        return err;
    }
    const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    size_t bytes = pad ? dnnl_memory_desc_get_size(pad) : 0;
    if (bytes == 0) return BURST_OK;
    if (bytes > code->scratchpad_bytes) code->scratchpad_bytes = bytes;
    return cpu_arg(code, DNNL_ARG_SCRATCHPAD, pad, CPU_SCRATCHPAD, NULL, reterr);
}

enum burst_err cpu_arg(struct cpu_code *code, int arg, const dnnl_memory_desc_t *md, int form, void *fixed,
                       struct burst_error *reterr)
{
    struct cpu_op *op = &code->op[code->n_op - 1];
    assert(op->n_arg < CPU_ARG_MAX);
    dnnl_memory_t memory;
    dnnl_status_t status = dnnl_memory_create(&memory, md, code->engine, fixed ? fixed : DNNL_MEMORY_NONE);
    if (status != dnnl_success) return cpu_fail(code, status, "a memory", reterr);
    op->arg[op->n_arg] = (dnnl_exec_arg_t){arg, memory};
    op->form[op->n_arg++] = form;
    touch(code, form);
    return BURST_OK;
}

enum burst_err cpu_op_reorder(struct cpu_code *code, int from, const dnnl_memory_desc_t *from_md, int to,
                              struct burst_error *reterr)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd;
    dnnl_memory_desc_t src = *from_md, dst = code->form[to].md;
    dnnl_status_t status = dnnl_primitive_attr_create(&attr);
    if (status != dnnl_success) return cpu_fail(code, status, "attributes", reterr);
    status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&pd, &src, code->engine, &dst, code->engine, attr);
    (void)dnnl_primitive_attr_destroy(attr); /* copied into pd */
    if (status != dnnl_success) return cpu_fail(code, status, "a reorder", reterr);
    enum burst_err err = cpu_op_primitive(code, pd, reterr);
    (void)dnnl_primitive_desc_destroy(pd); /* the primitive holds its own */
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_FROM, &src, from, NULL, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_TO, &dst, to, NULL, reterr);
    return err;
}

enum burst_err cpu_op_copy(struct cpu_code *code, struct cpu_op copy, struct burst_error *reterr)
{
    copy.kind = CPU_COPY;
    (void)snprintf(copy.impl, sizeof copy.impl, "copy");
    enum burst_err err = add_op(code, copy, reterr);
    if (err != BURST_OK) return err;
    touch(code, copy.from);
    touch(code, copy.to);
    return BURST_OK;
}

enum burst_err cpu_op_plain(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const struct plan_value *v = &code->plan->value[s->output];
    dnnl_memory_desc_t md = cpu_md_plain(v->dims.rank, v->dims.dim);
    enum burst_err err = BURST_OK;
    int form;
    for (int i = 0; i < s->n_input && err == BURST_OK; i++)
        err = cpu_plain(code, s->input[i], &form, reterr);
    if (err == BURST_OK && s->add >= 0) err = cpu_plain(code, s->add, &form, reterr);
    if (err == BURST_OK) err = cpu_output(code, &md, &form, reterr);
    if (err != BURST_OK) return err;
    struct cpu_op op = {.kind = CPU_PLAIN, .impl = "plain"};
    err = add_op(code, op, reterr);
    if (err != BURST_OK) return err;
    for (int i = 0; i < s->n_input; i++)
        touch(code, code->plain_of[code->root[s->input[i]]]);
    if (s->add >= 0) touch(code, code->plain_of[code->root[s->add]]);
    touch(code, form);
    return BURST_OK;
}
