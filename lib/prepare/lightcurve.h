/* The rings: photon events of one instrument become counts per detector, atom and 64 ms bin, and every 16 bins a window.
 * All storage is taken at creation. Refuses data that contradict what is already counted; counts what comes too late.
 *
 *     lightcurve_new(...)
 *     for each packet, for each k of it with good time (event_packet_next), in steps of at most LIGHTCURVE_STEP_BINS:
 *         while ((e = lightcurve_add(lc, packet, k, k + step, &error)) == BURST_E_FULL) drain
 *         drain:  while (lightcurve_next(lc, window, &ready, &error) == BURST_OK && ready) use the window
 *     lightcurve_flush(lc), drain                     at end of file or silence
 *     lightcurve_free(lc) */
#ifndef BURST_PREPARE_LIGHTCURVE_H
#define BURST_PREPARE_LIGHTCURVE_H
#include "records/sample.h"

struct lightcurve;

#define LIGHTCURVE_LATENESS_MOST_NS (INT64_C(60) * 1000000000)
#define LIGHTCURVE_BACKLOG_MOST     INT64_C(225000) /* 4 hours */
enum {
    LIGHTCURVE_VALID_LEAST = 469, /* bins of 64 ms: 30 s, rounded up (protocol.md 4) */
    LIGHTCURVE_STEP_BINS = 250    /* 16 s: what one call takes */
};

struct lightcurve_settings {
    struct source source;
    struct band_set bands;
    int64_t epoch_ns;    /* mission elapsed time zero, TT; bin k = [k, k+1) x 64 ms from it */
    int64_t lateness_ns; /* bins close this long after the latest good time; 0..LIGHTCURVE_LATENESS_MOST_NS */
    int64_t
        backlog_bins; /* bins that may wait in the rings for their windows to be taken, beside what live data need; 0 or more */
    int64_t score_from_k; /* windows ending at or before this bin are not given (restart); INT64_MIN: all are */
};

/* What became of the events of all packets' atoms. */
struct lightcurve_counts {
    uint64_t events;     /* counted in a bin that was open */
    uint64_t outside;    /* in bins without good time */
    uint64_t unsearched; /* of detectors that are read but not searched: GBM's b0 and b1 */
    uint64_t late;       /* counted in a bin that was closed: windows from then on have them */
    uint64_t archival;   /* older than the rings */
    uint64_t repeated;   /* counted before, in bins of the same content */
    uint64_t conflicts;  /* lists left out: their good time is already counted, with other content */
    uint64_t windows;    /* given */
    uint64_t skipped;    /* strides without a detector of 30 s, and strides jumped over */
};

/* Rings for one instrument of one realm.
 * Errors    BURST_E_UNSUPPORTED  the instrument sends no light curves
 *           BURST_E_RANGE        lateness or backlog out of range
 *           BURST_E_SHAPE        no atoms or bands
 *           BURST_E_NOMEM        *ret_lc untouched in every case */
enum burst_err lightcurve_new(const struct lightcurve_settings *settings, struct lightcurve **ret_lc,
                              struct burst_error *reterr);
/* NULL is accepted. */
void lightcurve_free(struct lightcurve *lc);

/* Count the bins [from_k, to_k) of a packet.
 *
 * Given     p                lent for the call
 *           from_k, to_k     at most LIGHTCURVE_STEP_BINS apart
 * Errors    BURST_E_FULL      windows must be taken first: call lightcurve_next until none is ready, then add again. After
 *                             that a second BURST_E_FULL cannot come. Nothing was counted
 *           BURST_E_LIMIT     too many bins. Nothing was counted
 *           BURST_E_CONFLICT  the good time of at least one detector is already counted, with other counts: that list was left
 *                             out, the rest was taken. The text names the detector and the time
 *           BURST_E_LATE      all of it is older than the rings (counted as archival)
 *           BURST_E_RANGE     good time that overlaps itself; that list was left out, the rest was taken
 *           BURST_E_TIME      another epoch than the settings. Nothing was counted
 *           BURST_E_SHAPE     counted in other bands than the settings'. Nothing was counted
 * Notes     A bin is closed with the stride that holds it. Data of closed bins that are still in the ring fill what was missing,
 *           so that later windows have them; windows already given stay as they were.
 *           Good time that is already counted is not counted again where the counts are the same: in the same part of a bin
 *           equal, in a part of what is counted no more, in more than is counted no fewer (the longer part then stands). Parts
 *           that overlap otherwise cannot be told apart: the first stays, and the bin is missing unless it was whole.
 *           Events in bins without good time are not counted.
 * Source    protocol.md 1, 4 */
enum burst_err lightcurve_add(struct lightcurve *lc, const struct event_packet *p, int64_t from_k, int64_t to_k,
                              struct burst_error *reterr);

/* The gateway says: everything before tt_ns has been sent. Closes bins up to tt_ns minus the lateness.
 * Notes     Never moves the rings past the data they hold: a clock that is wrong closes bins early, but cannot make the
 *           instrument deaf. Earlier times than before change nothing. */
void lightcurve_data_time(struct lightcurve *lc, int64_t tt_ns);

/* Messages were lost between the last packet and the next one, and are not coming: windows over that time are
 * `incomplete`. */
void lightcurve_gap(struct lightcurve *lc);
/* Up to where windows are `incomplete` for the newest gap, TT; INT64_MAX before data have come after it, INT64_MIN: there was no
 * gap. */
int64_t lightcurve_gap_end_ns(const struct lightcurve *lc);

/* End of file, or silence: close every bin up to the end of good time, whatever the lateness. */
void lightcurve_flush(struct lightcurve *lc);

/* Forget all counts and times, score_from_k with them, keep the counters: for a replay that goes back in time. */
void lightcurve_restart(struct lightcurve *lc);

/* The next closed window, each exactly once, in order of time.
 *
 * Given     w          storage of window_new with a row per detector of the search (source_fact()->n_detector)
 * Returned  *ret_ready false: none, w is then untouched
 *           w          rows of the detectors with at least one valid bin; counts of missing bins are 0
 * Errors    BURST_E_SHAPE  w has too few rows; nothing is lost, w untouched
 * Notes     w->arrived_mono_ns and w->decode_s are set to 0: they are the caller's. */
enum burst_err lightcurve_next(struct lightcurve *lc, struct lightcurve_window *w, bool *ret_ready,
                               struct burst_error *reterr);

struct lightcurve_counts lightcurve_counts(const struct lightcurve *lc);
/* The oldest bin the rings hold, before any data the oldest they will need (score_from_k); INT64_MIN where neither is known. */
int64_t lightcurve_low_k(const struct lightcurve *lc);
/* Latest end of good time seen, TT ns; INT64_MIN before any. */
int64_t lightcurve_latest_ns(const struct lightcurve *lc);
#endif
