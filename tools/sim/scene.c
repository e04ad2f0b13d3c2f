/* Drawing scenes and adding up what a detector sees. */
#include "sim/scene.h"
#include "sim/lightcurve.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double BIN_S = 0.064;
static const double NIGHT_GAP_S = 240.0; /* longer than a window, so that happenings do not share one */
static const double OUTAGE_CLEAR_S = 120.0;
#define SCENE_ORBIT_S 5700.0 /* as in background.c */

static enum crystal crystal_of(enum sim_mission mission)
{
    return mission == SIM_FERMI_GBM || mission == SIM_SVOM_GRM ? CRYSTAL_NAI : CRYSTAL_LABR3;
}

static double atom_level(const struct background *b)
{
    double sum = 0.0;
    for (int a = 0; a < SIM_ATOM; a++)
        sum += b->level[a];
    return sum;
}

/* Cosine law times a scatter of 12 % per detector; one in ten is in the spacecraft's shadow. Source: science.md A.5. */
static void directional_gains(struct rng *r, const struct scene *s, struct scene_item *item)
{
    for (int d = 0; d < s->n_detector; d++) {
        double cosine = geometry_cosine(geometry_axis(s->mission, d), item->from);
        double seen = rng_chance(r, 0.10) ? rng_between(r, 0.02, 0.10) : rng_lognormal(r, 1.0, 0.12);
        for (int g = 0; g < SIM_GROUP; g++)
            item->gain[d][g] = seen * spectrum_angle_factor(cosine, g);
    }
}

static void equal_gains(struct rng *r, const struct scene *s, double scatter, struct scene_item *item)
{
    for (int d = 0; d < s->n_detector; d++) {
        double gain = rng_lognormal(r, 1.0, scatter);
        for (int g = 0; g < SIM_GROUP; g++)
            item->gain[d][g] = gain;
    }
}

static void one_detector(struct rng *r, const struct scene *s, struct scene_item *item)
{
    int d = (int)(s->n_detector * rng_uniform(r));
    for (int g = 0; g < SIM_GROUP; g++)
        item->gain[d][g] = 1.0;
}

/* A pulse of amplitude 1 gives gain[g] counts per second: brightness is in the gains. */
static void item_add(const struct scene *s, const struct scene_item *item, int d, const struct sim_grid *grid,
                     double *rate)
{
    if (item->burst) {
        burst_add(item->burst, crystal_of(s->mission), item->gain[d], grid, item->start_s, rate);
        return;
    }
    struct rng flicker;
    rng_seed(&flicker, s->seed, item->flicker_stream + (uint64_t)grid->t0_s);
    transient_add(&flicker, &item->transient, item->gain[d][0], grid, rate);
}

/* Expected S/N of an item in detector d over a steady background; its first 300 s are enough to find the best 8 s. */
static enum burst_err item_snr(const struct scene *s, const struct scene_item *item, int d, double *ret_snr,
                               struct burst_error *reterr)
{
    struct sim_grid grid = {item->start_s - 1.0, BIN_S,
                            (size_t)(fmin(item->stop_s - item->start_s, 300.0) / BIN_S) + 32};
    double *rate = calloc((SIM_GROUP + 2) * grid.n_bin, sizeof *rate);
    uint8_t *valid = malloc(grid.n_bin);
    if (!rate || !valid) {
        free(rate);
        free(valid);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory to weigh an item of a scene");
    }
    double *signal = rate + SIM_GROUP * grid.n_bin, *background = signal + grid.n_bin;
    item_add(s, item, d, &grid, rate);
    memset(valid, 1, grid.n_bin);
    for (size_t i = 0; i < grid.n_bin; i++) {
        background[i] = atom_level(&s->background[d]) * BIN_S;
        for (size_t a = 0; a < SIM_ATOM; a++)
            signal[i] += rate[a * grid.n_bin + i] * BIN_S;
    }
    *ret_snr = lightcurve_snr(signal, background, valid, grid.n_bin);
    free(rate);
    free(valid);
    return BURST_OK;
}

static enum burst_err best_snr(const struct scene *s, struct scene_item *item, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    item->snr = 0.0;
    for (int d = 0; d < s->n_detector && !err; d++) {
        double snr = 0.0;
        err = item_snr(s, item, d, &snr, reterr);
        item->snr = fmax(item->snr, snr);
    }
    return err;
}

/* A burst that fits between its start and the scene's end, as bright as told. */
static enum burst_err draw_burst(struct rng *r, const struct scene *s, double start_s, double snr,
                                 struct scene_item *item, struct burst_error *reterr)
{
    double first, last;
    item->burst = malloc(sizeof *item->burst);
    if (!item->burst) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a burst");
    do {
        burst_draw(r, item->burst);
        burst_extent(item->burst, &first, &last);
    } while (item->burst->t90_s < 0.2 || item->burst->t90_s > 0.25 * (s->duration_s - start_s));
    item->start_s = start_s - first;
    item->stop_s = start_s - first + last;
    item->from = geometry_draw(r, 80.0);
    directional_gains(r, s, item);
    enum burst_err err = best_snr(s, item, reterr);
    for (int d = 0; d < s->n_detector && !err; d++)
        for (int g = 0; g < SIM_GROUP; g++)
            item->gain[d][g] *= snr / item->snr;
    item->start_s = start_s - first;
    item->snr = snr;
    return err;
}

