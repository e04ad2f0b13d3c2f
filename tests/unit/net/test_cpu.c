/* The oneDNN backend: every tensor as backend_plain has it, no reference implementation in the networks that matter, one
 * thread, and the cases where storage is shared. */
#include "architectures.h"
#include "check.h"
#include "net/net.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sums of up to 4,608 float32 products in another order, through up to 53 layers; relative to the largest value of the tensor
 * where that is over 1 (random residual networks grow from block to block). */
static const double tolerance = 1e-4;

/* ---- comparing ---- */

static struct net *open_made(const uint8_t *bytes, size_t n, enum net_backend_id backend, int batch,
                             const char *const *keep, int n_keep)
{
    struct net_settings settings = {.backend = backend, .batch_most = batch, .keep = keep, .n_keep = n_keep};
    settings.keep_all = n_keep < 0;
    if (n_keep < 0) settings.n_keep = 0;
    struct burst_error error = {0};
    struct net *net = NULL;
    CHECK_SAY(net_open_bytes(bytes, n, &settings, &net, &error) == BURST_OK, "%s", error.text);
    return net;
}

static double worst_of(const float *a, const float *b, int64_t n)
{
    double worst = 0, largest = 1;
    for (int64_t i = 0; i < n; i++) {
        double error = fabs((double)a[i] - (double)b[i]);
        if (!(error <= worst)) worst = error; /* NaN too */
        largest = fmax(largest, fabs((double)b[i]));
    }
    return worst / largest;
}

/* Compare one tensor of the last run of both. */
static void compare_read(struct net *cpu, struct net *plain, const char *name, int n)
{
    struct net_port port;
    struct burst_error error = {0};
    const size_t room = 1 << 22;
    float *a = malloc(room * sizeof *a), *b = malloc(room * sizeof *b);
    CHECK(a && b);
    CHECK_SAY(net_read(cpu, name, a, room, &port, &error) == BURST_OK, "%s", error.text);
    CHECK_SAY(net_read(plain, name, b, room, &port, &error) == BURST_OK, "%s", error.text);
    double worst = worst_of(a, b, port.n_element * n);
    CHECK_SAY(worst <= tolerance, "%s differs by %g", name, worst);
    free(a);
    free(b);
}

/* Run both backends on the same random input; compare the outputs and all tensors named. Returns the cpu network. */
static struct net *compare_made(struct maker *m, int batch, const char *const *keep, int n_keep)
{
    uint8_t *bytes;
    size_t n_byte;
    maker_finish(m, &bytes, &n_byte);
    struct net *cpu = open_made(bytes, n_byte, NET_BACKEND_CPU, batch, keep, n_keep);
    struct net *plain = open_made(bytes, n_byte, NET_BACKEND_PLAIN, batch, keep, n_keep);
    free(bytes);
    if (!cpu || !plain) {
        net_close(plain);
        return cpu;
    }
    struct burst_error error = {0};
    int64_t in = net_input(cpu, 0)->n_element * batch, out = net_output(cpu, 0)->n_element * batch;
    float *x = malloc((size_t)in * sizeof *x), *a = malloc((size_t)out * sizeof *a),
          *b = malloc((size_t)out * sizeof *b);
    for (int round = 0; round < 2; round++) { /* twice: nothing of the first run may shine through */
        for (int64_t i = 0; i < in; i++)
            x[i] = 2 * maker_random(m);
        CHECK_SAY(net_run(cpu, x, batch, a, &error) == BURST_OK, "%s", error.text);
        CHECK_SAY(net_run(plain, x, batch, b, &error) == BURST_OK, "%s", error.text);
        double worst = worst_of(a, b, out);
        CHECK_SAY(worst <= tolerance, "output differs by %g", worst);
        for (int i = 0; i < n_keep; i++)
            compare_read(cpu, plain, keep[i], batch);
    }
    free(x);
    free(a);
    free(b);
    net_close(plain);
    return cpu;
}

static void compare(struct maker *m, int batch, const char *const *keep, int n_keep)
{
    net_close(compare_made(m, batch, keep, n_keep));
}

