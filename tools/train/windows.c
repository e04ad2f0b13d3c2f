/* Where windows may lie, how strong a burst is in them, and which detectors are kept. */
#include "train/windows.h"
#include "kernels/significance.h"
#include "sim/rng.h"
#include "train/background.h"
#include <math.h>
#include <stdlib.h>

enum { BINS_LEAST = 8, BINS_MOST = 4096, DEGREE = 2, SNR_BINS_MOST = 8, CLIP_ROUNDS = 5, PLACES_MOST = 1000 };
static const double CLIP_SIGMA = 3.0;

void window_rules_default(struct window_rules *ret)
{
    *ret = (struct window_rules){.n_bin = 60,
                                 .background_least = 10,
                                 .best_most = 3,
                                 .per_curve = 1,
                                 .quiet_most = 3,
                                 .quiet_of_kept = 1,
                                 .t90_most_s = 90.0,
                                 .snr_least = 4.0,
                                 .guard_s = 4.096,
                                 .quiet_after_s = 60.0,
                                 .seed = 1};
}

/* What one call works with. */
struct cutter {
    const struct known_curves *c;
    const struct window_rules *rules;
    double *counts, *fit, *seen, *expected; /* [n_bin], [n_bin], [n_bin + 1] twice */
    uint8_t *use;                           /* [n_bin] */
    double *snr;                            /* [n_curve] of place 0; negative: no burst window */
    struct rank {
        int64_t burst;
        double snr;
        size_t curve;
    } * rank; /* [n_curve] */
    size_t room, n;
    struct known_window *window;
    uint16_t *ret_counts;
};

static size_t curve_length(const struct known_curves *c, size_t i)
{
    return (size_t)(c->offset[i + 1] - c->offset[i]);
}

/* Bin of curve i that holds the time; may lie outside. Times are checked to be small enough. */
static int64_t curve_bin(const struct known_curves *c, size_t i, double time_s)
{
    return (int64_t)floor((time_s - c->t_first_s[i]) / c->bin_s + 0.5);
}

static int64_t guard_bins(const struct cutter *k)
{
    return (int64_t)ceil(k->rules->guard_s / k->c->bin_s);
}

static void window_take(struct cutter *k, const struct known_window *w)
{
    const int32_t *from = k->c->counts + k->c->offset[w->curve] + w->first_bin;
    for (int t = 0; t < k->rules->n_bin; t++)
        k->counts[t] = from[t];
}

/* Fit where `use` says and make the running sums. */
static bool window_fit(struct cutter *k)
{
    const size_t n_bin = (size_t)k->rules->n_bin;
    if (!background_fit_row(k->counts, k->use, n_bin, DEGREE, k->fit)) return false;
    for (size_t t = 0; t < n_bin; t++) {
        k->seen[t + 1] = k->seen[t] + k->counts[t];
        k->expected[t + 1] = k->expected[t] + k->fit[t];
    }
    return true;
}

static double window_best(const struct cutter *k, int64_t from, int64_t to)
{
    const struct running r = {(size_t)k->rules->n_bin, k->seen, k->expected};
    return stretch_best(&r, (size_t)from, (size_t)to, SNR_BINS_MOST).snr;
}

/* The S/N of a window whose burst, if any, is not known: over what is left when peaks are taken out. The counts are taken. */
static double blind_best(struct cutter *k)
{
    const int n_bin = k->rules->n_bin;
    bool changed = true;
    for (int t = 0; t < n_bin; t++)
        k->use[t] = 1;
    for (int round = 0; changed && round < CLIP_ROUNDS && window_fit(k); round++) {
        changed = false;
        for (int t = 0; t < n_bin; t++) {
            const bool keep = k->counts[t] <= k->fit[t] + CLIP_SIGMA * sqrt(k->fit[t]);
            changed = changed || keep != k->use[t];
            k->use[t] = keep;
        }
    }
    return window_best(k, 0, n_bin);
}

/* S/N and background bins of a burst window. False where too few bins are background. */
static bool burst_measure(struct cutter *k, struct known_window *w)
{
    const int64_t n_bin = k->rules->n_bin, guard = guard_bins(k);
    const int64_t from = w->onset_bin > guard ? w->onset_bin - guard : 0;
    const int64_t to = w->stop_bin + guard < n_bin ? w->stop_bin + guard : n_bin;
    w->n_background = (int32_t)(n_bin - (to - from));
    if (w->n_background < k->rules->background_least) return false;
    window_take(k, w);
    for (int64_t t = 0; t < n_bin; t++)
        k->use[t] = t < from || t >= to;
    if (!window_fit(k)) return false;
    w->snr = window_best(k, from, to);
    w->snr_blind = blind_best(k);
    return true;
}

static void quiet_measure(struct cutter *k, struct known_window *w)
{
    window_take(k, w);
    w->n_background = k->rules->n_bin;
    w->snr = w->snr_blind = blind_best(k);
}

