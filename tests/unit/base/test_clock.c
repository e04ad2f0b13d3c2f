/* Expected TT nanoseconds come from astropy 5.2 (Time(...).tt). */
#include "base/clock.h"
#include "check.h"

static int64_t parsed(const char *text)
{
    int64_t tt = -1;
    struct burst_error e;
    CHECK_SAY(clock_parse_utc(text, &tt, &e) == BURST_OK, "%s: %s", text, e.text);
    return tt;
}

TEST(utc_text_becomes_tt_as_astropy_says)
{
    CHECK_INT(parsed("2011-07-21T04:47:43.760Z"), 1311223729944000000);
    CHECK_INT(parsed("2017-01-01T00:00:00Z"), 1483228869184000000);
    CHECK_INT(parsed("1972-01-01T00:00:00"), 63072042184000000);
    CHECK_INT(parsed("2001-01-01T00:00:00"), 978307264184000000);
    CHECK_INT(parsed("2026-05-04T21:06:44.312345Z"), 1777928873496345000);
}

TEST(a_leap_second_is_a_second_of_its_own)
{
    CHECK_INT(parsed("2016-12-31T23:59:60.5Z"), 1483228868684000000);
    CHECK_INT(parsed("2017-01-01T00:00:00Z") - parsed("2016-12-31T23:59:60Z"), CLOCK_NS_PER_S);
    int64_t tt = 7;
    struct burst_error e;
    CHECK_REFUSED(clock_parse_utc("2015-12-31T23:59:60Z", &tt, &e), BURST_E_TIME, e, "no moment of UTC");
    CHECK_INT(tt, 7);
}

TEST(years_past_erfas_table_are_no_error)
{
    CHECK_INT(parsed("2030-06-01T12:00:00Z"), 1906545669184000000);
}

TEST(text_that_is_no_time_is_quoted_back)
{
    static const char *const bad[] = {"",
                                      "2011-07-21",
                                      "2011-07-21 04:47:43",
                                      "2011-13-21T04:47:43Z",
                                      "2011-07-21T04:47:43.Z",
                                      "2011-07-21T04:47:43Zjunk",
                                      "2011-07-21T04:47:4",
                                      "1960-01-01T00:00:00Z",
                                      "9999-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t tt = 7;
        struct burst_error e = {0};
        CHECK_SAY(clock_parse_utc(bad[i], &tt, &e) == BURST_E_TIME && tt == 7, "'%s' was taken", bad[i]);
        CHECK_SAY(strstr(e.text, bad[i]) != NULL, "'%s' is not in '%s'", bad[i], e.text);
    }
}

TEST(tt_goes_back_to_the_same_utc)
{
    char text[CLOCK_UTC_TEXT];
    clock_utc_text(1311223729944000000, text);
    CHECK_STR(text, "2011-07-21T04:47:43.760000Z");
    clock_utc_text(1777928873496345499, text);
    CHECK_STR(text, "2026-05-04T21:06:44.312345Z");
    clock_utc_text(1777928873496345500, text);
    CHECK_STR(text, "2026-05-04T21:06:44.312346Z");
    char id[CLOCK_ID_TEXT];
    clock_id_text(1777928873496999000, id);
    CHECK_STR(id, "20260504T210644.312Z");
    for (int64_t utc = 1483228795; utc < 1483228805; utc++) /* over the leap second of 2016 */
        CHECK_INT(clock_utc_from_tt_ns(clock_tt_from_utc_ns(utc * CLOCK_NS_PER_S)), utc * CLOCK_NS_PER_S);
}

TEST(mission_time_of_grb_110721a_is_its_trigger)
{
    int64_t tt = 0;
    struct burst_error e;
    CHECK_INT(clock_tt_from_mjd_tt(51910, 7.428703703703703e-4, 332916465.760, &tt, &e), BURST_OK);
    CHECK_NEAR(tt, 1311223729944000000.0,
               2000); /* 24 ns is what a double holds of 3e8 s, 1 ns of the fraction of a day */
    CHECK_REFUSED(clock_tt_from_mjd_tt(0, 0, 0, &tt, &e), BURST_E_TIME, e, "MJD 0");
    CHECK_REFUSED(clock_tt_from_mjd_tt(51910, 2, 0, &tt, &e), BURST_E_TIME, e, "fraction");
    CHECK_REFUSED(clock_tt_from_mjd_tt(51910, 0, (double)NAN, &tt, &e), BURST_E_TIME, e, "nan");
}

int main(void)
{
    RUN(utc_text_becomes_tt_as_astropy_says);
    RUN(a_leap_second_is_a_second_of_its_own);
    RUN(years_past_erfas_table_are_no_error);
    RUN(text_that_is_no_time_is_quoted_back);
    RUN(tt_goes_back_to_the_same_utc);
    RUN(mission_time_of_grb_110721a_is_its_trigger);
    return check_report();
}
