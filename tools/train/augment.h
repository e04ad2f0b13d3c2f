/* More light curves from those there are. All but thin_as_printed stay exactly Poisson: counts are taken away by binomial
 * draws and added by Poisson draws, nothing is multiplied.
 *
 * Means below: a bin holds Poisson(B + S), B of struct curves' background, S of the burst. In every call row i draws from stream
 * index[i] of `seed` (NULL: i itself), so a row's result does not depend on the batch it comes in.
 * `ret_atoms` may be the array of c->atoms, ret_valid that of c->valid, ret_background that of c->background, where counts stay
 * in their bins (thin, rate, gain); elsewhere they are other arrays. Missing bins are 0; counts over 65,535 stay at that. */
#ifndef BURST_TRAIN_AUGMENT_H
#define BURST_TRAIN_AUGMENT_H
#include "records/bands.h"
#include "train/curves.h"

struct draw {
    uint64_t seed;
    const uint64_t *index; /* [n] or NULL */
};

enum kept_preset {
    KEPT_SEED_REMOVED, /* k = 1 - c, c ~ exp(N(-2, variance 0.6)), at least 0: the paper's c read as the part removed */
    KEPT_SEED_KEPT,    /* k = c, at most 1: the paper's c read as the part kept */
    KEPT_TARGET_SNR, /* k = target / S/N0, target uniform in the logarithm from `least` (or the end of the unclear band) to S/N0 */
    KEPT_PRESET_N
};
/* Signal-to-noise below which a light curve is not to be called a burst, and below which it is not clear. */
#define SNR_NOT_A_BURST 3.5
#define SNR_CLEAR       4.5

/* Draw the part of the burst that is kept.
 *
 * Given     snr0 [n]  S/N of each burst as it is, finite, > 0
 *           least     S/N, KEPT_TARGET_SNR: finite, > 0; one inside [SNR_NOT_A_BURST, SNR_CLEAR) counts as SNR_CLEAR
 * Returned  ret_kept [n]  0..1; 1 where S/N0 is not above the least target
 *           ret_snr  [n]  kept x S/N0: what is expected of the thinned burst
 * Errors    BURST_E_RANGE  preset, least or an snr0; BURST_E_MISSING  a NULL; outputs untouched
 * Source    science.md A.8 */
enum burst_err kept_draw(const double *snr0, size_t n, int preset, double least, struct draw draw, double *ret_kept,
                         double *ret_snr, struct burst_error *reterr);

/* 1: S/N says burst; 0: too faint to be called one; -1: unclear, to be left out. */
int snr_label(double snr_sigma);

/* Take away counts of burst and background alike, give the background back: Binomial(N, k) + Poisson((1 - k) B) is
 * Poisson(B + k S).
 *
 * Given     kept [n]   k, 0..1, the same for all atoms
 * Returned  ret_atoms  [n][n_atom][n_bin]
 * Errors    those of curves_check_background; BURST_E_RANGE  a k; outputs untouched
 * Source    science.md A.8 */
enum burst_err curves_thin(const struct curves *c, const double *kept, struct draw draw, uint16_t *ret_atoms,
                           struct burst_error *reterr);

/* The paper's printed formula, L - c L + Poisson(c B): for its reproduction alone. Its background is neither integer nor
 * Poisson (variance / mean = (1 - c)^2 + c: 0.75 at c = 0.5), which a network can learn instead of bursts.
 *
 * Given     removed [n]  c, 0..1
 * Returned  ret_counts   [n][n_atom][n_bin]; missing bins are 0
 * Errors    as curves_thin */
enum burst_err curves_thin_as_printed(const struct curves *c, const double *removed, struct draw draw,
                                      float *ret_counts, struct burst_error *reterr);

/* Turn the burst through the window, leaving the background's trend where it is. What bin t held comes to bin
 * t + shift modulo n_bin; where its background B is below the new place's B', Poisson(B' - B) is added; where it is above, all
 * is thinned by B'/B, and with it the burst: Poisson(B' + S min(1, B'/B)).
 *
 * Given     shift [n]  bins, either sign, any size
 * Returned  ret_atoms, ret_valid [n][n_bin]  validity turns along: a gap stays beside what it stood beside
 * Errors    those of curves_check_background, BURST_E_MISSING; outputs untouched */
