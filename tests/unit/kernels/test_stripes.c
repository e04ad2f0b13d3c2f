/* Stripes: numbers by hand. */
#include "check.h"
#include "kernels/stripes.h"

enum { SIDE = 24 };
static float value[SIDE][SIDE];
static uint8_t use[SIDE][SIDE];

static void fill(int row_step, int column_step)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            value[i][j] = (float)((row_step * i + column_step * j) % 2);
            use[i][j] = 1;
        }
}

TEST(rows_of_one_value_measure_the_side)
{
    struct stripes s;
    fill(1, 0); /* rows 0, 1, 0, 1: mean 1/2, variance 1/4; each row 24 (1/2)^2 over 1/4 */
    CHECK(stripes_measure(&value[0][0], &use[0][0], SIDE, &s));
    CHECK_NEAR(s.along_rows, 24, 1e-9);
    CHECK_NEAR(s.along_columns, 0, 1e-9);
    fill(0, 1);
    CHECK(stripes_measure(&value[0][0], &use[0][0], SIDE, &s));
    CHECK_NEAR(s.along_rows, 0, 1e-9);
    CHECK_NEAR(s.along_columns, 24, 1e-9);
}

TEST(a_chessboard_has_no_stripes)
{
    struct stripes s;
    fill(1, 1);
    CHECK(stripes_measure(&value[0][0], &use[0][0], SIDE, &s));
    CHECK_NEAR(s.along_rows, 0, 1e-9);
    CHECK_NEAR(s.along_columns, 0, 1e-9);
}

TEST(short_lines_and_unused_pixels_do_not_count)
{
    struct stripes s;
    fill(1, 0);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < 5; j++) { /* 19 of 24 columns left: no row is long enough */
            value[i][j] = 1e6F;
            use[i][j] = 0;
        }
    CHECK(stripes_measure(&value[0][0], &use[0][0], SIDE, &s));
    CHECK_NEAR(s.along_rows, 0, 0);
    CHECK_NEAR(s.along_columns, 0, 1e-9);
}

TEST(an_empty_or_flat_image_has_no_answer)
{
    struct stripes s = {7, 7};
    fill(0, 0);
    CHECK(!stripes_measure(&value[0][0], &use[0][0], SIDE, &s));
    memset(use, 0, sizeof use);
    CHECK(!stripes_measure(&value[0][0], &use[0][0], SIDE, &s));
    CHECK_NEAR(s.along_rows, 7, 0);
}

int main(void)
{
    RUN(rows_of_one_value_measure_the_side);
    RUN(a_chessboard_has_no_stripes);
    RUN(short_lines_and_unused_pixels_do_not_count);
    RUN(an_empty_or_flat_image_has_no_answer);
    return check_report();
}