/* The burst window of curve i at that place. False where the rules allow none. */
static bool burst_place(struct cutter *k, size_t i, int place, struct known_window *ret)
{
    const struct known_curves *c = k->c;
    const int64_t n_bin = k->rules->n_bin, length = (int64_t)curve_length(c, i);
    const int64_t onset = curve_bin(c, i, c->t90_start_s[i]),
                  stop = curve_bin(c, i, c->t90_start_s[i] + c->t90_s[i]) + 1;
    const int64_t first = stop - n_bin > 0 ? stop - n_bin : 0;
    const int64_t last = onset < length - n_bin ? onset : length - n_bin;
    if (c->t90_s[i] >= k->rules->t90_most_s || first > last || stop > length) return false;
    struct rng r;
    rng_seed(&r, k->rules->seed + (uint64_t)place * UINT64_C(0x9E3779B97F4A7C15), (uint64_t)c->burst[i]);
    const int64_t at = first + (int64_t)(rng_uniform(&r) * (double)(last - first + 1));
    struct known_window w = {.curve = (int64_t)i,
                             .first_bin = at,
                             .label = 1,
                             .onset_bin = (int32_t)(onset - at),
                             .stop_bin = (int32_t)(stop - at),
                             .place = place};
    if (!burst_measure(k, &w) || w.snr < k->rules->snr_least) return false;
    *ret = w;
    return true;
}

static enum burst_err window_put(struct cutter *k, struct known_window *w, struct burst_error *reterr)
{
    if (k->n == k->room)
        return burst_fail(reterr, BURST_E_LIMIT, "more than the %zu windows there is room for", k->room);
    const int32_t *from = k->c->counts + k->c->offset[w->curve] + w->first_bin;
    uint16_t *to = k->ret_counts + k->n * (size_t)k->rules->n_bin;
    for (int t = 0; t < k->rules->n_bin; t++) {
        w->n_saturated += from[t] > UINT16_MAX;
        to[t] = from[t] > UINT16_MAX ? UINT16_MAX : (uint16_t)from[t];
    }
    k->window[k->n++] = *w;
    return BURST_OK;
}

/* By burst, then the strongest first, then as in the file. */
static int rank_compare(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;
    if (a->burst != b->burst) return a->burst < b->burst ? -1 : 1;
    if (a->snr != b->snr) return a->snr > b->snr ? -1 : 1;
    return a->curve < b->curve ? -1 : a->curve > b->curve;
}

/* S/N of every curve at its first place; those that are not among the best of their burst lose it. */
static void curves_rank(struct cutter *k)
{
    const size_t n = k->c->n_curve;
    for (size_t i = 0; i < n; i++) {
        struct known_window w;
        k->snr[i] = burst_place(k, i, 0, &w) ? w.snr : -1.0;
        k->rank[i] = (struct rank){k->c->burst[i], k->snr[i], i};
    }
    if (k->rules->best_most == 0) return;
    qsort(k->rank, n, sizeof *k->rank, rank_compare);
    for (size_t i = 0, of_burst = 0; i < n; i++) {
        of_burst = i > 0 && k->rank[i].burst == k->rank[i - 1].burst ? of_burst + 1 : 0;
        if (of_burst >= (size_t)k->rules->best_most) k->snr[k->rank[i].curve] = -1.0;
    }
}

static enum burst_err curve_quiet(struct cutter *k, size_t i, struct burst_error *reterr)
{
    const struct known_curves *c = k->c;
    const int64_t n_bin = k->rules->n_bin, length = (int64_t)curve_length(c, i);
    int64_t at = curve_bin(c, i, c->t90_start_s[i] + c->t90_s[i] + k->rules->quiet_after_s) + 1;
    enum burst_err e = BURST_OK;
    for (int place = 0; !e && place < k->rules->quiet_most; place++, at += n_bin) {
        if (at < 0 || at + n_bin > length) break;
        struct known_window w = {.curve = (int64_t)i, .first_bin = at, .place = place};
        quiet_measure(k, &w);
        e = window_put(k, &w, reterr);
    }
    return e;
}

static enum burst_err curves_cut(struct cutter *k, struct burst_error *reterr)
{
    enum burst_err e = BURST_OK;
    for (size_t i = 0; !e && i < k->c->n_curve; i++) {
        struct known_window w;
        const bool kept = k->snr[i] >= 0.0;
        for (int place = 0; kept && !e && place < k->rules->per_curve; place++)
            if (burst_place(k, i, place, &w)) e = window_put(k, &w, reterr);
        if (!e && (kept || !k->rules->quiet_of_kept)) e = curve_quiet(k, i, reterr);
    }
    return e;
}

