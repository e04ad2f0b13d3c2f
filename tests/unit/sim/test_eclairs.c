/* The coded-mask simulator against the figures of science.md B.1, B.2 and against arithmetic done by hand. */
#include "check.h"
#include "prepare/subimage.h"
#include "sim/eclairs.h"
#include "sim/eclairs_decode.h"
#include "sim/eclairs_mask.h"
#include "sim/eclairs_plane.h"
#include <stdlib.h>

static struct burst_error error;
static float sky[SKY_SIDE * SKY_SIDE];
static struct catalogue catalogue;
static struct eclairs *simulator;

static double sky_at(int y, int z)
{
    return (double)sky[z * SKY_SIDE + y];
}

TEST(the_mask_is_two_fifths_open_with_an_opaque_cross_and_hangs_together)
{
    struct coded_mask m;
    int open[MASK_CELLS][MASK_CELLS], n_open = 0, held[MASK_CELLS][MASK_CELLS] = {{0}}, n_new = 1;
    mask_make(1, &m);
    for (int z = 0; z < MASK_CELLS; z++)
        for (int y = 0; y < MASK_CELLS; y++) {
            open[z][y] = (int)lround(m.open[z + 1][y + 1] - m.open[z][y + 1] - m.open[z + 1][y] + m.open[z][y]);
            n_open += open[z][y];
            if (z == 22 || z == 23 || y == 22 || y == 23) CHECK_INT(open[z][y], 0);
        }
    CHECK_INT(n_open, 846); /* 40 % of 46 x 46 */
    while (n_new > 0) { /* opaque cells that reach the frame through opaque neighbours, spread until none is added */
        n_new = 0;
        for (int z = 0; z < MASK_CELLS; z++)
            for (int y = 0; y < MASK_CELLS; y++) {
                bool at_frame = z == 0 || y == 0 || z == MASK_CELLS - 1 || y == MASK_CELLS - 1;
                if (open[z][y] || held[z][y]) continue;
                if (at_frame || held[z - 1][y] || held[z + 1][y] || held[z][y - 1] || held[z][y + 1])
                    held[z][y] = n_new = 1;
            }
    }
    for (int i = 0; i < MASK_CELLS * MASK_CELLS; i++)
        CHECK(open[i / MASK_CELLS][i % MASK_CELLS] || held[i / MASK_CELLS][i % MASK_CELLS]);
}

TEST(two_seeds_give_two_masks_and_one_seed_one)
{
    struct coded_mask a, b, c;
    mask_make(1, &a);
    mask_make(1, &b);
    mask_make(2, &c);
    CHECK(memcmp(&a, &b, sizeof a) == 0);
    CHECK(memcmp(&a, &c, sizeof a) != 0);
}

TEST(a_shadow_holds_the_open_area_that_the_plane_sees)
{
    struct coded_mask m;
    static float shadow[PLANE_PIXELS];
    static float plane[MASK_SIDE * MASK_SIDE];
    double sum = 0.0;
    mask_make(1, &m);
    mask_sample(&m, 0.0, 0.0, MASK_SIDE, plane);
    for (int i = 0; i < MASK_SIDE * MASK_SIDE; i++)
        sum += (double)plane[i];
    CHECK_NEAR(sum, 846 * (120.0 / 46.0) * (120.0 / 46.0), 0.01); /* all of it; float sums of 14,400 */
    mask_shadow(&m, 99.0, 99.0, shadow);                          /* on axis: mask pixels 20 to 99 */
    CHECK_NEAR(shadow[0], plane[20 * MASK_SIDE + 20], 1e-6);
    CHECK_NEAR(shadow[79 * PLANE_SIDE + 3], plane[99 * MASK_SIDE + 23], 1e-6);
    mask_shadow(&m, 198.0, 0.0, shadow); /* corner: one pixel sees the mask's corner */
    CHECK_NEAR(shadow[79 * PLANE_SIDE], plane[119], 1e-6);
    CHECK_NEAR(shadow[40 * PLANE_SIDE + 40], 0.0, 0.0);
}

