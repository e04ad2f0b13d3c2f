/* Burst shapes. Amplitudes are relative: brightness is chosen where a detector looks at them. */
#include "sim/profile.h"
#include <math.h>
#include <string.h>

/* Pulse avalanche, columns BATSE and Swift/BAT. Source: science.md A.2 (i), Bazzanini+2024. */
struct avalanche {
    double mu, mu0, alpha, d1, d2, tau_min, tau_max;
};
static const struct avalanche BATSE = {1.10, 0.91, 2.57, -1.28, 0.28, 0.02, 40.2};
static const struct avalanche BAT = {1.34, 1.16, 2.53, -0.75, 0.27, 0.03, 56.8};
static const double STOP_TAU_S = 0.0064; /* a tenth of a bin: shorter children cannot be seen */

static struct avalanche avalanche_mix(double w)
{
    const double *a = &BATSE.mu, *b = &BAT.mu;
    struct avalanche mixed;
    double *m = &mixed.mu;
    for (size_t i = 0; i < sizeof mixed / sizeof *m; i++)
        m[i] = a[i] + w * (b[i] - a[i]);
    return mixed;
}

static void pulse_add(struct rng *r, struct burst *b, double peak_s, double tau_s)
{
    if (b->n_pulse == PULSE_MAX) return;
    b->pulse[b->n_pulse++] = (struct pulse){PULSE_AVALANCHE, peak_s, 0.5 * tau_s, tau_s, 1.0 - rng_uniform(r), 1.0};
}

void burst_draw_avalanche(struct rng *r, double mix, struct burst *ret_burst)
{
    struct avalanche a = avalanche_mix(mix);
    uint32_t n_primary = 0;
    while (n_primary == 0)
        n_primary = rng_poisson(r, a.mu0);
    ret_burst->n_pulse = 0;
    for (uint32_t i = 0; i < n_primary; i++) {
        double tau = rng_log_between(r, a.tau_min, a.tau_max);
        pulse_add(r, ret_burst, a.alpha * tau * rng_exponential(r), tau);
    }
    for (int parent = 0; parent < ret_burst->n_pulse; parent++) { /* the list grows behind `parent`: breadth first */
        double tau = ret_burst->pulse[parent].decay_s, peak = ret_burst->pulse[parent].peak_s;
        uint32_t n_child = tau < STOP_TAU_S ? 0 : rng_poisson(r, a.mu);
        for (uint32_t i = 0; i < n_child; i++) {
            double child = tau * pow(10.0, rng_between(r, a.d1, a.d2));
            pulse_add(r, ret_burst, peak + a.alpha * child * rng_exponential(r), child);
        }
    }
}

/* tau1, tau2 of width w and asymmetry k: w = tau2 / k, and k = 1 / sqrt(1 + 4 mu) with mu = sqrt(tau1 / tau2). */
static struct pulse norris_pulse(double start_s, double width_s, double asymmetry, double amplitude)
{
    double tau2 = width_s * asymmetry, mu = (1.0 / (asymmetry * asymmetry) - 1.0) / 4.0;
    double tau1 = fmax(mu * mu, 1e-6) * tau2;
    return (struct pulse){PULSE_NORRIS, start_s + sqrt(tau1 * tau2), tau1, tau2, amplitude, 1.0};
}

static double draw_asymmetry(struct rng *r)
{
    return fmin(fmax(0.47 + 0.2 * rng_normal(r), 0.1), 0.9);
}

static void norris_train(struct rng *r, int n, double median_s, double sigma, struct burst *b)
{
    double start = 0.0;
    for (int i = 0; i < n && b->n_pulse < PULSE_MAX; i++) {
        double width = fmin(rng_lognormal(r, median_s, sigma), 60.0);
        b->pulse[b->n_pulse++] = norris_pulse(start, width, draw_asymmetry(r), 1.0 - rng_uniform(r));
        start += rng_lognormal(r, 1.3 * width, 0.7);
    }
}

static void norris_extra(struct rng *r, struct burst *b, double start_s, double width_s, double amplitude)
{
    if (b->n_pulse < PULSE_MAX) b->pulse[b->n_pulse++] = norris_pulse(start_s, width_s, draw_asymmetry(r), amplitude);
}

