/* Labelled rows of a light-curve set: one sky, seen by one detector, by the best three or by all of a spacecraft. */
#ifndef BURST_SIM_SKYSET_H
#define BURST_SIM_SKYSET_H
#include "sim/family.h"
#include "sim/spacecraft.h"
#include <stdint.h>

enum sky_view { VIEW_ONE, VIEW_BEST3, VIEW_ALL };
enum { SKY_CRAFT_MAX = 8 };

/* What every sky of a set is drawn by. */
struct sky_plan {
    int n_craft; /* each sky chooses one of them */
    struct spacecraft craft[SKY_CRAFT_MAX];
    enum sky_view view;
    double bin_s; /* a multiple of 64 ms */
    size_t n_bin;
    int n_atom;       /* SIM_ATOM, or 1: all energies together */
    int only;         /* an enum sky_family, or negative: by chance, half of the skies bursts */
    uint32_t without; /* bit f: family f never */
    enum family_rates rates;
    double mix_low, mix_high; /* avalanches between those of BATSE (0) and Swift/BAT (1) to draw from */
    double level;             /* factor on quiet counts */
    double gain;              /* energies are measured too high by this factor, 0.9 to 1.1 */
    double onset;             /* share of bursts that have only begun when the data end */
    bool by_flux;             /* brightness of bursts by their flux at the Earth instead */
    double snr_low, snr_high; /* of bursts, in the detector that sees them best; 0, 0: as detectors trigger */
};

/* Facts about a row that go beside it in meta.csv. */
struct sky_row {
    int label; /* 1: a burst at the least S/N a label is given for; 0: none, or one too faint in this detector */
    enum sky_family family;
    int craft, detector; /* indices */
    double snr;    /* expected counts over sqrt(background), best of 1, 2, 4 ... bins up to 8.192 s (8 bins at least) */
    double t90_s;  /* of the whole burst; 0: none */
    double peak_s; /* brightest bin from the window's start; negative: none */
    double onset_s, stop_s; /* where burst counts rise above 5 % of their largest, and fall for good; negative: none */
    int n_valid, n_missing_inside;
    int n_saturated;           /* bins and atoms cut at 65535 counts */
    double counts, dispersion; /* mean, and variance over mean, of the atoms' sum over valid bins */
};

/* A plan of no spacecraft yet: 1875 bins of 64 ms, five atoms, one detector of each sky, nothing shifted. */
void sky_plan_default(struct sky_plan *ret_plan);

/* How evaluation sets may differ from training sets: a shift of one thing. */
enum sky_shift {
    SHIFT_NONE,
    SHIFT_BATSE,     /* avalanches of BATSE alone */
    SHIFT_BAT,       /* of Swift/BAT alone */
    SHIFT_FAINT_SKY, /* half the quiet counts */
    SHIFT_LOUD_SKY,  /* twice as many */
    SHIFT_LOW_GAIN,  /* energies measured 3 % too low */
    SHIFT_HIGH_GAIN, /* 3 % too high */
    SHIFT_LAYOUT,    /* detectors look elsewhere */
    SHIFT_N
};
/* Word for options: "none", "batse", "bat", "level-half", "level-double", "gain-low", "gain-high", "layout". */
const char *sky_shift_name(enum sky_shift shift);
/* Change a plan whose spacecraft are read. Source: science.md D.1, parameter shift; sizes A.8 and choices. */
void sky_shift_apply(enum sky_shift shift, struct sky_plan *plan);

/* Rows of one sky, and room to make them in; one per thread. */
struct sky_work;

/* Room for skies of `plan`, which must outlive it.
 * Errors    BURST_E_RANGE  a number of the plan is out of its range; BURST_E_NOMEM; *ret_work untouched */
enum burst_err sky_work_new(const struct sky_plan *plan, struct sky_work **ret_work, struct burst_error *reterr);
/* NULL is accepted. */
void sky_work_free(struct sky_work *work);

/* Rows of every sky of the plan: 1, 3, or all detectors; 0 where spacecraft differ in that. */
int sky_rows(const struct sky_plan *plan);

/* Draw sky `sky` of `seed`. It depends on these two and the plan alone.
 *
 * Returned  work  until the next call: its rows by sky_row, sky_atoms, sky_valid
 * Notes     Validity is drawn before the label, so that missing bins tell nothing about it; only the edge of the
 *           radiation belt adds missing bins of its own.
 * Source    science.md A.2-A.8; protocol.md 4 */
void sky_draw(struct sky_work *work, uint64_t seed, uint64_t sky);
/* Facts, counts [n_atom][n_bin] and validity [n_bin] of row 0..sky_rows - 1. */
const struct sky_row *sky_row(const struct sky_work *work, int row);
const uint16_t *sky_atoms(const struct sky_work *work, int row);
const uint8_t *sky_valid(const struct sky_work *work, int row);
/* Counts [n_atom][n_bin] that those of the last row were expected to be, losses and dead time included. */
const float *sky_expected(const struct sky_work *work);
#endif
