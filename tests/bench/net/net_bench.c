/* Times one network on one backend for bench.py. Prints the answer to the input file, then for each number N read from standard
 * input the CPU seconds, of all threads, that N runs of one sample took.
 *
 *   net_bench MODEL plain|cpu INPUT.pb */
#include "net/net.h"
#include "net/tensor_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int refuse(const struct burst_error *error)
{
    (void)fprintf(stderr, "net_bench: %s\n", error->text);
    return 3;
}

static double cpu_seconds(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* exists on every Linux */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One answer per line of standard input, until it ends. */
static int serve(struct net *net, const float *x, float *y)
{
    struct burst_error error;
    char line[32];
    while (fgets(line, sizeof line, stdin)) {
        long n = strtol(line, NULL, 10);
        double begun = cpu_seconds();
        for (long i = 0; i < n; i++)
            if (net_run(net, x, 1, y, &error) != BURST_OK) return refuse(&error);
        printf("%.9f\n", cpu_seconds() - begun);
        if (fflush(stdout) != 0) return 4;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct net_settings settings = {.batch_most = 1};
    struct net_tensor input = {0};
    struct net *net = NULL;
    struct burst_error error;
    if (argc != 4) return 2;
    enum burst_err err = backend_parse(argv[2], &settings.backend, &error);
    if (err == BURST_OK) err = tensor_read(argv[3], &input, &error);
    if (err == BURST_OK) err = net_open(argv[1], &settings, &net, &error);
    if (err != BURST_OK) return refuse(&error);
    int64_t n_in = net_input(net, 0)->n_element, n_out = net_output(net, 0)->n_element;
    float *y = calloc((size_t)n_out, sizeof *y);
    if (!y || input.dtype != NET_F32 || dims_count(&input.dims) < n_in) return 1;
    if (net_run(net, input.f32, 1, y, &error) != BURST_OK) return refuse(&error);
    for (int64_t i = 0; i < n_out; i++)
        printf("%.9g%s", (double)y[i], i + 1 < n_out ? " " : "\n");
    if (fflush(stdout) != 0) return 4;
    int status = serve(net, input.f32, y);
    net_close(net);
    tensor_fini(&input);
    free(y);
    return status;
}
