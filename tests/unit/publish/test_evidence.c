/* The evidence FITS, read back through our own gate; with arguments, files for other readers (fitsverify, astropy):
 *   publish_test_evidence --samples DIR   write DIR/curves.fits and DIR/image.fits */
#include "base/bytes.h"
#include "check.h"
#include "fits/card.h"
#include "fits/gate.h"
#include "fits/image.h"
#include "fits/table.h"
#include "publish/evidence.h"
#include "sample_evidence.h"
#include <stdlib.h>

static struct burst_error error;
static uint8_t *fits;
static size_t n_fits;
static struct fits_file file;

static void gate(void)
{
    enum burst_err err = fits_gate(fits, n_fits, &file, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    if (err) file.n_hdu = 0;
}

static void drop(void)
{
    free(fits);
    fits = NULL;
    n_fits = 0;
}

static enum burst_err make_curves(struct lightcurve_window *w, int n_x)
{
    struct verdict v = sample_burst();
    struct window_explanation x = {.detector = 6, .n_cam = 3, .cam = {0, 1, 0.5f}};
    return evidence_lightcurves(&v, w, &x, n_x, &fits, &n_fits, &error);
}

static double cell(const struct fits_table *t, const char *name, size_t row, int64_t k)
{
    const struct fits_column *column = NULL;
    enum burst_err err = fits_table_column(t, name, 0, &column, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    return err ? NAN : fits_cell_real(t, column, row, k);
}

static double real_key(const struct fits_hdu *hdu, const char *key)
{
    double value = NAN;
    enum burst_err err = fits_key_real(hdu, key, -1e12, 1e12, &value, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    return value;
}

TEST(light_curves_hold_band_counts_validity_and_time)
{
    struct lightcurve_window *w = sample_window();
    struct fits_table t;
    CHECK_INT(make_curves(w, 1), BURST_OK);
    gate();
    CHECK_INT(file.n_hdu, 3);
    const struct fits_hdu *n6 = fits_hdu_named(&file, "LC_n6"), *nb = fits_hdu_named(&file, "LC_nb");
    CHECK(n6 != NULL && nb != NULL);
    if (n6 && nb) {
        CHECK_INT(fits_table_view(n6, &t, &error), BURST_OK);
        CHECK_INT(t.n_row, 1875);
        CHECK_NEAR(cell(&t, "TIME", 0, 0), 332916465.664 - 120, 1e-6); /* k_end x 0.064 - 120 s */
        CHECK_NEAR(cell(&t, "TIME", 1874, 0), 332916465.664 - 0.064, 1e-6);
        CHECK_INT(cell(&t, "COUNTS", 8, 0), (0 + 1) + (100 + 1));   /* atoms 0, 1 of bin 8: 8 mod 7 = 1 */
        CHECK_INT(cell(&t, "COUNTS", 8, 1), (100 + 1) + (200 + 1)); /* atoms 1, 2 */
        CHECK_INT(cell(&t, "VALID", 100, 0), 1);
        CHECK_INT(fits_table_view(nb, &t, &error), BURST_OK);
        CHECK_INT(cell(&t, "COUNTS", 6, 1), (1100 + 6) + (1200 + 6));
        CHECK_INT(cell(&t, "VALID", 9, 0), 1);
        CHECK_INT(cell(&t, "VALID", 10, 0), 0);
        CHECK_INT(t.n_column, 3); /* no explanation of nb */
        CHECK_NEAR(real_key(n6, "E_LO1"), 25, 0);
        CHECK_NEAR(real_key(n6, "E_HI1"), 100, 0);
        CHECK_NEAR(real_key(n6, "E_LO2"), 50, 0);
        CHECK_NEAR(real_key(n6, "E_HI2"), 300, 0);
    }
    window_free(w);
    drop();
}

TEST(a_grad_cam_is_linear_between_the_middles_of_its_bins)
{
    struct lightcurve_window *w = sample_window();
    struct fits_table t;
    CHECK_INT(make_curves(w, 1), BURST_OK);
    gate();
    const struct fits_hdu *n6 = fits_hdu_named(&file, "LC_n6");
    if (n6 && fits_table_view(n6, &t, &error) == BURST_OK) {
        /* three features of 625 bins: middles at bins 312, 937, 1562 */
        CHECK_NEAR(cell(&t, "CAM", 0, 0), 0, 1e-6);
        CHECK_NEAR(cell(&t, "CAM", 312, 0), 0, 1e-6);
        CHECK_NEAR(cell(&t, "CAM", 937, 0), 1, 1e-6);
        CHECK_NEAR(cell(&t, "CAM", 312 + 125, 0), 0.2, 1e-6);
        CHECK_NEAR(cell(&t, "CAM", 937 + 250, 0), 0.8, 1e-6);
        CHECK_NEAR(cell(&t, "CAM", 1874, 0), 0.5, 1e-6);
    } else
        CHECK(n6 != NULL);
    window_free(w);
    drop();
}

TEST(the_primary_header_says_which_revision_this_is)
{
    struct lightcurve_window *w = sample_window();
    char text[FITS_TEXT_MAX];
    int64_t ns = 0;
    CHECK_INT(make_curves(w, 0), BURST_OK);
    gate();
    const struct fits_hdu *p = &file.hdu[0];
    CHECK_INT(fits_key_text(p, "EVENT_ID", text, sizeof text, &error), BURST_OK);
    CHECK_STR(text, "fermi-gbm-20110721T044743.760Z");
    CHECK_INT(fits_key_expect(p, "VERDICT", "true", &error), BURST_OK);
    CHECK_INT(fits_key_expect(p, "TELESCOP", "GLAST", &error), BURST_OK);
    CHECK_INT(fits_key_expect(p, "REALM", "burst-archive", &error), BURST_OK);
    CHECK_INT(fits_key_expect(p, "MODEL1", "lightcurve 1.0.0", &error), BURST_OK);
    CHECK_INT(fits_key_expect(p, "DATE-TRG", "2011-07-21T04:47:43.760000", &error), BURST_OK);
    CHECK_INT(fits_key_ns(p, "TRIGTIME", &ns, &error), BURST_OK);
    /* T0 of bn110721200 is MET 332916465.760 (the issue); the epoch's double fraction of a day is good to a microsecond */
    CHECK_NEAR((double)ns / 1e9, 332916465.760, 2e-6);
    window_free(w);
    drop();
}

TEST(the_same_evidence_is_the_same_bytes)
{
    struct lightcurve_window *w = sample_window();
    CHECK_INT(make_curves(w, 1), BURST_OK);
    uint8_t *first = fits;
    size_t n_first = n_fits;
    CHECK_INT(make_curves(w, 1), BURST_OK);
    CHECK(n_first == n_fits && memcmp(first, fits, n_fits) == 0);
    free(first);
    window_free(w);
    drop();
}

TEST(windows_without_detectors_or_with_impossible_bands_are_refused)
{
    struct lightcurve_window *w = sample_window();
    w->n_detector = 0;
    CHECK_REFUSED(make_curves(w, 0), BURST_E_SHAPE, error, "window of 0 detectors");
    w->n_detector = 2;
    w->bands.n_band = 0;
    CHECK_REFUSED(make_curves(w, 0), BURST_E_SHAPE, error, "0 bands");
    w->bands.n_band = 2;
    w->bands.last[1] = 4;
    CHECK_REFUSED(make_curves(w, 0), BURST_E_SHAPE, error, "band 1 is atoms [1, 4) of 3");
    w->bands.last[1] = 3;
    w->source.instrument = INSTRUMENT_ECLAIRS;
    CHECK_REFUSED(make_curves(w, 0), BURST_E_UNSUPPORTED, error, "no instrument");
    CHECK(fits == NULL && n_fits == 0);
    window_free(w);
}

TEST(an_image_keeps_its_sky_coordinates_when_it_is_centred)
{
    struct subimage_packet p = sample_packet();
    struct image_sample s;
    struct image_explanation x;
    struct verdict v = sample_image();
    struct fits_image snr, mask, drops;
    fill_image(&s, &x, &p);
    CHECK_INT(evidence_image(&v, &s, &x, &fits, &n_fits, &error), BURST_OK);
    gate();
    CHECK_INT(file.n_hdu, 3);
    if (file.n_hdu == 3) {
        for (int i = 0; i < 3; i++) { /* the reference pixel (21, 32), the trigger, is now (29, 29) */
            CHECK_NEAR(real_key(&file.hdu[i], "CRPIX1"), 29, 0);
            CHECK_NEAR(real_key(&file.hdu[i], "CRPIX2"), 29, 0);
            CHECK_NEAR(real_key(&file.hdu[i], "CRVAL2"), -68.0289, 0);
            CHECK_NEAR(real_key(&file.hdu[i], "CD1_1"), -0.15, 0);
            CHECK_NEAR(real_key(&file.hdu[i], "CD1_2"), 0.01, 0);
        }
        CHECK_INT(fits_image_view(&file.hdu[0], &snr, &error), BURST_OK);
        CHECK_INT(fits_image_view(&file.hdu[1], &mask, &error), BURST_OK);
        CHECK_INT(fits_image_view(&file.hdu[2], &drops, &error), BURST_OK);
        CHECK_NEAR(fits_image_pixel(&snr, 28 * 56 + 30), 28.3, 1e-5); /* [z][y], y fastest */
        CHECK(isnan(fits_image_pixel(&snr, 5 * 56 + 3)));             /* no data are shown as none */
        CHECK_INT(fits_image_pixel(&mask, 28 * 56 + 28), MASK_TRIGGER);
        CHECK_INT(fits_image_pixel(&mask, 5 * 56 + 3), MASK_IGNORE);
        CHECK_NEAR(fits_image_pixel(&drops, 10 * 56 + 4), -6, 0);
        CHECK_STR(file.hdu[1].name, "MASK");
        CHECK_STR(file.hdu[2].name, "OCCLUDE");
    }
    drop();
    CHECK_INT(evidence_image(&v, &s, NULL, &fits, &n_fits, &error), BURST_OK);
    gate();
    CHECK_INT(file.n_hdu, 2);
    drop();
}

TEST(an_image_with_a_figure_that_is_no_number_is_refused)
{
    struct subimage_packet p = sample_packet();
    struct image_sample s;
    struct image_explanation x;
    struct verdict v = sample_image();
    fill_image(&s, &x, &p);
    p.wcs.crpix[0] = NAN;
    CHECK_REFUSED(evidence_image(&v, &s, &x, &fits, &n_fits, &error), BURST_E_RANGE, error, "CRPIX1");
    v.source.instrument = INSTRUMENT_GBM;
    p.wcs.crpix[0] = 21;
    CHECK_REFUSED(evidence_image(&v, &s, &x, &fits, &n_fits, &error), BURST_E_UNSUPPORTED, error, "no instrument");
    CHECK(fits == NULL);
}

static int write_sample(const char *dir, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int bad = bytes_write_file(path, fits, n_fits, &error) != BURST_OK;
    drop();
    return bad;
}

static int write_samples(const char *dir)
{
    struct subimage_packet p = sample_packet();
    struct image_sample s;
    struct image_explanation x;
    struct verdict v = sample_image();
    struct lightcurve_window *w = sample_window();
    fill_image(&s, &x, &p);
    int bad = make_curves(w, 1) || write_sample(dir, "curves.fits");
    bad = bad || evidence_image(&v, &s, &x, &fits, &n_fits, &error) || write_sample(dir, "image.fits");
    window_free(w);
    return bad ? fprintf(stderr, "%s\n", error.text) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--samples") == 0) return write_samples(argv[2]);
    RUN(light_curves_hold_band_counts_validity_and_time);
    RUN(a_grad_cam_is_linear_between_the_middles_of_its_bins);
    RUN(the_primary_header_says_which_revision_this_is);
    RUN(the_same_evidence_is_the_same_bytes);
    RUN(windows_without_detectors_or_with_impossible_bands_are_refused);
    RUN(an_image_keeps_its_sky_coordinates_when_it_is_centred);
    RUN(an_image_with_a_figure_that_is_no_number_is_refused);
    return check_report();
}