static int geometric(struct rng *r, double stop)
{
    int n = 0;
    while (n < 60 && !rng_chance(r, stop))
        n++;
    return n;
}

void burst_draw_norris(struct rng *r, int is_short, struct burst *ret_burst)
{
    ret_burst->n_pulse = 0;
    if (is_short) {
        norris_train(r, 1 + (int)rng_poisson(r, 1.2), 0.06, 0.9, ret_burst);
        if (rng_chance(r, 0.15)) /* extended emission */
            norris_extra(r, ret_burst, rng_between(r, 0.5, 3.0), rng_between(r, 10.0, 50.0),
                         rng_between(r, 0.03, 0.15));
        return;
    }
    if (rng_chance(r, 0.08)) { /* one slow smooth pulse: what a polynomial background eats */
        norris_extra(r, ret_burst, 0.0, rng_between(r, 8.0, 25.0), 1.0);
        return;
    }
    int n = 1 + geometric(r, 0.29); /* median 3 */
    double gap = rng_chance(r, 0.15) ? rng_between(r, 10.0, 60.0) : 0.0;
    int n_before = gap > 0.0 ? 1 + (int)(n * rng_uniform(r)) : n;
    norris_train(r, n_before, 1.0, 1.2, ret_burst);
    int n_first = ret_burst->n_pulse;
    norris_train(r, n - n_before, 1.0, 1.2, ret_burst);
    for (int i = n_first; i < ret_burst->n_pulse; i++) /* the second train starts after the quiescent gap */
        ret_burst->pulse[i].peak_s += ret_burst->pulse[n_first - 1].peak_s + gap;
    if (rng_chance(r, 0.10)) /* weak precursor */
        norris_extra(r, ret_burst, -rng_between(r, 5.0, 60.0), rng_lognormal(r, 1.0, 0.5), rng_between(r, 0.01, 0.10));
}

/* Spectra and their change with energy. Source: science.md A.2 (last paragraph) and A.3. */
static void draw_colours(struct rng *r, struct burst *b)
{
    int is_short = b->t90_s < 2.0;
    struct spectrum *s = &b->spectrum;
    s->shape = rng_chance(r, 0.35) ? SPECTRUM_CUTOFF : SPECTRUM_BAND;
    double alpha = is_short ? -0.6 + 0.4 * rng_normal(r) : -1.0 + 0.38 * rng_normal(r);
    s->alpha = fmin(fmax(alpha, -1.9), 0.5);
    s->beta = fmin(fmin(-2.3 + 0.35 * rng_normal(r), -1.75), s->alpha - 0.1);
    double log_peak = is_short ? 2.69 + 0.30 * rng_normal(r) : 2.26 + 0.33 * rng_normal(r);
    s->peak_kev = fmin(fmax(pow(10.0, log_peak), 20.0), 5000.0);
    b->change = rng_chance(r, 0.6) ? CHANGE_HARD_TO_SOFT : CHANGE_TRACKING;
    b->width_index = is_short ? -0.2 + 0.1 * rng_normal(r) : -0.36 + 0.10 * rng_normal(r);
    b->lag_s = is_short ? 0.005 * rng_normal(r) : pow(10.0, -1.1 + 0.45 * rng_normal(r));
    if (!is_short && rng_chance(r, 0.1)) b->lag_s = -0.3 * b->lag_s;
}

static double loudest_decay_s(const struct burst *b)
{
    int best = 0;
    for (int i = 1; i < b->n_pulse; i++)
        if (b->pulse[i].amplitude > b->pulse[best].amplitude) best = i;
    return b->pulse[best].decay_s;
}

/* What a trigger on 8 s and less rarely finds: the longest bursts (5 % of GBM's are over 141 s, of avalanches two or three
 * times that) and those whose loudest pulse is a slow swell. Source: science.md A.2, the GBM sample's durations. */
