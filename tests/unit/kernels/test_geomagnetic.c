/* Field against pyIGRF14 1.0.4 (another program, another source of the coefficients); L against a dipole's exact one and against
 * Lm of IRBEM as built into SpacePy 0.7.0 (make_lstar, no external field). */
#include "check.h"
#include "kernels/geomagnetic.h"

static void place(double lat_deg, double lon_deg, double r_km, double ret_km[3])
{
    double lat = lat_deg * M_PI / 180, lon = lon_deg * M_PI / 180;
    ret_km[0] = r_km * cos(lat) * cos(lon);
    ret_km[1] = r_km * cos(lat) * sin(lon);
    ret_km[2] = r_km * sin(lat);
}

TEST(the_field_is_that_of_another_program)
{
    static const struct {
        double year, lat, lon, r, nt[3];
    } row[] = {
        {2015, -25, -50, 6971.2, {6672.6353, -14331.4705, 8668.7500}},
        {2022.5, 48, 2, 6371.2, {-44482.8558, -1061.2719, -17908.0175}},
        {2027.25, 89.9, 10, 7000, {-1028.5643, 66.6131, -43737.6036}},
        {2007.5, -80, -170, 6900, {-2550.0810, -8855.8824, -45832.6305}},
        {2026, 10, 100, 20000, {73.9824, -236.9251, 1017.6248}},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct geomagnetic m;
        double km[3], nt[3];
        geomagnetic_at(row[i].year, &m);
        place(row[i].lat, row[i].lon, row[i].r, km);
        geomagnetic_field(&m, km, nt);
        for (int k = 0; k < 3; k++)
            CHECK_NEAR(nt[k], row[i].nt[k], 1e-3); /* it printed four decimals */
    }
}

TEST(the_field_has_no_special_point_at_the_poles)
{
    struct geomagnetic m;
    geomagnetic_at(2020, &m);
    for (int sign = -1; sign <= 1; sign += 2) {
        double at[3] = {0, 0, sign * 7000.0}, near[3] = {0.01, 0, sign * 7000.0}, b[3], c[3];
        geomagnetic_field(&m, at, b);
        geomagnetic_field(&m, near, c);
        for (int k = 0; k < 3; k++)
            CHECK_NEAR(b[k], c[k], 1.0); /* 10 m away */
        CHECK(fabs(b[2]) > 30000);
    }
}

/* Maxwell: without currents, div B = 0 and curl B = 0; by differences over 2 km. */
TEST(the_field_has_neither_sources_nor_whirls)
{
    struct geomagnetic m;
    double d[3][3], km[3];
    geomagnetic_at(2024.5, &m);
    place(-31, -48, 6950, km);
    for (int j = 0; j < 3; j++) {
        double ahead[3] = {km[0], km[1], km[2]}, behind[3] = {km[0], km[1], km[2]}, a[3], b[3];
        ahead[j] += 1;
        behind[j] -= 1;
        geomagnetic_field(&m, ahead, a);
        geomagnetic_field(&m, behind, b);
        for (int i = 0; i < 3; i++)
            d[i][j] = (a[i] - b[i]) / 2;
    }
    CHECK_NEAR(d[0][0] + d[1][1] + d[2][2], 0, 1e-5); /* terms of 10 nT/km */
    CHECK_NEAR(d[0][1], d[1][0], 1e-5);
    CHECK_NEAR(d[0][2], d[2][0], 1e-5);
    CHECK_NEAR(d[1][2], d[2][1], 1e-5);
}

/* Epochs by the table's own numbers: g10 of 2010, 2015, 2020, 2025 and its change; moment from g10, g11, h11. */
TEST(a_year_lies_between_its_epochs_and_beyond_them_time_stands_still)
{
    struct geomagnetic m;
    geomagnetic_at(2012.5, &m);
    CHECK_NEAR(m.g[1][0], (-29496.57 - 29441.46) / 2, 1e-9);
    geomagnetic_at(2020, &m);
    CHECK_NEAR(m.g[1][0], -29403.41, 1e-9);
    CHECK_NEAR(m.moment_nt, sqrt(29403.41 * 29403.41 + 1451.37 * 1451.37 + 4653.35 * 4653.35), 1e-6);
    geomagnetic_at(2027, &m);
    CHECK_NEAR(m.g[1][0], -29350 + 2 * 12.6, 1e-9);
    geomagnetic_at(2090, &m);
    CHECK_NEAR(m.g[1][0], -29350 + 5 * 12.6, 1e-9);
    geomagnetic_at(1990, &m);
    CHECK_NEAR(m.g[1][0], -29554.63, 1e-9);
}

