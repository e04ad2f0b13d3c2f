/* From windows to events: votes open an event, later windows revise it, quiet closes it (protocol.md 6, "When"). One tracker
 * per realm, mission and instrument, one thread. No clock, no randomness: the same windows give the same verdicts. */
#ifndef BURST_DECIDE_TRACKER_H
#define BURST_DECIDE_TRACKER_H
#include "decide/settings.h"

struct tracker;

enum { TRACKER_VERDICTS = 2 }; /* one call may close an event and open another */

/* Errors    BURST_E_UNSUPPORTED  the instrument sends no light curves; BURST_E_RANGE  a setting; BURST_E_NOMEM; *ret_t
 *           untouched
 * Notes     About 10 MB: an event keeps the light curve of its detectors, 17 minutes at most. */
enum burst_err tracker_new(struct source source, const struct decide_settings *settings, struct tracker **ret_t,
                           struct burst_error *reterr);
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
