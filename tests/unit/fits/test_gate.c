#include "base/bytes.h"
#include "check.h"
#include "fits/gate.h"
#include "unit/fits/made.h"

static struct made file;
static struct burst_error why;
static struct fits_file seen;

static enum burst_err gate(void)
{
    return fits_gate(file.bytes, file.n, &seen, &why);
}

/* A primary, and a table of one I column with two rows. */
static void make_table_file(const char *extra_card)
{
    made_primary(&file);
    made_end(&file);
    made_table(&file, 2, 2, 1);
    made_column(&file, 1, "PHA", "1I");
    made_card(&file, "EXTNAME = 'EVENTS  '");
    if (extra_card) made_card(&file, "%s", extra_card);
    made_end(&file);
    made_data(&file, "\x00\x01\x00\x02", 4);
}

/* Put another card in the place of card `number` (from 0) of the header that begins at `at`. */
static void replace_card(size_t at, int number, const char *card)
{
    char text[MADE_CARD + 1];
    (void)snprintf(text, sizeof text, "%-80s", card);
    memcpy(file.bytes + at + (size_t)number * MADE_CARD, text, MADE_CARD);
}

TEST(a_table_file_passes_with_its_offsets)
{
    make_table_file(NULL);
    CHECK_INT(gate(), BURST_OK);
    CHECK_INT(seen.n_hdu, 2);
    CHECK_STR(seen.hdu[0].name, "PRIMARY");
    CHECK_INT(seen.hdu[0].n_data, 0);
    const struct fits_hdu *events = fits_hdu_named(&seen, "EVENTS");
    CHECK(events == &seen.hdu[1] && events->kind == FITS_TABLE);
    CHECK_INT(events->header_at, 2880);
    CHECK_INT(events->data_at, 5760);
    CHECK_INT(events->n_data, 4);
    CHECK_INT(events->n_card, 11);
    CHECK_INT(events->n_column, 1);
    CHECK(events->data == file.bytes + 5760);
    CHECK(!fits_hdu_named(&seen, "GTI"));
}

TEST(a_header_of_exactly_one_block_passes)
{
    made_primary(&file);
    for (int i = 3; i < 35; i++)
        made_card(&file, "COMMENT %d", i);
    made_end(&file);
    CHECK_INT(file.n, 2880);
    CHECK_INT(gate(), BURST_OK);
    CHECK_INT(seen.hdu[0].n_card, 35);
}

TEST(an_image_passes_and_its_pixels_are_found)
{
    file.n = 0;
    made_card(&file, "SIMPLE  =                    T");
    made_card(&file, "BITPIX  =                  -32");
    made_card(&file, "NAXIS   =                    2");
    made_card(&file, "NAXIS1  =                    3");
    made_card(&file, "NAXIS2  =                    2");
    made_end(&file);
    made_data(&file, "123456781234567812345678", 24);
    CHECK_INT(gate(), BURST_OK);
    CHECK_INT(seen.hdu[0].n_data, 24);
    CHECK_INT(seen.hdu[0].axis[0], 3);
    CHECK_INT(seen.hdu[0].bitpix, -32);
}

