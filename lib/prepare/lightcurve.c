/* Rings, their closing, and the windows they give. */
#include "prepare/lightcurve_inside.h"
#include "prepare/window.h"
#include <stdlib.h>
#include <string.h>

enum burst_err lightcurve_new(const struct lightcurve_settings *settings, struct lightcurve **ret_lc,
                              struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(settings->source.mission, settings->source.instrument);
    if (!fact || fact->n_detector == 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no light curves", fact ? fact->topic : "this source");
    if (settings->lateness_ns < 0 || settings->lateness_ns > LIGHTCURVE_LATENESS_MOST_NS)
        return burst_fail(reterr, BURST_E_RANGE, "lateness of %g s; 0 to 60 s is taken",
                          (double)settings->lateness_ns * 1e-9);
    if (settings->backlog_bins < 0 || settings->backlog_bins > LIGHTCURVE_BACKLOG_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "a backlog of %lld bins; 0 to %lld are taken",
                          (long long)settings->backlog_bins, (long long)LIGHTCURVE_BACKLOG_MOST);
    if (settings->bands.n_atom < 1 || settings->bands.n_band < 1)
        return burst_fail(reterr, BURST_E_SHAPE, "a light curve needs energy bands");
    struct lightcurve *lc = calloc(1, sizeof *lc);
    if (!lc) return burst_fail(reterr, BURST_E_NOMEM, "no memory for light-curve rings");
    lc->set = *settings;
    lc->fact = fact;
    lc->n_detector = fact->n_detector;
    /* One window, what waits for its lateness, one longest step; four strides for roundings at either end. */
    lc->n_ring = WINDOW_BINS + lateness_bins(lc) + LIGHTCURVE_STEP_BINS + 4 * STRIDE_BINS + settings->backlog_bins;
    size_t n_row = (size_t)lc->n_detector * (size_t)lc->n_ring;
    lc->counts = calloc(n_row * (size_t)(settings->bands.n_atom + 1), sizeof *lc->counts);
    lc->cover = calloc(n_row, sizeof *lc->cover);
    if (!lc->counts || !lc->cover) {
        lightcurve_free(lc);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for light-curve rings of %d detectors", fact->n_detector);
    }
    lightcurve_restart(lc);
    lc->set.score_from_k = settings->score_from_k;
    *ret_lc = lc;
    return BURST_OK;
}

void lightcurve_free(struct lightcurve *lc)
{
    if (!lc) return;
    free(lc->counts);
    free(lc->cover);
    free(lc);
}

void lightcurve_restart(struct lightcurve *lc)
{
    size_t n_row = (size_t)lc->n_detector * (size_t)lc->n_ring;
    memset(lc->counts, 0, n_row * (size_t)(lc->set.bands.n_atom + 1) * sizeof *lc->counts);
    memset(lc->cover, 0, n_row * sizeof *lc->cover);
    lc->started = lc->gap = false;
    lc->n_gap = 0;
    lc->latest_ns = lc->close_ns = lc->set.score_from_k = INT64_MIN;
}

struct lightcurve_counts lightcurve_counts(const struct lightcurve *lc)
{
    return lc->n;
}

int64_t lightcurve_low_k(const struct lightcurve *lc)
{
    if (lc->started) return low_bin(lc);
    return lc->set.score_from_k > INT64_MIN + WINDOW_BINS ? lc->set.score_from_k + STRIDE_BINS - WINDOW_BINS
                                                          : INT64_MIN;
}

int64_t lightcurve_latest_ns(const struct lightcurve *lc)
{
    return lc->latest_ns;
}

static void slots_empty(struct lightcurve *lc, size_t first, size_t n)
{
    for (int d = 0; d < lc->n_detector; d++) {
        memset(row_cover(lc, d) + first, 0, n * sizeof *lc->cover);
        for (int a = 0; a <= lc->set.bands.n_atom; a++)
            memset(row_counts(lc, d, a) + first, 0, n * sizeof *lc->counts);
    }
}

/* Close everything before `closed_k`; bins that fall out of the ring are emptied for reuse. Work is bounded by the ring. */
static void ring_advance(struct lightcurve *lc, int64_t closed_k)
{
    size_t first = slot_of(lc, low_bin(lc)), room = (size_t)lc->n_ring, n = (size_t)(closed_k - lc->closed_k);
    lc->closed_k = closed_k;
    if (n > room) n = room;
    size_t n_end = n < room - first ? n : room - first;
    slots_empty(lc, first, n_end);
    slots_empty(lc, 0, n - n_end);
}

void lightcurve_gap_mark(struct lightcurve *lc, int64_t next_start_ns)
{
    int64_t from_ns = lc->latest_ns == INT64_MIN ? next_start_ns : lc->latest_ns - lc->set.lateness_ns;
    if (from_ns > next_start_ns) from_ns = next_start_ns;
    /* Which detector's chunk was lost is unknown: take the lateness to both sides. */
    struct gap_span gap = {bin_of(lc, from_ns), bin_of(lc, next_start_ns + lc->set.lateness_ns) + 1};
    int n = 0;
    for (int i = 0; i < lc->n_gap; i++)
        if (lc->gap_span[i].to_k > low_bin(lc)) lc->gap_span[n++] = lc->gap_span[i];
    if (n == GAP_MAX) gap.from_k = lc->gap_span[--n].from_k; /* the last one swallows the new one */
    lc->gap_span[n++] = gap;
    lc->n_gap = n;
    lc->gap = false;
}

void lightcurve_gap(struct lightcurve *lc)
{
    lc->gap = true;
}

int64_t lightcurve_gap_end_ns(const struct lightcurve *lc)
{
    if (lc->gap) return INT64_MAX;
    return lc->n_gap ? lc->set.epoch_ns + lc->gap_span[lc->n_gap - 1].to_k * BIN_NS : INT64_MIN;
}

void lightcurve_flush(struct lightcurve *lc)
{
    if (lc->started) close_until(lc, lc->latest_ns);
}

void lightcurve_data_time(struct lightcurve *lc, int64_t tt_ns)
{
    if (!lc->started || tt_ns < INT64_MIN + lc->set.lateness_ns) return;
    int64_t t_ns = tt_ns - lc->set.lateness_ns;
    close_until(lc, t_ns < lc->latest_ns ? t_ns : lc->latest_ns);
}

static bool bin_valid(struct bin_cover cover)
{
    return cover.ns >= BIN_NS - COVER_SLACK_NS;
}

static int valid_count(const struct lightcurve *lc, int detector, int64_t k_end)
{
    const struct bin_cover *cover = row_cover(lc, detector);
    size_t slot = slot_of(lc, k_end - WINDOW_BINS);
    int n = 0;
    for (int t = 0; t < WINDOW_BINS; t++) {
        n += bin_valid(cover[slot]);
        if (++slot == (size_t)lc->n_ring) slot = 0;
    }
    return n;
}

/* Which detectors have data; returns the valid bins of the one that has most. */
static int window_rows(const struct lightcurve *lc, int64_t k_end, int n_valid[DETECTOR_MAX], int *ret_n_row)
{
    int most = 0;
    *ret_n_row = 0;
    for (int d = 0; d < lc->n_detector; d++) {
        n_valid[d] = valid_count(lc, d, k_end);
        *ret_n_row += n_valid[d] > 0;
        if (n_valid[d] > most) most = n_valid[d];
    }
    return most;
}

/* A row of the ring into a row of the window, zero where a bin is missing. */
static void ring_copy(const struct lightcurve *lc, const uint32_t *ring, int64_t k_end, const uint8_t *valid,
                      uint32_t *ret_row)
{
    size_t slot = slot_of(lc, k_end - WINDOW_BINS);
    for (int t = 0; t < WINDOW_BINS; t++) {
        ret_row[t] = ring[slot] * valid[t];
        if (++slot == (size_t)lc->n_ring) slot = 0;
    }
}

static void row_fill(const struct lightcurve *lc, int detector, int64_t k_end, struct lightcurve_window *w, int row)
{
    int n_atom = lc->set.bands.n_atom;
    uint8_t *valid = w->valid + (size_t)row * WINDOW_BINS;
    uint32_t *counts = w->counts + (size_t)row * (size_t)n_atom * WINDOW_BINS;
    size_t slot = slot_of(lc, k_end - WINDOW_BINS);
    w->quality[row] = 0;
    for (int t = 0; t < WINDOW_BINS; t++) {
        valid[t] = bin_valid(row_cover(lc, detector)[slot]);
        if (++slot == (size_t)lc->n_ring) slot = 0;
    }
    for (int a = 0; a < n_atom; a++)
        ring_copy(lc, row_counts(lc, detector, a), k_end, valid, counts + (size_t)a * WINDOW_BINS);
    ring_copy(lc, row_counts(lc, detector, n_atom), k_end, valid, w->dead + (size_t)row * WINDOW_BINS);
}

static void window_fill(const struct lightcurve *lc, int64_t k_end, const int n_valid[DETECTOR_MAX],
                        struct lightcurve_window *w)
{
    w->source = lc->set.source;
    w->epoch_ns = lc->set.epoch_ns;
    w->k_end = k_end;
    w->bands = lc->set.bands;
    w->n_detector = 0;
    w->particle_ratio = 0;
    w->arrived_mono_ns = 0;
    w->decode_s = 0;
    for (int d = 0; d < lc->n_detector; d++) {
        if (n_valid[d] == 0) continue;
        int row = w->n_detector++;
        w->detector[row] = d;
        w->n_valid[row] = n_valid[d];
        w->scored[row] = n_valid[d] >= LIGHTCURVE_VALID_LEAST;
        row_fill(lc, d, k_end, w, row);
    }
    window_judge_bins(w, lc->fact);
    w->incomplete = false;
    for (int i = 0; i < lc->n_gap; i++)
        if (lc->gap_span[i].from_k < k_end && lc->gap_span[i].to_k > k_end - WINDOW_BINS) w->incomplete = true;
}

enum burst_err lightcurve_next(struct lightcurve *lc, struct lightcurve_window *w, bool *ret_ready,
                               struct burst_error *reterr)
{
    int n_valid[DETECTOR_MAX], n_row;
    int64_t limit_k = lc->started && lc->close_ns != INT64_MIN ? bin_of(lc, lc->close_ns) : INT64_MIN;
    while (lc->started && lc->closed_k + STRIDE_BINS <= limit_k) {
        int64_t k_end = lc->closed_k + STRIDE_BINS;
        int64_t hoped = lc->cover_k - (k_end - WINDOW_BINS);
        int most = 0;
        if (k_end > lc->set.score_from_k && hoped >= LIGHTCURVE_VALID_LEAST) {
            most = window_rows(lc, k_end, n_valid, &n_row);
            hoped = most + (hoped > WINDOW_BINS ? hoped - WINDOW_BINS : 0);
        }
        if (hoped < LIGHTCURVE_VALID_LEAST) {
            /* No window can have 30 s before new data come: jump, so that hours of silence, or of moments far apart, cost one
             * ring's work. */
            lc->n.skipped += (uint64_t)((stride_floor(limit_k) - lc->closed_k) / STRIDE_BINS);
            ring_advance(lc, stride_floor(limit_k));
            break;
        }
        if (most >= LIGHTCURVE_VALID_LEAST) {
            if (w->room < n_row)
                return burst_fail(reterr, BURST_E_SHAPE, "storage for %d detectors cannot take a window of %d", w->room,
                                  n_row);
            window_fill(lc, k_end, n_valid, w);
            ring_advance(lc, k_end);
            lc->n.windows++;
            *ret_ready = true;
            return BURST_OK;
        }
        lc->n.skipped += k_end > lc->set.score_from_k;
        ring_advance(lc, k_end);
    }
    *ret_ready = false;
    return BURST_OK;
}
