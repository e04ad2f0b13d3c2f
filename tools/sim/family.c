/* The table of families. */
#include "sim/family.h"
#include <string.h>

/* share: of the training skies without a burst, a choice: each look-alike often enough to be learned, humps most (they
 * are the commonest false trigger and the most like a burst). per_day, length_s: how often a spacecraft meets one and
 * how long it is to be seen.
 * Sources of per_day. [T] GBM's 8,637 triggers of 14.24 years, science.md A.7, D.1: GRB 39.1 %, SFLARE 0.26 a day,
 * LOCLPAR 0.22, TGF 0.24, SGR 0.10, DISTPAR 1.0 %, TRANSNT 5.0 % (galactic). [X] 2 electron beams to 147 flashes, arXiv
 * 2306.10255. [O] three sources, each rising and setting on 15 orbits; the anomaly in and out on 7 of 15 orbits. [C] a
 * choice: nothing was found that counts them. */
static const struct {
    const char *name;
    double share, per_day, length_s;
} FAMILY[FAMILY_N] = {
    [FAMILY_BURST] = {"burst", 0.0, 0.65, 30.0},                  /* [T] */
    [FAMILY_QUIET] = {"quiet", 0.30, 0.0, 0.0},                   /* what is left */
    [FAMILY_DROPOUT] = {"dropout", 0.04, 1.0, 5.0},               /* [C] */
    [FAMILY_HUMP] = {"hump", 0.16, 0.22, 150.0},                  /* [T] */
    [FAMILY_PARTICLES] = {"particles", 0.03, 0.017, 20.0},        /* [T] */
    [FAMILY_PRECIPITATION] = {"precipitation", 0.03, 0.01, 20.0}, /* [C] */
    [FAMILY_FLARE] = {"flare", 0.07, 0.26, 300.0},                /* [T] */
    [FAMILY_MAGNETAR] = {"magnetar", 0.06, 0.10, 10.0},           /* [T] */
    [FAMILY_FLASH] = {"flash", 0.03, 0.24, 0.001},                /* [T] */
    [FAMILY_BEAM] = {"beam", 0.02, 0.0033, 0.1},                  /* [X] */
    [FAMILY_STEP] = {"step", 0.04, 90.0, 10.0},                   /* [O] */
    [FAMILY_GALACTIC] = {"galactic", 0.03, 0.083, 60.0},          /* [T] */
    [FAMILY_PULSAR] = {"pulsar", 0.02, 1.0, 600.0},               /* [C] */
    [FAMILY_SPIKE] = {"spike", 0.04, 20.0, 0.5},                  /* [C] */
    [FAMILY_BIT] = {"bit", 0.02, 0.1, 0.064},                     /* [C] */
    [FAMILY_HOT] = {"hot", 0.02, 0.1, 10.0},                      /* [C] */
    [FAMILY_SATURATION] = {"saturation", 0.02, 0.005, 3.0},       /* [C] */
    [FAMILY_RAMP] = {"ramp", 0.04, 14.0, 60.0},                   /* [O] */
    [FAMILY_SLEW] = {"slew", 0.03, 1.0, 100.0},                   /* [C] */
};

const char *family_name(enum sky_family family)
{
    return FAMILY[family].name;
}

int family_find(const char *word)
{
    for (int f = 0; f < FAMILY_N; f++)
        if (strcmp(FAMILY[f].name, word) == 0) return f;
    return -1;
}

double family_per_day(enum sky_family family)
{
    return FAMILY[family].per_day;
}

static double real_chance(int family, double duration_s)
{
    double chance = FAMILY[family].per_day * (duration_s + FAMILY[family].length_s) / 86400.0;
    return chance < 0.5 ? chance : 0.5;
}

double family_chance(enum sky_family family, enum family_rates rates, double duration_s)
{
    if (rates == RATES_TRAINING) return family == FAMILY_BURST ? 0.5 : 0.5 * FAMILY[family].share;
    double sum = 0.0;
    for (int f = 0; f < FAMILY_N; f++)
        sum += real_chance(f, duration_s);
    if (sum > 1.0) return real_chance((int)family, duration_s) / sum; /* longer than anything stays away */
    return family == FAMILY_QUIET ? 1.0 - sum : real_chance((int)family, duration_s);
}
