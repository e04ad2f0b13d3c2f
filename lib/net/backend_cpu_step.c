/* One step of the plan as oneDNN primitives; what oneDNN lacks, or has as a reference implementation only, runs as in
 * backend_plain. */
#include "net/backend_cpu.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Create the descriptor of an operation with the post-ops "+ add" (as `sum`) and ReLU. NULL when oneDNN has nothing better
 * than a reference implementation for it, which is not an error. */
static enum burst_err describe(struct cpu_code *code, const_dnnl_op_desc_t op, dnnl_primitive_desc_t *ret_pd,
                               struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t pd = NULL;
    const char *impl = "";
    dnnl_status_t status = dnnl_primitive_attr_create(&attr);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    /* Whatever the environment says: no rounding of inputs to bf16. */
    if (status == dnnl_success) status = dnnl_primitive_attr_set_fpmath_mode(attr, dnnl_fpmath_mode_strict);
    if (status == dnnl_success) status = dnnl_post_ops_create(&post);
    if (status == dnnl_success && s->add >= 0) status = dnnl_post_ops_append_sum(post, 1.0F);
    if (status == dnnl_success && s->relu)
        status = dnnl_post_ops_append_eltwise(post, 1.0F, dnnl_eltwise_relu, 0.0F, 0.0F);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attr, post);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&pd, op, attr, code->engine, NULL);
    if (status == dnnl_success) status = dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&impl);
    (void)dnnl_post_ops_destroy(post);       /* NULL is accepted; copied into attr */
    (void)dnnl_primitive_attr_destroy(attr); /* copied into pd */
    if (pd && (strncmp(impl, "ref", 3) == 0 || strstr(impl, ":ref"))) {
        (void)dnnl_primitive_desc_destroy(pd);
        pd = NULL;
    }
    if (status != dnnl_success && status != dnnl_unimplemented) return cpu_fail(code, status, "a description", reterr);
    *ret_pd = pd;
    return BURST_OK;
}

/* May `form` (of value v) be overwritten by the current step, which reads `source` too? */
static bool is_last_use(const struct cpu_code *code, int v, int form, int source)
{
    int root = code->root[v];
    if (code->home[root] != form || code->form[form].place != CPU_AT_SCRATCH) return false;
    return code->last_use[root] == code->step && cpu_storage(code, source) != form;
}

/* Bring the value that is added into the output's form, where the post-op `sum` finds it: by sharing storage where that value
 * is not needed any more, else by a copy. */
static enum burst_err place_add(struct cpu_code *code, int out, int source, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    dnnl_memory_desc_t md = code->form[out].md;
    int form;
    enum burst_err err =
        cpu_md_is_plain(&md) ? cpu_plain(code, s->add, &form, reterr) : cpu_home(code, s->add, &form, reterr);
    if (err != BURST_OK) return err;
    bool same = cpu_md_is_plain(&md) || dnnl_memory_desc_equal(&code->form[form].md, &md);
    if (same && is_last_use(code, s->add, form, source)) {
        code->form[form].place = CPU_INSIDE;
        code->form[form].index = out;
        code->form[form].offset = 0;
        return BURST_OK;
    }
    if (!same) return cpu_op_reorder(code, form, &code->form[form].md, out, reterr);
    struct cpu_op copy = {.from = form, .to = out, .n_row = 1, .row_bytes = dnnl_memory_desc_get_size(&md)};
    return cpu_op_copy(code, copy, reterr);
}

/* Weights in the layout the primitive wants, made once. */
static enum burst_err arrange_weights(struct cpu_code *code, const dnnl_memory_desc_t *plain,
                                      const dnnl_memory_desc_t *wanted, void **ret_bytes, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    void *bytes = cpu_take(code, dnnl_memory_desc_get_size(wanted));
    if (!bytes) return cpu_fail(code, dnnl_out_of_memory, "weights", reterr);
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t reorder = NULL;
    /* oneDNN reads, but does not write, its source; its C interface has no const for that. */
    dnnl_status_t status = dnnl_memory_create(&from, plain, code->engine, (void *)(uintptr_t)s->weight);
    if (status == dnnl_success) status = dnnl_memory_create(&to, wanted, code->engine, bytes);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&pd, plain, code->engine, wanted, code->engine, NULL);
    if (status == dnnl_success) status = dnnl_primitive_create(&reorder, pd);
    dnnl_exec_arg_t arg[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    if (status == dnnl_success) status = dnnl_primitive_execute(reorder, code->stream, 2, arg);
    if (status == dnnl_success) status = dnnl_stream_wait(code->stream);
    (void)dnnl_primitive_destroy(reorder); /* NULL is accepted by all four */
    (void)dnnl_primitive_desc_destroy(pd);
    (void)dnnl_memory_destroy(from);
    (void)dnnl_memory_destroy(to);
    if (status != dnnl_success) return cpu_fail(code, status, "the weights' layout", reterr);
    *ret_bytes = bytes;
    return BURST_OK;
}

