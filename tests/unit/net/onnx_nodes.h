/* The ONNX project's own tests (Debian's libonnx-testdata 1.12): reading them as the project means them, and running one. */
#ifndef BURST_TESTS_ONNX_NODES_H
#define BURST_TESTS_ONNX_NODES_H
#include "base/bytes.h"
#include "check.h"
#include "net/net.h"
#include "net/tensor_file.h"
#include "onnx.pb-c.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define DATA "/usr/share/libonnx-testdata/data/"
enum { PORT_MAX = 16, SET_MAX = 8 };

static const char *folder;                 /* of the test */
static struct net_settings nodes_settings; /* of the backend; what the test needs is added */
static double nodes_tolerance;             /* of max(1, |expected|) */

/* ---- reading the file as the ONNX project means it ---- */

static Onnx__ModelProto *read_model(uint8_t **ret_bytes, size_t *ret_n)
{
    char path[600];
    struct burst_error error;
    (void)snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (bytes_read_file(path, 64 << 20, ret_bytes, ret_n, &error) != BURST_OK) return NULL;
    return onnx__model_proto__unpack(NULL, *ret_n, *ret_bytes);
}

/* Older files state older operator sets than we take, in which these operators mean the same (ONNX's Changelog.md), but for two
 * attributes that set 7 dropped because it has what they said as the only behaviour: is_test = 1, broadcast = 1. */
static void drop_old_attributes(Onnx__NodeProto *node)
{
    size_t n = 0;
    for (size_t i = 0; i < node->n_attribute; i++) {
        Onnx__AttributeProto *a = node->attribute[i];
        bool drop = (strcmp(a->name, "is_test") == 0 || strcmp(a->name, "broadcast") == 0) && a->i == 1;
        if (drop)
            onnx__attribute_proto__free_unpacked(a, NULL);
        else
            node->attribute[n++] = a;
    }
    node->n_attribute = n;
}

static void raise_opset(Onnx__ModelProto *model, uint8_t **bytes, size_t *n)
{
    if (model->n_opset_import != 1 || model->opset_import[0]->version >= 11) return;
    if (model->opset_import[0]->version < 7)
        for (size_t i = 0; i < model->graph->n_node; i++)
            drop_old_attributes(model->graph->node[i]);
    model->opset_import[0]->version = 11;
    free(*bytes);
    *n = onnx__model_proto__get_packed_size(model);
    *bytes = malloc(*n);
    CHECK(*bytes != NULL);
    if (*bytes) (void)onnx__model_proto__pack(model, *bytes); /* as many bytes as it said */
}

static bool is_ours(const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->graph->n_node; i++) {
        bool known = false;
        for (int op = 0; op < NET_OP_N; op++)
            known = known || strcmp(model->graph->node[i]->op_type, net_op_name((enum net_op)op)) == 0;
        if (!known) return false;
    }
    return model->graph->n_node > 0;
}

static bool is_initializer(const Onnx__GraphProto *g, const char *name)
{
    for (size_t i = 0; i < g->n_initializer; i++)
        if (strcmp(g->initializer[i]->name, name) == 0) return true;
    return false;
}

/* Weights come as inputs in these tests: every input but the first of these operators is one. */
static bool is_weight(const Onnx__GraphProto *g, const char *name)
{
    static const char *const WEIGHTED[] = {"Conv",    "BatchNormalization", "Gemm",   "Reshape",
                                           "Squeeze", "Unsqueeze",          "Dropout"};
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 1; k < g->node[i]->n_input; k++)
            for (size_t w = 0; w < sizeof WEIGHTED / sizeof WEIGHTED[0]; w++)
                if (strcmp(g->node[i]->op_type, WEIGHTED[w]) == 0 && strcmp(g->node[i]->input[k], name) == 0)
                    return true;
    return false;
}

/* ---- one test_data_set ---- */

struct set {
    struct net_tensor input[PORT_MAX], promoted[PORT_MAX], output[PORT_MAX];
    char *input_name[PORT_MAX];
    int n_input, n_promoted, n_output;
};

static enum burst_err read_tensor(int set, const char *word, int i, struct net_tensor *ret, struct burst_error *reterr)
{
    char path[700];
    (void)snprintf(path, sizeof path, "%s/test_data_set_%d/%s_%d.pb", folder, set, word, i);
    return tensor_read(path, ret, reterr);
}

static enum burst_err read_set(const Onnx__GraphProto *g, int number, struct set *ret, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    int file = 0;
    for (size_t i = 0; i < g->n_input && err == BURST_OK; i++) {
        char *name = g->input[i]->name;
        if (is_initializer(g, name)) continue;
        if (file == PORT_MAX) return burst_fail(reterr, BURST_E_LIMIT, "more than %d inputs", PORT_MAX);
        if (is_weight(g, name)) {
            struct net_tensor *t = &ret->promoted[ret->n_promoted++];
            err = read_tensor(number, "input", file++, t, reterr);
            free((void *)(uintptr_t)t->name); /* ours from tensor_read; the graph's name decides */
            t->name = strdup(name);
        } else {
            ret->input_name[ret->n_input] = name;
            err = read_tensor(number, "input", file++, &ret->input[ret->n_input++], reterr);
        }
    }
    for (size_t i = 0; i < g->n_output && err == BURST_OK && i < PORT_MAX; i++)
        err = read_tensor(number, "output", ret->n_output++, &ret->output[i], reterr);
    return err;
}