enum burst_err curves_turn(const struct curves *c, const int32_t *shift, struct draw draw, uint16_t *ret_atoms,
                           uint8_t *ret_valid, struct burst_error *reterr);

/* Lay a thinned burst over another, quiet window: Binomial(N, k) + Binomial(Q, 1 - k B / Bq) is Poisson(Bq + k S), with the quiet
 * window's own noise.
 *
 * Given     quiet    other light curves of the same shape, with their background; row i goes with row i
 *           kept     k, 0..1
 * Returned  ret_atoms, ret_valid  valid where both are
 *           ret_kept [n]  the k used: lowered where k B would be over Bq in some valid bin
 * Errors    those of curves_check_background for both; BURST_E_SHAPE  two shapes; BURST_E_RANGE  a k; outputs untouched */
enum burst_err curves_swap(const struct curves *c, const struct curves *quiet, const double *kept, struct draw draw,
                           uint16_t *ret_atoms, uint8_t *ret_valid, double *ret_kept, struct burst_error *reterr);

#define GAIN_LEAST      0.9
#define GAIN_MOST       1.1
#define GAIN_ATOM_LEAST 1.12 /* upper edge over lower: no count can skip an atom */

/* Move the inner edges between atoms, as a change of gain would: the part of an atom that lies beyond an edge goes to its
 * neighbour by a binomial draw.
 *
 * Given     edge_kev [n_atom + 1]  rising, > 0
 *           gain [n]    measured energy over true energy, 0.9..1.1
 *           index       counts per keV fall as E^-index inside an atom; 1.6 fits GBM's background (science.md A.6)
 * Returned  ret_atoms, and ret_background [n][n_atom][n_bin] (NULL where not wanted; c->background is then not needed)
 * Errors    those of curves_check; BURST_E_SHAPE  one atom has no inner edge; BURST_E_RANGE  an edge, gain or index
 * Notes     The outer edges stay: what lies beyond them was never counted. So all counts of a bin stay in it. */
enum burst_err curves_gain(const struct curves *c, const double *edge_kev, const double *gain, double index,
                           struct draw draw, uint16_t *ret_atoms, float *ret_background, struct burst_error *reterr);

/* Another level of rate. Below 1 everything is thinned: Poisson(f B + f S). Above, background is added: Poisson(f B + S).
 *
 * Given     factor [n]  f, 0.1..10
 * Returned  ret_atoms, and ret_background (f B; NULL where not wanted)
 * Errors    those of curves_check_background; BURST_E_RANGE  a factor; outputs untouched */
enum burst_err curves_rate(const struct curves *c, const double *factor, struct draw draw, uint16_t *ret_atoms,
                           float *ret_background, struct burst_error *reterr);

/* Move the window against the light curve, so that a burst may be cut by its edge. What bin t held comes to bin t - offset; bins
 * that come in from outside are Poisson draws of the background, held at its value at that end.
 *
 * Given     offset [n]  bins, |offset| < n_bin; above 0 the window moves to later times
 * Returned  ret_atoms, ret_valid (1 in bins that came in), ret_background (NULL where not wanted)
 * Errors    those of curves_check_background; BURST_E_RANGE  an offset; outputs untouched */
enum burst_err curves_slide(const struct curves *c, const int32_t *offset, struct draw draw, uint16_t *ret_atoms,
                            uint8_t *ret_valid, float *ret_background, struct burst_error *reterr);

/* Draw offsets for curves_slide with which a window's edge falls inside the burst, at either end alike.
 *
 * Given     onset_bin, stop_bin [n]  bins [onset, stop) are the burst's, 0 <= onset < stop <= n_bin
 * Returned  ret_offset [n]  of a burst shorter than 2 bins 0: it cannot be cut
 * Errors    BURST_E_RANGE, BURST_E_MISSING; ret_offset untouched */
enum burst_err cut_draw(const int32_t *onset_bin, const int32_t *stop_bin, size_t n, size_t n_bin, struct draw draw,
                        int32_t *ret_offset, struct burst_error *reterr);
#endif