/* Bind a convolution or dense layer: source, weights, bias, residual, destination. */
static enum burst_err bind_weighted(struct cpu_code *code, const_dnnl_primitive_desc_t pd,
                                    const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *bias,
                                    struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const dnnl_memory_desc_t *src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    int source, out;
    void *bytes = NULL;
    enum burst_err err = cpu_want(code, s->input[0], src, &source, reterr);
    if (err == BURST_OK) err = cpu_output(code, dst, &out, reterr);
    if (err == BURST_OK && s->add >= 0) err = place_add(code, out, source, reterr);
    if (err == BURST_OK) err = arrange_weights(code, weights, wanted, &bytes, reterr);
    if (err == BURST_OK) err = cpu_op_primitive(code, pd, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_SRC, src, source, NULL, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_WEIGHTS, wanted, CPU_NO_FORM, bytes, reterr);
    if (err == BURST_OK && bias)
        err = cpu_arg(code, DNNL_ARG_BIAS, bias, CPU_NO_FORM, (void *)(uintptr_t)s->bias, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_DST, dst, out, NULL, reterr);
    return err;
}

/* The spatial part of a step's window in oneDNN's words: one or two dimensions, dilation 0 for none. */
struct spatial {
    int n;
    dnnl_dims_t kernel, stride, dilation, pad_begin, pad_end;
};

static struct spatial spatial_of(const struct plan_step *s)
{
    struct spatial r = {.n = s->window.n_spatial};
    for (int i = 0; i < r.n; i++) {
        int from = 2 - r.n + i; /* one-dimensional windows are [1] in the plan */
        r.kernel[i] = s->window.kernel[from];
        r.stride[i] = s->window.stride[from];
        r.dilation[i] = s->window.dilation[from] - 1;
        r.pad_begin[i] = s->window.pad_begin[from];
        /* The padding that makes the output exactly as long as the plan says: more than the file's where ceil_mode rounds up. */
        int64_t reach = (s->out_size[from] - 1) * r.stride[i] + (r.kernel[i] - 1) * (r.dilation[i] + 1) + 1;
        r.pad_end[i] = reach - s->in_size[from] - r.pad_begin[i];
    }
    return r;
}

/* "N, C, (height,) width" of one side of a windowed step; returns the rank. */
static int window_dims(const struct plan_step *s, int64_t channels, const int64_t size[2], int64_t ret_dim[4])
{
    int n = s->window.n_spatial;
    ret_dim[0] = s->n_image;
    ret_dim[1] = channels;
    for (int i = 0; i < n; i++)
        ret_dim[2 + i] = size[2 - n + i];
    return 2 + n;
}

static enum burst_err step_conv(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    struct spatial w = spatial_of(s);
    int64_t in[4], out[4], kernel[5] = {s->group, s->n_out / s->group, s->n_in / s->group};
    int rank = window_dims(s, s->n_in, s->in_size, in);
    (void)window_dims(s, s->n_out, s->out_size, out); /* the same rank */
    for (int i = 0; i < w.n; i++)
        kernel[3 + i] = w.kernel[i];
    bool grouped = s->group > 1;
    int kernel_rank = grouped ? rank + 1 : rank;
    const int64_t *kernel_dim = grouped ? kernel : kernel + 1;
    dnnl_memory_desc_t src = cpu_md_any(rank, in), dst = cpu_md_any(rank, out);
    dnnl_memory_desc_t weights = cpu_md_any(kernel_rank, kernel_dim), plain = cpu_md_plain(kernel_rank, kernel_dim);
    dnnl_memory_desc_t bias = cpu_md_plain(1, &s->n_out);
    const dnnl_memory_desc_t *used_bias = s->bias ? &bias : NULL;
    dnnl_convolution_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status =
        dnnl_dilated_convolution_forward_desc_init(&op, dnnl_forward_inference, dnnl_convolution_direct, &src, &weights,
                                                   used_bias, &dst, w.stride, w.dilation, w.pad_begin, w.pad_end);
    if (status != dnnl_success) return cpu_op_plain(code, reterr);
    enum burst_err err = describe(code, &op, &pd, reterr);
    if (err == BURST_OK) err = pd ? bind_weighted(code, pd, &plain, used_bias, reterr) : cpu_op_plain(code, reterr);
    (void)dnnl_primitive_desc_destroy(pd); /* NULL is accepted; the primitive holds its own */
    return err;
}

