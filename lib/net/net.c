/* Opening in the order of the pipeline: read, mark what is kept, shapes, fold, plan, compile. */
#include "net/net.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "net/fold.h"
#include "net/onnx.h"
#include "net/shape.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A node of the file, as it was before folding, so that it can be found by its name. */
struct node_name {
    const char *name;
    int value;
};

struct net {
    struct net_graph graph;
    struct net_plan plan;
    const struct net_backend *backend;
    void *engine, *code;
    bool engine_lent;
    struct net_port *input, *output;
    struct node_name *node; /* [n_node] */
    int n_node;
    int last_n; /* samples of the last run; 0 before the first */
    char sha256[65];
};

/* ---- opening ---- */

static enum burst_err remember_nodes(struct net *net, struct burst_error *reterr)
{
    const struct net_graph *g = &net->graph;
    net->node = graph_take(&net->graph, g->n_node, sizeof *net->node, reterr);
    if (!net->node) return reterr->code;
    for (int i = 0; i < g->n_node; i++)
        net->node[net->n_node++] = (struct node_name){g->node[i].name, g->node[i].output};
    return BURST_OK;
}

static enum burst_err mark_kept(struct net_graph *g, const struct net_settings *s, struct burst_error *reterr)
{
    for (int i = 0; i < s->n_keep; i++) {
        int v = graph_find(g, s->keep[i]);
        if (v < 0) return burst_fail(reterr, BURST_E_MISSING, "no tensor or node is called '%.130s'", s->keep[i]);
        g->value[v].kept = true;
    }
    for (int i = 0; s->keep_all && i < g->n_node; i++)
        g->value[g->node[i].output].kept = true;
    return BURST_OK;
}

/* Inputs or outputs as the caller sees them. */
static struct net_port *make_ports(struct net *net, const int *values, int n, struct burst_error *reterr)
{
    struct net_port *ports = graph_take(&net->graph, n, sizeof *ports, reterr);
    for (int i = 0; ports && i < n; i++) {
        const struct plan_value *v = &net->plan.value[values[i]];
        ports[i] = (struct net_port){v->name, v->dims, v->batched, v->n_element};
    }
    return ports;
}

static enum burst_err compile(struct net *net, const struct net_settings *s, struct burst_error *reterr)
{
    net->backend = s->with ? s->with : backend_of(s->backend);
    if (!net->backend) return burst_fail(reterr, BURST_E_UNSUPPORTED, "that backend is not built into this program");
    net->engine_lent = s->with && s->engine;
    if (net->engine_lent) net->engine = s->engine;
    bool open = net->backend->open && !net->engine_lent;
    enum burst_err err = open ? net->backend->open(&net->engine, reterr) : BURST_OK;
    return err ? err : net->backend->compile(net->engine, &net->plan, &net->code, reterr);
}

static enum burst_err prepare(struct net *net, const uint8_t *bytes, size_t n, const struct net_settings *s,
                              struct burst_error *reterr)
{
    size_t most = s->memory_most ? s->memory_most : NET_MEMORY_MOST;
    struct onnx_options options = {s->promote, s->n_promote, s->opset_least};
    struct net_graph *g = &net->graph;
    graph_init(g, most);
    enum burst_err err = onnx_read(bytes, n, &options, g, reterr);
    if (!err) err = remember_nodes(net, reterr);
    if (!err) err = mark_kept(g, s, reterr);
    if (!err) err = shape_infer(g, reterr);
    if (!err) err = fold_graph(g, reterr);
    if (!err) err = plan_make(g, s->batch_most ? s->batch_most : 1, most, &net->plan, reterr);
    if (err) return err;
    net->input = make_ports(net, net->plan.input, net->plan.n_input, reterr);
    net->output = net->input ? make_ports(net, net->plan.output, net->plan.n_output, reterr) : NULL;
    return net->output ? compile(net, s, reterr) : reterr->code;
}

enum burst_err net_open_bytes(const uint8_t *bytes, size_t n, const struct net_settings *settings, struct net **ret,
                              struct burst_error *reterr)
{
    const struct net_settings plain = {0};
    struct burst_error local = {0};
    if (!reterr) reterr = &local;
    if (n > NET_FILE_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "a network of %zu bytes; at most %d are taken", n, NET_FILE_MOST);
    struct net *net = calloc(1, sizeof *net);
    if (!net) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a network");
    enum burst_err err = prepare(net, bytes, n, settings ? settings : &plain, reterr);
    if (err) {
        net_close(net);
        return err;
    }
    uint8_t digest[32];
    struct hash_piece piece = {bytes, n};
    hash_sha256(&piece, 1, digest);
    bytes_hex(digest, sizeof digest, net->sha256);
    *ret = net;
    return BURST_OK;
}

enum burst_err net_open(const char *path, const struct net_settings *settings, struct net **ret,
                        struct burst_error *reterr)
{
    char file[4096];
    struct stat st;
    uint8_t *bytes;
    size_t n;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int length = snprintf(file, sizeof file, "%s%s", path, folder ? "/model.onnx" : "");
    if (length < 0 || (size_t)length >= sizeof file)
        return burst_fail(reterr, BURST_E_LIMIT, "a path of %d characters", length);
    enum burst_err err = bytes_read_file(file, NET_FILE_MOST, &bytes, &n, reterr);
    if (err) return err;
    err = net_open_bytes(bytes, n, settings, ret, reterr);
    free(bytes);
    return err ? burst_prefix(reterr, err, file) : BURST_OK;
}

void net_close(struct net *net)
{
    if (!net) return;
    if (net->backend) net->backend->release(net->code);
    if (net->backend && net->backend->close && !net->engine_lent) net->backend->close(net->engine);
    graph_fini(&net->graph);
    free(net);
}

