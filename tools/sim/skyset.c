/* One sky: validity, quiet detectors, a burst or a look-alike, losses, then integer counts of every row. */
#include "sim/population.h"
#include "sim/sky_inside.h"
#include <math.h>
#include <string.h>

static const double LABEL_SNR = 3.5;         /* fainter ones have no label of their own (science.md A.8) */
static const double LEAST_VALID_S = 30.0;    /* windows with less are not scored (protocol.md 4) */
static const double MOST_ZENITH_DEG = 113.0; /* the Earth's limb from 550 km; spacecraft look away from it */

/* Two in three windows are whole; others begin or end with the data, or have holes of up to 10 s. */
static void draw_valid(struct sky_work *w)
{
    static const double KIND[] = {0.64, 0.24, 0.04, 0.08}; /* whole, data begin, data end, holes */
    size_t n_bin = w->grid.n_bin;
    double most = (double)n_bin, least = fmin(ceil(LEAST_VALID_S / w->grid.bin_s), ceil(0.5 * most));
    uint8_t *valid = w->valid;
    memset(valid, 1, n_bin);
    int kind = rng_pick(&w->r, KIND, 4);
    size_t n = (size_t)rng_between(&w->r, least, most);
    if (kind == 1) memset(valid, 0, n_bin - n);
    if (kind == 2) memset(valid + n, 0, n_bin - n);
    double longest = fmin(fmax(10.24 / w->grid.bin_s, 1.5), 0.25 * most);
    for (int hole = kind == 3 ? 1 + (int)rng_poisson(&w->r, 0.7) : 0; hole > 0; hole--) {
        size_t length = (size_t)rng_log_between(&w->r, 1.0, longest),
               at = (size_t)rng_between(&w->r, 0.0, most - longest);
        memset(valid + at, 0, length);
    }
}

/* Gains of a source in the sky: angle, 12 % of scatter, one detector in ten in the spacecraft's shadow. Source:
 * science.md A.5. */
static void source_gains(struct sky_work *w, const struct spacecraft *craft, bool scatters)
{
    struct direction from = geometry_draw(&w->r, MOST_ZENITH_DEG);
    for (int d = 0; d < craft->n_detector; d++) {
        const struct detector_kind *kind = craft->detector[d].kind;
        double cosine = geometry_cosine(craft->detector[d].axis, from);
        double seen = !scatters                 ? 1.0
                      : rng_chance(&w->r, 0.10) ? rng_between(&w->r, 0.02, 0.10)
                                                : rng_lognormal(&w->r, 1.0, 0.12);
        for (int g = 0; g < SIM_GROUP; g++)
            w->gain[d][g] = seen * kind->area * spacecraft_angle_factor(kind, cosine, g);
    }
}

/* Rows of best3 and one: the detectors of the search by their gain; one: any of the best three. */
static void choose_best(struct sky_work *w, const struct spacecraft *craft)
{
    int best[3] = {-1, -1, -1}, n_best = craft->n_search < 3 ? craft->n_search : 3;
    for (int k = 0; k < n_best; k++)
        for (int d = 0; d < craft->n_search; d++)
            if (d != best[0] && d != best[1] && (best[k] < 0 || w->gain[d][2] > w->gain[best[k]][2])) best[k] = d;
    int one = best[(int)(n_best * rng_uniform(&w->r))];
    for (int row = 0; row < w->n_row; row++)
        w->row[row].detector = w->plan->view == VIEW_ONE ? one : w->plan->view == VIEW_BEST3 ? best[row] : row;
}

/* Rows of a sky that no detector sees best. */
static void choose_any(struct sky_work *w, const struct spacecraft *craft)
{
    int first = (int)(craft->n_search * rng_uniform(&w->r));
    for (int row = 0; row < w->n_row; row++)
        w->row[row].detector = w->plan->view == VIEW_ALL ? row : (first + row) % craft->n_search;
}

