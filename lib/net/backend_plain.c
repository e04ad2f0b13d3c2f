/* backend_plain: the truth the others are compared with. One sample after the other over one block of memory, taken when a
 * plan is compiled; each step calls the kernel of its name. */
#include "kernels/convolve.h"
#include "kernels/dense.h"
#include "kernels/middle.h"
#include "kernels/pointwise.h"
#include "kernels/pool.h"
#include "kernels/transpose.h"
#include "net/backend.h"
#include <stdlib.h>
#include <string.h>

struct plain {
    const struct net_plan *plan;
    uint8_t *scratch, *results; /* results lie behind scratch in one block */
    const float **at;           /* [n_value] address of each value of the present sample */
};

/* One step, its values, where they are, and where its output goes. */
struct call {
    const struct plan_step *step;
    const struct plan_value *value;
    const float *const *at;
    float *ret;
};

static const float *input_of(const struct call *c, int i)
{
    return c->at[c->step->input[i]];
}

struct window_shape plain_window(const struct plan_step *s)
{
    struct window_shape w = {.n_in = s->n_in, .n_out = s->n_out, .group = s->group};
    for (int i = 0; i < 2; i++) {
        w.in_size[i] = s->in_size[i];
        w.out_size[i] = s->out_size[i];
        w.kernel[i] = s->window.kernel[i];
        w.stride[i] = s->window.stride[i];
        w.dilation[i] = s->window.dilation[i];
        w.pad_begin[i] = s->window.pad_begin[i];
        w.pad_end[i] = s->window.pad_end[i];
    }
    return w;
}

/* Convolutions and poolings take one image; a sample may hold several. */
static void run_window(const struct call *c)
{
    const struct plan_step *s = c->step;
    struct window_shape w = plain_window(s);
    int64_t in = s->n_in * s->in_size[0] * s->in_size[1], out = s->n_out * s->out_size[0] * s->out_size[1];
    for (int64_t i = 0; i < s->n_image; i++) {
        const float *x = input_of(c, 0) + i * in;
        float *y = c->ret + i * out;
        if (s->op == PLAN_CONV)
            convolve_image(&w, x, s->weight, s->bias, y);
        else if (s->op == PLAN_MAX_POOL)
            pool_max(&w, x, y);
        else
            pool_average(&w, s->window.count_include_pad, x, y);
    }
}

/* How far an operand moves per step of each output dimension: 0 where it is stretched. */
static void steps_of(const struct net_dims *d, const struct net_dims *out, int64_t ret[NET_RANK_MAX])
{
    int64_t n = 1;
    for (int i = out->rank - 1; i >= 0; i--) {
        int from = i - (out->rank - d->rank);
        int64_t size = from < 0 ? 1 : d->dim[from];
        ret[i] = size == 1 ? 0 : n;
        n *= size;
    }
}

static void run_add(const struct call *c)
{
    const struct net_dims *out = &c->value[c->step->output].dims;
    int64_t a[NET_RANK_MAX], b[NET_RANK_MAX];
    steps_of(&c->value[c->step->input[0]].dims, out, a);
    steps_of(&c->value[c->step->input[1]].dims, out, b);
    add_broadcast(out->rank, out->dim, input_of(c, 0), a, input_of(c, 1), b, c->ret);
}

static void run_concat(const struct call *c)
{
    const struct plan_step *s = c->step;
    float *y = c->ret;
    for (int i = 0; i < s->n_input; i++) {
        const struct plan_value *v = &c->value[s->input[i]];
        int64_t row = v->n_element / s->outer;
        for (int64_t o = 0; o < s->outer; o++)
            memcpy(y + o * s->axis * s->inner, input_of(c, i) + o * row, (size_t)row * sizeof(float));
        y += row;
    }
}

static void run_matmul(const struct call *c)
{
    const struct plan_step *s = c->step;
    for (int64_t i = 0; i < s->batch; i++)
        matrix_multiply(s->m, s->n, s->k, input_of(c, 0) + i * s->a_step, input_of(c, 1) + i * s->b_step,
                        c->ret + i * s->m * s->n);
}

