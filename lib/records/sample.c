/* Storage and digests of what a network is asked about. One allocation per window: the record, its counts, its validity. */
#include "records/sample.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

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

enum { ROW_COUNTS = ATOM_MAX * WINDOW_BINS };

enum burst_err window_new(int n_detector, struct lightcurve_window **ret_w, struct burst_error *reterr)
{
    if (n_detector < 1 || n_detector > DETECTOR_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "a window of %d detectors; 1 to %d are taken", n_detector,
                          DETECTOR_MAX);
    size_t n = (size_t)n_detector;
    size_t head = (sizeof(struct lightcurve_window) + 63) / 64 * 64;
    size_t n_counts = n * ROW_COUNTS * sizeof(uint32_t);
    uint8_t *block = calloc(1, head + n_counts + n * WINDOW_BINS * (sizeof(uint32_t) + 1));
    if (!block) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a window of %d detectors", n_detector);
    struct lightcurve_window *w = (struct lightcurve_window *)(void *)block;
    w->room = n_detector;
    w->counts = (uint32_t *)(void *)(block + head);
    w->dead = (uint32_t *)(void *)(block + head + n_counts);
    w->valid = block + head + n_counts + n * WINDOW_BINS * sizeof *w->dead;
    *ret_w = w;
    return BURST_OK;
}

void window_free(struct lightcurve_window *w)
{
    free(w);
}

enum burst_err window_copy(const struct lightcurve_window *from, struct lightcurve_window *to,
                           struct burst_error *reterr)
{
    if (to->room < from->n_detector)
        return burst_fail(reterr, BURST_E_SHAPE, "storage for %d rows cannot take a window of %d", to->room,
                          from->n_detector);
    uint32_t *counts = to->counts, *dead = to->dead;
    uint8_t *valid = to->valid;
    int room = to->room;
    size_t n_row = (size_t)from->n_detector;
    memcpy(counts, from->counts, n_row * (size_t)from->bands.n_atom * WINDOW_BINS * sizeof *counts);
    memcpy(dead, from->dead, n_row * WINDOW_BINS * sizeof *dead);
    memcpy(valid, from->valid, n_row * WINDOW_BINS);
    *to = *from;
    to->counts = counts;
    to->dead = dead;
    to->valid = valid;
    to->room = room;
    return BURST_OK;
}