static float *row_background(const struct sky_work *w, int row)
{
    return w->background + (size_t)row * SIM_GROUP * w->grid.n_bin;
}

static void paint_backgrounds(struct sky_work *w, const struct spacecraft *craft)
{
    quiet_red(&w->r, &w->quiet, &w->grid, w->red);
    quiet_turn(&w->quiet, &w->grid, w->turn);
    for (int row = 0; row < w->n_row; row++)
        quiet_paint(&w->r, &w->quiet, craft->detector[w->row[row].detector].kind, &w->grid, w->red, w->turn,
                    row_background(w, row));
}

/* A row's own signal from the painted burst: gain by group, `bright` counts per second for amplitude 1. */
static void set_signal(struct sky_work *w, const struct spacecraft *craft, int row, double bright)
{
    int d = w->row[row].detector;
    const float *paint = w->paint[craft->detector[d].kind->response];
    for (size_t g = 0; g < SIM_GROUP; g++) {
        float gain = (float)(bright * w->gain[d][g]);
        for (size_t i = 0; i < w->grid.n_bin; i++)
            w->signal[g * w->grid.n_bin + i] = gain * paint[g * w->grid.n_bin + i];
    }
}

static double row_snr(struct sky_work *w, int row)
{
    sky_sum(w, w->signal, w->sum[0]);
    sky_sum(w, row_background(w, row), w->sum[1]);
    return sky_snr(w->sum[0], w->sum[1], sky_valid(w, row), w->grid.n_bin, w->grid.bin_s);
}

static double loudest_s(const struct burst *b)
{
    int best = 0;
    for (int i = 1; i < b->n_pulse; i++)
        if (b->pulse[i].amplitude > b->pulse[best].amplitude) best = i;
    return b->pulse[best].peak_s;
}

/* Anywhere in the valid part by its loudest pulse; some have only begun when the data end. */
static double place_burst(struct sky_work *w)
{
    size_t first, last;
    double start, stop;
    sky_valid_range(w->valid, w->grid.n_bin, &first, &last);
    if (rng_chance(&w->r, w->plan->onset)) {
        burst_extent(&w->burst, &start, &stop);
        return (double)(last + 1) * w->grid.bin_s - rng_log_between(&w->r, 0.2, 10.0) - start;
    }
    return rng_between(&w->r, (double)first, (double)(last + 1)) * w->grid.bin_s - loudest_s(&w->burst);
}

static bool response_used(const struct sky_work *w, const struct spacecraft *craft, int response)
{
    for (int row = 0; row < w->n_row; row++)
        if ((int)craft->detector[w->row[row].detector].kind->response == response) return true;
    return false;
}

static void paint_all(struct sky_work *w, const struct spacecraft *craft, double start_s)
{
    for (int i = 0; i < RESPONSE_N; i++) {
        float part[COLOUR_PEAKS][SIM_GROUP];
        if (!response_used(w, craft, i)) continue;
        memset(w->paint[i], 0, SIM_GROUP * w->grid.n_bin * sizeof *w->paint[i]);
        spacecraft_colours(&w->colours[i], &w->burst.spectrum, part);
        burst_paint(&w->burst, part, &w->grid, start_s, w->paint[i]);
    }
}

/* All rows are one spacecraft's: they begin, stop and pause together. */
static void copy_valid(struct sky_work *w)
{
    for (int row = 1; row < w->n_row; row++)
        memcpy(w->valid + (size_t)row * w->grid.n_bin, w->valid, w->grid.n_bin);
}

/* The row whose S/N is the sky's: the one with the greatest gain among the detectors of the search. */
static int leading_row(const struct sky_work *w, const struct spacecraft *craft)
{
    int best = 0;
    for (int row = 1; row < w->n_row; row++)
        if (craft->detector[w->row[row].detector].kind->search &&
            w->gain[w->row[row].detector][2] > w->gain[w->row[best].detector][2])
            best = row;
    return best;
}

