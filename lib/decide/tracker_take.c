/* Triggers and the light curves: which window answers which trigger, and what the windows judged before a notice came have to say. */
#include "decide/compose.h"
#include "decide/tracker_inside.h"
#include <math.h>

enum { FRESH_LEAST = STRIDE_BINS / 2 };
#define BIN_S (1e-9 * (double)BIN_NS)

/* At least half of the stride that holds bin k is inside good time, in some detector. */
static bool has_data(const struct lightcurve_window *w, int64_t k)
{
    int64_t stride_k = k - ((k % STRIDE_BINS) + STRIDE_BINS) % STRIDE_BINS, first = stride_k - (w->k_end - WINDOW_BINS);
    for (int row = 0; row < w->n_detector; row++) {
        int n = 0;
        for (int64_t i = first < 0 ? 0 : first; i < first + STRIDE_BINS && i < WINDOW_BINS; i++)
            n += w->valid[(int64_t)row * WINDOW_BINS + i];
        if (n >= FRESH_LEAST) return true;
    }
    return false;
}

void history_add(struct tracker *t, const struct window_score *score)
{
    t->row[t->n_row++ % HISTORY_ROWS] =
        (struct history_row){.k_end = score->window->k_end,
                             .logit = score->logit,
                             .n_vote = tracker_votes(t, score),
                             .n_score = score->n_score,
                             .fresh = has_data(score->window, score->window->k_end - 1)};
}

static bool is_pending(const struct tracker *t, const struct alert *a, int64_t k_end)
{
    return a->used && a->triggered && a->last.source.mission == t->source.mission &&
           a->instrument == t->source.instrument && k_end > a->taken_k && a->now.state != STATE_RETRACTED;
}

/* The window holds the trigger in its useful part, with data at its time. */
static bool holds(const struct lightcurve_window *w, int64_t k)
{
    return w->k_end >= k + USEFUL_FROM && w->k_end <= k + USEFUL_TO && has_data(w, k);
}

/* A window that would open an event so near the trigger is the trigger's: its burst may begin before it. */
static bool is_near(const struct tracker *t, const struct lightcurve_window *w, int64_t k)
{
    int64_t merge_k = (int64_t)(t->set.merge_s / BIN_S);
    return k >= w->k_end - WINDOW_BINS - merge_k && k <= w->k_end + merge_k;
}

struct alert *trigger_due(const struct tracker *t, const struct lightcurve_window *w, bool positive)
{
    struct alert *due = NULL;
    for (int i = 0; i < BOOK_ALERTS; i++) {
        struct alert *a = &t->book->alert[i];
        if (!is_pending(t, a, w->k_end)) continue;
        int64_t k = tracker_bin(t, a->trigger_ns);
        if (!holds(w, k) && !(positive && is_near(t, w, k))) continue;
        if (!due || a->trigger_ns < due->trigger_ns) due = a;
    }
    return due;
}

/* What the history says of a trigger. */
struct recall {
    int n, n_vote, n_score; /* windows that hold it; votes and detectors of the best of them */
    int64_t first_k, last_k, best_k;
    bool data; /* the stride that holds the trigger had data, and was judged */
};

static struct recall history_recall(const struct tracker *t, struct alert *a, int64_t k)
{
    struct recall r = {.n = 0};
    uint64_t n_row = t->n_row < HISTORY_ROWS ? t->n_row : HISTORY_ROWS;
    double best = -INFINITY;
    a->n_top = 0;
    for (uint64_t i = t->n_row - n_row; i < t->n_row; i++) {
        const struct history_row *row = &t->row[i % HISTORY_ROWS];
        if (row->k_end > k && row->k_end <= k + STRIDE_BINS) r.data = row->fresh;
        if (row->k_end < k + USEFUL_FROM || row->k_end > k + USEFUL_TO) continue;
        top_add(a->top, &a->n_top, row->logit);
        if (r.n++ == 0) r.first_k = row->k_end;
        r.last_k = row->k_end;
        if (row->logit <= best) continue;
        best = row->logit;
        r.best_k = row->k_end;
        r.n_vote = row->n_vote;
        r.n_score = row->n_score;
    }
    if (!r.data) a->n_top = r.n = 0;
    return r;
}

static void recall_compose(const struct tracker *t, const struct alert *a, const struct recall *r, struct verdict *v)
{
    v->n_model = 1;
    v->model[0] = t->model;
    v->window = (struct time_span){t->epoch_ns + (r->first_k - WINDOW_BINS) * BIN_NS, t->epoch_ns + r->last_k * BIN_NS};
    compose_sentence(
        v,
        "%d window%s with the trigger had been judged when its notice came; in the best, which ends %.1f s after it, "
        "%d of %d detectors vote for a burst.",
        r->n, r->n == 1 ? "" : "s", (double)(t->epoch_ns + r->best_k * BIN_NS - a->trigger_ns) * 1e-9, r->n_vote,
        r->n_score);
}

bool tracker_take(struct tracker *t, struct alert *a, struct verdict *ret_v)
{
    int64_t k = tracker_bin(t, a->trigger_ns);
    a->instrument = t->source.instrument;
    a->triggered = true;
    a->taken_k = t->last_k;
    struct recall r = history_recall(t, a, k);
    if (r.n == 0) return false;
    double p = compose_logistic(top_mean(a->top, a->n_top) / t->model.temperature);
    enum verdict_call call = tracker_call(&t->set, CALL_NONE, p, true);
    struct answer answer = {call, p, REASON_LOW_CONFIDENCE, t->last_k >= k + USEFUL_TO};
    if (call != CALL_UNCLEAR) answer.reason = call == CALL_TRUE ? REASON_BURST_LIKE : REASON_NOISE;
    alert_answer(a, t->source, LANE_CURVE, &answer, ret_v);
    recall_compose(t, a, &r, ret_v);
    a->now.told_k = a->now.revised_k = t->last_k;
    a->from_ns = ret_v->window.start_ns;
    a->to_ns = t->epoch_ns + (k + USEFUL_TO) * BIN_NS;
    return true;
}
