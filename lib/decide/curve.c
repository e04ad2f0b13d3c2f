/* Buffers of an event's counts and the measurements on them. */
#include "decide/curve.h"
#include "kernels/background.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_BINS = 256, VALID_LEAST = 469, FIT_LEAST = 320 }; /* 16.4 s; 30 s; 20.5 s */
enum { BEFORE_BINS = 80, AFTER_BINS = 160 }; /* 5 s, 10 s: faint ends must not lift the background */
enum { LINE_BINS = 640, PARABOLA_BINS = 2400, LOCATE_ROUNDS = 3 }; /* 41 s; 154 s */
#define WALK_SIGMA  4.5
#define T90_SIGMA   5.0
#define RATIO_SIGMA 3.0
#define LIVE_LEAST  0.1

struct curve {
    int n_detector;
    struct band_set bands;
    int64_t k0;
    size_t n;
    uint32_t *counts; /* [n_detector][n_atom][CURVE_BINS]; room for ATOM_MAX atoms */
    uint8_t *valid;   /* [n_detector][CURVE_BINS] */
    uint32_t *dead;   /* [n_detector][CURVE_BINS] dead time, units of EVENT_DEAD_NS */
    /* The series that is being measured. */
    uint32_t *sum;           /* [CURVE_BINS] */
    uint8_t *use, *fit;      /* [CURVE_BINS] all members are valid; and the background is fitted there */
    double *seen, *expected; /* [CURVE_BINS + 1] running sums */
};

void curve_free(struct curve *c)
{
    if (!c) return;
    free(c->counts);
    free(c->valid);
    free(c->dead);
    free(c->sum);
    free(c->use);
    free(c->fit);
    free(c->seen);
    free(c->expected);
    free(c);
}

enum burst_err curve_new(int n_detector, struct curve **ret_c, struct burst_error *reterr)
{
    struct curve *c = calloc(1, sizeof *c);
    if (!c) return burst_fail(reterr, BURST_E_NOMEM, "no memory for an event's light curve");
    size_t n_row = (size_t)n_detector * CURVE_BINS;
    c->n_detector = n_detector;
    c->counts = calloc(n_row * ATOM_MAX, sizeof *c->counts);
    c->valid = calloc(n_row, 1);
    c->dead = calloc(n_row, sizeof *c->dead);
    c->sum = calloc(CURVE_BINS, sizeof *c->sum);
    c->use = calloc(CURVE_BINS, 1);
    c->fit = calloc(CURVE_BINS, 1);
    c->seen = calloc(CURVE_BINS + 1, sizeof *c->seen);
    c->expected = calloc(CURVE_BINS + 1, sizeof *c->expected);
    if (!c->counts || !c->valid || !c->dead || !c->sum || !c->use || !c->fit || !c->seen || !c->expected) {
        curve_free(c);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for an event's light curve");
    }
    *ret_c = c;
    return BURST_OK;
}

static uint32_t *row_counts(const struct curve *c, int detector, int atom)
{
    return c->counts + ((size_t)detector * (size_t)c->bands.n_atom + (size_t)atom) * CURVE_BINS;
}

static uint8_t *row_valid(const struct curve *c, int detector)
{
    return c->valid + (size_t)detector * CURVE_BINS;
}

static uint32_t *row_dead(const struct curve *c, int detector)
{
    return c->dead + (size_t)detector * CURVE_BINS;
}

/* Copy the last n_bin bins of a window to the end of the curve. */
static void bins_append(struct curve *c, const struct lightcurve_window *w, size_t n_bin)
{
    size_t from = WINDOW_BINS - n_bin, to = c->n;
    for (int d = 0; d < c->n_detector; d++)
        memset(row_valid(c, d) + to, 0, n_bin);
    for (int row = 0; row < w->n_detector; row++) {
        int d = w->detector[row];
        const uint32_t *counts = w->counts + (size_t)row * (size_t)c->bands.n_atom * WINDOW_BINS;
        memcpy(row_valid(c, d) + to, w->valid + (size_t)row * WINDOW_BINS + from, n_bin);
        memcpy(row_dead(c, d) + to, w->dead + (size_t)row * WINDOW_BINS + from, n_bin * sizeof *w->dead);
        for (int a = 0; a < c->bands.n_atom; a++)
            memcpy(row_counts(c, d, a) + to, counts + (size_t)a * WINDOW_BINS + from, n_bin * sizeof *counts);
    }
    c->n += n_bin;
}

void curve_begin(struct curve *c, const struct lightcurve_window *w)
{
    c->bands = w->bands;
    c->k0 = w->k_end - WINDOW_BINS;
    c->n = 0;
    bins_append(c, w, WINDOW_BINS);
}