static enum burst_err draw_look_alike(struct rng *r, const struct scene *s, enum transient_family family,
                                      double start_s, struct scene_item *item, struct burst_error *reterr)
{
    double first, last;
    transient_draw(r, family, crystal_of(s->mission), atom_level(&s->background[0]), &item->transient);
    transient_extent(&item->transient, &first, &last);
    item->transient.centre_s = start_s - first;
    item->start_s = start_s;
    item->stop_s = start_s - first + last;
    item->flicker_stream = rng_next(r) >> 16;
    item->from = geometry_draw(r, 80.0);
    if (family == TRANSIENT_FLARE)
        directional_gains(r, s, item);
    else if (family == TRANSIENT_SPIKE)
        one_detector(r, s, item);
    else
        equal_gains(r, s, 0.10, item);
    return best_snr(s, item, reterr);
}

/* The hump of SCENE_HUMP: sure to be seen, and to begin and end inside the scene. */
static enum burst_err draw_hump(struct rng *r, struct scene *s, struct burst_error *reterr)
{
    struct scene_item *item = &s->item[s->n_item++];
    double level = atom_level(&s->background[0]);
    enum burst_err err = BURST_OK;
    do {
        err = draw_look_alike(r, s, TRANSIENT_HUMP, 0.0, item, reterr);
    } while (!err && (item->transient.height < 0.3 * level || item->stop_s > 0.8 * s->duration_s));
    double shift = 0.5 * (s->duration_s - item->stop_s);
    item->start_s += shift;
    item->stop_s += shift;
    item->transient.centre_s += shift;
    return err;
}

/* A burst, a hump, a spike or a flare; the first of a scene is a burst. */
static enum burst_err draw_happening(struct rng *r, struct scene *s, double start_s, double snr,
                                     struct burst_error *reterr)
{
    static const double SHARE[4] = {0.45, 0.25, 0.15, 0.15};
    static const enum transient_family FAMILY[4] = {TRANSIENT_N, TRANSIENT_HUMP, TRANSIENT_SPIKE, TRANSIENT_FLARE};
    struct scene_item *item = &s->item[s->n_item++];
    enum transient_family family = FAMILY[s->n_item == 1 ? 0 : rng_pick(r, SHARE, 4)];
    if (family == TRANSIENT_N) return draw_burst(r, s, start_s, snr, item, reterr);
    return draw_look_alike(r, s, family, start_s, item, reterr);
}

static enum burst_err draw_night(struct rng *r, struct scene *s, double snr, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (double t = 0.5 * NIGHT_GAP_S; t < s->duration_s - 30.0 && s->n_item < SCENE_ITEM_MAX && !err;
         t += NIGHT_GAP_S) {
        double start = t + rng_between(r, -20.0, 20.0), bright = snr > 0.0 ? snr : rng_log_between(r, 8.0, 150.0);
        err = draw_happening(r, s, start, bright, reterr);
    }
    return err;
}

/* An inclination of 29 degrees meets the anomaly on about half of its orbits, deepest in the middle of them. */
static void draw_outages(struct rng *r, struct scene *s)
{
    enum { ORBITS_A_DAY = 15, PASSES = 7 };
    static const double DEEPEST_S = 1320.0;
    int first = (int)(ORBITS_A_DAY * rng_uniform(r));
    double phase = rng_uniform(r);
    for (int orbit = 0; (orbit + phase) * SCENE_ORBIT_S < s->duration_s && s->n_outage < SCENE_OUTAGE_MAX; orbit++) {
        int pass = (orbit + first) % ORBITS_A_DAY;
        if (pass >= PASSES) continue;
        double middle = (orbit + phase) * SCENE_ORBIT_S, half = 0.5 * DEEPEST_S * sin(M_PI * (pass + 0.5) / PASSES);
        struct scene_outage outage = {floor(fmax(middle - half, 0.0)), floor(fmin(middle + half, s->duration_s))};
        if (outage.stop_s > outage.start_s) s->outage[s->n_outage++] = outage;
    }
}

/* The way in (side > 0) or out of the anomaly, seen up to the moment the detectors go off or from when they are on. */
static enum burst_err draw_edge(struct rng *r, struct scene *s, double at_s, double side, struct burst_error *reterr)
{
    struct scene_item *item = &s->item[s->n_item++];
    enum burst_err err = BURST_OK;
    do {
        err = draw_look_alike(r, s, TRANSIENT_RAMP, 0.0, item, reterr);
    } while (!err && side * item->transient.rise_s < 0.0);
    double shift = at_s - item->transient.centre_s;
    item->transient.centre_s += shift;
    item->start_s += shift;
    item->stop_s += shift;
    return err;
}