static enum burst_err step_dense(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const int64_t in[2] = {s->m, s->k}, kernel[2] = {s->n, s->k}, out[2] = {s->m, s->n};
    dnnl_memory_desc_t src = cpu_md_plain(2, in), dst = cpu_md_plain(2, out);
    dnnl_memory_desc_t weights = cpu_md_any(2, kernel), plain = cpu_md_plain(2, kernel), bias = cpu_md_plain(1, &s->n);
    const dnnl_memory_desc_t *used_bias = s->bias ? &bias : NULL;
    dnnl_inner_product_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status =
        dnnl_inner_product_forward_desc_init(&op, dnnl_forward_inference, &src, &weights, used_bias, &dst);
    if (status != dnnl_success) return cpu_op_plain(code, reterr);
    enum burst_err err = describe(code, &op, &pd, reterr);
    if (err == BURST_OK) err = pd ? bind_weighted(code, pd, &plain, used_bias, reterr) : cpu_op_plain(code, reterr);
    (void)dnnl_primitive_desc_destroy(pd);
    return err;
}

/* Bind an operation from one form, seen as src, to a new one. */
static enum burst_err bind_unary(struct cpu_code *code, const_dnnl_primitive_desc_t pd, int source,
                                 struct burst_error *reterr)
{
    const dnnl_memory_desc_t *src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    int out;
    enum burst_err err = cpu_output(code, dst, &out, reterr);
    if (err == BURST_OK) err = cpu_op_primitive(code, pd, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_SRC, src, source, NULL, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_DST, dst, out, NULL, reterr);
    return err;
}

/* The home form in its layout; where the value is a view of something with other dimensions, the row-major form under its own. */
static enum burst_err source_of(struct cpu_code *code, int value, int rank, const int64_t *dim, int *ret_form,
                                dnnl_memory_desc_t *ret_md, struct burst_error *reterr)
{
    int home;
    enum burst_err err = cpu_home(code, value, &home, reterr);
    if (err != BURST_OK) return err;
    dnnl_memory_desc_t md = code->form[home].md, plain = cpu_md_plain(rank, dim);
    bool same = md.ndims == plain.ndims && memcmp(md.dims, plain.dims, (size_t)md.ndims * sizeof md.dims[0]) == 0;
    if (!same) err = cpu_plain(code, value, &home, reterr);
    if (err != BURST_OK) return err;
    *ret_form = home;
    *ret_md = same ? md : plain;
    return BURST_OK;
}

static enum burst_err pool(struct cpu_code *code, dnnl_alg_kind_t kind, const struct spatial *w, int rank,
                           const int64_t *in, const int64_t *out, struct burst_error *reterr)
{
    dnnl_memory_desc_t src, dst = cpu_md_any(rank, out);
    dnnl_pooling_v2_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    int source;
    enum burst_err err = source_of(code, code->plan->step[code->step].input[0], rank, in, &source, &src, reterr);
    if (err != BURST_OK) return err;
    dnnl_status_t status = dnnl_pooling_v2_forward_desc_init(&op, dnnl_forward_inference, kind, &src, &dst, w->stride,
                                                             w->kernel, w->dilation, w->pad_begin, w->pad_end);
    if (status != dnnl_success) return cpu_op_plain(code, reterr); /* e.g. padding as long as the window */
    err = describe(code, &op, &pd, reterr);
    if (err == BURST_OK) err = pd ? bind_unary(code, pd, source, reterr) : cpu_op_plain(code, reterr);
    (void)dnnl_primitive_desc_destroy(pd);
    return err;
}

static enum burst_err step_pool(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    struct spatial w = spatial_of(s);
    int64_t in[4], out[4];
    int rank = window_dims(s, s->n_in, s->in_size, in);
    (void)window_dims(s, s->n_out, s->out_size, out); /* the same rank */
    dnnl_alg_kind_t kind = dnnl_pooling_max;
    if (s->op == PLAN_AVERAGE_POOL) {
        kind = s->window.count_include_pad ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
        for (int i = 0; i < w.n; i++) /* what ceil_mode adds is counted by oneDNN, and not by ONNX */
            if (w.pad_end[i] > s->window.pad_end[2 - w.n + i]) return cpu_op_plain(code, reterr);
    }
    return pool(code, kind, &w, rank, in, out, reterr);
}

