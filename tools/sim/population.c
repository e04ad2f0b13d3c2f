/* Bursts of the light-curve sets. Numbers without another source: science.md A.2. */
#include "sim/population.h"
#include "sim/paint.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double SNR_MEDIAN = 14.0, SNR_SIGMA = 1.1, SNR_LEAST = 4.0, RHO = 0.27;

double population_snr(struct rng *r)
{
    if (rng_chance(r, 0.03)) { /* logN-log(S/N) slope beyond 30, A.4 */
        double least = pow(100.0, -1.2), most = pow(1500.0, -1.2);
        return pow(rng_between(r, most, least), -1.0 / 1.2);
    }
    double snr = 0.0;
    while (snr < SNR_LEAST)
        snr = rng_lognormal(r, SNR_MEDIAN, SNR_SIGMA);
    return snr;
}

double population_sigma(double snr)
{
    return log(snr / SNR_MEDIAN) / SNR_SIGMA;
}

/* N(> P) relative to all: 1 at 0.15, then each slope in turn. */
double population_flux(struct rng *r)
{
    static const double FROM[3] = {0.15, 1.0, 10.0}, SLOPE[3] = {-0.6, -1.0, -1.5};
    static const double MOST = 300.0;
    double above[3] = {1.0, pow(1.0 / 0.15, -0.6), 0.0}, flux = MOST + 1.0;
    above[2] = above[1] * 0.1;
    while (flux > MOST) {
        double u = 1.0 - rng_uniform(r);
        int k = u > above[1] ? 0 : u > above[2] ? 1 : 2;
        flux = FROM[k] * pow(u / above[k], 1.0 / SLOPE[k]);
    }
    return flux;
}

double population_flux_sigma(double flux)
{
    return (log10(flux) - 0.107) / 0.465;
}

/* tau1, tau2 of width w and asymmetry k: w = tau2 / k, and k = 1 / sqrt(1 + 4 mu) with mu = sqrt(tau1 / tau2). */
static void add_pulse(struct rng *r, struct burst *b, double start_s, double width_s, double amplitude, double hardness)
{
    if (b->n_pulse == PULSE_MAX) return;
    double k = fmin(fmax(0.47 + 0.2 * rng_normal(r), 0.1), 0.9), mu = (1.0 / (k * k) - 1.0) / 4.0, tau2 = width_s * k;
    double tau1 = mu * mu * tau2;
    b->pulse[b->n_pulse++] = (struct pulse){PULSE_NORRIS, start_s + mu * tau2, tau1, tau2, amplitude, hardness};
}

static void add_train(struct rng *r, int n, double median_s, double sigma, struct burst *b)
{
    double start = 0.0;
    for (int i = 0; i < n; i++) {
        double width = fmin(rng_lognormal(r, median_s, sigma), 60.0);
        add_pulse(r, b, start, width, 1.0 - rng_uniform(r), 1.0);
        start += rng_lognormal(r, 1.3 * width, 0.7);
    }
}

static int geometric(struct rng *r, double stop)
{
    int n = 0;
    while (n < 60 && !rng_chance(r, stop))
        n++;
    return n;
}

static double loudest(const struct burst *b, int *ret_pulse)
{
    *ret_pulse = 0;
    for (int i = 1; i < b->n_pulse; i++)
        if (b->pulse[i].amplitude > b->pulse[*ret_pulse].amplitude) *ret_pulse = i;
    return b->pulse[*ret_pulse].amplitude;
}

/* All pulses behind one of them wait for 10 to 60 s more. */
static void open_gap(struct rng *r, struct burst *b)
{
    double after = b->pulse[(int)(b->n_pulse * rng_uniform(r))].peak_s, wait = rng_between(r, 10.0, 60.0);
    for (int i = 0; i < b->n_pulse; i++)
        if (b->pulse[i].peak_s > after) b->pulse[i].peak_s += wait;
}

static void add_precursor(struct rng *r, struct burst *b)
{
    int at;
    double top = loudest(b, &at), start, stop;
    burst_extent(b, &start, &stop);
    add_pulse(r, b, start - rng_between(r, 5.0, 60.0), rng_lognormal(r, 1.0, 0.5), top * rng_between(r, 0.01, 0.10),
              0.7);
}

/* 20 to 100 s long, its peak 3 to 15 % of the spike's, soft. */
static void add_extended(struct rng *r, struct burst *b)
{
    int at, n = 1 + (int)rng_poisson(r, 1.5);
    double top = loudest(b, &at) * rng_between(r, 0.03, 0.15), length = rng_between(r, 20.0, 100.0);
    for (int i = 0; i < n; i++) {
        double width = 0.7 * length / n * rng_between(r, 0.7, 1.3);
        add_pulse(r, b, b->pulse[at].peak_s + 0.5 + length * i / n, width,
                  top * (i == 0 ? 1.0 : rng_between(r, 0.4, 1.0)), 0.2);
    }
}