static int is_seldom_seen(struct rng *r, const struct burst *b)
{
    return (b->t90_s > 141.0 && rng_chance(r, 0.7)) || (loudest_decay_s(b) > 15.0 && rng_chance(r, 0.7));
}

void burst_draw(struct rng *r, struct burst *ret_burst)
{
    memset(ret_burst, 0, sizeof *ret_burst);
    do {
        if (rng_chance(r, 0.7)) {
            burst_draw_avalanche(r, rng_uniform(r), ret_burst);
        } else {
            burst_draw_norris(r, rng_chance(r, 0.18), ret_burst);
        }
        ret_burst->t90_s = burst_t90(ret_burst);
    } while (is_seldom_seen(r, ret_burst));
    draw_colours(r, ret_burst);
}

double pulse_value(const struct pulse *p, double t_s, double stretch, double shift_s)
{
    double x = (t_s - p->peak_s - shift_s) / stretch;
    if (p->shape == PULSE_AVALANCHE)
        return p->amplitude * (x < 0.0 ? exp(-(x / p->rise_s) * (x / p->rise_s)) : exp(-x / p->decay_s));
    double t = x + sqrt(p->rise_s * p->decay_s); /* since the pulse's start */
    if (t <= 0.0) return 0.0;
    return p->amplitude * exp(2.0 * sqrt(p->rise_s / p->decay_s) - p->rise_s / t - t / p->decay_s);
}

void pulse_extent(const struct pulse *p, double *ret_start_s, double *ret_stop_s)
{
    double before = p->shape == PULSE_AVALANCHE ? 3.5 * p->rise_s : sqrt(p->rise_s * p->decay_s);
    double mu = p->shape == PULSE_AVALANCHE ? 0.0 : sqrt(p->rise_s / p->decay_s);
    *ret_start_s = p->peak_s - before;
    *ret_stop_s = p->peak_s + p->decay_s * (12.0 + 4.0 * sqrt(mu));
}

void burst_extent(const struct burst *b, double *ret_start_s, double *ret_stop_s)
{
    pulse_extent(&b->pulse[0], ret_start_s, ret_stop_s);
    for (int i = 1; i < b->n_pulse; i++) {
        double start, stop;
        pulse_extent(&b->pulse[i], &start, &stop);
        *ret_start_s = fmin(*ret_start_s, start);
        *ret_stop_s = fmax(*ret_stop_s, stop);
    }
}

/* Width of the pulse in seconds times its height, near enough to find where quantiles lie. */
double burst_t90(const struct burst *b)
{
    enum { N = 4096 };
    double start, stop, cumulative[N], sum = 0.0;
    burst_extent(b, &start, &stop);
    double step = (stop - start) / N;
    memset(cumulative, 0, sizeof cumulative);
    for (int i = 0; i < b->n_pulse; i++) {
        double p0, p1;
        pulse_extent(&b->pulse[i], &p0, &p1);
        int first = (int)((p0 - start) / step), last = (int)((p1 - start) / step);
        for (int k = first < 0 ? 0 : first; k <= last && k < N; k++)
            cumulative[k] += pulse_value(&b->pulse[i], start + (k + 0.5) * step, 1.0, 0.0);
    }
    for (int k = 0; k < N; k++)
        cumulative[k] = sum += cumulative[k];
    int k05 = 0, k95 = 0;
    while (k05 < N - 1 && cumulative[k05] < 0.05 * sum)
        k05++;
    while (k95 < N - 1 && cumulative[k95] < 0.95 * sum)
        k95++;
    return (k95 - k05) * step;
}

/* Colours of the burst for a range of peak energies, so that a bin costs an interpolation and not a fold. */
enum { N_COLOUR = 24 };
static const double COLOUR_LOW_KEV = 15.0, COLOUR_HIGH_KEV = 8000.0;
struct colours {
    double part[N_COLOUR][SIM_GROUP]; /* of the counts in the five atoms; [SIM_REST] comes on top */
};