/* Of the signal whose S/N was asked for last. */
static size_t brightest_bin(const struct sky_work *w)
{
    size_t best = 0;
    for (size_t i = 1; i < w->grid.n_bin; i++)
        if (w->sum[0][i] > w->sum[0][best]) best = i;
    return best;
}

/* Brightest bin, and where burst counts rise above 5 % of their largest. */
static void burst_times(const struct sky_work *w, struct sky_row *f)
{
    const double *sum = w->sum[0];
    size_t best = brightest_bin(w), first = 0, last = w->grid.n_bin - 1;
    while (sum[first] < 0.05 * sum[best])
        first++;
    while (sum[last] < 0.05 * sum[best])
        last--;
    f->peak_s = (double)best * w->grid.bin_s;
    f->onset_s = (double)first * w->grid.bin_s;
    f->stop_s = (double)(last + 1) * w->grid.bin_s;
}

/* Photons / cm2 / s between 50 and 300 keV in the brightest 1.024 s of the window, for the burst as painted. */
static double painted_flux(const struct sky_work *w, const struct spacecraft *craft, int row)
{
    enum response response = craft->detector[w->row[row].detector].kind->response;
    const float *paint = w->paint[response];
    double per_photon[SIM_GROUP], nai = 0.0, best = 0.0, sum = 0.0, parts = 0.0;
    float part[COLOUR_PEAKS][SIM_GROUP];
    struct spectrum s = w->burst.spectrum;
    size_t length = (size_t)fmax(rint(1.024 / w->grid.bin_s), 1.0), n_bin = w->grid.n_bin;
    spectrum_fold(&s, CRYSTAL_NAI, per_photon);
    spacecraft_colours(&w->colours[response], &s, part);
    int nearest = (int)rint(fmin(fmax(log(s.peak_kev / 12.0) / log(8000.0 / 12.0), 0.0), 1.0) * (COLOUR_PEAKS - 1));
    for (int a = 0; a < SIM_ATOM; a++) {
        nai += per_photon[a];
        parts += (double)part[nearest][a];
    }
    for (size_t i = 0; i < n_bin; i++) {
        for (size_t a = 0; a < SIM_ATOM; a++)
            sum += (double)paint[a * n_bin + i] - (i >= length ? (double)paint[a * n_bin + i - length] : 0.0);
        best = sum > best ? sum : best;
    }
    return best / (double)length / parts / nai;
}

/* Brightness of the population: bursts of all fluxes that reach the Earth, however few counts they leave. */
static double draw_by_flux(struct sky_work *w, const struct spacecraft *craft)
{
    double flux = population_flux(&w->r), seen = 0.0;
    copy_valid(w);
    while (!(seen > 0.0)) {
        population_draw(&w->r, w->plan->mix_low, w->plan->mix_high, population_flux_sigma(flux), &w->burst);
        paint_all(w, craft, place_burst(w));
        seen = painted_flux(w, craft, leading_row(w, craft));
    }
    return flux / seen;
}

/* Redrawn when it fell into a hole of the data, or when the window would show its tail alone. Returns its
 * brightness. */
static double draw_burst(struct sky_work *w, const struct spacecraft *craft)
{
    double snr = 0.0, low = w->plan->snr_low, high = w->plan->snr_high;
    double target = high > 0.0 ? rng_log_between(&w->r, low, high) : population_snr(&w->r);
    int lead = leading_row(w, craft);
    copy_valid(w);
    while (!(snr > 0.0)) {
        population_draw(&w->r, w->plan->mix_low, w->plan->mix_high, population_sigma(target), &w->burst);
        paint_all(w, craft, place_burst(w));
        set_signal(w, craft, lead, 1.0);
        snr = row_snr(w, lead);
    }
    return target / snr;
}

