/* See geomagnetic.h. */
#include "kernels/geomagnetic.h"
#include "kernels/geomagnetic_igrf.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { N = GEOMAGNETIC_DEGREE };
static const double RADIUS_KM = 6371.2; /* of IGRF */

/* One coefficient at `year`. */
static double coefficient(const double row[IGRF_EPOCHS + 1], double year)
{
    double at = (year - 2005.0) / 5.0;
    int last = IGRF_EPOCHS - 1;
    if (at <= 0.0) return row[0];
    if (at >= last) return row[last] + row[IGRF_EPOCHS] * 5.0 * fmin(at - last, 1.0);
    int i = (int)at;
    return row[i] + (row[i + 1] - row[i]) * (at - i);
}

void geomagnetic_at(double year, struct geomagnetic *ret_model)
{
    struct geomagnetic m;
    memset(&m, 0, sizeof m);
    for (int n = 1, row = 0; n <= N; n++) {
        double schmidt = 1.0; /* sqrt(2 (n - k)! / (n + k)!), without the 2 for k = 0 */
        m.g[n][0] = coefficient(IGRF14[row++], year);
        for (int k = 1; k <= n; k++) {
            schmidt *= (k == 1 ? sqrt(2.0) : 1.0) / sqrt((double)((n + k) * (n - k + 1)));
            m.g[n][k] = schmidt * coefficient(IGRF14[row++], year);
            m.h[n][k] = schmidt * coefficient(IGRF14[row++], year);
        }
    }
    m.moment_nt = sqrt(m.g[1][0] * m.g[1][0] + m.g[1][1] * m.g[1][1] + m.h[1][1] * m.h[1][1]);
    *ret_model = m;
}

/* (a/r)^(n+1) P_nk(sin latitude) times cos and sin of k longitudes, n and k up to N + 1. */
struct harmonics {
    double c[N + 2][N + 2], s[N + 2][N + 2];
};

static void fill_harmonics(const double km[3], struct harmonics *ret_h)
{
    double rr = km[0] * km[0] + km[1] * km[1] + km[2] * km[2];
    double x = km[0] * RADIUS_KM / rr, y = km[1] * RADIUS_KM / rr, z = km[2] * RADIUS_KM / rr;
    double q = RADIUS_KM * RADIUS_KM / rr;
    ret_h->c[0][0] = RADIUS_KM / sqrt(rr);
    ret_h->s[0][0] = 0.0;
    for (int k = 0; k <= N + 1; k++) {
        double(*c)[N + 2] = ret_h->c, (*s)[N + 2] = ret_h->s;
        if (k > 0) {
            c[k][k] = (2 * k - 1) * (x * c[k - 1][k - 1] - y * s[k - 1][k - 1]);
            s[k][k] = (2 * k - 1) * (x * s[k - 1][k - 1] + y * c[k - 1][k - 1]);
        }
        for (int n = k + 1; n <= N + 1; n++) {
            double up = (2 * n - 1) * z / (n - k), two_up = n - k > 1 ? (n + k - 1) * q / (n - k) : 0.0;
            c[n][k] = up * c[n - 1][k] - (two_up > 0.0 ? two_up * c[n - 2][k] : 0.0);
            s[n][k] = up * s[n - 1][k] - (two_up > 0.0 ? two_up * s[n - 2][k] : 0.0);
        }
    }
}

void geomagnetic_field(const struct geomagnetic *model, const double itrs_km[3], double ret_nt[3])
{
    struct harmonics e;
    double bx = 0.0, by = 0.0, bz = 0.0;
    fill_harmonics(itrs_km, &e);
    for (int n = 1; n <= N; n++) {
        const double *c = e.c[n + 1], *s = e.s[n + 1];
        bx += model->g[n][0] * c[1];
        by += model->g[n][0] * s[1];
        bz += (n + 1) * model->g[n][0] * c[0];
        for (int k = 1; k <= n; k++) {
            double g = model->g[n][k], h = model->h[n][k], down = (n - k + 1) * (n - k + 2);
            bx += 0.5 * (g * c[k + 1] + h * s[k + 1] - down * (g * c[k - 1] + h * s[k - 1]));
            by += 0.5 * (g * s[k + 1] - h * c[k + 1] + down * (g * s[k - 1] - h * c[k - 1]));
            bz += (n - k + 1) * (g * c[k] + h * s[k]);
        }
    }
    ret_nt[0] = bx;
    ret_nt[1] = by;
    ret_nt[2] = bz;
}

/* ---- the field line ---- */

static const double DEEPEST = 0.6; /* the core, where the sources are, begins at 0.55 of the radius */
enum { NODE_MAX = 1024, QUADRATURE = 64, GUARD = 2 };

/* How far below the mirror field each node of the line is: f = 1 - B / B_mirror, at steps of `step_km` along it. Node
 * GUARD is the
 * place itself, where f = 0; the nodes before and after the stretch of f > 0 support the interpolation. */
struct line {
    const struct geomagnetic *model;
    double mirror_nt, step_km;
    int n;
    double f[NODE_MAX];
};

static double strength(const double b[3])
{
    return sqrt(b[0] * b[0] + b[1] * b[1] + b[2] * b[2]);
}

