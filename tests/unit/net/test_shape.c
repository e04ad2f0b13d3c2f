/* Shapes as PyTorch 1.13 gives them for the same operators (its documentation's formulas, worked out by hand). */
#include "check.h"
#include "made.h"
#include "net/shape.h"

static struct net_graph g;
static struct burst_error error;
static const float one = 1;

static void begin(void)
{
    made_init(&g);
    error = (struct burst_error){0};
}

/* The shape of value v, after inference; "[N, 4]". */
static const char *shape_of(int v)
{
    static char text[DIMS_TEXT];
    dims_text(&g.value[v].dims, g.value[v].batched, text);
    return text;
}

/* Infer, look at the shape of value v, and be done with the graph. */
static void check_shape(int v, const char *want)
{
    CHECK_SAY(shape_infer(&g, &error) == BURST_OK, "%s", error.text);
    CHECK_STR(shape_of(v), want);
    graph_fini(&g);
}

/* A convolution or pooling of width 75 with these settings. */
static int row_window(enum net_op op, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 6, 75));
    int w = made_constant(&g, "w", DIMS(4, 6, kernel), &one, 1);
    int y = op == NET_OP_CONV ? NODE(&g, op, "y", x, w) : NODE(&g, op, "y", x);
    struct net_window *window = &made_at(&g)->window;
    if (op != NET_OP_CONV) window->kernel[1] = kernel;
    window->stride[1] = stride;
    window->pad_begin[1] = window->pad_end[1] = pad;
    window->dilation[1] = dilation;
    return y;
}

TEST(convolution_of_a_row)
{
    check_shape(row_window(NET_OP_CONV, 7, 2, 3, 1), "[N, 4, 38]");
    check_shape(row_window(NET_OP_CONV, 3, 1, 1, 1), "[N, 4, 75]");
    check_shape(row_window(NET_OP_CONV, 1, 2, 0, 1), "[N, 4, 38]");
    check_shape(row_window(NET_OP_CONV, 5, 3, 0, 4), "[N, 4, 20]");
}

TEST(light_curve_lengths_of_the_paper)
{
    int64_t length = 1875;
    static const int64_t want[] = {938, 469, 235, 118};
    for (int i = 0; i < 4; i++) {
        begin();
        int x = made_input(&g, "x", DIMS(-1, 2, length));
        int y = NODE(&g, NET_OP_CONV, "y", x, made_constant(&g, "w", DIMS(2, 2, 7), &one, 1));
        made_at(&g)->window.stride[1] = 2;
        made_at(&g)->window.pad_begin[1] = made_at(&g)->window.pad_end[1] = 3;
        CHECK_INT(shape_infer(&g, &error), BURST_OK);
        length = g.value[y].dims.dim[2];
        CHECK_INT(length, want[i]);
        graph_fini(&g);
    }
}

TEST(pooling_floors_or_ceils)
{
    check_shape(row_window(NET_OP_MAX_POOL, 2, 2, 0, 1), "[N, 6, 37]");
    int y = row_window(NET_OP_MAX_POOL, 2, 2, 0, 1);
    made_at(&g)->window.ceil_mode = true;
    check_shape(y, "[N, 6, 38]");
    /* The last window would begin in the padding behind: PyTorch leaves it out. 75 + 2 - 2 = 75 = 25 x 3: 25 + 1 = 26. */
    y = row_window(NET_OP_AVERAGE_POOL, 2, 3, 1, 1);
    check_shape(y, "[N, 6, 26]");
    y = row_window(NET_OP_AVERAGE_POOL, 2, 4, 1, 1); /* room 75: 18.75 -> 18 + 1, ceil would add a window from 76 */
    made_at(&g)->window.ceil_mode = true;
    check_shape(y, "[N, 6, 19]");
}