void curve_extend(struct curve *c, const struct lightcurve_window *w)
{
    int64_t missing = w->k_end - WINDOW_BINS - (c->k0 + (int64_t)c->n), n_new = w->k_end - (c->k0 + (int64_t)c->n);
    if (n_new <= 0 || w->k_end - c->k0 > CURVE_BINS) return;
    for (int d = 0; missing > 0 && d < c->n_detector; d++)
        memset(row_valid(c, d) + c->n, 0, (size_t)missing);
    if (missing > 0) c->n += (size_t)missing;
    bins_append(c, w, (size_t)(missing > 0 ? WINDOW_BINS : n_new));
}

int64_t curve_first_bin(const struct curve *c)
{
    return c->k0;
}

size_t curve_n_bin(const struct curve *c)
{
    return c->n;
}

/* Sum atoms [first, last) of the members into c->sum, and say in c->use where all of them are valid. */
static void series_sum(struct curve *c, const bool *member, int first, int last)
{
    memset(c->sum, 0, c->n * sizeof *c->sum);
    memset(c->use, 1, c->n);
    for (int d = 0; d < c->n_detector; d++) {
        if (!member[d]) continue;
        for (size_t t = 0; t < c->n; t++)
            c->use[t] = c->use[t] && row_valid(c, d)[t];
        for (int a = first; a < last; a++)
            for (size_t t = 0; t < c->n; t++)
                c->sum[t] += row_counts(c, d, a)[t];
    }
}

static void series_of(struct curve *c, int detector, int first, int last)
{
    bool member[DETECTOR_MAX] = {false};
    member[detector] = true;
    series_sum(c, member, first, last);
}

static void flags_clear(uint8_t *flag, struct stretch stretch)
{
    if (stretch.to > stretch.from) memset(flag + stretch.from, 0, stretch.to - stretch.from);
}

static size_t flags_count(const uint8_t *flag, size_t n)
{
    size_t n_set = 0;
    for (size_t t = 0; t < n; t++)
        n_set += flag[t];
    return n_set;
}

/* Background of the series in c->sum, fitted outside `aside`, and running sums of both; false where there is none. */
static bool series_run(struct curve *c, struct stretch aside, struct running *ret_r)
{
    struct background b;
    memcpy(c->fit, c->use, c->n);
    flags_clear(c->fit, aside);
    if (flags_count(c->fit, c->n) < FIT_LEAST) memcpy(c->fit, c->use, c->n);
    size_t n_fit = flags_count(c->fit, c->n);
    int degree = n_fit <= LINE_BINS ? 1 : n_fit <= PARABOLA_BINS ? 2 : 3;
    if (!background_fit(c->sum, c->fit, c->n, degree, &b)) return false;
    for (size_t t = 0; t < c->n; t++) {
        c->seen[t + 1] = c->seen[t] + (c->use[t] ? (double)c->sum[t] : 0);
        c->expected[t + 1] = c->expected[t] + (c->use[t] ? background_at(&b, t) : 0);
    }
    *ret_r = (struct running){c->n, c->seen, c->expected};
    return true;
}

static struct stretch aside_of(const struct curve *c, const struct burst_place *place)
{
    size_t after = place->ending - place->onset > AFTER_BINS ? place->ending - place->onset : AFTER_BINS;
    struct stretch aside = {.to = place->ending + after < c->n ? place->ending + after : c->n};
    aside.from = place->onset > BEFORE_BINS ? place->onset - BEFORE_BINS : 0;
    return aside;
}

/* Find the burst in the series of c->sum above the background outside place->aside. */
static bool place_find(struct curve *c, struct burst_place *place)
{
    struct running r;
    if (!series_run(c, place->aside, &r)) return false;
    place->best = stretch_best(&r, 0, c->n, LONGEST_BINS);
    if (place->best.snr <= 0) return false;
    place->onset = stretch_onset(&r, place->best.to, LONGEST_BINS, WALK_SIGMA);
    place->ending = stretch_ending(&r, place->best.from, LONGEST_BINS, WALK_SIGMA);
    if (place->ending <= place->onset) place->ending = place->best.to;
    place->aside = aside_of(c, place);
    return true;
}

struct burst_place curve_locate(struct curve *c, const bool *member)
{
    struct burst_place place = {.found = false};
    bool enough[DETECTOR_MAX] = {false}, any = false;
    for (int d = 0; d < c->n_detector; d++) {
        enough[d] = member[d] && flags_count(row_valid(c, d), c->n) >= VALID_LEAST;
        any = any || enough[d];
    }
    series_sum(c, any ? enough : member, 0, c->bands.n_atom);
    place.found = true;
    for (int round = 0; round < LOCATE_ROUNDS && place.found; round++)
        place.found = place_find(c, &place);
    return place;
}

