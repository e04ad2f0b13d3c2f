/* The classical trigger: running sums make every window cost the same. */
#include "train/trigger.h"
#include <math.h>
#include <stdlib.h>

static const double BACKGROUND_S = 17.024, BACKGROUND_GAP_S = 4.096, LONGEST_S = 8.192, FIRES = 4.5;
enum { ATOM_MAX = 32 };

/* Atoms 25-50, 50-100, 100-300, 300-500, 500-900 keV. */
static const uint32_t RANGE[4] = {0x01, 0x06, 0x04, 0x18};

static double flight_threshold(int range, double length_s)
{
    static const double SHORTEST[4] = {8.0, 7.5, 8.0, 8.0};
    if (length_s < 0.05) return SHORTEST[range];
    if (length_s < 0.2) return range == 1 ? 5.0 : 5.5;
    return 4.5;
}

enum burst_err trigger_flight_lines(double bin_s, struct trigger_line *ret_line, size_t *ret_n_line,
                                    struct burst_error *reterr)
{
    size_t n = 0;
    if (fabs(bin_s - 0.016) > 1e-9 && fabs(bin_s - 0.032) > 1e-9 && fabs(bin_s - 0.064) > 1e-9)
        return burst_fail(reterr, BURST_E_RANGE, "bins of %g s; 0.016, 0.032 or 0.064 are taken", bin_s);
    for (int range = 0; range < 4; range++)
        for (size_t length = 1; (double)length * bin_s < LONGEST_S + 1e-6; length *= 2)
            for (size_t offset = 0; offset<length; offset += length> 1 ? length / 2 : 1)
                ret_line[n++] = (struct trigger_line){length, offset, RANGE[range],
                                                      flight_threshold(range, (double)length * bin_s)};
    *ret_n_line = n;
    return BURST_OK;
}

/* Counts of one energy range and valid bins before each bin, all detectors. */
struct sums {
    size_t n_bin, n_detector;
    uint32_t atoms;   /* of `counts`; 0: none yet */
    uint64_t *counts; /* [n_detector][n_bin + 1] */
    uint32_t *valid;  /* the same */
};

static void sums_fini(struct sums *s)
{
    free(s->counts);
    free(s->valid);
}

static enum burst_err sums_init(const struct trigger_data *d, struct sums *s, struct burst_error *reterr)
{
    size_t row = d->n_bin + 1;
    *s = (struct sums){d->n_bin, d->n_detector, 0, calloc(d->n_detector * row, sizeof *s->counts),
                       calloc(d->n_detector * row, sizeof *s->valid)};
    if (!s->counts || !s->valid) {
        sums_fini(s);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for running sums of %zu bins", d->n_bin);
    }
    for (size_t k = 0; k < d->n_detector; k++)
        for (size_t i = 0; i < d->n_bin; i++)
            s->valid[k * row + i + 1] = s->valid[k * row + i] + (d->valid[k * d->n_bin + i] != 0);
    return BURST_OK;
}

static void sums_choose(const struct trigger_data *d, uint32_t atoms, struct sums *s)
{
    size_t row = d->n_bin + 1;
    if (s->atoms == atoms) return;
    s->atoms = atoms;
    for (size_t k = 0; k < d->n_detector; k++)
        for (size_t i = 0; i < d->n_bin; i++) {
            uint64_t sum = 0;
            for (size_t a = 0; a < d->n_atom; a++)
                if (atoms >> a & 1U) sum += d->counts[(k * d->n_atom + a) * d->n_bin + i];
            s->counts[k * row + i + 1] = s->counts[k * row + i] + (d->valid[k * d->n_bin + i] ? sum : 0);
        }
}

/* S/N of detector k in the window of `length` bins that ends before bin `stop`; 0: none can be said. */
static double window_snr(const struct sums *s, size_t k, size_t stop, size_t length, size_t window, size_t gap)
{
    const uint64_t *counts = s->counts + k * (s->n_bin + 1);
    const uint32_t *valid = s->valid + k * (s->n_bin + 1);
    if (stop < length || stop <= gap || valid[stop] - valid[stop - length] != length) return 0.0;
    size_t to = stop - gap, from = to > window ? to - window : 0, live = valid[to] - valid[from];
    if (2 * live < window) return 0.0;
    double expected = (double)(counts[to] - counts[from]) * (double)length / (double)live;
    if (expected <= 0.0) return 0.0;
    return ((double)(counts[stop] - counts[stop - length]) - expected) / sqrt(expected);
}

