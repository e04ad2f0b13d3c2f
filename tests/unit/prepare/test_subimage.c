/* Placement, mask and flags. Source positions come from astropy 5.2's WCS for the same header values. */
#include "check.h"
#include "prepare/subimage.h"

static struct burst_error error;
static float pixels[SUBIMAGE_SIDE * SUBIMAGE_SIDE];

/* all_world2pix of these with the wcs below, FITS pixels: (29.358, 32.651), (-9.617, -10.587), behind the plane. */
static struct catalogue_source sources[] = {
    {"Crab Nebula/Pulsar", 83.6332, 22.0145, true},
    {"NGC 2110", 88.0474, -7.4562, false},
    {"Antipode", 263.0, -20.0, false},
};
static const struct catalogue KNOWN = {3, sources}, NOTHING = {0, NULL};

/* 56 x 56 at sky pixel (70, 80) of 200 x 200, every pixel its own value; 2026-02-04T02:00, Moon and Sun far away. */
static struct subimage_packet make_packet(void)
{
    for (int i = 0; i < SUBIMAGE_SIDE * SUBIMAGE_SIDE; i++)
        pixels[i] = (float)i / 1000.0f;
    struct subimage_packet p = {
        .span = {INT64_C(1770170469184000000), INT64_C(1770170489664000000)},
        .n_y = 56,
        .n_z = 56,
        .sky_y0 = 70,
        .sky_z0 = 80,
        .sky_n = 200,
        .trigger_y = 97,
        .trigger_z = 111,
        .snr = pixels,
        .wcs = {.crpix = {29.5, 31.25},
                .crval_deg = {83.1, 21.4},
                .cd = {{-0.470074853333410, 0.305270179125922}, {0.305270179125922, 0.470074853333410}}},
    };
    return p;
}

static int count_mask(const struct image_sample *s, int value)
{
    int n = 0;
    for (int i = 0; i < IMAGE_SIDE * IMAGE_SIDE; i++)
        n += s->mask[i / IMAGE_SIDE][i % IMAGE_SIDE] == value;
    return n;
}

TEST(the_trigger_pixel_lands_in_the_middle_and_the_rest_beside_it)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK(s.packet == &p);
    /* trigger: column 97 - 70 = 27, row 111 - 80 = 31 of the file */
    CHECK_NEAR(s.snr[28][28], (31 * 56 + 27) / 1000.0, 1e-6);
    CHECK_NEAR(s.snr[28][29], (31 * 56 + 28) / 1000.0, 1e-6);
    CHECK_NEAR(s.snr[27][28], (30 * 56 + 27) / 1000.0, 1e-6);
    CHECK_INT(s.mask[28][28], MASK_TRIGGER);
    CHECK_INT(count_mask(&s, MASK_TRIGGER), 1);
    /* file column -1 and rows 56, 57, 58 do not exist: frame column 0 and rows 53, 54, 55 */
    CHECK_INT(s.mask[10][0], MASK_IGNORE);
    CHECK_INT(s.mask[53][10], MASK_IGNORE);
    CHECK_INT(s.mask[52][1], MASK_BACKGROUND);
    CHECK_INT(count_mask(&s, MASK_IGNORE), 56 * 3 + 53);
    CHECK_NEAR(s.snr[53][10], 0.0, 0.0);
    CHECK_INT(s.n_missing, 56 * 3 + 53); /* all of them lie inside the 200 x 200 sky */
    CHECK_INT(s.flags, IMAGE_PARTIAL);
}

TEST(pixels_within_one_pixel_of_a_source_are_marked_and_the_trigger_is_not)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    /* file pixels (29, 32), (30, 32), (29, 33), (30, 33) are 0.74, 0.91, 0.50, 0.73 px away; the next 1.40 */
    CHECK(s.mask[28][29] == MASK_SOURCE && s.mask[28][30] == MASK_SOURCE);
    CHECK(s.mask[29][29] == MASK_SOURCE && s.mask[29][30] == MASK_SOURCE);
    CHECK_INT(count_mask(&s, MASK_SOURCE), 4);
    p.trigger_y = 98; /* now the trigger is one of the four */
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.mask[28][28], MASK_TRIGGER);
    CHECK_INT(count_mask(&s, MASK_SOURCE), 3);
    pixels[32 * 56 + 28] = NAN; /* no data comes before a source */
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(count_mask(&s, MASK_SOURCE), 2);
}

