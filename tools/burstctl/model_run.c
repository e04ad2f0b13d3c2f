/* burstctl model run: a model on ONNX TensorProto files. */
#include "model.h"
#include "model_cuda.h"
#include "net/tensor_file.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MOST = 32, VALUES_SHOWN = 16 };

struct running {
    struct net *net;
    struct model_worker *worker;
    int64_t n; /* samples; 1 where the model has no free first dimension */
    struct net_tensor input[MODEL_FILE_MAX];
    float *output[MODEL_FILE_MAX]; /* [n][elements of one sample] */
};

static enum burst_err read_inputs(const struct model_options *o, struct running *r, struct burst_error *reterr)
{
    for (int i = 0; i < o->n_input; i++) {
        enum burst_err err = tensor_read(o->input[i], &r->input[i], reterr);
        if (err != BURST_OK) return err;
    }
    return BURST_OK;
}

/* Input i must have the port's shape; all batched inputs have one number of samples. */
static enum burst_err check_input(struct running *r, int i, const char *file, struct burst_error *reterr)
{
    const struct net_port *port = net_input(r->net, i);
    const struct net_tensor *t = &r->input[i];
    char want[DIMS_TEXT], got[DIMS_TEXT];
    bool fits = t->dtype == NET_F32 && t->dims.rank == port->dims.rank;
    for (int d = port->batched; fits && d < t->dims.rank; d++)
        fits = t->dims.dim[d] == port->dims.dim[d];
    int64_t n = port->batched && fits ? t->dims.dim[0] : 1;
    if (fits && n > 0 && port->batched && r->n == 0) r->n = n;
    dims_text(&port->dims, port->batched, want);
    dims_text(&t->dims, false, got);
    if (!fits || n < 1)
        return burst_fail(reterr, BURST_E_SHAPE, "%.100s: input %.60s takes FLOAT %s, this is %s %s", file, port->name,
                          want, t->dtype == NET_F32 ? "FLOAT" : "of integers,", got);
    if (port->batched && n != r->n)
        return burst_fail(reterr, BURST_E_SHAPE, "%.100s: %" PRId64 " samples, the inputs before have %" PRId64, file,
                          n, r->n);
    return BURST_OK;
}

static enum burst_err take_outputs(struct running *r, struct burst_error *reterr)
{
    for (int i = 0; i < net_n_output(r->net); i++) {
        r->output[i] = calloc((size_t)r->n * (size_t)net_output(r->net, i)->n_element + 1, sizeof(float));
        if (!r->output[i]) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %" PRId64 " answers", r->n);
    }
    return BURST_OK;
}

static enum burst_err run_all(struct running *r, struct burst_error *reterr)
{
    const float *in[MODEL_FILE_MAX];
    float *out[MODEL_FILE_MAX];
    enum burst_err err = BURST_OK;
    for (int64_t at = 0; at < r->n && err == BURST_OK; at += net_batch(r->net)) {
        int64_t left = r->n - at;
        for (int i = 0; i < net_n_input(r->net); i++)
            in[i] = r->input[i].f32 + at * net_input(r->net, i)->n_element;
        for (int i = 0; i < net_n_output(r->net); i++)
            out[i] = r->output[i] + at * net_output(r->net, i)->n_element;
        err = net_run_ports(r->net, in, left < net_batch(r->net) ? (int)left : net_batch(r->net), out, reterr);
    }
    return err;
}

static struct net_tensor answer(const struct running *r, int i)
{
    const struct net_port *port = net_output(r->net, i);
    struct net_tensor t = {.name = port->name, .dtype = NET_F32, .dims = port->dims, .f32 = r->output[i]};
    if (port->batched) t.dims.dim[0] = r->n;
    return t;
}

static void show(const struct net_tensor *t)
{
    char dims[DIMS_TEXT];
    int64_t n = dims_count(&t->dims);
    dims_text(&t->dims, false, dims);
    printf("%s %s:", clean(t->name), dims);
    for (int64_t i = 0; i < n && i < VALUES_SHOWN; i++)
        printf(" %.9g", (double)t->f32[i]);
    printf("%s\n", n > VALUES_SHOWN ? " ..." : "");
}

static int give_answers(const struct model_options *o, const struct running *r)
{
    struct burst_error error;
    for (int i = 0; i < net_n_output(r->net); i++) {
        struct net_tensor t = answer(r, i);
        if (i >= o->n_output)
            show(&t);
        else if (tensor_write(o->output[i], &t, &error) != BURST_OK)
            return tell_error("model", &error);
    }
    return finish_output("model");
}

/* The steps of a run; what was taken is freed by the caller. */
static int run_model(const struct model_options *o, struct running *r)
{
    struct burst_error error;
    if (read_inputs(o, r, &error) != BURST_OK) return tell_error("model", &error);
    int64_t first = o->n_input > 0 && r->input[0].dims.rank > 0 ? r->input[0].dims.dim[0] : 1;
    int batch = first < 1 ? 1 : first < BATCH_MOST ? (int)first : BATCH_MOST; /* no more memory than needed */
    if (model_open(o, o->backend, batch, &r->net, &r->worker, &error) != BURST_OK) return tell_model(&error);
    if (net_n_input(r->net) != o->n_input) {
        (void)fprintf(stderr, "burstctl model: the model has %d inputs, %d --input were given\n", net_n_input(r->net),
                      o->n_input);
        return EXIT_USAGE;
    }
    if (net_n_output(r->net) > MODEL_FILE_MAX || o->n_output > net_n_output(r->net)) {
        (void)fprintf(stderr, "burstctl model: the model has %d outputs, %d --output were given\n",
                      net_n_output(r->net), o->n_output);
        return EXIT_USAGE;
    }
    enum burst_err err = BURST_OK;
    for (int i = 0; i < o->n_input && err == BURST_OK; i++)
        err = check_input(r, i, o->input[i], &error);
    if (r->n == 0) r->n = 1;
    if (err == BURST_OK) err = take_outputs(r, &error);
    if (err == BURST_OK) err = run_all(r, &error);
    return err == BURST_OK ? give_answers(o, r) : tell_error("model", &error);
}

int model_run(const struct model_options *options)
{
    struct running r = {0};
    int status = run_model(options, &r);
    for (int i = 0; i < MODEL_FILE_MAX; i++) {
        tensor_fini(&r.input[i]);
        free(r.output[i]);
    }
    model_close(r.net, r.worker);
    return status;
}
