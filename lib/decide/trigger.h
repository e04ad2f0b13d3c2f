/* From the missions' notices to events: a trigger opens one, further notices of the same id revise, withdraw or place it, other
 * missions' stand beside it (docs/decisions/0007). One thread; the clock is the caller's. */
#ifndef BURST_DECIDE_TRIGGER_H
#define BURST_DECIDE_TRIGGER_H
#include "decide/tracker.h"
#include "records/notice.h"

/* What a trigger promises should come this long after it, or after its notice, which is of the same day. */
enum { TRIGGER_AWAIT_S = 600, TRIGGER_NOTICE_S = 86400 };

/* The realm a notice belongs to: a test that comes by a live topic is a test. */
enum burst_realm trigger_realm(const struct notice *n);

/* Take a notice.
 *
 * Given     b           of the notice's realm (trigger_realm)
 *           settings    merge_s and what tracker_take needs
 *           t           tracker of the notice's mission and instrument; NULL: none, or it sends no light curves
 * Returned  *ret_told   true where it makes a record, which is *ret_verdict
 * Errors    BURST_E_RANGE    a setting
 *           BURST_E_MISSING  it should open an event, but has no id or trigger time; nothing changes */
enum burst_err trigger_notice(struct book *b, const struct decide_settings *settings, struct tracker *t,
                              const struct notice *n, struct verdict *ret_verdict, bool *ret_told,
                              struct burst_error *reterr);

/* What should have come by now and has not, one record a call.
 * Given     now_ns  TT, the host's clock; INT64_MIN: the mission's own data and notices are the clock (an archive); INT64_MAX:
 *                   nothing more will come
 * Returned  true where *ret_verdict is a record: call it again */
bool trigger_tick(struct book *b, const struct decide_settings *settings, int64_t now_ns, struct verdict *ret_verdict);
#endif
