/* Folding: what goes, what stays, and the numbers of a folded batch norm by hand. */
#include "check.h"
#include "made.h"
#include "net/fold.h"
#include "net/shape.h"

static struct net_graph g;
static struct burst_error error;
static const float one = 1;

static int begin(void)
{
    made_init(&g);
    error = (struct burst_error){0};
    return made_input(&g, "x", DIMS(-1, 2, 8));
}

static int conv(const char *name, int x)
{
    static const float w[] = {1, 2, 3, 4};
    return NODE(&g, NET_OP_CONV, name, x, made_constant(&g, "w", DIMS(2, 2, 1), w, 4));
}

static int norm(const char *name, int x)
{
    static const float scale[] = {2, 3}, bias[] = {10, 20}, mean[] = {1, -1}, variance[] = {4 - 1e-5F, 0.25F - 1e-5F};
    return NODE(&g, NET_OP_BATCH_NORM, name, x, made_constant(&g, "s", DIMS(2), scale, 2),
                made_constant(&g, "b", DIMS(2), bias, 2), made_constant(&g, "m", DIMS(2), mean, 2),
                made_constant(&g, "v", DIMS(2), variance, 2));
}

/* Infer and fold; the nodes that are left must be these, in order. */
static void fold_to(const char *want)
{
    char got[400] = "";
    CHECK_SAY(shape_infer(&g, &error) == BURST_OK, "%s", error.text);
    CHECK_SAY(fold_graph(&g, &error) == BURST_OK, "%s", error.text);
    for (int i = 0; i < g.n_node; i++) {
        const struct net_node *node = &g.node[i];
        size_t n = strlen(got);
        (void)snprintf(got + n, sizeof got - n, "%s%s:%s%s>%s", i ? " " : "", node->name, node->add >= 0 ? "+" : "",
                       node->relu ? "r" : "", g.value[node->output].name);
        CHECK_INT(g.value[node->output].maker, i);
    }
    CHECK_STR(got, want);
}

static const float *constant_of(int node, int input)
{
    return g.value[g.node[node].input[input]].constant->f32;
}

TEST(batch_norm_goes_into_the_convolution)
{
    made_output(&g, norm("bn", conv("c", begin())));
    fold_to("c:>bn");
    /* Channel 0: factor 2 / sqrt(4) = 1, shift 10 - 1 = 9. Channel 1: factor 3 / sqrt(0.25) = 6, shift 20 + 6 = 26. */
    static const float want[] = {1, 2, 18, 24};
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(constant_of(0, 1)[i], want[i], 1e-5);
    CHECK_NEAR(constant_of(0, 2)[0], 9, 1e-5);
    CHECK_NEAR(constant_of(0, 2)[1], 26, 1e-5);
    graph_fini(&g);
}

TEST(a_bias_before_the_batch_norm_is_scaled_too)
{
    static const float bias[] = {5, 7};
    int x = begin();
    int c = NODE(&g, NET_OP_CONV, "c", x, made_constant(&g, "w", DIMS(2, 2, 1), &one, 1),
                 made_constant(&g, "bias", DIMS(2), bias, 2));
    made_output(&g, norm("bn", c));
    fold_to("c:>bn");
    CHECK_NEAR(constant_of(0, 2)[0], 5 + 9, 1e-5);
    CHECK_NEAR(constant_of(0, 2)[1], 7 * 6 + 26, 1e-4);
    graph_fini(&g);
}

TEST(shared_weights_are_not_changed)
{
    int x = begin(), c = conv("c", x);
    int w = g.node[0].input[1];
    int other = NODE(&g, NET_OP_CONV, "d", x, w);
    made_output(&g, norm("bn", c));
    made_output(&g, other);
    fold_to("c:>bn d:>d");
    CHECK_NEAR(constant_of(1, 1)[3], 4, 0);
    graph_fini(&g);
}

TEST(two_batch_norms_in_a_row_both_go)
{
    made_output(&g, norm("bn2", norm("bn1", conv("c", begin()))));
    fold_to("c:>bn2");
    CHECK_NEAR(constant_of(0, 1)[2], 3 * 36, 1e-3);
    CHECK_NEAR(constant_of(0, 2)[0], 9 + 9, 1e-4);
    graph_fini(&g);
}

TEST(batch_norm_of_its_own_becomes_factor_and_shift)
{
    int x = begin();
    made_output(&g, NODE(&g, NET_OP_RELU, "r", norm("bn", x)));
    fold_to("bn:r>r");
    CHECK_INT(g.node[0].n_input, 3);
    CHECK_NEAR(constant_of(0, 1)[1], 6, 1e-5);
    CHECK_NEAR(constant_of(0, 2)[1], 26, 1e-4);
    graph_fini(&g);
}

TEST(a_residual_block_becomes_its_convolutions)
{
    int x = begin();
    int a = norm("bn1", conv("c1", x)), r = NODE(&g, NET_OP_RELU, "r1", a);
    int b = norm("bn2", conv("c2", r)), s = norm("bn3", conv("short", x));
    made_output(&g, NODE(&g, NET_OP_RELU, "r2", NODE(&g, NET_OP_ADD, "add", b, s)));
    fold_to("c1:r>r1 c2:>bn2 short:+r>r2");
    CHECK_STR(g.value[g.node[2].add].name, "bn2");
    graph_fini(&g);
}

TEST(the_addition_goes_to_the_operand_that_can_take_it)
{
    int x = begin(), c = conv("c", x), y = NODE(&g, NET_OP_SIGMOID, "s", x);
    made_output(&g, NODE(&g, NET_OP_ADD, "add", c, y));
    fold_to("s:>s c:+>add"); /* the convolution moves behind what it adds */
    graph_fini(&g);
}

