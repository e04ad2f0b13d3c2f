/* Plans: steps, places and limits; what lies where is checked against the lifetimes, byte by byte. */
#include "check.h"
#include "made.h"
#include "net/fold.h"
#include "net/plan.h"
#include "net/shape.h"

static struct net_graph g;
static struct net_plan p;
static struct burst_error error;
static const float one = 1;

static void begin(void)
{
    made_init(&g);
    p = (struct net_plan){0};
    error = (struct burst_error){0};
}

static bool plan(int batch, size_t most)
{
    enum burst_err err = shape_infer(&g, &error);
    if (!err) err = fold_graph(&g, &error);
    if (!err) err = plan_make(&g, batch, most, &p, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    return err == BURST_OK;
}

/* No two buffers alive at one step share a byte, and all lie inside the block. */
static void check_places(const struct plan_buffer *b, int n, size_t bytes)
{
    for (int i = 0; i < n; i++) {
        CHECK(b[i].offset % 64 == 0 && b[i].offset + b[i].bytes <= bytes);
        for (int j = 0; j < i; j++) {
            bool together = b[i].first <= b[j].last && b[j].first <= b[i].last;
            bool apart = b[i].offset + b[i].bytes <= b[j].offset || b[j].offset + b[j].bytes <= b[i].offset;
            CHECK_SAY(!together || apart, "buffers %d and %d overlap", i, j);
        }
    }
}

/* x -> conv 3 -> relu -> pool -> flatten -> dense. */
static int small_network(void)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 2, 32));
    int c = NODE(&g, NET_OP_CONV, "c", x, made_constant(&g, "w", DIMS(4, 2, 3), &one, 1));
    int m = NODE(&g, NET_OP_MAX_POOL, "m", NODE(&g, NET_OP_RELU, "r", c));
    made_at(&g)->window.kernel[1] = made_at(&g)->window.stride[1] = 2;
    int f = NODE(&g, NET_OP_FLATTEN, "f", m);
    made_at(&g)->axis = 1;
    int d = NODE(&g, NET_OP_GEMM, "d", f, made_constant(&g, "k", DIMS(60, 5), &one, 1));
    made_output(&g, d);
    return d;
}

TEST(steps_carry_what_a_backend_needs)
{
    (void)small_network();
    if (!plan(3, 1 << 20)) return;
    CHECK_INT(p.n_step, 3);
    CHECK_INT(p.batch, 3);
    const struct plan_step *c = &p.step[0], *m = &p.step[1], *d = &p.step[2];
    CHECK_STR(c->kind, "Conv+Relu");
    CHECK_STR(c->name, "c");
    CHECK(c->op == PLAN_CONV && c->relu && c->add == -1 && c->weight && !c->bias);
    CHECK(c->n_image == 1 && c->n_in == 2 && c->n_out == 4 && c->group == 1);
    CHECK(c->in_size[0] == 1 && c->in_size[1] == 32 && c->out_size[0] == 1 && c->out_size[1] == 30);
    CHECK(c->window.n_spatial == 1 && c->window.kernel[0] == 1 && c->window.kernel[1] == 3);
    CHECK_INT(c->macs, 30 * 4 * 2 * 3);
    CHECK(m->op == PLAN_MAX_POOL && m->out_size[1] == 15 && !m->relu);
    CHECK(d->op == PLAN_DENSE && d->m == 1 && d->k == 60 && d->n == 5);
    CHECK_INT(p.macs, 720 + 300);
    CHECK_STR(plan_op_name(d->op), "Dense");
    CHECK_STR(plan_op_name((enum plan_op)99), "unknown");
    graph_fini(&g);
}

TEST(views_share_the_buffer_of_what_they_show)
{
    (void)small_network();
    if (!plan(1, 1 << 20)) return;
    const struct plan_value *pooled = &p.value[p.step[1].output], *flat = &p.value[p.step[2].input[0]];
    CHECK_INT(flat->buffer, pooled->buffer);
    CHECK_INT(flat->dims.rank, 2);
    CHECK_INT(pooled->dims.rank, 3);
    CHECK(p.value[p.input[0]].at == PLAN_AT_INPUT && p.value[p.input[0]].index == 0);
    graph_fini(&g);
}

TEST(storage_is_shared_over_time_and_exact)
{
    (void)small_network();
    if (!plan(3, 1 << 20)) return;
    check_places(p.buffer, p.n_buffer, p.scratch_bytes);
    /* conv 480 -> 512 bytes, pool 240 -> 256 behind it, dense 20 -> 64 where the convolution was. */
    CHECK_INT(p.scratch_bytes, 512 + 256);
    CHECK_INT(p.n_keep, 1);
    CHECK_INT(p.keep[0].bytes, 20);
    CHECK_INT(p.result_bytes, 64); /* 3 rows of 20 */
    graph_fini(&g);
}

