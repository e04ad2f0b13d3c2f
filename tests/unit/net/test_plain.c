/* The plain backend, step by step on graphs made by hand; numbers by hand or numpy. Whole networks are in test_golden.c. */
#include "check.h"
#include "made.h"
#include "net/backend.h"
#include "net/fold.h"
#include "net/shape.h"

static struct net_graph g;
static struct net_plan p;
static struct burst_error error;

static void begin(void)
{
    made_init(&g);
    error = (struct burst_error){0};
}

/* Run n samples; the first output goes to ret. */
static void run(int n, const float *const *input, float *ret)
{
    void *code = NULL;
    enum burst_err err = shape_infer(&g, &error);
    if (!err) err = fold_graph(&g, &error);
    if (!err) err = plan_make(&g, n, 1 << 20, &p, &error);
    if (!err) err = net_backend_plain.compile(NULL, &p, &code, &error);
    if (!err) err = net_backend_plain.run(code, input, n, &error);
    if (!err) err = net_backend_plain.read(code, 0, n, ret, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    net_backend_plain.release(code);
    graph_fini(&g);
}

static void check_numbers(const float *got, const float *want, int n)
{
    for (int i = 0; i < n; i++)
        CHECK_SAY(fabsf(got[i] - want[i]) <= 1e-6F * fmaxf(1, fabsf(want[i])), "[%d] is %g, not %g", i, (double)got[i],
                  (double)want[i]);
}

static const float counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

TEST(samples_do_not_see_one_another)
{
    static const float w[] = {1, 10};
    float y[4];
    begin();
    int x = made_input(&g, "x", DIMS(-1, 2, 2));
    made_output(&g, NODE(&g, NET_OP_CONV, "c", x, made_constant(&g, "w", DIMS(1, 2, 1), w, 2)));
    run(2, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){20, 31, 64, 75}, 4);
}

TEST(a_sample_may_hold_several_images)
{
    static const float w[] = {1, 10};
    float y[4];
    begin();
    int x = made_input(&g, "x", DIMS(2, 2, 2));
    made_output(&g, NODE(&g, NET_OP_CONV, "c", x, made_constant(&g, "w", DIMS(1, 2, 1), w, 2)));
    run(1, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){20, 31, 64, 75}, 4);
}

TEST(residual_is_added_before_the_relu)
{
    static const float w = -1;
    float y[4];
    begin();
    int x = made_input(&g, "x", DIMS(-1, 1, 4)),
        c = NODE(&g, NET_OP_CONV, "c", x, made_constant(&g, "w", DIMS(1, 1, 1), &w, 1));
    int z = made_input(&g, "z", DIMS(-1, 1, 4));
    made_output(&g, NODE(&g, NET_OP_RELU, "r", NODE(&g, NET_OP_ADD, "a", c, z)));
    static const float other[] = {2, 2, 2, 2};
    run(1, (const float *const[]){counting, other}, y);
    check_numbers(y, (const float[]){2, 1, 0, 0}, 4);
}

TEST(two_operands_are_added_with_stretching)
{
    static const float a[] = {100, 200, 300};
    float y[6];
    begin();
    int x = made_input(&g, "x", DIMS(-1, 1, 2));
    made_output(&g, NODE(&g, NET_OP_RELU, "r", NODE(&g, NET_OP_ADD, "a", x, made_constant(&g, "k", DIMS(3, 1), a, 3))));
    run(1, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){100, 101, 200, 201, 300, 301}, 6);
}

TEST(concatenation_along_any_axis)
{
    float y[12];
    for (int axis = 1; axis <= 2; axis++) {
        begin();
        int a = made_input(&g, "a", DIMS(-1, 2, 2)),
            b = axis == 1 ? made_input(&g, "b", DIMS(-1, 1, 2)) : made_input(&g, "b", DIMS(-1, 2, 1));
        made_output(&g, NODE(&g, NET_OP_CONCAT, "c", a, b));
        made_at(&g)->axis = axis;
        static const float other[] = {50, 60, 70, 80};
        run(2, (const float *const[]){counting, other}, y);
        static const float want[2][12] = {{0, 1, 2, 3, 50, 60, 4, 5, 6, 7, 70, 80},
                                          {0, 1, 50, 2, 3, 60, 4, 5, 70, 6, 7, 80}};
        check_numbers(y, want[axis - 1], 12);
    }
}

TEST(stacks_of_matrices_multiply)
{
    /* numpy: matmul(arange(12).reshape(2, 2, 3), arange(12).reshape(2, 3, 2)) and by the first matrix alone */
    float y[8];
    begin();
    int a = made_input(&g, "a", DIMS(2, 2, 3)), b = made_input(&g, "b", DIMS(2, 3, 2));
    made_output(&g, NODE(&g, NET_OP_MATMUL, "m", a, b));
    run(1, (const float *const[]){counting, counting}, y);
    check_numbers(y, (const float[]){10, 13, 28, 40, 172, 193, 244, 274}, 8);
    begin();
    a = made_input(&g, "a", DIMS(2, 3));
    b = made_input(&g, "b", DIMS(2, 3, 2));
    made_output(&g, NODE(&g, NET_OP_MATMUL, "m", a, b));
    run(1, (const float *const[]){counting, counting}, y);
    check_numbers(y, (const float[]){10, 13, 28, 40, 28, 31, 100, 112}, 8);
}

