/* The same rows through `cuda` and through `plain`: what lies between two steps, and the answers.
 *
 *   gpu_parity MODEL ROWS fp32|tf32|bf16 BATCH [CACHE]
 *
 * MODEL is a folder or .onnx file, ROWS a tensor (.pb) or bare floats. Prints lines with tabs between:
 *   device NAME SM DRIVER CUDA CUDNN MULTIPROCESSORS MEMORY PRECISION
 *   meta KEY VALUE         the model's
 *   step|join|map TENSOR WORST RELATIVE
 *                          over the first two rows: largest |cuda - plain| / max(1, |plain|), and the norm of the difference
 *                          over that of plain. step: every step's result is asked for, so nothing larger is fused; join: of
 *                          the steps that add a residual, so that what lies between may be; map: the feature map under the
 *                          head, with everything fused
 *   row I PLAIN... CUDA... the answers, everything fused, BATCH rows at a time
 * Judges nothing: tests/gpu/run does. */
#include "common.h"
#include "net/fold.h"
#include "net/onnx.h"
#include "net/shape.h"
#include <math.h>

enum { LAYER_ROWS = 2, STEPS_MOST = 512 };

struct names {
    char text[STEPS_MOST][NET_NAME_MAX + 1];
    const char *at[STEPS_MOST];
    int n;
};

static enum burst_err read_model(const char *model, uint8_t **ret_bytes, size_t *ret_n, struct burst_error *reterr)
{
    char path[4096];
    size_t length = strlen(model);
    bool file = length > 5 && strcmp(model + length - 5, ".onnx") == 0;
    (void)snprintf(path, sizeof path, "%s%s", model, file ? "" : "/model.onnx"); /* cut short, it does not exist */
    return bytes_read_file(path, NET_FILE_MOST, ret_bytes, ret_n, reterr);
}

/* Names of the results of a plan's steps: those that add a residual, or all. */
static enum burst_err list_steps(const uint8_t *bytes, size_t n, bool joins, struct names *ret,
                                 struct burst_error *reterr)
{
    struct net_graph g;
    struct net_plan plan;
    struct onnx_options options = {0};
    graph_init(&g, NET_MEMORY_MOST);
    enum burst_err err = onnx_read(bytes, n, &options, &g, reterr);
    if (!err) err = shape_infer(&g, reterr);
    if (!err) err = fold_graph(&g, reterr);
    if (!err) err = plan_make(&g, 1, NET_MEMORY_MOST, &plan, reterr);
    ret->n = 0;
    for (int i = 0; !err && i < plan.n_step && ret->n < STEPS_MOST; i++) {
        const struct plan_value *v = &plan.value[plan.step[i].output];
        if ((joins && plan.step[i].add < 0) || !v->batched) continue;
        (void)snprintf(ret->text[ret->n], sizeof ret->text[0], "%s", v->name);
        ret->at[ret->n] = ret->text[ret->n];
        ret->n++;
    }
    graph_fini(&g);
    return err;
}

/* The two networks with those tensors kept. */
struct pair {
    struct net *plain, *cuda;
};

static enum burst_err pair_open(const uint8_t *bytes, size_t n, const struct names *keep, int batch,
                                struct cuda_engine *engine, struct pair *ret, struct burst_error *reterr)
{
    struct net_settings s = {.backend = NET_BACKEND_PLAIN,
                             .batch_most = batch,
                             .keep = keep ? keep->at : NULL,
                             .n_keep = keep ? keep->n : 0,
                             .memory_most = (size_t)4 << 30};
    enum burst_err err = net_open_bytes(bytes, n, &s, &ret->plain, reterr);
    s.with = &net_backend_cuda;
    s.engine = engine;
    return err ? err : net_open_bytes(bytes, n, &s, &ret->cuda, reterr);
}

static void pair_close(struct pair *p)
{
    net_close(p->plain);
    net_close(p->cuda);
    *p = (struct pair){0};
}

static void tell_difference(const char *what, const char *name, const float *want, const float *got, size_t n)
{
    double worst = 0, sum = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]), w = fabs((double)want[i]);
        if (!(d / fmax(1, w) <= worst)) worst = d / fmax(1, w); /* a NaN gets through and stays */
        sum += d * d;
        norm += w * w;
    }
    printf("%s\t%s\t%.6g\t%.6g\n", what, name, worst, norm > 0 ? sqrt(sum / norm) : sqrt(sum));
}

static enum burst_err read_both(struct pair *p, const char *what, const char *name, struct burst_error *reterr)
{
    enum { MOST = 1 << 25 }; /* floats: two rows of the largest tensor that ships are 240,128 */
    float *want = malloc(MOST * sizeof *want), *got = malloc(MOST * sizeof *got);
    struct net_port port;
    enum burst_err err =
        want && got ? BURST_OK : burst_fail(reterr, BURST_E_NOMEM, "no memory for two copies of '%.130s'", name);
    if (!err) err = net_read(p->plain, name, want, MOST, &port, reterr);
    if (!err) err = net_read(p->cuda, name, got, MOST, NULL, reterr);
    if (!err) tell_difference(what, name, want, got, (size_t)(port.n_element * LAYER_ROWS));
    free(want), free(got);
    return err;
}

