/* Reading ONNX: what becomes an input, a constant, a node. Refusals by file are in test_refusals.c. */
#include "check.h"
#include "net/onnx.h"
#include "packed.h"

#define DIM(...) ((const int64_t[]){__VA_ARGS__, 0})

static struct packed p;
static struct net_graph g;
static struct burst_error error;

static enum burst_err read_with(const struct onnx_options *options)
{
    size_t n;
    uint8_t *bytes = packed_bytes(&p, &n);
    graph_init(&g, 1 << 24);
    error = (struct burst_error){0};
    enum burst_err err = onnx_read(bytes, n, options, &g, &error);
    free(bytes);
    return err;
}

static enum burst_err read_plain(void)
{
    const struct onnx_options none = {0};
    return read_with(&none);
}

/* x [N, 3] plus w, which the caller provides. */
static void addition(void)
{
    packed_init(&p, 13);
    packed_input(&p, "x", DIM(-1, 3));
    packed_node(&p, "Add", "sum", "x", "w", NULL, "y");
    packed_output(&p, "y", DIM(-1, 3));
}

static float numbers[] = {1, 2, 3};

TEST(inputs_nodes_and_constants_are_told_apart)
{
    addition();
    Onnx__TensorProto *w = packed_tensor(&p, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, DIM(3));
    w->float_data = numbers;
    w->n_float_data = 3;
    CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
    CHECK(g.n_input == 1 && g.n_output == 1 && g.n_node == 1 && g.n_value == 3);
    const struct net_value *x = &g.value[g.input[0]], *y = &g.value[g.output[0]];
    CHECK(x->batched && x->shaped && x->dims.rank == 2 && x->dims.dim[0] == 1 && x->input_port == 0);
    CHECK(y->output && !y->shaped && y->maker == 0 && y->declared.dim[0] == -1 && y->declared.dim[1] == 3);
    const struct net_value *v = &g.value[g.node[0].input[1]];
    CHECK(v->constant && v->constant->f32[2] == 3.0F);
    CHECK_INT(g.n_parameter, 3);
    CHECK(g.opset == 13 && g.ir_version == 7);
    graph_fini(&g);
}

TEST(an_input_with_an_initialiser_is_a_constant)
{
    addition();
    packed_input(&p, "w", DIM(3));
    Onnx__TensorProto *w = packed_tensor(&p, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, DIM(3));
    w->float_data = numbers;
    w->n_float_data = 3;
    CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
    CHECK_INT(g.n_input, 1);
    graph_fini(&g);
}

TEST(promoted_inputs_are_constants)
{
    const struct net_tensor given = {.name = "w", .dims = {.rank = 1, .dim = {3}}, .f32 = numbers};
    struct onnx_options options = {.promote = &given, .n_promote = 1};
    addition();
    packed_input(&p, "w", DIM(3));
    CHECK_SAY(read_with(&options) == BURST_OK, "%s", error.text);
    CHECK_INT(g.n_input, 1);
    const struct net_tensor *t = g.value[g.node[0].input[1]].constant;
    CHECK(t && t->f32 != numbers && t->f32[1] == 2.0F);
    graph_fini(&g);
    CHECK_REFUSED(read_plain(), BURST_E_UNSUPPORTED, error, "input 'x' and input 'w'"); /* without: one is batched */
    graph_fini(&g);
}

TEST(promoted_integers_become_a_shape)
{
    const int64_t shape[] = {0, -1};
    const struct net_tensor given = {.name = "s", .dtype = NET_I64, .dims = {.rank = 1, .dim = {2}}, .i64 = shape};
    struct onnx_options options = {.promote = &given, .n_promote = 1};
    packed_init(&p, 13);
    packed_input(&p, "x", DIM(-1, 3, 4));
    packed_input(&p, "s", DIM(2));
    p.value[1].tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    packed_node(&p, "Reshape", "", "x", "s", NULL, "y");
    packed_output(&p, "y", DIM(-1, 12));
    CHECK_SAY(read_with(&options) == BURST_OK, "%s", error.text);
    CHECK_INT(g.node[0].n_input, 1);
    CHECK(g.node[0].at.shape.rank == 2 && g.node[0].at.shape.dim[1] == -1);
    CHECK_STR(g.node[0].name, "Reshape_0"); /* the file gave none */
    graph_fini(&g);
}