/* What a trigger on 8 s and less rarely finds: the longest bursts (5 % of GBM's are over 141 s, of avalanches two or
 * three times that), those whose loudest pulse is a slow swell, and half of the short avalanches (29 % before, 17 to 21
 * % found). */
static int is_seldom_seen(struct rng *r, const struct burst *b, double t90_s)
{
    int at;
    (void)loudest(b, &at);
    return (t90_s > 141.0 && rng_chance(r, 0.7)) || (b->pulse[at].decay_s > 15.0 && rng_chance(r, 0.7)) ||
           (t90_s < 2.0 && rng_chance(r, 0.5));
}

static double draw_avalanche(struct rng *r, double mix_low, double mix_high, struct burst *b)
{
    double t90_s;
    do {
        burst_draw_avalanche(r, rng_between(r, mix_low, mix_high), b);
        t90_s = burst_paint_t90(b);
    } while (is_seldom_seen(r, b, t90_s));
    return t90_s;
}

/* Pulses by their own widths, then all times stretched to a duration of the two log-normals: 0.63 s and 29 s. */
static double draw_norris(struct rng *r, struct burst *b)
{
    bool is_short = rng_chance(r, 0.18);
    double target = pow(10.0, is_short ? -0.2 + 0.5 * rng_normal(r) : 1.46 + 0.45 * rng_normal(r));
    b->n_pulse = 0;
    if (is_short)
        add_train(r, 1 + (int)rng_poisson(r, 1.2), 0.06, 0.9, b);
    else
        add_train(r, 1 + geometric(r, 0.29), 1.0, 1.2, b); /* median 3 */
    double stretch = fmin(fmax(target / burst_paint_t90(b), 0.1), 10.0);
    for (int i = 0; i < b->n_pulse; i++) {
        b->pulse[i].peak_s *= stretch;
        b->pulse[i].rise_s *= stretch;
        b->pulse[i].decay_s *= stretch;
    }
    return burst_paint_t90(b);
}

/* Whether the spike, apart from extended emission, is short. */
static int draw_pulses(struct rng *r, double mix_low, double mix_high, struct burst *b)
{
    if (rng_chance(r, 0.09 * 0.82)) { /* one slow smooth pulse: what a polynomial background eats */
        add_pulse(r, b, 0.0, rng_between(r, 10.0, 40.0), 1.0, 1.0);
        return 0;
    }
    double t90_s = rng_chance(r, 0.7) ? draw_avalanche(r, mix_low, mix_high, b) : draw_norris(r, b);
    if (t90_s < 2.0) {
        if (rng_chance(r, 0.15)) add_extended(r, b);
        return 1;
    }
    if (rng_chance(r, 0.15)) open_gap(r, b);
    if (rng_chance(r, 0.10)) add_precursor(r, b);
    return 0;
}

/* Source: science.md A.2 (last paragraph), A.3. */
static void draw_colours(struct rng *r, int is_short, double peak_sigma, struct burst *b)
{
    struct spectrum *s = &b->spectrum;
    double sigma = RHO * peak_sigma + sqrt(1.0 - RHO * RHO) * rng_normal(r);
    s->shape = rng_chance(r, 0.35) ? SPECTRUM_CUTOFF : SPECTRUM_BAND;
    double alpha = is_short ? -0.6 + 0.4 * rng_normal(r) : -1.0 + 0.38 * rng_normal(r);
    s->alpha = fmin(fmax(alpha, -1.9), 0.5);
    s->beta = fmin(fmin(-2.3 + 0.35 * rng_normal(r), -1.75), s->alpha - 0.1);
    s->peak_kev = fmin(fmax(pow(10.0, is_short ? 2.69 + 0.30 * sigma : 2.26 + 0.33 * sigma), 20.0), 5000.0);
    b->change = rng_chance(r, 0.6) ? CHANGE_HARD_TO_SOFT : CHANGE_TRACKING;
    b->width_index = is_short ? -0.2 + 0.1 * rng_normal(r) : -0.36 + 0.10 * rng_normal(r);
    b->lag_s = is_short ? 0.005 * rng_normal(r) : pow(10.0, -1.1 + 0.45 * rng_normal(r));
    if (!is_short && rng_chance(r, 0.1)) b->lag_s = -0.3 * b->lag_s;
}

void population_draw(struct rng *r, double mix_low, double mix_high, double peak_sigma, struct burst *ret_burst)
{
    memset(ret_burst, 0, sizeof *ret_burst);
    int is_short = draw_pulses(r, mix_low, mix_high, ret_burst);
    ret_burst->t90_s = burst_paint_t90(ret_burst);
    draw_colours(r, is_short, peak_sigma, ret_burst);
}