TEST(the_nearest_source_is_named_with_its_distance)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_STR(s.nearest_name, "Crab Nebula/Pulsar");
    CHECK_NEAR(s.nearest_px, 1.5062844, 1e-5); /* hypot(29.358260 - 28, 32.651170 - 32) */
    CHECK_NEAR(s.ra_deg, 84.1024072, 1e-6);    /* all_pix2world of FITS pixel (28, 32) */
    CHECK_NEAR(s.dec_deg, 21.2916839, 1e-6);
    const struct catalogue far = {2, sources + 1}; /* outside this sub-image but inside the sky; behind the plane */
    CHECK_INT(subimage_prepare(&p, &far, NULL, &s, &error), BURST_OK);
    CHECK_STR(s.nearest_name, "NGC 2110");
    CHECK_NEAR(s.nearest_px, 56.8215536, 1e-5); /* hypot(-9.616709 - 28, -10.587230 - 32) */
    CHECK_INT(count_mask(&s, MASK_SOURCE), 0);
}

TEST(a_sky_without_sources_has_no_nearest)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    const struct catalogue none = {0, NULL}, behind = {1, sources + 2};
    CHECK_INT(subimage_prepare(&p, &none, NULL, &s, &error), BURST_OK);
    CHECK(s.nearest_px < 0.0);
    CHECK_STR(s.nearest_name, "");
    CHECK_INT(subimage_prepare(&p, &behind, NULL, &s, &error), BURST_OK);
    CHECK(s.nearest_px < 0.0);
}

TEST(the_moon_is_a_source)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    p.wcs.crval_deg[0] = 163.6450; /* astropy's geocentric Moon at DATE-OBS; it moves a hundredth of a pixel in 10 s */
    p.wcs.crval_deg[1] = 6.5888;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_STR(s.nearest_name, "Moon");
    /* its centre stands at FITS pixel (29.5, 31.25), the trigger at (28, 32); 0.259 degrees are 0.462 pixels here */
    CHECK_NEAR(s.nearest_px, 1.67705 - 0.46209, 0.03);
    CHECK_INT(s.mask[27][29], MASK_SOURCE); /* file pixel (29, 31): 0.56 px away */
    CHECK_INT(s.flags, IMAGE_PARTIAL | IMAGE_GEOCENTRIC);
}

/* 2019-06-17T08:30 UTC. astropy 5.2, get_body("moon"): geocentric and from a satellite 7,013 km from the centre of the Earth. */
static const int64_t MOON_TT_NS = INT64_C(1560760269184000000);
static const double MOON_GEOCENTRIC_DEG[2] = {265.2938630, -21.4166029};
/* Its parallax is 1.03 degrees; seen from there the Moon stands at 265.9624203, -22.2403276. */
static const struct platform_state ASIDE = {
    .state = PLATFORM_KNOWN, .has_position = true, .position_icrs_km = {-4361.693260, -1696.481553, 5223.002129}};

static struct subimage_packet towards(const double deg[2])
{
    struct subimage_packet p = make_packet();
    p.span = (struct time_span){MOON_TT_NS - 10 * 1000000000LL, MOON_TT_NS + 10 * 1000000000LL};
    p.wcs.crval_deg[0] = deg[0];
    p.wcs.crval_deg[1] = deg[1];
    return p;
}

/* FITS pixel (y, z) is frame [z - 4][y]; pixels within 1.0 of the disc by astropy's WCS and a limb of 721 points. */
static void marked(const struct image_sample *s, int n, const int (*pixel)[2])
{
    CHECK_INT(count_mask(s, MASK_SOURCE), n);
    for (int i = 0; i < n; i++)
        CHECK_INT(s->mask[pixel[i][1] - 4][pixel[i][0]], MASK_SOURCE);
}

