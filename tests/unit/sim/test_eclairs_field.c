/* Pointings, the Moon and the Earth against astronomy known from elsewhere. */
#include "base/clock.h"
#include "check.h"
#include "prepare/sky.h"
#include "sim/eclairs_family.h"
#include "sim/eclairs_field.h"
#include "sim/eclairs_trouble.h"

static struct burst_error error;
static struct catalogue catalogue;
static struct field field;
static struct rng rng;

TEST(a_pointing_has_a_bright_known_source_and_one_of_the_missions_strips)
{
    for (uint64_t i = 0; i < 50; i++) {
        bool bright = false;
        rng_seed(&rng, 5, i);
        field_draw(&rng, &catalogue, &field);
        for (int k = 0; k < field.n_known; k++) {
            CHECK(fabs(field.known[k].y - 99.0) <= 99.0 && fabs(field.known[k].z - 99.0) <= 99.0);
            bright |= field.known[k].bright;
        }
        CHECK(bright);
        bool soft = field.e_min_kev == 5.0 && (field.e_max_kev == 8.0 || field.e_max_kev == 20.0);
        bool hard = field.e_min_kev == 8.0 && (field.e_max_kev == 50.0 || field.e_max_kev == 120.0);
        CHECK(soft || hard);
        CHECK(field.strip_share > 0.2 && field.strip_share < 0.7);
    }
}

TEST(the_satellite_goes_round_at_620_km_in_97_minutes)
{
    double start[3], quarter[3], dot = 0.0, length = 0.0;
    rng_seed(&rng, 6, 0);
    field_draw(&rng, &catalogue, &field);
    field_observer(&field, 0.0, start);
    field_observer(&field, 97.0 * 60.0 / 4.0, quarter);
    for (int i = 0; i < 3; i++) {
        dot += start[i] * quarter[i];
        length += start[i] * start[i];
    }
    CHECK_NEAR(sqrt(length), 6998.0, 1e-6);
    CHECK_NEAR(dot / length, 0.0, 0.01); /* a right angle; Kepler: 97.0 min */
}

/* 0.2727 Earth radii at 60.27: 0.26 degrees; 0.55 degrees an hour of its own and up to 4 of parallax. */
TEST(the_moon_lies_in_the_field_lit_and_moves_less_than_three_pixels_in_the_longest_exposure)
{
    for (uint64_t i = 0; i < 30; i++) {
        double start[2], stop[2], moon[2], sun[2], km[3];
        rng_seed(&rng, 7, i);
        field_draw_moon(&rng, &catalogue, &field);
        field_moon(&field, 0.0, start);
        field_moon(&field, 1310.72, stop);
        CHECK(coded_fraction(start[0], start[1]) >= 0.1);
        CHECK(hypot(stop[0] - start[0], stop[1] - start[1]) < 5.0);
        field_observer(&field, 0.0, km);
        sky_moon_from(field.start_ns, km, moon);
        sky_sun_from(field.start_ns, NULL, sun);
        double d = M_PI / 180.0;
        double cosine =
            sin(moon[1] * d) * sin(sun[1] * d) + cos(moon[1] * d) * cos(sun[1] * d) * cos((moon[0] - sun[0]) * d);
        CHECK(cosine < cos(99.9 * d));
        CHECK(field.e_max_kev <= 20.0);
    }
}

/* SVOM's false alert sb26020402, 2026-02-04T12:12:49.711 UTC, came from RA 169.5696, Dec 3.8676. Its notice tells where
 * the satellite was: longitude 101.98, latitude -2.26, height 616.30 km, put into axes of ICRS by astropy. */
TEST(the_moon_stood_where_a_real_false_alert_came_from)
{
    const double alert[2] = {169.5696, 3.8676}, km[3] = {3543.625, 6023.628, -283.392};
    double geocentric[2], moon[2], squeeze = cos(alert[1] * M_PI / 180.0);
    int64_t tt_ns = INT64_C(1770207169711000000) + INT64_C(69184000000); /* UTC + 37 s + 32.184 s */
    sky_moon_from(tt_ns, NULL, geocentric);
    sky_moon_from(tt_ns, km, moon);
    CHECK_NEAR(hypot((geocentric[0] - alert[0]) * squeeze, geocentric[1] - alert[1]), 0.89,
               0.01); /* as the notice says */
    CHECK_NEAR(hypot((moon[0] - alert[0]) * squeeze, moon[1] - alert[1]), 0.125,
               0.01); /* astropy; the disc's radius is 0.26 */
}