bool curve_excess(struct curve *c, int detector, const struct burst_place *place, double *ret_excess, double *ret_sigma)
{
    struct running r;
    size_t from = place->best.from, to = place->best.to;
    series_of(c, detector, 0, c->bands.n_atom);
    if (flags_count(c->use + from, to - from) < to - from || !series_run(c, place->aside, &r)) return false;
    double seen = r.seen[to] - r.seen[from];
    *ret_excess = stretch_excess(&r, from, to);
    *ret_sigma = sqrt(seen > 1 ? seen : 1);
    return true;
}

/* Time, in bins from `from`, at which the cumulated excess first reaches a part of the whole. */
static double part_reached(const struct running *r, size_t from, size_t to, double part)
{
    double want = part * stretch_excess(r, from, to), before = 0;
    for (size_t t = from; t < to; t++) {
        double after = stretch_excess(r, from, t + 1);
        if (after >= want) return (double)(t - from) + (after > before ? (want - before) / (after - before) : 0);
        before = after;
    }
    return (double)(to - from);
}

/* Part of a bin in which the detector could record; at least LIVE_LEAST, so that no bin counts for more than ten. */
static double live_part(const struct curve *c, int detector, size_t t)
{
    double live = 1 - (double)row_dead(c, detector)[t] * ((double)EVENT_DEAD_NS / (double)BIN_NS);
    return live > LIVE_LEAST ? live : LIVE_LEAST;
}

/* Counts of live time above the recorded background: of that some parts in a thousand are missing, which is left so. */
static double peak_rate(const struct curve *c, int detector, const struct running *r, size_t from, size_t to)
{
    double most = 0;
    for (size_t t = from; t < to; t++) {
        double seen = (double)c->sum[t], excess = stretch_excess(r, t, t + 1);
        excess += seen / live_part(c, detector, t) - seen;
        if (excess > most) most = excess;
    }
    return most / (1e-9 * (double)BIN_NS);
}

/* Atoms [first, last) that make up exactly [lo, hi) keV. */
static bool atoms_of(const struct band_set *b, float lo, float hi, int *ret_first, int *ret_last)
{
    int first = -1, last = -1;
    for (int i = 0; i <= b->n_atom; i++) {
        if (!(b->edge_kev[i] < lo) && !(b->edge_kev[i] > lo)) first = i;
        if (!(b->edge_kev[i] < hi) && !(b->edge_kev[i] > hi)) last = i;
    }
    *ret_first = first;
    *ret_last = last;
    return first >= 0 && last > first;
}

static bool band_excess(struct curve *c, int detector, float lo, float hi, const struct burst_place *place,
                        double *ret_excess, double *ret_snr)
{
    int first, last;
    struct running r;
    if (!atoms_of(&c->bands, lo, hi, &first, &last)) return false;
    series_of(c, detector, first, last);
    if (!series_run(c, place->aside, &r)) return false;
    *ret_excess = stretch_excess(&r, place->onset, place->ending);
    *ret_snr = stretch_snr(&r, place->onset, place->ending);
    return true;
}

void curve_measure(struct curve *c, int detector, const struct burst_place *place, struct evidence *ret)
{
    struct running r;
    double soft, hard, snr_soft, snr_hard;
    ret->snr = ret->t90_s = ret->peak_rate_hz = ret->hardness = NAN;
    if (!place->found) return;
    series_of(c, detector, 0, c->bands.n_atom);
    if (!series_run(c, place->aside, &r)) return;
    size_t from = place->onset, to = place->ending;
    ret->snr = stretch_best(&r, from < place->best.from ? from : place->best.from,
                            to > place->best.to ? to : place->best.to, LONGEST_BINS)
                   .snr;
    ret->peak_rate_hz = peak_rate(c, detector, &r, from, to);
    if (stretch_snr(&r, from, to) >= T90_SIGMA)
        ret->t90_s = 1e-9 * (double)BIN_NS * (part_reached(&r, from, to, 0.95) - part_reached(&r, from, to, 0.05));
    if (band_excess(c, detector, 50, 100, place, &soft, &snr_soft) && snr_soft >= RATIO_SIGMA &&
        band_excess(c, detector, 100, 300, place, &hard, &snr_hard))
        ret->hardness = hard > 0 ? hard / soft : 0;
}
