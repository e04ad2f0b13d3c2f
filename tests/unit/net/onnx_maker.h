/* Networks for tests, written as ONNX bytes by hand: weights are seeded random numbers, so that a network of any size costs a
 * few lines and no file. Field numbers are those of onnx.proto. A maker that runs out of memory ends the program. */
#ifndef BURST_TESTS_ONNX_MAKER_H
#define BURST_TESTS_ONNX_MAKER_H
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wire {
    uint8_t *bytes;
    size_t n, room;
};

struct maker {
    struct wire graph;
    uint64_t seed;
};

static void wire_put(struct wire *w, const void *bytes, size_t n)
{
    if (w->n + n > w->room) {
        w->room = (w->n + n) * 2;
        w->bytes = realloc(w->bytes, w->room);
        if (!w->bytes) abort();
    }
    memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static void wire_varint(struct wire *w, uint64_t x)
{
    for (; x > 127; x >>= 7)
        wire_put(w, &(uint8_t){(uint8_t)(x | 128)}, 1);
    wire_put(w, &(uint8_t){(uint8_t)x}, 1);
}

static void wire_int(struct wire *w, unsigned field, int64_t x)
{
    wire_varint(w, field << 3);
    wire_varint(w, (uint64_t)x);
}

static void wire_bytes(struct wire *w, unsigned field, const void *bytes, size_t n)
{
    wire_varint(w, field << 3 | 2);
    wire_varint(w, n);
    wire_put(w, bytes, n);
}

static void wire_text(struct wire *w, unsigned field, const char *text)
{
    wire_bytes(w, field, text, strlen(text));
}

/* A message inside a message; empties the inner one. */
static void wire_message(struct wire *w, unsigned field, struct wire *inner)
{
    wire_bytes(w, field, inner->bytes ? inner->bytes : (const uint8_t *)"", inner->n);
    free(inner->bytes);
    *inner = (struct wire){0};
}

/* Uniform in [-1, 1): the upper bits of a 64-bit linear congruence (Knuth's MMIX constants). */
static float maker_random(struct maker *m)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(int32_t)(m->seed >> 32) * 0x1p-31F;
}

/* An input (field 11) or output (field 12) of the graph; dim -1 is the free N. `dims` is "N 9 1875". */
static inline void maker_port(struct maker *m, unsigned field, const char *name, const char *dims)
{
    struct wire info = {0}, type = {0}, tensor = {0}, shape = {0}, dim = {0};
    wire_text(&info, 1, name);
    wire_int(&tensor, 1, 1); /* FLOAT */
    for (const char *p = dims; *p; p += strcspn(p, " "), p += *p == ' ') {
        if (*p == 'N')
            wire_text(&dim, 2, "N");
        else
            wire_int(&dim, 1, strtol(p, NULL, 10));
        wire_message(&shape, 1, &dim);
    }
    wire_message(&tensor, 2, &shape);
    wire_message(&type, 1, &tensor);
    wire_message(&info, 2, &type);
    wire_message(&m->graph, field, &info);
}

static inline void maker_input(struct maker *m, const char *name, const char *dims)
{
    maker_port(m, 11, name, dims);
}

static inline void maker_output(struct maker *m, const char *name, const char *dims)
{
    maker_port(m, 12, name, dims);
}

/* A weight of random numbers in [-scale, scale); scale 0: as wide as keeps the variance through a ReLU (He). */
static inline void maker_weight(struct maker *m, const char *name, const char *dims, double scale)
{
    struct wire t = {0};
    size_t n = 1, first = 0;
    for (const char *p = dims; *p; p += strcspn(p, " "), p += *p == ' ') {
        long dim = strtol(p, NULL, 10);
        if (!first) first = (size_t)dim;
        n *= (size_t)dim;
        wire_int(&t, 1, dim);
    }
    wire_int(&t, 2, 1); /* FLOAT */
    wire_text(&t, 8, name);
    if (scale == 0) scale = sqrt(6.0 / (double)(n / first));
    float *x = malloc(n * sizeof *x);
    if (!x) abort();
    for (size_t i = 0; i < n; i++)
        x[i] = (float)scale * maker_random(m);
    wire_bytes(&t, 9, x, n * sizeof *x);
    free(x);
    wire_message(&m->graph, 5, &t);
}

