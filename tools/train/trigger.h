/* The classical trigger that flies: counts of a sliding window against a background from just before, in several
 * detectors at once. The yardstick beside the networks. */
#ifndef BURST_TRAIN_TRIGGER_H
#define BURST_TRAIN_TRIGGER_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* Windows of `length` bins that end at offset, offset + length, offset + 2 length ..., in one energy range. */
struct trigger_line {
    size_t length, offset; /* bins */
    uint32_t atoms;        /* bit a: atom a belongs to the range */
    double threshold;      /* sigma at which this line fires in flight */
};

enum { TRIGGER_LINE_MAX = 96, TRIGGER_DETECTOR_MAX = 25 };

/* Lines in the manner of Fermi/GBM for five atoms: 25-50, 50-300, 100-300 and over 300 keV, 16 ms (or the bin, if longer)
 * to 8.192 s doubling, each also shifted by half.
 * Given     bin_s  0.016, 0.032 or 0.064
 * Returned  ret_line [TRIGGER_LINE_MAX]; ret_n_line
 * Errors    BURST_E_RANGE  another bin
 * Source    thresholds of the lines that fly: Paciesas et al. 2012, ApJS 199, 18, table 1: 50-300 keV 7.5 (16, 32 ms),
 *           5.0 (64, 128 ms), 4.5; 25-50 keV 8.0, 5.5 (64 ms); over 100 and over 300 keV 8.0 (16 ms). The lines that were
 *           switched off in flight are here too, at 5.5 up to 128 ms and 4.5 above: our choice */
enum burst_err trigger_flight_lines(double bin_s, struct trigger_line *ret_line, size_t *ret_n_line,
                                    struct burst_error *reterr);

struct trigger_data {
    size_t n_detector, n_atom, n_bin; /* 1..25, 1..32, 1 or more */
    double bin_s;
    const uint16_t *counts; /* [n_detector][n_atom][n_bin] */
    const uint8_t *valid;   /* [n_detector][n_bin] */
};

/* Score every bin: 4.5 where the trigger would just fire.
 * Given     n_coincident  detectors that must see it, 1..n_detector: the score is that of the n-th best
 * Returned  ret_score [n_bin]  the greatest of 4.5 (S/N) / threshold over lines whose window ends with that bin, S/N =
 *           (counts - B) / sqrt(B); 0 where none ends or none is above 0
 *           ret_line [n_bin]   index of that line, -1 where the score is 0
 * Errors    BURST_E_SHAPE, BURST_E_RANGE (a line's), BURST_E_NOMEM
 * Notes     B is the mean rate over 17.024 s ending 4.096 s before the window's end, so windows over 4 s overlap it, as in
 *           flight. A window that holds an invalid bin, or whose background has less than half its bins, has no score.
 * Source    background window: Paciesas+2012; the same numbers in the Gamma-ray Data Tools' model of the flight software */
enum burst_err trigger_run(const struct trigger_data *d, const struct trigger_line *line, size_t n_line,
                           size_t n_coincident, float *ret_score, int32_t *ret_line, struct burst_error *reterr);

/* Mean counts per bin of the valid bins in [i - gap - window, i - gap) for each bin i, 0 where fewer than half are valid: the
 * expectation that a search like FOCuS is given.
 * Given     counts [n_bin]; valid [n_bin] or NULL: all; window: 1 or more
 * Returned  ret_mean [n_bin]; may not alias */
enum burst_err trigger_background(const double *counts, const uint8_t *valid, size_t n_bin, size_t window, size_t gap,
                                  double *ret_mean, struct burst_error *reterr);
#endif
