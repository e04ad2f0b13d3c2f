/* One sample: validity, background, burst or look-alike, losses, then integer counts per atom. */
#include "sim/lightcurve.h"
#include "records/bands.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double BIN_S = 0.064, SNR_FLOOR = 5.0;
static const struct sim_grid WINDOW = {0.0, 0.064, WINDOW_BINS};
static const double ONE[SIM_GROUP] = {1, 1, 1, 1, 1, 1}; /* scaled to the S/N afterwards */
enum { LEAST_VALID = 469 };                              /* 30 s: windows with less are not scored (protocol.md 4) */

/* Rates in counts per second, [SIM_GROUP][WINDOW_BINS] each. */
struct rates {
    double background[SIM_GROUP * WINDOW_BINS], signal[SIM_GROUP * WINDOW_BINS];
};

/* Two in three windows are whole; others begin or end with the data, or have holes. */
static void draw_valid(struct rng *r, uint8_t *valid)
{
    static const double KIND[] = {0.64, 0.24, 0.04, 0.08}; /* whole, data begin, data end, holes */
    memset(valid, 1, WINDOW_BINS);
    int kind = rng_pick(r, KIND, 4);
    size_t n = (size_t)rng_between(r, LEAST_VALID, WINDOW_BINS);
    if (kind == 1) memset(valid, 0, WINDOW_BINS - n);
    if (kind == 2) memset(valid + n, 0, WINDOW_BINS - n);
    for (int hole = kind == 3 ? 1 + (int)rng_poisson(r, 0.7) : 0; hole > 0; hole--) {
        size_t length = (size_t)rng_log_between(r, 1.0, 160.0), at = (size_t)rng_between(r, 0.0, WINDOW_BINS - 160.0);
        memset(valid + at, 0, length);
    }
}

static void valid_range(const uint8_t *valid, int *ret_first, int *ret_last)
{
    int first = 0, last = WINDOW_BINS - 1;
    while (first < last && !valid[first])
        first++;
    while (last > first && !valid[last])
        last--;
    *ret_first = first;
    *ret_last = last;
}

double lightcurve_snr(const double *signal, const double *background, const uint8_t *valid, size_t n_bin)
{
    double best = 0.0;
    for (size_t length = 1; length <= 128 && length <= n_bin; length *= 2) {
        double s = 0.0, b = 0.0;
        for (size_t i = 0; i < n_bin; i++) {
            s += valid[i] ? signal[i] : 0.0;
            b += valid[i] ? background[i] : 0.0;
            if (i >= length && valid[i - length]) s -= signal[i - length], b -= background[i - length];
            if (i + 1 >= length && b > 0.0 && s > 0.0) best = fmax(best, s / sqrt(b));
        }
    }
    return best;
}

/* Counts per bin, 25-900 keV. */
static void total(const double *rate, double *ret_counts)
{
    for (size_t i = 0; i < WINDOW_BINS; i++) {
        ret_counts[i] = 0.0;
        for (size_t a = 0; a < SIM_ATOM; a++)
            ret_counts[i] += rate[a * WINDOW_BINS + i] * BIN_S;
    }
}

static double rates_snr(const struct rates *rates, const uint8_t *valid)
{
    double signal[WINDOW_BINS], background[WINDOW_BINS];
    total(rates->signal, signal);
    total(rates->background, background);
    return lightcurve_snr(signal, background, valid, WINDOW_BINS);
}

static int brightest_bin(const double *rate)
{
    double counts[WINDOW_BINS];
    total(rate, counts);
    int best = 0;
    for (int i = 1; i < WINDOW_BINS; i++)
        if (counts[i] > counts[best]) best = i;
    return best;
}

/* science.md A.4: by S/N, not by flux, so that the faint end is learned; the 8 % are the brightest of a decade. */
static double draw_snr(struct rng *r)
{
    if (rng_chance(r, 0.08)) return rng_log_between(r, 100.0, 1500.0);
    double snr = 0.0;
    while (snr < SNR_FLOOR)
        snr = rng_lognormal(r, 14.0, 1.1);
    return snr;
}

