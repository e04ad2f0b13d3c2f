/* The small kernels of the network runtime: dense, middle, pointwise, transpose. Values by hand unless said. */
#include "check.h"
#include "kernels/dense.h"
#include "kernels/middle.h"
#include "kernels/pointwise.h"
#include "kernels/transpose.h"

TEST(dense_multiplies_rows_by_rows)
{
    const float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 0, -1, 2, 2, 2}, bias[] = {10, 20};
    float y[4];
    dense_rows(2, 2, 3, x, w, bias, y);
    CHECK_NEAR(y[0], 8, 0);
    CHECK_NEAR(y[1], 32, 0);
    CHECK_NEAR(y[2], 8, 0);
    CHECK_NEAR(y[3], 50, 0);
    dense_rows(1, 2, 3, x, w, NULL, y);
    CHECK_NEAR(y[0], -2, 0);
    CHECK_NEAR(y[1], 12, 0);
}

TEST(dense_sums_rows_of_any_length)
{
    float x[40], w[40], y;
    for (int n = 1; n <= 40; n++) {
        for (int i = 0; i < n; i++) {
            x[i] = (float)(i + 1);
            w[i] = 1;
        }
        dense_rows(1, 1, n, x, w, NULL, &y);
        CHECK_NEAR(y, n * (n + 1) / 2, 0);
    }
}

TEST(matrices_multiply)
{
    const float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8, 9, 10};
    float y[6];
    matrix_multiply(2, 3, 2, a, b, y);
    const float want[] = {21, 24, 27, 47, 54, 61};
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(y[i], want[i], 0);
}

TEST(mean_runs_over_the_middle)
{
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    float y[4];
    mean_middle(2, 3, 2, x, y);
    CHECK_NEAR(y[0], 3, 0);
    CHECK_NEAR(y[1], 4, 0);
    CHECK_NEAR(y[2], 9, 0);
    CHECK_NEAR(y[3], 10, 0);
}

TEST(softmax_sums_to_one_and_does_not_overflow)
{
    const float x[] = {1000, 1001, 1002};
    float y[3];
    softmax_middle(1, 3, 1, x, y);
    CHECK_NEAR(y[0], 0.09003057, 1e-7); /* scipy.special.softmax([0, 1, 2]) */
    CHECK_NEAR(y[1], 0.24472847, 1e-7);
    CHECK_NEAR(y[2], 0.66524096, 1e-7);
    const float columns[] = {0, 5, 0, 5};
    float z[4];
    softmax_middle(1, 2, 2, columns, z);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(z[i], 0.5, 1e-7);
}

TEST(scale_is_by_channel)
{
    float x[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const float factor[] = {10, -1}, shift[] = {1, 0.5F}, want[] = {11, 21, -2.5F, -3.5F, 51, 61, -6.5F, -7.5F};
    scale_middle(2, 2, 2, x, factor, shift, x);
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(x[i], want[i], 0);
}

TEST(relu_and_sigmoid)
{
    float x[] = {-2, 0, 3, NAN}, y[3];
    relu_all(4, x, x);
    CHECK_NEAR(x[0], 0, 0);
    CHECK_NEAR(x[1], 0, 0);
    CHECK_NEAR(x[2], 3, 0);
    CHECK(isnan(x[3]));
    const float z[] = {0, 2, -100};
    sigmoid_all(3, z, y);
    CHECK_NEAR(y[0], 0.5, 0);
    CHECK_NEAR(y[1], 0.88079708, 1e-7);
    CHECK_NEAR(y[2], 0, 1e-30);
}

TEST(add_stretches_as_numpy_does)
{
    const float a[] = {1, 2, 3, 4, 5, 6}, row[] = {10, 20, 30}, column[] = {100, 200};
    const int64_t dim[] = {2, 3}, whole[] = {3, 1}, along[] = {0, 1}, down[] = {1, 0};
    float y[6];
    add_broadcast(2, dim, a, whole, row, along, y);
    const float want_row[] = {11, 22, 33, 14, 25, 36}, want_outer[] = {110, 120, 130, 210, 220, 230};
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(y[i], want_row[i], 0);
    add_broadcast(2, dim, column, down, row, along, y);
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(y[i], want_outer[i], 0);
    add_broadcast(0, NULL, a, NULL, row, NULL, y);
    CHECK_NEAR(y[0], 11, 0);
    add_into(3, row, y);
    CHECK_NEAR(y[0], 21, 0);
    CHECK_NEAR(y[2], 160, 0);
}

TEST(transpose_reorders_dimensions)
{
    float x[24], y[24];
    const int64_t dim[] = {2, 3, 4};
    const int perm[] = {2, 0, 1};
    for (int i = 0; i < 24; i++)
        x[i] = (float)i;
    transpose_dims(3, dim, perm, x, y);
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 3; b++)
            for (int c = 0; c < 4; c++)
                CHECK_NEAR(y[(c * 2 + a) * 3 + b], a * 12 + b * 4 + c, 0);
    transpose_dims(0, NULL, NULL, x + 7, y);
    CHECK_NEAR(y[0], 7, 0);
}

int main(void)
{
    RUN(dense_multiplies_rows_by_rows);
    RUN(dense_sums_rows_of_any_length);
    RUN(matrices_multiply);
    RUN(mean_runs_over_the_middle);
    RUN(softmax_sums_to_one_and_does_not_overflow);
    RUN(scale_is_by_channel);
    RUN(relu_and_sigmoid);
    RUN(add_stretches_as_numpy_does);
    RUN(transpose_reorders_dimensions);
    return check_report();
}
