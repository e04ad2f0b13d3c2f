/* Frames of a satellite's position, through ERFA: TEME (SGP4's), ITRS (turns with the Earth), ICRS. */
#ifndef BURST_PREPARE_FRAME_H
#define BURST_PREPARE_FRAME_H
#include <stdint.h>

/* A position from TEME into both others.
 * Notes     UT1 is taken as UTC, the pole as at rest (prepare/platform.h says what that costs).
 * Source    Vallado and others, AIAA 2006-6753: TEME to ITRS turns by GMST of 1982; IERS conventions 2010, 5: ITRS to
 *           GCRS, whose axes
 *           are those of ICRS */
void frame_from_teme(int64_t tt_ns, const double teme_km[3], double ret_itrs_km[3], double ret_icrs_km[3]);
/* Geodetic latitude, longitude [-180, 180) east, height above the ellipsoid of WGS 84.
 * Given     itrs_km  not the centre of the Earth */
void frame_geodetic(const double itrs_km[3], double *ret_lat_deg, double *ret_lon_deg, double *ret_alt_km);
/* Decimal year, Julian years from 2000.0. */
double frame_year(int64_t tt_ns);
#endif
