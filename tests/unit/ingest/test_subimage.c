#include "base/hash.h"
#include "check.h"
#include "fits/write.h"
#include "ingest/ingest.h"
#include "unit/ingest/changed.h"

static const struct source ECLAIRS = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS};

static struct burst_error why;
static struct arena arena;
static struct subimage_packet packet;
static struct changed file;
static float pixels[64 * 64];

static struct fits_subimage plain(int n_y, int n_z)
{
    for (size_t i = 0; i < sizeof pixels / sizeof pixels[0]; i++)
        pixels[i] = (float)i / 100;
    struct fits_subimage s = {.burst_id = "sb26050401",
                              .alert_count = 3,
                              .date_obs = "2026-05-04T21:06:44.312",
                              .date_end = "2026-05-04T21:07:04.792",
                              .e_min_kev = 5,
                              .e_max_kev = 20,
                              .timescale_s = 20.48,
                              .snr_sigma = 8.75,
                              .trigger_type = "IMT",
                              .slew_status = "not-requested",
                              .data_stream = "XBand",
                              .n_y = n_y,
                              .n_z = n_z,
                              .sky_y0 = 10,
                              .sky_z0 = 20,
                              .sky_n = 200,
                              .trigger_y = 38,
                              .trigger_z = 48,
                              .snr = pixels,
                              .crpix = {90.5, 80.5},
                              .crval_deg = {123.456789012345, -45.6},
                              .cd = {{-0.55, 0.01}, {0.02, 0.56}}};
    return s;
}

static void make(const struct fits_subimage *s)
{
    changed_drop(&file);
    CHECK_INT(fits_write_subimage(s, &file.bytes, &file.n, &why), BURST_OK);
}

static enum burst_err read(void)
{
    arena_fini(&arena);
    if (arena_init(&arena, ingest_arena_need(file.n), &why)) return BURST_E_NOMEM;
    return ingest_subimage(ECLAIRS, file.bytes, file.n, &arena, &packet, &why);
}

/* 2026-05-04T21:06:44.312 UTC is 1777928804.312 s of POSIX time; TT - UTC is 69.184 s. */
TEST(every_field_is_filled)
{
    struct fits_subimage s = plain(56, 40);
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_STR(packet.burst_id, "sb26050401");
    CHECK_INT(packet.alert_count, 3);
    CHECK(packet.span.start_ns == INT64_C(1777928804312000000) + INT64_C(69184000000));
    CHECK(packet.span.stop_ns - packet.span.start_ns == 20480000000);
    CHECK(packet.e_min_kev == 5 && packet.e_max_kev == 20 && packet.timescale_s == 20.48 && packet.snr_sigma == 8.75);
    CHECK_STR(packet.trigger_type, "IMT");
    CHECK_STR(packet.slew_status, "not-requested");
    CHECK_STR(packet.data_stream, "XBAND");
    CHECK_INT(packet.n_y, 56);
    CHECK_INT(packet.n_z, 40);
    CHECK(packet.sky_y0 == 10 && packet.sky_z0 == 20 && packet.sky_n == 200 && packet.trigger_y == 38 &&
          packet.trigger_z == 48);
    CHECK(packet.snr[0] == 0 && packet.snr[56 * 39 + 55] == 22.39F);
    CHECK(packet.wcs.crpix[0] == 90.5 && packet.wcs.crval_deg[1] == -45.6 && packet.wcs.cd[0][1] == 0.01 &&
          packet.wcs.cd[1][0] == 0.02);
    uint8_t digest[32];
    hash_sha256(&(struct hash_piece){file.bytes, file.n}, 1, digest);
    CHECK(!memcmp(digest, packet.sha256, sizeof digest));
}

TEST(nan_pixels_are_kept_as_missing)
{
    struct fits_subimage s = plain(3, 1);
    pixels[1] = NAN;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK(packet.snr[0] == 0 && isnan(packet.snr[1]) && packet.snr[2] == 0.02F);
}

