/* Queueing one operation: its job, completed with addresses and the number of samples, to the kernel of its kind. */
#include "net/cuda/code.h"

struct call {
    const struct cuda_code *c;
    const struct cuda_op *op;
    int n, which; /* samples; index of that size */
    bool finish;
    void *stream;
};

static void *at(const struct call *q, int form)
{
    return q->c->form[form].at;
}

static const struct cuda_form *in_form(const struct call *q)
{
    return &q->c->form[q->op->in[0]];
}

static const struct cuda_form *out_form(const struct call *q)
{
    return &q->c->form[q->op->out];
}

/* Maps are counted one by one, however many a sample has. */
static int maps(const struct call *q, const struct cuda_form *f)
{
    return q->n * (int)f->n_image;
}

/* Samples of a job that sees each as `rows` rows; 0: as maps. */
static int count(const struct call *q, int rows)
{
    return rows ? q->n * rows : maps(q, out_form(q));
}

static int queue_pack(const struct call *q)
{
    const struct cuda_form *f = out_form(q);
    struct layout_pack_job job = {.as = f->as, .x = at(q, q->op->in[0]), .ret = f->at, .n_sample = maps(q, f)};
    return layout_pack_cuda(&job, q->stream);
}

static int queue_unpack(const struct call *q)
{
    const struct cuda_form *f = in_form(q);
    struct layout_unpack_job job = {.as = f->as, .x = f->at, .ret = at(q, q->op->out), .n_sample = maps(q, f)};
    return layout_unpack_cuda(&job, q->stream);
}

static int queue_copy(const struct call *q)
{
    const struct cuda_form *f = out_form(q);
    return (int)cudaMemcpyAsync(f->at, at(q, q->op->in[0]), layout_bytes(&f->as, maps(q, f)), cudaMemcpyDefault,
                                q->stream);
}

static int queue_pointwise(const struct call *q)
{
    struct pointwise_job job = q->op->pointwise;
    job.x = at(q, q->op->in[0]);
    if (job.op == POINTWISE_ADD) job.b = at(q, q->op->in[1]);
    job.ret = at(q, q->op->out);
    job.n_sample = count(q, job.n_sample);
    return pointwise_cuda(&job, q->stream);
}

static int queue_pool(const struct call *q)
{
    struct pool_job job = q->op->pool;
    job.x = at(q, q->op->in[0]);
    job.ret = at(q, q->op->out);
    job.n_sample = maps(q, out_form(q));
    return pool_cuda(&job, q->stream);
}

static int queue_concat(const struct call *q)
{
    struct concat_job job = q->op->concat;
    for (int i = 0; i < job.n_input; i++)
        job.x[i] = at(q, q->op->in[i]);
    job.ret = at(q, q->op->out);
    job.n_sample = count(q, job.n_sample);
    return concat_cuda(&job, q->stream);
}

static int queue_softmax(const struct call *q)
{
    struct softmax_job job = q->op->softmax;
    job.x = at(q, q->op->in[0]);
    job.ret = at(q, q->op->out);
    job.n_sample = q->n;
    return softmax_cuda(&job, q->stream);
}

static int queue_dense(const struct call *q)
{
    struct dense_job job = q->op->dense;
    job.x = at(q, q->op->in[0]);
    if (q->op->n_in == 2) job.add = at(q, q->op->in[1]);
    job.ret = at(q, q->op->out);
    job.n_sample = q->n * job.n_sample;
    return dense_cuda(&job, q->stream);
}

static struct finish_job queue_finish_job(const struct cuda_code *c)
{
    return (struct finish_job){.sequence = c->sequence_at, .ret_done = c->sequence_at + 1};
}

static int queue_head(const struct call *q)
{
    struct head_job job = q->op->head;
    job.feature = at(q, q->op->in[0]);
    job.ret = at(q, q->op->out);
    job.n_sample = maps(q, in_form(q));
    if (q->finish) {
        job.finish = queue_finish_job(q->c);
        job.counter = q->c->counter;
    }
    return head_cuda(&job, q->stream);
}

static int queue_mscfm(const struct call *q)
{
    struct mscfm_job job = q->op->mscfm.job;
    job.x = at(q, q->op->in[0]);
    job.y = at(q, q->op->out);
    job.n_sample = q->n;
    job.tile = q->op->mscfm.tile[q->which];
    return mscfm_cuda(&job, q->stream);
}

/* ---- convolutions ---- */

/* Bias, residual and ReLU over what the convolution alone has left, in place and in one pass. */
static int queue_rest(const struct call *q)
{
    const struct op_conv *conv = q->op->conv;
    const struct cuda_form *f = out_form(q);
    struct pointwise_job job = {.op = POINTWISE_RELU, .as = f->as, .x = f->at, .ret = f->at, .n_sample = maps(q, f)};
    bool bias = conv->shape.bias, add = conv->shape.add;
    if (!bias && !add && !conv->shape.relu) return 0;
    job.relu = conv->shape.relu;
    job.shift = conv->bias;
    if (add) job.b = at(q, q->op->in[1]);
    if (bias || add) job.op = bias ? POINTWISE_SCALE : POINTWISE_ADD;
    return pointwise_cuda(&job, q->stream);
}

static enum burst_err queue_conv(const struct call *q, struct burst_error *reterr)
{
    struct cuda_engine *engine = q->c->engine;
    const struct conv_plan *plan = &q->op->conv->plan[q->which];
    if (plan->form == CONV_OURS)
        return cuda_check(engine, ours_queue(q->c, q->op, (int)plan->engine, q->n), q->op->name, reterr);
    enum burst_err err = conv_plan_run(engine, plan, reterr);
    if (!err && plan->form == CONV_ALONE) err = cuda_check(engine, queue_rest(q), q->op->name, reterr);
    return err;
}

static int queue_kernel(const struct call *q)
{
    switch (q->op->kind) {
    case OP_PACK: return queue_pack(q);
    case OP_UNPACK: return queue_unpack(q);
    case OP_COPY: return queue_copy(q);
    case OP_POINTWISE: return queue_pointwise(q);
    case OP_POOL: return queue_pool(q);
    case OP_CONCAT: return queue_concat(q);
    case OP_SOFTMAX: return queue_softmax(q);
    case OP_DENSE: return queue_dense(q);
    case OP_HEAD: return queue_head(q);
    case OP_MSCFM: return queue_mscfm(q);
    case OP_CONV: break;
    }
    return (int)cudaErrorUnknown;
}

enum burst_err queue_op(struct cuda_code *c, int i, int which, bool finish, struct burst_error *reterr)
{
    struct call q = {c, &c->op[i], c->size[which], which, finish && c->op[i].kind == OP_HEAD, c->engine->stream};
    struct finish_job last = queue_finish_job(c);
    enum burst_err err =
        q.op->kind == OP_CONV ? queue_conv(&q, reterr) : cuda_check(c->engine, queue_kernel(&q), q.op->name, reterr);
    if (err || !finish || q.finish) return err;
    return cuda_check(c->engine, finish_cuda(&last, c->engine->stream), "burst:finish", reterr);
}
