/* Sky coordinates of a gnomonic (TAN) image through wcslib, and where Moon and Sun stand through ERFA.
 * Pixels here are FITS pixels: the centre of the first one is 1.0. Nothing is kept between calls. */
#ifndef BURST_PREPARE_SKY_H
#define BURST_PREPARE_SKY_H
#include "base/err.h"
#include "records/packet.h"

/* Sky positions of pixels.
 *
 * Given     wcs           finite; cd not singular; declination of crval in [-90, 90]
 *           pixel [n][2]  FITS pixel along NAXIS1 (Y), NAXIS2 (Z); finite
 * Returned  ret_deg [n][2]  right ascension [0, 360), declination, degrees, ICRS
 * Errors    BURST_E_RANGE  wcs not as above; ret_deg is then untouched
 * Source    FITS WCS paper II, section 5.1.3 */
enum burst_err sky_from_pixels(const struct tan_wcs *wcs, size_t n, const double (*pixel)[2], double (*ret_deg)[2],
                               struct burst_error *reterr);

/* Pixels of sky positions.
 *
 * Given     deg [n][2]      right ascension, declination, degrees; finite, declination in [-90, 90]
 * Returned  ret_pixel [n][2]  NaN for a position 90 degrees or more from the tangent point: the plane does not reach it
 * Errors    BURST_E_RANGE  wcs or a position not as above; ret_pixel is then untouched */
enum burst_err sky_to_pixels(const struct tan_wcs *wcs, size_t n, const double (*deg)[2], double (*ret_pixel)[2],
                             struct burst_error *reterr);

/* Centre of the Moon, and of the Sun, at `tt_ns`, seen from `observer_km`.
 *
 * Given     observer_km  from the centre of the Earth, km, axes of ICRS (platform_state.position_icrs_km); NULL: the
 *           centre itself
 * Returned  ret_deg      right ascension [0, 360), declination, degrees, ICRS
 * Notes     From a low orbit the Moon stands up to 1.1 degrees from where the centre of the Earth sees it. Light time
 *           and
 *           aberration (0.007 degrees together) are left out.
 * Source    ERFA moon98 and epv00 */
void sky_moon_from(int64_t tt_ns, const double observer_km[3], double ret_deg[2]);
void sky_sun_from(int64_t tt_ns, const double observer_km[3], double ret_deg[2]);
#endif
