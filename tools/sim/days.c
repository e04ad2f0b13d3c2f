/* A simulated day: settings checked, rates laid over each other, counts drawn. */
#include "sim/days.h"
#include "sim/day_inside.h"
#include "sim/lightcurve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of one day: happenings, then one per detector for its counts. */
enum { STREAM_HAPPENINGS, STREAM_COUNTS, STREAM_EACH = 16 };

void day_detectors(const struct spacecraft *craft, int n_detector, int *ret_detector)
{
    struct direction look = {craft->detector[0].axis.azimuth_deg, 30.0};
    uint32_t taken = 0;
    for (int k = 0; k < n_detector; k++) {
        int best = -1;
        double best_cosine = -2.0;
        for (int i = 0; i < craft->n_search; i++) {
            double cosine = geometry_cosine(craft->detector[i].axis, look);
            if (taken >> i & 1U || cosine <= best_cosine) continue;
            best = i;
            best_cosine = cosine;
        }
        taken |= 1U << best;
        ret_detector[k] = best;
    }
}

const struct detector_kind *day_kind(const struct day_draft *d, int k)
{
    return d->set->craft.detector[d->day->detector[k]].kind;
}

enum burst_err day_piece_new(const struct day_draft *d, double start_s, double stop_s, struct day_piece *ret_piece,
                             struct burst_error *reterr)
{
    struct day_piece p = {0};
    double first = floor(fmax(start_s, 0.0) / DAY_BIN_S), last = ceil(fmin(stop_s, DAY_S) / DAY_BIN_S);
    *ret_piece = p;
    if (last > (double)DAY_BIN) last = DAY_BIN;
    if (!(last > first)) return BURST_OK;
    p.first = (size_t)first;
    p.grid = (struct sim_grid){first * DAY_BIN_S, DAY_BIN_S, (size_t)(last - first)};
    int good = (p.signal = calloc(2 * p.grid.n_bin, sizeof *p.signal)) != NULL;
    p.background = good ? p.signal + p.grid.n_bin : NULL;
    for (int k = 0; k < d->day->n_detector; k++)
        good &= (p.rate[k] = calloc(SIM_GROUP * p.grid.n_bin, sizeof *p.rate[k])) != NULL;
    if (!good) {
        day_piece_free(&p);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu bins of a day", p.grid.n_bin);
    }
    *ret_piece = p;
    return BURST_OK;
}

void day_piece_free(struct day_piece *p)
{
    free(p->signal);
    for (int k = 0; k < DAY_DETECTOR_MAX; k++)
        free(p->rate[k]);
    *p = (struct day_piece){0};
}

static float *day_row(const struct day_draft *d, int k, int a)
{
    return d->rate + ((size_t)k * SIM_ATOM + (size_t)a) * DAY_BIN;
}

double day_piece_snr(const struct day_draft *d, const struct day_piece *p, int k)
{
    size_t n = p->grid.n_bin;
    if (n == 0) return 0.0;
    memset(p->signal, 0, 2 * n * sizeof *p->signal);
    for (int a = 0; a < SIM_ATOM; a++) {
        const float *row = day_row(d, k, a) + p->first;
        const float *rate = p->rate[k] + (size_t)a * n;
        for (size_t i = 0; i < n; i++) {
            p->signal[i] += (double)rate[i] * DAY_BIN_S;
            p->background[i] += (double)row[i] * DAY_BIN_S;
        }
    }
    return lightcurve_snr(p->signal, p->background, d->day->valid + p->first, n);
}

/* Brightest valid bin of what day_piece_snr left in `signal`, and the first over 5 % of it. */
static void note_times(const struct day_draft *d, const struct day_piece *p, struct day_item *item)
{
    double most = 0.0;
    const uint8_t *valid = d->day->valid + p->first;
    size_t onset = 0;
    for (size_t i = 0; i < p->grid.n_bin; i++)
        if (valid[i] && p->signal[i] > most) {
            most = p->signal[i];
            item->peak_s = p->grid.t0_s + (double)i * DAY_BIN_S;
        }
    while (onset < p->grid.n_bin && !(valid[onset] && p->signal[onset] > 0.05 * most))
        onset++;
    if (most > 0.0) item->onset_s = p->grid.t0_s + (double)onset * DAY_BIN_S;
}

