/* The front door: opening, running, reading, what a network says of itself. Its numbers are test_golden.c's. */
#include "base/bytes.h"
#include "base/hash.h"
#include "check.h"
#include "net/net.h"
#include "packed.h"
#include <unistd.h>

#define GOLDEN   BURST_SOURCE_DIR "/tests/golden/net/"
#define DIM(...) ((const int64_t[]){__VA_ARGS__, 0})

static struct burst_error error;

static struct net *open_golden(const char *name, const struct net_settings *settings)
{
    char path[1200];
    struct net *net = NULL;
    (void)snprintf(path, sizeof path, GOLDEN "%s", name);
    CHECK_SAY(net_open(path, settings, &net, &error) == BURST_OK, "%s", error.text);
    return net;
}

TEST(a_network_tells_what_it_is)
{
    struct net *net = open_golden("light_curve", NULL);
    if (!net) return;
    CHECK(net_n_input(net) == 1 && net_n_output(net) == 1 && net_batch(net) == 1);
    const struct net_port *in = net_input(net, 0), *out = net_output(net, 0);
    CHECK_STR(in->name, "light_curve");
    CHECK(in->batched && in->dims.rank == 3 && in->dims.dim[1] == 9 && in->dims.dim[2] == 75 && in->n_element == 675);
    CHECK_STR(out->name, "logits");
    CHECK(out->batched && out->n_element == 2);
    CHECK_STR(net_meta(net, "burst.kind"), "\"light_curve\"");
    CHECK_STR(net_meta(net, "burst.bin_s"), "0.064");
    CHECK(net_meta(net, "burst.nothing") == NULL);
    CHECK(strncmp(net_producer(net), "pytorch 1.13", 12) == 0);
    CHECK_INT(net_opset(net), 13);
    CHECK(net_memory(net) > 0);
    net_close(net);
}

TEST(the_digest_is_that_of_the_file)
{
    uint8_t *bytes, digest[32];
    size_t n;
    char hex[65];
    struct net *net = open_golden("image/model.onnx", NULL); /* by its file instead of its folder */
    CHECK_INT(bytes_read_file(GOLDEN "image/model.onnx", 1 << 20, &bytes, &n, &error), BURST_OK);
    struct hash_piece piece = {bytes, n};
    hash_sha256(&piece, 1, digest);
    bytes_hex(digest, 32, hex);
    CHECK_STR(net_sha256(net), hex);
    free(bytes);
    net_close(net);
}

TEST(parameters_and_multiplications_are_counted)
{
    struct net *net = open_golden("image", NULL);
    if (!net) return;
    /* 2 -> 4 -> 6 channels of 3 x 3 on 12 and 6 pixels, 54 -> 8 -> 1: with biases, as torch counts them. */
    CHECK_INT(net_n_parameter(net), (2 * 9 + 1) * 4 + (4 * 9 + 1) * 6 + 55 * 8 + 9);
    CHECK_INT(net_macs(net), 144 * 4 * 18 + 36 * 6 * 36 + 54 * 8 + 8);
    int64_t parameters = 0, macs = 0;
    struct net_step step;
    CHECK_INT(net_n_step(net), 6); /* conv, pool, conv, pool, dense, dense */
    for (int i = 0; i < net_n_step(net); i++) {
        net_step(net, i, &step);
        parameters += step.n_parameter;
        macs += step.macs;
    }
    CHECK_INT(parameters, net_n_parameter(net));
    CHECK_INT(macs, net_macs(net));
    net_step(net, 0, &step);
    CHECK_STR(step.op, "Conv+Relu");
    CHECK(step.batched && step.dims.rank == 4 && step.dims.dim[1] == 4);
    net_close(net);
}