TEST(the_moon_hides_less_of_the_sky_than_anyone_can_see)
{
    static struct plane_scene s;
    plane_start(1310.72, 0.53, &s);
    double hole = moon_hole_counts(&s);
    /* 0.211 square degrees, 6.4e-5 sr, of 5.4 photons/s/cm2/sr on 1,024 cm2 through 40 %: 0.14 counts/s, and as much
     * again for particles that are counted as cosmic here */
    CHECK_NEAR(hole / 1310.72, 0.2, 0.1);
    CHECK(hole * 0.95 / sqrt(0.53 * 1310.72 * PLANE_PIXELS) < 0.2); /* sigma */
}

TEST(the_earth_hides_the_share_of_the_exposure_that_was_asked_for)
{
    const double at[3][2] = {{140.0, 99.0}, {60.0, 30.0}, {99.5, 110.0}};
    for (int i = 0; i < 3; i++)
        for (double share = 0.1; share < 0.95; share += 0.2) {
            rng_seed(&rng, 9, (uint64_t)i);
            struct earth earth = earth_over(&rng, at[i][0], at[i][1], 81.92, share);
            CHECK_NEAR(earth_hides(&earth, at[i][0], at[i][1], 81.92), share, 1e-6);
        }
}

TEST(behind_the_earth_there_is_no_cosmic_background_and_no_source)
{
    static struct plane_scene s;
    struct coded_mask m;
    struct decoder *d = NULL;
    const struct earth all = {{0.0, 0.0, 1.0}}, none = {{0.0, 0.0, -1.0}};
    double mean = 0.0;
    mask_make(1, &m);
    CHECK_INT(decoder_new(&m, &d, &error), BURST_OK);
    if (!d) return;
    plane_start(20.48, 0.53, &s);
    s.n_source = 1;
    s.source[0] = (struct plane_source){.y = 110.0, .z = 90.0, .counts = 500.0};
    trouble_earth(&none, d, &s);
    CHECK_NEAR(s.shape[3240], (float)(1.0 / 0.88), 1e-3);
    CHECK_NEAR(s.source[0].counts, 500.0, 1e-9);
    trouble_earth(&all, d, &s);
    for (int i = 0; i < PLANE_PIXELS; i++)
        mean += (double)s.shape[i] / PLANE_PIXELS;
    CHECK_NEAR(mean, 1.0 - COSMIC_SHARE, 0.03); /* the mean openness of this mask's parts is 0.4 within 1 % */
    CHECK_NEAR(s.source[0].counts, 0.0, 1e-9);
    decoder_free(d);
}

TEST(columns_modules_and_hot_pixels_are_as_large_as_they_are_said_to_be)
{
    static struct plane_scene s;
    for (uint64_t seed = 0; seed < 20; seed++) {
        int n[3] = {0};
        rng_seed(&rng, 10, seed);
        plane_start(20.48, 0.53, &s);
        trouble_columns(&rng, 0.1, 0.2, &s);
        for (int i = 0; i < PLANE_PIXELS; i++)
            n[0] += s.extra[i] != 0.0f;
        CHECK(n[0] >= PLANE_SIDE && n[0] <= 8 * PLANE_SIDE);
        plane_start(20.48, 0.53, &s);
        trouble_modules(&rng, 10, 0.1, 0.2, &s);
        for (int i = 0; i < PLANE_PIXELS; i++) {
            double share = (double)(s.extra[i] / s.shape[i]) / (0.53 * 20.48);
            n[1] += share != 0.0;
            CHECK(fabs(share) < 0.2 * 10 + 1e-6); /* modules may lie on each other */
        }
        CHECK(n[1] >= 32 && n[1] <= 10 * 32 && n[1] % 32 == 0);
        plane_start(20.48, 0.53, &s);
        trouble_hot_pixels(&rng, &s);
        for (int i = 0; i < PLANE_PIXELS; i++)
            n[2] += s.extra[i] > 100.0f;
        CHECK(n[2] >= 1 && n[2] <= 3);
    }
}

int main(void)
{
    if (catalogue_load(BURST_SOURCE_DIR "/config/catalogues/known-sources.csv", &catalogue, &error)) {
        printf("FAIL eclairs_field: %s\n", error.text);
        return 1;
    }
    RUN(a_pointing_has_a_bright_known_source_and_one_of_the_missions_strips);
    RUN(the_satellite_goes_round_at_620_km_in_97_minutes);
    RUN(the_moon_lies_in_the_field_lit_and_moves_less_than_three_pixels_in_the_longest_exposure);
    RUN(the_moon_stood_where_a_real_false_alert_came_from);
    RUN(the_moon_hides_less_of_the_sky_than_anyone_can_see);
    RUN(the_earth_hides_the_share_of_the_exposure_that_was_asked_for);
    RUN(behind_the_earth_there_is_no_cosmic_background_and_no_source);
    RUN(columns_modules_and_hot_pixels_are_as_large_as_they_are_said_to_be);
    catalogue_fini(&catalogue);
    return check_report();
}