TEST(the_largest_image_is_56_a_side)
{
    struct fits_subimage s = plain(56, 56);
    make(&s);
    CHECK_INT(read(), BURST_OK);
    s = plain(57, 56);
    make(&s);
    CHECK_REFUSED(read(), BURST_E_SHAPE, why, "has 57 x 56 pixels, 1 to 56 a side expected");
    s = plain(1, 57);
    make(&s);
    CHECK_REFUSED(read(), BURST_E_SHAPE, why, "has 1 x 57 pixels");
}

TEST(a_trigger_beside_the_image_is_taken_one_beside_the_sky_is_not)
{
    struct fits_subimage s = plain(56, 56);
    s.trigger_y = 199;
    s.trigger_z = 0;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    s.trigger_y = 200;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "TRIGY is 200, 0 to 199 expected");
    s.trigger_y = 0;
    s.trigger_z = -1;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "TRIGZ is -1");
}

TEST(an_image_may_touch_the_edge_of_the_sky_but_not_cross_it)
{
    struct fits_subimage s = plain(56, 56);
    s.sky_y0 = 144;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    s.sky_y0 = 145;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "SKYY0: the image leaves the sky");
    s.sky_y0 = -1;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "SKYY0 is -1");
}

TEST(pixels_must_be_signal_to_noise)
{
    struct fits_subimage s = plain(2, 2);
    pixels[3] = -1.1e6F;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "pixel (2, 2) is -1.1e+06");
    pixels[3] = 1e6F;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    for (int i = 0; i < 4; i++)
        pixels[i] = i % 2 ? NAN : -INFINITY;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "none of the 4 pixels has data");
}

TEST(an_infinite_pixel_has_no_data)
{
    struct fits_subimage s = plain(3, 1);
    pixels[1] = INFINITY;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK(isnan(packet.snr[1]) && packet.snr[2] == 0.02F);
    CHECK_INT(packet.faults, 0);
}

/* A linear congruential generator's top bits, summed to something like noise of 1 sigma; the same on every machine. */
static float noise(void)
{
    static uint32_t x = 1;
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        x = x * 1664525U + 1013904223U;
        sum += (double)(x >> 8) / 16777216.0;
    }
    return (float)(sum - 6);
}

static void fill_noise(int n, double step)
{
    for (int i = 0; i < n; i++)
        pixels[i] = step > 0 ? (float)(step * round((double)noise() / step)) : noise();
}

static void turn_pixels(int n)
{
    uint8_t *b = (uint8_t *)pixels;
    for (int i = 0; i < n; i++, b += 4) {
        uint8_t x = b[0], y = b[1];
        b[0] = b[3];
        b[1] = b[2];
        b[2] = y;
        b[3] = x;
    }
}

/* Also what is rounded to 1/8 sigma, as a link of few bits sends it: as it stands all of that is below 1e-38. */
TEST(bytes_in_the_wrong_order_are_seen_and_turned_round)
{
    static const double STEP[] = {0, 0.125, 1e-3};
    static float before[56 * 56];
    for (int k = 0; k < 3; k++) {
        struct fits_subimage s = plain(56, 56);
        fill_noise(56 * 56, STEP[k]);
        for (int i = 0; i < 7 * 56; i++)
            pixels[i] = NAN; /* a lost stripe is turned round with the rest */
        memcpy(before, pixels, sizeof before);
        make(&s);
        CHECK_INT(read(), BURST_OK);
        CHECK_INT(packet.faults, 0);
        turn_pixels(56 * 56);
        make(&s);
        CHECK_INT(read(), BURST_OK);
        CHECK_INT(packet.faults, SUBIMAGE_SWAPPED);
        CHECK(isnan(packet.snr[100]) && !memcmp(packet.snr + 7 * 56, before + 7 * 56, 4 * 49 * 56));
    }
}

TEST(a_single_odd_number_is_no_wrong_order)
{
    struct fits_subimage s = plain(56, 56);
    fill_noise(56 * 56, 0);
    pixels[9] = 2e7F;
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "pixel (10, 1) is 2e+07");
    pixels[9] = 1e-40F;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, 0);
    static const uint32_t SAME_BOTH_WAYS = 0x7f00007fU; /* odd either way round: no sky image at all */
    for (int i = 0; i < 56 * 56; i++)
        memcpy(&pixels[i], &SAME_BOTH_WAYS, 4);
    make(&s);
    CHECK_REFUSED(read(), BURST_E_RANGE, why, "pixel (1, 1) is 1.70144e+38");
}

