/* Networks on the backend `cuda`, against `plain`: the shipped architectures fused and layer by layer in every precision, all
 * sizes of batch, and the operators between. */
#include "parity.h"

/* ---- the shipped architectures ---- */

static void light_curve_fused(enum cuda_precision precision)
{
    struct maker m = {.seed = 1};
    struct setup s = {.precision = precision, .batch = 2};
    make_light_curve(&m);
    struct pair p = pair_check(&s, &m);
    if (p.cuda) {
        CHECK_INT(operations(p.cuda, "burst:mscfm"), 4);
        CHECK_INT(operations(p.cuda, "cudnn:engine"), 16);
        CHECK_INT(operations(p.cuda, "burst:head"), 1);
        CHECK_INT(operations(p.cuda, "burst:pack"), 1);
        CHECK_INT(operations(p.cuda, NULL), 22);
    }
    pair_close(&p);
}

TEST(the_light_curve_network_is_as_plain_in_fp32)
{
    light_curve_fused(CUDA_FP32);
}

TEST(the_light_curve_network_is_as_plain_in_tf32)
{
    light_curve_fused(CUDA_TF32);
}

TEST(the_light_curve_network_is_as_plain_in_bf16)
{
    light_curve_fused(CUDA_BF16);
}

/* What the fused kernel never writes is asked for, so it is not used. */
TEST(every_layer_of_the_light_curve_network_is_as_plain)
{
    static const char *const KEEP[] = {"u0.c1.relu", "u0.x",   "u0.cat", "u1.s1.relu",
                                       "u2.out",     "u3.out", "pool",   "fc1.relu"};
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        struct maker m = {.seed = 1};
        struct setup s = {.precision = (enum cuda_precision)precision, .engine_most = 1, .keep = KEEP, .n_keep = 8};
        make_light_curve(&m);
        struct pair p = pair_check(&s, &m);
        if (p.cuda) CHECK_INT(operations(p.cuda, "burst:mscfm"), 2); /* units 2 and 3 */
        pair_close(&p);
    }
}

TEST(the_image_network_is_as_plain)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        struct maker m = {.seed = 2};
        struct setup s = {.precision = (enum cuda_precision)precision, .batch = 3};
        make_image(&m);
        struct pair p = pair_check(&s, &m);
        if (p.cuda) {
            CHECK_INT(operations(p.cuda, "burst:unpack"), 0); /* the dense layer reads the map as it lies */
            CHECK_INT(operations(p.cuda, "burst:dense"), 2);
        }
        pair_close(&p);
    }
}

TEST(every_tensor_of_the_image_network_is_as_plain)
{
    static const char *const ALL[] = {"c1", "c1.relu", "p1", "c2", "c2.relu", "p2", "flat", "fc1", "fc1.relu"};
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        struct maker m = {.seed = 2};
        struct setup s = {.precision = (enum cuda_precision)precision, .batch = 2, .n_keep = -1};
        make_image(&m);
        struct pair p = pair_check(&s, &m);
        for (size_t i = 0; p.cuda && i < sizeof ALL / sizeof ALL[0]; i++)
            pair_compare(&p, ALL[i], 2);
        pair_close(&p);
    }
}

static void check_shipped(const char *model, int precision)
{
    char path[512];
    struct burst_error error = {0};
    struct setup s = {.precision = (enum cuda_precision)precision, .engine_most = 1};
    struct cuda_engine *engine = engine_open(&s);
    struct net_settings settings = {.with = &net_backend_cuda, .engine = engine, .batch_most = 2};
    struct net *net = NULL;
    int n_set;
    double worst = -1;
    (void)snprintf(path, sizeof path, BURST_SOURCE_DIR "/models/%s/1", model);
    CHECK_SAY(net_open(path, &settings, &net, &error) == BURST_OK, "%s", error.text);
    if (net)
        CHECK_SAY(net_check(net, path, TOLERANCE[precision], &n_set, &worst, &error) == BURST_OK, "%s: %s",
                  cuda_precision_name(s.precision), error.text);
    if (net) CHECK_STR(net_backend_name(net), "cuda");
    net_close(net);
    cuda_close(engine);
}

TEST(the_shipped_light_curve_network_gives_its_golden_answers)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++)
        check_shipped("gecam-resnet-mscfm", precision);
}

TEST(the_shipped_image_network_gives_its_golden_answers)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++)
        check_shipped("eclairs-cnn", precision);
}

/* ---- batches ---- */