TEST(automatic_pads_keep_the_size_of_the_stride)
{
    int y = row_window(NET_OP_CONV, 4, 2, 0, 1);
    made_at(&g)->window.auto_pad = NET_PAD_SAME_UPPER;
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_STR(shape_of(y), "[N, 4, 38]");
    CHECK_INT(made_at(&g)->window.pad_begin[1], 1); /* (38 - 1) 2 + 4 - 75 = 3: one before, two behind */
    CHECK_INT(made_at(&g)->window.pad_end[1], 2);
    CHECK_INT(made_at(&g)->window.auto_pad, NET_PAD_GIVEN);
    graph_fini(&g);
    y = row_window(NET_OP_CONV, 4, 2, 0, 1);
    made_at(&g)->window.auto_pad = NET_PAD_SAME_LOWER;
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_INT(made_at(&g)->window.pad_begin[1], 2);
    graph_fini(&g);
    y = row_window(NET_OP_CONV, 4, 2, 9, 1);
    made_at(&g)->window.auto_pad = NET_PAD_VALID;
    check_shape(y, "[N, 4, 36]");
}

TEST(convolution_of_a_plane_with_groups)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 8, 224, 100));
    int y = NODE(&g, NET_OP_CONV, "y", x, made_constant(&g, "w", DIMS(6, 4, 7, 3), &one, 1));
    made_at(&g)->group = 2;
    made_at(&g)->window.stride[0] = 2;
    made_at(&g)->window.pad_begin[0] = made_at(&g)->window.pad_end[0] = 3;
    check_shape(y, "[N, 6, 112, 98]");
}

TEST(addition_stretches)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 1));
    check_shape(NODE(&g, NET_OP_ADD, "y", x, made_constant(&g, "w", DIMS(3, 5), &one, 1)), "[N, 3, 5]");
    begin();
    x = made_input(&g, "x", DIMS(2, 3));
    check_shape(NODE(&g, NET_OP_ADD, "y", x, made_constant(&g, "w", DIMS(4, 1, 1), &one, 1)), "[4, 2, 3]");
}

TEST(concat_flatten_and_global_pooling)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 5, 4));
    int c = NODE(&g, NET_OP_CONCAT, "c", x, x, x);
    made_at(&g)->axis = -3;
    int f = NODE(&g, NET_OP_FLATTEN, "f", c);
    made_at(&g)->axis = 1;
    int p = NODE(&g, NET_OP_GLOBAL_AVERAGE_POOL, "p", c);
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_STR(shape_of(c), "[N, 9, 5, 4]");
    CHECK_STR(shape_of(f), "[N, 180]");
    CHECK_STR(shape_of(p), "[N, 9, 1, 1]");
    graph_fini(&g);
}

static int mean_over(int n_axes, int64_t a, int64_t b, bool keep_dims)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 5, 4));
    int y = NODE(&g, NET_OP_REDUCE_MEAN, "y", x);
    made_at(&g)->n_axes = n_axes;
    made_at(&g)->axes[0] = a;
    made_at(&g)->axes[1] = b;
    made_at(&g)->keep_dims = keep_dims;
    return y;
}

TEST(mean_over_neighbouring_axes)
{
    check_shape(mean_over(1, -1, 0, false), "[N, 3, 5]");
    check_shape(mean_over(2, 3, 2, true), "[N, 3, 1, 1]");
    check_shape(mean_over(2, -2, -3, false), "[N, 4]");
}

TEST(dense_layers)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 6));
    int w = made_constant(&g, "w", DIMS(4, 6), &one, 1);
    int y = NODE(&g, NET_OP_GEMM, "y", x, w, made_constant(&g, "b", DIMS(4), &one, 1));
    made_at(&g)->trans_b = true;
    check_shape(y, "[N, 4]");
    begin();
    x = made_input(&g, "x", DIMS(-1, 7, 6));
    check_shape(NODE(&g, NET_OP_MATMUL, "y", x, made_constant(&g, "w", DIMS(6, 9), &one, 1)), "[N, 7, 9]");
    begin();
    x = made_input(&g, "x", DIMS(-1, 7, 6));
    check_shape(NODE(&g, NET_OP_MATMUL, "y", made_constant(&g, "w", DIMS(2, 7), &one, 1), x), "[N, 2, 6]");
}

