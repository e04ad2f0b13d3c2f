/* What happens on a day, family by family. */
#include "sim/day_inside.h"
#include "sim/population.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double MOST_ZENITH_DEG = 112.0; /* the Earth fills the rest of the sky seen from 600 km */
static const double FLICKER_PER_DAY = 16.0;  /* of 117 s on average: 2.2 % of the time */
enum { LOSS_BINS = 162 };
static const double RETURN_S = 8.0; /* width of the way back, as a source behind the limb */
static const double OUTAGE_CLEAR_S = 300.0;

/* Room for one more: DAY_ITEM_MAX is checked by who adds many. */
static struct day_item *next_item(struct day_draft *d)
{
    struct day_item *item = &d->day->item[d->day->n_item++];
    *item = (struct day_item){.peak_s = -1.0, .onset_s = -1.0, .detector = -1};
    return item;
}

static void name_item(struct day_item *item, const char *what)
{
    (void)snprintf(item->what, sizeof item->what, "%s", what);
}

/* A source in the sky: angle, 12 % of scatter, one detector in ten in the spacecraft's shadow. Source: science.md A.5. */
static void source_gains(struct day_draft *d, struct direction from, bool scatters, double gain[][SIM_GROUP])
{
    for (int k = 0; k < d->day->n_detector; k++) {
        const struct detector_kind *kind = day_kind(d, k);
        double cosine = geometry_cosine(d->set->craft.detector[d->day->detector[k]].axis, from), seen = 1.0;
        if (scatters) seen = rng_chance(&d->r, 0.10) ? rng_between(&d->r, 0.02, 0.10) : rng_lognormal(&d->r, 1.0, 0.12);
        for (int g = 0; g < SIM_GROUP; g++)
            gain[k][g] = seen * kind->area * spacecraft_angle_factor(kind, cosine, g);
    }
}

/* What comes from no direction is seen by the detectors' own quiet counts; `one` is the detector of REACH_ONE. */
static double plain_gain(struct day_draft *d, enum look_alike_reach reach, int k, int one)
{
    double level = 0.0;
    for (int a = 0; a < SIM_ATOM; a++)
        level += d->level[k][a];
    switch (reach) {
    case REACH_ALIKE: return level / LOOK_ALIKE_LEVEL * rng_lognormal(&d->r, 1.0, 0.1);
    case REACH_PARTICLES: return level / LOOK_ALIKE_LEVEL * rng_lognormal(&d->r, 1.0, 0.5);
    case REACH_SIGNED: return level / LOOK_ALIKE_LEVEL * rng_normal(&d->r);
    default: return k == one ? 1.0 : 0.0;
    }
}

static void draw_gains(struct day_draft *d, enum look_alike_reach reach, struct day_item *item,
                       double gain[][SIM_GROUP])
{
    int one = (int)(d->day->n_detector * rng_uniform(&d->r));
    if (reach == REACH_SOURCE || reach == REACH_SUN) {
        item->from = reach == REACH_SUN ? d->sun : geometry_draw(&d->r, MOST_ZENITH_DEG);
        source_gains(d, item->from, reach == REACH_SOURCE, gain);
        return;
    }
    for (int k = 0; k < d->day->n_detector; k++) {
        double same = plain_gain(d, reach, k, one);
        for (int g = 0; g < SIM_GROUP; g++)
            gain[k][g] = same;
    }
}

/* How long it lasts if it does not end by itself: until a source sets, the spacecraft turns back, a pulsar is behind the Earth. */
static double staying_s(struct rng *r, const struct look_alike *l)
{
    switch (l->family) {
    case FAMILY_STEP: return rng_between(r, 1800.0, 3400.0);
    case FAMILY_PULSAR: return rng_between(r, 900.0, 3000.0);
    case FAMILY_SLEW: return rng_between(r, 900.0, 6000.0);
    case FAMILY_HUMP: return l->fall_s < 0.0 ? rng_between(r, 300.0, 1800.0) : 0.0;
    default: return 0.0;
    }
}

