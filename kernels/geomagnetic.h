/* The Earth's main magnetic field and McIlwain's L from it. Positions are ITRS, km from the centre of the Earth; the
 * field is
 * IGRF-14 (degree 13), without the ring current and other outside sources, which matter above L of about 5. */
#ifndef BURST_KERNELS_GEOMAGNETIC_H
#define BURST_KERNELS_GEOMAGNETIC_H

enum { GEOMAGNETIC_DEGREE = 13 };

/* The field at one epoch: coefficients times what makes the functions of the recursion Schmidt's, nT. */
struct geomagnetic {
    double g[GEOMAGNETIC_DEGREE + 1][GEOMAGNETIC_DEGREE + 1];
    double h[GEOMAGNETIC_DEGREE + 1][GEOMAGNETIC_DEGREE + 1];
    double moment_nt; /* of the dipole term: field on its equator at 6371.2 km */
};

/* The field of a moment.
 * Given     year  decimal; linear between the epochs 2005, 2010, 2015, 2020, 2025, then with the stated change per year
 *           up to
 *                 2030; outside those years the nearest of them is taken
 * Source    IGRF-14, doi:10.5281/zenodo.14012302 */
void geomagnetic_at(double year, struct geomagnetic *ret_model);

/* The field at a place.
 * Given     itrs_km  at least 1,000 km from the centre: below the ground the series means nothing, but it stays finite
 * Returned  ret_nt   ITRS components
 * Source    Montenbruck and Gill, Satellite Orbits (2000), 3.2.4 and 3.2.5: Cunningham's recursion, which has no
 *           special point at
 *           the poles */
void geomagnetic_field(const struct geomagnetic *model, const double itrs_km[3], double ret_nt[3]);

/* McIlwain's L of particles that mirror at a place (pitch angle 90 degrees there).
 *
 * Given     itrs_km  as above
 * Returned  L in Earth radii of 6371.2 km; 0 where the field line does not come back to the same field strength within
 *           1,024 steps, or
 *           runs into the core. It may run underground: the other mirror point of much of the northern sky over the
 *           Atlantic does
 *           ret_b_nt   field strength at the place
 * Notes     I, the integral of sqrt(1 - B / B_mirror) along the line, then L by Hilton's fit with the dipole moment of the
 *           epoch (not the fixed 0.311653 gauss of the first catalogues). Within 1e-3 of a dipole's exact L; within 3e-4 of
 *           lines followed by scipy without the fit (tests/parity/test_platform.py) and within 0.005 of IRBEM's Lm over low
 *           orbits. Takes about 0.2 ms.
 * Source    McIlwain, J. Geophys. Res. 66, 3681 (1961); Hilton, J. Geophys. Res. 76, 6952 (1971) */
double geomagnetic_l(const struct geomagnetic *model, const double itrs_km[3], double *ret_b_nt);
#endif
