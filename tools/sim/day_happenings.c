/* What happens on a day, family by family. */
#include "sim/day_inside.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double BURST_MOST_ZENITH_DEG = 112.0; /* the Earth fills the rest of the sky seen from 600 km */
static const double OUTAGE_CLEAR_S = 300.0;

static enum crystal crystal_of(const struct day_draft *d)
{
    return d->set->mission == SIM_GECAM_B ? CRYSTAL_LABR3 : CRYSTAL_NAI;
}

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

/* Cosine law times a scatter of 12 % per detector; one in ten is in the spacecraft's shadow. Source: science.md A.5. */
static void directional_gains(struct day_draft *d, struct direction from, double gain[][SIM_GROUP])
{
    for (int k = 0; k < d->day->n_detector; k++) {
        double cosine = geometry_cosine(geometry_axis(d->set->mission, d->day->detector[k]), from);
        double seen = rng_chance(&d->r, 0.10) ? rng_between(&d->r, 0.02, 0.10) : rng_lognormal(&d->r, 1.0, 0.12);
        for (int g = 0; g < SIM_GROUP; g++)
            gain[k][g] = seen * spectrum_angle_factor(cosine, g);
    }
}

static void scattered_gains(struct day_draft *d, double scatter, double gain[][SIM_GROUP])
{
    for (int k = 0; k < d->day->n_detector; k++) {
        double seen = rng_lognormal(&d->r, 1.0, scatter);
        for (int g = 0; g < SIM_GROUP; g++)
            gain[k][g] = seen;
    }
}

static void lone_gain(struct day_draft *d, double gain[][SIM_GROUP])
{
    int seen = (int)(d->day->n_detector * rng_uniform(&d->r));
    for (int k = 0; k < d->day->n_detector; k++)
        for (int g = 0; g < SIM_GROUP; g++)
            gain[k][g] = k == seen ? 1.0 : 0.0;
}

/* Who sees a look-alike (science.md A.7). */
static void family_gains(struct day_draft *d, const char *what, struct day_item *item, double gain[][SIM_GROUP])
{
    int alone = 0;
    (void)day_rate(what, &alone); /* the families of the table are known */
    if (alone) {
        lone_gain(d, gain);
    } else if (strcmp(what, "hump") == 0) {
        scattered_gains(d, 0.5, gain);
    } else if (strcmp(what, "particles") == 0 || strcmp(what, "ramp") == 0 || strcmp(what, "precipitation") == 0) {
        scattered_gains(d, 0.10, gain);
    } else {
        item->from = strcmp(what, "flare") == 0 ? d->sun : geometry_draw(&d->r, BURST_MOST_ZENITH_DEG);
        directional_gains(d, item->from, gain);
    }
}

/* A look-alike of transient.h, its start (or, of a ramp, its edge) at at_s. Wings reach farther than the extent told. */
static enum burst_err put_transient(struct day_draft *d, const struct transient *drawn, double at_s,
                                    struct day_item *item, struct burst_error *reterr)
{
    struct transient t = *drawn;
    struct day_piece p;
    double first, last, gain[DAY_DETECTOR_MAX][SIM_GROUP];
    const char *what = transient_name(t.family);
    name_item(item, what);
    transient_extent(&t, &first, &last);
    if (t.family != TRANSIENT_RAMP) at_s -= first;
    t.centre_s += at_s;
    item->start_s = first + at_s;
    item->stop_s = last + at_s;
    family_gains(d, what, item, gain);
    double wing = fmin(3.0 * (last - first) + 5.0, 3000.0);
    enum burst_err err = day_piece_new(d, item->start_s - fmin(wing, 300.0), item->stop_s + wing, &p, reterr);
    if (err) return err;
    struct rng flicker = d->r;
    for (int k = 0; k < d->day->n_detector; k++) {
        struct rng same = flicker;
        transient_add(&same, &t, gain[k][0], &p.grid, p.rate[k]);
        d->r = same;
    }
    day_piece_put(d, &p, 1.0, item);
    day_piece_free(&p);
    return BURST_OK;
}

static enum burst_err draw_transient(struct day_draft *d, enum transient_family family, double at_s,
                                     struct day_item *item, struct burst_error *reterr)
{
    struct transient t;
    transient_draw(&d->r, family, crystal_of(d), day_level(d, 0), &t);
    return put_transient(d, &t, at_s, item, reterr);
}

/* The way into (side > 0) or out of the anomaly. */
static enum burst_err draw_edge(struct day_draft *d, double at_s, double side, struct burst_error *reterr)
{
    struct transient t;
    do
        transient_draw(&d->r, TRANSIENT_RAMP, crystal_of(d), day_level(d, 0), &t);
    while (side * t.rise_s < 0.0);
    return put_transient(d, &t, at_s, next_item(d), reterr);
}