/* Paint into every detector's rates, times its gain. What stays goes again the way it came; a pulsar comes and goes as sources do. */
static void paint_piece(struct day_draft *d, const struct look_alike *l, double stay_s, double gain[][SIM_GROUP],
                        struct day_piece *p)
{
    struct rng flicker = d->r;
    size_t n = p->grid.n_bin;
    for (int k = 0; k < d->day->n_detector && n > 0; k++) {
        d->r = flicker; /* the same for all detectors */
        look_alike_paint(&d->r, l, &d->colours[day_kind(d, k)->response], &p->grid, p->rate[k]);
        for (size_t i = 0; i < n && stay_s > 0.0; i++) {
            double x = p->grid.t0_s + (double)i * DAY_BIN_S - l->centre_s,
                   gone = 0.5 + 0.5 * tanh((x - stay_s) / RETURN_S);
            double come = l->family == FAMILY_PULSAR ? 0.5 + 0.5 * tanh(x / RETURN_S) : 1.0;
            for (size_t g = 0; g < SIM_GROUP; g++)
                p->rate[k][g * n + i] *= (float)(come * (1.0 - gone));
        }
        for (size_t g = 0; g < SIM_GROUP; g++)
            for (size_t i = 0; i < n; i++)
                p->rate[k][g * n + i] *= (float)gain[k][g];
    }
}

/* Multiply a stretch by what `factor` holds for each bin. */
static void scale_day(struct day_draft *d, double start_s, double stop_s, const double *factor)
{
    size_t first = (size_t)fmax(start_s / DAY_BIN_S, 0.0), last = (size_t)fmin(stop_s / DAY_BIN_S, (double)DAY_BIN);
    for (size_t row = 0; row < (size_t)d->day->n_detector * SIM_ATOM; row++)
        for (size_t i = first; i < last; i++)
            d->rate[row * DAY_BIN + i] *= (float)factor[i - first];
}

/* Lost counts: this part of them is kept for up to ten seconds. */
static void lose_counts(struct day_draft *d, double start_s, double stop_s, double kept)
{
    double factor[LOSS_BINS];
    for (size_t i = 0; i < LOSS_BINS; i++)
        factor[i] = kept;
    scale_day(d, start_s, fmin(stop_s, start_s + (LOSS_BINS - 2) * DAY_BIN_S), factor);
}

/* What falls first and comes back later rises then: a happening of its own in the table. */
static void note_return(struct day_draft *d, const struct look_alike *l, struct day_piece *p, double back_s)
{
    double snr = 0.0;
    for (int k = 0; k < d->day->n_detector; k++) {
        for (size_t i = 0; i < SIM_GROUP * p->grid.n_bin; i++)
            p->rate[k][i] = -p->rate[k][i];
        snr = fmax(snr, day_piece_snr(d, p, k));
        for (size_t i = 0; i < SIM_GROUP * p->grid.n_bin; i++)
            p->rate[k][i] = -p->rate[k][i];
    }
    if (snr <= 0.0 || back_s > DAY_S) return;
    struct day_item *item = next_item(d);
    name_item(item, family_name(l->family));
    item->start_s = back_s - 2.0 * RETURN_S;
    item->stop_s = back_s + 2.0 * RETURN_S;
    item->peak_s = item->onset_s = back_s;
    item->snr = snr;
}

/* A look-alike whose middle (or edge, of a ramp) is at at_s. Wings reach farther than the extent told. */
static enum burst_err put_look_alike(struct day_draft *d, struct look_alike *l, double at_s, struct day_item *item,
                                     struct burst_error *reterr)
{
    struct day_piece p;
    double before, after, gain[DAY_DETECTOR_MAX][SIM_GROUP], stay_s = staying_s(&d->r, l);
    name_item(item, family_name(l->family));
    look_alike_extent(l, &before, &after);
    l->centre_s = at_s;
    item->start_s = at_s - before;
    item->stop_s = at_s + after + (l->family == FAMILY_PULSAR ? stay_s : 0.0);
    draw_gains(d, l->reach, item, gain);
    double wing = l->family == FAMILY_RAMP ? 9000.0 : fmin(3.0 * (before + after) + 5.0, 3000.0);
    enum burst_err err = day_piece_new(d, item->start_s - fmin(wing, 300.0), item->stop_s + wing + stay_s, &p, reterr);
    if (err) return err;
    paint_piece(d, l, stay_s, gain, &p);
    if (l->family == FAMILY_STEP || l->family == FAMILY_SLEW) note_return(d, l, &p, at_s + stay_s);
    day_piece_put(d, &p, 1.0, item);
    day_piece_free(&p);
    if (l->family == FAMILY_SATURATION) lose_counts(d, item->stop_s, item->stop_s + l->pause_s, 0.0);
    return BURST_OK;
}

/* The way into (side > 0) or out of the anomaly: detectors are off on the other side. */
static enum burst_err draw_edge(struct day_draft *d, double at_s, double side, struct burst_error *reterr)
{
    struct look_alike l;
    do
        look_alike_draw(&d->r, FAMILY_RAMP, &l);
    while (side * l.rise_s < 0.0);
    return put_look_alike(d, &l, at_s, next_item(d), reterr);
}