/* A mean over all positions of each channel is an average pooling as large as the image. */
static enum burst_err step_mean(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const struct net_dims *d = &code->plan->value[s->input[0]].dims;
    if (d->rank < 3 || d->rank > 5 || s->inner != 1 || s->outer != d->dim[0] * d->dim[1])
        return cpu_op_plain(code, reterr);
    struct spatial w = {.n = d->rank - 2};
    int64_t out[5] = {d->dim[0], d->dim[1], 1, 1, 1};
    for (int i = 0; i < w.n; i++) {
        w.kernel[i] = d->dim[2 + i];
        w.stride[i] = 1;
    }
    return pool(code, dnnl_pooling_avg_exclude_padding, &w, d->rank, d->dim, out, reterr);
}

static enum burst_err step_relu(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const struct net_dims *d = &code->plan->value[s->input[0]].dims;
    int source;
    dnnl_memory_desc_t md;
    enum burst_err err = source_of(code, s->input[0], d->rank, d->dim, &source, &md, reterr);
    if (err != BURST_OK) return err;
    dnnl_eltwise_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status =
        dnnl_eltwise_forward_desc_init(&op, dnnl_forward_inference, dnnl_eltwise_relu, &md, 0.0F, 0.0F);
    if (status != dnnl_success) return cpu_op_plain(code, reterr);
    err = describe(code, &op, &pd, reterr);
    if (err == BURST_OK) err = pd ? bind_unary(code, pd, source, reterr) : cpu_op_plain(code, reterr);
    (void)dnnl_primitive_desc_destroy(pd);
    return err;
}

static bool same_shape(const struct net_plan *plan, int a, int b)
{
    return dims_equal(&plan->value[a].dims, &plan->value[b].dims);
}

/* An addition that could not be fused, of two values of one shape: in the layout of the first. */
static enum burst_err step_add(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    int a = s->input[0], b = s->input[1], source, other, out;
    const struct net_dims *d = &code->plan->value[a].dims;
    if (!same_shape(code->plan, a, b) || !same_shape(code->plan, a, s->output)) return cpu_op_plain(code, reterr);
    dnnl_memory_desc_t md;
    enum burst_err err = source_of(code, a, d->rank, d->dim, &source, &md, reterr);
    if (err != BURST_OK) return err;
    err = cpu_want(code, b, &md, &other, reterr);
    if (err != BURST_OK) return err;
    dnnl_binary_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = dnnl_binary_desc_init(&op, dnnl_binary_add, &md, &md, &md);
    if (status != dnnl_success) return cpu_op_plain(code, reterr);
    err = describe(code, &op, &pd, reterr);
    if (err == BURST_OK && !pd) return cpu_op_plain(code, reterr);
    if (err == BURST_OK) err = cpu_output(code, &md, &out, reterr);
    if (err == BURST_OK) err = cpu_op_primitive(code, pd, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_SRC_0, &md, source, NULL, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_SRC_1, &md, other, NULL, reterr);
    if (err == BURST_OK) err = cpu_arg(code, DNNL_ARG_DST, &md, out, NULL, reterr);
    (void)dnnl_primitive_desc_destroy(pd);
    return err;
}

enum burst_err cpu_step(struct cpu_code *code, int step, struct burst_error *reterr)
{
    code->step = step;
    switch (code->plan->step[step].op) {
    case PLAN_CONV: return step_conv(code, reterr);
    case PLAN_DENSE: return step_dense(code, reterr);
    case PLAN_MAX_POOL:
    case PLAN_AVERAGE_POOL: return step_pool(code, reterr);
    case PLAN_MEAN: return step_mean(code, reterr);
    case PLAN_RELU: return step_relu(code, reterr);
    case PLAN_ADD: return step_add(code, reterr);
    case PLAN_CONCAT: return cpu_concat(code, reterr);
    case PLAN_MATMUL:
    case PLAN_SCALE:
    case PLAN_SIGMOID:
    case PLAN_SOFTMAX:
    case PLAN_TRANSPOSE: return cpu_op_plain(code, reterr);
    case PLAN_OP_N: break;
    }
    return burst_fail(reterr, BURST_E_INTERNAL, "step %d has no operator", step);
}