/* A level that changes at t0 and changes back at t1: a source beyond the Earth's limb, a slew and its return. */
static enum burst_err put_steps(struct day_draft *d, double height, double width_s, const double *part, double t0,
                                double t1, struct day_item *item, struct burst_error *reterr)
{
    struct day_piece p;
    double gain[DAY_DETECTOR_MAX][SIM_GROUP];
    item->start_s = t0 - 2.0 * width_s;
    item->stop_s = t0 + 2.0 * width_s;
    item->from = geometry_draw(&d->r, BURST_MOST_ZENITH_DEG);
    directional_gains(d, item->from, gain);
    enum burst_err err = day_piece_new(d, t0 - 8.0 * width_s, t1 + 8.0 * width_s, &p, reterr);
    for (size_t i = 0; i < p.grid.n_bin && !err; i++) {
        double t = p.grid.t0_s + ((double)i + 0.5) * p.grid.bin_s;
        double value = 0.5 * height * (tanh((t - t0) / width_s) - tanh((t - t1) / width_s));
        for (int k = 0; k < d->day->n_detector; k++)
            for (int g = 0; g < SIM_GROUP; g++)
                p.rate[k][(size_t)g * p.grid.n_bin + i] = value * part[g] * gain[k][g];
    }
    if (err) return err;
    day_piece_put(d, &p, 1.0, item);
    day_piece_free(&p);
    return BURST_OK;
}

/* The Crab's 16 and 8 counts per second and Sco X-1's 5-20 in the first two atoms of a NaI (science.md A.7), by area. */
static enum burst_err draw_occultation(struct day_draft *d, double at_s, struct day_item *item,
                                       struct burst_error *reterr)
{
    static const double PART[SIM_GROUP] = {0.70, 0.28, 0.02, 0.0, 0.0, 0.0};
    double area = d->set->mission == SIM_GECAM_B ? 45.4 / 126.0 : 1.0;
    double height = area * rng_log_between(&d->r, 3.0, 25.0) * (rng_chance(&d->r, 0.5) ? 1.0 : -1.0);
    name_item(item, "occultation");
    return put_steps(d, height, rng_between(&d->r, 3.0, 8.0), PART, at_s, at_s + rng_between(&d->r, 1800.0, 3400.0),
                     item, reterr);
}

static enum burst_err draw_slew(struct day_draft *d, double at_s, struct day_item *item, struct burst_error *reterr)
{
    struct transient t;
    transient_draw(&d->r, TRANSIENT_STEP, crystal_of(d), day_level(d, 0), &t);
    name_item(item, "step");
    return put_steps(d, t.height, t.rise_s, t.part, at_s, at_s + rng_between(&d->r, 900.0, 3000.0), item, reterr);
}

/* Multiply a stretch by what `factor` holds for each bin. */
static void scale_day(struct day_draft *d, double start_s, double stop_s, const double *factor)
{
    size_t first = (size_t)fmax(start_s / DAY_BIN_S, 0.0), last = (size_t)fmin(stop_s / DAY_BIN_S, (double)DAY_BIN);
    for (size_t row = 0; row < (size_t)d->day->n_detector * SIM_ATOM; row++)
        for (size_t i = first; i < last; i++)
            d->rate[row * DAY_BIN + i] *= (float)factor[i - first];
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
    double factor[162], kept = rng_chance(&d->r, 0.6) ? 0.0 : rng_between(&d->r, 0.2, 0.8);
    double length = rng_log_between(&d->r, DAY_BIN_S, 160 * DAY_BIN_S);
    for (size_t i = 0; i < sizeof factor / sizeof factor[0]; i++)
        factor[i] = kept;
    name_item(item, "dropout");
    item->start_s = at_s;
    item->stop_s = at_s + length;
    scale_day(d, at_s, at_s + length, factor);
    return BURST_OK;
}

/* Brightness 1 gives each detector its gain; the whole is scaled to the S/N wanted. Real bursts are as bright as told on
 * an axis of the spacecraft, so that the detectors shown may see little of them. */
static enum burst_err draw_burst(struct day_draft *d, double at_s, double snr, int injected, struct day_item *item,
                                 struct burst_error *reterr)
{
    struct burst *b = malloc(sizeof *b);
    struct day_piece p;
    double first, last, gain[DAY_DETECTOR_MAX][SIM_GROUP], best = 0.0;
    if (!b) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a burst");
    burst_draw(&d->r, b);
    burst_extent(b, &first, &last);
    struct direction axis = geometry_axis(d->set->mission, d->day->detector[0]);
    do
        item->from = geometry_draw(&d->r, BURST_MOST_ZENITH_DEG);
    while (injected && geometry_cosine(axis, item->from) < 0.80); /* within 37 degrees: the best of many detectors */
    directional_gains(d, item->from, gain);
    name_item(item, "burst");
    item->start_s = at_s;
    item->stop_s = at_s + last - first;
    item->t90_s = b->t90_s;
    enum burst_err err = day_piece_new(d, item->start_s - 60.0, item->stop_s + 120.0, &p, reterr);
    for (int k = 0; k < d->day->n_detector && !err; k++) {
        burst_add(b, crystal_of(d), gain[k], &p.grid, at_s - first, p.rate[k]);
        double seen =
            injected ? 1.0 : fmax(gain[k][1], 1e-3) / 0.9; /* nearest axis of a spacecraft: about 25 degrees off */
        best = fmax(best, day_piece_snr(d, &p, k) / seen);
    }
    free(b);
    if (err) return err;
    if (best > 0.0) day_piece_put(d, &p, snr / best, item);
    day_piece_free(&p);
    return BURST_OK;
}