TEST(a_dipole_has_its_exact_l)
{
    struct geomagnetic m;
    memset(&m, 0, sizeof m);
    m.g[1][0] = -30000;
    m.moment_nt = 30000;
    for (int lat = -70; lat <= 70; lat += 5) {
        double km[3], b, cosine = cos(lat * M_PI / 180), sine = sin(lat * M_PI / 180);
        place(lat, 40, 7000, km);
        double want = 7000 / 6371.2 / (cosine * cosine);
        CHECK_NEAR(geomagnetic_l(&m, km, &b), want, 1e-3 * want);
        CHECK_NEAR(b, 30000 * pow(6371.2 / 7000, 3) * sqrt(1 + 3 * sine * sine), 1e-6);
    }
}

TEST(l_is_that_of_irbem)
{
    static const struct {
        double lat, lon, r, l, b, slack;
    } row[] = {
        {0, 0, 6971.2, 1.1248, 23093.869, 0.005},
        {25.5, -80, 6921.2, 1.7054, 33817.760, 0.005},
        {-28, -50, 6971.2, 1.3438, 18151.143, 0.005},
        {29, -49.7, 6996.2, 1.5914, 30690.735, 0.005}, /* mirrors underground in the Anomaly */
        {-20, 10, 6996.2, 1.4871, 22035.362, 0.005},
        {-29, 120, 6971.2, 1.7712, 42520.653, 0.005},
        {10, 100, 7000, 0.9980, 30366.480, 0.005},
        {60, -100, 7071.2, 8.1717, 42377.408, 0.05},
        {-60, 30, 7071.2, 4.4767, 27820.404, 0.03},
    };
    struct geomagnetic m;
    geomagnetic_at(2015, &m);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double km[3], b;
        place(row[i].lat, row[i].lon, row[i].r, km);
        CHECK_NEAR(geomagnetic_l(&m, km, &b), row[i].l, row[i].slack);
        CHECK_NEAR(b, row[i].b, 50); /* IRBEM takes the epoch's field by whole days and its own older table */
    }
}

/* No jump where the line begins to be followed, or is followed the other way. */
TEST(l_changes_evenly_across_the_magnetic_equator)
{
    struct geomagnetic m;
    geomagnetic_at(2026, &m);
    double before = 0;
    for (int i = 0; i <= 400; i++) {
        double km[3], b;
        place(20 - 0.1 * i, -60, 6971.2, km);
        double l = geomagnetic_l(&m, km, &b);
        CHECK(l > 0.9 && l < 2.0);
        if (i) CHECK_NEAR(l, before, 0.01); /* 12 km apart */
        before = l;
    }
}

TEST(a_line_that_does_not_come_back_has_no_l)
{
    struct geomagnetic m;
    double km[3], b;
    geomagnetic_at(2020, &m);
    place(80.7, -72.7, 6971.2, km); /* the geomagnetic pole of 2020 */
    CHECK_NEAR(geomagnetic_l(&m, km, &b), 0, 0);
    CHECK(b > 40000 && b < 50000);
}

int main(void)
{
    RUN(the_field_is_that_of_another_program);
    RUN(the_field_has_no_special_point_at_the_poles);
    RUN(the_field_has_neither_sources_nor_whirls);
    RUN(a_year_lies_between_its_epochs_and_beyond_them_time_stands_still);
    RUN(a_dipole_has_its_exact_l);
    RUN(l_is_that_of_irbem);
    RUN(l_changes_evenly_across_the_magnetic_equator);
    RUN(a_line_that_does_not_come_back_has_no_l);
    return check_report();
}