TEST(no_fits_at_all_is_named)
{
    static const struct {
        const char *bytes, *part;
        size_t n;
        enum burst_err code;
    } cases[] = {{"", "empty", 0, BURST_E_TRUNCATED},
                 {"\x1f\x8b\x08\x00", "compressed with gzip: unpack it first", 4, BURST_E_UNSUPPORTED},
                 {"BZh91AY", "bzip2", 7, BURST_E_UNSUPPORTED},
                 {"\x89PNG\r\n", "begins with '?PNG?\?'", 6, BURST_E_FORMAT},
                 {"<!DOCTYPE html>", "'<!DOCTYPE html>'", 15, BURST_E_FORMAT},
                 {"SIMPLE  =  ", "inside the header", 11, BURST_E_TRUNCATED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_REFUSED(fits_gate((const uint8_t *)cases[i].bytes, cases[i].n, &seen, &why), cases[i].code, why,
                      cases[i].part);
}

TEST(every_cut_of_a_file_is_refused_and_leaves_the_output_alone)
{
    make_table_file(NULL);
    size_t whole = file.n;
    for (size_t n = 0; n < whole; n += n < 200 ? 1 : 79) {
        if (n == 2880) continue; /* the primary alone is a whole file */
        seen.n_hdu = -1;
        enum burst_err err = fits_gate(file.bytes, n, &seen, &why);
        CHECK_SAY(err == BURST_E_TRUNCATED || (err == BURST_E_FORMAT && n > 2880), "%zu bytes gave %s", n,
                  burst_err_name(err));
        CHECK_INT(seen.n_hdu, -1);
    }
    CHECK_REFUSED(fits_gate(file.bytes, whole - 1, &seen, &why), BURST_E_TRUNCATED, why,
                  "EVENTS: the header declares 4 bytes of data (2880 with padding), 2879 follow byte 5760");
}

TEST(structure_out_of_order_is_refused)
{
    static const struct {
        int card;
        const char *with, *part;
        enum burst_err code;
    } cases[] = {
        {1, "NAXIS   =                    2", "NAXIS comes twice", BURST_E_FORMAT},
        {1, "BITPIX  =                   16", "BITPIX = 16 is not allowed here", BURST_E_FORMAT},
        {1, "BITPIX  =                    7", "BITPIX = 7", BURST_E_FORMAT},
        {1, "BITPIX  = '8'", "BITPIX is no integer", BURST_E_FORMAT},
        {2, "NAXIS   =                    1", "a table has 2", BURST_E_FORMAT},
        {2, "NAXIS   =                 1000", "0 to 999 expected", BURST_E_FORMAT},
        {2, "NAXIS   =                   -1", "NAXIS = -1", BURST_E_FORMAT},
        {3, "NAXIS1  =                   -2", "NAXIS1 = -2", BURST_E_FORMAT},
        {3, "NAXIS1  =  9223372036854775807", "multiply to more", BURST_E_LIMIT},
        {3, "NAXIS1  = 99999999999999999999", "64-bit number", BURST_E_RANGE},
        {3, "NAXIS1  =                    3", "add up to 2 bytes a row, NAXIS1 is 3", BURST_E_SHAPE},
        {4, "NAXIS2  =           2147483647", "declares 4294967294 bytes", BURST_E_TRUNCATED},
        {4, "NAXIS3  =                    2", "NAXIS2 expected as card 5, NAXIS3 stands there", BURST_E_FORMAT},
        {5, "PCOUNT  =                    1", "a heap is not taken", BURST_E_UNSUPPORTED},
        {5, "GCOUNT  =                    1", "GCOUNT comes twice", BURST_E_FORMAT},
        {6, "GCOUNT  =                    3", "GCOUNT = 3", BURST_E_FORMAT},
        {7, "TFIELDS =                    0", "add up to 0 bytes", BURST_E_SHAPE},
        {7, "TFIELDS =                   65", "at most 64 columns", BURST_E_LIMIT},
        {7, "TFIELDS =            999999999", "0 to 999 expected", BURST_E_FORMAT},
        {9, "TFORM1  = '1PI(3)  '", "variable-length", BURST_E_UNSUPPORTED},
        {9, "TFORM1  = '0D      '", "'0D' is no form", BURST_E_FORMAT},
        {9, "TFORM1  = '100000000000000000000I'", "at most", BURST_E_LIMIT},
        {9, "TFORM2  = '1I      '", "no TFORM1", BURST_E_FORMAT},
        {10, "ZIMAGE  =                    T", "compressed images", BURST_E_UNSUPPORTED},
        {10, "THEAP   =                    4", "heap", BURST_E_UNSUPPORTED},
        {10, "NAXIS3  =                    1", "3 NAXISn cards for NAXIS = 2", BURST_E_FORMAT},
        {10, "EXTNAME = 5", "EXTNAME is the integer 5", BURST_E_FORMAT},
        {0, "XTENSION= 'TABLE   '", "IMAGE and BINTABLE are taken", BURST_E_UNSUPPORTED},
        {0, "XTENSION= 'IUEIMAGE'", "IMAGE and BINTABLE are taken", BURST_E_UNSUPPORTED},
        {0, "XTENSION= 5", "XTENSION expected", BURST_E_FORMAT},
        {0, "SIMPLE  =                    T", "no further HDU (byte 2880)", BURST_E_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_table_file(NULL);
        replace_card(2880, cases[i].card, cases[i].with);
        CHECK_REFUSED(gate(), cases[i].code, why, cases[i].part);
        make_table_file(NULL);
        CHECK_INT(gate(), BURST_OK); /* the next good file is none the worse */
    }
}

TEST(the_primary_header_is_judged_too)
{
    static const struct {
        const char *first, *extra, *part;
        enum burst_err code;
    } cases[] = {
        {"SIMPLE  =                    F", NULL, "SIMPLE = F", BURST_E_UNSUPPORTED},
        {"SIMPLE  =                    1", NULL, "SIMPLE = T expected", BURST_E_FORMAT},
        {NULL, "GROUPS  =                    T", "random groups", BURST_E_UNSUPPORTED},
        {NULL, "PCOUNT  =                    2", "PCOUNT is 2, 0 to 0", BURST_E_RANGE},
        {NULL, "NAXIS1  =                    2", "1 NAXISn cards for NAXIS = 0", BURST_E_FORMAT},
        {NULL, "SIMPLE  =                    T", "SIMPLE comes twice (second card at byte 240)", BURST_E_FORMAT},
        {NULL, "END     x", "text after END", BURST_E_FORMAT},
        {NULL, "object  = 'x'", "no keyword", BURST_E_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_primary(&file);
        if (cases[i].first) replace_card(0, 0, cases[i].first);
        if (cases[i].extra) made_card(&file, "%s", cases[i].extra);
        made_end(&file);
        CHECK_REFUSED(gate(), cases[i].code, why, cases[i].part);
    }
}

TEST(padding_must_be_blank_in_headers_and_zero_in_data)
{
    make_table_file(NULL);
    file.bytes[2879] = 0;
    CHECK_REFUSED(gate(), BURST_E_FORMAT, why, "byte 0x00 after END, blanks expected (byte 2879)");
    make_table_file(NULL);
    file.bytes[5764] = ' ';
    CHECK_REFUSED(gate(), BURST_E_FORMAT, why, "byte 0x20 in the padding after the data, zero expected (byte 5764)");
}

TEST(nothing_may_follow_the_last_hdu)
{
    make_table_file(NULL);
    made_bytes(&file, "x", 1);
    CHECK_REFUSED(gate(), BURST_E_FORMAT, why, "1 bytes after the last HDU are no further HDU (byte 8640)");
    make_table_file(NULL);
    static const uint8_t zeros[MADE_BLOCK];
    made_bytes(&file, zeros, sizeof zeros);
    CHECK_REFUSED(gate(), BURST_E_FORMAT, why, "2880 bytes after the last HDU");
}

TEST(counts_have_limits)
{
    made_primary(&file);
    for (int i = 0; i < FITS_CARD_MAX; i++)
        made_card(&file, "COMMENT");
    made_end(&file);
    CHECK_REFUSED(gate(), BURST_E_LIMIT, why, "more than 4096 cards");
    made_primary(&file);
    made_end(&file);
    for (int i = 0; i < FITS_HDU_MAX; i++) {
        made_table(&file, 0, 0, 0);
        made_end(&file);
    }
    CHECK_REFUSED(gate(), BURST_E_LIMIT, why, "more than 64 HDUs");
    file.n = 0;
    made_card(&file, "SIMPLE  =                    T");
    made_card(&file, "BITPIX  =                    8");
    made_card(&file, "NAXIS   =                    5");
    made_end(&file);
    CHECK_REFUSED(gate(), BURST_E_LIMIT, why, "NAXIS = 5, at most 4");
}

TEST(a_file_without_end_is_refused)
{
    made_primary(&file);
    made_fill(&file, ' ');
    CHECK_REFUSED(gate(), BURST_E_TRUNCATED, why, "the file ends at byte 2880 inside the header");
}

TEST(an_empty_placeholder_table_passes)
{
    made_primary(&file);
    made_end(&file);
    made_table(&file, 0, 0, 0);
    made_card(&file, "EXTNAME = 'EVENTS01'");
    made_end(&file);
    CHECK_INT(gate(), BURST_OK);
    CHECK_INT(seen.hdu[1].n_column, 0);
}

static void real_file_passes(const char *path, int n_hdu)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    char whole[600];
    (void)snprintf(whole, sizeof whole, "%s/../shared/data/%s", BURST_SOURCE_DIR, path);
    if (bytes_read_file(whole, 1 << 24, &bytes, &n, &why)) SKIP("../shared/data is not there");
    enum burst_err err = fits_gate(bytes, n, &seen, &why);
    CHECK_SAY(err == BURST_OK, "%s: %s", path, why.text);
    CHECK_INT(seen.n_hdu, n_hdu);
    free(bytes);
}

TEST(a_real_gbm_event_file_passes)
{
    real_file_passes("fermi-gbm/bn110721200/glg_tte_n6_bn110721200_v00.fit", 4);
}

TEST(a_real_gbm_spectrum_file_passes)
{
    real_file_passes("fermi-gbm/bn110721200/glg_cspec_n6_bn110721200_v00.pha", 4);
}

TEST(a_real_gbm_trigger_file_passes)
{
    real_file_passes("fermi-gbm/bn110721200/glg_trigdat_all_bn110721200_v01.fit", 6);
}

TEST(the_real_bat_catalogue_passes)
{
    real_file_passes("catalogs/bat_survey6b_2.cat.fits", 2);
}

int main(void)
{
    RUN(a_table_file_passes_with_its_offsets);
    RUN(a_header_of_exactly_one_block_passes);
    RUN(an_image_passes_and_its_pixels_are_found);
    RUN(no_fits_at_all_is_named);
    RUN(every_cut_of_a_file_is_refused_and_leaves_the_output_alone);
    RUN(structure_out_of_order_is_refused);
    RUN(the_primary_header_is_judged_too);
    RUN(padding_must_be_blank_in_headers_and_zero_in_data);
    RUN(nothing_may_follow_the_last_hdu);
    RUN(counts_have_limits);
    RUN(a_file_without_end_is_refused);
    RUN(an_empty_placeholder_table_passes);
    RUN(a_real_gbm_event_file_passes);
    RUN(a_real_gbm_spectrum_file_passes);
    RUN(a_real_gbm_trigger_file_passes);
    RUN(the_real_bat_catalogue_passes);
    return check_report();
}
