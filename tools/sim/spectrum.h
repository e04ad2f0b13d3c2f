/* Photon spectra, and the counts they leave in the energy groups of a scintillator. */
#ifndef BURST_SIM_SPECTRUM_H
#define BURST_SIM_SPECTRUM_H

/* Energy groups: the five atoms 25-50-100-300-500-900 keV, then everything below 25 keV and above 900 keV together. */
enum { SIM_ATOM = 5, SIM_GROUP = 6, SIM_REST = 5 };

enum spectrum_shape {
    SPECTRUM_BAND,    /* alpha, beta, peak_kev: Band et al. 1993 */
    SPECTRUM_CUTOFF,  /* alpha, peak_kev: E^alpha exp(-E (2 + alpha) / Ep), Band with beta of minus infinity */
    SPECTRUM_POWER,   /* alpha */
    SPECTRUM_THERMAL, /* peak_kev is kT: E^-1 exp(-E / kT), optically thin bremsstrahlung */
};

struct spectrum {
    enum spectrum_shape shape;
    double alpha, beta, peak_kev; /* photon indices (negative falls); alpha > -2 where a peak is used */
};

/* Which crystal: Fermi/GBM NaI of 126 cm2, or GECAM GRD LaBr3 of 45.4 cm2. */
enum crystal { CRYSTAL_NAI, CRYSTAL_LABR3 };

/* Photons per keV at `energy_kev` > 0, scaled to 1 at 100 keV below any break (no unit of flux). */
double spectrum_density(const struct spectrum *s, double energy_kev);

/* Counts per second in each group, source on the axis, for a flux of 1 photon / cm2 / s between 50 and 300 keV.
 * Returned  ret_rate [SIM_GROUP]
 * Source    the redistribution measured off a real GBM matrix (science.md A.5), linear in log E between its rows; LaBr3
 *           scaled by area and, above 300 keV, by its greater photo-absorption (the same section) */
void spectrum_fold(const struct spectrum *s, enum crystal crystal, double ret_rate[SIM_GROUP]);

/* Effective area on the axis for photons of one energy, cm2 by the group their counts fall into; the table's end beyond its ends.
 * Source  as spectrum_fold */
void spectrum_area(double energy_kev, enum crystal crystal, double ret_area[SIM_GROUP]);

/* Part of the on-axis rate left at `cos_angle` between axis and source, in group `group`: 0.003 to about 1.
 * Source  science.md A.5, analytic fit to 41,168 directions: soft curve below 50 keV, normal to 300 keV, hard above */
double spectrum_angle_factor(double cos_angle, int group);
#endif
