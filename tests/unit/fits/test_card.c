#include "check.h"
#include "fits/card.h"
#include "unit/fits/made.h"

static struct made file;
static struct burst_error why;

/* The cards of a primary header, as a gate would give them. */
static struct fits_hdu header(void)
{
    struct fits_hdu hdu = {.kind = FITS_PRIMARY, .name = "PRIMARY", .cards = file.bytes, .n_card = file.n / MADE_CARD};
    return hdu;
}

static struct fits_hdu one(const char *card)
{
    file.n = 0;
    made_card(&file, "SIMPLE  =                    T");
    made_card(&file, "%s", card);
    return header();
}

static enum burst_err parse(const char *text, struct fits_card *ret)
{
    char card[MADE_CARD + 1];
    (void)snprintf(card, sizeof card, "%-80s", text);
    static uint8_t bytes[MADE_CARD]; /* values point into it */
    memcpy(bytes, card, MADE_CARD);
    return fits_card_parse(bytes, "HDU", 160, ret, &why);
}

/* FITS Standard 4.0, 4.1.2: a header holds bytes 0x20 to 0x7e, and nothing else anywhere. */
TEST(every_byte_that_is_no_text_is_found_wherever_it_stands)
{
    struct fits_card card;
    for (size_t at = 0; at < MADE_CARD; at++)
        for (int byte = 0; byte < 256; byte++) {
            uint8_t bytes[MADE_CARD];
            char part[32];
            memcpy(bytes, "COMMENT ", 8);
            memset(bytes + 8, at % 2 ? '~' : ' ', MADE_CARD - 8); /* neighbours at both ends of what is allowed */
            bytes[at] = (uint8_t)byte;
            (void)snprintf(part, sizeof part, "byte 0x%02x in a header", (unsigned)byte);
            if (byte < 0x20 || byte > 0x7e)
                CHECK_REFUSED(fits_card_parse(bytes, "HDU", 160, &card, &why), BURST_E_FORMAT, why, part);
            else if (at >= 8)
                CHECK_INT(fits_card_parse(bytes, "HDU", 160, &card, &why), BURST_OK);
        }
}