void plain_step(const struct plan_step *s, const struct plan_value *value, const float *const *at, float *ret)
{
    struct call c = {s, value, at, ret};
    int64_t n = value[s->output].n_element;
    switch (s->op) {
    case PLAN_ADD: run_add(&c); break;
    case PLAN_CONV:
    case PLAN_MAX_POOL:
    case PLAN_AVERAGE_POOL: run_window(&c); break;
    case PLAN_CONCAT: run_concat(&c); break;
    case PLAN_DENSE: dense_rows(s->m, s->n, s->k, input_of(&c, 0), s->weight, s->bias, ret); break;
    case PLAN_MATMUL: run_matmul(&c); break;
    case PLAN_MEAN: mean_middle(s->outer, s->axis, s->inner, input_of(&c, 0), ret); break;
    case PLAN_RELU: relu_all(n, input_of(&c, 0), ret); break;
    case PLAN_SCALE: scale_middle(s->outer, s->axis, s->inner, input_of(&c, 0), s->weight, s->bias, ret); break;
    case PLAN_SIGMOID: sigmoid_all(n, input_of(&c, 0), ret); break;
    case PLAN_SOFTMAX: softmax_middle(s->outer, s->axis, s->inner, input_of(&c, 0), ret); break;
    case PLAN_TRANSPOSE:
        transpose_dims(value[s->output].dims.rank, value[s->input[0]].dims.dim, s->perm, input_of(&c, 0), ret);
        break;
    case PLAN_OP_N: break; /* not an operation */
    }
    if (s->add >= 0) add_into(n, at[s->add], ret);
    if (s->relu) relu_all(n, ret, ret);
}

static void release(void *code)
{
    struct plain *p = code;
    if (!p) return;
    free(p->scratch);
    free(p->at);
    free(p);
}

/* Addresses that no sample changes. */
static void set_addresses(struct plain *p)
{
    for (int v = 0; v < p->plan->n_value; v++) {
        const struct plan_value *value = &p->plan->value[v];
        if (value->at == PLAN_AT_CONSTANT)
            p->at[v] = value->constant;
        else if (value->at == PLAN_AT_SCRATCH && value->buffer >= 0)
            p->at[v] = (const float *)(const void *)(p->scratch + p->plan->buffer[value->buffer].offset);
    }
}

static enum burst_err compile(void *engine, const struct net_plan *plan, void **ret_code, struct burst_error *reterr)
{
    (void)engine; /* there is none */
    struct plain *p = calloc(1, sizeof *p);
    if (p) {
        p->plan = plan;
        p->scratch = aligned_alloc(64, plan->scratch_bytes + plan->result_bytes + 64);
        p->at = calloc((size_t)plan->n_value + 1, sizeof *p->at);
    }
    if (!p || !p->scratch || !p->at) {
        release(p);
        return burst_fail(reterr, BURST_E_NOMEM, "plain: no memory for %zu bytes",
                          plan->scratch_bytes + plan->result_bytes);
    }
    p->results = p->scratch + plan->scratch_bytes;
    set_addresses(p);
    *ret_code = p;
    return BURST_OK;
}

static void run_sample(struct plain *p, const float *const *input, int sample)
{
    const struct net_plan *plan = p->plan;
    for (int v = 0; v < plan->n_value; v++) {
        const struct plan_value *value = &plan->value[v];
        if (value->at == PLAN_AT_INPUT) p->at[v] = input[value->index] + sample * value->n_element;
    }
    for (int i = 0; i < plan->n_step; i++) {
        const struct plan_step *s = &plan->step[i];
        plain_step(s, plan->value, p->at, (float *)p->at[s->output]); /* outputs lie in our own scratch */
    }
    for (int i = 0; i < plan->n_keep; i++) {
        const struct plan_keep *k = &plan->keep[i];
        memcpy(p->results + k->offset + (size_t)sample * k->bytes, p->at[k->value], k->bytes);
    }
}

static enum burst_err run(void *code, const float *const *input, int n, struct burst_error *reterr)
{
    (void)reterr; /* nothing here can fail */
    for (int i = 0; i < n; i++)
        run_sample(code, input, i);
    return BURST_OK;
}

static enum burst_err read_keep(void *code, int keep, int n, float *ret, struct burst_error *reterr)
{
    (void)reterr; /* nothing here can fail */
    const struct plain *p = code;
    const struct plan_keep *k = &p->plan->keep[keep];
    memcpy(ret, p->results + k->offset, (size_t)n * k->bytes);
    return BURST_OK;
}

const struct net_backend net_backend_plain = {
    .name = "plain", .compile = compile, .run = run, .read = read_keep, .release = release};
