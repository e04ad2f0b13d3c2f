#include "check.h"
#include "ingest/notice_inside.h"
#include <math.h>

/* Moments are TT ns since 1970-01-01 TT; expected values from astropy 5 (Time(...).tt, two-part Julian dates). */

static struct burst_error why;

static struct reading reading_of(const struct said *said)
{
    static struct notice n;
    notice_clear(&n);
    return (struct reading){said, &n, &why, BURST_OK};
}

static const struct said PARAMS = {.what = "Param"};

static int64_t utc(const char *text, double *ret_digit_s, enum burst_err *ret_err)
{
    struct reading r = reading_of(&PARAMS);
    const struct saying s = {"", "ISOTime", text, 0, 7};
    int64_t tt_ns = read_utc(&r, &s, ret_digit_s);
    *ret_err = r.err;
    return tt_ns;
}

static double real(const char *text, unsigned unknown, enum burst_err *ret_err)
{
    struct reading r = reading_of(&PARAMS);
    const struct saying s = {"", "SNR", text, 0, 7};
    double value = read_real(&r, &s, -10, 10, unknown);
    *ret_err = r.err;
    return value;
}

TEST(times_are_read_in_every_style_seen)
{
    static const struct {
        const char *text;
        int64_t tt_ns;
        double digit_s;
    } TABLE[] = {
        {"2026-02-07T05:42:33.65", 1770443022834000000, 0.01},
        {" 2026-02-11T19:32:24Z ", 1770838413184000000, 1},
        {"2026-02-11T19:32:24+00:00", 1770838413184000000, 1},
        {"2026-02-11T19:32:24+0000", 1770838413184000000, 1},
        {"2026-02-12 03:32:24+08:00", 1770838413184000000, 1},
        {"2026-02-11T14:02:24-05:30", 1770838413184000000, 1},
        {"2026-02-11T19:32:24 UT", 1770838413184000000, 1},
        {"2026-11-19T24:00:00", 1795132869184000000, 1},       /* the end of a day */
        {"2026-11-20T12:34:60.00", 1795178169184000000, 0.01}, /* rounded up, no leap second */
        {"2016-12-31T23:59:60.5Z", 1483228868684000000, 0.1},  /* a leap second */
        {"1999-12-31T23:59:59.9999999994", 946684864183999999, 1e-9},
        {"2024-02-29T12:00:00.000000", 1709208069184000000, 1e-6},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        double digit_s = 0;
        enum burst_err err;
        int64_t tt_ns = utc(TABLE[i].text, &digit_s, &err);
        CHECK_SAY(!err && tt_ns == TABLE[i].tt_ns, "%s: %s %lld", TABLE[i].text, burst_err_name(err), (long long)tt_ns);
        CHECK_NEAR(digit_s / TABLE[i].digit_s, 1, 1e-12); /* powers of ten are not exact */
    }
}

TEST(what_is_no_time_is_refused_and_quoted)
{
    static const char *const BAD[] = {"2026-02-30T00:00:00",
                                      "2025-02-29T00:00:00",
                                      "1900-02-29T00:00:00",
                                      "2026-13-01T00:00:00",
                                      "2026-00-01T00:00:00",
                                      "2026-01-00T00:00:00",
                                      "2026-01-01T24:00:01",
                                      "2026-01-01T25:00:00",
                                      "2026-01-01T23:60:00",
                                      "2026-01-01T23:59:61",
                                      "2026-01-01T23:59",
                                      "2026-01-01",
                                      "2026-1-1T00:00:00",
                                      "2026-01-01T 3:00:00",
                                      "2026-01-01T00:00:00+15:00",
                                      "2026-01-01T00:00:00X",
                                      "2026-01-01T00:00:00+0",
                                      "soon",
                                      "21078.23",
                                      "2026-01-01T00:00:00.5.5"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        enum burst_err err;
        CHECK_INT(utc(BAD[i], NULL, &err), 0);
        CHECK_SAY(err == BURST_E_TIME && strstr(why.text, BAD[i]), "%s: %s", BAD[i], why.text);
        CHECK(strstr(why.text, "line 7: Param ISOTime"));
    }
}

TEST(times_before_1990_and_after_2100_are_not_believed)
{
    enum burst_err err;
    CHECK_INT(utc("1990-01-01T00:00:00", NULL, &err), 631152057184000000);
    CHECK_INT(err, BURST_OK);
    (void)utc("1989-12-31T23:59:59", NULL, &err);
    CHECK_INT(err, BURST_E_TIME);
    CHECK(strstr(why.text, "1990 to 2100"));
    (void)utc("2100-12-31T23:59:59", NULL, &err);
    CHECK_INT(err, BURST_OK);
    (void)utc("2101-01-01T00:00:00", NULL, &err);
    CHECK_INT(err, BURST_E_TIME);
}

