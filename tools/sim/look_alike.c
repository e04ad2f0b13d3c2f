/* Families of look-alikes: how each is drawn. Numbers without another source: science.md A.7. */
#include "sim/look_alike.h"
#include <math.h>
#include <string.h>

static const double BIN_S = 0.064, WHOLE_FWHM = 2.3548; /* sigma to full width at half maximum */

static struct spectrum power_law(double index)
{
    return (struct spectrum){SPECTRUM_POWER, index, 0.0, 0.0};
}

static struct spectrum thermal(double kt_kev)
{
    return (struct spectrum){SPECTRUM_THERMAL, 0.0, 0.0, kt_kev};
}

static void add_pulse(struct look_alike *l, double at_s, double length_s, double height)
{
    if (l->n_pulse == LOOK_ALIKE_PULSES) return;
    l->pulse[l->n_pulse].at_s = at_s;
    l->pulse[l->n_pulse].length_s = length_s;
    l->pulse[l->n_pulse++].height = height;
}

static void set_part(struct look_alike *l, const double *part)
{
    l->has_part = true;
    memcpy(l->part, part, sizeof l->part);
}

static void one_atom(struct rng *r, struct look_alike *l)
{
    double part[SIM_GROUP] = {0};
    part[(int)(SIM_ATOM * rng_uniform(r))] = 1.0;
    set_part(l, part);
}

/* Smooth hump, or a ramp that stays (fall_s < 0). */
static void draw_hump(struct rng *r, struct look_alike *l)
{
    double fwhm = rng_log_between(r, 20.0, 200.0), skew = rng_between(r, 0.6, 1.7);
    l->reach = REACH_PARTICLES;
    l->rise_s = fwhm / WHOLE_FWHM * 2.0 / (1.0 + skew);
    l->fall_s = rng_chance(r, 0.2) ? -1.0 : l->rise_s * skew;
    l->height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.1, 3.0);
    l->spectrum = power_law(rng_between(r, -3.5, -1.5));
    if (rng_chance(r, 0.5)) l->red_rms = rng_between(r, 0.05, 0.20);
    l->red_time_s = rng_between(r, 1.0, 10.0);
}

static void draw_particles(struct rng *r, struct look_alike *l)
{
    l->reach = REACH_ALIKE;
    l->rise_s = l->fall_s = rng_log_between(r, 3.0, 30.0) / WHOLE_FWHM;
    l->height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.1, 1.5);
    l->spectrum = power_law(rng_between(r, -5.0, -3.0));
}

/* Mini-pulses of 0.3 to 1 s, their period drifting, their lag changing its sign on the way. Source: the abstract of
 * "GECAM discovery of peculiar oscillating particle precipitation events" (2024). */
static void draw_precipitation(struct rng *r, struct look_alike *l)
{
    int n = 5 + (int)(19.0 * rng_uniform(r));
    double width = rng_between(r, 0.3, 1.0), period = width * rng_between(r, 1.3, 3.0),
           drift = rng_between(r, -0.02, 0.02);
    double lag = rng_between(r, -0.15, 0.15) * width, peak = rng_between(r, 0.2, 0.8), at = 0.0;
    double height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.3, 5.0);
    l->reach = REACH_PARTICLES;
    l->spectrum = power_law(rng_between(r, -4.5, -3.0));
    for (int i = 0; i < n; i++, at += period * (1.0 + drift * i)) {
        double x = ((double)i / n - peak) / 0.35;
        add_pulse(l, at, 2.5 * width, height * exp(-0.5 * x * x) * rng_between(r, 0.7, 1.3));
        l->pulse[i].lag_s = lag * (1.0 - 2.0 * i / n);
    }
}

/* Slow soft part, and spikes of 1 to 5 s in a harder one. */
static void draw_flare(struct rng *r, struct look_alike *l)
{
    l->reach = REACH_SUN;
    l->rise_s = rng_log_between(r, 5.0, 60.0);
    l->fall_s = fmax(rng_log_between(r, 30.0, 600.0), l->rise_s);
    l->height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.05, 5.0);
    l->spectrum = rng_chance(r, 0.5) ? thermal(rng_between(r, 2.0, 5.0)) : power_law(rng_between(r, -7.0, -4.0));
    l->hard = power_law(rng_between(r, -4.0, -2.7));
    if (rng_chance(r, 0.4)) l->red_rms = rng_between(r, 0.02, 0.10);
    l->red_time_s = rng_between(r, 1.0, 5.0);
    for (int n = rng_chance(r, 0.6) ? 1 + (int)rng_poisson(r, 4.0) : 0; n > 0 && l->n_pulse < LOOK_ALIKE_PULSES; n--) {
        add_pulse(l, rng_between(r, -0.8 * l->rise_s, 0.5 * l->rise_s), 2.5 * rng_between(r, 1.0, 5.0),
                  l->height * rng_between(r, 0.05, 0.3));
        l->pulse[l->n_pulse - 1].hard = true;
    }
}