TEST(kept_values_live_to_the_end)
{
    (void)small_network();
    for (int i = 0; i < g.n_node; i++)
        g.value[g.node[i].output].kept = true;
    if (!plan(2, 1 << 20)) return;
    CHECK_INT(p.n_keep, 5); /* output first, then c, r, m, f */
    CHECK_INT(p.keep[0].value, g.output[0]);
    CHECK_INT(p.n_step, 4);
    check_places(p.buffer, p.n_buffer, p.scratch_bytes);
    for (int i = 0; i < p.n_buffer; i++)
        CHECK_INT(p.buffer[i].last, p.n_step);
    graph_fini(&g);
}

TEST(a_network_without_a_batch_dimension_takes_one)
{
    begin();
    made_output(&g, NODE(&g, NET_OP_RELU, "r", made_input(&g, "x", DIMS(4, 5))));
    if (!plan(7, 1 << 20)) return;
    CHECK_INT(p.batch, 1);
    graph_fini(&g);
}

TEST(an_output_may_be_an_input_seen_otherwise)
{
    begin();
    int f = NODE(&g, NET_OP_FLATTEN, "f", made_input(&g, "x", DIMS(-1, 2, 3)));
    made_at(&g)->axis = 1;
    made_output(&g, f);
    if (!plan(2, 1 << 20)) return;
    CHECK_INT(p.n_step, 0);
    CHECK(p.value[p.output[0]].at == PLAN_AT_INPUT);
    graph_fini(&g);
}

TEST(gemm_is_brought_to_one_form)
{
    static const float b[] = {1, 2, 3, 4, 5, 6}, c[] = {10};
    begin();
    int x = made_input(&g, "x", DIMS(3, 2));
    int y =
        NODE(&g, NET_OP_GEMM, "y", x, made_constant(&g, "b", DIMS(3, 2), b, 6), made_constant(&g, "c", DIMS(1), c, 1));
    made_at(&g)->trans_a = true;
    made_at(&g)->alpha = 2;
    made_at(&g)->beta = 0.5F;
    made_output(&g, y);
    if (!plan(1, 1 << 20)) return;
    CHECK_INT(p.n_step, 2);
    CHECK(p.step[0].op == PLAN_TRANSPOSE && p.step[1].op == PLAN_DENSE);
    CHECK_INT(p.step[1].input[0], p.step[0].output);
    CHECK(p.step[1].m == 2 && p.step[1].k == 3 && p.step[1].n == 2);
    static const float want[] = {2, 6, 10, 4, 8, 12}; /* 2 b transposed */
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(p.step[1].weight[i], want[i], 0);
    CHECK_NEAR(p.step[1].bias[0], 5, 0);
    CHECK_NEAR(p.step[1].bias[1], 5, 0);
    graph_fini(&g);
}

TEST(a_matrix_added_by_gemm_is_a_value)
{
    static const float c[] = {1, 2, 3, 4};
    begin();
    int x = made_input(&g, "x", DIMS(2, 3));
    int y = NODE(&g, NET_OP_GEMM, "y", x, made_constant(&g, "b", DIMS(3, 2), &one, 1),
                 made_constant(&g, "c", DIMS(2, 2), c, 4));
    made_at(&g)->beta = 3;
    made_output(&g, y);
    if (!plan(1, 1 << 20)) return;
    CHECK(!p.step[0].bias && p.step[0].add >= 0);
    const struct plan_value *v = &p.value[p.step[0].add];
    CHECK(v->at == PLAN_AT_CONSTANT);
    CHECK_NEAR(v->constant[3], 12, 0);
    graph_fini(&g);
}

TEST(too_much_storage_is_refused)
{
    (void)small_network();
    CHECK_INT(shape_infer(&g, &error), BURST_OK);
    CHECK_INT(fold_graph(&g, &error), BURST_OK);
    CHECK_REFUSED(plan_make(&g, 3, 831, &p, &error), BURST_E_LIMIT, error,
                  "768 bytes of scratch and 64 of results; 831");
    CHECK_INT(p.n_step, 0);
    CHECK_REFUSED(plan_make(&g, 0, 1 << 20, &p, &error), BURST_E_RANGE, error, "0 samples");
    CHECK_INT(plan_make(&g, 3, 832, &p, NULL), BURST_OK);
    graph_fini(&g);
}

TEST(arranging_never_overlaps)
{
    struct plan_buffer b[200];
    uint32_t random = 12345;
    for (int round = 0; round < 50; round++) {
        size_t bytes = 0, peak = 0;
        for (int i = 0; i < 200; i++) {
            random = random * 1664525 + 1013904223;
            int first = (int)(random >> 8) % 100, length = (int)(random >> 20) % 20;
            b[i] =
                (struct plan_buffer){.bytes = 64 * (1 + (random >> 12) % 50), .first = first, .last = first + length};
        }
        CHECK_INT(plan_arrange(b, 200, &bytes, &error), BURST_OK);
        check_places(b, 200, bytes);
        for (int t = 0; t < 120; t++) {
            size_t alive = 0;
            for (int i = 0; i < 200; i++)
                alive += b[i].first <= t && t <= b[i].last ? b[i].bytes : 0;
            peak = alive > peak ? alive : peak;
        }
        CHECK_SAY(bytes >= peak && bytes < 2 * peak, "%zu bytes for a peak of %zu", bytes, peak);
    }
}