/* The n-th greatest value: a few detectors, so a plain selection. */
static double nth_greatest(double *value, size_t n_value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n_value; j++)
            if (value[j] > value[i]) {
                double swap = value[i];
                value[i] = value[j];
                value[j] = swap;
            }
    return value[n - 1];
}

static void run_line(const struct trigger_data *d, const struct sums *s, const struct trigger_line *line, int32_t index,
                     size_t n_coincident, float *score, int32_t *best)
{
    size_t window = (size_t)lround(BACKGROUND_S / d->bin_s), gap = (size_t)lround(BACKGROUND_GAP_S / d->bin_s);
    for (size_t stop = line->length + line->offset; stop <= d->n_bin; stop += line->length) {
        double snr[TRIGGER_DETECTOR_MAX];
        for (size_t k = 0; k < d->n_detector; k++)
            snr[k] = window_snr(s, k, stop, line->length, window, gap);
        float value = (float)(FIRES / line->threshold * nth_greatest(snr, d->n_detector, n_coincident));
        if (value <= score[stop - 1]) continue;
        score[stop - 1] = value;
        best[stop - 1] = index;
    }
}

static enum burst_err check_call(const struct trigger_data *d, const struct trigger_line *line, size_t n_line,
                                 size_t n_coincident, struct burst_error *reterr)
{
    if (d->n_detector < 1 || d->n_detector > TRIGGER_DETECTOR_MAX || d->n_atom < 1 || d->n_atom > ATOM_MAX ||
        d->n_bin < 1)
        return burst_fail(reterr, BURST_E_SHAPE, "%zu detectors, %zu atoms, %zu bins", d->n_detector, d->n_atom,
                          d->n_bin);
    if (n_coincident < 1 || n_coincident > d->n_detector)
        return burst_fail(reterr, BURST_E_RANGE, "%zu detectors must see it; there are %zu", n_coincident,
                          d->n_detector);
    if (!(d->bin_s >= 1e-3 && d->bin_s <= 4.0)) return burst_fail(reterr, BURST_E_RANGE, "bins of %g s", d->bin_s);
    for (size_t i = 0; i < n_line; i++)
        if (line[i].length < 1 || line[i].offset >= line[i].length || !(line[i].threshold > 0.0))
            return burst_fail(reterr, BURST_E_RANGE, "line %zu: length %zu, offset %zu, threshold %g", i,
                              line[i].length, line[i].offset, line[i].threshold);
    return BURST_OK;
}

enum burst_err trigger_run(const struct trigger_data *d, const struct trigger_line *line, size_t n_line,
                           size_t n_coincident, float *ret_score, int32_t *ret_line, struct burst_error *reterr)
{
    struct sums s;
    enum burst_err err = check_call(d, line, n_line, n_coincident, reterr);
    if (!err) err = sums_init(d, &s, reterr);
    if (err) return err;
    for (size_t i = 0; i < d->n_bin; i++) {
        ret_score[i] = 0.0F;
        ret_line[i] = -1;
    }
    for (size_t i = 0; i < n_line; i++) {
        sums_choose(d, line[i].atoms, &s);
        run_line(d, &s, &line[i], (int32_t)i, n_coincident, ret_score, ret_line);
    }
    sums_fini(&s);
    return BURST_OK;
}

enum burst_err trigger_background(const double *counts, const uint8_t *valid, size_t n_bin, size_t window, size_t gap,
                                  double *ret_mean, struct burst_error *reterr)
{
    double sum = 0.0;
    size_t live = 0;
    if (window < 1) return burst_fail(reterr, BURST_E_RANGE, "a background of no bins");
    for (size_t i = 0; i < n_bin; i++) {
        size_t in = i - gap - 1, out = in - window; /* wrap where there is none: the guards below keep them unread */
        if (i > gap && (!valid || valid[in])) sum += counts[in], live++;
        if (i > gap + window && (!valid || valid[out])) sum -= counts[out], live--;
        ret_mean[i] = 2 * live >= window && live > 0 ? sum / (double)live : 0.0;
    }
    return BURST_OK;
}
