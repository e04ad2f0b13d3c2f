/* What tracker.c (the state machine), judge.c (what the windows of an event say) and tracker_take.c (triggers) share. Private. */
#ifndef BURST_DECIDE_TRACKER_INSIDE_H
#define BURST_DECIDE_TRACKER_INSIDE_H
#include "decide/alert.h"
#include "decide/angular.h"
#include "decide/curve.h"
#include "decide/tracker.h"

enum { HISTORY_ROWS = 3600 }; /* strides, a little more than an hour */
/* The paper's window is T0-20..T0+100 s: a window has the trigger in its useful part from one stride after it to 100 s after it. */
enum { USEFUL_FROM = STRIDE_BINS, USEFUL_TO = 1562 };

/* A window that has been judged, without its counts. */
struct history_row {
    int64_t k_end;
    double logit;
    int n_vote, n_score;
    bool fresh; /* its newest stride has data */
};

/* The event whose windows come now. What has been told of it is in the book, under its id. */
struct event {
    bool held;
    char id[EVENT_ID_TEXT];
    int64_t positive_k; /* end of the last window that would have opened an event, or of those that hold its trigger */
    int n_top;
    double top[TOP_WINDOWS];  /* falling */
    struct window_score best; /* of the highest logit; its window is the tracker's copy */
};

struct tracker {
    struct source source;
    struct decide_settings set;
    struct book *book;
    const struct instrument_fact *fact;
    bool archival; /* see tracker_search_archive */
    int64_t epoch_ns, last_k;
    struct event event;
    struct lightcurve_window *window; /* behind event.best */
    bool window_told;
    struct curve *curve;
    struct model_tag model; /* of the last window */
    uint64_t n_row;         /* so far */
    struct history_row row[HISTORY_ROWS];
};

/* Everything a revision needs, measured on the event as it is now. */
struct judged {
    double p;         /* calibrated probability of the event */
    double p_network; /* the same before the tests of all detectors together */
    struct angular angular;
    int n_clear, n_clear_vote; /* detectors that see the excess clearly; of those, how many vote */
    double p_clear;            /* p of the mean logit of the clear ones; 1 where they are too few */
    struct burst_place place;
    bool member[DETECTOR_MAX];
    int n_vote;
};

/* Detectors of a window above `open`. */
int tracker_votes(const struct tracker *t, const struct window_score *score);
/* Keep the best logits, falling. */
void top_add(double top[TOP_WINDOWS], int *n_top, double logit);
double top_mean(const double *top, int n_top);
/* The bin a time falls into. */
int64_t tracker_bin(const struct tracker *t, int64_t tt_ns);

struct judged tracker_judge(const struct tracker *t);
/* The call for p, given the call before it. With none before, `false` is not for a search to say, but for a trigger. */
enum verdict_call tracker_call(const struct decide_settings *s, enum verdict_call before, double p, bool triggered);
/* Why the event would be called so; `a` for its position. */
enum reason_code tracker_reason(const struct tracker *t, const struct judged *j, const struct alert *a,
                                enum verdict_call call);
/* Classification, evidence, model, window, platform and sentences of a record that is begun; `call` is the light curves' own. */
void tracker_compose(const struct tracker *t, const struct judged *j, const struct alert *a, enum verdict_call call,
                     struct verdict *v);
/* Onset of the burst, TT; the end of the data where nothing stands out. */
int64_t tracker_onset_ns(const struct tracker *t, const struct judged *j);

/* Add a window to the history. */
void history_add(struct tracker *t, const struct window_score *score);
/* The trigger whose event this window begins: the oldest that waits and whose time it holds, or, where the window would open an
 * event, is near. NULL: none. */
struct alert *trigger_due(const struct tracker *t, const struct lightcurve_window *w, bool positive);
#endif
