/* Labelled sets of sub-images whose two classes share S/N, background and lost packets, so that none of these tells the
 * label. Source: science.md B.3 (proportions), B.5 (leaks to close). */
#ifndef BURST_SIM_ECLAIRS_SET_H
#define BURST_SIM_ECLAIRS_SET_H
#include "kernels/image_input.h"
#include "sim/eclairs.h"

/* What the 1,624,993-parameter network sees. Source: science.md B.4. */
extern const struct image_scaling ECLAIRS_SCALING;

enum { IMAGE_INPUTS = 2 * IMAGE_SIDE * IMAGE_SIDE };

struct eclairs_row {
    enum eclairs_family family;
    double snr, spread, frame_sd; /* frame_sd: deviation of the frame's pixels that are data */
    double exposure_s, nearest_px;
    int n_missing, n_try;
    char burst_id[BURST_ID_TEXT];
    float input[IMAGE_INPUTS]; /* [2][Z][Y]: prepared and scaled as burstd does it */
};

typedef void (*eclairs_progress)(size_t done, size_t total);

/* Make `n` rows: 41 % false in B.3's proportions, in random order. Every true row takes S/N and threshold, and most
 * also the background's width, from a false one drawn at random.
 *
 * Given     n         at least 2
 *           progress  called after each row; NULL: not
 * Returned  ret_rows [n]  the same for the same simulator, seed and n
 * Errors    those of eclairs_alert, subimage_prepare and image_input; ret_rows is then partly written */
enum burst_err eclairs_set_make(struct eclairs *e, const struct catalogue *c, uint64_t seed, size_t n,
                                eclairs_progress progress, struct eclairs_row *ret_rows, struct burst_error *reterr);
#endif
