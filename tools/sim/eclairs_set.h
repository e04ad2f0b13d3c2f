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
    bool low_threshold, has_platform;
    double snr, spread, frame_sd; /* frame_sd: deviation of the frame's pixels that are data */
    double exposure_s, coded, nearest_px, e_min_kev, e_max_kev;
    int n_missing, n_try, sky_y, sky_z; /* sky_y, sky_z: the trigger's pixel */
    char burst_id[BURST_ID_TEXT];
    float input[IMAGE_INPUTS]; /* [2][Z][Y]: prepared and scaled as burstd does it */
};

struct eclairs_order {
    uint64_t seed, mask_seed;
    size_t n;
    int n_thread;                  /* 1 to ECLAIRS_THREAD_MAX */
    bool family[ECLAIRS_FAMILY_N]; /* those to draw from; ECLAIRS_UNCLEAR only alone */
    struct eclairs_shift shift;
};

enum { ECLAIRS_THREAD_MAX = 64 };

/* Every family that an ordinary set is drawn from: all but `lost` (burstd asks no network there) and `unclear`. */
void eclairs_usual_families(bool ret_family[ECLAIRS_FAMILY_N]);

/* Called now and then with the rows done; from one thread at a time, but not always the same. */
typedef void (*eclairs_progress)(size_t done, size_t total);

/* Make rows in random order: 41 % false, in B.3's proportions, where both labels are ordered. Every true row then takes
 * S/N, threshold and exposure, and most also the background's width, from a false one drawn at random.
 *
 * Given     c         lent
 *           order     n at least 1
 *           progress  NULL: not
 * Returned  ret_rows [n]  the same for the same order whatever the number of threads
 * Errors    BURST_E_MISSING  no family is ordered
 *           those of eclairs_alert, subimage_prepare and image_input: of the row with the lowest number that failed;
 *           ret_rows is then partly written */
enum burst_err eclairs_set_make(const struct catalogue *c, const struct eclairs_order *order, eclairs_progress progress,
                                struct eclairs_row *ret_rows, struct burst_error *reterr);
#endif