/* A unit of the light-curve network, small: 64 channels, which have an MSCFM kernel. */
static void make_small(struct maker *m)
{
    maker_input(m, "in", "N 9 33");
    maker_conv_relu(m, "in", "c1", 9, 64, "7", "strides=2, pads=3,3");
    (void)maker_conv(m, "c1.relu", "c2", 64, 64, "3", "pads=1,1");
    (void)maker_conv(m, "in", "sc", 9, 64, "1", "strides=2,");
    maker_node(m, "Add", "c2 sc", "sum", "");
    maker_node(m, "Relu", "sum", "x", "");
    maker_conv_relu(m, "x", "r", 64, 16, "1", "");
    maker_conv_relu(m, "r.relu", "s1", 16, 16, "3", "pads=1,1");
    maker_conv_relu(m, "s1.relu", "s2", 16, 16, "3", "pads=1,1");
    maker_conv_relu(m, "s2.relu", "s3", 16, 16, "3", "pads=1,1");
    maker_node(m, "Concat", "r.relu s1.relu s2.relu s3.relu", "cat", "axis=1");
    (void)maker_conv(m, "cat", "f", 64, 64, "1", "");
    maker_node(m, "Add", "x f", "last", "");
    maker_node(m, "Relu", "last", "out", "");
    maker_node(m, "GlobalAveragePool", "out", "pool", "");
    maker_node(m, "Flatten", "pool", "flat", "axis=1");
    maker_dense(m, "flat", "logits", 64, 2);
    maker_output(m, "logits", "N 2");
}