static double loudest_pulse_s(const struct burst *b)
{
    int best = 0;
    for (int i = 1; i < b->n_pulse; i++)
        if (b->pulse[i].amplitude > b->pulse[best].amplitude) best = i;
    return b->pulse[best].peak_s;
}

/* Anywhere in the valid part by its loudest pulse; 15 % have only begun when the window ends. */
static double place_burst(struct rng *r, const struct burst *b, const uint8_t *valid)
{
    int first, last;
    valid_range(valid, &first, &last);
    if (rng_chance(r, 0.15)) {
        double start, stop;
        burst_extent(b, &start, &stop);
        return (last + 1) * BIN_S - rng_log_between(r, 0.2, 10.0) - start;
    }
    return rng_between(r, first, last + 1) * BIN_S - loudest_pulse_s(b);
}

static void scale(double *values, double factor)
{
    for (size_t i = 0; i < (size_t)SIM_GROUP * WINDOW_BINS; i++)
        values[i] *= factor;
}

/* Redrawn when it fell into a hole of the data, or when the window would show its tail alone. */
static void draw_burst(struct rng *r, enum crystal crystal, const uint8_t *valid, struct rates *rates,
                       struct sample_facts *facts)
{
    struct burst b;
    double snr = 0.0, target = draw_snr(r);
    while (!(snr > 0.0)) {
        burst_draw(r, &b);
        double start = place_burst(r, &b, valid);
        memset(rates->signal, 0, sizeof rates->signal);
        burst_add(&b, crystal, ONE, &WINDOW, start, rates->signal);
        snr = rates_snr(rates, valid);
    }
    scale(rates->signal, target / snr);
    facts->snr = target;
    facts->t90_s = b.t90_s;
    facts->peak_s = brightest_bin(rates->signal) * BIN_S;
    (void)snprintf(facts->family, sizeof facts->family, "burst");
}

static double atom_level(const struct background *b)
{
    double sum = 0.0;
    for (int a = 0; a < SIM_ATOM; a++)
        sum += b->level[a];
    return sum;
}

/* After the ramp's edge (or before it, on the way out) the detectors are off. */
static void ramp_valid(const struct transient *t, uint8_t *valid)
{
    memset(valid, 1, WINDOW_BINS);
    for (int i = 0; i < WINDOW_BINS; i++)
        if (((i + 0.5) * BIN_S - t->centre_s) / t->rise_s > 0.0) valid[i] = 0;
}

static void place_transient(struct rng *r, struct transient *t)
{
    double start, stop, length = WINDOW_BINS * BIN_S;
    if (t->family == TRANSIENT_RAMP) { /* at least 30 s of data stay */
        t->centre_s = t->rise_s > 0.0 ? rng_between(r, 35.0, length) : rng_between(r, 0.0, length - 35.0);
        return;
    }
    transient_extent(t, &start, &stop);
    t->centre_s = rng_between(r, -0.6 * stop, length - 0.6 * start); /* its wings may be all that is seen */
}

static void draw_transient(struct rng *r, enum transient_family family, enum crystal crystal, double level,
                           uint8_t *valid, struct rates *rates, struct sample_facts *facts)
{
    struct transient t;
    transient_draw(r, family, crystal, level, &t);
    place_transient(r, &t);
    if (family == TRANSIENT_RAMP) ramp_valid(&t, valid);
    double before[SIM_GROUP * WINDOW_BINS];
    memcpy(before, rates->background, sizeof before);
    transient_add(r, &t, 1.0, &WINDOW, rates->background);
    for (size_t i = 0; i < (size_t)SIM_GROUP * WINDOW_BINS; i++)
        rates->signal[i] = fmax(rates->background[i] - before[i], 0.0);
    memcpy(rates->background, before, sizeof before);
    if (family != TRANSIENT_STEP || t.height > 0.0) facts->snr = rates_snr(rates, valid);
    transient_add(r, &t, 1.0, &WINDOW, rates->background); /* with its falls, which `signal` cannot hold */
    memset(rates->signal, 0, sizeof rates->signal);
    facts->peak_s = t.centre_s;
    (void)snprintf(facts->family, sizeof facts->family, "%s", transient_name(family));
}