/* A part of a loss of packets: 64 ms to 10 s, all counts gone or 20 to 80 % of them kept. */
static void draw_loss(struct sky_work *w)
{
    double length = rng_log_between(&w->r, 0.064, 10.0), span = (double)w->grid.n_bin * w->grid.bin_s;
    double from = rng_between(&w->r, -0.5 * length, span - 0.5 * length), lost = 1.0;
    if (rng_chance(&w->r, 0.4)) lost = rng_between(&w->r, 0.2, 0.8);
    paint_box(&w->grid, from, from + length, -lost, w->kept);
    for (size_t i = 0; i < w->grid.n_bin; i++)
        w->kept[i] = fmaxf(w->kept[i], 0.0f);
}

/* One to a few losses. */
static void lose_packets(struct sky_work *w)
{
    for (int n = 1 + (int)rng_poisson(&w->r, 0.4); n > 0; n--)
        draw_loss(w);
}

static void fill_burst(struct sky_work *w, const struct spacecraft *craft)
{
    source_gains(w, craft, true);
    choose_best(w, craft);
    paint_backgrounds(w, craft);
    double bright = w->plan->by_flux ? draw_by_flux(w, craft) : draw_burst(w, craft), least = LABEL_SNR;
    if (rng_chance(&w->r, 0.02)) lose_packets(w);
    if (w->plan->snr_high > 0.0) least = fmin(least, w->plan->snr_low * (1.0 - 1e-6));
    for (int row = 0; row < w->n_row; row++) {
        struct sky_row *f = &w->row[row];
        set_signal(w, craft, row, bright);
        f->snr = row_snr(w, row);
        f->label = f->snr >= least;
        f->t90_s = w->burst.t90_s;
        burst_times(w, f);
        sky_count(w, row, true);
    }
}

static double atom_level(const struct detector_kind *kind)
{
    double sum = 0.0;
    for (int a = 0; a < SIM_ATOM; a++)
        sum += kind->level[a];
    return sum / 0.064;
}

/* Gains of what comes from no direction: by the detectors' own quiet counts. `one` is the detector of REACH_ONE. */
static void draw_gains(struct sky_work *w, const struct spacecraft *craft, enum look_alike_reach reach, int one)
{
    for (int d = 0; d < craft->n_detector; d++) {
        double gain = atom_level(craft->detector[d].kind) / LOOK_ALIKE_LEVEL;
        switch (reach) {
        case REACH_ALIKE: gain *= rng_lognormal(&w->r, 1.0, 0.1); break;
        case REACH_PARTICLES: gain *= rng_lognormal(&w->r, 1.0, 0.5); break;
        case REACH_SIGNED: gain *= rng_normal(&w->r); break;
        case REACH_ONE: gain = d == one; break;
        default: gain = 0.0;
        }
        for (int g = 0; g < SIM_GROUP; g++)
            w->gain[d][g] = gain;
    }
}

static void place_look_alike(struct sky_work *w, struct look_alike *l)
{
    double before, after, span = (double)w->grid.n_bin * w->grid.bin_s;
    if (l->family == FAMILY_RAMP) { /* at least 30 s of data stay */
        double most = fmax(span - 35.0, 0.5 * span);
        l->centre_s = l->rise_s > 0.0 ? rng_between(&w->r, span - most, span) : rng_between(&w->r, 0.0, most);
        return;
    }
    look_alike_extent(l, &before, &after);
    l->centre_s = rng_between(&w->r, -0.6 * after, span + 0.6 * before); /* its wings may be all that is seen */
}

/* Behind the ramp's edge (or before it, on the way out) the detectors are off. */
static void ramp_valid(struct sky_work *w, const struct look_alike *l)
{
    for (size_t i = 0; i < w->grid.n_bin; i++) {
        double x = ((double)i + 0.5) * w->grid.bin_s - l->centre_s;
        w->valid[i] = l->rise_s > 0.0 ? x < 0.0 : x > 0.0;
    }
}