/* Two rows through both, then each kept tensor. Without names: the feature map, where there is one. */
static enum burst_err compare_layers(const uint8_t *bytes, size_t n, const struct names *keep, const char *what,
                                     struct cuda_engine *engine, const float *x, struct burst_error *reterr)
{
    struct pair p = {0};
    struct net_head head;
    enum burst_err err = pair_open(bytes, n, keep, LAYER_ROWS, engine, &p, reterr);
    float *y = err ? NULL : malloc(LAYER_ROWS * (size_t)net_output(p.plain, 0)->n_element * sizeof *y);
    if (!err && !y) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for the answers");
    if (!err) err = net_run(p.plain, x, LAYER_ROWS, y, reterr);
    if (!err) err = net_run(p.cuda, x, LAYER_ROWS, y, reterr);
    for (int i = 0; !err && keep && i < keep->n; i++)
        err = read_both(&p, what, keep->at[i], reterr);
    if (!err && !keep && net_head(p.plain, &head, NULL) == BURST_OK) err = read_both(&p, what, head.name, reterr);
    free(y);
    pair_close(&p);
    return err;
}

static void tell_rows(int64_t first, int n, size_t n_out, const float *want, const float *got)
{
    for (int i = 0; i < n; i++) {
        printf("row\t%lld", (long long)(first + i));
        for (size_t k = 0; k < n_out; k++)
            printf("\t%.9g", (double)want[(size_t)i * n_out + k]);
        for (size_t k = 0; k < n_out; k++)
            printf("\t%.9g", (double)got[(size_t)i * n_out + k]);
        printf("\n");
    }
}

static enum burst_err compare_answers(const uint8_t *bytes, size_t n, int batch, struct cuda_engine *engine,
                                      const struct gpu_rows *rows, struct burst_error *reterr)
{
    struct pair p = {0};
    enum burst_err err = pair_open(bytes, n, NULL, batch, engine, &p, reterr);
    size_t n_in = err ? 0 : (size_t)net_input(p.plain, 0)->n_element;
    size_t n_out = err ? 0 : (size_t)net_output(p.plain, 0)->n_element;
    float *want = malloc((size_t)batch * n_out * sizeof *want + 1),
          *got = malloc((size_t)batch * n_out * sizeof *got + 1);
    if (!err && (!want || !got)) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for the answers");
    for (int64_t i = 0; !err && i < rows->n; i += batch) {
        int now = rows->n - i < batch ? (int)(rows->n - i) : batch;
        err = net_run(p.plain, rows->x + (size_t)i * n_in, now, want, reterr);
        memset(got, 0xff, (size_t)batch * n_out * sizeof *got); /* NaN where nothing is written */
        if (!err) err = net_run(p.cuda, rows->x + (size_t)i * n_in, now, got, reterr);
        if (!err) tell_rows(i, now, n_out, want, got);
    }
    free(want), free(got);
    pair_close(&p);
    return err;
}

static enum burst_err compare(const uint8_t *bytes, size_t n, int batch, struct cuda_engine *engine,
                              const struct gpu_rows *rows, struct burst_error *reterr)
{
    static struct names names;
    if (rows->n < LAYER_ROWS) return burst_fail(reterr, BURST_E_SHAPE, "one row; the layers take two");
    enum burst_err err = list_steps(bytes, n, false, &names, reterr);
    if (!err) err = compare_layers(bytes, n, &names, "step", engine, rows->x, reterr);
    if (!err) err = list_steps(bytes, n, true, &names, reterr);
    if (!err && names.n) err = compare_layers(bytes, n, &names, "join", engine, rows->x, reterr);
    if (!err) err = compare_layers(bytes, n, NULL, "map", engine, rows->x, reterr);
    return err ? err : compare_answers(bytes, n, batch, engine, rows, reterr);
}

int main(int argc, char **argv)
{
    struct burst_error error;
    struct cuda_engine *engine = NULL;
    struct gpu_rows rows = {0};
    struct net *net = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (argc < 5 || argc > 6) return 2;
    long batch = strtol(argv[4], NULL, 10);
    if (batch < 1 || batch > 256) return 2;
    enum burst_err err = read_model(argv[1], &bytes, &n, &error);
    if (!err) err = net_open_bytes(bytes, n, NULL, &net, &error);
    if (!err) err = gpu_rows_read(argv[2], net_input(net, 0)->n_element, &rows, &error);
    if (!err) err = gpu_open(argv[3], argc == 6 ? argv[5] : "", &engine, &error);
    if (!err) gpu_tell(engine);
    for (int i = 0; !err && i < net_n_meta(net); i++)
        printf("meta\t%s\t%s\n", net_meta_key(net, i), net_meta(net, net_meta_key(net, i)));
    if (!err) err = compare(bytes, n, (int)batch, engine, &rows, &error);
    cuda_close(engine);
    net_close(net);
    free(rows.x);
    free(bytes);
    return err ? gpu_refuse(&error) : 0;
}