TEST(runs_of_a_wrong_size_are_refused)
{
    static float x[3 * 675], y[2] = {7, 7};
    struct net_settings settings = {.batch_most = 2};
    struct net *net = open_golden("light_curve", &settings);
    if (!net) return;
    CHECK_INT(net_batch(net), 2);
    CHECK_REFUSED(net_run(net, x, 3, y, &error), BURST_E_SHAPE, error, "3 samples; this network takes 1 to 2");
    CHECK_REFUSED(net_run(net, x, 0, y, &error), BURST_E_SHAPE, error, "0 samples");
    CHECK(y[0] == 7.0F && y[1] == 7.0F);
    CHECK_INT(net_run(net, x, 1, y, NULL), BURST_OK);
    net_close(net);
}

TEST(reading_by_tensor_and_by_node)
{
    static float x[2 * 288], y[2], a[2 * 4 * 144], b[2 * 4 * 144];
    const char *keep[] = {"/0/Conv"};
    struct net_settings settings = {.batch_most = 2, .keep = keep, .n_keep = 1};
    struct net *net = open_golden("image", &settings);
    struct net_port port = {0};
    if (!net) return;
    for (int i = 0; i < 2 * 288; i++)
        x[i] = (float)(i % 17 - 8);
    size_t room = sizeof a / sizeof a[0];
    CHECK_REFUSED(net_read(net, "/0/Conv", a, room, &port, &error), BURST_E_STATE, error, "before anything was run");
    CHECK_INT(net_run(net, x, 2, y, &error), BURST_OK);
    CHECK_SAY(net_read(net, "/0/Conv", a, room, &port, &error) == BURST_OK, "%s", error.text);
    CHECK(port.dims.rank == 4 && port.n_element == 4 * 144 && port.batched);
    CHECK_INT(net_read(net, port.name, b, room, NULL, &error), BURST_OK);
    CHECK(memcmp(a, b, sizeof a) == 0);
    bool negative = false;
    for (size_t i = 0; i < room; i++)
        negative = negative || a[i] < 0;
    CHECK(negative); /* it was kept before its ReLU */
    float logits[2];
    CHECK_INT(net_read(net, "logits", logits, 2, NULL, &error), BURST_OK);
    CHECK(memcmp(logits, y, sizeof y) == 0);
    CHECK_REFUSED(net_read(net, "logits", logits, 1, &port, &error), BURST_E_SHAPE, error, "room for 1");
    CHECK_REFUSED(net_read(net, "/3/Conv", a, room, &port, &error), BURST_E_MISSING, error, "was not kept");
    CHECK_REFUSED(net_read(net, "nothing", a, room, &port, &error), BURST_E_MISSING, error, "no tensor or node");
    CHECK_INT(port.n_element, 4 * 144);
    net_close(net);
}

TEST(an_unknown_name_to_keep_is_refused)
{
    const char *keep[] = {"layer9"};
    struct net_settings settings = {.keep = keep, .n_keep = 1};
    struct net *net = NULL;
    CHECK_REFUSED(net_open(GOLDEN "image", &settings, &net, &error), BURST_E_MISSING, error,
                  "no tensor or node is called 'layer9'");
    CHECK(net == NULL);
}

TEST(too_little_memory_is_refused)
{
    struct net_settings settings = {.memory_most = 20000};
    struct net *net = NULL;
    CHECK_REFUSED(net_open(GOLDEN "light_curve", &settings, &net, &error), BURST_E_LIMIT, error, "20000 bytes allowed");
    settings.memory_most = 1 << 20;
    settings.batch_most = 1 << 20;
    CHECK_REFUSED(net_open(GOLDEN "light_curve", &settings, &net, &error), BURST_E_LIMIT, error,
                  "of results; 1048576 are allowed");
    settings.batch_most = -1;
    CHECK_REFUSED(net_open(GOLDEN "light_curve", &settings, &net, &error), BURST_E_RANGE, error, "a batch of -1");
    CHECK(net == NULL);
}

