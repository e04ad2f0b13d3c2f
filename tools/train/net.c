/* Many samples through lib/net. */
#include "train/net.h"
#include "net/net.h"
#include "train/curves.h"
#include <stdlib.h>

struct evaluator {
    int n_thread, batch;
    struct net *net[EVALUATOR_THREADS_MOST];
};

static enum burst_err evaluator_fill(struct evaluator *e, const char *path, const struct net_settings *settings,
                                     struct burst_error *reterr)
{
    for (int i = 0; i < e->n_thread; i++) {
        enum burst_err refused = net_open(path, settings, &e->net[i], reterr);
        if (refused) return refused;
    }
    if (net_n_input(e->net[0]) != 1 || net_n_output(e->net[0]) != 1)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "the network has %d inputs and %d outputs, not one of each",
                          net_n_input(e->net[0]), net_n_output(e->net[0]));
    e->batch = net_batch(e->net[0]);
    return BURST_OK;
}

enum burst_err evaluator_open(const char *path, const char *backend, int batch, int n_thread, struct evaluator **ret,
                              struct burst_error *reterr)
{
    struct net_settings settings = {.batch_most = batch};
    if (!path || !backend || !ret)
        return burst_fail(reterr, BURST_E_MISSING, "no path, backend or place for the network");
    if (batch < 1 || batch > EVALUATOR_BATCH_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "a batch of %d is not 1..%d", batch, EVALUATOR_BATCH_MOST);
    if (n_thread < 1 || n_thread > EVALUATOR_THREADS_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "%d threads are not 1..%d", n_thread, EVALUATOR_THREADS_MOST);
    enum burst_err refused = backend_parse(backend, &settings.backend, reterr);
    if (refused) return refused;
    struct evaluator *e = calloc(1, sizeof *e);
    if (!e) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a network");
    e->n_thread = n_thread;
    refused = evaluator_fill(e, path, &settings, reterr);
    if (refused) {
        evaluator_close(e);
        return refused;
    }
    *ret = e;
    return BURST_OK;
}

void evaluator_close(struct evaluator *e)
{
    if (!e) return;
    for (int i = 0; i < e->n_thread; i++)
        net_close(e->net[i]);
    free(e);
}

static enum burst_err port_dims(const struct net_port *port, int *ret_n_dim, int64_t *ret_dim,
                                struct burst_error *reterr)
{
    const int skip = port->batched ? 1 : 0, n = port->dims.rank - skip;
    if (n > EVALUATOR_DIMS) return burst_fail(reterr, BURST_E_LIMIT, "%d dimensions are over %d", n, EVALUATOR_DIMS);
    for (int i = 0; i < n; i++)
        ret_dim[i] = port->dims.dim[i + skip];
    *ret_n_dim = n;
    return BURST_OK;
}

enum burst_err evaluator_input(const struct evaluator *e, int *ret_n_dim, int64_t *ret_dim, struct burst_error *reterr)
{
    if (!e || !ret_n_dim || !ret_dim) return burst_fail(reterr, BURST_E_MISSING, "no network, or nowhere to write");
    return port_dims(net_input(e->net[0], 0), ret_n_dim, ret_dim, reterr);
}

enum burst_err evaluator_output(const struct evaluator *e, int *ret_n_dim, int64_t *ret_dim, struct burst_error *reterr)
{
    if (!e || !ret_n_dim || !ret_dim) return burst_fail(reterr, BURST_E_MISSING, "no network, or nowhere to write");
    return port_dims(net_output(e->net[0], 0), ret_n_dim, ret_dim, reterr);
}

struct job {
    struct evaluator *e;
    const float *input;
    float *ret_output;
    size_t n_in, n_out;
};

static enum burst_err run_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    const struct job *job = what;
    const size_t batch = (size_t)job->e->batch;
    enum burst_err refused = BURST_OK;
    for (size_t n; !refused && from < to; from += n) {
        n = to - from < batch ? to - from : batch;
        refused = net_run(job->e->net[part], job->input + from * job->n_in, (int)n, job->ret_output + from * job->n_out,
                          reterr);
    }
    return refused;
}

enum burst_err evaluator_run(struct evaluator *e, const float *input, size_t n, size_t n_in, float *ret_output,
                             size_t n_out, struct burst_error *reterr)
{
    if (!e || (n > 0 && (!input || !ret_output)))
        return burst_fail(reterr, BURST_E_MISSING, "no network, no input, or nowhere to write the output");
    const int64_t has_in = net_input(e->net[0], 0)->n_element, has_out = net_output(e->net[0], 0)->n_element;
    if (n_in != (size_t)has_in || n_out != (size_t)has_out)
        return burst_fail(reterr, BURST_E_SHAPE, "samples of %zu values to %zu, the network's of %lld to %lld", n_in,
                          n_out, (long long)has_in, (long long)has_out);
    struct job job = {e, input, ret_output, n_in, n_out};
    return curves_each(n, e->n_thread, run_part, &job, reterr);
}

const char *evaluator_meta(const struct evaluator *e, const char *key)
{
    return e && key ? net_meta(e->net[0], key) : NULL;
}

const char *evaluator_meta_key(const struct evaluator *e, int i)
{
    return e && i >= 0 && i < net_n_meta(e->net[0]) ? net_meta_key(e->net[0], i) : NULL;
}

const char *evaluator_sha256(const struct evaluator *e)
{
    return net_sha256(e->net[0]);
}

const char *evaluator_backend(const struct evaluator *e)
{
    return net_backend_name(e->net[0]);
}

int64_t evaluator_n_parameter(const struct evaluator *e)
{
    return net_n_parameter(e->net[0]);
}