TEST(a_truncated_julian_day_and_seconds_are_a_moment)
{
    struct reading r = reading_of(&PARAMS);
    const struct saying day = {"", "EVENT_DATE", "20321", 0, 0}, second = {"", "EVENT_TIME", "20485.850", 0, 0},
                        none = {"", "EVENT_TIME", "-1", 0, 0}, late = {"", "EVENT_TIME", "86402", 0, 0},
                        old = {"", "EVENT_DATE", "7891", 0, 0};
    double digit_s = 0;
    CHECK_INT(read_tjd(&r, &day, &second, &digit_s), 1705038155034000000); /* 2024-01-12T05:41:25.85 */
    CHECK_NEAR(digit_s, 0.001, 1e-15);
    CHECK_INT(read_tjd(&r, &day, &none, NULL), 0);
    CHECK_INT(read_tjd(&r, &day, NULL, NULL), 0);
    CHECK_INT(r.err, BURST_OK);
    CHECK_INT(read_tjd(&r, &day, &late, NULL), 0);
    CHECK_INT(r.err, BURST_E_RANGE);
    r = reading_of(&PARAMS);
    (void)read_tjd(&r, &old, &second, NULL);
    CHECK_INT(r.err, BURST_E_RANGE);
}

TEST(numbers_are_read_through_their_blanks)
{
    enum burst_err err;
    CHECK_NEAR(real(" 4.90", 0, &err), 4.9, 0);
    CHECK_NEAR(real("\t-1.5e0\n", 0, &err), -1.5, 0);
    CHECK_NEAR(real("+7", 0, &err), 7, 0);
    CHECK(!signbit(real("-0", 0, &err)));
    CHECK_INT(err, BURST_OK);
}

TEST(what_is_no_number_is_refused)
{
    static const char *const BAD[] = {"four", "4,9", "0x1p3", "1e999", "4.9 sigma", "1 2", "inf", "--4", "e5", "."};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        enum burst_err err;
        CHECK(isnan(real(BAD[i], 0, &err)));
        CHECK_SAY(err == BURST_E_FORMAT && strstr(why.text, "a number expected"), "%s: %s", BAD[i], why.text);
    }
}

TEST(a_number_outside_its_range_is_refused_with_the_range)
{
    enum burst_err err;
    CHECK_NEAR(real("10", 0, &err), 10, 0);
    CHECK_INT(err, BURST_OK);
    CHECK(isnan(real("10.0001", 0, &err)));
    CHECK_INT(err, BURST_E_RANGE);
    CHECK_STR(why.text, "line 7: Param SNR is '10.0001': -10 to 10 expected");
}

TEST(every_way_of_saying_unknown_is_absent)
{
    static const char *const WORDS[] = {"",     "  ",   "N/A",    "n/a", "undefined", "Unknown",
                                        "None", "null", "(null)", "NaN", "-"};
    enum burst_err err;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        CHECK_SAY(isnan(real(WORDS[i], 0, &err)) && !err, "'%s'", WORDS[i]);
        CHECK_INT(utc(WORDS[i], NULL, &err), 0);
        CHECK_INT(err, BURST_OK);
    }
    CHECK(isnan(real("-1.0000", UNKNOWN_MINUS_1, &err)) && !err);
    CHECK_NEAR(real("-1", 0, &err), -1, 0);
    CHECK(isnan(real("0.000", UNKNOWN_ZERO, &err)) && !err);
    CHECK_NEAR(real("0.000", 0, &err), 0, 0);
    CHECK(isnan(real("Infinity", UNKNOWN_INFINITE, &err)) && !err);
}

TEST(masks_are_hexadecimal_or_decimal_and_fit_their_bits)
{
    struct reading r = reading_of(&PARAMS);
    const struct saying hex = {"", "Dets", "0x1030080", 0, 0}, decimal = {"", "Dets", "16974976", 0, 0},
                        number = {"", "Dets", NULL, 6, 0}, none = {"", "Dets", "N/A", 0, 0},
                        many = {"", "Dets", "0x2000000", 0, 0}, bad = {"", "Dets", "0xg", 0, 0},
                        negative = {"", "Dets", "-1", 0, 0}, half = {"", "Dets", NULL, 0.5, 0};
    uint32_t mask = 1;
    CHECK(read_mask(&r, &hex, 25, &mask) && mask == 0x1030080u);
    CHECK(read_mask(&r, &decimal, 25, &mask) && mask == 0x1030480u);
    CHECK(read_mask(&r, &number, 14, &mask) && mask == 6);
    CHECK(!read_mask(&r, &none, 25, &mask) && !read_mask(&r, NULL, 25, &mask) && mask == 6);
    CHECK_INT(r.err, BURST_OK);
    CHECK(!read_mask(&r, &many, 25, &mask) && r.err == BURST_E_RANGE);
    const struct saying *const wrong[] = {&bad, &negative};
    for (size_t i = 0; i < 2; i++) {
        r = reading_of(&PARAMS);
        CHECK(!read_mask(&r, wrong[i], 25, &mask) && r.err == BURST_E_FORMAT);
    }
    r = reading_of(&PARAMS);
    CHECK(!read_mask(&r, &half, 25, &mask) && r.err == BURST_E_RANGE);
}

