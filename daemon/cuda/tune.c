#include "daemon/cuda/tune.h"
#include "base/clock.h"
#include "daemon/cuda/models.h"
#include "net/cuda/cuda.h"
#include "net/net.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct tuning {
    const struct tune_settings *settings;
    FILE *out;
    bool terminal;
    int n_refused;
    enum cuda_precision precision; /* of the network that is being timed */
};

static void tell_progress(void *context, int done, int all)
{
    const struct tuning *t = context;
    (void)fprintf(t->out, "\r  %-5s %d of %d", cuda_precision_name(t->precision), done, all);
    (void)fflush(t->out);
}

static void tell_remarks(const struct tuning *t, struct net *net)
{
    const char *remark;
    for (int i = 0; (remark = cuda_remark(net_code(net), i)); i++)
        (void)fprintf(t->out, "        %s\n", remark);
}

/* An engine of its own for each network: a new one knows no choice, so that all are timed. */
static enum burst_err tune_precision(struct tuning *t, const char *path, struct burst_error *reterr)
{
    struct cuda_settings settings = {.device = t->settings->device,
                                     .precision = t->precision,
                                     .cache_folder = t->settings->cache_folder,
                                     .tune = true,
                                     .patience_ns = 60 * CLOCK_NS_PER_S,
                                     .progress = t->terminal ? tell_progress : NULL,
                                     .context = t};
    struct cuda_engine *engine;
    struct net *net = NULL;
    int64_t start = clock_mono_ns();
    enum burst_err err = cuda_open(&settings, &engine, reterr);
    if (err) return err;
    struct net_settings open = {
        .batch_most = t->settings->most, .memory_most = (size_t)8 << 30, .with = &net_backend_cuda, .engine = engine};
    err = net_open(path, &open, &net, reterr);
    if (!err || err == BURST_E_UNSUPPORTED)
        (void)fprintf(t->out, "%s  %-5s %.1f s%s%s\n", t->terminal ? "\r\x1b[K" : "", cuda_precision_name(t->precision),
                      1e-9 * (double)(clock_mono_ns() - start), err ? "  REFUSED: " : "", err ? reterr->text : "");
    else if (t->terminal)
        (void)fputc('\n', t->out);
    if (!err) tell_remarks(t, net);
    (void)fflush(t->out);
    if (!cuda_is_dead(engine)) { /* a device that hangs would not let them go */
        net_close(net);
        cuda_close(engine);
    }
    t->n_refused += err == BURST_E_UNSUPPORTED;
    return err == BURST_E_UNSUPPORTED ? BURST_OK : err;
}

static enum burst_err tune_model(void *context, const char *path, struct burst_error *reterr)
{
    struct tuning *t = context;
    enum burst_err err = BURST_OK;
    (void)fprintf(t->out, "%s\n", path);
    for (int p = 0; !err && p < CUDA_PRECISION_N; p++) {
        t->precision = (enum cuda_precision)p;
        err = tune_precision(t, path, reterr);
    }
    return err;
}

enum burst_err tune_run(const struct tune_settings *settings, FILE *out, int *ret_n_refused, struct burst_error *reterr)
{
    struct tuning t = {.settings = settings, .out = out, .terminal = isatty(fileno(out)) == 1};
    const char *folder = settings->cache_folder;
    if (access(folder, R_OK | W_OK | X_OK) != 0) /* said now, not after minutes */
        return burst_fail(reterr, BURST_E_IO, "%.300s: %s", folder, strerror(errno));
    enum burst_err err = models_visit(settings->model, settings->n_model, tune_model, &t, reterr);
    if (err) return err;
    (void)fprintf(out, "%s in %s\n", t.n_refused ? "what is not refused is kept" : "kept", folder);
    if (fflush(out) != 0 || ferror(out)) return burst_fail(reterr, BURST_E_IO, "the lines could not be written");
    *ret_n_refused = t.n_refused;
    return BURST_OK;
}
