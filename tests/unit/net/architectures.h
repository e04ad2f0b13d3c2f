/* The networks burstd ships and ResNet-50, batch norms folded, with random weights (onnx_maker.h). */
#ifndef BURST_TESTS_ARCHITECTURES_H
#define BURST_TESTS_ARCHITECTURES_H
#include "onnx_maker.h"

/* One unit of science.md A.10 with its batch norms folded: convolutions 7 (stride 2), 5, 3, shortcut, MSCFM. */
static inline void light_curve_unit(struct maker *m, int unit, int in, char ret_output[32])
{
    char from[40], n[8][40];
    static const char *const PART[8] = {"c1", "c2", "c3", "sc", "r", "s1", "s2", "s3"};
    (void)snprintf(from, sizeof from, "%s", ret_output);
    for (int i = 0; i < 8; i++)
        (void)snprintf(n[i], sizeof n[i], "u%d.%s", unit, PART[i]);
    char relu[8][48], sum[40], x[40], cat[40], f[40], last[40], text[256];
    for (int i = 0; i < 8; i++)
        (void)snprintf(relu[i], sizeof relu[i], "%.39s.relu", n[i]);
    (void)snprintf(sum, sizeof sum, "u%d.sum", unit);
    (void)snprintf(x, sizeof x, "u%d.x", unit);
    (void)snprintf(cat, sizeof cat, "u%d.cat", unit);
    (void)snprintf(f, sizeof f, "u%d.f", unit);
    (void)snprintf(last, sizeof last, "u%d.last", unit);
    maker_conv_relu(m, from, n[0], in, 128, "7", "strides=2, pads=3,3");
    maker_conv_relu(m, relu[0], n[1], 128, 128, "5", "pads=2,2");
    (void)maker_conv(m, relu[1], n[2], 128, 128, "3", "pads=1,1");
    (void)maker_conv(m, from, n[3], in, 128, "1", "strides=2,");
    (void)snprintf(text, sizeof text, "%s %s", n[2], n[3]);
    maker_node(m, "Add", text, sum, "");
    maker_node(m, "Relu", sum, x, "");
    maker_conv_relu(m, x, n[4], 128, 32, "1", "");
    maker_conv_relu(m, relu[4], n[5], 32, 32, "3", "pads=1,1");
    maker_conv_relu(m, relu[5], n[6], 32, 32, "3", "pads=1,1");
    maker_conv_relu(m, relu[6], n[7], 32, 32, "3", "pads=1,1");
    (void)snprintf(text, sizeof text, "%s %s %s %s", relu[4], relu[5], relu[6], relu[7]);
    maker_node(m, "Concat", text, cat, "axis=1");
    (void)maker_conv(m, cat, f, 128, 128, "1", "");
    (void)snprintf(text, sizeof text, "%s %s", x, f);
    maker_node(m, "Add", text, last, "");
    (void)snprintf(ret_output, 32, "u%d.out", unit);
    maker_node(m, "Relu", last, ret_output, "");
}

static inline void make_light_curve(struct maker *m)
{
    char at[32] = "light_curve";
    maker_input(m, at, "N 9 1875");
    for (int i = 0; i < 4; i++)
        light_curve_unit(m, i, i == 0 ? 9 : 128, at);
    maker_node(m, "GlobalAveragePool", at, "pool", "");
    maker_node(m, "Flatten", "pool", "flat", "axis=1");
    maker_dense(m, "flat", "fc1", 128, 64);
    maker_node(m, "Relu", "fc1", "fc1.relu", "");
    maker_dense(m, "fc1.relu", "logits", 64, 2);
    maker_output(m, "logits", "N 2");
}

/* science.md B.4, without the final sigmoid. */
static inline void make_image(struct maker *m)
{
    maker_input(m, "image", "N 2 56 56");
    maker_conv_relu(m, "image", "c1", 2, 32, "3 3", "pads=1,1,1,1");
    maker_node(m, "MaxPool", "c1.relu", "p1", "kernel_shape=2,2 strides=2,2");
    maker_conv_relu(m, "p1", "c2", 32, 64, "3 3", "pads=1,1,1,1");
    maker_node(m, "MaxPool", "c2.relu", "p2", "kernel_shape=2,2 strides=2,2");
    maker_node(m, "Flatten", "p2", "flat", "axis=1");
    maker_dense(m, "flat", "fc1", 12544, 128);
    maker_node(m, "Relu", "fc1", "fc1.relu", "");
    maker_dense(m, "fc1.relu", "logits", 128, 1);
    maker_output(m, "logits", "N 1");
}

static inline void bottleneck(struct maker *m, int block, int in, int width, int stride, char ret_output[32])
{
    char a[40], b[40], c[40], s[40], sum[40], relu[48], text[128], strides[64];
    (void)snprintf(a, sizeof a, "b%d.a", block);
    (void)snprintf(b, sizeof b, "b%d.b", block);
    (void)snprintf(c, sizeof c, "b%d.c", block);
    (void)snprintf(s, sizeof s, "b%d.s", block);
    (void)snprintf(sum, sizeof sum, "b%d.sum", block);
    (void)snprintf(strides, sizeof strides, "strides=%d,%d pads=1,1,1,1", stride, stride);
    maker_conv_relu(m, ret_output, a, in, width, "1 1", "");
    (void)snprintf(relu, sizeof relu, "%s.relu", a);
    maker_conv_relu(m, relu, b, width, width, "3 3", strides);
    (void)snprintf(relu, sizeof relu, "%s.relu", b);
    (void)maker_conv(m, relu, c, width, 4 * width, "1 1", "");
    if (in != 4 * width) {
        strides[11] = 0; /* without the pads */
        (void)maker_conv(m, ret_output, s, in, 4 * width, "1 1", strides);
    }
    (void)snprintf(text, sizeof text, "%s %s", c, in != 4 * width ? s : ret_output);
    maker_node(m, "Add", text, sum, "");
    (void)snprintf(ret_output, 32, "b%d", block);
    maker_node(m, "Relu", sum, ret_output, "");
}

/* ResNet-50 (He et al. 2016, table 1), batch norms folded. */
static inline void make_resnet50(struct maker *m, const char *input_dims)
{
    static const int WIDTH[4] = {64, 128, 256, 512}, BLOCKS[4] = {3, 4, 6, 3};
    char at[32] = "p1";
    int in = 64, block = 0;
    maker_input(m, "data", input_dims);
    maker_conv_relu(m, "data", "c1", 3, 64, "7 7", "strides=2,2 pads=3,3,3,3");
    maker_node(m, "MaxPool", "c1.relu", "p1", "kernel_shape=3,3 strides=2,2 pads=1,1,1,1");
    for (int stage = 0; stage < 4; stage++)
        for (int i = 0; i < BLOCKS[stage]; i++) {
            bottleneck(m, block++, in, WIDTH[stage], stage > 0 && i == 0 ? 2 : 1, at);
            in = 4 * WIDTH[stage];
        }
    maker_node(m, "GlobalAveragePool", at, "pool", "");
    maker_node(m, "Flatten", "pool", "flat", "axis=1");
    maker_dense(m, "flat", "logits", 2048, 1000);
    maker_output(m, "logits", "N 1000");
}
#endif
