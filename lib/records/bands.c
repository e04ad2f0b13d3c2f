/* Edges to atoms, bands to ranges of atoms, channels to atoms. */
#include "records/bands.h"
#include <float.h>
#include <math.h>

static const float NINE[9][2] = {{25, 50},   {50, 100},  {50, 300},  {100, 300}, {100, 500},
                                 {100, 900}, {300, 500}, {300, 900}, {500, 900}};

void band_set_default(struct band_set *ret_bands)
{
    (void)band_set_parse(NINE, 9, ret_bands, NULL); /* the table is in range; tested */
}

void band_set_total(struct band_set *ret_bands)
{
    *ret_bands = (struct band_set){.n_atom = 1, .n_band = 1, .edge_kev = {0, FLT_MAX}, .last = {1}};
}

/* Insert a value into a rising list without repeats; false when the list is full. */
static bool edge_insert(float *edge, int *n_edge, float value)
{
    int at = 0;
    while (at < *n_edge && edge[at] < value)
        at++;
    if (at < *n_edge && !(edge[at] > value)) return true;
    if (*n_edge > ATOM_MAX) return false;
    for (int i = (*n_edge)++; i > at; i--)
        edge[i] = edge[i - 1];
    edge[at] = value;
    return true;
}

static uint8_t edge_index(const float *edge, float value)
{
    uint8_t at = 0;
    while (edge[at] < value)
        at++;
    return at;
}

enum burst_err band_set_parse(const float (*pair_kev)[2], int n_band, struct band_set *ret_bands,
                              struct burst_error *reterr)
{
    struct band_set b = {.n_band = n_band};
    int n_edge = 0;
    if (n_band < 1 || n_band > BAND_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "%d energy bands; 1 to %d are taken", n_band, BAND_MAX);
    for (int i = 0; i < n_band; i++) {
        float lo = pair_kev[i][0], hi = pair_kev[i][1];
        if (!isfinite(lo) || !isfinite(hi) || lo < 0 || hi <= lo)
            return burst_fail(reterr, BURST_E_RANGE, "energy band %d is [%g, %g] keV; 0 <= lo < hi is needed", i + 1,
                              (double)lo, (double)hi);
        if (!edge_insert(b.edge_kev, &n_edge, lo) || !edge_insert(b.edge_kev, &n_edge, hi))
            return burst_fail(reterr, BURST_E_LIMIT, "the edges of %d energy bands make more than %d atoms", n_band,
                              ATOM_MAX);
    }
    b.n_atom = n_edge - 1;
    for (int i = 0; i < n_band; i++) {
        b.first[i] = edge_index(b.edge_kev, pair_kev[i][0]);
        b.last[i] = edge_index(b.edge_kev, pair_kev[i][1]);
    }
    *ret_bands = b;
    return BURST_OK;
}

bool band_set_equal(const struct band_set *a, const struct band_set *b)
{
    if (a->n_atom != b->n_atom || a->n_band != b->n_band) return false;
    for (int i = 0; i <= a->n_atom; i++)
        if (a->edge_kev[i] < b->edge_kev[i] || a->edge_kev[i] > b->edge_kev[i]) return false;
    for (int i = 0; i < a->n_band; i++)
        if (a->first[i] != b->first[i] || a->last[i] != b->last[i]) return false;
    return true;
}

enum burst_err band_channel_atoms(const struct band_set *bands, size_t n_channel, const float *e_min_kev,
                                  const float *e_max_kev, int8_t *ret_atom, struct burst_error *reterr)
{
    for (size_t c = 0; c < n_channel; c++)
        if (!isfinite(e_min_kev[c]) || !isfinite(e_max_kev[c]) || e_min_kev[c] < 0 || e_max_kev[c] < e_min_kev[c])
            return burst_fail(reterr, BURST_E_RANGE, "channel %zu has energy bounds [%g, %g] keV", c,
                              (double)e_min_kev[c], (double)e_max_kev[c]);
    for (size_t c = 0; c < n_channel; c++) {
        double mean_kev = sqrt((double)e_min_kev[c] * (double)e_max_kev[c]);
        ret_atom[c] = BAND_NO_ATOM;
        for (int a = 0; a < bands->n_atom; a++)
            if (mean_kev >= (double)bands->edge_kev[a] && mean_kev < (double)bands->edge_kev[a + 1])
                ret_atom[c] = (int8_t)a;
    }
    return BURST_OK;
}
