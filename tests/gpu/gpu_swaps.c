/* Many batches of changing size through one network, each a launch of the graph of its size: what a size answers must be,
 * bit for bit, what it answered first, whatever ran in between.
 *
 *   gpu_swaps MODEL ROWS fp32|tf32|bf16 SWAPS BATCH [CACHE]
 *
 * Sizes follow a fixed sequence of 1..BATCH in which each that a graph is made for comes often; a size runs the first so
 * many of ROWS (repeated as needed). Prints `device ...` as gpu_parity does, `swaps N sizes K`, and `differ SIZE RUN` for
 * every wrong answer; exit status 1 where there is one. */
#include "common.h"

enum { BATCH_MOST = 256 };
static const int SIZES[] = {1, 2, 4, 8, 16, 25, 32, 64, 256};

/* The size of run i: by turns one that has a graph of its own, and any. */
static int size_of(uint64_t *state, int batch)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    int n = *state & 1024 ? SIZES[(*state >> 20) % (sizeof SIZES / sizeof SIZES[0])]
                          : 1 + (int)((*state >> 20) % (uint64_t)batch);
    return n <= batch ? n : batch;
}

/* Rows for the largest batch, the file's again and again. */
static float *repeat_rows(const struct gpu_rows *rows, size_t n_in, int batch)
{
    float *x = malloc((size_t)batch * n_in * sizeof *x);
    for (int i = 0; x && i < batch; i++)
        memcpy(x + (size_t)i * n_in, rows->x + (size_t)(i % rows->n) * n_in, n_in * sizeof *x);
    return x;
}

static enum burst_err swap(struct net *net, const float *x, int batch, long n_swap, int *ret_wrong,
                           struct burst_error *reterr)
{
    size_t n_out = (size_t)net_output(net, 0)->n_element;
    float *first[BATCH_MOST + 1] = {0}, *y = malloc((size_t)batch * n_out * sizeof *y);
    uint64_t state = 88172645463325252u;
    enum burst_err err = y ? BURST_OK : burst_fail(reterr, BURST_E_NOMEM, "no memory for the answers");
    int n_size = 0;
    for (long i = 0; !err && i < n_swap; i++) {
        int n = size_of(&state, batch);
        size_t bytes = (size_t)n * n_out * sizeof *y;
        memset(y, 0xff, bytes);
        err = net_run(net, x, n, y, reterr);
        if (err) break;
        if (!first[n]) {
            first[n] = malloc(bytes);
            if (!first[n]) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for the answers");
            if (!err) memcpy(first[n], y, bytes);
            n_size++;
        } else if (memcmp(first[n], y, bytes) != 0) {
            printf("differ\t%d\t%ld\n", n, i);
            (*ret_wrong)++;
        }
    }
    for (int n = 0; n <= BATCH_MOST; n++)
        free(first[n]);
    free(y);
    printf("swaps\t%ld\tsizes\t%d\n", err ? 0 : n_swap, n_size);
    return err;
}

int main(int argc, char **argv)
{
    struct burst_error error;
    struct cuda_engine *engine = NULL;
    struct gpu_rows rows = {0};
    struct net *net = NULL;
    float *x = NULL;
    int wrong = 0;
    if (argc < 6 || argc > 7) return 2;
    long n_swap = strtol(argv[4], NULL, 10), batch = strtol(argv[5], NULL, 10);
    if (n_swap < 1 || batch < 1 || batch > BATCH_MOST) return 2;
    enum burst_err err = gpu_open(argv[3], argc == 7 ? argv[6] : "", &engine, &error);
    struct net_settings settings = {.with = &net_backend_cuda, .engine = engine, .batch_most = (int)batch};
    if (!err) gpu_tell(engine);
    if (!err) err = net_open(argv[1], &settings, &net, &error);
    if (!err) err = gpu_rows_read(argv[2], net_input(net, 0)->n_element, &rows, &error);
    if (!err && !(x = repeat_rows(&rows, (size_t)net_input(net, 0)->n_element, (int)batch)))
        err = burst_fail(&error, BURST_E_NOMEM, "no memory for %ld rows", batch);
    if (!err) err = swap(net, x, (int)batch, n_swap, &wrong, &error);
    net_close(net);
    cuda_close(engine);
    free(rows.x);
    free(x);
    if (err) return gpu_refuse(&error);
    return wrong ? 1 : 0;
}
