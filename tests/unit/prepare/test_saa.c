/* Corners and edges of the two boundaries, by hand. */
#include "check.h"
#include "prepare/saa.h"

static const int64_t IN_2012 = INT64_C(1328320866184000000), IN_2026 = INT64_C(1770170469184000000);
static const int64_t CHANGED = INT64_C(1721762169184000000); /* 2024-07-23T19:15:00 UTC */

TEST(the_anomaly_is_where_it_is)
{
    CHECK(saa_inside(MISSION_GECAM_B, IN_2026, -25, -50));
    CHECK(saa_inside(MISSION_FERMI, IN_2012, -25, -50));
    CHECK(saa_inside(MISSION_FERMI, IN_2026, -25, -50));
    CHECK(!saa_inside(MISSION_GECAM_B, IN_2026, 25, -50));
    CHECK(!saa_inside(MISSION_GECAM_B, IN_2026, -25, 130));
    CHECK(!saa_inside(MISSION_GECAM_B, IN_2026, 0, 179.9));
    CHECK(!saa_inside(MISSION_GECAM_B, IN_2026, 0, -180));
}

TEST(the_western_edge_is_a_meridian)
{
    CHECK(saa_inside(MISSION_SVOM, IN_2026, -16, -94.2));
    CHECK(!saa_inside(MISSION_SVOM, IN_2026, -16, -94.4));
    CHECK(saa_inside(MISSION_FERMI, IN_2026, -20, -90.2));
    CHECK(!saa_inside(MISSION_FERMI, IN_2026, -20, -90.4));
}

/* Half-way between (2, -38.4) and (0.4, -30.605): latitude 1.2 at longitude -34.5025. */
TEST(a_slanting_edge_is_a_line)
{
    CHECK(saa_inside(MISSION_GECAM_C, IN_2026, 1.19, -34.5025));
    CHECK(!saa_inside(MISSION_GECAM_C, IN_2026, 1.21, -34.5025));
}

TEST(the_southern_end_of_the_orbits_is_inside)
{
    CHECK(saa_inside(MISSION_SVOM, IN_2026, -30.0, -40));
    CHECK(saa_inside(MISSION_SVOM, IN_2026, -30.4, -40));
    CHECK(!saa_inside(MISSION_SVOM, IN_2026, -30.4, 40));
}

TEST(fermi_changed_its_boundary_on_a_date_and_the_others_keep_the_first)
{
    /* 25 degrees east: the first reaches up to -26.0 there and ends at 33.9, the second ends at 22 */
    CHECK(saa_inside(MISSION_FERMI, CHANGED - 1, -27, 25));
    CHECK(!saa_inside(MISSION_FERMI, CHANGED, -27, 25));
    CHECK(saa_inside(MISSION_GECAM_B, CHANGED, -27, 25));
}

int main(void)
{
    RUN(the_anomaly_is_where_it_is);
    RUN(the_western_edge_is_a_meridian);
    RUN(a_slanting_edge_is_a_line);
    RUN(the_southern_end_of_the_orbits_is_inside);
    RUN(fermi_changed_its_boundary_on_a_date_and_the_others_keep_the_first);
    return check_report();
}