static enum burst_err rules_check(const struct window_rules *r, struct burst_error *reterr)
{
    if (r->n_bin < BINS_LEAST || r->n_bin > BINS_MOST)
        return burst_fail(reterr, BURST_E_SHAPE, "windows of %d bins are not %d..%d", (int)r->n_bin, BINS_LEAST,
                          BINS_MOST);
    const int32_t size[] = {r->background_least, r->best_most, r->per_curve, r->quiet_most};
    static const char *const what[] = {"background_least", "best_most", "per_curve", "quiet_most"};
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++)
        if (size[i] < 0 || size[i] > PLACES_MOST)
            return burst_fail(reterr, BURST_E_SHAPE, "%s %d is not 0..%d", what[i], (int)size[i], PLACES_MOST);
    if (!(r->t90_most_s >= 0) || !(r->snr_least >= 0) || !(r->guard_s >= 0 && r->guard_s < 1e6) ||
        !(fabs(r->quiet_after_s) < 1e6))
        return burst_fail(reterr, BURST_E_RANGE,
                          "t90_most_s %g, snr_least %g, guard_s %g or quiet_after_s %g is out of range", r->t90_most_s,
                          r->snr_least, r->guard_s, r->quiet_after_s);
    return BURST_OK;
}

static enum burst_err curve_check(const struct known_curves *c, size_t i, struct burst_error *reterr)
{
    const int64_t from = c->offset[i], to = c->offset[i + 1];
    if (from < 0 || to < from || (uint64_t)to > c->n_count)
        return burst_fail(reterr, BURST_E_SHAPE, "curve %zu is counts [%lld, %lld) of %zu", i, (long long)from,
                          (long long)to, c->n_count);
    if (!(fabs(c->t_first_s[i]) < 1e6) || !(fabs(c->t90_start_s[i]) < 1e6) || !(c->t90_s[i] >= 0 && c->t90_s[i] < 1e6))
        return burst_fail(reterr, BURST_E_RANGE, "curve %zu begins at %g s, T90 at %g s for %g s: out of range", i,
                          c->t_first_s[i], c->t90_start_s[i], c->t90_s[i]);
    for (int64_t t = from; t < to; t++)
        if (c->counts[t] < 0)
            return burst_fail(reterr, BURST_E_RANGE, "a bin of curve %zu has %d counts", i, (int)c->counts[t]);
    return BURST_OK;
}

static enum burst_err known_check(const struct known_curves *c, struct burst_error *reterr)
{
    if (!c->offset || (c->n_count > 0 && !c->counts) ||
        (c->n_curve > 0 && (!c->t_first_s || !c->t90_start_s || !c->t90_s || !c->burst)))
        return burst_fail(reterr, BURST_E_MISSING, "an array of the light curves");
    if (!(c->bin_s > 1e-3 && c->bin_s < 1e6)) return burst_fail(reterr, BURST_E_RANGE, "bins of %g s", c->bin_s);
    enum burst_err e = BURST_OK;
    for (size_t i = 0; !e && i < c->n_curve; i++)
        e = curve_check(c, i, reterr);
    return e;
}

static void cutter_fini(struct cutter *k)
{
    free(k->counts);
    free(k->fit);
    free(k->seen);
    free(k->expected);
    free(k->use);
    free(k->snr);
    free(k->rank);
}

static enum burst_err cutter_init(struct cutter *k, struct burst_error *reterr)
{
    const size_t n_bin = (size_t)k->rules->n_bin, n_curve = k->c->n_curve;
    k->counts = calloc(n_bin, sizeof *k->counts);
    k->fit = calloc(n_bin, sizeof *k->fit);
    k->seen = calloc(n_bin + 1, sizeof *k->seen);
    k->expected = calloc(n_bin + 1, sizeof *k->expected);
    k->use = calloc(n_bin, 1);
    k->snr = calloc(n_curve + 1, sizeof *k->snr);
    k->rank = calloc(n_curve + 1, sizeof *k->rank);
    if (k->counts && k->fit && k->seen && k->expected && k->use && k->snr && k->rank) return BURST_OK;
    return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu light curves", n_curve);
}

enum burst_err known_windows_cut(const struct known_curves *c, const struct window_rules *rules, size_t room,
                                 struct known_window *ret_window, uint16_t *ret_counts, size_t *ret_n,
                                 struct burst_error *reterr)
{
    enum burst_err e = rules_check(rules, reterr);
    if (!e) e = known_check(c, reterr);
    if (e) return e;
    if (!ret_n || (room > 0 && (!ret_window || !ret_counts)))
        return burst_fail(reterr, BURST_E_MISSING, "nowhere to write windows");
    struct cutter k = {.c = c, .rules = rules, .room = room, .window = ret_window, .ret_counts = ret_counts};
    e = cutter_init(&k, reterr);
    if (!e) {
        curves_rank(&k);
        e = curves_cut(&k, reterr);
    }
    if (!e) *ret_n = k.n;
    cutter_fini(&k);
    return e;
}
