/* From windows to events: votes or a trigger open an event, later windows revise it, quiet closes it (protocol.md 6, "When";
 * docs/decisions/0003, 0007). One tracker per realm, mission and instrument, one thread. No clock, no randomness: the same windows
 * and triggers give the same verdicts. What has been told is kept in the realm's book: windows that were judged before are judged
 * again in silence, so that data may be read again after a restart. */
#ifndef BURST_DECIDE_TRACKER_H
#define BURST_DECIDE_TRACKER_H
#include "decide/book.h"

struct tracker;

enum { TRACKER_VERDICTS = 2 }; /* one call may close an event and open another */

/* Given     book  of the realm, shared with its other trackers; must outlive the tracker
 * Errors    BURST_E_UNSUPPORTED  the instrument sends no light curves; BURST_E_RANGE  a setting; BURST_E_NOMEM; *ret_t
 *           untouched
 * Notes     About 10 MB: an event keeps the light curve of its detectors, 17 minutes at most. */
enum burst_err tracker_new(struct source source, const struct decide_settings *settings, struct book *book,
                           struct tracker **ret_t, struct burst_error *reterr);
/* Its windows are of data that came hours late: events it opens in the live realm have the tense `archival`. Before any window. */
void tracker_search_archive(struct tracker *t);
/* NULL is accepted. */
void tracker_free(struct tracker *t);

/* Judge the next window.
 *
 * Given     score  with its window; windows in order of time, strides may be missing
 * Returned  ret_verdict [TRACKER_VERDICTS], *ret_n of them made, in the order to be told
 * Errors    BURST_E_TIME      not after the window before
 *           BURST_E_CONFLICT  another source, or bands or epoch other than those of the open event; nothing changes */
enum burst_err tracker_window(struct tracker *t, const struct window_score *score, struct verdict *ret_verdict,
                              int *ret_n, struct burst_error *reterr);

/* No windows for now (silence): the closing revision of an event that is open. The event is held: windows that still belong to
 * it, once the data go on, revise it and do not open another one of the same burst. */
void tracker_silence(struct tracker *t, struct verdict *ret_verdict, int *ret_n);
/* No more windows (end of file): the same, and the event is forgotten. */
void tracker_flush(struct tracker *t, struct verdict *ret_verdict, int *ret_n);

/* A trigger of the tracker's mission and instrument: answer it from the windows judged so far that hold its time, if there are
 * any; windows still to come go on from there.
 * Given     a  an alert of the book, new to the tracker
 * Returned  true where that makes a record: v is finished but for alert_told */
bool tracker_take(struct tracker *t, struct alert *a, struct verdict *ret_v);

/* True where no event is held: restarting from here loses nothing. */
bool tracker_idle(const struct tracker *t);

/* The window behind the last verdict's figures, until the next call of tracker_window; NULL where no event is held. */
const struct lightcurve_window *tracker_evidence_window(const struct tracker *t);

/* What an idle tracker must remember over a restart. Plain data. */
struct tracker_state {
    int64_t k_end; /* of the last window judged; INT64_MIN before any */
};
/* BURST_E_STATE while an event is held; outputs untouched. */
enum burst_err tracker_get_state(const struct tracker *t, struct tracker_state *ret_state, struct burst_error *reterr);
/* BURST_E_STATE while an event is held. */
enum burst_err tracker_set_state(struct tracker *t, const struct tracker_state *state, struct burst_error *reterr);
#endif