TEST(decoding_equals_the_sums_written_out)
{
    struct coded_mask m;
    struct decoder *d = NULL;
    static float open[MASK_SIDE * MASK_SIDE], residual[PLANE_PIXELS], counts[PLANE_PIXELS], alive[PLANE_PIXELS];
    mask_make(3, &m);
    CHECK_INT(decoder_new(&m, &d, &error), BURST_OK);
    if (!d) return;
    for (int i = 0; i < PLANE_PIXELS; i++) { /* any numbers do: a little chaos from a multiplier */
        alive[i] = i % 97 == 5 ? 0.0f : 1.0f;
        counts[i] = alive[i] * (float)(i * 7919 % 23);
        residual[i] = alive[i] * (float)(i * 104729 % 17 - 8);
    }
    decoder_set_alive(d, alive);
    decode_sky(d, residual, counts, sky);
    mask_sample(&m, 0.0, 0.0, MASK_SIDE, open);
    const int at[4][2] = {{99, 99}, {60, 140}, {20, 99}, {150, 30}}; /* y, z */
    for (int k = 0; k < 4; k++) {
        double sum[6] = {0};
        for (int i = 0; i < PLANE_PIXELS; i++) {
            int y = i % PLANE_SIDE + at[k][0] - 79, z = i / PLANE_SIDE + at[k][1] - 79;
            if (y < 0 || y >= MASK_SIDE || z < 0 || z >= MASK_SIDE) continue;
            double g = (double)open[z * MASK_SIDE + y], h = 1.0 - g;
            sum[0] += g * (double)alive[i];
            sum[1] += h * (double)alive[i];
            sum[2] += g * (double)residual[i];
            sum[3] += h * (double)residual[i];
            sum[4] += g * g * (double)counts[i];
            sum[5] += h * h * (double)counts[i];
        }
        double b = sum[0] / sum[1], want = (sum[2] - b * sum[3]) / sqrt(sum[4] + b * b * sum[5]);
        CHECK_NEAR(sky_at(at[k][0], at[k][1]), want, 1e-3); /* single-precision transforms of sums of 1e4 */
    }
    CHECK(isnan(sky_at(0, 0)) && isnan(sky_at(198, 198)));
    decoder_free(d);
}

TEST(an_empty_sky_is_noise_of_the_width_the_fit_leaves)
{
    double n = 0.0, sum = 0.0, sum2 = 0.0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        eclairs_empty_sky(simulator, seed, 20.48, sky);
        for (int i = 0; i < SKY_SIDE * SKY_SIDE; i++) {
            if (isnan(sky[i])) continue;
            n += 1.0;
            sum += (double)sky[i];
            sum2 += (double)sky[i] * (double)sky[i];
            CHECK(fabsf(sky[i]) < 6.0f);
        }
    }
    CHECK_NEAR(sum / n, 0.0, 0.03);
    CHECK_NEAR(sqrt(sum2 / n), 0.935, 0.03); /* B.2: 0.93-0.94; single skies scatter by 0.02 */
}

TEST(a_source_of_two_thousand_counts_stands_at_seven_sigma)
{
    double sum = 0.0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        eclairs_source_sky(simulator, seed, 20.48, 2000.0, 99.0, 99.0, sky);
        sum += sky_at(99, 99);
    }
    CHECK_NEAR(sum / 30, 7.2, 0.6); /* B.1: 7.1-7.4; the mean of 30 scatters by 0.18 */
}

TEST(a_point_is_four_pixels_wide_and_lies_where_it_was_put)
{
    const double want[4] = {1.0, 0.74, 0.35, 0.08}; /* B.2 */
    eclairs_source_sky(simulator, 3, 1310.72, 3e5, 99.0, 120.0, sky);
    double peak = sky_at(99, 120);
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(sky_at(99 + i, 120) / peak, want[i], 0.05);
        CHECK_NEAR(sky_at(99, 120 - i) / peak, want[i], 0.05);
    }
    for (int i = 0; i < SKY_SIDE * SKY_SIDE; i++)
        CHECK(!(sky[i] > peak));
}

TEST(every_family_fires_the_trigger_and_lands_in_the_middle_of_its_frame)
{
    for (int family = 0; family < ECLAIRS_FAMILY_N; family++) {
        struct eclairs_wish wish = {.family = (enum eclairs_family)family, .low_threshold = family == ECLAIRS_NOISE};
        struct eclairs_alert a;
        struct image_sample s;
        wish.lose_packets = family % 2 == 0;
        CHECK_INT(eclairs_alert(simulator, 4, (uint64_t)family, &wish, &a, &error), BURST_OK);
        CHECK_INT(subimage_prepare(&a.packet, &catalogue, NULL, &s, &error), BURST_OK);
        CHECK_INT(s.mask[28][28], family == ECLAIRS_LOST ? MASK_IGNORE : MASK_TRIGGER);
        CHECK_INT((s.flags & IMAGE_TRIGGER_NO_DATA) != 0, family == ECLAIRS_LOST);
        if (family != ECLAIRS_LOST) CHECK_NEAR(s.snr[28][28], a.snr, 1e-5);
        CHECK(a.snr > (family == ECLAIRS_NOISE ? 5.5 : 6.5));
        if (family == ECLAIRS_NEW || family == ECLAIRS_SETTING) CHECK(s.nearest_px > 2.0);
        if (family == ECLAIRS_OUTBURST || family == ECLAIRS_BADSUB) CHECK(s.nearest_px <= 3.0);
    }
}

