/* The light curve of one event, from the window that opened it to the last one, and what can be measured on it: onset, end,
 * S/N, T90, peak rate, hardness. All storage is taken at creation. */
#ifndef BURST_DECIDE_CURVE_H
#define BURST_DECIDE_CURVE_H
#include "kernels/significance.h"
#include "records/verdict.h"

enum { CURVE_BINS = 16384 }; /* 17.5 minutes; later bins are left out */

struct curve;

/* BURST_E_NOMEM; *ret_c untouched. */
enum burst_err curve_new(int n_detector, struct curve **ret_c, struct burst_error *reterr);
/* NULL is accepted. */
void curve_free(struct curve *c);

/* Begin with the whole of a window. */
void curve_begin(struct curve *c, const struct lightcurve_window *w);
/* Append the bins of a window that are new. Bins that no window showed are missing. */
void curve_extend(struct curve *c, const struct lightcurve_window *w);

/* First bin, and number of bins, of mission elapsed time. */
int64_t curve_first_bin(const struct curve *c);
size_t curve_n_bin(const struct curve *c);

/* Where the burst is, in bins of the curve. */
struct burst_place {
    bool found;           /* false: no background, or nothing above it */
    struct stretch best;  /* of the highest S/N, among lengths of 64 ms to 16 s */
    size_t onset, ending; /* [onset, ending): the excess from its beginning to its end */
    struct stretch
        aside; /* taken out of every background fit: the burst, 5 s before, and after it 10 s or its length */
};

/* Find the burst in the sum of the member detectors over all atoms, on bins where all of them are valid.
 *
 * Given     member [DETECTOR_MAX]  by detector index
 * Notes     Members with less than 30 s of data are left out of the sum as long as others remain.
 *           The onset is where the likelihood of "excess until the best stretch's end" is highest, then further back as
 *           long as a stretch of up to 16 s before it stands 4.5 sigma above background (less would follow noise: 256
 *           stretches are tried at each step).
 *           background: polynomial of degree 1 up to 40 s of curve, 2 up to 150 s, then 3 (science.md A.6). */
struct burst_place curve_locate(struct curve *c, const bool *member);

/* Counts of a detector above its background in place->best, over all atoms, and their standard deviation.
 * Returned  false where its background cannot be fitted or a bin of the stretch is missing */
bool curve_excess(struct curve *c, int detector, const struct burst_place *place, double *ret_excess,
                  double *ret_sigma);

/* Fill snr, t90_s, peak_rate_hz and hardness of one detector; NaN where it cannot be measured.
 *
 * Notes     All inside [onset, ending) of the place. snr: best of 64 ms to 16 s. t90: from 5 % to 95 % of the cumulated
 *           excess, where the whole excess is above 5 sigma. peak_rate_hz: for live time, up to tenfold; all others are of
 *           the counts as recorded. hardness: excess of 100-300 keV over that of 50-100 keV,
 *           where the latter is above 3 sigma and the atoms have those edges. */
void curve_measure(struct curve *c, int detector, const struct burst_place *place, struct evidence *ret);
#endif