/* ---- running ---- */

enum burst_err net_run_ports(struct net *net, const float *const *input, int n, float *const *ret_output,
                             struct burst_error *reterr)
{
    if (n < 1 || n > net->plan.batch)
        return burst_fail(reterr, BURST_E_SHAPE, "%d samples; this network takes 1 to %d in one run", n,
                          net->plan.batch);
    enum burst_err err = net->backend->run(net->code, input, n, reterr);
    if (err) return err;
    net->last_n = n;
    for (int i = 0; !err && i < net->plan.n_output; i++)
        err = net->backend->read(net->code, i, n, ret_output[i], reterr); /* the first keeps are the outputs */
    return err;
}

enum burst_err net_run(struct net *net, const float *input, int n, float *ret_output, struct burst_error *reterr)
{
    if (net->plan.n_input != 1 || net->plan.n_output != 1)
        return burst_fail(reterr, BURST_E_SHAPE, "the network has %d inputs and %d outputs, not one of each",
                          net->plan.n_input, net->plan.n_output);
    return net_run_ports(net, &input, n, &ret_output, reterr);
}

/* The value of that name, by the names of the file before folding. */
static int find_value(const struct net *net, const char *name)
{
    for (int i = 0; i < net->plan.n_value; i++)
        if (strcmp(net->plan.value[i].name, name) == 0) return i;
    for (int i = 0; i < net->n_node; i++)
        if (strcmp(net->node[i].name, name) == 0) return net->node[i].value;
    return -1;
}

static int find_keep(const struct net *net, int v)
{
    for (int i = 0; i < net->plan.n_keep; i++)
        if (net->plan.keep[i].value == v) return i;
    return -1;
}

enum burst_err net_read(struct net *net, const char *name, float *ret, size_t n_ret, struct net_port *ret_port,
                        struct burst_error *reterr)
{
    int v = find_value(net, name);
    if (v < 0) return burst_fail(reterr, BURST_E_MISSING, "no tensor or node is called '%.130s'", name);
    int keep = find_keep(net, v);
    if (keep < 0)
        return burst_fail(reterr, BURST_E_MISSING, "'%.130s' was not kept: name it in `keep` when opening the network",
                          name);
    if (net->last_n == 0) return burst_fail(reterr, BURST_E_STATE, "'%.130s' is read before anything was run", name);
    const struct plan_value *value = &net->plan.value[v];
    if (n_ret / (size_t)net->last_n < (size_t)value->n_element)
        return burst_fail(reterr, BURST_E_SHAPE, "'%.130s' of %d samples has %lld numbers each; there is room for %zu",
                          name, net->last_n, (long long)value->n_element, n_ret);
    enum burst_err err = net->backend->read(net->code, keep, net->last_n, ret, reterr);
    if (!err && ret_port) *ret_port = (struct net_port){value->name, value->dims, value->batched, value->n_element};
    return err;
}

enum burst_err net_head(const struct net *net, struct net_head *ret, struct burst_error *reterr)
{
    return plan_head(&net->plan, ret, reterr);
}

void *net_code(struct net *net)
{
    return net->code;
}

/* ---- what it is ---- */

int net_n_input(const struct net *net)
{
    return net->plan.n_input;
}

int net_n_output(const struct net *net)
{
    return net->plan.n_output;
}

const struct net_port *net_input(const struct net *net, int i)
{
    return &net->input[i];
}

const struct net_port *net_output(const struct net *net, int i)
{
    return &net->output[i];
}

int net_batch(const struct net *net)
{
    return net->plan.batch;
}

const char *net_meta(const struct net *net, const char *key)
{
    for (int i = 0; i < net->graph.n_meta; i++)
        if (strcmp(net->graph.meta[i].key, key) == 0) return net->graph.meta[i].value;
    return NULL;
}

int net_n_meta(const struct net *net)
{
    return net->graph.n_meta;
}

const char *net_meta_key(const struct net *net, int i)
{
    return net->graph.meta[i].key;
}

const char *net_sha256(const struct net *net)
{
    return net->sha256;
}

const char *net_backend_name(const struct net *net)
{
    return net->backend->name;
}

const char *net_producer(const struct net *net)
{
    return net->graph.producer;
}

int64_t net_opset(const struct net *net)
{
    return net->graph.opset;
}

int64_t net_n_parameter(const struct net *net)
{
    return net->graph.n_parameter;
}

int64_t net_macs(const struct net *net)
{
    return net->plan.macs;
}

size_t net_memory(const struct net *net)
{
    return net->plan.scratch_bytes + net->plan.result_bytes;
}

int net_n_step(const struct net *net)
{
    return net->plan.n_step;
}

/* Elements of a step's weights. */
static int64_t weights_of(const struct plan_step *s)
{
    switch (s->op) {
    case PLAN_CONV:
        return s->n_out * (s->n_in / s->group) * s->window.kernel[0] * s->window.kernel[1] + (s->bias ? s->n_out : 0);
    case PLAN_DENSE: return s->n * s->k + (s->bias ? s->n : 0);
    case PLAN_SCALE: return 2 * s->axis;
    default: return 0;
    }
}

void net_step(const struct net *net, int i, struct net_step *ret)
{
    const struct plan_step *s = &net->plan.step[i];
    const struct plan_value *out = &net->plan.value[s->output];
    *ret = (struct net_step){s->kind, s->name, out->dims, out->batched, weights_of(s), s->macs};
}

bool net_operation(const struct net *net, int i, int *ret_step, const char **ret_name)
{
    if (net->backend->operation) return net->backend->operation(net->code, i, ret_step, ret_name);
    if (i >= net->plan.n_step) return false;
    *ret_step = i;
    *ret_name = "plain";
    return true;
}