static int near_outage(const struct day *day, double t)
{
    for (int i = 0; i < day->n_item; i++)
        if (strcmp(day->item[i].what, "outage") == 0 && t > day->item[i].start_s - OUTAGE_CLEAR_S &&
            t < day->item[i].stop_s + OUTAGE_CLEAR_S)
            return 1;
    return 0;
}

/* Detectors count bursts as real GBM does: ln S/N of the brightest N(ln 14, 1.1), 4 or more (science.md A.4). */
static double real_snr(struct rng *r)
{
    double snr = 0.0;
    while (snr < 4.0)
        snr = rng_lognormal(r, 14.0, 1.1);
    return snr;
}

static enum burst_err draw_bursts(struct day_draft *d, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    const struct day_settings *set = d->set;
    int alone;
    uint32_t n = set->bursts == DAY_BURSTS_REAL ? rng_poisson(&d->r, day_rate("burst", &alone)) : 0;
    for (; n > 0 && !err; n--)
        err = draw_burst(d, rng_between(&d->r, 0.0, DAY_S), real_snr(&d->r), 0, next_item(d), reterr);
    if (set->bursts != DAY_BURSTS_INJECT) return err;
    for (double t = 0.5 * set->every_s; t < DAY_S - 300.0 && d->day->n_item < DAY_ITEM_MAX && !err; t += set->every_s) {
        double start = t + rng_between(&d->r, -0.2, 0.2) * set->every_s;
        double snr = rng_log_between(&d->r, set->snr_low, set->snr_high);
        if (!near_outage(d->day, start)) err = draw_burst(d, start, snr, 1, next_item(d), reterr);
    }
    return err;
}

static enum burst_err draw_named(struct day_draft *d, const char *what, int family, double at_s,
                                 struct burst_error *reterr)
{
    struct day_item *item = next_item(d);
    if (strcmp(what, "flicker") == 0) return draw_flicker(d, at_s, item, reterr);
    if (strcmp(what, "dropout") == 0) return draw_dropout(d, at_s, item);
    if (strcmp(what, "occultation") == 0) return draw_occultation(d, at_s, item, reterr);
    if (family == TRANSIENT_STEP) return draw_slew(d, at_s, item, reterr);
    return draw_transient(d, (enum transient_family)family, at_s, item, reterr);
}

/* As many as chance has it, anywhere on the day. */
static enum burst_err draw_family(struct day_draft *d, const char *what, int family, struct burst_error *reterr)
{
    int alone = 0;
    enum burst_err err = BURST_OK;
    double rate = d->set->rate * day_rate(what, &alone) * (alone ? d->day->n_detector : 1);
    for (uint32_t n = rng_poisson(&d->r, rate); n > 0 && !err; n--) {
        if (d->day->n_item >= DAY_ITEM_MAX)
            return burst_fail(reterr, BURST_E_LIMIT, "more than %d things happen on a day", DAY_ITEM_MAX);
        err = draw_named(d, what, family, rng_between(&d->r, 0.0, DAY_S), reterr);
    }
    return err;
}

enum burst_err day_happenings(struct day_draft *d, struct burst_error *reterr)
{
    static const char *const OTHER[] = {"occultation", "flicker", "dropout"};
    enum burst_err err = BURST_OK;
    int n_outage = d->day->n_item;
    for (int i = 0; i < n_outage && !err; i++) {
        err = draw_edge(d, d->day->item[i].start_s, 1.0, reterr);
        if (!err) err = draw_edge(d, d->day->item[i].stop_s, -1.0, reterr);
    }
    for (int f = 0; f < TRANSIENT_N && !err; f++)
        if (f != TRANSIENT_RAMP) err = draw_family(d, transient_name((enum transient_family)f), f, reterr);
    if (!err) err = draw_bursts(d, reterr);
    for (size_t i = 0; i < sizeof OTHER / sizeof OTHER[0] && !err;
         i++) /* losses take of everything, so they come last */
        err = draw_family(d, OTHER[i], -1, reterr);
    return err;
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