TEST(promoted_content_must_be_finite)
{
    const float bad[] = {1, NAN, 3};
    const struct net_tensor given = {.name = "w", .dims = {.rank = 1, .dim = {3}}, .f32 = bad};
    struct onnx_options options = {.promote = &given, .n_promote = 1};
    addition();
    packed_input(&p, "w", DIM(3));
    CHECK_REFUSED(read_with(&options), BURST_E_RANGE, error, "w: element 1 is nan");
    graph_fini(&g);
}

TEST(integers_of_every_width_are_widened)
{
    int32_t narrow[] = {-7, 2};
    int64_t wide[] = {INT64_C(1) << 40, -1};
    uint8_t raw_bools[] = {1, 0}, raw_ints[] = {0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0};
    packed_init(&p, 13);
    packed_input(&p, "x", DIM(-1, 3));
    packed_node(&p, "Relu", "r", "x", NULL, NULL, "y");
    packed_output(&p, "y", DIM(-1, 3));
    Onnx__TensorProto *t = packed_tensor(&p, "narrow", ONNX__TENSOR_PROTO__DATA_TYPE__INT32, DIM(2));
    t->int32_data = narrow;
    t->n_int32_data = 2;
    t = packed_tensor(&p, "wide", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, DIM(2));
    t->int64_data = wide;
    t->n_int64_data = 2;
    t = packed_tensor(&p, "bools", ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, DIM(2));
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){2, raw_bools};
    t = packed_tensor(&p, "ints", ONNX__TENSOR_PROTO__DATA_TYPE__INT32, DIM(2));
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){8, raw_ints};
    CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
    static const struct {
        const char *name;
        int64_t a, b;
    } want[] = {{"narrow", -7, 2}, {"wide", INT64_C(1) << 40, -1}, {"bools", 1, 0}, {"ints", -2, 1}};
    for (int i = 0; i < 4; i++) {
        const struct net_tensor *c = g.value[graph_find(&g, want[i].name)].constant;
        CHECK(c->dtype == NET_I64 && !c->f32 && c->i64[0] == want[i].a && c->i64[1] == want[i].b);
    }
    CHECK_INT(g.n_parameter, 0); /* no node reads them */
    graph_fini(&g);
}

TEST(constant_nodes_and_identities_of_constants_become_constants)
{
    addition();
    p.graph.n_node = 0;
    packed_node(&p, "Constant", "k", NULL, NULL, NULL, "k");
    Onnx__AttributeProto *a = packed_attribute(&p, "value_floats");
    a->floats = numbers;
    a->n_floats = 3;
    packed_node(&p, "Identity", "i", "k", NULL, NULL, "w");
    packed_node(&p, "Add", "sum", "x", "w", NULL, "y");
    CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
    CHECK_INT(g.n_node, 1);
    CHECK(g.value[g.node[0].input[1]].constant && g.value[g.node[0].input[1]].constant->f32[0] == 1.0F);
    CHECK_INT(g.n_parameter, 3);
    graph_fini(&g);
}

TEST(softmax_means_another_thing_before_opset_13)
{
    for (int opset = 12; opset <= 13; opset++) {
        packed_init(&p, opset);
        packed_input(&p, "x", DIM(-1, 3));
        packed_node(&p, "Softmax", "s", "x", NULL, NULL, "y");
        packed_output(&p, "y", DIM(-1, 3));
        CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
        CHECK(g.node[0].at.coerce_2d == (opset == 12) && g.node[0].at.axis == (opset == 12 ? 1 : -1));
        graph_fini(&g);
    }
}