TEST(values_of_every_type_are_recognised)
{
    static const struct {
        const char *card;
        enum fits_value_type type;
        const char *value;
    } cases[] = {{"A       =                    1", FITS_VALUE_INT, "1"},
                 {"A       = -12/x", FITS_VALUE_INT, "-12"},
                 {"A       = +007", FITS_VALUE_INT, "+007"},
                 {"A       = 1.", FITS_VALUE_REAL, "1."},
                 {"A       = .5 / half", FITS_VALUE_REAL, ".5"},
                 {"A       = 7.428703703703703D-4 / MJD", FITS_VALUE_REAL, "7.428703703703703D-4"},
                 {"A       = 1E5", FITS_VALUE_REAL, "1E5"},
                 {"A       =                    T / yes", FITS_VALUE_LOGICAL, "T"},
                 {"A       = F", FITS_VALUE_LOGICAL, "F"},
                 {"A       = 'x y' / c", FITS_VALUE_TEXT, "x y"},
                 {"A       = ''", FITS_VALUE_TEXT, ""},
                 {"A       = 'it''s'", FITS_VALUE_TEXT, "it''s"},
                 {"A       = 'a / b'", FITS_VALUE_TEXT, "a / b"},
                 {"A       =", FITS_VALUE_NONE, NULL},
                 {"A       =     / nothing", FITS_VALUE_NONE, NULL},
                 {"COMMENT = 'not a value'", FITS_VALUE_COMMENT, NULL},
                 {"HISTORY it was 'so", FITS_VALUE_COMMENT, NULL},
                 {"", FITS_VALUE_COMMENT, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fits_card card = {0};
        CHECK_INT(parse(cases[i].card, &card), BURST_OK);
        CHECK_SAY(card.type == cases[i].type, "'%s' has type %d", cases[i].card, (int)card.type);
        if (!cases[i].value) continue;
        CHECK_SAY(card.n_value == strlen(cases[i].value) && !memcmp(card.value, cases[i].value, card.n_value),
                  "'%s': '%.*s'", cases[i].card, (int)card.n_value, card.value);
    }
}

TEST(cards_outside_the_grammar_are_refused)
{
    static const struct {
        const char *card, *part;
        enum burst_err code;
    } cases[] = {{"A       = junk", "A = junk", BURST_E_FORMAT},
                 {"A       = 'open", "'open", BURST_E_FORMAT},
                 {"A       = 'x' y", "'x' y", BURST_E_FORMAT},
                 {"A       = 1 2", "no value", BURST_E_FORMAT},
                 {"A       = 0x10", "no value", BURST_E_FORMAT},
                 {"A       = 1e5", "no value", BURST_E_FORMAT},
                 {"A       = 1E", "no value", BURST_E_FORMAT},
                 {"A       = NaN", "no value", BURST_E_FORMAT},
                 {"A       = .", "no value", BURST_E_FORMAT},
                 {"A       = +", "no value", BURST_E_FORMAT},
                 {"A       = (1,2)", "no value", BURST_E_FORMAT},
                 {"A       = TRUE", "no value", BURST_E_FORMAT},
                 {"A       = 1E400", "64-bit number", BURST_E_RANGE},
                 {"A       = 9223372036854775808", "64-bit number", BURST_E_RANGE},
                 {"A       =1", "columns 9-10", BURST_E_FORMAT},
                 {"A         1", "columns 9-10", BURST_E_FORMAT},
                 {"GCOUNT GROUPS    TFIELDS =   3", "no keyword", BURST_E_FORMAT},
                 {"alertid = 1", "no keyword", BURST_E_FORMAT},
                 {" A      = 1", "no keyword", BURST_E_FORMAT},
                 {"A B     = 1", "no keyword", BURST_E_FORMAT},
                 {"CONTINUE  'more'", "CONTINUE", BURST_E_UNSUPPORTED},
                 {"HIERARCH ESO X = 1", "HIERARCH", BURST_E_UNSUPPORTED},
                 {"A       = 'tab\t'", "0x09", BURST_E_FORMAT},
                 {"A       = 'high\x80'", "0x80", BURST_E_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fits_card card = {.key = "before"};
        CHECK_REFUSED(parse(cases[i].card, &card), cases[i].code, why, cases[i].part);
        CHECK_STR(card.key, "before");
    }
    struct fits_card card;
    CHECK_REFUSED(parse("A       = ?", &card), BURST_E_FORMAT, why, "card at byte 160");
}

TEST(a_text_loses_doubled_quotes_and_trailing_blanks)
{
    struct fits_hdu h = one("OBJECT  = 'O''HARA  '          / name");
    char text[16] = "before";
    CHECK_INT(fits_key_text(&h, "OBJECT", text, sizeof text, &why), BURST_OK);
    CHECK_STR(text, "O'HARA");
    CHECK_REFUSED(fits_key_text(&h, "OBJECT", text, 6, &why), BURST_E_LIMIT, why, "has 6 characters, at most 5");
    CHECK_STR(text, "O'HARA");
}

TEST(a_text_may_fill_its_card)
{
    char card[MADE_CARD + 1] = "LONG    = '", text[FITS_TEXT_MAX];
    memset(card + 11, 'A', 68);
    card[79] = '\'';
    struct fits_hdu h = one(card);
    CHECK_INT(fits_key_text(&h, "LONG", text, sizeof text, &why), BURST_OK);
    CHECK_INT(strlen(text), 68);
}

TEST(an_integer_is_refused_where_a_long_string_stands)
{
    struct fits_hdu h = one("ALERTCNT= 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'");
    int64_t value = 7;
    CHECK_REFUSED(
        fits_key_int(&h, "ALERTCNT", 0, 255, &value, &why), BURST_E_FORMAT, why,
        "ALERTCNT is the string 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', an integer expected (card at byte 80)");
    CHECK_INT(value, 7);
}

TEST(integers_keep_every_digit)
{
    int64_t value = 0;
    struct fits_hdu h = one("K       = -9223372036854775808");
    CHECK_INT(fits_key_int(&h, "K", INT64_MIN, INT64_MAX, &value, &why), BURST_OK);
    CHECK(value == INT64_MIN);
    h = one("K       =  9223372036854775807");
    CHECK_INT(fits_key_int(&h, "K", INT64_MIN, INT64_MAX, &value, &why), BURST_OK);
    CHECK(value == INT64_MAX);
    CHECK_REFUSED(fits_key_int(&h, "K", 0, 255, &value, &why), BURST_E_RANGE, why, "0 to 255 expected");
    h = one("K       = 1.0");
    CHECK_REFUSED(fits_key_int(&h, "K", 0, 255, &value, &why), BURST_E_FORMAT, why,
                  "the real 1.0, an integer expected");
    h = one("K       = T");
    CHECK_REFUSED(fits_key_int(&h, "K", 0, 255, &value, &why), BURST_E_FORMAT, why, "the logical T");
}

TEST(reals_take_d_exponents_and_integers)
{
    double value = 0;
    struct fits_hdu h = one("MJDREFF = 7.428703703703703D-4");
    CHECK_INT(fits_key_real(&h, "MJDREFF", 0, 1, &value, &why), BURST_OK);
    CHECK(value == 7.428703703703703e-4);
    h = one("X       = 5");
    CHECK_INT(fits_key_real(&h, "X", 0, 10, &value, &why), BURST_OK);
    CHECK(value == 5.0);
    CHECK_REFUSED(fits_key_real(&h, "X", 0, 4, &value, &why), BURST_E_RANGE, why, "X is 5, 0 to 4 expected");
    h = one("X       = '5'");
    CHECK_REFUSED(fits_key_real(&h, "X", 0, 4, &value, &why), BURST_E_FORMAT, why, "a number expected");
    CHECK(value == 5.0);
}

TEST(logicals_are_t_or_f)
{
    bool value = false;
    struct fits_hdu h = one("FLAG    =                    T");
    CHECK_INT(fits_key_logical(&h, "FLAG", &value, &why), BURST_OK);
    CHECK(value);
    h = one("FLAG    = 1");
    CHECK_REFUSED(fits_key_logical(&h, "FLAG", &value, &why), BURST_E_FORMAT, why, "T or F expected");
}

/* Numbers by hand: the digits shifted nine places, half away from zero beyond. */
TEST(seconds_become_nanoseconds_digit_by_digit)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {{"332916465.760476", 332916465760476000},
                 {"3.32916465760476D8", 332916465760476000},
                 {"0", 0},
                 {"-0.0", 0},
                 {"0.0000000005", 1},
                 {"0.00000000049999", 0},
                 {"-1.9999999996", -2000000000},
                 {"1E-9", 1},
                 {"1E-300", 0},
                 {"12345E5", 1234500000000000000},
                 {"3999999999.999999999", 3999999999999999999},
                 {".25", 250000000},
                 {"000.125", 125000000},
                 {"0.0001D4", 1000000000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char card[MADE_CARD + 1];
        int64_t ns = -1;
        (void)snprintf(card, sizeof card, "T       = %s", cases[i].text);
        struct fits_hdu h = one(card);
        CHECK_INT(fits_key_ns(&h, "T", &ns, &why), BURST_OK);
        CHECK_SAY(ns == cases[i].ns, "%s gave %lld", cases[i].text, (long long)ns);
    }
    int64_t ns = 5;
    struct fits_hdu h = one("T       = 4000000000");
    CHECK_REFUSED(fits_key_ns(&h, "T", &ns, &why), BURST_E_RANGE, why, "less than 4e9");
    h = one("T       = 1E300");
    CHECK_REFUSED(fits_key_ns(&h, "T", &ns, &why), BURST_E_RANGE, why, "less than 4e9");
    h = one("T       = 'now'");
    CHECK_REFUSED(fits_key_ns(&h, "T", &ns, &why), BURST_E_FORMAT, why, "a number expected");
    CHECK_INT(ns, 5);
}

TEST(absent_and_empty_and_repeated_keywords_are_told_apart)
{
    char text[8];
    int64_t value;
    struct fits_hdu h = one("A       =");
    CHECK_REFUSED(fits_key_text(&h, "B", text, sizeof text, &why), BURST_E_MISSING, why,
                  "PRIMARY: no B (header at byte 0)");
    CHECK_REFUSED(fits_key_int(&h, "A", 0, 1, &value, &why), BURST_E_MISSING, why, "A has no value (card at byte 80)");
    CHECK(fits_key_has(&h, "A") && !fits_key_has(&h, "B"));
    CHECK_INT(fits_key_at(&h, "A"), 80);
    made_card(&file, "A       = 1");
    h = header();
    CHECK_REFUSED(fits_key_int(&h, "A", 0, 1, &value, &why), BURST_E_CONFLICT, why,
                  "A stands 2 times with other values (first card at byte 80)");
    (void)one("A       = 1");
    made_card(&file, "A       = 1");
    h = header();
    CHECK_REFUSED(fits_key_int(&h, "A", 0, 1, &value, &why), BURST_E_FORMAT, why,
                  "A stands 2 times (first card at byte 80)");
}

TEST(an_expected_word_must_stand_there)
{
    struct fits_hdu h = one("TELESCOP= 'GLAST   '");
    CHECK_INT(fits_key_expect(&h, "TELESCOP", "GLAST", &why), BURST_OK);
    CHECK_REFUSED(fits_key_expect(&h, "TELESCOP", "SVOM", &why), BURST_E_FORMAT, why,
                  "TELESCOP is 'GLAST', 'SVOM' expected");
}

int main(void)
{
    RUN(every_byte_that_is_no_text_is_found_wherever_it_stands);
    RUN(values_of_every_type_are_recognised);
    RUN(cards_outside_the_grammar_are_refused);
    RUN(a_text_loses_doubled_quotes_and_trailing_blanks);
    RUN(a_text_may_fill_its_card);
    RUN(an_integer_is_refused_where_a_long_string_stands);
    RUN(integers_keep_every_digit);
    RUN(reals_take_d_exponents_and_integers);
    RUN(logicals_are_t_or_f);
    RUN(seconds_become_nanoseconds_digit_by_digit);
    RUN(absent_and_empty_and_repeated_keywords_are_told_apart);
    RUN(an_expected_word_must_stand_there);
    return check_report();
}