/* 1 to 20 flat-topped bursts of about 100 ms. */
static void draw_magnetar(struct rng *r, struct look_alike *l)
{
    int n = rng_chance(r, 0.5) ? 1 : 1 + (int)(20.0 * rng_uniform(r) * rng_uniform(r));
    double at = 0.0;
    l->reach = REACH_SOURCE;
    l->spectrum = thermal(rng_between(r, 20.0, 40.0));
    for (int i = 0; i < n; i++) {
        double length = fmin(fmax(rng_lognormal(r, 0.1, 0.7), 0.01), 1.0), counts = rng_log_between(r, 25.0, 3000.0);
        add_pulse(l, at, length, counts / (0.85 * length));
        at += length + rng_lognormal(r, 4.0, 1.2);
    }
}

/* Dead time and pile-up inside 0.1 to 1 ms: n photons leave n / (1 + n dead / length) counts, and those that fall
 * together count higher.
 * Source: the form of a dead time that each count extends by its own; 2.6 us (A.6). */
static void pile_up(double photons, double length_s, double *ret_counts, double *part)
{
    static const double DEAD_S = 2.6e-6;
    double busy = photons * DEAD_S / length_s, moved = 0.5 * busy / (1.0 + busy);
    *ret_counts = photons / (1.0 + busy);
    for (int a = SIM_ATOM - 1; a > 0; a--)
        part[a] += moved * part[a - 1] - (a == SIM_ATOM - 1 ? 0.0 : moved * part[a]);
    part[0] -= moved * part[0];
}

static void draw_flash(struct rng *r, struct look_alike *l)
{
    double part[SIM_GROUP] = {0.08, 0.12, 0.35, 0.20, 0.25, 0.6}, counts;
    double length = rng_log_between(r, 1e-4, 1e-3);
    l->reach = REACH_ALIKE;
    pile_up(rng_log_between(r, 12.0, 150.0), length, &counts, part);
    set_part(l, part);
    add_pulse(l, 0.0, length, counts / length);
}

/* Terrestrial electron beam: 5 to 25 ms, and often its mirror pulse. Source: A.7; Xiong+2012 for the mirror's delay. */
static void draw_beam(struct rng *r, struct look_alike *l)
{
    double length = rng_between(r, 0.005, 0.025), counts = rng_log_between(r, 25.0, 300.0);
    l->reach = REACH_PARTICLES;
    l->spectrum = power_law(rng_between(r, -2.2, -1.4));
    add_pulse(l, 0.0, length, counts / length);
    if (rng_chance(r, 0.5))
        add_pulse(l, rng_between(r, 0.03, 0.1), 1.5 * length, counts * rng_between(r, 0.2, 0.8) / (1.5 * length));
}

/* A source of the catalogue rises or sets: counts per second below 25, in 25-50, in 50-100 keV of a NaI that faces
 * it. */
static void draw_step(struct rng *r, struct look_alike *l)
{
    static const double CRAB[SIM_GROUP] = {16.0, 8.0, 3.0, 0.0, 0.0, 45.0},
                        SCO[SIM_GROUP] = {12.0, 0.5, 0.0, 0.0, 0.0, 170.0};
    set_part(l, rng_chance(r, 0.6) ? CRAB : SCO); /* Cyg X-1 is like the Crab */
    l->reach = REACH_SOURCE;
    l->rise_s = rng_between(r, 5.0, 12.0) / 2.0;
    l->height = rng_log_between(r, 0.6, 1.7) * (rng_chance(r, 0.5) ? 1.0 : -1.0);
    if (rng_chance(r, 0.1)) l->height *= rng_between(r, 2.0, 6.0); /* outbursts brighter than the Crab */
}

static void draw_galactic(struct rng *r, struct look_alike *l)
{
    int n = 1 + (int)rng_poisson(r, 1.5);
    double at = 0.0, height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.08, 1.5);
    l->reach = REACH_SOURCE;
    l->spectrum = rng_chance(r, 0.5) ? thermal(rng_between(r, 20.0, 50.0)) : power_law(rng_between(r, -3.2, -2.2));
    for (int i = 0; i < n; i++) {
        double length = 2.5 * rng_log_between(r, 5.0, 60.0);
        add_pulse(l, at, length, height * rng_between(r, 0.4, 1.0));
        at += length * rng_between(r, 0.4, 1.5);
    }
}