TEST(attributes_have_onnx_defaults)
{
    packed_init(&p, 13);
    packed_input(&p, "x", DIM(-1, 3, 8));
    packed_node(&p, "Conv", "c", "x", "w", "", "y");
    Onnx__TensorProto *w = packed_tensor(&p, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, DIM(1, 3, 1));
    w->float_data = numbers;
    w->n_float_data = 3;
    packed_output(&p, "y", DIM(-1, 1, 8));
    CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
    const struct net_node *node = &g.node[0];
    CHECK(node->n_input == 3 && node->input[2] == -1 && node->add == -1 && !node->relu);
    CHECK(node->at.group == 1 && node->at.window.stride[1] == 1 && node->at.window.dilation[0] == 1);
    CHECK(node->at.window.pad_begin[1] == 0 && node->at.window.auto_pad == NET_PAD_GIVEN &&
          node->at.window.kernel[1] == 0);
    graph_fini(&g);
}

TEST(an_older_opset_is_taken_where_the_caller_says_so)
{
    struct onnx_options options = {.opset_least = 1};
    packed_init(&p, 1);
    packed_input(&p, "x", DIM(-1, 3, 8));
    packed_node(&p, "GlobalAveragePool", "m", "x", NULL, NULL, "y");
    packed_output(&p, "y", DIM(-1, 3, 1));
    CHECK_REFUSED(read_plain(), BURST_E_UNSUPPORTED, error, "opset 1; 11 to 17");
    graph_fini(&g);
    CHECK_INT(read_with(&options), BURST_OK);
    graph_fini(&g);
}

TEST(metadata_and_producer_are_kept)
{
    Onnx__StringStringEntryProto entry = ONNX__STRING_STRING_ENTRY_PROTO__INIT, *entries[] = {&entry};
    addition();
    Onnx__TensorProto *w = packed_tensor(&p, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, DIM(1));
    w->float_data = numbers;
    w->n_float_data = 1;
    entry.key = "burst.kind";
    entry.value = "\"light_curve\"";
    p.model.metadata_props = entries;
    p.model.n_metadata_props = 1;
    p.model.producer_name = "pytorch";
    p.model.producer_version = "1.13.1";
    CHECK_SAY(read_plain() == BURST_OK, "%s", error.text);
    CHECK_STR(g.producer, "pytorch 1.13.1");
    CHECK_INT(g.n_meta, 1);
    CHECK_STR(g.meta[0].value, "\"light_curve\"");
    graph_fini(&g);
}

TEST(a_small_pool_is_a_limit)
{
    struct onnx_options none = {0};
    size_t n;
    addition();
    Onnx__TensorProto *w = packed_tensor(&p, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, DIM(3));
    w->float_data = numbers;
    w->n_float_data = 3;
    uint8_t *bytes = packed_bytes(&p, &n);
    int refused = 0;
    for (size_t most = 0; most < 20000; most += 64) {
        graph_init(&g, most);
        enum burst_err err = onnx_read(bytes, n, &none, &g, &error);
        CHECK(err == BURST_OK || err == BURST_E_LIMIT);
        refused += err != BURST_OK;
        graph_fini(&g);
    }
    CHECK(refused > 10 && refused < 300);
    free(bytes);
}

int main(void)
{
    RUN(inputs_nodes_and_constants_are_told_apart);
    RUN(an_input_with_an_initialiser_is_a_constant);
    RUN(promoted_inputs_are_constants);
    RUN(promoted_integers_become_a_shape);
    RUN(promoted_content_must_be_finite);
    RUN(integers_of_every_width_are_widened);
    RUN(constant_nodes_and_identities_of_constants_become_constants);
    RUN(softmax_means_another_thing_before_opset_13);
    RUN(attributes_have_onnx_defaults);
    RUN(an_older_opset_is_taken_where_the_caller_says_so);
    RUN(metadata_and_producer_are_kept);
    RUN(a_small_pool_is_a_limit);
    return check_report();
}
