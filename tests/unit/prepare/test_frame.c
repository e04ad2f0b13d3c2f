/* Frames against astropy 5.2 (TEME to ITRS and to GCRS, with its table of UT1 and polar motion). */
#include "check.h"
#include "prepare/frame.h"

static const struct {
    int64_t tt_ns; /* 2019-06-17T08:30, 2012-02-04T02:00 UTC; UT1 - UTC is -0.175 s and -0.451 s */
    double teme[3], itrs[3], gcrs[3], lon, lat, alt;
} ROW[] = {
    {INT64_C(1560760269184000000),
     {-5824.1, 3370.2, 1532.8},
     {-3068.62452322, 5988.47959086, 1532.81454044},
     {-5806.52154883, 3395.47791657, 1543.6650903},
     117.13156852,
     12.90993098,
     524.21689451},
    {INT64_C(1328320866184000000),
     {1200.5, -6700.25, -1800.75},
     {-3037.83819734, 6091.47922731, -1800.7417319},
     {1180.19930886, -6703.4424951, -1802.28720831},
     116.50556446,
     -14.9042179,
     664.37894319},
};

TEST(teme_goes_to_both_frames_as_in_astropy)
{
    for (int i = 0; i < 2; i++) {
        double itrs[3], icrs[3];
        frame_from_teme(ROW[i].tt_ns, ROW[i].teme, itrs, icrs);
        for (int k = 0; k < 3; k++) {
            CHECK_NEAR(itrs[k], ROW[i].itrs[k], 0.25); /* 0.451 s of the Earth's turning: 0.22 km */
            CHECK_NEAR(icrs[k], ROW[i].gcrs[k], 0.02); /* polar motion, 10 m */
        }
    }
}

TEST(a_place_has_geodetic_coordinates_as_in_astropy)
{
    for (int i = 0; i < 2; i++) {
        double lat, lon, alt;
        frame_geodetic(ROW[i].itrs, &lat, &lon, &alt);
        CHECK_NEAR(lat, ROW[i].lat, 1e-7);
        CHECK_NEAR(lon, ROW[i].lon, 1e-7);
        CHECK_NEAR(alt, ROW[i].alt, 1e-6);
    }
}

TEST(longitude_begins_at_minus_180_and_the_pole_has_a_latitude)
{
    double lat, lon, alt;
    frame_geodetic((const double[3]){-7000, 0, 0}, &lat, &lon, &alt);
    CHECK_NEAR(lon, -180, 0);
    CHECK_NEAR(alt, 7000 - 6378.137, 1e-9);
    frame_geodetic((const double[3]){0, -7000, 0}, &lat, &lon, &alt);
    CHECK_NEAR(lon, -90, 1e-12);
    frame_geodetic((const double[3]){0, 0, -7000}, &lat, &lon, &alt);
    CHECK_NEAR(lat, -90, 1e-9);
    CHECK_NEAR(alt, 7000 - 6356.7523142, 1e-6); /* the polar radius of WGS 84 */
}

TEST(years_are_julian_years)
{
    CHECK_NEAR(frame_year(INT64_C(946728000000000000)), 2000.0, 1e-12);
    CHECK_NEAR(frame_year(INT64_C(946728000000000000) + INT64_C(36525) * 86400 * 1000000000 / 4), 2025.0, 1e-9);
}

int main(void)
{
    RUN(teme_goes_to_both_frames_as_in_astropy);
    RUN(a_place_has_geodetic_coordinates_as_in_astropy);
    RUN(longitude_begins_at_minus_180_and_the_pole_has_a_latitude);
    RUN(years_are_julian_years);
    return check_report();
}