static void slope_at(const struct line *l, const double from[3], const double slope[3], double step,
                     double ret_slope[3])
{
    double at[3], b[3];
    for (int i = 0; i < 3; i++)
        at[i] = from[i] + step * slope[i];
    geomagnetic_field(l->model, at, b);
    double size = strength(b);
    for (int i = 0; i < 3; i++)
        ret_slope[i] = b[i] / size;
}

/* One step of Runge and Kutta's fourth order along the field; negative: against it. */
static void advance(const struct line *l, double step, double at[3])
{
    double k[4][3] = {{0.0}};
    slope_at(l, at, k[0], 0.0, k[0]);
    slope_at(l, at, k[0], step / 2.0, k[1]);
    slope_at(l, at, k[1], step / 2.0, k[2]);
    slope_at(l, at, k[2], step, k[3]);
    for (int i = 0; i < 3; i++)
        at[i] += step / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
}

static double depth_at(const struct line *l, const double at[3])
{
    double b[3];
    geomagnetic_field(l->model, at, b);
    return 1.0 - strength(b) / l->mirror_nt;
}

/* Fill l->f from the place in the direction `sign`, to two nodes past the other mirror point.
 * False: the line does not come back within NODE_MAX steps, or comes near the core. */
static bool follow(struct line *l, const double from[3], double sign)
{
    double at[3] = {from[0], from[1], from[2]};
    for (int i = GUARD - 1; i >= 0; i--) {
        advance(l, -sign * l->step_km, at);
        l->f[i] = depth_at(l, at);
    }
    memcpy(at, from, sizeof at);
    l->f[GUARD] = 0.0;
    int past = 0;
    for (l->n = GUARD + 1; l->n < NODE_MAX && past < GUARD; l->n++) {
        advance(l, sign * l->step_km, at);
        if (strength(at) < DEEPEST * RADIUS_KM) return false;
        l->f[l->n] = depth_at(l, at);
        if (past > 0 || l->f[l->n] <= 0.0) past++;
    }
    return past == GUARD;
}

/* f between the nodes: the cubic through the four nearest. `s` in steps from the place. */
static double between(const struct line *l, double s)
{
    double at = s + GUARD;
    int i = (int)fmin(fmax(floor(at), 1.0), l->n - 3);
    double t = at - i;
    const double *f = l->f + i - 1;
    return -t * (t - 1.0) * (t - 2.0) / 6.0 * f[0] + (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * f[1] -
           (t + 1.0) * t * (t - 2.0) / 2.0 * f[2] + (t + 1.0) * t * (t - 1.0) / 6.0 * f[3];
}

/* Where f comes back to 0, in steps. */
static double far_mirror(const struct line *l)
{
    double inside = l->n - GUARD - GUARD - 1, outside = inside + 1.0;
    for (int i = 0; i < 40; i++) {
        double middle = 0.5 * (inside + outside);
        *(between(l, middle) > 0.0 ? &inside : &outside) = middle;
    }
    return inside;
}

/* The integral of sqrt(f) between the mirror points, km. With s = S (1 - cos t) / 2 the integrand is smooth and
 * vanishes with its
 * odd derivatives at both ends, so that equal steps of t converge fast (Gauss and Chebyshev's rule of the second kind).
 * */
static double invariant_km(const struct line *l)
{
    double far = far_mirror(l), sum = 0.0;
    for (int i = 1; i < QUADRATURE; i++) {
        double t = M_PI * i / QUADRATURE;
        sum += sqrt(fmax(between(l, 0.5 * far * (1.0 - cos(t))), 0.0)) * sin(t);
    }
    return sum * M_PI / QUADRATURE * 0.5 * far * l->step_km;
}

/* L from I, the mirror field and the moment. */
static double hilton(double i_radii, double mirror_nt, double moment_nt)
{
    double x = i_radii * cbrt(mirror_nt / moment_nt);
    return cbrt(moment_nt / mirror_nt * (1.0 + x * (1.35047 + x * (0.465380 + x * 0.0475455))));
}

/* Long lines in long steps: by the length of the dipole's line through the place. */
static double choose_step(const struct geomagnetic *m, const double km[3])
{
    double r = strength(km), up = (m->g[1][0] * km[2] + m->g[1][1] * km[0] + m->h[1][1] * km[1]) / (m->moment_nt * r);
    double l = r / fmax(1.0 - up * up, 1e-3);
    return fmin(fmax(l / 100.0, r / 50.0), r / 16.0);
}

double geomagnetic_l(const struct geomagnetic *model, const double itrs_km[3], double *ret_b_nt)
{
    struct line l = {.model = model};
    double b[3], ahead[3] = {itrs_km[0], itrs_km[1], itrs_km[2]}, behind[3] = {itrs_km[0], itrs_km[1], itrs_km[2]};
    geomagnetic_field(model, itrs_km, b);
    *ret_b_nt = l.mirror_nt = strength(b);
    l.step_km = choose_step(model, itrs_km);
    advance(&l, l.step_km, ahead);
    advance(&l, -l.step_km, behind);
    double f_ahead = depth_at(&l, ahead), f_behind = depth_at(&l, behind);
    /* Within a step of where the line is weakest I is under 2 km, and its share of L under 2e-4. */
    if (f_ahead <= 0.0 && f_behind <= 0.0) return hilton(0.0, l.mirror_nt, model->moment_nt);
    if (!follow(&l, itrs_km, f_ahead > f_behind ? 1.0 : -1.0)) return 0.0;
    return hilton(invariant_km(&l) / RADIUS_KM, l.mirror_nt, model->moment_nt);
}
