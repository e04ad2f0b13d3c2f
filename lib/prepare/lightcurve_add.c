/* A packet's bins into the rings: vector adds, and the care that nothing is counted twice. */
#include "prepare/lightcurve_inside.h"
#include <string.h>

/* What becomes of a bin that a packet brings. */
enum bin_fate { BIN_ADD, BIN_REPLACE, BIN_KEEP, BIN_CONFLICT };

/* ---- good time ---- */

static int64_t bin_start_ns(const struct lightcurve *lc, int64_t k)
{
    return lc->set.epoch_ns + k * BIN_NS;
}

/* Hull of a list's good time inside bins [from_k, to_k); false where there is none. */
static bool good_hull(const struct lightcurve *lc, const struct event_list *list, int64_t from_k, int64_t to_k,
                      struct time_span *hull)
{
    int64_t from_ns = bin_start_ns(lc, from_k), to_ns = bin_start_ns(lc, to_k);
    size_t first = event_list_good_after(list, from_ns), last = first;
    if (first == list->n_good || list->good[first].start_ns >= to_ns) return false;
    while (last + 1 < list->n_good && list->good[last + 1].start_ns < to_ns)
        last++;
    *hull = (struct time_span){list->good[first].start_ns, list->good[last].stop_ns};
    if (hull->start_ns < from_ns) hull->start_ns = from_ns;
    if (hull->stop_ns > to_ns) hull->stop_ns = to_ns;
    return true;
}

static bool packet_hull(const struct lightcurve *lc, const struct event_packet *p, int64_t from_k, int64_t to_k,
                        struct time_span *ret_hull)
{
    bool any = false;
    for (size_t i = 0; i < p->n_list; i++) {
        struct time_span hull;
        if (!good_hull(lc, &p->list[i], from_k, to_k, &hull)) continue;
        if (!any || hull.start_ns < ret_hull->start_ns) ret_hull->start_ns = hull.start_ns;
        if (!any || hull.stop_ns > ret_hull->stop_ns) ret_hull->stop_ns = hull.stop_ns;
        any = true;
    }
    return any;
}

static void piece_add(struct bin_cover *piece, int64_t from_ns, int64_t to_ns)
{
    if (to_ns <= from_ns) return;
    if (!piece->ns) piece->from_ns = (int32_t)from_ns;
    piece->to_ns = (int32_t)to_ns; /* good time rises */
    piece->ns += (int32_t)(to_ns - from_ns);
}

/* Good time of each bin of [from_k, to_k) into lc->piece.
 * BURST_E_RANGE  it overlaps itself or is empty: a reader's defect, for ingest has checked the file */
static enum burst_err list_pieces(struct lightcurve *lc, const struct event_list *list, int64_t from_k, int64_t to_k,
                                  struct burst_error *reterr)
{
    memset(lc->piece, 0, (size_t)(to_k - from_k) * sizeof *lc->piece);
    int64_t end_ns = bin_start_ns(lc, to_k);
    for (size_t g = event_list_good_after(list, bin_start_ns(lc, from_k));
         g < list->n_good && list->good[g].start_ns < end_ns; g++) {
        struct time_span span = list->good[g];
        if (span.stop_ns <= span.start_ns || (g > 0 && span.start_ns < list->good[g - 1].stop_ns))
            return burst_fail(reterr, BURST_E_RANGE,
                              "good time of detector %d overlaps itself or is empty at interval %zu",
                              list->detector + 1, g);
        int64_t first = bin_of(lc, span.start_ns), last = bin_of(lc, span.stop_ns - 1);
        for (int64_t k = first > from_k ? first : from_k; k <= last && k < to_k; k++) {
            int64_t start = bin_start_ns(lc, k);
            piece_add(&lc->piece[k - from_k], k == first ? span.start_ns - start : 0,
                      k == last ? span.stop_ns - start : BIN_NS);
        }
    }
    return BURST_OK;
}

/* ---- one bin ---- */