/* A constant of integers: "1 64 -1". */
static inline void maker_ints(struct maker *m, const char *name, const char *numbers)
{
    struct wire t = {0}, raw = {0};
    int64_t n = 0;
    for (const char *p = numbers; *p; p += strcspn(p, " "), p += *p == ' ', n++)
        wire_put(&raw, &(int64_t){strtol(p, NULL, 10)}, 8);
    wire_int(&t, 1, n);
    wire_int(&t, 2, 7); /* INT64 */
    wire_text(&t, 8, name);
    wire_message(&t, 9, &raw);
    wire_message(&m->graph, 5, &t);
}

/* "group=2" is an integer, "pads=1,1" a list of them (write "pads=1," for a list of one). */
static inline void maker_attribute(struct wire *node, const char *text)
{
    struct wire a = {0};
    size_t n_name = strcspn(text, "=");
    const char *value = text + n_name + 1;
    size_t n_value = strcspn(value, " ");
    wire_bytes(&a, 1, text, n_name);
    if (memchr(value, ',', n_value)) {
        for (const char *p = value; p < value + n_value; p += strcspn(p, ", "), p += *p == ',')
            wire_int(&a, 8, strtol(p, NULL, 10));
        wire_int(&a, 20, 7);
    } else {
        wire_int(&a, 3, strtol(value, NULL, 10));
        wire_int(&a, 20, 2);
    }
    wire_message(node, 5, &a);
}

/* A node named after its output; inputs and attributes are separated by blanks. */
static inline void maker_node(struct maker *m, const char *op, const char *inputs, const char *output,
                              const char *attributes)
{
    struct wire node = {0};
    for (const char *p = inputs; *p; p += strcspn(p, " "), p += *p == ' ')
        wire_bytes(&node, 1, p, strcspn(p, " "));
    wire_text(&node, 2, output);
    wire_text(&node, 3, output);
    wire_text(&node, 4, op);
    for (const char *p = attributes; *p; p += strcspn(p, " "), p += *p == ' ')
        maker_attribute(&node, p);
    wire_message(&m->graph, 1, &node);
}

/* The file; the caller frees *ret_bytes. The maker is empty afterwards. */
static inline void maker_finish(struct maker *m, uint8_t **ret_bytes, size_t *ret_n)
{
    struct wire model = {0}, opset = {0};
    wire_int(&model, 1, 8);
    wire_text(&m->graph, 2, "made");
    wire_message(&model, 7, &m->graph);
    wire_int(&opset, 2, 13);
    wire_message(&model, 8, &opset);
    *ret_bytes = model.bytes;
    *ret_n = model.n;
}

/* ---- the architectures ---- */

/* Convolution of `in` channels to `out` with bias; spatial kernel "7" or "3 3", attributes as given. Returns the output's name. */
static inline const char *maker_conv(struct maker *m, const char *from, const char *to, int in, int out,
                                     const char *kernel, const char *attributes)
{
    char w[64], b[64], dims[96], inputs[256];
    (void)snprintf(w, sizeof w, "%s.w", to);
    (void)snprintf(b, sizeof b, "%s.b", to);
    (void)snprintf(dims, sizeof dims, "%d %d %s", out, in, kernel);
    maker_weight(m, w, dims, 0);
    (void)snprintf(dims, sizeof dims, "%d", out);
    maker_weight(m, b, dims, 0.1);
    (void)snprintf(inputs, sizeof inputs, "%s %s %s", from, w, b);
    maker_node(m, "Conv", inputs, to, attributes);
    return to;
}

/* The same followed by ReLU; the result is "<to>.relu". */
static inline void maker_conv_relu(struct maker *m, const char *from, const char *to, int in, int out,
                                   const char *kernel, const char *attributes)
{
    char relu[80];
    (void)snprintf(relu, sizeof relu, "%s.relu", maker_conv(m, from, to, in, out, kernel, attributes));
    maker_node(m, "Relu", to, relu, "");
}

static inline void maker_dense(struct maker *m, const char *from, const char *to, int in, int out)
{
    char w[64], b[64], dims[96], inputs[256];
    (void)snprintf(w, sizeof w, "%s.w", to);
    (void)snprintf(b, sizeof b, "%s.b", to);
    (void)snprintf(dims, sizeof dims, "%d %d", out, in);
    maker_weight(m, w, dims, sqrt(6.0 / in));
    (void)snprintf(dims, sizeof dims, "%d", out);
    maker_weight(m, b, dims, 0.1);
    (void)snprintf(inputs, sizeof inputs, "%s %s %s", from, w, b);
    maker_node(m, "Gemm", inputs, to, "transB=1");
}
#endif
