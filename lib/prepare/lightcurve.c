/* A ring of bins [low, low + n_ring) per detector; low follows the closed bins one window behind, so that a closed stride's
 * window is always whole. A bin remembers how many nanoseconds of it were good time: chunks may meet inside a bin. */
#include "prepare/lightcurve.h"
#include "records/bands.h"
#include <stdlib.h>
#include <string.h>

enum { GAP_MAX = 8, CHANNEL_MAX = 65536 };
#define SPAN_BINS (LIGHTCURVE_SPAN_NS / BIN_NS + 1)
/* Mission times are doubles: at 3e8 s they step by 60 ns, so that chunks that meet may differ by that much per end. */
#define COVER_SLACK_NS 1000

struct gap_span {
    int64_t from_k, to_k;
};

struct lightcurve {
    struct lightcurve_settings set;
    int n_detector;
    int64_t n_ring;
    bool started, gap;
    int64_t closed_k;  /* bins before it are closed; a multiple of STRIDE_BINS */
    int64_t cover_k;   /* end of the last bin with good time */
    int64_t latest_ns; /* end of the latest good time */
    int64_t close_ns;  /* bins wholly before it may be closed */
    int n_gap;
    struct gap_span gap_span[GAP_MAX];
    struct lightcurve_counts n;
    uint32_t *counts;  /* [n_detector][n_atom][n_ring] */
    int32_t *cover_ns; /* [n_detector][n_ring] good time in the bin */
    int8_t atom[CHANNEL_MAX];
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t bin_of(const struct lightcurve *lc, int64_t t_ns)
{
    return floor_div(t_ns - lc->set.epoch_ns, BIN_NS);
}

static int64_t stride_floor(int64_t k)
{
    return floor_div(k, STRIDE_BINS) * STRIDE_BINS;
}

static int64_t low_bin(const struct lightcurve *lc)
{
    return lc->closed_k + STRIDE_BINS - WINDOW_BINS;
}

static int64_t head_bin(const struct lightcurve *lc)
{
    return low_bin(lc) + lc->n_ring;
}

static size_t slot_of(const struct lightcurve *lc, int64_t k)
{
    return (size_t)(k - floor_div(k, lc->n_ring) * lc->n_ring);
}

static uint32_t *row_counts(const struct lightcurve *lc, int detector, int atom)
{
    return lc->counts + ((size_t)detector * (size_t)lc->set.bands.n_atom + (size_t)atom) * (size_t)lc->n_ring;
}

static int32_t *row_cover(const struct lightcurve *lc, int detector)
{
    return lc->cover_ns + (size_t)detector * (size_t)lc->n_ring;
}

static int64_t lateness_bins(const struct lightcurve *lc)
{
    return (lc->set.lateness_ns + BIN_NS - 1) / BIN_NS;
}

enum burst_err lightcurve_new(const struct lightcurve_settings *settings, struct lightcurve **ret_lc,
                              struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(settings->source.mission, settings->source.instrument);
    if (!fact || fact->n_detector == 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no light curves", fact ? fact->topic : "this source");
    if (settings->lateness_ns < 0 || settings->lateness_ns > LIGHTCURVE_LATENESS_MOST_NS)
        return burst_fail(reterr, BURST_E_RANGE, "lateness of %g s; 0 to 60 s is taken",
                          (double)settings->lateness_ns * 1e-9);
    if (settings->bands.n_atom < 1 || settings->bands.n_band < 1)
        return burst_fail(reterr, BURST_E_SHAPE, "a light curve needs energy bands");
    struct lightcurve *lc = calloc(1, sizeof *lc);
    if (!lc) return burst_fail(reterr, BURST_E_NOMEM, "no memory for light-curve rings");
    lc->set = *settings;
    lc->n_detector = fact->n_detector;
    /* One window, what waits for its lateness, one longest packet; four strides for roundings at either end. */
    lc->n_ring = WINDOW_BINS + lateness_bins(lc) + SPAN_BINS + 4 * STRIDE_BINS;
    size_t n_row = (size_t)lc->n_detector * (size_t)lc->n_ring;
    lc->counts = calloc(n_row * (size_t)settings->bands.n_atom, sizeof *lc->counts);
    lc->cover_ns = calloc(n_row, sizeof *lc->cover_ns);
    if (!lc->counts || !lc->cover_ns) {
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
    free(lc->cover_ns);
    free(lc);
}

void lightcurve_restart(struct lightcurve *lc)
{
    size_t n_row = (size_t)lc->n_detector * (size_t)lc->n_ring;
    memset(lc->counts, 0, n_row * (size_t)lc->set.bands.n_atom * sizeof *lc->counts);
    memset(lc->cover_ns, 0, n_row * sizeof *lc->cover_ns);
    lc->started = lc->gap = false;
    lc->n_gap = 0;
    lc->latest_ns = lc->close_ns = lc->set.score_from_k = INT64_MIN;
}

struct lightcurve_counts lightcurve_counts(const struct lightcurve *lc)
{
    return lc->n;
}

int64_t lightcurve_latest_ns(const struct lightcurve *lc)
{
    return lc->latest_ns;
}

/* Close everything before `closed_k`; bins that fall out of the ring are emptied for reuse. Work is bounded by the ring. */
static void ring_advance(struct lightcurve *lc, int64_t closed_k)
{
    int64_t from = low_bin(lc);
    lc->closed_k = closed_k;
    int64_t to = low_bin(lc) < from + lc->n_ring ? low_bin(lc) : from + lc->n_ring;
    for (int d = 0; d < lc->n_detector; d++)
        for (int64_t k = from; k < to; k++) {
            size_t slot = slot_of(lc, k);
            row_cover(lc, d)[slot] = 0;
            for (int a = 0; a < lc->set.bands.n_atom; a++)
                row_counts(lc, d, a)[slot] = 0;
        }
}

static void gap_mark(struct lightcurve *lc, int64_t next_start_ns)
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

static void close_until(struct lightcurve *lc, int64_t t_ns)
{
    if (t_ns > lc->close_ns) lc->close_ns = t_ns;
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

/* Overlap of [start, stop) with bin k, ns. */
static int64_t overlap_ns(const struct lightcurve *lc, struct time_span span, int64_t k)
{
    int64_t lo = lc->set.epoch_ns + k * BIN_NS, hi = lo + BIN_NS;
    if (span.start_ns > lo) lo = span.start_ns;
    if (span.stop_ns < hi) hi = span.stop_ns;
    return hi > lo ? hi - lo : 0;
}

static void list_name(const struct lightcurve *lc, int detector, char ret_text[8])
{
    source_detector_name(lc->set.source.instrument, detector, ret_text);
}

/* Bins of a span that lie in the ring: [*ret_from, *ret_to). */
static void span_bins(const struct lightcurve *lc, struct time_span span, int64_t *ret_from, int64_t *ret_to)
{
    int64_t from = bin_of(lc, span.start_ns), to = bin_of(lc, span.stop_ns - 1) + 1;
    *ret_from = from > low_bin(lc) ? from : low_bin(lc);
    *ret_to = to < head_bin(lc) ? to : head_bin(lc);
}

static enum burst_err good_check(const struct lightcurve *lc, const struct event_list *list, struct burst_error *reterr)
{
    char name[8];
    list_name(lc, list->detector, name);
    for (size_t g = 0; g < list->n_good; g++) {
        struct time_span span = list->good[g];
        if (span.stop_ns <= span.start_ns || (g > 0 && span.start_ns < list->good[g - 1].stop_ns))
            return burst_fail(reterr, BURST_E_RANGE, "good time of %s overlaps itself or is empty at interval %zu",
                              name, g);
        int64_t from, to;
        span_bins(lc, span, &from, &to);
        for (int64_t k = from; k < to; k++) {
            if (row_cover(lc, list->detector)[slot_of(lc, k)] + overlap_ns(lc, span, k) <= BIN_NS + COVER_SLACK_NS)
                continue;
            int64_t t_ns =
                k * BIN_NS > span.start_ns - lc->set.epoch_ns ? k * BIN_NS : span.start_ns - lc->set.epoch_ns;
            return burst_fail(reterr, BURST_E_CONFLICT, "good time of %s at %.3f s of mission time is counted already",
                              name, (double)t_ns * 1e-9);
        }
    }
    return BURST_OK;
}

static enum burst_err list_check(struct lightcurve *lc, const struct event_list *list, struct burst_error *reterr)
{
    if (list->n_channel > CHANNEL_MAX)
        return burst_fail(reterr, BURST_E_RANGE, "%zu energy channels; %d are taken", list->n_channel, CHANNEL_MAX);
    enum burst_err err =
        band_channel_atoms(&lc->set.bands, list->n_channel, list->e_min_kev, list->e_max_kev, lc->atom, reterr);
    if (err) return err;
    for (size_t i = 0; i < list->n_event; i++)
        if (list->channel[i] >= list->n_channel)
            return burst_fail(reterr, BURST_E_RANGE, "event %zu has channel %u of %zu", i, (unsigned)list->channel[i],
                              list->n_channel);
    return good_check(lc, list, reterr);
}

static void good_add(struct lightcurve *lc, const struct event_list *list)
{
    for (size_t g = 0; g < list->n_good; g++) {
        int64_t from, to;
        span_bins(lc, list->good[g], &from, &to);
        if (from < lc->closed_k) from = lc->closed_k;
        for (int64_t k = from; k < to; k++)
            row_cover(lc, list->detector)[slot_of(lc, k)] += (int32_t)overlap_ns(lc, list->good[g], k);
        if (from < to && to > lc->cover_k) lc->cover_k = to;
        if (list->good[g].stop_ns > lc->latest_ns) lc->latest_ns = list->good[g].stop_ns;
    }
}

static void events_add(struct lightcurve *lc, const struct event_list *list)
{
    int64_t low = low_bin(lc), head = head_bin(lc);
    size_t slot_low = slot_of(lc, low);
    uint32_t *row = row_counts(lc, list->detector, 0);
    for (size_t i = 0; i < list->n_event; i++) {
        int64_t k = bin_of(lc, list->t_ns[i]);
        int atom = lc->atom[list->channel[i]];
        if (k < low)
            lc->n.archival++;
        else if (k < lc->closed_k)
            lc->n.late++;
        else if (k >= head || atom == BAND_NO_ATOM)
            lc->n.outside++;
        else {
            size_t slot = slot_low + (size_t)(k - low);
            if (slot >= (size_t)lc->n_ring) slot -= (size_t)lc->n_ring;
            row[(size_t)atom * (size_t)lc->n_ring + slot]++;
            lc->n.events++;
        }
    }
}

static uint64_t packet_events(const struct event_packet *p)
{
    uint64_t n = 0;
    for (size_t i = 0; i < p->n_list; i++)
        n += p->list[i].n_event;
    return n;
}

/* Is there room for the packet? Otherwise say up to where windows must be taken first. */
static enum burst_err room_check(struct lightcurve *lc, const struct event_packet *p, struct burst_error *reterr)
{
    struct time_span span = p->span;
    if (span.stop_ns - span.start_ns > LIGHTCURVE_SPAN_NS)
        return burst_fail(reterr, BURST_E_LIMIT, "a packet of %.3f s; %.0f s are taken at once",
                          (double)(span.stop_ns - span.start_ns) * 1e-9, (double)LIGHTCURVE_SPAN_NS * 1e-9);
    if (!lc->started) {
        lc->closed_k = stride_floor(bin_of(lc, span.start_ns) - lateness_bins(lc));
        lc->cover_k = lc->closed_k;
        lc->started = true;
    }
    if (bin_of(lc, span.stop_ns - 1) >= head_bin(lc)) {
        int64_t before_ns = span.stop_ns - lc->set.lateness_ns;
        close_until(lc, before_ns < span.start_ns ? before_ns : span.start_ns);
        return burst_fail(reterr, BURST_E_FULL, "windows before this packet must be taken first");
    }
    if (bin_of(lc, span.stop_ns - 1) >= low_bin(lc)) return BURST_OK;
    lc->n.archival += packet_events(p);
    return burst_fail(reterr, BURST_E_LATE, "a packet that ends %.1f s before the latest data is older than the rings",
                      (double)(lc->latest_ns - span.stop_ns) * 1e-9);
}

enum burst_err lightcurve_add(struct lightcurve *lc, const struct event_packet *p, struct burst_error *reterr)
{
    if (p->epoch_ns != lc->set.epoch_ns || p->span.stop_ns < p->span.start_ns)
        return burst_fail(reterr, BURST_E_TIME, "a packet of another epoch or of negative length");
    if (p->n_list == 0 || p->span.stop_ns == p->span.start_ns) return BURST_OK;
    enum burst_err err = room_check(lc, p, reterr), worst = BURST_OK;
    if (err) return err;
    if (lc->gap) gap_mark(lc, p->span.start_ns);
    for (size_t i = 0; i < p->n_list; i++) {
        const struct event_list *list = &p->list[i];
        if (list->detector < 0 || list->detector >= lc->n_detector) {
            lc->n.outside += list->n_event;
            continue;
        }
        err = list_check(lc, list, worst ? NULL : reterr); /* the first sentence is told */
        lc->n.conflicts += err == BURST_E_CONFLICT;
        if (err && !worst) worst = err;
        if (err) continue;
        good_add(lc, list);
        events_add(lc, list);
    }
    if (lc->latest_ns != INT64_MIN) close_until(lc, lc->latest_ns - lc->set.lateness_ns);
    return worst;
}

static bool bin_valid(int32_t cover_ns)
{
    return cover_ns >= BIN_NS - COVER_SLACK_NS && cover_ns <= BIN_NS + COVER_SLACK_NS;
}

static int valid_count(const struct lightcurve *lc, int detector, int64_t k_end)
{
    const int32_t *cover = row_cover(lc, detector);
    size_t slot = slot_of(lc, k_end - WINDOW_BINS);
    int n = 0;
    for (int t = 0; t < WINDOW_BINS; t++) {
        n += bin_valid(cover[slot]);
        if (++slot == (size_t)lc->n_ring) slot = 0;
    }
    return n;
}

/* Which detectors have data; false where none has enough of it. */
static bool window_rows(const struct lightcurve *lc, int64_t k_end, int n_valid[DETECTOR_MAX], int *ret_n_row)
{
    bool any = false;
    *ret_n_row = 0;
    for (int d = 0; d < lc->n_detector; d++) {
        n_valid[d] = valid_count(lc, d, k_end);
        *ret_n_row += n_valid[d] > 0;
        any = any || n_valid[d] >= LIGHTCURVE_VALID_LEAST;
    }
    return any;
}

static void row_fill(const struct lightcurve *lc, int detector, int64_t k_end, struct lightcurve_window *w, int row)
{
    uint8_t *valid = w->valid + (size_t)row * WINDOW_BINS;
    uint32_t *counts = w->counts + (size_t)row * (size_t)lc->set.bands.n_atom * WINDOW_BINS;
    size_t first = slot_of(lc, k_end - WINDOW_BINS), slot = first;
    for (int t = 0; t < WINDOW_BINS; t++) {
        valid[t] = bin_valid(row_cover(lc, detector)[slot]);
        if (++slot == (size_t)lc->n_ring) slot = 0;
    }
    for (int a = 0; a < lc->set.bands.n_atom; a++, counts += WINDOW_BINS) {
        const uint32_t *ring = row_counts(lc, detector, a);
        slot = first;
        for (int t = 0; t < WINDOW_BINS; t++) {
            counts[t] = ring[slot] * valid[t];
            if (++slot == (size_t)lc->n_ring) slot = 0;
        }
    }
}

static void window_fill(const struct lightcurve *lc, int64_t k_end, const int n_valid[DETECTOR_MAX],
                        struct lightcurve_window *w)
{
    w->source = lc->set.source;
    w->epoch_ns = lc->set.epoch_ns;
    w->k_end = k_end;
    w->bands = lc->set.bands;
    w->n_detector = 0;
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
        if (lc->cover_k - (k_end - WINDOW_BINS) < LIGHTCURVE_VALID_LEAST) {
            /* No window can have 30 s before new data come: jump, so that hours of silence cost one ring's work. */
            lc->n.skipped += (uint64_t)((stride_floor(limit_k) - lc->closed_k) / STRIDE_BINS);
            ring_advance(lc, stride_floor(limit_k));
            break;
        }
        if (k_end > lc->set.score_from_k && window_rows(lc, k_end, n_valid, &n_row)) {
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
