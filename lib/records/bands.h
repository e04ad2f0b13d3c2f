/* Bands and atoms: which photon energies are counted together. Refuses lists whose edges need more than ATOM_MAX atoms.
 */
#ifndef BURST_RECORDS_BANDS_H
#define BURST_RECORDS_BANDS_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Atoms are the disjoint intervals between all band edges (science.md A.1); bands are sums of whole atoms. */
enum { ATOM_MAX = 8, BAND_MAX = 16 };

/* Which energies: n_atom + 1 rising edges, and for each band the half-open range of atoms [first, last) it sums. */
struct band_set {
    int n_atom, n_band;
    float edge_kev[ATOM_MAX + 1];
    uint8_t first[BAND_MAX], last[BAND_MAX];
};

enum { BAND_NO_ATOM = -1 };

/* The paper's nine bands; the ninth, lost in print, is 300-500 keV. In keV: 25-50, 50-100, 50-300, 100-300, 100-500,
 * 100-900, 300-500, 300-900, 500-900; five atoms with edges 25, 50, 100, 300, 500, 900.
 * Source    science.md A.1 */
void band_set_default(struct band_set *ret_bands);

/* One band of one atom that holds every energy: for instruments whose total rate is all that is asked. */
void band_set_total(struct band_set *ret_bands);

/* Atoms and bands of a list of [lo, hi] pairs, as model files carry it (burst.bands_kev).
 *
 * Given     pair_kev [n_band][2]  keV, finite, 0 <= lo < hi, any order, overlaps allowed
 *           n_band                1..BAND_MAX
 * Returned  ret_bands             atoms rising; bands in the order given; intervals between bands are atoms no band sums
 * Errors    BURST_E_SHAPE         n_band out of range
 *           BURST_E_RANGE         a pair is not finite, negative or not rising
 *           BURST_E_LIMIT         more than ATOM_MAX atoms; ret_bands untouched in every case */
enum burst_err band_set_parse(const float (*pair_kev)[2], int n_band, struct band_set *ret_bands,
                              struct burst_error *reterr);

/* Whether two sets have the same edges and the same bands in the same order. */
bool band_set_equal(const struct band_set *a, const struct band_set *b);

/* The atom each energy channel belongs to: the one that holds its geometric-mean energy, [lo, hi).
 *
 * Given     e_min_kev, e_max_kev [n_channel]  keV, finite, 0 <= e_min <= e_max
 * Returned  ret_atom [n_channel]              atom, or BAND_NO_ATOM outside all
 * Errors    BURST_E_RANGE  a bound is negative, not finite or falling; ret_atom untouched
 * Source    protocol.md 4, science.md A.1 */
enum burst_err band_channel_atoms(const struct band_set *bands, size_t n_channel, const float *e_min_kev,
                                  const float *e_max_kev, int8_t *ret_atom, struct burst_error *reterr);
#endif
