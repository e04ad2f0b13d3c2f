/* Poisson events from rates in 8 ms steps. */
#include "sim/events.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double STEP_S = 0.008;
static const int64_t STEP_NS = 8000000;
static const double EDGE_KEV[SIM_ATOM + 1] = {25, 50, 100, 300, 500, 900};
static const double LEAST_KEV = 8.0, GAIN_KEV = 300.0, FALL = -1.5;

/* ln E = ln E0 + a ln(1 + k / b): with these a, b channel 0 ends at 2.18 keV and channel 54 begins at 39.1
 * (formats.md 2). */
static double gecam_edge(size_t k)
{
    static const double B = 37.3;
    return k == LADDER_MAX ? 10053.5 : 2.0 * exp(log(10053.5 / 2.0) * log1p((double)k / B) / log1p(LADDER_MAX / B));
}

static double gbm_edge(size_t k)
{
    return 5.3 * pow(2000.0 / 5.3, (double)k / 128.0);
}

/* 259 rows (formats.md 2), 15 keV to 5 MeV. */
static double grm_edge(size_t k)
{
    return 15.0 * pow(5000.0 / 15.0, (double)k / 259.0);
}

static double edge_of(enum sim_mission mission, size_t k)
{
    if (mission == SIM_FERMI_GBM) return gbm_edge(k);
    return mission == SIM_SVOM_GRM ? grm_edge(k) : gecam_edge(k);
}

static int group_of(double kev)
{
    for (int a = 0; a < SIM_ATOM; a++)
        if (kev >= EDGE_KEV[a] && kev < EDGE_KEV[a + 1]) return a;
    return SIM_REST;
}

void ladder_make(enum sim_mission mission, struct ladder *ret_ladder)
{
    struct ladder *l = ret_ladder;
    double weight[SIM_GROUP] = {0};
    memset(l, 0, sizeof *l);
    l->n_channel = mission == SIM_FERMI_GBM ? 128 : mission == SIM_SVOM_GRM ? 259 : LADDER_MAX;
    for (size_t k = 0; k < l->n_channel; k++) {
        l->e_min_kev[k] = (float)edge_of(mission, k);
        l->e_max_kev[k] = (float)edge_of(mission, k + 1);
        double low = (double)l->e_min_kev[k], high = (double)l->e_max_kev[k], middle = sqrt(low * high);
        weight[group_of(middle)] += middle < LEAST_KEV ? 0.0 : (high - low) * pow(middle, FALL);
        for (int g = 0; g < SIM_GROUP; g++)
            l->cumulative[g][k] = weight[g];
    }
    for (int g = 0; g < SIM_GROUP; g++)
        for (size_t k = 0; k < l->n_channel; k++)
            l->cumulative[g][k] /= weight[g];
}

static uint16_t draw_channel(struct rng *r, const struct ladder *l, int group)
{
    double x = rng_uniform(r);
    size_t low = 0, high = l->n_channel - 1;
    while (low < high) { /* first channel whose cumulative weight passes x */
        size_t middle = (low + high) / 2;
        if (l->cumulative[group][middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint16_t)low;
}

static enum burst_err store_room(struct event_store *store, size_t n, struct burst_error *reterr)
{
    if (n <= store->room) return BURST_OK;
    size_t room = n + n / 2 + 1024;
    int64_t *t = realloc(store->t_ns, room * sizeof *t);
    if (t) store->t_ns = t;
    uint16_t *channel = realloc(store->channel, room * sizeof *channel);
    if (channel) store->channel = channel;
    uint8_t *gain = realloc(store->gain, room);
    if (gain) store->gain = gain;
    if (!t || !channel || !gain) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu events", room);
    store->room = room;
    return BURST_OK;
}

/* Sorted in as they come: a step holds a handful. */
static void store_insert(struct event_store *store, size_t step_first, int64_t t_ns, uint16_t channel, uint8_t gain)
{
    size_t at = store->n_event++;
    for (; at > step_first && store->t_ns[at - 1] > t_ns; at--) {
        store->t_ns[at] = store->t_ns[at - 1];
        store->channel[at] = store->channel[at - 1];
        store->gain[at] = store->gain[at - 1];
    }
    store->t_ns[at] = t_ns;
    store->channel[at] = channel;
    store->gain[at] = gain;
}

static enum burst_err draw_step(struct rng *r, const struct ladder *l, const double *rate, size_t n_step, size_t step,
                                int64_t start_ns, struct event_store *store, struct burst_error *reterr)
{
    size_t first = store->n_event;
    for (int g = 0; g < SIM_GROUP; g++) {
        uint32_t n = rng_poisson(r, rate[(size_t)g * n_step + step] * STEP_S);
        enum burst_err err = store_room(store, store->n_event + n, reterr);
        if (err) return err;
        for (uint32_t i = 0; i < n; i++) {
            uint16_t channel = draw_channel(r, l, g);
            int64_t t = start_ns + (int64_t)step * STEP_NS + (int64_t)((double)STEP_NS * rng_uniform(r));
            store_insert(store, first, t, channel, (double)l->e_min_kev[channel] >= GAIN_KEV);
        }
    }
    return BURST_OK;
}

enum burst_err events_draw(const struct scene *s, const struct ladder *ladder, int detector, double start_s,
                           double stop_s, struct event_store *store, struct burst_error *reterr)
{
    store->n_event = 0;
    if (!(start_s >= 0.0 && start_s < stop_s) || detector < 0 || detector >= s->n_detector)
        return burst_fail(reterr, BURST_E_RANGE, "events of detector %d from %g to %g s of a scene with %d detectors",
                          detector, start_s, stop_s, s->n_detector);
    struct sim_grid grid = {start_s, STEP_S, (size_t)llround((stop_s - start_s) / STEP_S)};
    double *rate = malloc(SIM_GROUP * grid.n_bin * sizeof *rate);
    if (!rate) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the rates of %g s", stop_s - start_s);
    struct rng r;
    rng_seed(&r, s->seed ^ UINT64_C(0x5EED0E7E47500000),
             (uint64_t)detector << 40 | (uint64_t)llround(start_s / STEP_S));
    scene_rates(s, detector, &grid, rate);
    enum burst_err err = BURST_OK;
    for (size_t i = 0; i < grid.n_bin && !err; i++)
        err = draw_step(&r, ladder, rate, grid.n_bin, i, llround(start_s / STEP_S) * STEP_NS, store, reterr);
    free(rate);
    if (err) store->n_event = 0;
    return err;
}

void event_store_fini(struct event_store *store)
{
    free(store->t_ns);
    free(store->channel);
    free(store->gain);
    memset(store, 0, sizeof *store);
}