TEST(a_wished_brightness_is_met)
{
    struct eclairs_wish wish = {.family = ECLAIRS_NEW, .snr = 12.0};
    struct eclairs_alert a;
    CHECK_INT(eclairs_alert(simulator, 5, 0, &wish, &a, &error), BURST_OK);
    CHECK_NEAR(a.snr, 12.0, 1.2);
}

TEST(the_same_seed_gives_the_same_alert)
{
    struct eclairs_wish wish = {.family = ECLAIRS_BADSUB, .lose_packets = true};
    struct eclairs_alert a, b;
    CHECK_INT(eclairs_alert(simulator, 6, 1, &wish, &a, &error), BURST_OK);
    CHECK_INT(eclairs_alert(simulator, 6, 2, &wish, &b, &error), BURST_OK);
    CHECK(memcmp(a.pixels, b.pixels, sizeof a.pixels) != 0);
    CHECK_INT(eclairs_alert(simulator, 6, 1, &wish, &b, &error), BURST_OK);
    CHECK(memcmp(a.pixels, b.pixels, sizeof a.pixels) == 0);
    CHECK_STR(a.packet.burst_id, "sim6-000001");
}

TEST(a_brightness_that_never_comes_is_refused)
{
    struct eclairs_wish wish = {
        .family = ECLAIRS_NEW, .snr = 60.0, .try_most = 40}; /* the trigger's quality cut ends at 40 */
    struct eclairs_alert a = {.n_try = 77};
    CHECK_REFUSED(eclairs_alert(simulator, 7, 3, &wish, &a, &error), BURST_E_LIMIT, error,
                  "true alert 3: no trigger in 40 exposures");
    CHECK_INT(a.n_try, 77);
}

TEST(around_a_point_lies_a_ring_of_minima_and_coding_noise)
{
    double ring = 0.0, n = 0.0, sum2 = 0.0, low = 0.0, high = 0.0;
    for (int k = 0; k < 8; k++) { /* eight places: coding noise differs from one to the next */
        int y0 = 60 + 11 * k, z0 = 130 - 9 * k;
        double least = 0.0;
        eclairs_source_sky(simulator, 3, 1310.72, 3e5, y0, z0, sky);
        for (int i = 0; i < SKY_SIDE * SKY_SIDE; i++) {
            double out = hypot(i % SKY_SIDE - y0, i / SKY_SIDE - z0), x = (double)sky[i] / sky_at(y0, z0);
            if (isnan(sky[i])) continue;
            if (out >= 3.0 && out <= 6.0) least = fmin(least, x);
            if (out < 8.0) continue;
            n += 1.0;
            sum2 += x * x;
            low = fmin(low, x);
            high = fmax(high, x);
        }
        ring += least / 8;
    }
    CHECK_NEAR(ring, -0.075, 0.03);                                  /* B.2: -0.05 to -0.10 */
    CHECK_NEAR(sqrt(sum2 / n), 0.03, 0.006);                         /* B.2: 3 % */
    CHECK(low > -0.20 && low < -0.10 && high < 0.22 && high > 0.11); /* B.2: -0.13 and 0.145, of one place */
}

TEST(the_trigger_asks_for_six_and_a_half_sigma_more_where_the_sky_is_wide)
{
    for (uint64_t i = 0; i < 6; i++) {
        struct eclairs_wish wish = {.family = i % 2 ? ECLAIRS_SAA : ECLAIRS_COLUMN, .low_threshold = i == 5};
        struct eclairs_alert a;
        CHECK_INT(eclairs_alert(simulator, 12, i, &wish, &a, &error), BURST_OK);
        CHECK(a.snr > (i == 5 ? 5.5 : 6.5) * sqrt(fmax(1.0, a.spread)) && a.snr <= 40.0); /* B.2 step 6 */
        CHECK(a.spread <= 6.0);
        for (int k = 0; k < a.packet.n_y * a.packet.n_z; k++)
            CHECK(!(a.pixels[k] > a.snr));
    }
}

TEST(the_moon_is_marked_where_the_satellite_saw_it)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct eclairs_wish wish = {.family = ECLAIRS_MOON};
        struct eclairs_alert a;
        struct image_sample s;
        struct platform_state platform = {.state = PLATFORM_KNOWN, .has_position = true};
        CHECK_INT(eclairs_alert(simulator, 13, i, &wish, &a, &error), BURST_OK);
        memcpy(platform.position_icrs_km, a.observer_km, sizeof platform.position_icrs_km);
        CHECK_INT(subimage_prepare(&a.packet, &catalogue, &platform, &s, &error), BURST_OK);
        CHECK_STR(s.nearest_name, "Moon");
        CHECK(s.nearest_px <= 3.0); /* the trigger may fire two pixels off, its track in a long exposure is two long */
    }
}

