/* The pool, shapes and names of a graph. */
#include "check.h"
#include "made.h"
#include "net/graph.h"

static struct burst_error error;

TEST(elements_are_multiplied_with_care)
{
    struct net_dims scalar = {0}, some = DIMS(2, 3, 4), huge = DIMS(1 << 20, 1 << 20), over = DIMS(INT64_MAX, 4),
                    minus = DIMS(3, -1);
    int64_t n = -7;
    CHECK_INT(dims_elements(&scalar, &n, &error), BURST_OK);
    CHECK_INT(n, 1);
    CHECK_INT(dims_elements(&some, &n, &error), BURST_OK);
    CHECK_INT(n, 24);
    CHECK_INT(dims_count(&some), 24);
    CHECK_REFUSED(dims_elements(&huge, &n, &error), BURST_E_LIMIT, error, "[1048576, 1048576]");
    CHECK_REFUSED(dims_elements(&over, &n, &error), BURST_E_LIMIT, error, "[9223372036854775807, 4]");
    CHECK_REFUSED(dims_elements(&minus, &n, &error), BURST_E_LIMIT, error, "[3, -1]");
    CHECK_INT(n, 24);
    struct net_dims most = DIMS(NET_ELEMENTS_MAX);
    CHECK_INT(dims_elements(&most, &n, NULL), BURST_OK);
}

TEST(shapes_compare_and_print)
{
    struct net_dims a = DIMS(1, 3), b = DIMS(1, 3, 1), longest = {.rank = NET_RANK_MAX};
    char text[DIMS_TEXT];
    CHECK(dims_equal(&a, &a) && !dims_equal(&a, &b));
    dims_text(&a, true, text);
    CHECK_STR(text, "[N, 3]");
    dims_text(&(struct net_dims){0}, false, text);
    CHECK_STR(text, "[]");
    for (int i = 0; i < NET_RANK_MAX; i++)
        longest.dim[i] = INT64_MIN;
    dims_text(&longest, false, text);
    CHECK(text[strlen(text) - 1] == ']');
}

TEST(operators_have_onnx_names)
{
    CHECK_STR(net_op_name(NET_OP_CONV), "Conv");
    CHECK_STR(net_op_name(NET_OP_BATCH_NORM), "BatchNormalization");
    CHECK_STR(net_op_name(NET_OP_N), "unknown");
    for (int i = 0; i < NET_OP_N; i++)
        CHECK(net_op_name((enum net_op)i) != NULL);
}

TEST(the_pool_is_clear_aligned_and_limited)
{
    struct net_graph g;
    graph_init(&g, 1000);
    char *p = graph_take(&g, 100, 3, &error);
    CHECK(p && (uintptr_t)p % 64 == 0);
    for (int i = 0; i < 300; i++)
        CHECK(p[i] == 0);
    CHECK(graph_take(&g, 0, 8, &error) != NULL);
    CHECK(graph_take(&g, 1000, 1, &error) == NULL && error.code == BURST_E_LIMIT);
    CHECK(graph_take(&g, INT64_MAX, 8, &error) == NULL && error.code == BURST_E_LIMIT);
    CHECK(graph_take(&g, -1, 8, NULL) == NULL);
    CHECK_STR(graph_text(&g, "pool", &error), "pool");
    graph_fini(&g);
    graph_fini(&g);
    CHECK(g.pool == NULL);
}

TEST(values_are_found_before_nodes)
{
    struct net_graph g;
    made_init(&g);
    int x = made_input(&g, "x", DIMS(2));
    int r = NODE(&g, NET_OP_RELU, "r", x);
    g.node[0].name = "relu_node";
    int s = NODE(&g, NET_OP_RELU, "s", r);
    g.node[1].name = "x";
    CHECK_INT(graph_find(&g, "x"), x);
    CHECK_INT(graph_find(&g, "relu_node"), r);
    CHECK_INT(graph_find(&g, "s"), s);
    CHECK_INT(graph_find(&g, "nothing"), -1);
    graph_fini(&g);
}

TEST(dense_layers_are_recognised)
{
    static const float one = 1;
    struct net_graph g;
    made_init(&g);
    int x = made_input(&g, "x", DIMS(2, 3)), w = made_constant(&g, "w", DIMS(3, 4), &one, 1);
    int scalar = made_constant(&g, "s", DIMS(1), &one, 1), row = made_constant(&g, "r", DIMS(1, 4), &one, 1);
    int whole = made_constant(&g, "m", DIMS(2, 4), &one, 1);
    int y = NODE(&g, NET_OP_GEMM, "y", x, w, scalar);
    g.value[y].dims = DIMS(2, 4);
    CHECK(graph_is_dense(&g, &g.node[0]) && graph_has_bias(&g, &g.node[0]));
    g.node[0].input[2] = row;
    CHECK(graph_has_bias(&g, &g.node[0]));
    g.node[0].input[2] = whole;
    CHECK(!graph_has_bias(&g, &g.node[0]));
    g.node[0].input[2] = -1;
    CHECK(!graph_has_bias(&g, &g.node[0]));
    (void)NODE(&g, NET_OP_MATMUL, "m1", x, w);
    (void)NODE(&g, NET_OP_MATMUL, "m2", w, x);
    (void)NODE(&g, NET_OP_RELU, "r1", x);
    CHECK(graph_is_dense(&g, &g.node[1]) && !graph_is_dense(&g, &g.node[2]) && !graph_is_dense(&g, &g.node[3]));
    graph_fini(&g);
}

int main(void)
{
    RUN(elements_are_multiplied_with_care);
    RUN(shapes_compare_and_print);
    RUN(operators_have_onnx_names);
    RUN(the_pool_is_clear_aligned_and_limited);
    RUN(values_are_found_before_nodes);
    RUN(dense_layers_are_recognised);
    return check_report();
}
