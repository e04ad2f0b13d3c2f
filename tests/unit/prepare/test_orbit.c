/* Paths against one integrated by scipy (DOP853, 1e-12) with the Earth's J2, J3 and J4: 600 km high, 29 degrees
 * inclined. */
#include "check.h"
#include "prepare/orbit.h"

static const struct {
    double t_s, km[3];
} PATH[] = {
    {-60, {5625.552504454, 3611.173893137, 2001.694193934}}, {-30, {5488.456921113, 3769.113737227, 2089.250773415}},
    {0, {5345.563072173, 3923.071713593, 2174.594160343}},   {5, {5321.194243277, 3948.332781756, 2188.596512008}},
    {10, {5296.669256104, 3973.477980284, 2202.534461214}},  {30, {5197.022213232, 4072.885390764, 2257.634070334}},
    {60, {5042.991535661, 4218.396721451, 2338.282662426}},  {90, {4883.633999869, 4359.452206850, 2416.454630639}},
    {120, {4719.118162722, 4495.903056077, 2492.067292825}},
};

static struct orbit_point at(double t_s)
{
    struct orbit_point p = {(int64_t)(t_s * 1e9), {0}};
    for (size_t i = 0; i < sizeof PATH / sizeof *PATH; i++)
        if (fabs(PATH[i].t_s - t_s) < 1e-9) memcpy(p.km, PATH[i].km, sizeof p.km);
    return p;
}

/* How far orbit_at is from the path; the bound must hold and must not be idle. */
static double miss(double a_s, double b_s, double t_s)
{
    struct orbit_point a = at(a_s), b = at(b_s), want = at(t_s);
    double km[3], bound = orbit_at(&a, &b, want.t_ns, km);
    double off = hypot(hypot(km[0] - want.km[0], km[1] - want.km[1]), km[2] - want.km[2]);
    CHECK_SAY(off <= bound, "%g, %g at %g: %.3g km off, %.3g told", a_s, b_s, t_s, off, bound);
    CHECK_SAY(bound < 30 * off + 1e-4, "%g, %g at %g: %.3g km off, %.3g told", a_s, b_s, t_s, off, bound);
    return off;
}

TEST(between_two_points_gravity_bends_the_path)
{
    CHECK(miss(0, 10, 5) < 1e-5);
    CHECK(miss(0, 60, 30) < 0.002);
    CHECK(miss(0, 60, 5) < 0.002);
    CHECK(miss(-60, 60, 0) < 0.03);
    CHECK(miss(0, 120, 90) < 0.03);
    CHECK(miss(0, 10, 0) < 1e-12 && miss(0, 10, 10) < 1e-12);
}

TEST(past_two_points_the_motion_goes_on_either_way)
{
    CHECK(miss(-60, 0, 60) < 0.05);
    CHECK(miss(0, 10, 60) < 0.05);
    CHECK(miss(0, 5, 10) < 1e-4);
    CHECK(miss(60, 120, 0) < 0.05);
    CHECK(miss(0, 30, -30) < 0.01);
}

TEST(nothing_gets_farther_than_escape_velocity)
{
    const double km[3] = {0, 6978.137, 0};
    CHECK_NEAR(orbit_reach_km(km, -2), 2 * 10.68843, 1e-4); /* sqrt(2 x 398600.4418 / 6978.137) km/s */
}

/* Half-angles by hand: z turned by 90 degrees is [0, 0, sin 45, cos 45]. */
TEST(a_turn_is_even_and_takes_the_short_way)
{
    const double none[4] = {0, 0, 0, 1}, quarter[4] = {0, 0, sqrt(0.5), sqrt(0.5)};
    const double other_sign[4] = {0, 0, -sqrt(0.5), -sqrt(0.5)};
    double q[4], x[3];
    for (int i = 0; i < 2; i++) {
        turn_between(none, i ? other_sign : quarter, 1.0 / 3.0, q);
        CHECK_NEAR(fabs(q[2]), sin(15 * M_PI / 180), 1e-12);
        CHECK_NEAR(fabs(q[3]), cos(15 * M_PI / 180), 1e-12);
        turn_vector(q, (const double[3]){1, 0, 0}, x);
        CHECK_NEAR(x[0], cos(30 * M_PI / 180), 1e-12);
        CHECK_NEAR(x[1], sin(30 * M_PI / 180), 1e-12);
    }
    turn_between(quarter, quarter, 0.7, q);
    CHECK_NEAR(q[2], sqrt(0.5), 1e-12);
    turn_between(none, (const double[4]){1, 0, 0, 0}, 0.5, q); /* half a turn: either way, but of length 1 */
    CHECK_NEAR(q[0] * q[0] + q[3] * q[3], 1, 1e-12);
}

TEST(a_vector_is_turned_from_the_spacecraft_to_the_sky)
{
    double v[3];
    turn_vector((const double[4]){sqrt(0.5), 0, 0, sqrt(0.5)}, (const double[3]){0, 0, 1}, v); /* 90 degrees about x */
    CHECK_NEAR(v[1], -1, 1e-12);
    turn_vector((const double[4]){0.5, 0.5, 0.5, 0.5}, (const double[3]){1, 2, 3}, v); /* x to y to z to x */
    CHECK_NEAR(v[0], 3, 1e-12);
    CHECK_NEAR(v[1], 1, 1e-12);
    CHECK_NEAR(v[2], 2, 1e-12);
}

int main(void)
{
    RUN(between_two_points_gravity_bends_the_path);
    RUN(past_two_points_the_motion_goes_on_either_way);
    RUN(nothing_gets_farther_than_escape_velocity);
    RUN(a_turn_is_even_and_takes_the_short_way);
    RUN(a_vector_is_turned_from_the_spacecraft_to_the_sky);
    return check_report();
}