TEST(arranging_refuses_what_cannot_be_counted)
{
    struct plan_buffer b[3] = {
        {SIZE_MAX / 2 - 63, 0, 0, 1}, {SIZE_MAX / 2 - 63, 0, 0, 1}, {SIZE_MAX / 2 - 63, 0, 0, 1}};
    size_t bytes = 77;
    CHECK_REFUSED(plan_arrange(b, 3, &bytes, &error), BURST_E_LIMIT, error, "3 buffers");
    CHECK_INT(bytes, 77);
    CHECK_INT(plan_arrange(NULL, 0, &bytes, NULL), BURST_OK);
    CHECK_INT(bytes, 0);
}

TEST(head_is_found_behind_the_pooling)
{
    begin();
    int x = made_input(&g, "x", DIMS(-1, 3, 4, 5));
    int f = NODE(&g, NET_OP_FLATTEN, "f", NODE(&g, NET_OP_GLOBAL_AVERAGE_POOL, "m", NODE(&g, NET_OP_SIGMOID, "s", x)));
    made_at(&g)->axis = 1;
    int d1 = NODE(&g, NET_OP_GEMM, "d1", f, made_constant(&g, "k1", DIMS(3, 7), &one, 1));
    int d2 = NODE(&g, NET_OP_GEMM, "d2", NODE(&g, NET_OP_RELU, "r", d1), made_constant(&g, "k2", DIMS(7, 2), &one, 1));
    made_output(&g, d2);
    if (!plan(1, 1 << 20)) return;
    struct net_head h;
    CHECK_INT(plan_head(&p, &h, &error), BURST_OK);
    CHECK_STR(h.name, "s");
    CHECK(h.n_channel == 3 && h.n_position == 20 && h.size[0] == 4 && h.size[1] == 5);
    CHECK(h.n_layer == 2 && h.layer[0].n_in == 3 && h.layer[0].n_out == 7 && h.layer[0].relu && !h.layer[1].relu);
    CHECK_INT(p.n_keep, 2); /* the output and the feature map */
    graph_fini(&g);
}

/* A network that ends in something else, and what the refusal says of it. */
static void check_no_head(int output, const char *why)
{
    struct net_head h = {.n_layer = 99};
    made_output(&g, output);
    if (plan(1, 1 << 20)) CHECK_REFUSED(plan_head(&p, &h, &error), BURST_E_UNSUPPORTED, error, why);
    CHECK_INT(h.n_layer, 99);
    graph_fini(&g);
}

TEST(other_endings_have_no_head)
{
    (void)small_network();
    g.n_output = 0;
    check_no_head(g.node[4].output, "'m' is MaxPool");
    begin();
    check_no_head(NODE(&g, NET_OP_SIGMOID, "s", made_input(&g, "x", DIMS(-1, 3, 4))), "'s' is Sigmoid");
    begin();
    check_no_head(
        NODE(&g, NET_OP_GLOBAL_AVERAGE_POOL, "m", NODE(&g, NET_OP_SIGMOID, "s", made_input(&g, "x", DIMS(-1, 3, 4)))),
        "'m' is Mean");
    begin();
    int x = made_input(&g, "x", DIMS(-1, 6));
    check_no_head(NODE(&g, NET_OP_GEMM, "d", x, made_constant(&g, "k", DIMS(6, 2), &one, 1)), "'x' is an input");
    begin();
    x = made_input(&g, "x", DIMS(-1, 6));
    int d = NODE(&g, NET_OP_GEMM, "d", x, made_constant(&g, "k", DIMS(6, 2), &one, 1));
    made_output(&g, d);
    check_no_head(NODE(&g, NET_OP_SIGMOID, "s", d), "2 outputs");
}

int main(void)
{
    RUN(steps_carry_what_a_backend_needs);
    RUN(views_share_the_buffer_of_what_they_show);
    RUN(storage_is_shared_over_time_and_exact);
    RUN(kept_values_live_to_the_end);
    RUN(a_network_without_a_batch_dimension_takes_one);
    RUN(an_output_may_be_an_input_seen_otherwise);
    RUN(gemm_is_brought_to_one_form);
    RUN(a_matrix_added_by_gemm_is_a_value);
    RUN(too_much_storage_is_refused);
    RUN(arranging_never_overlaps);
    RUN(arranging_refuses_what_cannot_be_counted);
    RUN(head_is_found_behind_the_pooling);
    RUN(other_endings_have_no_head);
    return check_report();
}
