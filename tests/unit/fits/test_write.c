#include "check.h"
#include "fits/card.h"
#include "fits/image.h"
#include "fits/sum.h"
#include "fits/table.h"
#include "fits/write.h"
#include <stdlib.h>

static struct burst_error why;
static struct fits_file seen;
static uint8_t *bytes;
static size_t n_bytes;

static void drop(void)
{
    free(bytes);
    bytes = NULL;
    n_bytes = 0;
}

/* Finish a writer and look at the file through the gate, sums included. */
static enum burst_err finish(struct fits_writer *w)
{
    drop();
    enum burst_err err = fits_writer_finish(w, &bytes, &n_bytes, &why);
    fits_writer_free(w);
    if (!err) err = fits_gate(bytes, n_bytes, &seen, &why);
    return err ? err : fits_sums_check(&seen, &why);
}

static struct fits_writer *begin(void)
{
    struct fits_writer *w = NULL;
    CHECK_INT(fits_writer_new(&w, &why), BURST_OK);
    return w;
}

TEST(keywords_come_back_as_they_were_given)
{
    struct fits_writer *w = begin();
    char text[FITS_TEXT_MAX] = "";
    int64_t integer = 0, ns = 0;
    double real = 0;
    bool logical = false;
    CHECK_INT(fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_text(w, "OBJECT", "O'Hara / b", "a name", &why), BURST_OK);
    CHECK_INT(fits_put_int(w, "COUNT", INT64_MIN, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_real(w, "THIRD", 1.0 / 3.0, "c", &why), BURST_OK);
    CHECK_INT(fits_put_real(w, "WHOLE", 5, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_real(w, "TINY", -4.9e-324, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_logical(w, "FLAG", true, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_ns(w, "TSTART", 332916431791354007, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_ns(w, "BEFORE", -500000000, NULL, &why), BURST_OK);
    CHECK_INT(finish(w), BURST_OK);
    const struct fits_hdu *h = &seen.hdu[0];
    CHECK_INT(fits_key_text(h, "OBJECT", text, sizeof text, &why), BURST_OK);
    CHECK_STR(text, "O'Hara / b");
    CHECK(!fits_key_int(h, "COUNT", INT64_MIN, INT64_MAX, &integer, &why) && integer == INT64_MIN);
    CHECK(!fits_key_real(h, "THIRD", -1, 1, &real, &why) && real == 1.0 / 3.0);
    CHECK(!fits_key_real(h, "WHOLE", 0, 9, &real, &why) && real == 5);
    CHECK_REFUSED(fits_key_int(h, "WHOLE", 0, 9, &integer, &why), BURST_E_FORMAT, why, "the real 5.0");
    CHECK(!fits_key_real(h, "TINY", -1, 1, &real, &why) && real == -4.9e-324);
    CHECK(!fits_key_logical(h, "FLAG", &logical, &why) && logical);
    CHECK(!fits_key_ns(h, "TSTART", &ns, &why) && ns == 332916431791354007);
    CHECK(!fits_key_ns(h, "BEFORE", &ns, &why) && ns == -500000000);
    drop();
}

TEST(keywords_that_a_reader_would_refuse_are_not_written)
{
    struct fits_writer *w = begin();
    char long_text[80];
    memset(long_text, 'x', 69);
    long_text[69] = 0;
    CHECK_REFUSED(fits_put_int(w, "A", 1, NULL, &why), BURST_E_STATE, why, "before any HDU");
    CHECK_INT(fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, &why), BURST_OK);
    CHECK_REFUSED(fits_put_int(w, "lower", 1, NULL, &why), BURST_E_FORMAT, why, "'lower' is no FITS keyword");
    CHECK_REFUSED(fits_put_int(w, "NINECHARS", 1, NULL, &why), BURST_E_FORMAT, why, "no FITS keyword");
    CHECK_REFUSED(fits_put_int(w, "", 1, NULL, &why), BURST_E_FORMAT, why, "no FITS keyword");
    CHECK_REFUSED(fits_put_int(w, "A", 1, "caf\xc3\xa9", &why), BURST_E_FORMAT, why, "comment is not ASCII");
    CHECK_REFUSED(fits_put_text(w, "A", "tab\t", NULL, &why), BURST_E_FORMAT, why, "not printable");
    CHECK_REFUSED(fits_put_text(w, "A", long_text, NULL, &why), BURST_E_FORMAT, why, "longer than 68");
    CHECK_REFUSED(fits_put_real(w, "A", (double)NAN, NULL, &why), BURST_E_RANGE, why, "finite");
    long_text[68] = 0;
    memset(long_text, '\'', 35);
    long_text[35] = 0; /* doubled: 70 characters */
    CHECK_REFUSED(fits_put_text(w, "A", long_text, NULL, &why), BURST_E_FORMAT, why, "longer than 68");
    memset(long_text, 'x', 68);
    CHECK_INT(fits_put_text(w, "A", long_text, "no room for this", &why), BURST_OK);
    CHECK_INT(finish(w), BURST_OK);
    CHECK_INT(fits_key_text(&seen.hdu[0], "A", long_text, sizeof long_text, &why), BURST_OK);
    CHECK_INT(strlen(long_text), 68);
    drop();
}

TEST(images_of_several_types_make_one_file)
{
    static const float f32[6] = {1.5F, -2, 3, 4, 5, 1e30F};
    static const uint8_t u8[2] = {0, 255};
    static const int16_t i16[1] = {-32768};
    static const int32_t i32[1] = {2147483647};
    static const double f64[1] = {0.1};
    const int64_t axis[2] = {3, 2}, two[1] = {2}, one[1] = {1};
    struct fits_image image;
    struct fits_writer *w = begin();
    CHECK_INT(fits_put_image(w, NULL, FITS_F32, 2, axis, f32, &why), BURST_OK);
    CHECK_INT(fits_put_image(w, "MASK", FITS_U8, 1, two, u8, &why), BURST_OK);
    CHECK_INT(fits_put_image(w, "I16", FITS_I16, 1, one, i16, &why), BURST_OK);
    CHECK_INT(fits_put_image(w, "I32", FITS_I32, 1, one, i32, &why), BURST_OK);
    CHECK_INT(fits_put_image(w, "F64", FITS_F64, 1, one, f64, &why), BURST_OK);
    CHECK_INT(finish(w), BURST_OK);
    CHECK_INT(seen.n_hdu, 5);
    static const double last[] = {(double)1e30F, 255, -32768, 2147483647, 0.1};
    for (int i = 0; i < seen.n_hdu; i++) {
        CHECK_INT(fits_image_view(&seen.hdu[i], &image, &why), BURST_OK);
        CHECK(fits_image_pixel(&image, image.n_pixel - 1) == last[i]);
    }
    CHECK_STR(seen.hdu[1].name, "MASK");
    drop();
}

TEST(a_table_gets_an_empty_primary_and_keeps_every_value)
{
    static const double d[2] = {-1.25, 1e300};
    static const int32_t j[6] = {1, -2, 3, 4, 5, 2147483647};
    static const char a[] = "ab\0\0xyzw", l[2] = {0, 1};
    static const uint8_t b[2] = {0, 200};
    static const int64_t k[2] = {INT64_MIN, 7};
    const struct fits_put_column columns[] = {{"D", "1D", "s", d, 1500000001}, {"J", "3J", "count", j, 0},
                                              {"A", "4A", NULL, a, 0},         {"B", "B", NULL, b, 0},
                                              {"L", "1L", NULL, l, 0},         {"K", "1K", NULL, k, 0}};
    struct fits_table t;
    struct fits_writer *w = begin();
    CHECK_INT(fits_put_table(w, "ROWS", 2, columns, 6, &why), BURST_OK);
    CHECK_INT(fits_put_int(w, "AFTER", 1, NULL, &why), BURST_OK);
    CHECK_INT(finish(w), BURST_OK);
    CHECK_INT(seen.n_hdu, 2);
    CHECK_INT(fits_table_view(&seen.hdu[1], &t, &why), BURST_OK);
    CHECK(fits_cell_stored(&t, &t.column[0], 0, 0) == -1.25 && fits_cell_stored(&t, &t.column[0], 1, 0) == 1e300);
    CHECK_INT(t.column[0].zero_ns, 1500000001);
    CHECK(fits_cell_stored(&t, &t.column[1], 1, 2) == 2147483647 && fits_cell_stored(&t, &t.column[1], 0, 1) == -2);
    char text[8];
    CHECK_INT(fits_cell_text(&t, &t.column[2], 0, text, sizeof text), BURST_OK);
    CHECK_STR(text, "ab");
    CHECK(fits_cell_stored(&t, &t.column[3], 1, 0) == 200);
    CHECK(*fits_cell(&t, &t.column[4], 0) == 'F' && *fits_cell(&t, &t.column[4], 1) == 'T');
    CHECK(fits_cell_stored(&t, &t.column[5], 0, 0) == -9223372036854775808.0);
    drop();
}

TEST(many_rows_cross_the_batches_unharmed)
{
    enum { N = 70001 };
    static int16_t values[N];
    struct fits_table t;
    for (int i = 0; i < N; i++)
        values[i] = (int16_t)(i % 30011);
    const struct fits_put_column column = {"X", "1I", NULL, values, 0};
    struct fits_writer *w = begin();
    CHECK_INT(fits_put_table(w, "ROWS", N, &column, 1, &why), BURST_OK);
    CHECK_INT(finish(w), BURST_OK);
    CHECK_INT(fits_table_view(&seen.hdu[1], &t, &why), BURST_OK);
    int wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += fits_cell_stored(&t, &t.column[0], i, 0) != (double)values[i];
    CHECK_INT(wrong, 0);
    drop();
}

TEST(shapes_that_are_no_shapes_are_refused)
{
    const int64_t zero[1] = {0}, one[1] = {1};
    const uint8_t pixel = 0;
    const struct fits_put_column bad[] = {{"X", "1Z", NULL, &pixel, 0}}, heap[] = {{"X", "1PB", NULL, &pixel, 0}};
    uint8_t *untouched = NULL;
    size_t n = 3;
    struct fits_writer *w = begin();
    CHECK_REFUSED(fits_put_image(w, NULL, FITS_U8, 5, one, &pixel, &why), BURST_E_SHAPE, why, "5 axes");
    CHECK_REFUSED(fits_put_image(w, NULL, FITS_U8, 1, zero, &pixel, &why), BURST_E_SHAPE, why, "NAXIS1 = 0");
    CHECK_REFUSED(fits_put_image(w, NULL, (enum fits_pixel)9, 1, one, &pixel, &why), BURST_E_SHAPE, why, "BITPIX 9");
    CHECK_REFUSED(fits_put_table(w, "T", 1, bad, 1, &why), BURST_E_SHAPE, why, "form '1Z'");
    CHECK_REFUSED(fits_put_table(w, "T", 1, heap, 1, &why), BURST_E_SHAPE, why, "form '1PB'");
    CHECK_REFUSED(fits_put_table(w, "T", 1, bad, 0, &why), BURST_E_SHAPE, why, "0 columns");
    CHECK_REFUSED(fits_put_table(w, "T", 1, bad, 65, &why), BURST_E_SHAPE, why, "65 columns");
    CHECK_REFUSED(fits_writer_finish(w, &untouched, &n, &why), BURST_E_STATE, why, "without HDUs");
    CHECK(!untouched && n == 3);
    fits_writer_free(w);
    fits_writer_free(NULL);
}

TEST(a_finished_writer_takes_nothing_more)
{
    struct fits_writer *w = begin();
    uint8_t *again = NULL;
    size_t n;
    CHECK_INT(fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, &why), BURST_OK);
    CHECK_INT(fits_writer_finish(w, &bytes, &n_bytes, &why), BURST_OK);
    CHECK_REFUSED(fits_put_int(w, "A", 1, NULL, &why), BURST_E_STATE, why, "used up");
    CHECK_REFUSED(fits_writer_finish(w, &again, &n, &why), BURST_E_STATE, why, "used up");
    fits_writer_free(w);
    drop();
}

/* ---- event chunks ---- */

static const float LOW[3] = {10, 20, 40}, HIGH[3] = {20, 40, 80};
static const int64_t TIMES[4] = {332916431791354007, 332916465760475999, 332916465760476000, 332916466000000001};
static const uint16_t CHANNELS[4] = {0, 2, 1, 2};
static const struct fits_good GOOD[2] = {{332916431791354000, 332916465000000000},
                                         {332916465500000000, 332916467000000000}};

static struct fits_event_chunk chunk(enum fits_layout layout, const struct fits_detector_events *list, int n_list)
{
    struct fits_event_chunk c = {.layout = layout,
                                 .telescope = layout == FITS_GBM_TTE ? "GLAST" : "GECAM-B",
                                 .instrument = layout == FITS_GBM_TTE ? "GBM" : "GRD",
                                 .mjdref_i = 51910,
                                 .mjdref_f = 64.184 / 86400,
                                 .zero_ns = layout == FITS_GBM_TTE ? 332916465760476000 : 0,
                                 .n_channel = 3,
                                 .e_min_kev = LOW,
                                 .e_max_kev = HIGH,
                                 .n_good = 2,
                                 .good = GOOD,
                                 .n_list = n_list,
                                 .list = list};
    return c;
}

static enum burst_err write(const struct fits_event_chunk *c)
{
    drop();
    enum burst_err err = fits_write_events(c, &bytes, &n_bytes, &why);
    if (!err) err = fits_gate(bytes, n_bytes, &seen, &why);
    return err ? err : fits_sums_check(&seen, &why);
}

/* Stored doubles by hand: the difference to TZERO is short, so its nearest double rounds back to the nanosecond. */
TEST(a_gbm_chunk_has_the_missions_layout)
{
    const struct fits_detector_events list = {.detector = 13, .n_event = 4, .met_ns = TIMES, .channel = CHANNELS};
    const struct fits_event_chunk c = chunk(FITS_GBM_TTE, &list, 1);
    struct fits_table t;
    CHECK_INT(write(&c), BURST_OK);
    static const char *const names[] = {"PRIMARY", "EBOUNDS", "EVENTS", "GTI"};
    CHECK_INT(seen.n_hdu, 4);
    for (int i = 0; i < 4; i++)
        CHECK_STR(seen.hdu[i].name, names[i]);
    CHECK_INT(fits_key_expect(&seen.hdu[0], "DETNAM", "BGO_01", &why), BURST_OK);
    CHECK_INT(fits_table_view(&seen.hdu[2], &t, &why), BURST_OK);
    static const double stored[4] = {-33.969121993, -1e-9, 0, 0.239524001};
    for (size_t i = 0; i < 4; i++)
        CHECK_SAY(fits_cell_stored(&t, &t.column[0], i, 0) == stored[i], "row %zu: %.17g", i,
                  fits_cell_stored(&t, &t.column[0], i, 0));
    CHECK_INT(t.column[0].zero_ns, 332916465760476000);
    CHECK(fits_cell_stored(&t, &t.column[1], 1, 0) == 2);
    int64_t ns = 0;
    CHECK(!fits_key_ns(&seen.hdu[0], "TSTART", &ns, &why) && ns == GOOD[0].start_ns);
    CHECK(!fits_key_ns(&seen.hdu[0], "TSTOP", &ns, &why) && ns == GOOD[1].stop_ns);
    drop();
}

TEST(a_gecam_chunk_has_one_hdu_per_detector_and_placeholders)
{
    static const uint8_t gain[4] = {0, 1, 0, 1};
    const struct fits_detector_events list[2] = {
        {.detector = 1, .n_event = 4, .met_ns = TIMES, .channel = CHANNELS, .gain = gain}, {.detector = 24}};
    const struct fits_event_chunk c = chunk(FITS_GECAM_EVT, list, 2);
    struct fits_table t;
    CHECK_INT(write(&c), BURST_OK);
    CHECK_INT(seen.n_hdu, 28);
    CHECK_STR(seen.hdu[2].name, "GTI");
    CHECK_STR(seen.hdu[27].name, "EVENTS25");
    CHECK_INT(seen.hdu[3].n_column, 0);
    CHECK_INT(seen.hdu[27].n_column, 7);
    CHECK_INT(fits_table_view(&seen.hdu[4], &t, &why), BURST_OK);
    CHECK_INT(t.row_bytes, 18);
    CHECK(fits_cell_stored(&t, &t.column[0], 0, 0) == 332916431.791354007);
    static const double row1[7] = {0, 2, 1, 4, 1, 0, 0};
    for (int i = 1; i < 7; i++)
        CHECK(fits_cell_stored(&t, &t.column[i], 1, 0) == row1[i]);
    drop();
}

TEST(the_same_chunk_gives_the_same_bytes)
{
    const struct fits_detector_events list = {.detector = 6, .n_event = 4, .met_ns = TIMES, .channel = CHANNELS};
    const struct fits_event_chunk c = chunk(FITS_GBM_TTE, &list, 1);
    uint8_t *first = NULL;
    size_t n = 0;
    CHECK_INT(fits_write_events(&c, &first, &n, &why), BURST_OK);
    CHECK_INT(write(&c), BURST_OK);
    CHECK(n == n_bytes && !memcmp(first, bytes, n));
    free(first);
    drop();
}

TEST(chunks_that_fit_no_layout_are_refused)
{
    const struct fits_detector_events two[2] = {{.detector = 3}, {.detector = 3}}, beyond = {.detector = 14};
    const int64_t negative = -1;
    const uint16_t three = 3;
    const struct fits_detector_events early = {.detector = 0, .n_event = 1, .met_ns = &negative, .channel = CHANNELS};
    const struct fits_detector_events high = {.detector = 0, .n_event = 1, .met_ns = TIMES, .channel = &three};
    const struct fits_good overlap[2] = {{0, 10}, {5, 20}};
    struct fits_event_chunk c = chunk(FITS_GBM_TTE, two, 2);
    CHECK_REFUSED(write(&c), BURST_E_SHAPE, why, "2 detectors");
    c = chunk(FITS_GECAM_EVT, two, 2);
    CHECK_REFUSED(write(&c), BURST_E_SHAPE, why, "detector 3 after 3");
    c = chunk(FITS_GECAM_EVT, two, 0);
    CHECK_REFUSED(write(&c), BURST_E_SHAPE, why, "0 detectors");
    c = chunk(FITS_GBM_TTE, &beyond, 1);
    CHECK_REFUSED(write(&c), BURST_E_SHAPE, why, "detector 14");
    c = chunk(FITS_GECAM_EVT, two, 1);
    c.zero_ns = 5;
    CHECK_REFUSED(write(&c), BURST_E_SHAPE, why, "zero at 5 ns");
    c = chunk(FITS_GBM_TTE, two, 1);
    c.n_channel = 0;
    CHECK_REFUSED(write(&c), BURST_E_SHAPE, why, "0 channels");
    c = chunk(FITS_GBM_TTE, &early, 1);
    CHECK_REFUSED(write(&c), BURST_E_RANGE, why, "time -1 ns");
    c = chunk(FITS_GBM_TTE, &high, 1);
    CHECK_REFUSED(write(&c), BURST_E_RANGE, why, "channel 3");
    c = chunk(FITS_GBM_TTE, two, 1);
    c.good = overlap;
    CHECK_REFUSED(write(&c), BURST_E_RANGE, why, "good time 1");
    CHECK(!bytes);
}

/* ---- sub-images ---- */

static struct fits_subimage subimage(const float *snr)
{
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
                              .data_stream = "VHF",
                              .n_y = 3,
                              .n_z = 2,
                              .sky_y0 = 10,
                              .sky_z0 = 20,
                              .sky_n = 200,
                              .trigger_y = 11,
                              .trigger_z = 21,
                              .snr = snr,
                              .crpix = {1.5, 2},
                              .crval_deg = {123.456789012345, -45.6},
                              .cd = {{-0.55, 0.01}, {0.02, 0.56}}};
    return s;
}

TEST(a_subimage_keeps_pixels_and_keywords)
{
    const float snr[6] = {1, 2, NAN, 4, 5, 6};
    const struct fits_subimage s = subimage(snr);
    struct fits_image image;
    double real = 0;
    drop();
    CHECK_INT(fits_write_subimage(&s, &bytes, &n_bytes, &why), BURST_OK);
    CHECK_INT(fits_gate(bytes, n_bytes, &seen, &why), BURST_OK);
    CHECK_INT(fits_sums_check(&seen, &why), BURST_OK);
    CHECK_INT(fits_image_view(&seen.hdu[0], &image, &why), BURST_OK);
    CHECK(fits_image_pixel(&image, 1) == 2 && isnan(fits_image_pixel(&image, 2)) && fits_image_pixel(&image, 5) == 6);
    CHECK(!fits_key_real(&seen.hdu[0], "CD2_1", -1, 1, &real, &why) && real == 0.02);
    CHECK(!fits_key_real(&seen.hdu[0], "CRVAL1", 0, 360, &real, &why) && real == 123.456789012345);
    CHECK_INT(fits_key_expect(&seen.hdu[0], "DATE-OBS", "2026-05-04T21:06:44.312", &why), BURST_OK);
    drop();
}

TEST(a_subimage_without_pixels_or_with_a_nan_keyword_is_refused)
{
    const float snr[6] = {0};
    uint8_t *untouched = NULL;
    struct fits_subimage s = subimage(snr);
    s.n_y = 0;
    CHECK_REFUSED(fits_write_subimage(&s, &untouched, &n_bytes, &why), BURST_E_SHAPE, why, "NAXIS1 = 0");
    s = subimage(snr);
    s.cd[0][0] = (double)NAN;
    CHECK_REFUSED(fits_write_subimage(&s, &untouched, &n_bytes, &why), BURST_E_RANGE, why, "CD1_1");
    s = subimage(snr);
    s.burst_id = "caf\xc3\xa9";
    CHECK_REFUSED(fits_write_subimage(&s, &untouched, &n_bytes, &why), BURST_E_FORMAT, why, "BURST_ID");
    CHECK(!untouched);
}

int main(void)
{
    RUN(keywords_come_back_as_they_were_given);
    RUN(keywords_that_a_reader_would_refuse_are_not_written);
    RUN(images_of_several_types_make_one_file);
    RUN(a_table_gets_an_empty_primary_and_keeps_every_value);
    RUN(many_rows_cross_the_batches_unharmed);
    RUN(shapes_that_are_no_shapes_are_refused);
    RUN(a_finished_writer_takes_nothing_more);
    RUN(a_gbm_chunk_has_the_missions_layout);
    RUN(a_gecam_chunk_has_one_hdu_per_detector_and_placeholders);
    RUN(the_same_chunk_gives_the_same_bytes);
    RUN(chunks_that_fit_no_layout_are_refused);
    RUN(a_subimage_keeps_pixels_and_keywords);
    RUN(a_subimage_without_pixels_or_with_a_nan_keyword_is_refused);
    return check_report();
}
