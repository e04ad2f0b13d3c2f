/* Sky coordinates against astropy 5.2 (WCS.all_pix2world, all_world2pix, get_body in GCRS). */
#include "check.h"
#include "prepare/sky.h"

static struct burst_error error;

/* A field 33 degrees rolled, 0.5605 degrees a pixel. */
static const struct tan_wcs ROLLED = {
    .crpix = {29.5, 31.25},
    .crval_deg = {83.1, 21.4},
    .cd = {{-0.470074853333410, 0.305270179125922}, {0.305270179125922, 0.470074853333410}},
};

TEST(pixels_go_to_the_sky_as_in_astropy)
{
    const double pixel[4][2] = {{1, 1}, {29.5, 31.25}, {56, 3.5}, {-40.25, 90}};
    const double want[4][2] = {
        {86.959189964, -0.401920731}, {83.1, 21.4}, {62.320537632, 15.439584551}, {127.922284282, 20.423829820}};
    double deg[4][2];
    CHECK_INT(sky_from_pixels(&ROLLED, 4, pixel, deg, &error), BURST_OK);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 2; j++)
            CHECK_NEAR(deg[i][j], want[i][j], 1e-8); /* astropy printed nine decimals */
}

TEST(the_sky_goes_to_pixels_as_in_astropy)
{
    const double deg[3][2] = {{83.6332, 22.0145}, {88.0474, -7.4562}, {60.0, 50.0}};
    const double want[3][2] = {
        {29.358260352, 32.651169936}, {-9.616708916, -10.587229860}, {88.919784039, 65.720480553}};
    double pixel[3][2];
    CHECK_INT(sky_to_pixels(&ROLLED, 3, deg, pixel, &error), BURST_OK);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2; j++)
            CHECK_NEAR(pixel[i][j], want[i][j], 1e-8);
}

TEST(positions_behind_the_plane_are_nan_and_their_neighbours_are_not)
{
    /* 90.02 and 89.8 degrees from the tangent point along its meridian, and its antipode */
    const double deg[4][2] = {{83.1, -68.62}, {83.1, -68.4}, {263.1, -21.4}, {83.1, 21.4}};
    double pixel[4][2];
    CHECK_INT(sky_to_pixels(&ROLLED, 4, deg, pixel, &error), BURST_OK);
    CHECK(isnan(pixel[0][0]) && isnan(pixel[0][1]) && isnan(pixel[2][0]) && isnan(pixel[2][1]));
    CHECK(isfinite(pixel[1][0]) && isfinite(pixel[1][1]));
    CHECK_NEAR(pixel[3][0], 29.5, 1e-9);
}

TEST(more_positions_than_one_chunk_come_back_where_they_started)
{
    enum { N = 3 * 64 + 5 };
    static double pixel[N][2], deg[N][2], back[N][2];
    for (int i = 0; i < N; i++) {
        pixel[i][0] = 1.0 + 0.37 * i;
        pixel[i][1] = 60.0 - 0.21 * i;
    }
    CHECK_INT(sky_from_pixels(&ROLLED, N, (const double(*)[2])pixel, deg, &error), BURST_OK);
    CHECK_INT(sky_to_pixels(&ROLLED, N, (const double(*)[2])deg, back, &error), BURST_OK);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 2; j++)
            CHECK_NEAR(back[i][j], pixel[i][j], 1e-9);
}

TEST(no_position_at_all_is_fine)
{
    CHECK_INT(sky_from_pixels(&ROLLED, 0, NULL, NULL, &error), BURST_OK);
    CHECK_INT(sky_to_pixels(&ROLLED, 0, NULL, NULL, &error), BURST_OK);
}

static void refused(struct tan_wcs wcs)
{
    const double pair[1][2] = {{1, 1}};
    double ret[1][2] = {{7, 7}};
    CHECK_REFUSED(sky_from_pixels(&wcs, 1, pair, ret, &error), BURST_E_RANGE, error, "no sky coordinates");
    CHECK_REFUSED(sky_to_pixels(&wcs, 1, pair, ret, &error), BURST_E_RANGE, error, "no sky coordinates");
    CHECK(ret[0][0] == 7 && ret[0][1] == 7);
}