/* Every operation is a fast implementation, and only the operators named run as in backend_plain. */
static void check_implementations(const struct net *net, bool plain_allowed)
{
    const char *name;
    int step, n = 0;
    for (; net_operation(net, n, &step, &name); n++) {
        struct net_step s;
        net_step(net, step, &s);
        CHECK_SAY(strncmp(name, "ref", 3) != 0 && !strstr(name, ":ref"), "%s (%s) is %s", s.name, s.op, name);
        CHECK_SAY(plain_allowed || strcmp(name, "plain") != 0, "%s (%s) is %s", s.name, s.op, name);
    }
    CHECK(n >= net_n_step(net) - 16); /* concatenations in place are no operation */
}

/* ---- the shipped architectures ---- */

TEST(the_light_curve_network_is_as_plain_and_has_no_reference_implementation)
{
    struct maker m = {.seed = 1};
    static const char *const KEEP[] = {"u0.c1.relu", "u0.x",   "u0.cat", "u1.s1.relu",
                                       "u2.out",     "u3.out", "pool",   "fc1.relu"};
    make_light_curve(&m);
    compare(&m, 2, KEEP, 8);
    make_light_curve(&m);
    struct net *net = compare_made(&m, 1, NULL, 0);
    if (!net) return;
    check_implementations(net, false);
    /* science.md A.10: 399 M */
    CHECK_INT(net_macs(net), 399345792);
    net_close(net);
}

TEST(the_image_network_is_as_plain_and_has_no_reference_implementation)
{
    struct maker m = {.seed = 2};
    static const char *const KEEP[] = {"c1.relu", "p1", "p2", "flat", "fc1"};
    make_image(&m);
    compare(&m, 3, KEEP, 5);
    make_image(&m);
    struct net *net = compare_made(&m, 1, NULL, 0);
    if (!net) return;
    check_implementations(net, false);
    CHECK_INT(net_n_parameter(net), 1624993);
    net_close(net);
}

TEST(resnet50_is_as_plain_on_small_images)
{
    struct maker m = {.seed = 3};
    static const char *const KEEP[] = {"p1", "b0", "b2.sum", "b15"};
    make_resnet50(&m, "N 3 64 64");
    compare(&m, 1, KEEP, 4);
}

TEST(resnet50_has_no_reference_implementation)
{
    struct maker m = {.seed = 4};
    uint8_t *bytes;
    size_t n;
    make_resnet50(&m, "N 3 224 224");
    maker_finish(&m, &bytes, &n);
    struct net *net = open_made(bytes, n, NET_BACKEND_CPU, 1, NULL, 0);
    free(bytes);
    if (!net) return;
    check_implementations(net, false);
    CHECK_INT(net_n_parameter(net), 25557032 - 53120 + 26560); /* torchvision's count; batch norms folded to biases */
    net_close(net);
}

/* ---- shared storage ---- */

TEST(a_residual_that_is_read_later_is_not_overwritten)
{
    struct maker m = {.seed = 5};
    maker_input(&m, "in", "N 16 40");
    maker_conv_relu(&m, "in", "a", 16, 32, "3", "pads=1,1");
    maker_conv_relu(&m, "a.relu", "b", 32, 32, "3", "pads=1,1");
    maker_node(&m, "Add", "b.relu a.relu", "sum", "");
    (void)maker_conv(&m, "sum", "c", 32, 32, "3", "pads=1,1");
    maker_node(&m, "Add", "c a.relu", "sum2", "");
    (void)maker_conv(&m, "sum2", "d", 32, 32, "1", "");
    maker_node(&m, "Add", "d sum", "sum3", "");
    (void)maker_conv(&m, "a.relu", "e", 32, 32, "1", "");
    maker_node(&m, "Add", "e sum3", "out", "");
    maker_output(&m, "out", "N 32 40");
    compare(&m, 2, NULL, 0);
}

TEST(a_residual_that_is_the_source_itself_is_not_overwritten)
{
    struct maker m = {.seed = 6};
    maker_input(&m, "in", "N 16 40");
    maker_conv_relu(&m, "in", "a", 16, 32, "3", "pads=1,1");
    (void)maker_conv(&m, "a.relu", "b", 32, 32, "3", "pads=1,1");
    maker_node(&m, "Add", "b a.relu", "sum", "");
    (void)maker_conv(&m, "sum", "c", 32, 8, "1", "");
    maker_output(&m, "c", "N 8 40");
    compare(&m, 1, NULL, 0);
}

