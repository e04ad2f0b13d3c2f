/* Windows of real light curves around known bursts, and quiet ones after them: GBM at 2.048 s. Python reads the file; every rule
 * is here. */
#ifndef BURST_TRAIN_WINDOWS_H
#define BURST_TRAIN_WINDOWS_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* Light curves of detectors around bursts, one after the other; arrays lent. Times are seconds from the trigger. */
struct known_curves {
    const int32_t *counts;   /* [n_count] per bin, >= 0 */
    const int64_t *offset;   /* [n_curve + 1] curve i is counts [offset[i], offset[i + 1]) */
    const double *t_first_s; /* [n_curve] centre of its first bin */
    const double *t90_start_s, *t90_s;
    const int64_t *burst; /* [n_curve] number of the burst: curves of one burst have one number */
    size_t n_count, n_curve;
    double bin_s; /* > 0 */
};

struct window_rules {
    int32_t n_bin;            /* of a window: 60 */
    int32_t background_least; /* bins outside the burst that a burst window must have: 10 */
    int32_t best_most;        /* detectors kept per burst, those of the highest S/N; 0: all */
    int32_t per_curve;        /* burst windows of each kept curve, each placed anew; 0: none */
    int32_t quiet_most;       /* quiet windows per curve; 0: none */
    int32_t quiet_of_kept;    /* 1: only of curves that gave a burst window; 0: of all */
    double t90_most_s;        /* bursts of this T90 or longer are left out: 90 */
    double snr_least;         /* burst windows of a lower measured S/N are left out: 4 */
    double guard_s;           /* bins this near to T90 are neither background nor burst */
    double quiet_after_s;     /* quiet windows begin this long after the end of T90: 60 */
    uint64_t seed;            /* of the places; all detectors of a burst are placed alike */
};

/* One window. */
struct known_window {
    int64_t curve, first_bin; /* first_bin counts from the curve's first */
    double snr;       /* the highest of 1, 2, 4, 8 bins: burst windows in T90 and its guard, quiet ones as snr_blind */
    double snr_blind; /* the same anywhere, as one who knows of no burst measures it */
    int32_t label;    /* 1 burst, 0 quiet */
    int32_t onset_bin, stop_bin; /* T90 in bins of the window, [onset, stop); quiet: both 0 */
    int32_t n_background;        /* bins outside T90 and its guard */
    int32_t n_saturated;         /* bins over 65,535 counts: kept at that */
    int32_t place;               /* 0..per_curve - 1; of quiet windows their order */
};

/* The rules of science.md, section 0. */
void window_rules_default(struct window_rules *ret);

/* Cut windows by the rules.
 *
 * Given     room  windows that the outputs have storage for; n_curve x (per_curve + quiet_most) is always enough
 * Returned  *ret_n windows: ret_window [n], ret_counts [n][n_bin], sorted by curve, bursts before quiet ones
 * Errors    BURST_E_MISSING  a NULL; BURST_E_SHAPE  offsets that fall or leave the counts, n_bin outside 8..4096, another size
 *           below 0; BURST_E_RANGE  a time or T90 that is not finite, T90 or a count below 0, a rule out of range
 *           BURST_E_LIMIT  more windows than room; BURST_E_NOMEM. *ret_n untouched; ret_window and ret_counts may be written
 * Notes     A window lies wholly inside its curve and a burst window holds all of T90: curves shorter than a window, or that
 *           do not cover T90, give none. S/N is excess / sqrt(background) over a quadratic fitted to the bins outside T90 and
 *           its guard, or blind to all bins but, in up to 5 rounds, those 3 sigma above the fit.
 * Source    science.md, section 0 and its caveats */
enum burst_err known_windows_cut(const struct known_curves *c, const struct window_rules *rules, size_t room,
                                 struct known_window *ret_window, uint16_t *ret_counts, size_t *ret_n,
                                 struct burst_error *reterr);
#endif
