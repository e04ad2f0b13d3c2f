/* Time. Inside burstd a moment is int64_t nanoseconds of Terrestrial Time (TT) since 1970-01-01T00:00:00 TT: uniform,
 * no leap seconds. UTC text and mission elapsed time (MET) exist at the edges only, through ERFA. */
#ifndef BURST_BASE_CLOCK_H
#define BURST_BASE_CLOCK_H
#include "base/err.h"
#include <stdint.h>

#define CLOCK_NS_PER_S INT64_C(1000000000)
enum { CLOCK_UTC_TEXT = 28, CLOCK_ID_TEXT = 24 }; /* characters with the closing 0 */

/* Host clocks. UTC as POSIX counts it, ns since 1970 (the wire's sent_ns); monotonic ns for durations. */
int64_t clock_utc_now_ns(void);
int64_t clock_mono_ns(void);
/* Now, as TT ns. */
int64_t clock_tt_now_ns(void);

/* POSIX UTC ns to TT ns and back. ERFA's table ends some day: past it the last offset is used (ERFA's warning +1 is not
 * an error; docs/decisions/0002-time.md). A moment inside a leap second maps to the second after it. */
int64_t clock_tt_from_utc_ns(int64_t utc_ns);
int64_t clock_utc_from_tt_ns(int64_t tt_ns);

/* TT ns of a modified Julian date given as whole days, fraction of a day and seconds, in TT.
 * Given     mjd_i 40000..80000; mjd_f -1..1; seconds finite, |seconds| < 4e9
 * Errors    BURST_E_TIME  outside those ranges */
enum burst_err clock_tt_from_mjd_tt(int mjd_i, double mjd_f, double seconds, int64_t *ret_tt_ns,
                                    struct burst_error *reterr);

/* "YYYY-MM-DDTHH:MM:SS.ssssssZ", microseconds rounded to nearest. */
void clock_utc_text(int64_t tt_ns, char ret_text[CLOCK_UTC_TEXT]);
/* "YYYYMMDDTHHMMSS.sssZ", for ids; milliseconds, cut not rounded. */
void clock_id_text(int64_t tt_ns, char ret_text[CLOCK_ID_TEXT]);
/* UTC text "YYYY-MM-DDTHH:MM:SS[.f...][Z]" to TT ns. BURST_E_TIME with the text quoted; second 60 only where UTC has
 * one. */
enum burst_err clock_parse_utc(const char *text, int64_t *ret_tt_ns, struct burst_error *reterr);
#endif
