/* Labelled samples of one detector's window: what the light-curve network learns from. */
#ifndef BURST_SIM_LIGHTCURVE_H
#define BURST_SIM_LIGHTCURVE_H
#include "records/sample.h"
#include "sim/transient.h"

/* Whose detectors: one mission's, or each sample by the toss of a coin. */
enum sim_mix { SIM_MIX_GECAM_B, SIM_MIX_FERMI_GBM, SIM_MIX_BOTH };

enum { SAMPLE_FAMILY_TEXT = 12 };

/* Facts about a sample that go beside it in meta.csv. */
struct sample_facts {
    int label;                       /* 1: a burst is in the window at S/N 5 or more; 0: none */
    char family[SAMPLE_FAMILY_TEXT]; /* "burst", "quiet", "dropout", or transient_name */
    enum sim_mission mission;
    double snr;    /* expected counts over sqrt(background), 25-900 keV, best of 64 ms x 2^0..7; 0: quiet */
    double t90_s;  /* of the whole burst; 0: none */
    double peak_s; /* brightest bin from the window's start; negative: none */
    int n_valid, n_missing_inside; /* valid bins; missing bins between the first and the last valid one */
};

/* What to draw: 0 quiet and look-alikes, 1 bursts; negative: by chance, half and half. */
struct sample_wish {
    enum sim_mix mix;
    int label;
    int family; /* for label 0: an enum transient_family, or negative: by chance */
};

/* Draw sample `index` of `seed` into row 0 of a window; every sample is a burst or a sky of its own.
 *
 * Given     seed, index  the sample depends on these two and the wish alone w            of window_new; bands are
 *           set to the default nine
 * Returned  w            one detector: counts and validity; ret_facts
 * Notes     Validity is drawn before the label, so that missing bins tell nothing about it; only the ramp's edge of
 *           the radiation belt adds missing bins of its own.
 * Source    science.md A.2-A.8; protocol.md 4 */
void lightcurve_sample(uint64_t seed, uint64_t index, const struct sample_wish *wish, struct lightcurve_window *w,
                       struct sample_facts *ret_facts);

/* Best expected S/N of `signal` over `background` (both counts per bin, valid bins only) over lengths of 1, 2, 4 ...
 * 128 bins (8.192 s, as flight triggers). */
double lightcurve_snr(const double *signal, const double *background, const uint8_t *valid, size_t n_bin);
#endif
