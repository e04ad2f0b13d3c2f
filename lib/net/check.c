/* Golden vectors: ONNX's own layout, test_data_set_N/input_0.pb and output_0.pb beside the model. */
#include "base/bytes.h"
#include "net/net.h"
#include "net/tensor_file.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_MOST = 4096 };

/* One test_data_set folder. */
struct set {
    struct net *net;
    const char *folder;
    int number;
    int n;                             /* samples */
    struct net_tensor *input, *output; /* [net_n_input], [net_n_output] */
    float **answer;                    /* [net_n_output] */
    struct burst_error *reterr;
};

static enum burst_err read_ports(struct set *s, const char *word, int n_port,
                                 const struct net_port *(*port)(const struct net *, int), struct net_tensor *ret)
{
    char path[PATH_MOST], want[DIMS_TEXT], got[DIMS_TEXT];
    for (int i = 0; i < n_port; i++) {
        (void)snprintf(path, sizeof path, "%s/test_data_set_%d/%s_%d.pb", s->folder, s->number, word, i);
        enum burst_err err = tensor_read(path, &ret[i], s->reterr);
        if (err) return err;
        const struct net_port *p = port(s->net, i);
        const struct net_dims *d = &ret[i].dims;
        bool fits = ret[i].dtype == NET_F32 && d->rank == p->dims.rank;
        for (int j = p->batched; fits && j < d->rank; j++)
            fits = d->dim[j] == p->dims.dim[j];
        int64_t n = p->batched && fits ? d->dim[0] : 1;
        if (s->n == 0) s->n = n <= INT32_MAX ? (int)n : -1;
        if (fits && n == s->n && n > 0) continue;
        dims_text(&p->dims, p->batched, want);
        dims_text(d, false, got);
        return burst_fail(s->reterr, BURST_E_SHAPE,
                          "%s: FLOAT %s is needed, for as many samples as the others; it is %s", path, want, got);
    }
    return BURST_OK;
}

/* In pieces of what the network takes at once. */
static enum burst_err run_all(const struct set *s)
{
    enum burst_err err = BURST_OK;
    int n_in = net_n_input(s->net), n_out = net_n_output(s->net), most = net_batch(s->net);
    const float **in = calloc((size_t)n_in + 1, sizeof *in);
    float **out = calloc((size_t)n_out + 1, sizeof *out);
    if (!in || !out) err = burst_fail(s->reterr, BURST_E_NOMEM, "no memory to check a network");
    for (int at = 0; !err && at < s->n; at += most) {
        for (int i = 0; i < n_in; i++)
            in[i] = s->input[i].f32 + at * net_input(s->net, i)->n_element;
        for (int i = 0; i < n_out; i++)
            out[i] = s->answer[i] + at * net_output(s->net, i)->n_element;
        err = net_run_ports(s->net, in, s->n - at < most ? s->n - at : most, out, s->reterr);
    }
    free(in);
    free(out);
    return err;
}

/* The largest error goes to *worst; the first beyond the tolerance is the refusal. A NaN is beyond any. */
static enum burst_err compare(const struct set *s, double tolerance, double *worst)
{
    for (int i = 0; i < net_n_output(s->net); i++) {
        int64_t n = dims_count(&s->output[i].dims);
        for (int64_t j = 0; j < n; j++) {
            double golden = (double)s->output[i].f32[j], answer = (double)s->answer[i][j];
            double error = fabs(answer - golden) / fmax(1, fabs(golden));
            if (!(error <= *worst)) *worst = error;
            if (!(error <= tolerance))
                return burst_fail(s->reterr, BURST_E_MODEL,
                                  "%s/test_data_set_%d: output %d, element %" PRId64
                                  " is %.9g, golden %.9g, tolerance %g",
                                  s->folder, s->number, i, j, answer, golden, tolerance);
        }
    }
    return BURST_OK;
}

static enum burst_err take_room(struct set *s)
{
    size_t n_in = (size_t)net_n_input(s->net), n_out = (size_t)net_n_output(s->net);
    s->input = calloc(n_in + 1, sizeof *s->input);
    s->output = calloc(n_out + 1, sizeof *s->output);
    s->answer = calloc(n_out + 1, sizeof *s->answer);
    if (s->input && s->output && s->answer) return BURST_OK;
    return burst_fail(s->reterr, BURST_E_NOMEM, "no memory to check a network");
}

static enum burst_err take_answers(struct set *s)
{
    for (int i = 0; i < net_n_output(s->net); i++) {
        s->answer[i] = malloc((size_t)dims_count(&s->output[i].dims) * sizeof(float) + 1);
        if (!s->answer[i]) return burst_fail(s->reterr, BURST_E_NOMEM, "no memory to check a network");
    }
    return BURST_OK;
}

static void set_fini(struct set *s)
{
    for (int i = 0; s->input && i < net_n_input(s->net); i++)
        tensor_fini(&s->input[i]);
    for (int i = 0; s->output && i < net_n_output(s->net); i++)
        tensor_fini(&s->output[i]);
    for (int i = 0; s->answer && i < net_n_output(s->net); i++)
        free(s->answer[i]);
    free(s->input);
    free(s->output);
    free(s->answer);
}

static enum burst_err check_set(struct set *s, double tolerance, double *worst)
{
    enum burst_err err = take_room(s);
    if (!err) err = read_ports(s, "input", net_n_input(s->net), net_input, s->input);
    if (!err) err = read_ports(s, "output", net_n_output(s->net), net_output, s->output);
    if (!err) err = take_answers(s);
    if (!err) err = run_all(s);
    if (!err) err = compare(s, tolerance, worst);
    set_fini(s);
    return err;
}

static bool set_exists(const char *folder, int number)
{
    char path[PATH_MOST];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/test_data_set_%d", folder, number);
    return n > 0 && (size_t)n < sizeof path - 32 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum burst_err net_check(struct net *net, const char *folder, double tolerance, int *ret_n_set, double *ret_worst,
                         struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    double worst = 0;
    int n = 0;
    if (!set_exists(folder, 0)) return burst_fail(reterr, BURST_E_MISSING, "%.300s: no folder test_data_set_0", folder);
    for (; !err && set_exists(folder, n); n++) {
        struct set s = {.net = net, .folder = folder, .number = n, .reterr = reterr};
        err = check_set(&s, tolerance, &worst);
    }
    if (err && err != BURST_E_MODEL) return err;
    *ret_n_set = n;
    *ret_worst = worst;
    return err;
}