TEST(a_residual_may_be_the_input_or_be_kept)
{
    struct maker m = {.seed = 7};
    static const char *const KEEP[] = {"a.relu", "b"};
    maker_input(&m, "in", "N 16 40");
    maker_conv_relu(&m, "in", "a", 16, 16, "3", "pads=1,1");
    (void)maker_conv(&m, "a.relu", "b", 16, 16, "3", "pads=1,1");
    maker_node(&m, "Add", "b in", "sum", "");
    (void)maker_conv(&m, "sum", "c", 16, 16, "1", "");
    maker_node(&m, "Add", "c a.relu", "out", "");
    maker_output(&m, "out", "N 16 40");
    compare(&m, 2, KEEP, 2);
}

TEST(parts_of_a_concatenation_may_repeat_be_inputs_or_be_kept)
{
    struct maker m = {.seed = 8};
    static const char *const KEEP[] = {"b.relu", "cat"};
    maker_input(&m, "in", "N 16 20");
    maker_conv_relu(&m, "in", "a", 16, 32, "3", "pads=1,1");
    maker_conv_relu(&m, "a.relu", "b", 32, 16, "3", "pads=1,1");
    maker_node(&m, "Concat", "a.relu b.relu in a.relu", "cat", "axis=1");
    (void)maker_conv(&m, "cat", "c", 96, 16, "1", "");
    maker_output(&m, "c", "N 16 20");
    compare(&m, 2, KEEP, 2);
}

/* The sum is written over the concatenation, of which one part is still to be read. */
TEST(a_concatenation_is_not_overwritten_while_a_part_is_needed)
{
    struct maker m = {.seed = 9};
    maker_input(&m, "in", "N 16 20");
    maker_conv_relu(&m, "in", "a", 16, 16, "3", "pads=1,1");
    maker_conv_relu(&m, "in", "b", 16, 16, "3", "pads=1,1");
    maker_node(&m, "Concat", "a.relu b.relu", "cat", "axis=1");
    (void)maker_conv(&m, "in", "c", 16, 32, "1", "");
    maker_node(&m, "Add", "c cat", "sum", "");
    maker_conv_relu(&m, "a.relu", "d", 16, 32, "3", "pads=1,1");
    maker_node(&m, "Concat", "sum d.relu", "cat2", "axis=1");
    (void)maker_conv(&m, "cat2", "e", 64, 8, "1", "");
    maker_output(&m, "e", "N 8 20");
    compare(&m, 2, NULL, 0);
}

TEST(concatenations_nest_and_join_along_any_axis)
{
    struct maker m = {.seed = 10};
    maker_input(&m, "in", "N 3 12 10");
    (void)maker_conv(&m, "in", "a", 3, 20, "3 3", "pads=1,1,1,1");
    (void)maker_conv(&m, "in", "b", 3, 12, "1 1", "");
    maker_node(&m, "Concat", "a b", "ab", "axis=1");
    (void)maker_conv(&m, "ab", "c", 32, 16, "1 1", "");
    maker_node(&m, "Concat", "ab c", "abc", "axis=1");
    maker_node(&m, "Concat", "abc abc", "tall", "axis=2");
    maker_node(&m, "Concat", "tall tall", "wide", "axis=3");
    (void)maker_conv(&m, "wide", "d", 48, 4, "3 3", "");
    maker_output(&m, "d", "N 4 22 18");
    compare(&m, 2, NULL, 0);
}

/* ---- operators in odd sizes ---- */