void day_piece_put(struct day_draft *d, const struct day_piece *p, double factor, struct day_item *item)
{
    size_t n = p->grid.n_bin;
    item->peak_s = item->onset_s = -1.0;
    item->detector = -1;
    for (int k = 0; k < d->day->n_detector && n > 0; k++) {
        for (size_t i = 0; i < SIM_GROUP * n; i++)
            p->rate[k][i] *= (float)factor;
        double snr = day_piece_snr(d, p, k);
        if (snr <= item->snr) continue;
        item->snr = snr;
        item->detector = d->day->detector[k];
        note_times(d, p, item);
    }
    for (int k = 0; k < d->day->n_detector && n > 0; k++)
        for (int a = 0; a < SIM_ATOM; a++) {
            float *row = day_row(d, k, a) + p->first;
            for (size_t i = 0; i < n; i++)
                row[i] = fmaxf(row[i] + p->rate[k][(size_t)a * n + i], 0.0F);
        }
}

static void draw_counts(struct day_draft *d, uint64_t first_stream)
{
    struct day *day = d->day;
    for (int k = 0; k < day->n_detector; k++) {
        struct rng r;
        rng_seed(&r, d->set->seed, first_stream + STREAM_COUNTS + (uint64_t)k);
        for (size_t i = 0; i < (size_t)SIM_ATOM * DAY_BIN; i++) {
            if (!day->valid[i % DAY_BIN]) continue;
            uint32_t n = rng_poisson(&r, (double)d->rate[(size_t)k * SIM_ATOM * DAY_BIN + i] * DAY_BIN_S);
            day->counts[(size_t)k * SIM_ATOM * DAY_BIN + i] = n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
        }
    }
}

static int by_start(const void *a, const void *b)
{
    double x = ((const struct day_item *)a)->start_s, y = ((const struct day_item *)b)->start_s;
    return (x > y) - (x < y);
}

static enum burst_err check_settings(const struct day_settings *s, struct burst_error *reterr)
{
    if (s->n_detector != 1 && s->n_detector != 3)
        return burst_fail(reterr, BURST_E_RANGE, "%d detectors; a day shows 1 or 3", s->n_detector);
    if (s->craft.n_search < s->n_detector)
        return burst_fail(reterr, BURST_E_RANGE, "%d detectors; %s has %d", s->n_detector, s->craft.name,
                          s->craft.n_search);
    if (!(s->rate >= 0.0 && s->rate <= 100.0))
        return burst_fail(reterr, BURST_E_RANGE, "%g times as often; 0 to 100 are taken", s->rate);
    if (s->bursts != DAY_BURSTS_INJECT) return BURST_OK;
    if (!(s->snr_low >= 1.0 && s->snr_high >= s->snr_low && s->snr_high <= 1000.0) || !(s->every_s >= 300.0))
        return burst_fail(reterr, BURST_E_RANGE,
                          "bursts of S/N %g to %g every %g s; 1 to 1000 and 300 s at least are taken", s->snr_low,
                          s->snr_high, s->every_s);
    return BURST_OK;
}

static enum burst_err day_alloc(const struct day_settings *set, struct day_draft *d, struct burst_error *reterr)
{
    size_t n = (size_t)set->n_detector * SIM_ATOM * DAY_BIN;
    struct day *day = calloc(1, sizeof *day);
    d->rate = malloc(n * sizeof *d->rate);
    d->colours = malloc(RESPONSE_N * sizeof *d->colours);
    if (day) {
        day->n_detector = set->n_detector;
        day->counts = calloc(n, sizeof *day->counts);
        day->valid = malloc(DAY_BIN);
    }
    if (!day || !d->rate || !d->colours || !day->counts || !day->valid) {
        day_free(day);
        free(d->rate);
        free(d->colours);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for a day of %d detectors", set->n_detector);
    }
    memset(day->valid, 1, DAY_BIN);
    d->day = day;
    return BURST_OK;
}

enum burst_err day_new(const struct day_settings *set, uint64_t index, struct day **ret_day, struct burst_error *reterr)
{
    struct day_draft d = {.set = set};
    enum burst_err err = check_settings(set, reterr);
    if (!err) err = day_alloc(set, &d, reterr);
    if (err) return err;
    for (int i = 0; i < RESPONSE_N; i++)
        spacecraft_colour_table((enum response)i, &d.colours[i]);
    uint64_t first_stream = index * STREAM_EACH;
    rng_seed(&d.r, set->seed, first_stream + STREAM_HAPPENINGS);
    day_detectors(&set->craft, set->n_detector, d.day->detector);
    d.orbit_phase = rng_uniform(&d.r);
    d.sun = geometry_draw(&d.r, 90.0);
    day_outages(&d);
    day_background(&d);
    err = day_happenings(&d, reterr);
    if (!err) {
        draw_counts(&d, first_stream);
        qsort(d.day->item, (size_t)d.day->n_item, sizeof d.day->item[0], by_start);
        *ret_day = d.day;
    } else {
        day_free(d.day);
    }
    free(d.rate);
    free(d.colours);
    return err;
}

void day_free(struct day *d)
{
    if (!d) return;
    free(d->counts);
    free(d->valid);
    free(d);
}
