/* One network on a GPU, in this process, timed for bench.py.
 *
 *   gpu_contender MODEL ROWS fp32|tf32|bf16 BATCH [CACHE]
 *
 * Prints `device ...` (tests/gpu/common.h), the answers of ROWS as `answer I ...`, and `ready MACS PARAMETERS`. Then one
 * line for each line of standard input, numbers in ns, until that ends:
 *   hosted N TIMES    floats in host memory to answers in host memory, wall clock; N rows, other ones every time
 *   resident N TIMES  the same graph without a front: the first tensor is what the run before left there; between two events
 *                     on the stream, so device time and the launch
 *   idle N TIMES REST BEAT  hosted, each after REST seconds in which only one row runs every BEAT s (0: nothing) */
#include "base/clock.h"
#include "tests/gpu/common.h"
#include <cuda_runtime_api.h>
#include <time.h>

#define PATIENCE_NS INT64_C(60000000000)

struct contender {
    struct cuda_engine *engine;
    struct net *net;
    struct cuda_entry *hosted, *resident;
    struct gpu_rows rows;
    size_t n_in, n_out;
    float *answer;
    int64_t next; /* row that the next run begins with */
    cudaEvent_t begun, ended;
};

static enum burst_err queue_nothing(void *context, const struct cuda_tensor *to, int n, void *stream,
                                    struct burst_error *reterr)
{
    (void)context, (void)to, (void)n, (void)stream, (void)reterr;
    return BURST_OK;
}

/* The rows from `next` on, around the end of the file. */
static void copy_rows(struct contender *c, int n)
{
    float *to = cuda_entry_rows(c->hosted);
    for (int i = 0; i < n; i++)
        memcpy(to + (size_t)i * c->n_in, c->rows.x + (size_t)((c->next + i) % c->rows.n) * c->n_in,
               c->n_in * sizeof *to);
    c->next = (c->next + n) % c->rows.n;
}

static enum burst_err run_hosted(struct contender *c, int n, int64_t *ret_ns, struct burst_error *reterr)
{
    int64_t begun = clock_mono_ns();
    copy_rows(c, n);
    enum burst_err err = cuda_entry_run(c->hosted, n, c->answer, NULL, begun + PATIENCE_NS, reterr);
    *ret_ns = clock_mono_ns() - begun;
    return err;
}

static enum burst_err run_resident(struct contender *c, int n, int64_t *ret_ns, struct burst_error *reterr)
{
    float ms = 0;
    cudaStream_t stream = cuda_stream(c->engine);
    enum burst_err err = cuda_check(c->engine, (int)cudaEventRecord(c->begun, stream), "cudaEventRecord", reterr);
    if (!err) err = cuda_entry_run(c->resident, n, c->answer, NULL, clock_mono_ns() + PATIENCE_NS, reterr);
    if (!err) err = cuda_check(c->engine, (int)cudaEventRecord(c->ended, stream), "cudaEventRecord", reterr);
    if (!err) err = cuda_check(c->engine, (int)cudaEventSynchronize(c->ended), "cudaEventSynchronize", reterr);
    if (!err)
        err = cuda_check(c->engine, (int)cudaEventElapsedTime(&ms, c->begun, c->ended), "cudaEventElapsedTime", reterr);
    *ret_ns = (int64_t)((double)ms * 1e6);
    return err;
}

static void rest(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&t, NULL); /* a signal would end the program */
}

static enum burst_err run_idle(struct contender *c, int n, double seconds, double beat, int64_t *ret_ns,
                               struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    while (!err && beat > 0 && seconds > beat) {
        rest(beat);
        seconds -= beat;
        err = run_hosted(c, 1, ret_ns, reterr);
    }
    rest(seconds);
    return err ? err : run_hosted(c, n, ret_ns, reterr);
}