TEST(a_wider_background_and_another_exposure_are_met_too)
{
    struct eclairs_wish wish = {.family = ECLAIRS_NEW, .snr = 9.0, .spread = 1.6, .exposure_s = 163.84};
    struct eclairs_alert a;
    CHECK_INT(eclairs_alert(simulator, 14, 0, &wish, &a, &error), BURST_OK);
    CHECK_NEAR(a.snr, 9.0, 0.9 + 1e-9);
    CHECK_NEAR(a.spread, 1.6, 0.4 + 1e-9);
    CHECK_NEAR(a.exposure_s, 163.84, 1e-9);
}

TEST(an_unclear_alert_has_two_more_sources_or_a_bad_background)
{
    int n_crowded = 0, n_wide = 0;
    for (uint64_t i = 0; i < 12; i++) {
        struct eclairs_wish wish = {.family = ECLAIRS_UNCLEAR};
        struct eclairs_alert a;
        int n_other = 0;
        CHECK_INT(eclairs_alert(simulator, 15, i, &wish, &a, &error), BURST_OK);
        for (int k = 0; k < a.packet.n_y * a.packet.n_z; k++) {
            int y = k % a.packet.n_y + a.packet.sky_y0 - a.packet.trigger_y;
            int z = k / a.packet.n_y + a.packet.sky_z0 - a.packet.trigger_z;
            n_other += hypot(y, z) > 5.0 && a.pixels[k] > 0.4 * a.snr;
        }
        n_crowded += n_other > 0;
        n_wide += a.spread > 1.15;
    }
    CHECK(n_crowded >= 3 && n_wide >= 2);
    CHECK_INT(eclairs_label(ECLAIRS_UNCLEAR), -1);
    CHECK_INT(eclairs_label(ECLAIRS_OUTBURST), 1);
    CHECK_INT(eclairs_label(ECLAIRS_MOON), 0);
}

TEST(another_instrument_gives_other_images_of_the_same_seed)
{
    struct eclairs_shift shift = {1.5, 1.67}, none = {1.0, 1.0};
    struct eclairs_wish wish = {.family = ECLAIRS_NEW};
    struct eclairs_alert a, b, c;
    CHECK_INT(eclairs_alert(simulator, 16, 0, &wish, &a, &error), BURST_OK);
    eclairs_set_shift(simulator, &shift);
    CHECK_INT(eclairs_alert(simulator, 16, 0, &wish, &b, &error), BURST_OK);
    eclairs_set_shift(simulator, &none);
    CHECK_INT(eclairs_alert(simulator, 16, 0, &wish, &c, &error), BURST_OK);
    CHECK(memcmp(a.pixels, b.pixels, sizeof a.pixels) != 0);
    CHECK(memcmp(a.pixels, c.pixels, sizeof a.pixels) == 0);
}

int main(void)
{
    if (catalogue_load(BURST_SOURCE_DIR "/config/catalogues/known-sources.csv", &catalogue, &error) ||
        eclairs_new(1, &catalogue, &simulator, &error)) {
        printf("FAIL eclairs: %s\n", error.text);
        return 1;
    }
    RUN(the_mask_is_two_fifths_open_with_an_opaque_cross_and_hangs_together);
    RUN(two_seeds_give_two_masks_and_one_seed_one);
    RUN(a_shadow_holds_the_open_area_that_the_plane_sees);
    RUN(decoding_equals_the_sums_written_out);
    RUN(an_empty_sky_is_noise_of_the_width_the_fit_leaves);
    RUN(a_source_of_two_thousand_counts_stands_at_seven_sigma);
    RUN(a_point_is_four_pixels_wide_and_lies_where_it_was_put);
    RUN(every_family_fires_the_trigger_and_lands_in_the_middle_of_its_frame);
    RUN(a_wished_brightness_is_met);
    RUN(the_same_seed_gives_the_same_alert);
    RUN(a_brightness_that_never_comes_is_refused);
    RUN(around_a_point_lies_a_ring_of_minima_and_coding_noise);
    RUN(the_trigger_asks_for_six_and_a_half_sigma_more_where_the_sky_is_wide);
    RUN(the_moon_is_marked_where_the_satellite_saw_it);
    RUN(a_wider_background_and_another_exposure_are_met_too);
    RUN(an_unclear_alert_has_two_more_sources_or_a_bad_background);
    RUN(another_instrument_gives_other_images_of_the_same_seed);
    eclairs_free(simulator);
    catalogue_fini(&catalogue);
    return check_report();
}