TEST(the_moon_is_masked_where_the_satellite_saw_it)
{
    static const int GEOCENTRIC[6][2] = {{29, 30}, {30, 30}, {29, 31}, {30, 31}, {29, 32}, {30, 32}};
    static const int SEEN[6][2] = {{27, 30}, {28, 30}, {29, 30}, {27, 31}, {28, 31}, {29, 31}}; /* (28, 32) triggered */
    struct subimage_packet p = towards(MOON_GEOCENTRIC_DEG);
    struct platform_state stale = {.state = PLATFORM_STALE, .position_icrs_km = {7013, 0, 0}};
    struct image_sample s;
    CHECK_INT(subimage_prepare(&p, &NOTHING, NULL, &s, &error), BURST_OK);
    marked(&s, 6, GEOCENTRIC);
    CHECK_NEAR(s.nearest_px, 1.21496, 0.01);
    CHECK_INT(s.flags, IMAGE_PARTIAL | IMAGE_GEOCENTRIC);
    CHECK_INT(subimage_prepare(&p, &NOTHING, &ASIDE, &s, &error), BURST_OK);
    marked(&s, 6, SEEN);
    CHECK_NEAR(s.nearest_px, 0.93975, 0.01);
    CHECK_STR(s.nearest_name, "Moon");
    CHECK_INT(s.flags, IMAGE_PARTIAL);
    CHECK(s.platform.position_icrs_km[2] == 5223.002129);
    CHECK_INT(subimage_prepare(&p, &NOTHING, &stale, &s, &error), BURST_OK); /* known then, but not now */
    marked(&s, 6, GEOCENTRIC);
    CHECK_INT(s.flags, IMAGE_PARTIAL | IMAGE_GEOCENTRIC);
}

/* 42 degrees from the axis the disc is 1.7 pixels across one way and 1.2 the other. */
TEST(far_from_the_axis_the_moon_covers_more_pixels)
{
    static const int PIXELS[8][2] = {{27, 29}, {28, 29}, {27, 30}, {28, 30}, {29, 30}, {27, 31}, {28, 31}, {29, 31}};
    static const double AXIS[2] = {285.6149131778122, 15.552067895144766};
    struct subimage_packet p = towards(AXIS);
    struct image_sample s;
    p.wcs.crpix[0] = 34.5; /* so that the Moon stands at (27.90695, 30.44478) */
    p.wcs.crpix[1] = 122.25;
    CHECK_INT(subimage_prepare(&p, &NOTHING, NULL, &s, &error), BURST_OK);
    marked(&s, 8, PIXELS); /* (28, 32), the ninth, triggered */
}

