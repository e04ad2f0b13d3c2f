/* Any bytes as a network: refused with a reason, or opened, and then it runs, gives its head, and answers the same with nothing
 * folded as far as its numbers stay finite. Seeds: tests/fuzz/corpus/net_onnx. */
#include "net/net.h"
#include <math.h>
#include <stdlib.h>

enum { INPUTS = 4, VALUES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static float *input[INPUTS], *output[INPUTS];

static void take_memory(void)
{
    for (int i = 0; i < INPUTS && !input[i]; i++) {
        input[i] = malloc(VALUES * sizeof(float));
        output[i] = malloc(VALUES * sizeof(float));
        if (!input[i] || !output[i]) abort();
        for (int j = 0; j < VALUES; j++)
            input[i][j] = (float)((j * 7 + i) % 13 - 6) / 4;
    }
}

/* Small enough to run a thousand times a second. */
static int is_small(const struct net *net)
{
    int n_in = net_n_input(net), n_out = net_n_output(net);
    if (n_in > INPUTS || n_out > INPUTS || net_macs(net) > 1 << 20 || net_memory(net) > 1 << 20) return 0;
    for (int i = 0; i < n_in; i++)
        if (net_input(net, i)->n_element > VALUES / 2) return 0;
    for (int i = 0; i < n_out; i++)
        if (net_output(net, i)->n_element > VALUES / 2) return 0;
    return 1;
}

static double run(struct net *net)
{
    struct burst_error error = {0};
    double sum = 0;
    if (net_run_ports(net, (const float *const *)input, net_batch(net), output, &error) != BURST_OK) abort();
    for (int i = 0; i < net_n_output(net); i++)
        for (int64_t j = 0; j < net_batch(net) * net_output(net, i)->n_element; j++)
            sum += (double)output[i][j];
    return sum;
}

static void look_at(struct net *net)
{
    struct net_head head;
    struct net_port port;
    struct burst_error error = {0};
    if (net_head(net, &head, &error) != BURST_OK) return;
    (void)net_read(net, head.name, output[0], VALUES, &port, &error); /* may be too large: a refusal */
}

/* Were all tensors on the way of ordinary size? Only then do two orders of summation agree. */
static int is_tame(struct net *net)
{
    for (int i = 0; i < net_n_step(net); i++) {
        struct net_step step;
        struct net_port port;
        struct burst_error error = {0};
        net_step(net, i, &step);
        if (net_read(net, step.name, output[0], VALUES, &port, &error) != BURST_OK) return 0;
        for (int64_t j = 0; j < net_batch(net) * port.n_element; j++)
            if (!(fabsf(output[0][j]) < 1e3F)) return 0;
    }
    return 1;
}

static void compare(double a, const uint8_t *bytes, size_t n, struct net_settings settings)
{
    struct net *whole = NULL;
    struct burst_error error = {0};
    settings.keep_all = true;
    if (net_open_bytes(bytes, n, &settings, &whole, &error) != BURST_OK) return; /* needs more memory */
    double b = run(whole);
    if (is_tame(whole) && fabs(a - b) > 1 + 0.01 * fabs(a)) abort();
    net_close(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct net *net = NULL;
    struct burst_error error = {0};
    struct net_settings settings = {.backend = NET_BACKEND_PLAIN, .batch_most = 2, .memory_most = 1 << 24};
    take_memory();
    if (net_open_bytes(bytes, n, &settings, &net, &error) != BURST_OK) {
        if (error.text[0] == 0 || error.code == BURST_OK || error.code == BURST_E_INTERNAL) abort();
        return 0;
    }
    if (is_small(net)) {
        double a = run(net);
        look_at(net);
        compare(a, bytes, n, settings);
    }
    net_close(net);
    return 0;
}
