/* Angles by hand. */
#include "check.h"
#include "records/platform.h"

TEST(separation_is_the_angle_on_the_sphere)
{
    const double pole[2] = {123, 90}, equator[2] = {10, 0}, far[2] = {190, 0}, near[2] = {10.0001, 0};
    CHECK_NEAR(platform_separation_deg(pole, equator), 90, 1e-12);
    CHECK_NEAR(platform_separation_deg(equator, far), 180, 1e-12);
    CHECK_NEAR(platform_separation_deg(equator, near), 1e-4, 1e-12); /* acos of the product would lose this */
    CHECK_NEAR(platform_separation_deg(equator, equator), 0, 0);
    /* cos = sin 30 sin 60 + cos 30 cos 60 cos 90 = 0.4330127 */
    CHECK_NEAR(platform_separation_deg((const double[2]){0, 30}, (const double[2]){90, 60}), 64.341093, 1e-6);
    CHECK_NEAR(platform_separation_deg((const double[2]){359, 0}, (const double[2]){1, 0}), 2, 1e-12);
}

TEST(a_direction_behind_the_earth_stands_below_its_limb)
{
    const struct platform_state s = {.has_position = true, .earth_deg = {180, 0}, .earth_radius_deg = 66};
    CHECK_NEAR(platform_limb_deg(&s, (const double[2]){180, 0}), -66, 1e-12);
    CHECK_NEAR(platform_limb_deg(&s, (const double[2]){180, 66}), 0, 1e-12);
    CHECK_NEAR(platform_limb_deg(&s, (const double[2]){0, 0}), 114, 1e-12);
}

int main(void)
{
    RUN(separation_is_the_angle_on_the_sphere);
    RUN(a_direction_behind_the_earth_stands_below_its_limb);
    return check_report();
}