TEST(texts_are_cut_between_characters_and_hold_no_control_characters)
{
    struct reading r = reading_of(&PARAMS);
    const struct saying s = {"", "x", "  a\tb\xc3\xa9\xc3\xa9 ", 0, 0}, number = {"", "x", NULL, 81, 0};
    char text[7] = "";
    read_text(&r, &s, text, sizeof text);
    CHECK_STR(text, "a b\xc3\xa9"); /* a fifth and sixth byte would be half a character */
    read_text(&r, &number, text, sizeof text);
    CHECK_STR(text, "81");
}

TEST(names_are_letters_digits_and_three_marks)
{
    struct reading r = reading_of(&PARAMS);
    const struct saying good = {"", "id", " bn230313485_v0.1-x ", 0, 0}, odd = {"", "id", "GRB 1", 0, 0},
                        longer = {"", "id", "123456789", 0, 0};
    char name[32] = "", small[9] = "kept";
    read_name(&r, &good, name, sizeof name);
    CHECK_STR(name, "bn230313485_v0.1-x");
    read_name(&r, &longer, small, sizeof small);
    CHECK_INT(r.err, BURST_E_FORMAT);
    CHECK(strstr(why.text, "at most 8 characters"));
    CHECK_STR(small, "kept");
    r = reading_of(&PARAMS);
    read_name(&r, &odd, name, sizeof name);
    CHECK_INT(r.err, BURST_E_FORMAT);
}

TEST(a_list_of_sayings_is_bounded_and_found_by_group_and_name)
{
    static struct said said = {.what = "key"};
    for (int i = 0; i < SAYING_MOST; i++)
        CHECK_INT(said_put(&said, (struct saying){i % 2 ? "a" : "/b", i < 4 ? "first" : "later", "x", 0, i}, &why), 0);
    CHECK_REFUSED(said_put(&said, (struct saying){"a", "n", "x", 0, 0}, &why), BURST_E_LIMIT, why,
                  "more than 512 keys");
    CHECK_INT(said_find(&said, NULL, "FIRST")->line, 1);
    CHECK_INT(said_find(&said, "/b", "first")->line, 0);
    CHECK(!said_find(&said, "c", "first") && !said_find(&said, NULL, "none"));
    CHECK(said_is(&said, NULL, "first", "X") && !said_is(&said, NULL, "first", "y"));
}

TEST(words_of_missions_become_our_classes)
{
    CHECK_INT(notice_class("GRB"), CLASS_GRB);
    CHECK_INT(notice_class("SFLARE"), CLASS_SOLAR_FLARE);
    CHECK_INT(notice_class("Local Particles"), CLASS_PARTICLE);
    CHECK_INT(notice_class("BELOW_HORIZON"), CLASS_N);
    CHECK_INT(notice_class("UNRELIABLE_LOCATION"), CLASS_N);
    CHECK_INT(notice_class("something new"), CLASS_N);
    CHECK_STR(notice_gbm_class(19), "TGF");
    CHECK_STR(notice_gbm_class(0), "");
    CHECK_STR(notice_gbm_class(13), "");
    CHECK_STR(notice_gbm_class(20), "");
    CHECK_STR(notice_gbm_class(-1), "");
    CHECK_STR(notice_gecam_class(2), "SFLARE");
    CHECK_STR(notice_gecam_class(5), "");
}

int main(void)
{
    RUN(times_are_read_in_every_style_seen);
    RUN(what_is_no_time_is_refused_and_quoted);
    RUN(times_before_1990_and_after_2100_are_not_believed);
    RUN(a_truncated_julian_day_and_seconds_are_a_moment);
    RUN(numbers_are_read_through_their_blanks);
    RUN(what_is_no_number_is_refused);
    RUN(a_number_outside_its_range_is_refused_with_the_range);
    RUN(every_way_of_saying_unknown_is_absent);
    RUN(masks_are_hexadecimal_or_decimal_and_fit_their_bits);
    RUN(texts_are_cut_between_characters_and_hold_no_control_characters);
    RUN(names_are_letters_digits_and_three_marks);
    RUN(a_list_of_sayings_is_bounded_and_found_by_group_and_name);
    RUN(words_of_missions_become_our_classes);
    return check_report();
}