/* One command; every number is on the line by its end. */
static enum burst_err obey(struct contender *c, const char *line, struct burst_error *reterr)
{
    char what[16];
    int n = 0, times = 0;
    double seconds = 0, beat = 0;
    if (sscanf(line, "%15s %d %d %lf %lf", what, &n, &times, &seconds, &beat) < 3 || n < 1 || n > net_batch(c->net) ||
        !strstr(" hosted resident idle ", what))
        return burst_fail(reterr, BURST_E_RANGE, "'%.100s' is no command", line);
    for (int i = 0; i < times; i++) {
        int64_t ns = 0;
        enum burst_err err = strcmp(what, "hosted") == 0     ? run_hosted(c, n, &ns, reterr)
                             : strcmp(what, "resident") == 0 ? run_resident(c, n, &ns, reterr)
                                                             : run_idle(c, n, seconds, beat, &ns, reterr);
        if (err) return err;
        printf("%lld%s", (long long)ns, i + 1 < times ? " " : "");
    }
    printf("\n");
    return fflush(stdout) == 0 ? BURST_OK : burst_fail(reterr, BURST_E_IO, "nobody reads the answers");
}

/* Every row's answer, as many at a time as the network takes. */
static enum burst_err answer_all(struct contender *c, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    int batch = net_batch(c->net);
    for (int64_t i = 0; !err && i < c->rows.n; i += batch) {
        int n = c->rows.n - i < batch ? (int)(c->rows.n - i) : batch;
        int64_t ns;
        err = run_hosted(c, n, &ns, reterr);
        for (int r = 0; !err && r < n; r++) {
            printf("answer\t%lld", (long long)(i + r));
            for (size_t k = 0; k < c->n_out; k++)
                printf("\t%.9g", (double)c->answer[(size_t)r * c->n_out + k]);
            printf("\n");
        }
    }
    c->next = 0;
    return err;
}

static enum burst_err contender_open(struct contender *c, char **argv, const char *cache, struct burst_error *reterr)
{
    const struct cuda_front nothing = {queue_nothing, NULL};
    enum burst_err err = gpu_open(argv[3], cache, &c->engine, reterr);
    struct net_settings settings = {
        .with = &net_backend_cuda, .engine = c->engine, .batch_most = (int)strtol(argv[4], NULL, 10)};
    if (!err) err = net_open(argv[1], &settings, &c->net, reterr);
    if (err) return err;
    c->n_in = (size_t)net_input(c->net, 0)->n_element;
    c->n_out = (size_t)net_output(c->net, 0)->n_element;
    err = gpu_rows_read(argv[2], (int64_t)c->n_in, &c->rows, reterr);
    if (!err) err = cuda_entry_new(net_code(c->net), NULL, -1, &c->hosted, reterr);
    if (!err) err = cuda_entry_new(net_code(c->net), &nothing, -1, &c->resident, reterr);
    if (!err) err = cuda_check(c->engine, (int)cudaEventCreate(&c->begun), "cudaEventCreate", reterr);
    if (!err) err = cuda_check(c->engine, (int)cudaEventCreate(&c->ended), "cudaEventCreate", reterr);
    c->answer = malloc((size_t)net_batch(c->net) * c->n_out * sizeof *c->answer);
    if (!err && !c->answer) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for the answers");
    return err;
}

static void contender_close(struct contender *c)
{
    if (c->ended) (void)cudaEventDestroy(c->ended); /* the process ends */
    if (c->begun) (void)cudaEventDestroy(c->begun);
    cuda_entry_free(c->resident);
    cuda_entry_free(c->hosted);
    net_close(c->net);
    cuda_close(c->engine);
    free(c->rows.x);
    free(c->answer);
}

int main(int argc, char **argv)
{
    struct contender c = {0};
    struct burst_error error;
    char line[128];
    if (argc < 5 || argc > 6) return 2;
    enum burst_err err = contender_open(&c, argv, argc == 6 ? argv[5] : "", &error);
    if (!err) gpu_tell(c.engine);
    if (!err) err = answer_all(&c, &error);
    if (!err) printf("ready\t%lld\t%lld\n", (long long)net_macs(c.net), (long long)net_n_parameter(c.net));
    (void)fflush(stdout);
    while (!err && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        err = obey(&c, line, &error);
    }
    contender_close(&c);
    return err ? gpu_refuse(&error) : 0;
}