TEST(a_matrix_without_inverse_or_numbers_is_refused)
{
    struct tan_wcs wcs = ROLLED;
    memset(wcs.cd, 0, sizeof wcs.cd);
    refused(wcs);
    wcs.cd[0][0] = wcs.cd[0][1] = wcs.cd[1][0] = wcs.cd[1][1] = 0.5;
    refused(wcs);
    wcs = ROLLED;
    wcs.cd[1][0] = NAN;
    refused(wcs);
    wcs = ROLLED;
    wcs.crpix[0] = INFINITY;
    refused(wcs);
    wcs = ROLLED;
    wcs.crval_deg[1] = 90.5;
    refused(wcs);
}

TEST(a_position_that_is_none_is_refused)
{
    const double nan_pair[1][2] = {{1, NAN}}, beyond[1][2] = {{1, -90.5}};
    double ret[1][2] = {{7, 7}};
    CHECK_REFUSED(sky_from_pixels(&ROLLED, 1, nan_pair, ret, &error), BURST_E_RANGE, error, "pixel 0");
    CHECK_REFUSED(sky_to_pixels(&ROLLED, 1, nan_pair, ret, &error), BURST_E_RANGE, error, "sky position 0");
    CHECK_REFUSED(sky_to_pixels(&ROLLED, 1, beyond, ret, &error), BURST_E_RANGE, error, "declination -90.5");
    CHECK(ret[0][0] == 7);
}

TEST(moon_and_sun_stand_where_astropy_puts_them)
{
    const int64_t tt_ns[2] = {INT64_C(1770170469184000000),
                              INT64_C(1560760269184000000)}; /* 2026-02-04T02, 2019-06-17T08:30 */
    const double moon[2][2] = {{163.645055, 6.588811}, {265.293863, -21.416603}};
    const double sun[2][2] = {{317.349320, -16.367527}, {85.229564, 23.364255}};
    for (int i = 0; i < 2; i++) {
        double deg[2];
        sky_moon_from(tt_ns[i], NULL, deg);
        CHECK_NEAR(deg[0], moon[i][0], 0.01); /* a fiftieth of a sky pixel: aberration and light time are left out */
        CHECK_NEAR(deg[1], moon[i][1], 0.01);
        sky_sun_from(tt_ns[i], NULL, deg);
        CHECK_NEAR(deg[0], sun[i][0], 0.01);
        CHECK_NEAR(deg[1], sun[i][1], 0.01);
    }
}

/* get_body less the position of the satellite, whose TEME -5824.1, 3370.2, 1532.8 km astropy turned into GCRS. */
TEST(from_a_satellite_the_moon_stands_elsewhere)
{
    const int64_t tt_ns = INT64_C(1560760269184000000); /* 2019-06-17T08:30 */
    const double satellite_km[3] = {-5806.52154883, 3395.47791657, 1543.6650903};
    double deg[2];
    sky_moon_from(tt_ns, satellite_km, deg);
    CHECK_NEAR(deg[0], 266.244434, 0.002); /* from the centre of the Earth it is 265.293863 */
    CHECK_NEAR(deg[1], -21.468665, 0.002);
    sky_sun_from(tt_ns, satellite_km, deg);
    CHECK_NEAR(deg[0], 85.227072, 0.01);
    CHECK_NEAR(deg[1], 23.364154, 0.01);
}

int main(void)
{
    RUN(pixels_go_to_the_sky_as_in_astropy);
    RUN(the_sky_goes_to_pixels_as_in_astropy);
    RUN(positions_behind_the_plane_are_nan_and_their_neighbours_are_not);
    RUN(more_positions_than_one_chunk_come_back_where_they_started);
    RUN(no_position_at_all_is_fine);
    RUN(a_matrix_without_inverse_or_numbers_is_refused);
    RUN(a_position_that_is_none_is_refused);
    RUN(moon_and_sun_stand_where_astropy_puts_them);
    RUN(from_a_satellite_the_moon_stands_elsewhere);
    return check_report();
}
