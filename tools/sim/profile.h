/* Gamma-ray bursts: pulses in time, their colours, their change with energy. */
#ifndef BURST_SIM_PROFILE_H
#define BURST_SIM_PROFILE_H
#include "sim/rng.h"
#include "sim/spectrum.h"
#include <stddef.h>

enum { PULSE_MAX = 400 };

/* Bins [t0_s + i bin_s, t0_s + (i + 1) bin_s). */
struct sim_grid {
    double t0_s, bin_s;
    size_t n_bin;
};

enum pulse_shape { PULSE_AVALANCHE, PULSE_NORRIS };

/* Avalanche: rise exp(-((t - peak) / rise)^2), decay exp(-(t - peak) / decay). Norris: rise is tau1, decay tau2 of
 * Norris+2005. */
struct pulse {
    enum pulse_shape shape;
    double peak_s, rise_s, decay_s; /* all times > 0 but the peak's */
    double amplitude;
    double hardness; /* its peak energy over the burst's; burst_add takes it as 1 */
};

enum spectral_change { CHANGE_HARD_TO_SOFT, CHANGE_TRACKING };

struct burst {
    int n_pulse;
    struct pulse pulse[PULSE_MAX];
    struct spectrum spectrum; /* at the start of each pulse (hard to soft) or at its peak (tracking) */
    enum spectral_change change;
    double width_index; /* pulse width goes as (E / 100 keV)^width_index */
    double lag_s;       /* 25-50 keV behind 100-300 keV */
    double t90_s;
};

/* Draw a burst: 70 % pulse avalanches, 30 % Norris pulses, short and long, thinned where a trigger would
 * seldom find them. Its pulses lie around t = 0.
 * Source  science.md A.2, A.3 */
void burst_draw(struct rng *r, struct burst *ret_burst);
/* Draw the pulses of one avalanche only (the rest of ret_burst is untouched), with parameters between those fitted to
 * BATSE (mix 0) and to Swift/BAT (mix 1).
 * Source  Stern & Svensson 1996; parameters Bazzanini+2024 (science.md A.2 i) */
void burst_draw_avalanche(struct rng *r, double mix, struct burst *ret_burst);
/* Draw Norris pulses only; `is_short` chooses the population (science.md A.2 ii). */
void burst_draw_norris(struct rng *r, int is_short, struct burst *ret_burst);

/* Height of a pulse at t, its time axis stretched by `stretch` > 0 about the peak and moved by `shift_s`. */
double pulse_value(const struct pulse *p, double t_s, double stretch, double shift_s);
/* Where the pulse is above about 1e-5 of its height. */
void pulse_extent(const struct pulse *p, double *ret_start_s, double *ret_stop_s);
/* First start and last stop of all pulses. */
void burst_extent(const struct burst *b, double *ret_start_s, double *ret_stop_s);
/* Time between 5 % and 95 % of the counts, all pulses in one colour; resolution extent / 4096. */
double burst_t90(const struct burst *b);

/* Add the burst's rate, its own t = 0 lying at `start_s` on the grid's time axis.
 * Given     gain [SIM_GROUP]  counts per second in the five atoms together for a pulse of amplitude 1 at its top
 * Returned  rate [SIM_GROUP][grid->n_bin]: more by the mean over each bin */
void burst_add(const struct burst *b, enum crystal crystal, const double *gain, const struct sim_grid *grid,
               double start_s, double *rate);
#endif