TEST(every_number_of_samples_up_to_the_batch_is_as_plain)
{
    static const int N[] = {256, 1, 2, 7, 25, 33, 64, 65, 255};
    struct maker m = {.seed = 3};
    struct setup s = {.precision = CUDA_FP32, .batch = 256};
    make_small(&m);
    struct pair p = pair_open(&s, &m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    for (size_t i = 0; p.cuda && i < sizeof N / sizeof N[0]; i++)
        (void)pair_run(&p, N[i], 10 + i); /* it has checked */
    pair_close(&p);
}

TEST(a_batch_between_the_usual_sizes_has_its_own)
{
    struct maker m = {.seed = 4};
    struct setup s = {.precision = CUDA_BF16, .batch = 7};
    make_small(&m);
    struct pair p = pair_open(&s, &m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    struct burst_error error = {0};
    float x[1] = {0}, y[1];
    if (p.cuda) {
        for (int n = 7; n > 0; n--)
            (void)pair_run(&p, n, 20 + (uint64_t)n); /* it has checked */
        CHECK_REFUSED(net_run(p.cuda, x, 8, y, &error), BURST_E_SHAPE, error, "1 to 7");
    }
    pair_close(&p);
}

/* A row's answer must not depend on what the other rows are, nor on how many. */
TEST(an_answer_is_the_same_bits_whoever_stands_beside_it)
{
    struct maker m = {.seed = 5};
    struct setup s = {.precision = CUDA_BF16, .batch = 4, .engine_most = 1};
    make_small(&m);
    struct pair p = pair_open(&s, &m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    float x[4 * 9 * 33], y[8], z[8];
    struct burst_error error = {0};
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        x[i] = maker_random(&m);
    if (p.cuda) {
        CHECK_INT(net_run(p.cuda, x, 4, y, &error), BURST_OK);
        CHECK_INT(net_run(p.cuda, x, 3, z, &error), BURST_OK);
        CHECK(memcmp(y, z, 3 * 2 * sizeof *y) == 0);
        for (size_t i = 0; i < 3 * 9 * 33; i++)
            x[i] = NAN;
        CHECK_INT(net_run(p.cuda, x, 4, z, &error), BURST_OK);
        CHECK(memcmp(y + 6, z + 6, 2 * sizeof *y) == 0);
        CHECK(isnan(z[0]));
    }
    pair_close(&p);
}

/* ---- what lies between ---- */

TEST(a_residual_may_be_read_later_be_the_input_or_be_kept)
{
    struct maker m = {.seed = 6};
    static const char *const KEEP[] = {"a.relu", "b"};
    struct setup s = {.batch = 2, .keep = KEEP, .n_keep = 2};
    maker_input(&m, "in", "N 16 40");
    maker_conv_relu(&m, "in", "a", 16, 16, "3", "pads=1,1");
    (void)maker_conv(&m, "a.relu", "b", 16, 16, "3", "pads=1,1");
    maker_node(&m, "Add", "b in", "sum", "");
    (void)maker_conv(&m, "sum", "c", 16, 16, "1", "");
    maker_node(&m, "Add", "c a.relu", "sum2", "");
    (void)maker_conv(&m, "a.relu", "e", 16, 16, "1", "");
    maker_node(&m, "Add", "e sum2", "out", "");
    maker_output(&m, "out", "N 16 40");
    pair_check_close(&s, &m);
}

TEST(concatenations_join_along_any_axis)
{
    struct maker m = {.seed = 10};
    struct setup s = {.batch = 2};
    maker_input(&m, "in", "N 3 12 10");
    (void)maker_conv(&m, "in", "a", 3, 20, "3 3", "pads=1,1,1,1");
    (void)maker_conv(&m, "in", "b", 3, 12, "1 1", "");
    maker_node(&m, "Concat", "a b in", "ab", "axis=1");
    (void)maker_conv(&m, "ab", "c", 35, 13, "1 1", "");
    maker_node(&m, "Concat", "ab c", "abc", "axis=1");
    maker_node(&m, "Concat", "abc abc", "tall", "axis=2");
    maker_node(&m, "Concat", "tall tall", "wide", "axis=3");
    (void)maker_conv(&m, "wide", "d", 48, 4, "3 3", "");
    maker_output(&m, "d", "N 4 22 18");
    pair_check_close(&s, &m);
}

TEST(convolutions_of_any_window_agree)
{
    static const struct {
        int in, out;
        const char *kernel, *attributes, *result;
    } CASES[] = {
        {5, 7, "3 3", "pads=1,1,1,1", "N 7 13 11"},
        {20, 20, "3 3", "strides=2,3 pads=0,1,2,1", "N 20 7 4"},
        {9, 16, "3 3", "dilations=2,2 pads=2,2,2,2", "N 16 13 11"},
        {1, 1, "13 11", "", "N 1 1 1"},
        {64, 33, "1 1", "", "N 33 13 11"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
            struct maker m = {.seed = 20 + i};
            struct setup s = {.precision = (enum cuda_precision)precision, .batch = 2};
            char dims[32];
            (void)snprintf(dims, sizeof dims, "N %d 13 11", CASES[i].in);
            maker_input(&m, "in", dims);
            (void)maker_conv(&m, "in", "out", CASES[i].in, CASES[i].out, CASES[i].kernel, CASES[i].attributes);
            maker_output(&m, "out", CASES[i].result);
            pair_check_close(&s, &m);
        }
}

TEST(poolings_of_any_kind_agree)
{
    static const struct {
        const char *op, *attributes, *result;
    } CASES[] = {
        {"MaxPool", "kernel_shape=3,3 strides=2,2 ceil_mode=1", "N 20 6 5"},
        {"MaxPool", "kernel_shape=3,2 pads=1,0,1,1 dilations=2,1", "N 20 11 11"},
        {"AveragePool", "kernel_shape=3,3 pads=1,1,1,1", "N 20 13 11"},
        {"AveragePool", "kernel_shape=2,2 strides=2,2 ceil_mode=1 count_include_pad=1", "N 20 7 6"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int precision = 0; precision < CUDA_PRECISION_N; precision += CUDA_BF16) {
            struct maker m = {.seed = 40 + i};
            struct setup s = {.precision = (enum cuda_precision)precision, .batch = 2};
            maker_input(&m, "in", "N 20 13 11");
            (void)maker_conv(&m, "in", "c", 20, 20, "1 1", "");
            maker_node(&m, CASES[i].op, "c", "out", CASES[i].attributes);
            maker_output(&m, "out", CASES[i].result);
            pair_check_close(&s, &m);
        }
}

TEST(views_between_layers_agree)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision += CUDA_BF16) {
        struct maker m = {.seed = 60};
        static const char *const KEEP[] = {"c", "view", "mean"};
        struct setup s = {.precision = (enum cuda_precision)precision, .batch = 3, .keep = KEEP, .n_keep = 3};
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
        pair_check_close(&s, &m);
    }
}

TEST(relu_sigmoid_add_and_softmax_agree_on_maps_and_on_rows)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision += CUDA_BF16) {
        struct maker m = {.seed = 61};
        static const char *const KEEP[] = {"g", "sum", "soft"};
        struct setup s = {.precision = (enum cuda_precision)precision, .batch = 3, .keep = KEEP, .n_keep = 3};
        maker_input(&m, "in", "N 6 10");
        (void)maker_conv(&m, "in", "c", 6, 6, "3", "pads=1,1");
        maker_node(&m, "Sigmoid", "c", "g", "");
        maker_node(&m, "Relu", "c", "r", "");
        maker_node(&m, "Add", "g r", "sum", "");
        maker_node(&m, "Relu", "sum", "sum.relu", "");
        maker_node(&m, "Flatten", "sum.relu", "flat", "axis=1");
        maker_node(&m, "Sigmoid", "flat", "h", "");
        maker_node(&m, "Softmax", "h", "soft", "axis=1");
        maker_dense(&m, "soft", "d", 60, 5);
        maker_node(&m, "Relu", "d", "d.relu", "");
        maker_dense(&m, "d.relu", "e", 5, 5);
        maker_node(&m, "Add", "e d.relu", "last", "");
        maker_node(&m, "Softmax", "last", "out", "axis=1");
        maker_output(&m, "out", "N 5");
        pair_check_close(&s, &m);
    }
}

/* ResNet-50's block (He et al. 2016), with and without a convolution beside it. */
TEST(bottlenecks_agree)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        struct maker m = {.seed = 62};
        struct setup s = {.precision = (enum cuda_precision)precision, .batch = 2};
        char at[32] = "p1";
        maker_input(&m, "data", "N 3 32 32");
        maker_conv_relu(&m, "data", "c1", 3, 16, "7 7", "strides=2,2 pads=3,3,3,3");
        maker_node(&m, "MaxPool", "c1.relu", "p1", "kernel_shape=3,3 strides=2,2 pads=1,1,1,1");
        bottleneck(&m, 0, 16, 8, 1, at);
        bottleneck(&m, 1, 32, 8, 1, at);
        bottleneck(&m, 2, 32, 16, 2, at);
        maker_node(&m, "GlobalAveragePool", at, "pool", "");
        maker_node(&m, "Flatten", "pool", "flat", "axis=1");
        maker_dense(&m, "flat", "logits", 64, 10);
        maker_output(&m, "logits", "N 10");
        pair_check_close(&s, &m);
    }
}

