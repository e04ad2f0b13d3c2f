/* Digests of what a network was asked about. */
#include "records/sample.h"
#include "base/hash.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "counts are hashed as they lie in memory");

enum { VALID_BYTES = WINDOW_BINS * (int)sizeof(uint32_t) };

static struct hash_piece row_counts(const struct lightcurve_window *w, int row)
{
    size_t n = (size_t)w->bands.n_atom * WINDOW_BINS;
    return (struct hash_piece){w->counts + (size_t)row * n, n * sizeof *w->counts};
}

static struct hash_piece row_valid(const struct lightcurve_window *w, int row, uint32_t storage[WINDOW_BINS])
{
    for (int t = 0; t < WINDOW_BINS; t++)
        storage[t] = w->valid[(size_t)row * WINDOW_BINS + (size_t)t];
    return (struct hash_piece){storage, VALID_BYTES};
}

void window_row_sha256(const struct lightcurve_window *w, int row, uint8_t ret_sha256[32])
{
    uint32_t valid[WINDOW_BINS];
    const struct hash_piece pieces[2] = {row_counts(w, row), row_valid(w, row, valid)};
    hash_sha256(pieces, 2, ret_sha256);
}