static enum burst_err draw_flicker(struct day_draft *d, double at_s, struct day_item *item, struct burst_error *reterr)
{
    double length = rng_log_between(&d->r, 30.0, 300.0);
    struct sim_grid grid = {at_s, DAY_BIN_S, (size_t)(length / DAY_BIN_S) + 2};
    double *path = malloc(grid.n_bin * sizeof *path), rms = rng_between(&d->r, 0.02, 0.08);
    if (!path) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu bins of red noise", grid.n_bin);
    for (size_t i = 0; i < grid.n_bin; i++)
        path[i] = 1.0;
    red_noise_apply(&d->r, rms, rng_between(&d->r, 2.0, 15.0), &grid, path);
    for (size_t i = 0; i < grid.n_bin; i++) { /* comes and goes in a tenth of its length */
        double edge = fmin((double)i, (double)(grid.n_bin - i)) / (0.1 * (double)grid.n_bin);
        path[i] = 1.0 + (path[i] - 1.0) * fmin(edge, 1.0);
    }
    name_item(item, "flicker");
    item->start_s = at_s;
    item->stop_s = at_s + length;
    scale_day(d, at_s, at_s + length, path);
    free(path);
    return BURST_OK;
}

/* Lost packets inside good time, as in the light-curve sets. */
static enum burst_err draw_dropout(struct day_draft *d, double at_s, struct day_item *item)
{
    double kept = rng_chance(&d->r, 0.6) ? 0.0 : rng_between(&d->r, 0.2, 0.8);
    double length = rng_log_between(&d->r, DAY_BIN_S, (LOSS_BINS - 2) * DAY_BIN_S);
    name_item(item, "dropout");
    item->start_s = at_s;
    item->stop_s = at_s + length;
    lose_counts(d, at_s, at_s + length, kept);
    return BURST_OK;
}

/* Amplitude 1 gives each detector its gain; the whole is scaled to the S/N wanted. Real bursts are as bright as told in a
 * detector of the same kind 25 degrees off its axis, so that the detectors shown may see little of them. */
static enum burst_err paint_burst(struct day_draft *d, const struct burst *b, double start_s, double snr, bool injected,
                                  double gain[][SIM_GROUP], struct day_item *item, struct burst_error *reterr)
{
    struct day_piece p;
    double best = 0.0;
    enum burst_err err = day_piece_new(d, item->start_s - 60.0, item->stop_s + 120.0, &p, reterr);
    if (err) return err;
    for (int k = 0; k < d->day->n_detector && p.grid.n_bin > 0; k++) {
        float part[COLOUR_PEAKS][SIM_GROUP];
        spacecraft_colours(&d->colours[day_kind(d, k)->response], &b->spectrum, part);
        burst_paint(b, part, &p.grid, start_s, p.rate[k]);
        for (size_t i = 0; i < SIM_GROUP * p.grid.n_bin; i++)
            p.rate[k][i] *= (float)gain[k][i / p.grid.n_bin];
        double seen = injected ? 1.0 : gain[k][1] / (day_kind(d, k)->area * 0.9);
        best = fmax(best, day_piece_snr(d, &p, k) / fmax(seen, 1e-3));
    }
    if (best > 0.0) day_piece_put(d, &p, snr / best, item);
    day_piece_free(&p);
    return BURST_OK;
}

static enum burst_err draw_burst(struct day_draft *d, double at_s, double snr, bool injected, struct day_item *item,
                                 struct burst_error *reterr)
{
    struct burst *b = malloc(sizeof *b);
    double first, last, gain[DAY_DETECTOR_MAX][SIM_GROUP];
    if (!b) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a burst");
    population_draw(&d->r, 0.0, 1.0, population_sigma(snr), b);
    burst_extent(b, &first, &last);
    struct direction axis = d->set->craft.detector[d->day->detector[0]].axis;
    do
        item->from = geometry_draw(&d->r, MOST_ZENITH_DEG);
    while (injected && geometry_cosine(axis, item->from) < 0.80); /* within 37 degrees: the best of many detectors */
    source_gains(d, item->from, true, gain);
    name_item(item, "burst");
    item->start_s = at_s;
    item->stop_s = at_s + last - first;
    item->t90_s = b->t90_s;
    enum burst_err err = paint_burst(d, b, at_s - first, snr, injected, gain, item, reterr);
    free(b);
    return err;
}

static int near_outage(const struct day *day, double t)
{
    for (int i = 0; i < day->n_item; i++)
        if (strcmp(day->item[i].what, "outage") == 0 && t > day->item[i].start_s - OUTAGE_CLEAR_S &&
            t < day->item[i].stop_s + OUTAGE_CLEAR_S)
            return 1;
    return 0;
}