/* ---- refusals ---- */

TEST(what_has_no_kernel_is_named)
{
    struct maker m = {.seed = 70};
    struct setup s = {.batch = 2};
    maker_input(&m, "in", "N 6 10");
    maker_node(&m, "Transpose", "in", "turned", "perm=0,2,1");
    maker_output(&m, "turned", "N 10 6");
    struct pair p = pair_open(&s, &m);
    CHECK(p.cuda == NULL);
    CHECK_INT(p.error.code, BURST_E_UNSUPPORTED);
    CHECK_SAY(strstr(p.error.text, "'turned' (Transpose)"), "%s", p.error.text);
    pair_close(&p);
    maker_input(&m, "in", "N 8 10");
    (void)maker_conv(&m, "in", "grouped", 2, 8, "3", "group=4");
    maker_output(&m, "grouped", "N 8 8");
    p = pair_open(&s, &m);
    CHECK(p.cuda == NULL);
    CHECK_SAY(strstr(p.error.text, "'grouped' (Conv): groups"), "%s", p.error.text);
    pair_close(&p);
}

TEST(a_network_without_an_engine_opens_its_own)
{
    struct maker m = {.seed = 71};
    uint8_t *bytes;
    size_t n;
    make_small(&m);
    maker_finish(&m, &bytes, &n);
    struct burst_error error = {0};
    struct net_settings settings = {.with = &net_backend_cuda};
    struct net *net = NULL;
    CHECK_SAY(net_open_bytes(bytes, n, &settings, &net, &error) == BURST_OK, "%s", error.text);
    free(bytes);
    if (net) CHECK(net_code(net) != NULL);
    net_close(net);
}

int main(void)
{
    if (no_device("cuda_net")) return 0;
    RUN(every_number_of_samples_up_to_the_batch_is_as_plain);
    RUN(a_batch_between_the_usual_sizes_has_its_own);
    RUN(an_answer_is_the_same_bits_whoever_stands_beside_it);
    RUN(a_residual_may_be_read_later_be_the_input_or_be_kept);
    RUN(concatenations_join_along_any_axis);
    RUN(convolutions_of_any_window_agree);
    RUN(poolings_of_any_kind_agree);
    RUN(views_between_layers_agree);
    RUN(relu_sigmoid_add_and_softmax_agree_on_maps_and_on_rows);
    RUN(bottlenecks_agree);
    RUN(what_has_no_kernel_is_named);
    RUN(a_network_without_an_engine_opens_its_own);
    if (!CHECK_SANITIZED) {
        RUN(the_image_network_is_as_plain);
        RUN(every_tensor_of_the_image_network_is_as_plain);
        RUN(the_light_curve_network_is_as_plain_in_fp32);
        RUN(the_light_curve_network_is_as_plain_in_tf32);
        RUN(the_light_curve_network_is_as_plain_in_bf16);
        RUN(every_layer_of_the_light_curve_network_is_as_plain);
        RUN(the_shipped_light_curve_network_gives_its_golden_answers);
        RUN(the_shipped_image_network_gives_its_golden_answers);
    }
    return check_report();
}
