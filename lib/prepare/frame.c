/* See frame.h. ERFA's arguments are not const, though it only reads them: copies go in. */
#include "prepare/frame.h"
#include "base/clock.h"
#include <erfa.h>
#include <math.h>
#include <string.h>

static const double JD_1970 = 2440587.5, DAY_NS = 86400e9;

void frame_from_teme(int64_t tt_ns, const double teme_km[3], double ret_itrs_km[3], double ret_icrs_km[3])
{
    double tt = (double)tt_ns / DAY_NS, ut1 = (double)clock_utc_from_tt_ns(tt_ns) / DAY_NS;
    double teme[3], itrs[3], turn[3][3], celestial[3][3];
    memcpy(teme, teme_km, sizeof teme);
    eraIr(turn);
    eraRz(eraGmst82(JD_1970, ut1), turn);
    eraRxp(turn, teme, itrs);
    eraC2t00b(JD_1970, tt, JD_1970, ut1, 0.0, 0.0, celestial);
    eraTrxp(celestial, itrs, ret_icrs_km);
    memcpy(ret_itrs_km, itrs, sizeof itrs);
}

void frame_geodetic(const double itrs_km[3], double *ret_lat_deg, double *ret_lon_deg, double *ret_alt_km)
{
    double m[3] = {itrs_km[0] * 1e3, itrs_km[1] * 1e3, itrs_km[2] * 1e3}, lon, lat, height;
    (void)eraGc2gd(1, m, &lon, &lat, &height); /* 1: WGS 84; refuses other numbers alone */
    *ret_lat_deg = lat * 180.0 / M_PI;
    *ret_lon_deg = lon >= M_PI ? -180.0 : lon * 180.0 / M_PI;
    *ret_alt_km = height * 1e-3;
}

double frame_year(int64_t tt_ns)
{
    return 2000.0 + ((double)tt_ns / DAY_NS - 10957.5) / 365.25; /* 10957.5 days from 1970 to 2000-01-01T12 */
}