static enum burst_err draw_bursts(struct day_draft *d, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    const struct day_settings *set = d->set;
    uint32_t n = set->bursts == DAY_BURSTS_REAL ? rng_poisson(&d->r, family_per_day(FAMILY_BURST)) : 0;
    for (; n > 0 && !err; n--)
        err = draw_burst(d, rng_between(&d->r, 0.0, DAY_S), population_snr(&d->r), false, next_item(d), reterr);
    if (set->bursts != DAY_BURSTS_INJECT) return err;
    for (double t = 0.5 * set->every_s; t < DAY_S - 300.0 && d->day->n_item < DAY_ITEM_MAX && !err; t += set->every_s) {
        double start = t + rng_between(&d->r, -0.2, 0.2) * set->every_s;
        double snr = rng_log_between(&d->r, set->snr_low, set->snr_high);
        if (!near_outage(d->day, start)) err = draw_burst(d, start, snr, true, next_item(d), reterr);
    }
    return err;
}

static enum burst_err draw_one(struct day_draft *d, enum sky_family family, double at_s, struct burst_error *reterr)
{
    struct look_alike l;
    struct day_item *item = next_item(d);
    if (family == FAMILY_QUIET) return draw_flicker(d, at_s, item, reterr);
    if (family == FAMILY_DROPOUT) return draw_dropout(d, at_s, item);
    look_alike_draw(&d->r, family, &l);
    return put_look_alike(d, &l, at_s, item, reterr);
}

/* As many as chance has it, anywhere on the day. A detector has its share of what happens to single ones. */
static enum burst_err draw_family(struct day_draft *d, enum sky_family family, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    double rate = family == FAMILY_QUIET ? FLICKER_PER_DAY : family_per_day(family);
    if (family == FAMILY_SPIKE || family == FAMILY_BIT || family == FAMILY_HOT)
        rate *= (double)d->day->n_detector / d->set->craft.n_search;
    for (uint32_t n = rng_poisson(&d->r, rate * d->set->rate); n > 0 && !err; n--) {
        if (d->day->n_item + 1 >= DAY_ITEM_MAX) /* what comes back takes two rows */
            return burst_fail(reterr, BURST_E_LIMIT, "more than %d things happen on a day", DAY_ITEM_MAX);
        err = draw_one(d, family, rng_between(&d->r, 0.0, DAY_S), reterr);
    }
    return err;
}

enum burst_err day_happenings(struct day_draft *d, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    int n_outage = d->day->n_item;
    for (int i = 0; i < n_outage && !err; i++) {
        err = draw_edge(d, d->day->item[i].start_s, 1.0, reterr);
        if (!err) err = draw_edge(d, d->day->item[i].stop_s, -1.0, reterr);
    }
    for (int f = 0; f < FAMILY_N && !err; f++)
        if (f != FAMILY_RAMP && f != FAMILY_BURST && f != FAMILY_QUIET && f != FAMILY_DROPOUT)
            err = draw_family(d, (enum sky_family)f, reterr);
    if (!err) err = draw_bursts(d, reterr);
    if (!err) err = draw_family(d, FAMILY_QUIET, reterr); /* flicker and losses take of everything, so they come last */
    return err ? err : draw_family(d, FAMILY_DROPOUT, reterr);
}

/* An inclination of 29 degrees meets the anomaly on about half of its orbits, deepest in the middle of them; detectors are off
 * for up to 22 minutes. */
void day_outages(struct day_draft *d)
{
    enum { ORBITS = 15, PASSES = 7 };
    static const double DEEPEST_S = 1320.0;
    int first = (int)(ORBITS * rng_uniform(&d->r));
    for (int orbit = 0; (orbit + d->orbit_phase) * DAY_ORBIT_S < DAY_S; orbit++) {
        int pass = (orbit + first) % ORBITS;
        if (pass >= PASSES) continue;
        double middle = (orbit + d->orbit_phase) * DAY_ORBIT_S,
               half = 0.5 * DEEPEST_S * sin(M_PI * (pass + 0.5) / PASSES);
        double start = fmax(middle - half, 0.0), stop = fmin(middle + half, DAY_S);
        if (stop <= start) continue;
        struct day_item *item = next_item(d);
        item->start_s = start;
        item->stop_s = stop;
        name_item(item, "outage");
        for (size_t i = (size_t)(start / DAY_BIN_S); i < DAY_BIN && (double)i * DAY_BIN_S < stop; i++)
            d->day->valid[i] = 0;
    }
}