TEST(a_value_that_is_read_twice_is_not_fused)
{
    int x = begin(), c = conv("c", x), r = NODE(&g, NET_OP_RELU, "r", c);
    made_output(&g, NODE(&g, NET_OP_ADD, "add", r, c));
    fold_to("c:>c r:>r add:>add");
    graph_fini(&g);
    x = begin();
    c = conv("c", x);
    made_output(&g, NODE(&g, NET_OP_ADD, "add", c, c));
    fold_to("c:>c add:>add");
    graph_fini(&g);
}

TEST(outputs_and_kept_values_stay)
{
    int c = conv("c", begin());
    made_output(&g, c);
    made_output(&g, NODE(&g, NET_OP_RELU, "r", c));
    fold_to("c:>c r:>r");
    graph_fini(&g);
    int bn = norm("bn", conv("c", begin()));
    g.value[bn].kept = true;
    made_output(&g, NODE(&g, NET_OP_RELU, "r", bn));
    fold_to("c:>bn r:>r");
    graph_fini(&g);
}

TEST(stretched_additions_are_not_residuals)
{
    int x = begin(), c = conv("c", x), m = NODE(&g, NET_OP_GLOBAL_AVERAGE_POOL, "m", x);
    made_output(&g, NODE(&g, NET_OP_ADD, "add", c, m));
    fold_to("c:>c m:>m add:>add");
    graph_fini(&g);
}

TEST(an_added_constant_becomes_the_bias)
{
    static const float bias[] = {5, 7};
    int c = conv("c", begin());
    made_output(&g, NODE(&g, NET_OP_ADD, "add", made_constant(&g, "k", DIMS(1, 2, 1), bias, 2), c));
    fold_to("c:>add");
    CHECK_NEAR(constant_of(0, 2)[1], 7, 0);
    graph_fini(&g);
    int x = begin();
    int m = NODE(&g, NET_OP_MATMUL, "m", x, made_constant(&g, "w", DIMS(8, 3), &one, 1));
    made_output(&g,
                NODE(&g, NET_OP_RELU, "r", NODE(&g, NET_OP_ADD, "add", m, made_constant(&g, "k", DIMS(3), bias, 2))));
    fold_to("m:r>r");
    CHECK_NEAR(constant_of(0, 2)[1], 7, 0);
    graph_fini(&g);
}

TEST(a_constant_along_another_axis_is_no_bias)
{
    int c = conv("c", begin());
    made_output(&g, NODE(&g, NET_OP_ADD, "add", c, made_constant(&g, "k", DIMS(8), &one, 1)));
    fold_to("c:>c add:>add");
    graph_fini(&g);
}

TEST(dropout_and_identity_go_unless_they_are_asked_for)
{
    int x = begin(), d = NODE(&g, NET_OP_DROPOUT, "d", NODE(&g, NET_OP_IDENTITY, "i", conv("c", x)));
    made_output(&g, NODE(&g, NET_OP_RELU, "r", d));
    fold_to("c:r>r");
    graph_fini(&g);
    d = NODE(&g, NET_OP_DROPOUT, "d", begin());
    made_output(&g, d);
    fold_to("d:>d");
    graph_fini(&g);
}

TEST(impossible_batch_norms_are_refused)
{
    static const float negative = -1, huge = 3e38F, tiny = 1e-30F;
    int x = begin(), o = made_constant(&g, "one", DIMS(2), &one, 1);
    int v = made_constant(&g, "v", DIMS(2), &negative, 1);
    made_output(&g, NODE(&g, NET_OP_BATCH_NORM, "bn7", x, o, o, o, v));
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_REFUSED(fold_graph(&g, &error), BURST_E_RANGE, error, "node 'bn7' (BatchNormalization): channel 0");
    graph_fini(&g);
    int c = conv("c", begin());
    o = made_constant(&g, "one", DIMS(2), &one, 1);
    int s = made_constant(&g, "s", DIMS(2), &huge, 1);
    v = made_constant(&g, "v", DIMS(2), &tiny, 1);
    made_output(&g, NODE(&g, NET_OP_BATCH_NORM, "bn8", c, s, o, o, v));
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_REFUSED(fold_graph(&g, NULL), BURST_E_RANGE, error, "");
    graph_fini(&g);
}

TEST(too_small_a_pool_is_refused)
{
    made_output(&g, norm("bn", conv("c", begin())));
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    g.pool_most = g.pool_bytes + 64;
    CHECK_REFUSED(fold_graph(&g, &error), BURST_E_LIMIT, error, "bytes allowed");
    graph_fini(&g);
}

int main(void)
{
    RUN(batch_norm_goes_into_the_convolution);
    RUN(a_bias_before_the_batch_norm_is_scaled_too);
    RUN(shared_weights_are_not_changed);
    RUN(two_batch_norms_in_a_row_both_go);
    RUN(batch_norm_of_its_own_becomes_factor_and_shift);
    RUN(a_residual_block_becomes_its_convolutions);
    RUN(the_addition_goes_to_the_operand_that_can_take_it);
    RUN(a_value_that_is_read_twice_is_not_fused);
    RUN(outputs_and_kept_values_stay);
    RUN(stretched_additions_are_not_residuals);
    RUN(an_added_constant_becomes_the_bias);
    RUN(a_constant_along_another_axis_is_no_bias);
    RUN(dropout_and_identity_go_unless_they_are_asked_for);
    RUN(impossible_batch_norms_are_refused);
    RUN(too_small_a_pool_is_refused);
    return check_report();
}
