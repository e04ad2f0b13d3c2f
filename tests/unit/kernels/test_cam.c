/* Dense heads and Grad-CAM. Numbers by hand: means 2 and 2; hidden 2 - 2 + 0.5 = 0.5 (open) and -2 - 2 + 1 = -3 (closed); answer
 * 3 x 0.5 = 1.5 and, turned, -1.5; gradient of the first answer through the open unit alone: 3 x (1, -1). */
#include "check.h"
#include "kernels/cam.h"

static const float HIDDEN[2][2] = {{1, -1}, {-1, -1}}, HIDDEN_BIAS[2] = {0.5F, 1}, LAST[2][2] = {{3, 5}, {-3, -5}};
static const struct head HEAD = {2, {{2, 2, &HIDDEN[0][0], HIDDEN_BIAS, true}, {2, 2, &LAST[0][0], NULL, false}}};
static const float PLANES[2][3] = {{1, 2, 3}, {4, 0, 2}};

TEST(a_head_is_means_then_layers)
{
    static const struct layout as = {3, 2, 8, false}, half = {3, 2, 8, true};
    float map[3 * 8], ret[2];
    uint16_t small[3 * 8];
    layout_pack(&as, 1, &PLANES[0][0], map);
    layout_pack(&half, 1, &PLANES[0][0], small);
    head_one(&HEAD, &as, map, ret);
    CHECK_NEAR(ret[0], 1.5, 0);
    CHECK_NEAR(ret[1], -1.5, 0);
    head_one(&HEAD, &half, small, ret); /* small integers are bfloat16 */
    CHECK_NEAR(ret[0], 1.5, 0);
    CHECK_NEAR(ret[1], -1.5, 0);
}

TEST(a_head_without_layers_gives_the_means)
{
    static const struct layout as = {3, 2, 2, false};
    static const float map[3][2] = {{1, 4}, {2, 0}, {3, 2}};
    static const struct head none = {.n_layer = 0};
    float ret[2];
    CHECK_INT(head_n_out(&none, 2), 2);
    head_one(&none, &as, map, ret);
    CHECK_NEAR(ret[0], 2, 0);
    CHECK_NEAR(ret[1], 2, 0);
}

TEST(sums_of_many_positions_leave_none_out)
{
    /* 1 + 2 + ... + n has the mean (n + 1) / 2, whatever the number of parts. */
    static float map[1000];
    static const struct head none = {.n_layer = 0};
    for (int n = 1; n <= 1000; n += n < 70 ? 1 : 93) {
        struct layout as = {n, 1, 1, false};
        float ret;
        for (int t = 0; t < n; t++)
            map[t] = (float)(t + 1);
        head_one(&none, &as, map, &ret);
        CHECK_NEAR(ret, 0.5 * (n + 1), 0);
    }
}

TEST(widths_that_do_not_follow_from_each_other_do_not_fit)
{
    struct head h = HEAD;
    CHECK(head_fits(&h, 2));
    CHECK_INT(head_n_out(&h, 2), 2);
    CHECK(!head_fits(&h, 3));
    CHECK(!head_fits(&h, 0));
    h.layer[1].n_in = 3;
    CHECK(!head_fits(&h, 2));
    h = HEAD;
    h.layer[1].n_out = HEAD_WIDTH_MOST + 1;
    CHECK(!head_fits(&h, 2));
    h.layer[1].n_out = 0;
    CHECK(!head_fits(&h, 2));
    h.n_layer = HEAD_LAYERS + 1;
    CHECK(!head_fits(&h, 2));
}

TEST(a_map_follows_the_open_units_and_is_never_negative)
{
    static const float want[2][3] = {{0, 2, 1}, {3, 0, 0}}; /* max(0, +-(A0 - A1)) */
    static const struct layout as = {3, 2, 8, false};
    float map[3 * 8], ret[3];
    layout_pack(&as, 1, &PLANES[0][0], map);
    for (int index = 0; index < 2; index++) {
        cam_plane(&HEAD, 2, 3, &PLANES[0][0], index, ret);
        for (int t = 0; t < 3; t++)
            CHECK_NEAR(ret[t], want[index][t], 0);
        cam_one(&HEAD, &as, map, index, ret);
        for (int t = 0; t < 3; t++)
            CHECK_NEAR(ret[t], want[index][t], 0);
    }
}

TEST(a_unit_at_zero_is_closed)
{
    static const float weight[1] = {1}, minus[1] = {-2};
    static const struct head h = {2, {{1, 1, weight, minus, true}, {1, 1, weight, NULL, false}}};
    static const float plane[2] = {1, 3}; /* mean 2, less 2 is 0 */
    float ret[2] = {9, 9};
    cam_plane(&h, 1, 2, plane, 0, ret);
    CHECK_NEAR(ret[0], 0, 0);
    CHECK_NEAR(ret[1], 0, 0);
}

int main(void)
{
    RUN(a_head_is_means_then_layers);
    RUN(a_head_without_layers_gives_the_means);
    RUN(sums_of_many_positions_leave_none_out);
    RUN(widths_that_do_not_follow_from_each_other_do_not_fit);
    RUN(a_map_follows_the_open_units_and_is_never_negative);
    RUN(a_unit_at_zero_is_closed);
    return check_report();
}
