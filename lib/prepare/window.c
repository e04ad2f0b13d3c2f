/* Rows of counts to rows of input. */
#include "prepare/window.h"
#include "kernels/standardise.h"

void window_standardise(const struct lightcurve_window *w, int row, float *ret_z)
{
    const uint32_t *counts = w->counts + (size_t)row * (size_t)w->bands.n_atom * WINDOW_BINS;
    const uint8_t *valid = w->valid + (size_t)row * WINDOW_BINS;
    standardise_bands(counts, valid, WINDOW_BINS, w->bands.first, w->bands.last, w->bands.n_band, ret_z);
}

static const double DEAD_PART = 0.1, SATURATED_PART = 0.5, FAST_TIMES = 100, LIMIT_PART = 0.95;

static double seconds(uint32_t dead)
{
    return (double)dead * (EVENT_DEAD_NS * 1e-9);
}

static unsigned bin_quality(const struct lightcurve_window *w, const struct instrument_fact *fact, int row, int t)
{
    const double bin_s = (double)BIN_NS * 1e-9;
    const uint32_t *counts = w->counts + (size_t)row * (size_t)w->bands.n_atom * WINDOW_BINS;
    double dead_s = seconds(w->dead[(size_t)row * WINDOW_BINS + (size_t)t]), sum = 0;
    for (int a = 0; a < w->bands.n_atom; a++)
        sum += counts[a * WINDOW_BINS + t];
    unsigned quality = fact->rate_hz > 0 && sum > FAST_TIMES * fact->rate_hz * bin_s ? EVENT_FAST : 0;
    if (dead_s > DEAD_PART * bin_s) quality |= EVENT_DEAD_TIME;
    if (dead_s >= SATURATED_PART * bin_s) quality |= EVENT_SATURATED;
    return quality;
}

/* Whether the rows of all detectors fill what the instrument can record in any bin. */
static bool at_limit(const struct lightcurve_window *w, const struct instrument_fact *fact)
{
    if (!(fact->rate_most_hz > 0 && fact->row_dead_s > 0)) return false;
    double most_s = LIMIT_PART * fact->rate_most_hz * ((double)BIN_NS * 1e-9) * fact->row_dead_s;
    for (int t = 0; t < WINDOW_BINS; t++) {
        double dead_s = 0;
        for (int row = 0; row < w->n_detector; row++)
            dead_s += seconds(w->dead[(size_t)row * WINDOW_BINS + (size_t)t]);
        if (dead_s > most_s) return true;
    }
    return false;
}

void window_judge_bins(struct lightcurve_window *w, const struct instrument_fact *fact)
{
    unsigned all = at_limit(w, fact) ? EVENT_SATURATED : 0;
    for (int row = 0; row < w->n_detector; row++) {
        w->quality[row] |= all;
        for (int t = 0; t < WINDOW_BINS; t++)
            w->quality[row] |= bin_quality(w, fact, row, t);
    }
}