/* Lost packets inside good time: all counts of a stretch, or a part of them. */
static void draw_loss(struct rng *r, struct rates *rates)
{
    size_t length = (size_t)rng_log_between(r, 1.0, 160.0), at = (size_t)rng_between(r, 0.0, WINDOW_BINS - 160.0);
    double kept = rng_chance(r, 0.6) ? 0.0 : rng_between(r, 0.2, 0.8);
    for (size_t g = 0; g < SIM_GROUP; g++)
        for (size_t i = at; i < at + length; i++) {
            rates->background[g * WINDOW_BINS + i] *= kept;
            rates->signal[g * WINDOW_BINS + i] *= kept;
        }
}

static void draw_quiet(struct rng *r, const struct sample_wish *wish, enum crystal crystal, double level,
                       uint8_t *valid, struct rates *rates, struct sample_facts *facts)
{
    /* transient families in their order, then plain quiet, then packet loss; a hump needs most examples after quiet */
    static const double SHARE[TRANSIENT_N + 2] = {0.24, 0.03, 0.07, 0.05, 0.02, 0.03, 0.03, 0.07, 0.05, 0.36, 0.05};
    int family = wish->family >= 0 ? wish->family : rng_pick(r, SHARE, TRANSIENT_N + 2);
    if (family < TRANSIENT_N) {
        draw_transient(r, (enum transient_family)family, crystal, level, valid, rates, facts);
        return;
    }
    int lossy = family > TRANSIENT_N;
    if (lossy) draw_loss(r, rates);
    (void)snprintf(facts->family, sizeof facts->family, "%s", lossy ? "dropout" : "quiet");
}

static void draw_counts(struct rng *r, const struct rates *rates, struct lightcurve_window *w)
{
    memset(w->counts, 0, (size_t)SIM_ATOM * WINDOW_BINS * sizeof *w->counts);
    for (size_t a = 0; a < SIM_ATOM; a++)
        for (size_t i = 0; i < WINDOW_BINS; i++) {
            size_t at = a * WINDOW_BINS + i;
            if (w->valid[i]) w->counts[at] = rng_poisson(r, (rates->background[at] + rates->signal[at]) * BIN_S);
        }
}

static void count_valid(const uint8_t *valid, struct sample_facts *facts)
{
    int first, last;
    valid_range(valid, &first, &last);
    for (int i = 0; i < WINDOW_BINS; i++)
        facts->n_valid += valid[i];
    facts->n_missing_inside = last + 1 - first - facts->n_valid;
}

void lightcurve_sample(uint64_t seed, uint64_t index, const struct sample_wish *wish, struct lightcurve_window *w,
                       struct sample_facts *ret_facts)
{
    struct rng r;
    struct rates rates;
    struct background background;
    struct sample_facts facts = {.label = wish->label, .peak_s = -1.0};
    rng_seed(&r, seed, index);
    facts.mission = wish->mix == SIM_MIX_BOTH ? (enum sim_mission)rng_chance(&r, 0.5) : (enum sim_mission)wish->mix;
    enum crystal crystal = facts.mission == SIM_GECAM_B ? CRYSTAL_LABR3 : CRYSTAL_NAI;
    draw_valid(&r, w->valid);
    if (facts.label < 0) facts.label = rng_chance(&r, 0.5);
    background_draw(&r, facts.mission, 1.5, &background);
    background_set(&r, &background, &WINDOW, rates.background);
    memset(rates.signal, 0, sizeof rates.signal);
    if (facts.label)
        draw_burst(&r, crystal, w->valid, &rates, &facts);
    else
        draw_quiet(&r, wish, crystal, atom_level(&background), w->valid, &rates, &facts);
    if (facts.label && rng_chance(&r, 0.02)) draw_loss(&r, &rates);
    band_set_default(&w->bands);
    w->n_detector = 1;
    w->detector[0] = 0;
    draw_counts(&r, &rates, w);
    count_valid(w->valid, &facts);
    w->n_valid[0] = facts.n_valid;
    w->scored[0] = facts.n_valid >= LEAST_VALID;
    *ret_facts = facts;
}