static void free_set(struct set *s)
{
    for (int i = 0; i < PORT_MAX; i++) {
        tensor_fini(&s->input[i]);
        tensor_fini(&s->promoted[i]);
        tensor_fini(&s->output[i]);
    }
}

static void compare_output(const struct net *net, const struct set *s, int i, const float *got)
{
    char want[DIMS_TEXT], have[DIMS_TEXT];
    const struct net_port *port = net_output(net, i);
    const struct net_tensor *t = &s->output[i];
    struct net_dims dims = port->dims;
    if (port->batched) dims.dim[0] = t->dims.dim[0];
    dims_text(&t->dims, false, want);
    dims_text(&dims, false, have);
    CHECK_SAY(dims_equal(&dims, &t->dims), "output %d has shape %s, not %s", i, have, want);
    CHECK_SAY(t->dtype == NET_F32, "output %d is not float", i);
    if (!dims_equal(&dims, &t->dims) || t->dtype != NET_F32) return;
    for (int64_t k = 0; k < dims_count(&t->dims); k++) {
        double expected = (double)t->f32[k], bound = nodes_tolerance * fmax(1, fabs(expected));
        if (fabs((double)got[k] - expected) <= bound) continue;
        CHECK_SAY(false, "output %d, element %lld is %.9g, not %.9g", i, (long long)k, (double)got[k], expected);
        return;
    }
}

/* Input port p of the network is the file's input of that name. */
static const struct net_tensor *input_for(const struct net *net, const struct set *s, int p)
{
    for (int i = 0; i < s->n_input; i++)
        if (strcmp(s->input_name[i], net_input(net, p)->name) == 0) return &s->input[i];
    return NULL;
}

static void run_set(struct net *net, const struct set *s)
{
    const float *in[PORT_MAX] = {0};
    float *got[PORT_MAX] = {0};
    struct burst_error error;
    int n = 1;
    CHECK(net_n_input(net) <= s->n_input && net_n_output(net) == s->n_output);
    for (int p = 0; p < net_n_input(net); p++) {
        const struct net_tensor *t = input_for(net, s, p);
        CHECK(t && t->dtype == NET_F32 && dims_count(&t->dims) % net_input(net, p)->n_element == 0);
        if (!t || t->dtype != NET_F32) return;
        in[p] = t->f32;
        if (net_input(net, p)->batched) n = (int)t->dims.dim[0];
    }
    for (int i = 0; i < net_n_output(net); i++) {
        got[i] = malloc((size_t)n * (size_t)net_output(net, i)->n_element * sizeof(float) + 1);
        CHECK(got[i] != NULL);
    }
    enum burst_err err = net_run_ports(net, in, n, got, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    for (int i = 0; i < net_n_output(net); i++) {
        if (err == BURST_OK) compare_output(net, s, i, got[i]);
        free(got[i]);
    }
}

/* Read, open, run; the first refusal on the way, or BURST_OK. */
static enum burst_err try_set(const Onnx__ModelProto *model, const uint8_t *bytes, size_t n, int number,
                              struct burst_error *reterr)
{
    struct set s = {0};
    struct net *net = NULL;
    enum burst_err err = read_set(model->graph, number, &s, reterr);
    struct net_settings settings = nodes_settings;
    settings.promote = s.promoted;
    settings.n_promote = s.n_promoted;
    if (err == BURST_OK) err = net_open_bytes(bytes, n, &settings, &net, reterr);
    if (err == BURST_OK) run_set(net, &s);
    net_close(net);
    free_set(&s);
    return err;
}

/* ---- all of them ---- */

/* Is every operator of the test in `folder` one of ours? */
static bool folder_is_ours(void)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    Onnx__ModelProto *model = read_model(&bytes, &n);
    bool ours = model && model->graph && is_ours(model);
    if (model) onnx__model_proto__free_unpacked(model, NULL);
    free(bytes);
    return ours;
}

static int only_tests(const struct dirent *entry)
{
    return strncmp(entry->d_name, "test_", 5) == 0;
}

/* Call `run` with group and name for every test that is ours, `folder` being set. Returns how many there are. */
static int run_all(void (*run)(const char *group, const char *name))
{
    static const char *const GROUPS[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};
    int ours = 0;
    for (size_t g = 0; g < sizeof GROUPS / sizeof GROUPS[0]; g++) {
        char path[256], test[512];
        struct dirent **names;
        (void)snprintf(path, sizeof path, DATA "%s", GROUPS[g]);
        int n = scandir(path, &names, only_tests, alphasort);
        for (int i = 0; i < n; i++) {
            (void)snprintf(test, sizeof test, "%s/%.200s", path, names[i]->d_name);
            folder = test;
            if (folder_is_ours()) {
                ours++;
                run(GROUPS[g], names[i]->d_name);
            }
            free(names[i]);
        }
        if (n >= 0) free(names);
    }
    return ours;
}
#endif
