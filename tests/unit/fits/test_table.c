#include "check.h"
#include "fits/table.h"
#include "unit/fits/made.h"

static struct made file;
static struct burst_error why;
static struct fits_file seen;
static struct fits_table table;

/* Columns of every form; two rows of 40 bytes. Values by hand, big-endian. */
static void make_forms(void)
{
    static const char *const forms[] = {"1D", "1E", "I", "1J", "1K", "2B", "5A", "1L", "12X", "2I"};
    made_primary(&file);
    made_end(&file);
    made_table(&file, 40, 2, 10);
    for (int i = 0; i < 10; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "C%d", i);
        made_column(&file, i + 1, name, forms[i]);
    }
    made_card(&file, "TZERO1  =     332916465.760476");
    made_card(&file, "TZERO3  =                32768");
    made_card(&file, "TSCAL4  =                  0.5");
    made_card(&file, "TNULL5  =                   -1");
    made_card(&file, "EXTNAME = 'FORMS   '");
    made_end(&file);
    static const uint8_t row1[40] = {0x3f, 0xf8, 0,    0,    0,    0,    0,    0,    /* 1.5 */
                                     0xc0, 0x20, 0,    0,                            /* -2.5 */
                                     0xff, 0xfe,                                     /* -2 */
                                     0x00, 0x01, 0x00, 0x00,                         /* 65536 */
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* -1: null */
                                     0x07, 0xff,                                     /* 7, 255 */
                                     'a',  'b',  ' ',  ' ',  ' ',  'T',  0xab, 0xc0, /* text, logical, bits */
                                     0x00, 0x03, 0x7f, 0xff};                        /* 3, 32767 */
    uint8_t rows[80] = {0};
    memcpy(rows, row1, sizeof row1);
    memcpy(rows + 40 + 28, "xyzuv", 5);
    made_data(&file, rows, sizeof rows);
}

static enum burst_err view(void)
{
    enum burst_err err = fits_gate(file.bytes, file.n, &seen, &why);
    return err ? err : fits_table_view(&seen.hdu[1], &table, &why);
}

static double stored(int column, int64_t k)
{
    return fits_cell_stored(&table, &table.column[column], 0, k);
}

TEST(cells_of_every_form_read_as_written)
{
    make_forms();
    CHECK_INT(view(), BURST_OK);
    CHECK_INT(table.n_row, 2);
    CHECK(stored(0, 0) == 1.5 && stored(1, 0) == -2.5 && stored(2, 0) == -2 && stored(3, 0) == 65536);
    CHECK(stored(4, 0) == -1 && stored(5, 0) == 7 && stored(5, 1) == 255 && stored(9, 0) == 3 && stored(9, 1) == 32767);
    CHECK(isnan(stored(6, 0)) && isnan(stored(7, 0)) && isnan(stored(8, 0)));
    CHECK(fits_cell_stored(&table, &table.column[0], 1, 0) == 0);
    CHECK_INT(table.column[8].n_bytes, 2);
    CHECK_INT(table.column[9].offset, 36);
    CHECK_INT(fits_cell_at(&table, &table.column[9], 1), 5760 + 40 + 36);
}

TEST(zero_scale_and_null_are_applied)
{
    make_forms();
    CHECK_INT(view(), BURST_OK);
    CHECK(fits_cell_real(&table, &table.column[0], 0, 0) == 332916465.760476 + 1.5);
    CHECK(fits_cell_real(&table, &table.column[2], 0, 0) == 32766);
    CHECK(fits_cell_real(&table, &table.column[3], 0, 0) == 32768);
    CHECK(isnan(fits_cell_real(&table, &table.column[4], 0, 0)));
    CHECK(fits_cell_real(&table, &table.column[4], 1, 0) == 0);
    CHECK_INT(table.column[0].zero_ns, 332916465760476000);
}

TEST(texts_end_at_blanks_or_zeros)
{
    char text[8] = "before";
    make_forms();
    CHECK_INT(view(), BURST_OK);
    CHECK_INT(fits_cell_text(&table, &table.column[6], 0, text, sizeof text), BURST_OK);
    CHECK_STR(text, "ab");
    CHECK_INT(fits_cell_text(&table, &table.column[6], 1, text, sizeof text), BURST_OK);
    CHECK_STR(text, "xyzuv");
    CHECK_INT(fits_cell_text(&table, &table.column[6], 1, text, 5), BURST_E_LIMIT);
    CHECK_STR(text, "xyzuv");
}

