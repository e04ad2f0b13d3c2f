/* Rows of counts to rows of input. */
#include "prepare/window.h"
#include "kernels/standardise.h"

void window_standardise(const struct lightcurve_window *w, int row, float *ret_z)
{
    const uint32_t *counts = w->counts + (size_t)row * (size_t)w->bands.n_atom * WINDOW_BINS;
    const uint8_t *valid = w->valid + (size_t)row * WINDOW_BINS;
    standardise_bands(counts, valid, WINDOW_BINS, w->bands.first, w->bands.last, w->bands.n_band, ret_z);
}