/* Counts of the packet's bin k, [n_atom + 1] of them with this stride between atoms; NULL: none were made, all are 0. */
static const uint32_t *tile_bin(const struct event_list *list, int64_t k)
{
    size_t low = 0, n = list->n_tile;
    while (n) {
        size_t half = n / 2;
        if (list->tile[low + half].k0 + EVENT_TILE_BINS <= k) {
            low += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return low < list->n_tile && list->tile[low].k0 <= k ? list->tile[low].counts + (k - list->tile[low].k0) : NULL;
}

static uint32_t brought(const uint32_t *bin, int atom)
{
    return bin ? bin[(size_t)atom * EVENT_TILE_BINS] : 0;
}

static bool covers(struct bin_cover outer, struct bin_cover inner)
{
    return inner.from_ns >= outer.from_ns - COVER_SLACK_NS && inner.to_ns <= outer.to_ns + COVER_SLACK_NS;
}

static bool has_hole(struct bin_cover c)
{
    return c.ns < c.to_ns - c.from_ns;
}

/* Counts in a part of a bin cannot be more than those in a longer part that holds it, and are the same in the same part. */
static enum bin_fate bin_fate(const struct lightcurve *lc, int detector, size_t slot, struct bin_cover piece,
                              const uint32_t *bin)
{
    struct bin_cover have = row_cover(lc, detector)[slot];
    if (!have.ns || piece.from_ns >= have.to_ns - COVER_SLACK_NS || piece.to_ns <= have.from_ns + COVER_SLACK_NS)
        return BIN_ADD;
    bool in_have = covers(have, piece), in_piece = covers(piece, have);
    if (has_hole(have) || has_hole(piece) || (!in_have && !in_piece)) return BIN_KEEP; /* cannot be told apart */
    for (int a = 0; a < lc->set.bands.n_atom; a++) {
        uint32_t old = row_counts(lc, detector, a)[slot], new = brought(bin, a);
        if ((in_have && new > old) || (in_piece && old > new)) return BIN_CONFLICT;
    }
    return in_have ? BIN_KEEP : BIN_REPLACE;
}

static uint64_t bin_events(const struct lightcurve *lc, const uint32_t *bin)
{
    uint64_t n = 0;
    for (int a = 0; a < lc->set.bands.n_atom; a++)
        n += brought(bin, a);
    return n;
}

/* Returns the events newly counted. */
static uint64_t bin_put(struct lightcurve *lc, int detector, size_t slot, struct bin_cover piece, const uint32_t *bin,
                        enum bin_fate fate)
{
    struct bin_cover *have = &row_cover(lc, detector)[slot];
    uint64_t before = 0, after = 0;
    for (int a = 0; a <= lc->set.bands.n_atom; a++) {
        uint32_t *count = &row_counts(lc, detector, a)[slot];
        if (a < lc->set.bands.n_atom) before += *count;
        *count = fate == BIN_REPLACE ? brought(bin, a) : *count + brought(bin, a);
        if (a < lc->set.bands.n_atom) after += *count;
    }
    if (fate == BIN_REPLACE || !have->ns)
        *have = piece;
    else {
        have->ns += piece.ns;
        if (piece.from_ns < have->from_ns) have->from_ns = piece.from_ns;
        if (piece.to_ns > have->to_ns) have->to_ns = piece.to_ns;
    }
    return after - before;
}

/* ---- one detector ---- */

/* Bins of the step that lie in the ring. */
static int64_t step_from(const struct lightcurve *lc, int64_t from_k)
{
    return from_k > low_bin(lc) ? from_k : low_bin(lc);
}

static enum burst_err list_check(struct lightcurve *lc, const struct event_list *list, int64_t from_k, int64_t to_k,
                                 struct burst_error *reterr)
{
    enum burst_err err = list_pieces(lc, list, from_k, to_k, reterr);
    for (int64_t k = step_from(lc, from_k); !err && k < to_k; k++) {
        struct bin_cover piece = lc->piece[k - from_k];
        if (!piece.ns || bin_fate(lc, list->detector, slot_of(lc, k), piece, tile_bin(list, k)) != BIN_CONFLICT)
            continue;
        char name[8];
        source_detector_name(lc->set.source.instrument, list->detector, name);
        err = burst_fail(reterr, BURST_E_CONFLICT,
                         "good time of %s at %.3f s of mission time is counted already, with other counts", name,
                         (double)(k * BIN_NS) * 1e-9);
    }
    return err;
}

static void bin_take(struct lightcurve *lc, const struct event_list *list, int64_t k, struct bin_cover piece)
{
    const uint32_t *bin = tile_bin(list, k);
    uint64_t n = bin_events(lc, bin);
    size_t slot = slot_of(lc, k);
    if (!piece.ns) {
        lc->n.outside += n;
        return;
    }
    enum bin_fate fate = bin_fate(lc, list->detector, slot, piece, bin);
    uint64_t fresh = fate == BIN_KEEP ? 0 : bin_put(lc, list->detector, slot, piece, bin, fate);
    lc->n.repeated += n - fresh;
    *(k < lc->closed_k ? &lc->n.late : &lc->n.events) += fresh;
}

static void list_take(struct lightcurve *lc, const struct event_list *list, int64_t from_k, int64_t to_k)
{
    for (int64_t k = from_k; k < to_k; k++) {
        if (k < low_bin(lc))
            lc->n.archival += bin_events(lc, tile_bin(list, k));
        else
            bin_take(lc, list, k, lc->piece[k - from_k]);
    }
    struct time_span hull;
    if (!good_hull(lc, list, from_k, to_k, &hull)) return;
    int64_t end_k = bin_of(lc, hull.stop_ns - 1) + 1;
    if (end_k > lc->cover_k) lc->cover_k = end_k;
    if (hull.stop_ns > lc->latest_ns) lc->latest_ns = hull.stop_ns;
}

static uint64_t list_events(const struct lightcurve *lc, const struct event_list *list, int64_t from_k, int64_t to_k)
{
    uint64_t n = 0;
    for (int64_t k = from_k; k < to_k; k++)
        n += bin_events(lc, tile_bin(list, k));
    return n;
}

/* ---- the packet ---- */

/* Is there room for the step? Otherwise say up to where windows must be taken first. */
static enum burst_err room_check(struct lightcurve *lc, struct time_span span, struct burst_error *reterr)
{
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
    return burst_fail(reterr, BURST_E_LATE, "data that end %.1f s before the latest are older than the rings",
                      (double)(lc->latest_ns - span.stop_ns) * 1e-9);
}

static enum burst_err step_check(const struct lightcurve *lc, const struct event_packet *p, int64_t from_k,
                                 int64_t to_k, struct burst_error *reterr)
{
    if (p->epoch_ns != lc->set.epoch_ns) return burst_fail(reterr, BURST_E_TIME, "a packet of another epoch");
    if (!band_set_equal(&p->bands, &lc->set.bands))
        return burst_fail(reterr, BURST_E_SHAPE, "a packet counted in other energy bands");
    if (to_k - from_k > LIGHTCURVE_STEP_BINS || to_k < from_k)
        return burst_fail(reterr, BURST_E_LIMIT, "%lld bins; 0 to %d are taken at once", (long long)(to_k - from_k),
                          LIGHTCURVE_STEP_BINS);
    return BURST_OK;
}

enum burst_err lightcurve_add(struct lightcurve *lc, const struct event_packet *p, int64_t from_k, int64_t to_k,
                              struct burst_error *reterr)
{
    struct time_span span;
    enum burst_err err = step_check(lc, p, from_k, to_k, reterr), worst = BURST_OK;
    if (err) return err;
    if (!packet_hull(lc, p, from_k, to_k, &span)) return BURST_OK;
    err = room_check(lc, span, reterr);
    for (size_t i = 0; err == BURST_E_LATE && i < p->n_list; i++)
        lc->n.archival += list_events(lc, &p->list[i], from_k, to_k);
    if (err) return err;
    if (lc->gap) lightcurve_gap_mark(lc, span.start_ns);
    for (size_t i = 0; i < p->n_list; i++) {
        const struct event_list *list = &p->list[i];
        if (list->detector < 0 || list->detector >= lc->n_detector) {
            lc->n.unsearched += list_events(lc, list, from_k, to_k);
            continue;
        }
        err = list_check(lc, list, from_k, to_k, worst ? NULL : reterr); /* the first sentence is told */
        lc->n.conflicts += err == BURST_E_CONFLICT;
        if (err && !worst) worst = err;
        if (!err) list_take(lc, list, from_k, to_k);
    }
    if (lc->latest_ns != INT64_MIN) close_until(lc, lc->latest_ns - lc->set.lateness_ns);
    return worst;
}