TEST(pixels_that_hardly_differ_are_told)
{
    struct fits_subimage s = plain(56, 56);
    memset(pixels, 0, sizeof pixels);
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, SUBIMAGE_NO_NOISE);
    pixels[28 * 56 + 28] = 12; /* a peak and nothing around it */
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, SUBIMAGE_NO_NOISE);
    fill_noise(56 * 56, 0.5); /* rounded to half a sigma: a fifth of the neighbours are equal */
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, 0);
    for (int i = 0; i < 28 * 56; i++) /* the lower half filled with zeros where others send NaN */
        pixels[i] = 0;
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, 0);
    s = plain(3, 3); /* twelve pairs: too few to say */
    memset(pixels, 0, sizeof pixels);
    make(&s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, 0);
}

static void taken_without_wcs(const struct fits_subimage *s, const char *part)
{
    make(s);
    CHECK_INT(read(), BURST_OK);
    CHECK_INT(packet.faults, SUBIMAGE_NO_WCS);
    CHECK_SAY(strstr(packet.wcs_fault, part) != NULL, "\"%s\" lacks \"%s\"", packet.wcs_fault, part);
    CHECK(packet.wcs.cd[0][0] == 0 && packet.wcs.crval_deg[1] == 0);
}

TEST(sky_coordinates_that_lead_nowhere_are_no_reason_to_refuse)
{
    struct fits_subimage s = plain(2, 2);
    s.cd[1][0] = -1.1;
    s.cd[1][1] = 0.02; /* the second row is twice the first */
    taken_without_wcs(&s, "the CD matrix is singular");
    s = plain(2, 2);
    s.cd[1][1] = 0.2; /* pixels almost three times as long as wide */
    taken_without_wcs(&s, "no squares");
    s = plain(2, 2);
    s.cd[0][0] = -0.1;
    s.cd[0][1] = s.cd[1][0] = 0;
    s.cd[1][1] = 0.1; /* a sky of 20 degrees */
    taken_without_wcs(&s, "not 30 to 300 degrees wide");
    s.cd[0][0] = -2;
    s.cd[1][1] = 2;
    taken_without_wcs(&s, "not 30 to 300 degrees wide");
    s = plain(2, 2);
    s.crpix[0] = 195; /* sky pixel 204 of 200: image at sky pixel 10 */
    taken_without_wcs(&s, "CRPIX1: the axis lies outside the sky");
    s = plain(2, 2);
    s.crval_deg[1] = 90.5;
    taken_without_wcs(&s, "CRVAL2 is 90.5");
}

TEST(sky_coordinates_of_another_kind_are_no_reason_to_refuse)
{
    static const struct {
        const char *begin, *with, *part;
    } cases[] = {{"CTYPE1  =", "COMMENT", "no CTYPE1"},
                 {"CTYPE2  =", "CTYPE2  = 'DEC--SIN'", "'DEC--TAN' expected"},
                 {"CD2_2   =", "COMMENT", "no CD2_2"},
                 {"CD1_2   =", "CD1_2   = 'north   '", "number expected"},
                 {"CUNIT1  =", "CUNIT1  = 'rad     '", "'deg' expected"},
                 {"BUNIT   =", "CROTA2  =                 10.0", "only CTYPE"},
                 {"BUNIT   =", "LONPOLE =                 90.0", "LONPOLE is 90.0"}};
    struct fits_subimage s = plain(4, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make(&s);
        changed_unsum(&file);
        changed_card(&file, NULL, cases[i].begin, cases[i].with);
        CHECK_INT(read(), BURST_OK);
        CHECK_INT(packet.faults, SUBIMAGE_NO_WCS);
        CHECK_SAY(strstr(packet.wcs_fault, cases[i].part) != NULL, "\"%s\" lacks \"%s\"", packet.wcs_fault,
                  cases[i].part);
    }
}

