/* Time scales through ERFA. */
#include "base/clock.h"
#include <erfa.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t DAY_NS = INT64_C(86400) * CLOCK_NS_PER_S;
static const double JD_1970 = 2440587.5;
static const int64_t TT_MINUS_TAI_NS = 32184000000;

int64_t clock_utc_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t); /* always there */
    return (int64_t)t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* always there */
    return (int64_t)t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
}

int64_t clock_tt_now_ns(void)
{
    return clock_tt_from_utc_ns(clock_utc_now_ns());
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* TAI-UTC in ns on the day that holds this POSIX second. ERFA answers +1 for years past its table: still the last
 * value. */
static int64_t tai_minus_utc_ns(int64_t utc_ns)
{
    int year, month, day;
    double fraction, delta;
    int64_t days = floor_div(utc_ns, DAY_NS);
    if (eraJd2cal(JD_1970, (double)days, &year, &month, &day, &fraction) < 0) return 0;
    if (eraDat(year, month, day, 0.0, &delta) < 0) return 0;
    return (int64_t)llround(delta * 1e9);
}

int64_t clock_tt_from_utc_ns(int64_t utc_ns)
{
    return utc_ns + tai_minus_utc_ns(utc_ns) + TT_MINUS_TAI_NS;
}

int64_t clock_utc_from_tt_ns(int64_t tt_ns)
{
    int64_t guess = tt_ns - TT_MINUS_TAI_NS;
    int64_t utc = guess - tai_minus_utc_ns(guess);
    return guess - tai_minus_utc_ns(utc); /* second pass: the first looked up the offset up to 40 s too late */
}

enum burst_err clock_tt_from_mjd_tt(int mjd_i, double mjd_f, double seconds, int64_t *ret_tt_ns,
                                    struct burst_error *reterr)
{
    if (mjd_i < 40000 || mjd_i > 80000)
        return burst_fail(reterr, BURST_E_TIME, "MJD %d is outside 40000..80000", mjd_i);
    if (!(mjd_f >= -1 && mjd_f <= 1))
        return burst_fail(reterr, BURST_E_TIME, "MJD fraction %g is outside -1..1", mjd_f);
    if (!(fabs(seconds) < 4e9))
        return burst_fail(reterr, BURST_E_TIME, "%g s from the epoch is outside +-4e9", seconds);
    double whole = floor(seconds);
    *ret_tt_ns = (mjd_i - INT64_C(40587)) * DAY_NS + llround(mjd_f * 86400e9) + (int64_t)whole * CLOCK_NS_PER_S +
                 llround((seconds - whole) * 1e9);
    return BURST_OK;
}

static void split_utc(int64_t utc_ns, struct tm *ret_tm, int64_t *ret_ns)
{
    time_t second = (time_t)floor_div(utc_ns, CLOCK_NS_PER_S);
    *ret_ns = utc_ns - (int64_t)second * CLOCK_NS_PER_S;
    (void)gmtime_r(&second, ret_tm); /* fails only past year 2^31 */
}

void clock_utc_text(int64_t tt_ns, char ret_text[CLOCK_UTC_TEXT])
{
    struct tm tm;
    int64_t ns;
    char text[80];
    split_utc(clock_utc_from_tt_ns(tt_ns) + 500, &tm, &ns);
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / 1000));
    memcpy(ret_text, text, CLOCK_UTC_TEXT - 1);
    ret_text[CLOCK_UTC_TEXT - 1] = 0;
}

void clock_id_text(int64_t tt_ns, char ret_text[CLOCK_ID_TEXT])
{
    struct tm tm;
    int64_t ns;
    char text[80];
    split_utc(clock_utc_from_tt_ns(tt_ns), &tm, &ns);
    (void)snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                   tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / 1000000));
    memcpy(ret_text, text, CLOCK_ID_TEXT - 1);
    ret_text[CLOCK_ID_TEXT - 1] = 0;
}

/* ".123456789" and an optional Z up to the end; digits past the ninth are read and dropped. */
static int parse_fraction(const char *p, int64_t *ret_ns)
{
    int64_t ns = 0, unit = 100000000;
    if (*p == '.') {
        p++;
        if (*p < '0' || *p > '9') return -1;
        for (; *p >= '0' && *p <= '9'; p++, unit /= 10)
            ns += (*p - '0') * unit;
    }
    if (*p == 'Z') p++;
    if (*p) return -1;
    *ret_ns = ns;
    return 0;
}

enum burst_err clock_parse_utc(const char *text, int64_t *ret_tt_ns, struct burst_error *reterr)
{
    int y, mo, d, h, mi, s, n = 0;
    int64_t ns;
    double utc1, utc2, tai1, tai2;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &n) != 6 || n != 19 ||
        parse_fraction(text + n, &ns))
        return burst_fail(reterr, BURST_E_TIME, "'%.40s' is not YYYY-MM-DDTHH:MM:SS[.f]Z", text);
    int status = y < 1972 || y > 2200 ? -1 : eraDtf2d("UTC", y, mo, d, h, mi, s, &utc1, &utc2);
    if (status < 0 || status > 1 || eraUtctai(utc1, utc2, &tai1, &tai2) < 0) /* +2: second 60 where there is none */
        return burst_fail(reterr, BURST_E_TIME, "'%.40s' is no moment of UTC", text);
    int64_t whole = llround((tai1 - JD_1970) * 86400.0 + tai2 * 86400.0);
    *ret_tt_ns = whole * CLOCK_NS_PER_S + TT_MINUS_TAI_NS + ns;
    return BURST_OK;
}
