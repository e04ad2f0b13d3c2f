/* Families of a light-curve set: their names, and how often each is drawn. */
#ifndef BURST_SIM_FAMILY_H
#define BURST_SIM_FAMILY_H

/* Source: science.md A.7. */
enum sky_family {
    FAMILY_BURST,
    FAMILY_QUIET,
    FAMILY_DROPOUT,       /* lost packets inside good time: all counts of a stretch, or a part of them */
    FAMILY_HUMP,          /* LOCLPAR: particles on the way into or out of the belts */
    FAMILY_PARTICLES,     /* DISTPAR: distant particles, faster, softer */
    FAMILY_PRECIPITATION, /* particles in a train of mini-pulses */
    FAMILY_FLARE,         /* solar flare */
    FAMILY_MAGNETAR,      /* bursts of a soft gamma repeater */
    FAMILY_FLASH,         /* terrestrial gamma-ray flash: inside one bin, hard */
    FAMILY_BEAM,          /* terrestrial electron beam, and its mirror pulse */
    FAMILY_STEP,          /* the Crab, Cyg X-1 or Sco X-1 rises or sets behind the Earth */
    FAMILY_GALACTIC,      /* flares as of V404 Cyg */
    FAMILY_PULSAR,        /* Vela X-1, GX 301-2, A0535+26 */
    FAMILY_SPIKE,         /* phosphorescence after a heavy nucleus: one detector */
    FAMILY_BIT,           /* electronics: one bin of one energy group */
    FAMILY_HOT,           /* electronics: one energy group at a constant extra rate for a while */
    FAMILY_SATURATION,    /* more counts than the electronics pass, then a pause */
    FAMILY_RAMP,          /* the South Atlantic Anomaly's edge */
    FAMILY_SLEW,          /* the spacecraft turns: the X-ray background is shared out anew */
    FAMILY_N
};

/* Word for tables and options ("hump"). */
const char *family_name(enum sky_family family);
/* Family of a word, or negative. */
int family_find(const char *word);
/* How often a spacecraft meets one in a day, as RATES_REAL has it. */
double family_per_day(enum sky_family family);
/* How often families are drawn. */
enum family_rates {
    RATES_TRAINING, /* half of the skies bursts, the others by shares that show the network enough of each */
    RATES_REAL      /* as often as a spacecraft meets them */
};

/* Chance of a sky of `duration_s` to hold it; over all families 1. */
double family_chance(enum sky_family family, enum family_rates rates, double duration_s);
#endif