TEST(convolutions_of_any_kind_agree)
{
    static const struct {
        int in, out, group;
        const char *kernel, *attributes, *result;
    } CASES[] = {
        {5, 7, 1, "3 3", "pads=1,1,1,1", "N 7 13 11"},
        {20, 20, 1, "3 3", "strides=2,3 pads=0,1,2,1", "N 20 7 4"},
        {16, 16, 16, "3 3", "pads=1,1,1,1 group=16", "N 16 13 11"},
        {16, 32, 16, "3 3", "pads=1,1,1,1 group=16", "N 32 13 11"},
        {12, 8, 4, "3 1", "pads=1,0,1,0 group=4", "N 8 13 11"},
        {9, 16, 1, "3 3", "dilations=2,2 pads=2,2,2,2", "N 16 13 11"},
        {1, 1, 1, "13 11", "", "N 1 1 1"},
        {64, 33, 1, "1 1", "", "N 33 13 11"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct maker m = {.seed = 20 + i};
        char dims[32];
        (void)snprintf(dims, sizeof dims, "N %d 13 11", CASES[i].in);
        maker_input(&m, "in", dims);
        (void)maker_conv(&m, "in", "out", CASES[i].in / CASES[i].group, CASES[i].out, CASES[i].kernel,
                         CASES[i].attributes);
        maker_output(&m, "out", CASES[i].result);
        compare(&m, 2, NULL, 0);
    }
}

TEST(poolings_of_any_kind_agree)
{
    static const struct {
        const char *op, *attributes, *result;
    } CASES[] = {
        {"MaxPool", "kernel_shape=3,3 strides=2,2", "N 20 6 5"},
        {"MaxPool", "kernel_shape=3,3 strides=2,2 ceil_mode=1", "N 20 6 5"},
        {"MaxPool", "kernel_shape=2,2 strides=2,2 ceil_mode=1", "N 20 7 6"},
        {"MaxPool", "kernel_shape=3,2 pads=1,0,1,1 dilations=2,1", "N 20 11 11"},
        {"MaxPool", "kernel_shape=4,4 strides=3,3 pads=3,3,3,3", "N 20 6 5"},
        {"AveragePool", "kernel_shape=3,3 pads=1,1,1,1", "N 20 13 11"},
        {"AveragePool", "kernel_shape=3,3 pads=1,1,1,1 count_include_pad=1", "N 20 13 11"},
        {"AveragePool", "kernel_shape=2,2 strides=2,2 ceil_mode=1", "N 20 7 6"},
        {"AveragePool", "kernel_shape=2,2 strides=2,2 ceil_mode=1 count_include_pad=1", "N 20 7 6"},
        {"AveragePool", "kernel_shape=3,3 strides=2,2 pads=1,1,0,0 count_include_pad=1", "N 20 6 5"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int blocked = 0; blocked < 2; blocked++) { /* the source as given, and as a convolution leaves it */
            struct maker m = {.seed = 40 + i};
            maker_input(&m, "in", "N 20 13 11");
            (void)maker_conv(&m, "in", "c", 20, 20, "1 1", "");
            maker_node(&m, CASES[i].op, blocked ? "c" : "in", "out", CASES[i].attributes);
            maker_output(&m, "out", CASES[i].result);
            compare(&m, 2, NULL, 0);
        }
}

TEST(views_between_layers_agree)
{
    struct maker m = {.seed = 60};
    static const char *const KEEP[] = {"c", "view", "mean"};
    maker_input(&m, "in", "N 4 6 8");
    maker_conv_relu(&m, "in", "c", 4, 24, "3 3", "pads=1,1,1,1");
    maker_ints(&m, "shape", "0 12 96");
    maker_node(&m, "Reshape", "c.relu shape", "view", "");
    (void)maker_conv(&m, "view", "d", 12, 16, "3", "pads=1,1");
    maker_node(&m, "MaxPool", "view", "e", "kernel_shape=1,");
    maker_node(&m, "GlobalAveragePool", "d", "mean", "");
    maker_node(&m, "Flatten", "mean", "flat", "axis=1");
    maker_node(&m, "GlobalAveragePool", "e", "mean2", "");
    maker_node(&m, "Flatten", "mean2", "flat2", "axis=1");
    maker_node(&m, "Concat", "flat flat2", "both", "axis=1");
    maker_dense(&m, "both", "out", 28, 3);
    maker_output(&m, "out", "N 3");
    compare(&m, 3, KEEP, 3);
}

TEST(what_oneDNN_lacks_runs_as_in_plain)
{
    struct maker m = {.seed = 61};
    maker_input(&m, "in", "N 6 10");
    maker_conv_relu(&m, "in", "c", 6, 6, "3", "pads=1,1");
    maker_node(&m, "Transpose", "c.relu", "t", "perm=0,2,1");
    maker_node(&m, "Softmax", "t", "s", "axis=2");
    maker_node(&m, "Sigmoid", "s", "g", "");
    maker_node(&m, "Add", "g t", "sum", "");
    maker_node(&m, "Relu", "sum", "r", "");
    maker_node(&m, "Transpose", "r", "back", "perm=0,2,1");
    (void)maker_conv(&m, "back", "out", 6, 2, "1", "");
    maker_output(&m, "out", "N 2 10");
    struct net *net = compare_made(&m, 2, NULL, 0);
    if (net) check_implementations(net, true);
    net_close(net);
}

TEST(every_tensor_kept_is_every_tensor_right)
{
    struct maker m = {.seed = 62};
    make_image(&m);
    compare(&m, 2, NULL, -1);
    make_light_curve(&m);
    compare(&m, 1, NULL, -1);
}

/* ---- threads ---- */

int omp_get_max_threads(void);
void omp_set_num_threads(int n);

static int count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int n = 0;
    if (!tasks) return -1;
    while (readdir(tasks))
        n++;
    (void)closedir(tasks);
    return n - 2; /* without . and .. */
}

struct elsewhere {
    struct net *net;
    const float *x;
    int before, after;
    enum burst_err err;
};

/* A run in a thread that knows nothing of OpenMP yet, as in the daemon. */
static void *run_elsewhere(void *arg)
{
    struct elsewhere *e = arg;
    struct burst_error error;
    float y[4];
    e->before = count_threads();
    e->err = net_run(e->net, e->x, 2, y, &error);
    e->after = count_threads();
    return NULL;
}

TEST(a_run_uses_the_calling_thread_alone_and_leaves_openmp_as_it_was)
{
    int before = count_threads(), setting = omp_get_max_threads();
    if (before < 0) SKIP("no /proc/self/task here");
    omp_set_num_threads(5);
    struct maker m = {.seed = 70};
    make_light_curve(&m);
    uint8_t *bytes;
    size_t n;
    maker_finish(&m, &bytes, &n);
    struct net *net = open_made(bytes, n, NET_BACKEND_CPU, 2, NULL, 0);
    free(bytes);
    if (!net) return;
    float *x = calloc(2 * 9 * 1875, sizeof *x), y[4], map[2 * 128 * 118];
    struct burst_error error = {0};
    CHECK_INT(net_run(net, x, 2, y, &error), BURST_OK);
    CHECK_INT(net_read(net, "u3.out", map, sizeof map / sizeof map[0], NULL, &error), BURST_OK);
    CHECK_INT(count_threads(), before);
    CHECK_INT(omp_get_max_threads(), 5);
    omp_set_num_threads(setting);
    pthread_t thread;
    struct elsewhere e = {.net = net, .x = x};
    CHECK_INT(pthread_create(&thread, NULL, run_elsewhere, &e), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(e.err, BURST_OK);
    CHECK_INT(e.after, e.before);
    free(x);
    net_close(net);
}

/* ---- other processors ---- */

static const char *processor;

/* The same tests with oneDNN held to older instructions, where it chooses other layouts. */
TEST(the_same_holds_with_older_instructions)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (setenv("ONEDNN_MAX_CPU_ISA", processor, 1) == 0)
            (void)execl("/proc/self/exe", "test_cpu", processor, (char *)NULL);
        _exit(126);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK_SAY(WIFEXITED(status) && WEXITSTATUS(status) == 0, "with %s: %d cases failed", processor,
              WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    (void)argv;
    RUN(the_light_curve_network_is_as_plain_and_has_no_reference_implementation);
    RUN(the_image_network_is_as_plain_and_has_no_reference_implementation);
    RUN(resnet50_is_as_plain_on_small_images);
    RUN(resnet50_has_no_reference_implementation);
    RUN(a_residual_that_is_read_later_is_not_overwritten);
    RUN(a_residual_that_is_the_source_itself_is_not_overwritten);
    RUN(a_residual_may_be_the_input_or_be_kept);
    RUN(parts_of_a_concatenation_may_repeat_be_inputs_or_be_kept);
    RUN(a_concatenation_is_not_overwritten_while_a_part_is_needed);
    RUN(concatenations_nest_and_join_along_any_axis);
    RUN(convolutions_of_any_kind_agree);
    RUN(poolings_of_any_kind_agree);
    RUN(views_between_layers_agree);
    RUN(what_oneDNN_lacks_runs_as_in_plain);
    RUN(every_tensor_kept_is_every_tensor_right);
    RUN(a_run_uses_the_calling_thread_alone_and_leaves_openmp_as_it_was);
    for (int i = 0; argc == 1 && i < 2; i++) {
        processor = i == 0 ? "AVX2" : "SSE41";
        RUN(the_same_holds_with_older_instructions);
    }
    return check_report();
}