TEST(without_a_satellite_only_a_moon_in_or_beside_the_sky_is_in_doubt)
{
    struct subimage_packet p = towards(MOON_GEOCENTRIC_DEG);
    struct image_sample s;
    p.wcs.crpix[0] = -73.5; /* the Moon at sky column -4.5 */
    CHECK_INT(subimage_prepare(&p, &NOTHING, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.flags & IMAGE_GEOCENTRIC, IMAGE_GEOCENTRIC);
    CHECK(s.nearest_px < 0);
    p.wcs.crpix[0] = -74.5;
    CHECK_INT(subimage_prepare(&p, &NOTHING, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.flags & IMAGE_GEOCENTRIC, 0);
}

TEST(a_source_less_than_a_pixel_beside_the_sky_marks_its_last_pixels)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    const struct catalogue crab = {1, sources};
    p.sky_n = 56; /* this image is the whole sky: columns 0..55 */
    p.sky_y0 = p.sky_z0 = 0;
    p.trigger_y = p.trigger_z = 28;
    p.wcs.crpix[0] += 56.9 - 29.358260352; /* the Crab at column 55.9, row 31.65 */
    CHECK_INT(subimage_prepare(&p, &crab, NULL, &s, &error), BURST_OK);
    CHECK_INT(count_mask(&s, MASK_SOURCE), 1); /* (55, 32): 0.97 px; (55, 31): 1.11 px */
    CHECK_INT(s.mask[32][55], MASK_SOURCE);
    CHECK_STR(s.nearest_name, "Crab Nebula/Pulsar");
    p.wcs.crpix[0] += 0.2; /* column 56.1: beyond reach */
    CHECK_INT(subimage_prepare(&p, &crab, NULL, &s, &error), BURST_OK);
    CHECK_INT(count_mask(&s, MASK_SOURCE), 0);
    CHECK(s.nearest_px < 0);
}

/* The axis of this image is at 83.1, 21.4. */
TEST(an_attitude_that_contradicts_the_sky_coordinates_is_flagged)
{
    struct subimage_packet p = make_packet();
    struct platform_state state = {.state = PLATFORM_STALE, .has_pointing = true, .axis_deg = {83.1, 23.3}};
    struct image_sample s;
    CHECK_INT(subimage_prepare(&p, &KNOWN, &state, &s, &error), BURST_OK);
    CHECK_INT(s.flags, IMAGE_PARTIAL);
    state.axis_deg[1] = 23.5;
    CHECK_INT(subimage_prepare(&p, &KNOWN, &state, &s, &error), BURST_OK);
    CHECK_INT(s.flags, IMAGE_PARTIAL | IMAGE_OFF_AXIS);
    state.has_pointing = false;
    CHECK_INT(subimage_prepare(&p, &KNOWN, &state, &s, &error), BURST_OK);
    CHECK_INT(s.flags, IMAGE_PARTIAL);
}

TEST(without_sky_coordinates_the_pixels_are_placed_and_nothing_is_marked)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    p.faults = SUBIMAGE_NO_WCS | SUBIMAGE_SWAPPED | SUBIMAGE_NO_NOISE;
    p.wcs = (struct tan_wcs){0};
    CHECK_INT(subimage_prepare(&p, &KNOWN, &ASIDE, &s, &error), BURST_OK);
    CHECK_NEAR(s.snr[28][28], (31 * 56 + 27) / 1000.0, 1e-6);
    CHECK_INT(s.mask[28][28], MASK_TRIGGER);
    CHECK_INT(count_mask(&s, MASK_SOURCE), 0);
    CHECK(isnan(s.ra_deg) && isnan(s.dec_deg) && s.nearest_px < 0);
    CHECK_STR(s.nearest_name, "");
    CHECK_INT(s.flags, IMAGE_PARTIAL | IMAGE_NO_WCS | IMAGE_SWAPPED | IMAGE_NO_NOISE);
}

/* ---- edges ---- */

/* What the on-board software can send of a trigger at this sky pixel: 56 x 56 around it, cut by the edges of the sky. */
static struct subimage_packet cut_around(int y, int z)
{
    struct subimage_packet p = make_packet();
    int y0 = y < 28 ? 0 : y - 28, z0 = z < 28 ? 0 : z - 28;
    p.sky_y0 = y0;
    p.sky_z0 = z0;
    p.n_y = (y + 28 < 200 ? y + 28 : 200) - y0;
    p.n_z = (z + 28 < 200 ? z + 28 : 200) - z0;
    p.trigger_y = y;
    p.trigger_z = z;
    for (int i = 0; i < p.n_y * p.n_z; i++)
        pixels[i] = (float)((i % p.n_y + y0) * 200 + i / p.n_y + z0); /* each pixel says where in the sky it is */
    return p;
}

TEST(at_all_four_sides_and_corners_every_pixel_of_the_sky_stands_where_it_belongs)
{
    static const int AT[] = {0, 1, 27, 28, 100, 172, 173, 198, 199};
    enum { N = sizeof AT / sizeof AT[0] };
    for (int i = 0; i < N * N; i++) {
        struct subimage_packet p = cut_around(AT[i / N], AT[i % N]);
        struct image_sample s;
        int n_wrong = 0;
        CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
        for (int k = 0; k < IMAGE_SIDE * IMAGE_SIDE; k++) {
            int y = k % IMAGE_SIDE, z = k / IMAGE_SIDE, sky_y = p.trigger_y + y - 28, sky_z = p.trigger_z + z - 28;
            bool in = sky_y >= 0 && sky_z >= 0 && sky_y < 200 && sky_z < 200;
            n_wrong += s.snr[z][y] != (in ? (float)(sky_y * 200 + sky_z) : 0.0f);
            n_wrong += (s.mask[z][y] == MASK_IGNORE) == in;
        }
        CHECK_SAY(n_wrong == 0, "%d pixels wrong at (%d, %d)", n_wrong, p.trigger_y, p.trigger_z);
        CHECK_INT(s.n_missing, 0);
        CHECK_INT(s.flags, 0); /* the smallest, at (0, 0), still holds 28 x 28 = 784 pixels */
        CHECK_INT(s.mask[28][28], MASK_TRIGGER);
    }
}

