/* Strides of a particle monitor's window, and their median. */
#include "prepare/particles.h"

enum { PAST_MOST = WINDOW_BINS / STRIDE_BINS - 1 };

/* Counts per valid bin and detector in the stride that ends at bin `end`; negative where no bin is valid. */
static double stride_rate(const struct lightcurve_window *w, int end)
{
    uint64_t counts = 0, valid = 0;
    for (int row = 0; row < w->n_detector; row++)
        for (int t = end - STRIDE_BINS; t < end; t++) {
            valid += w->valid[(size_t)row * WINDOW_BINS + (size_t)t];
            for (int a = 0; a < w->bands.n_atom; a++)
                counts += w->counts[((size_t)row * (size_t)w->bands.n_atom + (size_t)a) * WINDOW_BINS + (size_t)t];
        }
    return valid ? (double)counts / (double)valid : -1;
}

static void insert(double *sorted, int n, double value)
{
    for (; n > 0 && sorted[n - 1] > value; n--)
        sorted[n] = sorted[n - 1];
    sorted[n] = value;
}

double particles_ratio(const struct lightcurve_window *w)
{
    double sorted[PAST_MOST], now = stride_rate(w, WINDOW_BINS);
    int n = 0;
    for (int i = 1; i <= PAST_MOST; i++) {
        double rate = stride_rate(w, WINDOW_BINS - i * STRIDE_BINS);
        if (rate >= 0) insert(sorted, n++, rate);
    }
    if (now < 0 || n < PARTICLES_PAST_LEAST) return 0;
    double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    return median > 0 ? now / median : 0;
}