TEST(files_that_cannot_be_read_are_named)
{
    struct net *net = NULL;
    char path[5000];
    CHECK_REFUSED(net_open("/nowhere/model.onnx", NULL, &net, &error), BURST_E_IO, error, "/nowhere/model.onnx");
    CHECK_REFUSED(net_open(GOLDEN, NULL, &net, &error), BURST_E_IO, error, "/model.onnx"); /* a folder without one */
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = 0;
    CHECK_REFUSED(net_open(path, NULL, &net, &error), BURST_E_LIMIT, error, "characters");
    CHECK(net == NULL);
}

TEST(a_file_over_the_cap_is_refused_unread)
{
    char path[] = "/tmp/burst-net-XXXXXX";
    struct net *net = NULL;
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)NET_FILE_MOST + 1) == 0); /* sparse: takes no disk */
    CHECK_REFUSED(net_open(path, NULL, &net, &error), BURST_E_LIMIT, error, path);
    CHECK_REFUSED(net_open_bytes((const uint8_t *)"", (size_t)NET_FILE_MOST + 1, NULL, &net, &error), BURST_E_LIMIT,
                  error, "268435456");
    (void)close(fd);
    (void)unlink(path);
}

TEST(a_backend_that_is_not_there_is_refused)
{
    struct net_settings settings = {.backend = NET_BACKEND_N};
    struct net *net = NULL;
    CHECK_REFUSED(net_open(GOLDEN "image", &settings, &net, &error), BURST_E_UNSUPPORTED, error, "not built into");
    settings.backend = NET_BACKEND_PLAIN;
    net = open_golden("image", &settings);
    CHECK_STR(net_backend_name(net), "plain");
    net_close(net);
    net_close(NULL);
}

TEST(several_inputs_and_outputs_go_in_file_order)
{
    static struct packed p;
    size_t n;
    packed_init(&p, 13);
    packed_input(&p, "a", DIM(-1, 2));
    packed_input(&p, "b", DIM(-1, 2));
    packed_node(&p, "Add", "sum", "a", "b", NULL, "s");
    packed_node(&p, "Relu", "cut", "s", NULL, NULL, "r");
    packed_output(&p, "r", DIM(-1, 2));
    packed_output(&p, "s", DIM(-1, 2));
    uint8_t *bytes = packed_bytes(&p, &n);
    struct net_settings settings = {.batch_most = 2};
    struct net *net = NULL;
    CHECK_SAY(net_open_bytes(bytes, n, &settings, &net, &error) == BURST_OK, "%s", error.text);
    free(bytes);
    if (!net) return;
    const float a[] = {1, -2, 3, -4}, b[] = {10, -20, -30, 40};
    float r[4], s[4];
    CHECK_INT(net_run_ports(net, (const float *const[]){a, b}, 2, (float *const[]){r, s}, &error), BURST_OK);
    const float want_r[] = {11, 0, 0, 36}, want_s[] = {11, -22, -27, 36};
    CHECK(memcmp(r, want_r, sizeof r) == 0 && memcmp(s, want_s, sizeof s) == 0);
    CHECK_REFUSED(net_run(net, a, 2, r, &error), BURST_E_SHAPE, error, "2 inputs and 2 outputs");
    struct net_head head;
    CHECK_REFUSED(net_head(net, &head, &error), BURST_E_UNSUPPORTED, error, "2 outputs");
    net_close(net);
}

int main(void)
{
    RUN(a_network_tells_what_it_is);
    RUN(the_digest_is_that_of_the_file);
    RUN(parameters_and_multiplications_are_counted);
    RUN(runs_of_a_wrong_size_are_refused);
    RUN(reading_by_tensor_and_by_node);
    RUN(an_unknown_name_to_keep_is_refused);
    RUN(too_little_memory_is_refused);
    RUN(files_that_cannot_be_read_are_named);
    RUN(a_file_over_the_cap_is_refused_unread);
    RUN(a_backend_that_is_not_there_is_refused);
    RUN(several_inputs_and_outputs_go_in_file_order);
    return check_report();
}
