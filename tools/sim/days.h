/* Whole days of one spacecraft: counts per 64 ms without an event list, as the false alarms of a watch are measured on. */
#ifndef BURST_SIM_DAYS_H
#define BURST_SIM_DAYS_H
#include "base/err.h"
#include "sim/spacecraft.h"
#include <stdint.h>

enum { DAY_BIN = 1350000, DAY_DETECTOR_MAX = 3, DAY_ITEM_MAX = 4096, DAY_WORD = 16 };

enum day_bursts {
    DAY_BURSTS_REAL,  /* 0.65 a day, as bright as Fermi/GBM sees them, from anywhere above the Earth */
    DAY_BURSTS_NONE,  /* none: whatever fires is a false alarm */
    DAY_BURSTS_INJECT /* one about every every_s, S/N as asked for */
};

struct day_settings {
    struct spacecraft craft;
    uint64_t seed;
    int n_detector; /* 1, or 3 neighbours that look the same way */
    enum day_bursts bursts;
    double snr_low, snr_high; /* injected: S/N in the detector that sees it best, uniform in the logarithm, 1..1000 */
    double every_s;           /* injected: 300 or more */
    double rate;              /* factor on what is no burst: 0 to 100; 1: as often as in orbit */
};

/* Something that happened, by its true extent. */
struct day_item {
    char what[DAY_WORD];    /* a family_name, "flicker" (red noise) or "outage" */
    double start_s, stop_s; /* seconds of the day */
    double peak_s, onset_s; /* brightest bin; first bin over 5 % of it; negative: the counts do not rise */
    double snr;             /* expected, best detector, 25-900 keV, best of 64 ms x 2^0..7; 0: the counts do not rise */
    int detector;           /* that sees it best; -1: the counts do not rise */
    double t90_s;           /* of bursts; 0 else */
    struct direction from;  /* of what comes from the sky; 0, 0 else */
};

struct day {
    int n_detector, detector[DAY_DETECTOR_MAX]; /* numbers in the mission's geometry */
    uint16_t *counts;                           /* [n_detector][SIM_ATOM][DAY_BIN]; 0 where not valid */
    uint8_t *valid;                             /* [DAY_BIN], of all detectors */
    int n_item;
    struct day_item item[DAY_ITEM_MAX]; /* rising start */
};

/* Draw day `index` of a seed; days of a seed are independent and each depends on (settings, index) alone.
 * Returned  *ret_day  freed with day_free
 * Errors    BURST_E_RANGE  a setting; BURST_E_NOMEM; *ret_day untouched
 * Notes     Background: orbit of 95 minutes with six harmonics, soft, middle and hard parts apart, with slopes as measured on
 *           continuous Fermi/GBM data. Detectors share the hard and middle
 *           parts and half of the soft one. Red noise covers 2.2 % of the time: so many quiet windows of real GBM light
 *           curves have a dispersion over 1.6.
 * Source    science.md A.6, A.7, D.1; family.c for how often each family comes */
enum burst_err day_new(const struct day_settings *set, uint64_t index, struct day **ret_day,
                       struct burst_error *reterr);
/* NULL is accepted. */
void day_free(struct day *d);

/* Detectors that a day of n_detector shows: the ones nearest to one direction. Returned ret_detector [n_detector]. */
void day_detectors(const struct spacecraft *craft, int n_detector, int *ret_detector);
#endif