TEST(small_images_are_placed_down_to_one_pixel_and_told_to_be_sparse)
{
    static const struct {
        int n_y, n_z, flags;
    } SIZE[] = {{1, 1, IMAGE_SPARSE}, {1, 56, IMAGE_SPARSE}, {56, 1, IMAGE_SPARSE}, {2, 3, IMAGE_SPARSE},  {55, 56, 0},
                {56, 14, 0},          {14, 56, 0},           {28, 28, 0},           {27, 29, IMAGE_SPARSE}};
    for (size_t i = 0; i < sizeof SIZE / sizeof SIZE[0]; i++) {
        struct subimage_packet p = make_packet();
        struct image_sample s;
        p.n_y = SIZE[i].n_y;
        p.n_z = SIZE[i].n_z;
        p.sky_y0 = 100;
        p.sky_z0 = 90;
        p.trigger_y = 100 + p.n_y / 2;
        p.trigger_z = 90 + p.n_z / 2;
        CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
        CHECK_INT(count_mask(&s, MASK_IGNORE), 56 * 56 - p.n_y * p.n_z);
        CHECK_INT(s.flags, IMAGE_PARTIAL | SIZE[i].flags);
        CHECK_NEAR(s.snr[28][28], (p.n_z / 2 * p.n_y + p.n_y / 2) / 1000.0, 1e-6);
        CHECK_INT(s.n_missing, 56 * 56 - p.n_y * p.n_z);
    }
}

TEST(lost_rows_and_blocks_are_holes_and_the_rest_stays)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    p.trigger_y = p.sky_y0 + 28;
    p.trigger_z = p.sky_z0 + 28;
    for (int i = 7 * 56; i < 14 * 56; i++) /* the second of eight stripes */
        pixels[i] = NAN;
    for (int z = 40; z < 50; z++) /* and a block of ten rows, twelve columns */
        for (int y = 0; y < 12; y++)
            pixels[z * 56 + y] = NAN;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.n_missing, 7 * 56 + 120);
    CHECK_INT(s.flags, IMAGE_PARTIAL);
    CHECK(s.mask[7][0] == MASK_IGNORE && s.mask[13][55] == MASK_IGNORE && s.mask[14][0] == MASK_BACKGROUND);
    CHECK(s.mask[40][11] == MASK_IGNORE && s.mask[40][12] == MASK_BACKGROUND && s.snr[40][11] == 0.0f);
    CHECK_NEAR(s.snr[40][12], 2.252, 1e-6);
    CHECK_INT(s.mask[28][28], MASK_TRIGGER);
}

TEST(a_trigger_pixel_without_data_is_flagged)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    pixels[31 * 56 + 27] = NAN;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.mask[28][28], MASK_IGNORE);
    CHECK_INT(count_mask(&s, MASK_TRIGGER), 0);
    CHECK_NEAR(s.snr[28][28], 0.0, 0.0);
    CHECK_INT(s.flags, IMAGE_TRIGGER_NO_DATA | IMAGE_PARTIAL);
}

TEST(a_trigger_pixel_that_was_not_sent_is_flagged_the_same)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    p.trigger_y = 126; /* the image ends at sky column 125 */
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.flags, IMAGE_TRIGGER_NO_DATA | IMAGE_PARTIAL);
    CHECK_NEAR(s.snr[28][27], (31 * 56 + 55) / 1000.0, 1e-6);
    p.trigger_y = 0; /* so far off that nothing of the image is left in the frame */
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(count_mask(&s, MASK_IGNORE), 56 * 56);
}

TEST(what_lies_outside_the_sky_is_ignored_but_not_missing)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    p.n_y = 20; /* sky columns 0..19, rows 144..199: a corner, cut by the end of the sky on two sides */
    p.sky_y0 = 0;
    p.sky_z0 = 144;
    p.trigger_y = 0;
    p.trigger_z = 171;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_NEAR(s.snr[28][28], 27 * 20 / 1000.0, 1e-6);
    /* frame columns 28..47 and rows 1..56 hold data; columns 48..55 and row 0 are sky that was not sent */
    CHECK_INT(count_mask(&s, MASK_IGNORE), 56 * 56 - 20 * 55);
    CHECK_INT(s.n_missing, 28 + 8 * 55);
}