TEST(refusals_leave_the_packet_alone)
{
    static const struct {
        const char *begin, *with, *part;
        enum burst_err code;
    } cases[] = {
        {"TELESCOP=", "TELESCOP= 'SWIFT   '", "'SVOM' expected", BURST_E_FORMAT},
        {"INSTRUME=", "INSTRUME= 'GRM     '", "'ECL' expected", BURST_E_FORMAT},
        {"BITPIX  =", "BITPIX  =                  -64", "BITPIX -64", BURST_E_SHAPE},
        {"BURST_ID=", "COMMENT", "no BURST_ID", BURST_E_MISSING},
        {"BURST_ID=", "BURST_ID= 'sb 1'", "letters, digits", BURST_E_FORMAT},
        {"BURST_ID=", "BURST_ID= ''", "BURST_ID is empty", BURST_E_MISSING},
        {"ALERTCNT=", "ALERTCNT= 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'", "an integer expected", BURST_E_FORMAT},
        {"ALERTCNT=", "ALERTCNT=                  256", "0 to 255", BURST_E_RANGE},
        {"DATE-OBS=", "DATE-OBS= '2026-13-04T00:00:00'", "DATE-OBS (card at byte", BURST_E_TIME},
        {"DATE-END=", "DATE-END= '2026-05-04T21:06:44.312'", "not after DATE-OBS", BURST_E_TIME},
        {"E_MAX   =", "E_MAX   =                  5.0", "not above E_MIN", BURST_E_RANGE},
        {"TIMESCAL=", "TIMESCAL=                  0.0", "not above 0", BURST_E_RANGE},
        {"TRIGTYPE=", "TRIGTYPE= 'ABC     '", "CRT or IMT expected", BURST_E_FORMAT},
        {"DSTREAM =", "DSTREAM = 'X       '", "VHF or XBAND expected", BURST_E_FORMAT},
        {"SLEWSTAT=", "SLEWSTAT= 'longer-than-15-letters'", "at most 15", BURST_E_LIMIT},
        {"SNR     =", "SNR     =                  1E9", "SNR is 1E9", BURST_E_RANGE},
        {"BUNIT   =", "BZERO   =                  1.0", "BZERO 1", BURST_E_FORMAT}};
    struct fits_subimage s = plain(4, 4);
    make(&s);
    CHECK_INT(read(), BURST_OK);
    struct subimage_packet before = packet;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make(&s);
        changed_unsum(&file);
        changed_card(&file, NULL, cases[i].begin, cases[i].with);
        CHECK_REFUSED(read(), cases[i].code, why, cases[i].part);
        CHECK(!memcmp(&before, &packet, sizeof packet));
    }
}

TEST(a_full_arena_and_a_wrong_source_are_answers)
{
    struct arena small = {0};
    struct fits_subimage s = plain(56, 56);
    const struct source gbm = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_GBM};
    make(&s);
    CHECK_REFUSED(ingest_subimage(ECLAIRS, file.bytes, file.n, &small, &packet, &why), BURST_E_NOMEM, why,
                  "56 x 56 pixels do not fit");
    CHECK_REFUSED(ingest_subimage(gbm, file.bytes, file.n, &small, &packet, &why), BURST_E_UNSUPPORTED, why,
                  "fermi.gbm sends no sub-images");
}

int main(void)
{
    RUN(every_field_is_filled);
    RUN(nan_pixels_are_kept_as_missing);
    RUN(the_largest_image_is_56_a_side);
    RUN(a_trigger_beside_the_image_is_taken_one_beside_the_sky_is_not);
    RUN(an_image_may_touch_the_edge_of_the_sky_but_not_cross_it);
    RUN(pixels_must_be_signal_to_noise);
    RUN(an_infinite_pixel_has_no_data);
    RUN(bytes_in_the_wrong_order_are_seen_and_turned_round);
    RUN(a_single_odd_number_is_no_wrong_order);
    RUN(pixels_that_hardly_differ_are_told);
    RUN(sky_coordinates_that_lead_nowhere_are_no_reason_to_refuse);
    RUN(sky_coordinates_of_another_kind_are_no_reason_to_refuse);
    RUN(refusals_leave_the_packet_alone);
    RUN(a_full_arena_and_a_wrong_source_are_answers);
    changed_drop(&file);
    arena_fini(&arena);
    return check_report();
}