TEST(reshape_copies_zeros_and_works_out_the_rest)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 8));
    int a = NODE(&g, NET_OP_RESHAPE, "a", x);
    made_at(&g)->shape = (struct net_dims){.rank = 4, .dim = {0, 0, -1, 2}};
    int b = NODE(&g, NET_OP_RESHAPE, "b", x);
    made_at(&g)->shape = (struct net_dims){.rank = 2, .dim = {-1, 24}};
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_STR(shape_of(a), "[N, 3, 4, 2]");
    CHECK_STR(shape_of(b), "[N, 24]");
    graph_fini(&g);
}

TEST(squeeze_unsqueeze_and_transpose)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 1, 3, 1));
    int all = NODE(&g, NET_OP_SQUEEZE, "all", x);
    int last = NODE(&g, NET_OP_SQUEEZE, "last", x);
    made_at(&g)->n_axes = 1;
    made_at(&g)->axes[0] = -1;
    int more = NODE(&g, NET_OP_UNSQUEEZE, "more", last);
    made_at(&g)->n_axes = 2;
    made_at(&g)->axes[0] = -1;
    made_at(&g)->axes[1] = 1;
    int turned = NODE(&g, NET_OP_TRANSPOSE, "turned", x);
    made_at(&g)->n_axes = 4;
    memcpy(made_at(&g)->axes, (int64_t[]){0, -2, 1, 3}, 4 * sizeof(int64_t));
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_STR(shape_of(all), "[N, 3]");
    CHECK_STR(shape_of(last), "[N, 1, 3]");
    CHECK_STR(shape_of(more), "[N, 1, 1, 3, 1]");
    CHECK_STR(shape_of(turned), "[N, 3, 1, 1]");
    graph_fini(&g);
    begin();
    x = made_input(&g, "x", DIMS(2, 3, 4));
    check_shape(NODE(&g, NET_OP_TRANSPOSE, "y", x), "[4, 3, 2]");
}

TEST(the_rest_keeps_its_shape)
{
    static const enum net_op ops[] = {NET_OP_RELU, NET_OP_SIGMOID, NET_OP_SOFTMAX, NET_OP_DROPOUT, NET_OP_IDENTITY};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        begin();
        int y = NODE(&g, ops[i], "y", made_input(&g, "x", DIMS(-1, 3, 8)));
        made_at(&g)->axis = -1;
        check_shape(y, "[N, 3, 8]");
    }
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 8)), c = made_constant(&g, "c", DIMS(3), &one, 1);
    check_shape(NODE(&g, NET_OP_BATCH_NORM, "y", x, c, c, c, c), "[N, 3, 8]");
}

/* The many refusals by file are in test_refusals.c; these have no file. */
TEST(refusals_name_node_and_shapes)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 8));
    made_output(&g, NODE(&g, NET_OP_CONV, "conv9", x, made_constant(&g, "w", DIMS(4, 3, 9), &one, 1)));
    CHECK_REFUSED(shape_infer(&g, &error), BURST_E_SHAPE, error, "node 'conv9' (Conv): the window is larger");
    CHECK(!g.value[g.output[0]].shaped);
    graph_fini(&g);
    begin();
    int y = NODE(&g, NET_OP_RELU, "y", made_input(&g, "x", DIMS(-1, 3)));
    made_output(&g, y);
    g.value[y].declared = DIMS(-1, 4);
    CHECK_REFUSED(shape_infer(&g, &error), BURST_E_SHAPE, error, "output 'y' is [N, 3]");
    g.value[y].declared = DIMS(7, 3); /* whatever is said of the batch is not compared */
    CHECK_INT(shape_infer(&g, NULL), BURST_OK);
    graph_fini(&g);
}

int main(void)
{
    RUN(convolution_of_a_row);
    RUN(light_curve_lengths_of_the_paper);
    RUN(pooling_floors_or_ceils);
    RUN(automatic_pads_keep_the_size_of_the_stride);
    RUN(convolution_of_a_plane_with_groups);
    RUN(addition_stretches);
    RUN(concat_flatten_and_global_pooling);
    RUN(mean_over_neighbouring_axes);
    RUN(dense_layers);
    RUN(reshape_copies_zeros_and_works_out_the_rest);
    RUN(squeeze_unsqueeze_and_transpose);
    RUN(the_rest_keeps_its_shape);
    RUN(refusals_name_node_and_shapes);
    return check_report();
}
