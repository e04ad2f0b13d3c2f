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
static const struct catalogue KNOWN = {3, sources};

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
    /* the Moon stands at FITS pixel (29.5, 31.25), the trigger at (28, 32) */
    CHECK_NEAR(s.nearest_px, 1.67705, 0.03);
    CHECK_INT(s.mask[27][29], MASK_SOURCE); /* file pixel (29, 31): 0.56 px away */
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
    RUN(a_trigger_pixel_without_data_is_flagged);
    RUN(a_trigger_pixel_that_was_not_sent_is_flagged_the_same);
    RUN(what_lies_outside_the_sky_is_ignored_but_not_missing);
    RUN(a_whole_image_is_not_partial);
    RUN(geometry_that_cannot_be_is_refused);
    RUN(an_infinite_pixel_is_refused_with_its_place);
    return check_report();
}