TEST(a_whole_image_is_not_partial)
{
    struct subimage_packet p = make_packet();
    struct image_sample s;
    p.trigger_y = p.sky_y0 + 28;
    p.trigger_z = p.sky_z0 + 28;
    CHECK_INT(subimage_prepare(&p, &KNOWN, NULL, &s, &error), BURST_OK);
    CHECK_INT(s.flags, 0);
    CHECK_INT(s.n_missing, 0);
    CHECK_NEAR(s.snr[0][0], 0.0, 0.0);
    CHECK_NEAR(s.snr[55][55], 3.135, 1e-6);
}

static void refused(const struct subimage_packet *p, enum burst_err want, const char *part)
{
    struct image_sample s = {.n_missing = 77};
    CHECK_REFUSED(subimage_prepare(p, &KNOWN, NULL, &s, &error), want, error, part);
    CHECK_INT(s.n_missing, 77);
}

TEST(geometry_that_cannot_be_is_refused)
{
    struct subimage_packet p = make_packet();
    p.n_y = 57;
    refused(&p, BURST_E_SHAPE, "57 x 56");
    p.n_y = 0;
    refused(&p, BURST_E_SHAPE, "0 x 56");
    p = make_packet();
    p.sky_y0 = 145;
    refused(&p, BURST_E_RANGE, "(145, 80)");
    p = make_packet();
    p.sky_z0 = -1;
    refused(&p, BURST_E_RANGE, "(70, -1)");
    p = make_packet();
    p.sky_n = -2147483647;
    refused(&p, BURST_E_RANGE, "sky of -2147483647");
    p = make_packet();
    p.trigger_y = 200;
    refused(&p, BURST_E_RANGE, "trigger pixel (200, 111)");
    p.trigger_y = -2147483647;
    refused(&p, BURST_E_RANGE, "trigger pixel");
    p = make_packet();
    p.wcs.cd[0][0] = p.wcs.cd[0][1] = 0.0;
    refused(&p, BURST_E_RANGE, "no sky coordinates");
}

TEST(an_infinite_pixel_is_refused_with_its_place)
{
    struct subimage_packet p = make_packet();
    pixels[2 * 56 + 4] = INFINITY;
    refused(&p, BURST_E_RANGE, "pixel (5, 3)");
}

int main(void)
{
    RUN(the_trigger_pixel_lands_in_the_middle_and_the_rest_beside_it);
    RUN(pixels_within_one_pixel_of_a_source_are_marked_and_the_trigger_is_not);
    RUN(the_nearest_source_is_named_with_its_distance);
    RUN(a_sky_without_sources_has_no_nearest);
    RUN(the_moon_is_a_source);
    RUN(the_moon_is_masked_where_the_satellite_saw_it);
    RUN(far_from_the_axis_the_moon_covers_more_pixels);
    RUN(without_a_satellite_only_a_moon_in_or_beside_the_sky_is_in_doubt);
    RUN(a_source_less_than_a_pixel_beside_the_sky_marks_its_last_pixels);
    RUN(an_attitude_that_contradicts_the_sky_coordinates_is_flagged);
    RUN(without_sky_coordinates_the_pixels_are_placed_and_nothing_is_marked);
    RUN(at_all_four_sides_and_corners_every_pixel_of_the_sky_stands_where_it_belongs);
    RUN(small_images_are_placed_down_to_one_pixel_and_told_to_be_sparse);
    RUN(lost_rows_and_blocks_are_holes_and_the_rest_stays);
    RUN(a_trigger_pixel_without_data_is_flagged);
    RUN(a_trigger_pixel_that_was_not_sent_is_flagged_the_same);
    RUN(what_lies_outside_the_sky_is_ignored_but_not_missing);
    RUN(a_whole_image_is_not_partial);
    RUN(geometry_that_cannot_be_is_refused);
    RUN(an_infinite_pixel_is_refused_with_its_place);
    return check_report();
}