static void colours_make(const struct spectrum *s, enum crystal crystal, struct colours *c)
{
    for (int i = 0; i < N_COLOUR; i++) {
        struct spectrum at = *s;
        at.peak_kev = COLOUR_LOW_KEV * pow(COLOUR_HIGH_KEV / COLOUR_LOW_KEV, (double)i / (N_COLOUR - 1));
        spectrum_fold(&at, crystal, c->part[i]);
        double sum = 0.0;
        for (int g = 0; g < SIM_ATOM; g++)
            sum += c->part[i][g];
        for (int g = 0; g < SIM_GROUP; g++)
            c->part[i][g] /= sum;
    }
}

static double colour_part(const struct colours *c, double peak_kev, int group)
{
    double x = log(peak_kev / COLOUR_LOW_KEV) / log(COLOUR_HIGH_KEV / COLOUR_LOW_KEV) * (N_COLOUR - 1);
    x = fmin(fmax(x, 0.0), N_COLOUR - 1.001);
    int i = (int)x;
    return c->part[i][group] + (x - i) * (c->part[i + 1][group] - c->part[i][group]);
}

static double peak_energy(const struct burst *b, const struct pulse *p, double since_start_s, double height)
{
    double ep = b->spectrum.peak_kev;
    if (b->change == CHANGE_TRACKING) return ep * sqrt(fmax(height, 0.04));
    double length = p->shape == PULSE_AVALANCHE ? p->rise_s + p->decay_s : p->decay_s + sqrt(p->rise_s * p->decay_s);
    return 1.5 * ep / (1.0 + fmax(since_start_s, 0.0) / (1.5 * length)); /* 1.5: the mean over a pulse stays near ep */
}

/* Source of the powers: science.md A.2 (Fenimore+95, Norris+05). Energies are the groups' own middles. */
static void energy_change(const struct burst *b, int group, double *ret_stretch, double *ret_shift_s)
{
    static const double MIDDLE_KEV[SIM_GROUP] = {35.4, 70.7, 173.2, 387.3, 670.8, 16.0};
    double x = log(MIDDLE_KEV[group] / 100.0);
    *ret_stretch = exp(b->width_index * x);
    *ret_shift_s = -b->lag_s / log(173.2 / 35.4) * x;
}

/* Mean over the bin by midpoints: enough of them to follow the pulse's shorter side. */
static void pulse_add_group(const struct burst *b, const struct pulse *p, const struct colours *c, double gain,
                            const struct sim_grid *grid, double start_s, int group, double *rate)
{
    double stretch, shift, p0, p1;
    energy_change(b, group, &stretch, &shift);
    pulse_extent(p, &p0, &p1);
    double shortest =
        stretch * fmin(p->decay_s, p->shape == PULSE_AVALANCHE ? p->rise_s : sqrt(p->rise_s * p->decay_s));
    int n_sub = (int)fmin(fmax(ceil(3.0 * grid->bin_s / shortest), 1.0), 16.0);
    double begin = p->peak_s + shift + (p0 - p->peak_s) * stretch, end = p->peak_s + shift + (p1 - p->peak_s) * stretch;
    double first = floor((begin + start_s - grid->t0_s) / grid->bin_s),
           last = ceil((end + start_s - grid->t0_s) / grid->bin_s);
    size_t i0 = first > 0.0 ? (size_t)first : 0, i1 = last > 0.0 ? (size_t)last : 0;
    for (size_t i = i0; i < i1 && i < grid->n_bin; i++)
        for (int k = 0; k < n_sub; k++) {
            double t = grid->t0_s + ((double)i + (k + 0.5) / n_sub) * grid->bin_s - start_s;
            double v = pulse_value(p, t, stretch, shift);
            rate[i] += gain * v / n_sub * colour_part(c, peak_energy(b, p, t - begin, v / p->amplitude), group);
        }
}

void burst_add(const struct burst *b, enum crystal crystal, const double *gain, const struct sim_grid *grid,
               double start_s, double *rate)
{
    struct colours c;
    colours_make(&b->spectrum, crystal, &c);
    for (int i = 0; i < b->n_pulse; i++)
        for (int g = 0; g < SIM_GROUP; g++)
            pulse_add_group(b, &b->pulse[i], &c, gain[g], grid, start_s, g, rate + (size_t)g * grid->n_bin);
}
