/* Rings, one bin at a time. */
#include "kernels/ring.h"
#include <stdbool.h>

static enum burst_err update_check(const struct ring_job *job, int i, const struct ring_limits *limits,
                                   struct burst_error *reterr)
{
    const struct ring_update *u = &job->update[i];
    if (!ring_update_fits(u, limits))
        return burst_fail(
            reterr, BURST_E_RANGE,
            "update %d: %d bins of ring %d, numbers from %u, valid from %u; there are %d rings of %d atoms, "
            "%u numbers, %u valid",
            i, u->n_new, u->ring, u->counts_at, u->valid_at, limits->n_ring, limits->n_atom, limits->n_counts,
            limits->n_valid);
    for (int k = 0; k < i; k++)
        if (job->update[k].ring == u->ring)
            return burst_fail(reterr, BURST_E_RANGE, "updates %d and %d are both of ring %d", k, i, u->ring);
    return BURST_OK;
}

enum burst_err ring_job_check(const struct ring_job *job, const struct ring_limits *limits, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    if (job->n_update < 0 || job->n_update > limits->n_update || job->n_update > RING_UPDATE_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "%d updates; 0 to %d fit", job->n_update, limits->n_update);
    if (job->n_window < 0 || job->n_window > limits->n_window || job->n_window > RING_WINDOW_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "%d windows; 0 to %d fit", job->n_window, limits->n_window);
    for (int i = 0; !err && i < job->n_update; i++)
        err = update_check(job, i, limits, reterr);
    for (int i = 0; !err && i < job->n_window; i++)
        if (job->window[i].ring < 0 || job->window[i].ring >= limits->n_ring)
            err = burst_fail(reterr, BURST_E_RANGE, "window %d is of ring %d; there are %d", i, job->window[i].ring,
                             limits->n_ring);
    return err;
}

static uint32_t *ring_counts(const struct rings *rings, int32_t ring, int32_t atom)
{
    return rings->counts + ((size_t)ring * (size_t)rings->n_atom + (size_t)atom) * RING_BINS;
}

static uint8_t *ring_valid(const struct rings *rings, int32_t ring)
{
    return rings->valid + (size_t)ring * RING_BINS;
}

void ring_update_one(const struct rings *rings, const struct ring_update *u, const uint32_t *counts,
                     const uint8_t *valid)
{
    uint8_t *to = ring_valid(rings, u->ring);
    for (int i = 0; u->clear && i < RING_BINS; i++)
        to[i] = 0;
    for (int32_t i = 0; i < u->n_new; i++)
        to[ring_place(u->from, i)] = valid[u->valid_at + (uint32_t)i];
    for (int32_t a = 0; a < rings->n_atom; a++)
        for (int32_t i = 0; i < u->n_new; i++)
            ring_counts(rings, u->ring, a)[ring_place(u->from, i)] =
                counts[u->counts_at + (uint32_t)(a * u->n_new + i)];
}

void ring_window_one(const struct rings *rings, const struct ring_window *w, const struct ring_view *view, void *ret)
{
    uint32_t counts[RING_ATOM_MOST * RING_BINS];
    uint8_t valid[RING_BINS];
    float z[RING_BINS];
    size_t n_bin = (size_t)view->n_bin;
    for (size_t t = 0; t < n_bin; t++) {
        int32_t place = ring_place(w->k_first, (int32_t)t);
        valid[t] = ring_valid(rings, w->ring)[place];
        for (int32_t a = 0; a < rings->n_atom; a++)
            counts[(size_t)a * n_bin + t] = ring_counts(rings, w->ring, a)[place];
    }
    for (int32_t c = 0; c < view->n_padded; c++) {
        if (c < view->n_band) standardise_band(counts, valid, n_bin, view->first[c], view->last[c], z);
        for (int32_t t = 0; t < view->n_bin; t++)
            layout_put(ret, view->bf16, (int64_t)t * view->n_padded + c, c < view->n_band ? z[t] : 0.0F);
    }
}