TEST(gemm_with_everything)
{
    /* 0.5 x^T w^T + 2 c for x = arange(6).reshape(3, 2), w = arange(6).reshape(2, 3), c = [[1, 2], [3, 4]] */
    static const float c[] = {1, 2, 3, 4};
    float y[4];
    begin();
    int x = made_input(&g, "x", DIMS(3, 2));
    int w = made_constant(&g, "w", DIMS(2, 3), counting, 6), k = made_constant(&g, "c", DIMS(2, 2), c, 4);
    int m = NODE(&g, NET_OP_GEMM, "m", x, w, k);
    made_at(&g)->trans_a = made_at(&g)->trans_b = true;
    made_at(&g)->alpha = 0.5F;
    made_at(&g)->beta = 2;
    made_output(&g, m);
    run(1, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){7, 18, 12.5F, 28}, 4);
}

TEST(means_softmax_sigmoid_and_transposition)
{
    float y[24];
    begin();
    int m = NODE(&g, NET_OP_REDUCE_MEAN, "m", made_input(&g, "x", DIMS(-1, 2, 3)));
    made_at(&g)->n_axes = 1;
    made_at(&g)->axes[0] = 1;
    made_output(&g, m);
    run(2, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){1.5F, 2.5F, 3.5F, 7.5F, 8.5F, 9.5F}, 6);
    begin();
    int s = NODE(&g, NET_OP_SOFTMAX, "s", made_input(&g, "x", DIMS(-1, 1, 2)));
    made_at(&g)->axis = 1;
    made_at(&g)->coerce_2d = true; /* both remaining dimensions are one axis */
    made_output(&g, s);
    run(1, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){0.26894142F, 0.73105858F}, 2);
    begin();
    int t = NODE(&g, NET_OP_TRANSPOSE, "t", NODE(&g, NET_OP_SIGMOID, "s", made_input(&g, "x", DIMS(2, 2))));
    made_output(&g, t);
    run(1, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){0.5F, 0.88079708F, 0.73105858F, 0.95257413F}, 4);
}

TEST(a_batch_norm_alone_scales)
{
    static const float one = 1, two = 2, variance = 4 - 1e-5F;
    float y[4];
    begin();
    int x = made_input(&g, "x", DIMS(-1, 2, 2)), o = made_constant(&g, "o", DIMS(2), &one, 1);
    int s = made_constant(&g, "s", DIMS(2), &two, 1), v = made_constant(&g, "v", DIMS(2), &variance, 1);
    made_output(&g, NODE(&g, NET_OP_RELU, "r", NODE(&g, NET_OP_BATCH_NORM, "b", x, s, o, s, v)));
    run(1, (const float *const[]){counting}, y);
    check_numbers(y, (const float[]){0, 0, 1, 2}, 4); /* (x - 2) 2 / 2 + 1 */
}

TEST(an_output_that_is_an_input_or_a_constant_is_copied)
{
    float y[6];
    begin();
    made_output(&g, NODE(&g, NET_OP_IDENTITY, "i", made_input(&g, "x", DIMS(-1, 3))));
    run(2, (const float *const[]){counting}, y);
    check_numbers(y, counting, 6);
    begin();
    made_output(&g, made_constant(&g, "k", DIMS(6), counting, 6));
    run(1, NULL, y);
    check_numbers(y, counting, 6);
}

TEST(backends_are_found_by_word_and_id)
{
    enum net_backend_id id = NET_BACKEND_N;
    CHECK_INT(backend_parse("plain", &id, &error), BURST_OK);
    CHECK_INT(id, NET_BACKEND_PLAIN);
    CHECK_INT(backend_parse("auto", &id, NULL), BURST_OK);
    CHECK_INT(id, NET_BACKEND_AUTO);
    CHECK_INT(backend_parse("cpu", &id, NULL), BURST_OK);
    CHECK_INT(id, NET_BACKEND_CPU);
    CHECK_REFUSED(backend_parse("gpu", &id, &error), BURST_E_RANGE, error, "'gpu' is none of auto, plain, cpu");
    CHECK_INT(id, NET_BACKEND_CPU);
    CHECK(backend_of(NET_BACKEND_PLAIN) == &net_backend_plain);
    CHECK(backend_of(NET_BACKEND_AUTO) != NULL);
    CHECK(backend_of(NET_BACKEND_N) == NULL);
    net_backend_plain.release(NULL);
}

int main(void)
{
    RUN(samples_do_not_see_one_another);
    RUN(a_sample_may_hold_several_images);
    RUN(residual_is_added_before_the_relu);
    RUN(two_operands_are_added_with_stretching);
    RUN(concatenation_along_any_axis);
    RUN(stacks_of_matrices_multiply);
    RUN(gemm_with_everything);
    RUN(means_softmax_sigmoid_and_transposition);
    RUN(a_batch_norm_alone_scales);
    RUN(an_output_that_is_an_input_or_a_constant_is_copied);
    RUN(backends_are_found_by_word_and_id);
    return check_report();
}