static bool outage_near(const struct scene *s, double t)
{
    for (int i = 0; i < s->n_outage; i++)
        if (t > s->outage[i].start_s - OUTAGE_CLEAR_S && t < s->outage[i].stop_s + OUTAGE_CLEAR_S) return true;
    return false;
}

static enum burst_err draw_orbit(struct rng *r, struct scene *s, double every_s, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    draw_outages(r, s);
    for (int i = 0; i < s->n_outage && !err; i++) {
        err = draw_edge(r, s, s->outage[i].start_s, 1.0, reterr);
        if (!err) err = draw_edge(r, s, s->outage[i].stop_s, -1.0, reterr);
    }
    for (double t = 0.5 * every_s; t < s->duration_s - 30.0 && s->n_item < SCENE_ITEM_MAX && !err; t += every_s) {
        double start = t + rng_between(r, -0.4, 0.4) * every_s, bright = rng_log_between(r, 8.0, 150.0);
        if (!outage_near(s, start)) err = draw_happening(r, s, start, bright, reterr);
    }
    return err;
}

static enum burst_err draw_items(struct rng *r, struct scene *s, enum scene_kind kind, double snr,
                                 struct burst_error *reterr)
{
    double bright = snr > 0.0 ? snr : rng_log_between(r, 8.0, 150.0);
    switch (kind) {
    case SCENE_BURST: return draw_burst(r, s, 0.5 * s->duration_s, bright, &s->item[s->n_item++], reterr);
    case SCENE_HUMP: return draw_hump(r, s, reterr);
    case SCENE_NIGHT: return draw_night(r, s, snr, reterr);
    default: return BURST_OK;
    }
}

enum burst_err scene_new(enum sim_mission mission, enum scene_kind kind, uint64_t seed, double duration_s, double snr,
                         struct scene **ret_scene, struct burst_error *reterr)
{
    struct rng r;
    if (!(duration_s >= 60.0 && duration_s <= 1e6) || !(snr >= 0.0 && snr <= 1e4))
        return burst_fail(reterr, BURST_E_RANGE, "a scene of %g s with S/N %g; 60 to 1e6 s and 0 to 1e4 are taken",
                          duration_s, snr);
    struct scene *s = calloc(1, sizeof *s);
    if (!s) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a scene");
    rng_seed(&r, seed, 0);
    s->mission = mission;
    s->seed = seed;
    s->duration_s = duration_s;
    s->n_detector = geometry_count(mission);
    s->orbit_phase = rng_uniform(&r);
    for (int d = 0; d < s->n_detector; d++)
        background_draw(&r, mission, 1.0, &s->background[d]);
    enum burst_err err = draw_items(&r, s, kind, snr, reterr);
    if (err) {
        scene_free(s);
        return err;
    }
    *ret_scene = s;
    return BURST_OK;
}

enum burst_err scene_new_orbit(enum sim_mission mission, uint64_t seed, double duration_s, double every_s, double rate,
                               double rest, struct scene **ret_scene, struct burst_error *reterr)
{
    struct scene *s = NULL;
    struct rng r;
    if (!(duration_s <= 604800.0 && every_s >= 120.0 && rate > 0.0 && rate <= 1000.0 && rest > 0.0 && rest <= 1000.0))
        return burst_fail(reterr, BURST_E_RANGE, "an orbit of %g s, something every %g s, rates times %g and %g",
                          duration_s, every_s, rate, rest);
    enum burst_err err = scene_new(mission, SCENE_QUIET, seed, duration_s, 0.0, &s, reterr);
    if (err) return err;
    for (int d = 0; d < s->n_detector; d++)
        for (int g = 0; g < SIM_GROUP; g++)
            s->background[d].level[g] *= g == SIM_REST ? rate * rest : rate;
    rng_seed(&r, seed, 1);
    err = draw_orbit(&r, s, every_s, reterr);
    if (err)
        scene_free(s);
    else
        *ret_scene = s;
    return err;
}

void scene_free(struct scene *s)
{
    for (int i = 0; s && i < s->n_item; i++)
        free(s->item[i].burst);
    free(s);
}

const char *scene_item_name(const struct scene_item *item)
{
    return item->burst ? "burst" : transient_name(item->transient.family);
}

void scene_rates(const struct scene *s, int detector, const struct sim_grid *grid, double *rate)
{
    background_set_orbit(&s->background[detector], s->orbit_phase, grid, rate);
    for (int i = 0; i < s->n_item; i++) {
        double end = grid->t0_s + (double)grid->n_bin * grid->bin_s, start, stop;
        const struct scene_item *item = &s->item[i];
        start =
            item->burst ? item->start_s - 60.0 : item->start_s - 300.0; /* wings reach farther than the extent told */
        stop = item->burst ? item->stop_s + 120.0 : item->stop_s + 3000.0;
        if (stop > grid->t0_s && start < end) item_add(s, item, detector, grid, rate);
    }
}