static void choose_rows(struct sky_work *w, const struct spacecraft *craft, struct look_alike *l)
{
    if (l->reach == REACH_SOURCE || l->reach == REACH_SUN) {
        source_gains(w, craft, l->reach == REACH_SOURCE);
        choose_best(w, craft);
        return;
    }
    choose_any(w, craft);
    draw_gains(w, craft, l->reach, w->row[(int)(w->n_row * rng_uniform(&w->r))].detector);
}

/* After saturation the electronics start anew: nothing for a while. */
static void pause_after(struct sky_work *w, const struct look_alike *l)
{
    double end = l->centre_s + l->pulse[0].length_s;
    paint_box(&w->grid, end, end + l->pause_s, -1.0, w->kept);
}

static void fill_other(struct sky_work *w, const struct spacecraft *craft, enum sky_family family)
{
    struct look_alike l;
    look_alike_draw(&w->r, family, &l);
    place_look_alike(w, &l);
    if (family == FAMILY_RAMP) ramp_valid(w, &l);
    choose_rows(w, craft, &l);
    paint_backgrounds(w, craft);
    struct rng flicker = w->r;
    for (int i = 0; i < RESPONSE_N; i++)
        if (response_used(w, craft, i)) {
            w->r = flicker;
            look_alike_paint(&w->r, &l, &w->colours[i], &w->grid, w->paint[i]);
        }
    copy_valid(w);
    if (family == FAMILY_DROPOUT) lose_packets(w);
    if (family == FAMILY_SATURATION) pause_after(w, &l);
    int lossy = (int)(w->n_row * rng_uniform(&w->r)); /* the one row that loses, or all */
    bool all = family != FAMILY_DROPOUT || rng_chance(&w->r, 0.5);
    for (int row = 0; row < w->n_row; row++) {
        struct sky_row *f = &w->row[row];
        set_signal(w, craft, row, 1.0);
        f->snr = l.reach == REACH_NONE ? 0.0 : row_snr(w, row);
        if (f->snr > 0.0) f->peak_s = (double)brightest_bin(w) * w->grid.bin_s;
        sky_count(w, row, all || row == lossy);
    }
}

/* By chance, of the families that are not left out. */
static enum sky_family choose_family(struct sky_work *w)
{
    double share[FAMILY_N], sum = 0.0;
    if (w->plan->only >= 0) return (enum sky_family)w->plan->only;
    for (int f = 0; f < FAMILY_N; f++) {
        double chance = family_chance((enum sky_family)f, w->plan->rates, (double)w->grid.n_bin * w->grid.bin_s);
        sum += share[f] = w->plan->without >> f & 1u ? 0.0 : chance;
    }
    if (w->plan->rates == RATES_TRAINING && share[FAMILY_BURST] > 0.0 && sum > share[FAMILY_BURST])
        share[FAMILY_BURST] = sum - share[FAMILY_BURST]; /* half are bursts whatever is left out */
    return (enum sky_family)rng_pick(&w->r, share, FAMILY_N);
}

void sky_draw(struct sky_work *work, uint64_t seed, uint64_t sky)
{
    struct sky_work *w = work;
    rng_seed(&w->r, seed, sky);
    int craft_index = (int)(w->plan->n_craft * rng_uniform(&w->r));
    const struct spacecraft *craft = &w->plan->craft[craft_index];
    draw_valid(w);
    enum sky_family family = choose_family(w);
    for (int row = 0; row < w->n_row; row++)
        w->row[row] =
            (struct sky_row){.family = family, .craft = craft_index, .peak_s = -1.0, .onset_s = -1.0, .stop_s = -1.0};
    for (size_t i = 0; i < w->grid.n_bin; i++)
        w->kept[i] = 1.0f;
    quiet_sky_draw(&w->r, &w->quiet);
    for (int g = 0; g < SIM_GROUP; g++)
        w->quiet.level[g] *= w->plan->level;
    if (family == FAMILY_BURST)
        fill_burst(w, craft);
    else
        fill_other(w, craft, family);
}
