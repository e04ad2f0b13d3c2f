/* See sky.h. wcslib and ERFA are known here only. */
#include "prepare/sky.h"
#include "base/clock.h"
#include <erfa.h>
#include <math.h>
#include <string.h>
#include <wcslib/wcs.h>

enum { CHUNK = 64 };                     /* positions per call of wcslib: its scratch lives on the stack */
static const double AU_KM = 149597870.7; /* IAU 2012 resolution B2 */
static const double FLATTEST = 1e-9;     /* smallest |det cd| / max |cd|^2 taken: below it the axes coincide */

static bool tan_is_good(const struct tan_wcs *w)
{
    double most = 0.0, det = w->cd[0][0] * w->cd[1][1] - w->cd[0][1] * w->cd[1][0];
    for (int i = 0; i < 2; i++) {
        if (!isfinite(w->crpix[i]) || !isfinite(w->crval_deg[i])) return false;
        for (int j = 0; j < 2; j++)
            most = fmax(most, fabs(w->cd[i][j]));
    }
    return fabs(w->crval_deg[1]) <= 90.0 && isfinite(det) && most > 0.0 && fabs(det) > FLATTEST * most * most;
}

/* wcsinit with explicit sizes, because wcsini reads global defaults that another thread may set. */
static enum burst_err tan_open(const struct tan_wcs *w, struct wcsprm *ret_p, struct burst_error *reterr)
{
    if (!tan_is_good(w))
        return burst_fail(reterr, BURST_E_RANGE,
                          "no sky coordinates: CRVAL %g %g, CD %g %g %g %g is singular or out of range",
                          w->crval_deg[0], w->crval_deg[1], w->cd[0][0], w->cd[0][1], w->cd[1][0], w->cd[1][1]);
    ret_p->flag = -1;
    if (wcsinit(1, 2, ret_p, 0, 0, 0)) return burst_fail(reterr, BURST_E_NOMEM, "no memory for sky coordinates");
    for (int i = 0; i < 2; i++) {
        ret_p->crpix[i] = w->crpix[i];
        ret_p->crval[i] = w->crval_deg[i];
        ret_p->cdelt[i] = 1.0;
        for (int j = 0; j < 2; j++)
            ret_p->pc[2 * i + j] = w->cd[i][j];
    }
    (void)strcpy(ret_p->ctype[0], "RA---TAN"); /* ctype[i] holds 72 characters */
    (void)strcpy(ret_p->ctype[1], "DEC--TAN");
    int status = wcsset(ret_p);
    if (status == 0) return BURST_OK;
    (void)wcsfree(ret_p);
    return burst_fail(reterr, BURST_E_RANGE, "no sky coordinates: wcslib says \"%s\"", wcs_errmsg[status]);
}

static enum burst_err finite_pairs(size_t n, const double (*pair)[2], const char *what, struct burst_error *reterr)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(pair[i][0]) || !isfinite(pair[i][1]))
            return burst_fail(reterr, BURST_E_RANGE, "%s %zu is not finite", what, i);
    return BURST_OK;
}

enum burst_err sky_from_pixels(const struct tan_wcs *wcs, size_t n, const double (*pixel)[2], double (*ret_deg)[2],
                               struct burst_error *reterr)
{
    struct wcsprm p;
    double plane[CHUNK][2], phi[CHUNK], theta[CHUNK];
    int stat[CHUNK];
    enum burst_err err = finite_pairs(n, pixel, "pixel", reterr);
    if (!err) err = tan_open(wcs, &p, reterr);
    if (err) return err;
    for (size_t at = 0; at < n; at += CHUNK) {
        int n_now = (int)(n - at < CHUNK ? n - at : CHUNK);
        /* The inverse of TAN is defined on the whole plane: with a set wcsprm this cannot fail. */
        (void)wcsp2s(&p, n_now, 2, pixel[at], plane[0], phi, theta, ret_deg[at], stat);
    }
    (void)wcsfree(&p);
    return BURST_OK;
}

enum burst_err sky_to_pixels(const struct tan_wcs *wcs, size_t n, const double (*deg)[2], double (*ret_pixel)[2],
                             struct burst_error *reterr)
{
    struct wcsprm p;
    double plane[CHUNK][2], phi[CHUNK], theta[CHUNK];
    int stat[CHUNK];
    enum burst_err err = finite_pairs(n, deg, "sky position", reterr);
    for (size_t i = 0; i < n && !err; i++)
        if (fabs(deg[i][1]) > 90.0)
            err = burst_fail(reterr, BURST_E_RANGE, "sky position %zu: declination %g", i, deg[i][1]);
    if (!err) err = tan_open(wcs, &p, reterr);
    if (err) return err;
    for (size_t at = 0; at < n; at += CHUNK) {
        int n_now = (int)(n - at < CHUNK ? n - at : CHUNK);
        (void)wcss2p(&p, n_now, 2, deg[at], phi, theta, plane[0], ret_pixel[at], stat); /* failures are in theta */
        for (int i = 0; i < n_now; i++)
            if (!(theta[i] > 0.0)) ret_pixel[at + (size_t)i][0] = ret_pixel[at + (size_t)i][1] = NAN;
    }
    (void)wcsfree(&p);
    return BURST_OK;
}

static double mjd_of(int64_t tt_ns)
{
    return 40587.0 + (double)tt_ns / ((double)CLOCK_NS_PER_S * 86400.0); /* MJD of 1970-01-01 */
}

static void direction_deg(const double v[3], double ret_deg[2])
{
    double along, up;
    eraC2s((double *)(uintptr_t)v, &along, &up); /* ERFA only reads it, but says so without const */
    ret_deg[0] = eraAnp(along) * 180.0 / M_PI;
    ret_deg[1] = up * 180.0 / M_PI;
}

static void seen_from(const double au[3], const double observer_km[3], double ret_deg[2])
{
    double v[3];
    for (int i = 0; i < 3; i++)
        v[i] = au[i] - (observer_km ? observer_km[i] / AU_KM : 0.0);
    direction_deg(v, ret_deg);
}

void sky_moon_from(int64_t tt_ns, const double observer_km[3], double ret_deg[2])
{
    double pv[2][3];
    eraMoon98(2400000.5, mjd_of(tt_ns), pv);
    seen_from(pv[0], observer_km, ret_deg);
}

void sky_sun_from(int64_t tt_ns, const double observer_km[3], double ret_deg[2])
{
    double heliocentric[2][3], barycentric[2][3], sun[3];
    (void)eraEpv00(2400000.5, mjd_of(tt_ns), heliocentric, barycentric); /* only warns outside 1900-2100 */
    for (int i = 0; i < 3; i++)
        sun[i] = -heliocentric[0][i];
    seen_from(sun, observer_km, ret_deg);
}