TEST(columns_are_found_by_name_and_form)
{
    const struct fits_column *c = NULL;
    make_forms();
    CHECK_INT(view(), BURST_OK);
    CHECK_INT(fits_table_column(&table, "c1", 'E', &c, &why), BURST_OK);
    CHECK(c == &table.column[1]);
    CHECK_INT(fits_table_column(&table, "C9", 0, &c, &why), BURST_OK);
    CHECK_INT(c->n_item, 2);
    CHECK_REFUSED(fits_table_column(&table, "TIME", 'D', &c, &why), BURST_E_MISSING, why, "FORMS: no column TIME");
    CHECK_REFUSED(fits_table_column(&table, "C1", 'D', &c, &why), BURST_E_FORMAT, why,
                  "FORMS: column C1 is 1E, 1D expected (card at byte 3760)");
    CHECK_REFUSED(fits_table_column(&table, "C9", 'I', &c, &why), BURST_E_FORMAT, why, "column C9 is 2I, 1I expected");
    CHECK(c == &table.column[9]);
}

static void make_one(const char *form, const char *extra, const char *extra2)
{
    made_primary(&file);
    made_end(&file);
    made_table(&file, 2, 0, 1);
    made_column(&file, 1, "PHA", form);
    if (extra) made_card(&file, "%s", extra);
    if (extra2) made_card(&file, "%s", extra2);
    made_end(&file);
}

TEST(broken_column_keywords_are_refused)
{
    static const struct {
        const char *form, *extra, *extra2, *part;
        enum burst_err code;
    } cases[] = {{"1Z", NULL, NULL, "'1Z' is no form", BURST_E_FORMAT},
                 {"I2", NULL, NULL, "'I2' is no form", BURST_E_FORMAT},
                 {"", NULL, NULL, "'' is no form", BURST_E_FORMAT},
                 {"1QD(3)", NULL, NULL, "variable-length", BURST_E_UNSUPPORTED},
                 {"1I", "TSCAL1  =                    0", NULL, "TSCAL1 = 0", BURST_E_FORMAT},
                 {"1I", "TSCAL1  = 'one'", NULL, "TSCAL1 is the string", BURST_E_FORMAT},
                 {"1I", "TZERO1  = T", NULL, "TZERO1 is the logical T", BURST_E_FORMAT},
                 {"1I", "TZERO1  =                  1.0", "TZERO1  =                  2.0", "TZERO1 stands 2 times",
                  BURST_E_CONFLICT},
                 {"1I", "TNULL1  =                  1.5", NULL, "TNULL1 is the real", BURST_E_FORMAT},
                 {"1I", "TFORM1  = '1I      '", NULL, "TFORM1 stands 2 times", BURST_E_FORMAT},
                 {"1I", "TTYPE1  = 'PHA     '", NULL, "TTYPE1 stands 2 times", BURST_E_FORMAT},
                 {"1M", NULL, NULL, "add up to 16 bytes", BURST_E_SHAPE},
                 {"1J", NULL, NULL, "add up to 4 bytes a row, NAXIS1 is 2", BURST_E_SHAPE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_one(cases[i].form, cases[i].extra, cases[i].extra2);
        CHECK_REFUSED(view(), cases[i].code, why, cases[i].part);
    }
}

TEST(two_columns_of_one_name_are_refused_when_asked_for)
{
    const struct fits_column *c = NULL;
    made_primary(&file);
    made_end(&file);
    made_table(&file, 3, 0, 2);
    made_column(&file, 1, "PHA", "1I");
    made_column(&file, 2, "pha", "1B");
    made_end(&file);
    CHECK_INT(view(), BURST_OK);
    CHECK_REFUSED(fits_table_column(&table, "PHA", 0, &c, &why), BURST_E_FORMAT, why, "two columns PHA");
    CHECK(!c);
}

TEST(a_zero_beyond_nanoseconds_is_known_to_be_so)
{
    make_one("1I", "TZERO1  =                4.0E9", NULL);
    CHECK_INT(view(), BURST_OK);
    CHECK(!table.column[0].has_zero_ns && table.column[0].zero == 4e9);
}

TEST(an_image_is_no_table)
{
    made_primary(&file);
    made_end(&file);
    CHECK_INT(fits_gate(file.bytes, file.n, &seen, &why), BURST_OK);
    table.n_row = 99;
    CHECK_REFUSED(fits_table_view(&seen.hdu[0], &table, &why), BURST_E_SHAPE, why, "a binary table expected");
    CHECK_INT(table.n_row, 99);
}

int main(void)
{
    RUN(cells_of_every_form_read_as_written);
    RUN(zero_scale_and_null_are_applied);
    RUN(texts_end_at_blanks_or_zeros);
    RUN(columns_are_found_by_name_and_form);
    RUN(broken_column_keywords_are_refused);
    RUN(two_columns_of_one_name_are_refused_when_asked_for);
    RUN(a_zero_beyond_nanoseconds_is_known_to_be_so);
    RUN(an_image_is_no_table);
    return check_report();
}