/* Vela X-1, GX 301-2, A0535+26. */
static void draw_pulsar(struct rng *r, struct look_alike *l)
{
    static const double PERIOD_S[3] = {283.0, 690.0, 103.0};
    l->reach = REACH_SOURCE;
    l->period_s = PERIOD_S[(int)(3.0 * rng_uniform(r))];
    l->rise_s = rng_between(r, 0.0, 1.0); /* strength of the second harmonic */
    l->height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.02, 0.3);
    l->spectrum = thermal(rng_between(r, 15.0, 40.0));
}

static void draw_ramp(struct rng *r, struct look_alike *l)
{
    l->reach = REACH_PARTICLES;
    l->rise_s = (rng_chance(r, 0.5) ? 1.0 : -1.0) * rng_log_between(r, 6.0, 50.0); /* < 0: on the way out */
    l->fall_s = rng_log_between(r, 150.0, 9000.0); /* activation: 2.5, 25, 150 min mix (A.6) */
    l->height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.3, 5.0);
    l->spectrum = power_law(rng_between(r, -3.0, -1.5));
}

static void draw_slew(struct rng *r, struct look_alike *l)
{
    static const double PART[SIM_GROUP] = {0.72, 0.25, 0.03, 0.0, 0.0, 1.0};
    set_part(l, PART);
    l->reach = REACH_SIGNED;
    l->rise_s = rng_log_between(r, 20.0, 120.0) / 4.0;
    l->height = LOOK_ALIKE_LEVEL * rng_log_between(r, 0.02, 0.2);
}

/* Electronics and single detectors. */
static void draw_instrumental(struct rng *r, struct look_alike *l)
{
    static const double SPIKE[SIM_GROUP] = {0.85, 0.12, 0.03, 0.0, 0.0, 0.8};
    double length;
    l->reach = REACH_ONE;
    switch (l->family) {
    case FAMILY_SPIKE:
        set_part(l, SPIKE);
        l->fall_s = rng_log_between(r, 0.05, 0.5);
        l->height = rng_log_between(r, 20.0, 2000.0) / l->fall_s;
        break;
    case FAMILY_BIT:
        one_atom(r, l);
        add_pulse(l, 0.0, BIN_S, pow(2.0, floor(rng_between(r, 5.0, 13.0))) / BIN_S);
        break;
    case FAMILY_HOT:
        one_atom(r, l);
        length = rng_log_between(r, 0.5, 60.0);
        add_pulse(l, 0.0, length, LOOK_ALIKE_LEVEL * rng_log_between(r, 0.1, 2.0));
        break;
    default: /* saturation: more counts than pass */
        l->reach = REACH_ALIKE;
        add_pulse(l, 0.0, rng_log_between(r, 0.1, 10.0), LOOK_ALIKE_LEVEL * rng_log_between(r, 10.0, 300.0));
        l->spectrum = power_law(-1.8);
        l->pause_s = rng_log_between(r, 0.064, 1.0);
    }
}

void look_alike_draw(struct rng *r, enum sky_family family, struct look_alike *ret_look_alike)
{
    struct look_alike l = {.family = family, .reach = REACH_NONE};
    switch (family) {
    case FAMILY_QUIET:
    case FAMILY_DROPOUT:
    case FAMILY_BURST: break;
    case FAMILY_HUMP: draw_hump(r, &l); break;
    case FAMILY_PARTICLES: draw_particles(r, &l); break;
    case FAMILY_PRECIPITATION: draw_precipitation(r, &l); break;
    case FAMILY_FLARE: draw_flare(r, &l); break;
    case FAMILY_MAGNETAR: draw_magnetar(r, &l); break;
    case FAMILY_FLASH: draw_flash(r, &l); break;
    case FAMILY_BEAM: draw_beam(r, &l); break;
    case FAMILY_STEP: draw_step(r, &l); break;
    case FAMILY_GALACTIC: draw_galactic(r, &l); break;
    case FAMILY_PULSAR: draw_pulsar(r, &l); break;
    case FAMILY_RAMP: draw_ramp(r, &l); break;
    case FAMILY_SLEW: draw_slew(r, &l); break;
    default: draw_instrumental(r, &l);
    }
    *ret_look_alike = l;
}
