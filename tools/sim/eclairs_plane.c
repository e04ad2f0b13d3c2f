/* See eclairs_plane.h. */
#include "sim/eclairs_plane.h"
#include <math.h>
#include <string.h>

enum { MODULE_Z = 8, MODULE_Y = 4, LANES = 8, DISC_POINTS = 7 };
/* Mean of an on-axis shadow for 40 % open cells less the cross: normalises counts to the whole plane. */
static const double OPEN_FRACTION = 0.40;
static const double MASK_THICKNESS = 0.05; /* 0.6 mm of tantalum over a cell of 11.74 mm */
static const double TRACK_STEP_PX = 0.25;  /* a moving source is put down this often: 1/16 of a point's width */

double plane_coordinate(int pixel)
{
    return (pixel + 0.5) / (PLANE_SIDE / 2.0) - 1.0;
}

/* Sum of a[i] b[i]. Rows of eight partial sums, and a double for each row: the compiler may use vectors, and the digits
 * do not depend on whether it does. */
static double dot(const float *a, const float *b)
{
    double sum = 0.0;
    for (int z = 0; z < PLANE_SIDE; z++) {
        float part[LANES] = {0.0f};
        for (int i = z * PLANE_SIDE; i < (z + 1) * PLANE_SIDE; i += LANES)
            for (int k = 0; k < LANES; k++)
                part[k] += a[i + k] * b[i + k];
        for (int k = 0; k < LANES; k++)
            sum += (double)part[k];
    }
    return sum;
}

static void make_polynomials(struct plane_detector *d)
{
    for (int i = 0; i < PLANE_PIXELS; i++) {
        float u = (float)plane_coordinate(i % PLANE_SIDE), v = (float)plane_coordinate(i / PLANE_SIDE);
        const float value[PLANE_POLYNOMIALS] = {1.0f, u, v, u * u, u * v, v * v};
        for (int j = 0; j < PLANE_POLYNOMIALS; j++)
            d->polynomial[j][i] = value[j] * d->alive[i];
    }
    for (int j = 0; j < PLANE_POLYNOMIALS; j++)
        for (int k = 0; k <= j; k++)
            d->polynomial_product[j][k] = dot(d->polynomial[j], d->polynomial[k]);
}

/* Source: science.md B.2 step 3: efficiency N(1, 0.02) times module N(1, 0.01), 1 % dead. */
void plane_detector_draw(struct rng *r, double spread, struct plane_detector *ret_detector)
{
    float module[PLANE_SIDE / MODULE_Z][PLANE_SIDE / MODULE_Y];
    for (int i = 0; i < PLANE_SIDE / MODULE_Z; i++)
        for (int j = 0; j < PLANE_SIDE / MODULE_Y; j++)
            module[i][j] = (float)(1.0 + 0.01 * spread * rng_normal(r));
    for (int i = 0; i < PLANE_PIXELS; i++) {
        int z = i / PLANE_SIDE, y = i % PLANE_SIDE;
        ret_detector->gain[i] = (float)(1.0 + 0.02 * spread * rng_normal(r)) * module[z / MODULE_Z][y / MODULE_Y];
        ret_detector->alive[i] = rng_chance(r, 0.01) ? 0.0f : 1.0f;
    }
    make_polynomials(ret_detector);
}

/* Source: science.md B.2 step 3: shape 1 - 0.18 (u^2 + v^2), here over its mean so that rate_hz is the plane's mean. */
void plane_start(double exposure_s, double rate_hz, struct plane_scene *ret_scene)
{
    memset(ret_scene, 0, sizeof *ret_scene);
    ret_scene->exposure_s = exposure_s;
    ret_scene->rate_hz = rate_hz;
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double u = plane_coordinate(i % PLANE_SIDE), v = plane_coordinate(i / PLANE_SIDE);
        ret_scene->shape[i] = (float)((1.0 - 0.18 * (u * u + v * v)) / 0.88);
    }
}

/* ---- shadows ---- */

/* Share of its on-axis flux that reaches the plane: projection, and the walls of the mask's holes. */
static double obliquity(double sky_y, double sky_z)
{
    double ty = fabs(sky_y - SKY_CENTRE) * TAN_PER_PIXEL, tz = fabs(sky_z - SKY_CENTRE) * TAN_PER_PIXEL;
    return (1.0 - MASK_THICKNESS * ty) * (1.0 - MASK_THICKNESS * tz) / sqrt(1.0 + ty * ty + tz * tz);
}

/* Mean shadow of a disc that moves: its centre and six points at two thirds of the radius (seven equal areas), at equal
 * times along the track. */
static void smear(const struct coded_mask *m, const struct plane_source *s, float *ret_shadow)
{
    float one[PLANE_PIXELS];
    double dy = s->end_y - s->y, dz = s->end_z - s->z;
    int n_step = 1 + (int)(hypot(dy, dz) / TRACK_STEP_PX), n_point = s->radius_px > 0.0 ? DISC_POINTS : 1;
    memset(ret_shadow, 0, sizeof *ret_shadow * PLANE_PIXELS);
    for (int k = 0; k < n_step * n_point; k++) {
        double along = (k / n_point + 0.5) / n_step, angle = k % n_point * M_PI / 3.0;
        double out = k % n_point == 0 ? 0.0 : s->radius_px * 2.0 / 3.0;
        mask_shadow(m, s->y + along * dy + out * cos(angle), s->z + along * dz + out * sin(angle), one);
        for (int i = 0; i < PLANE_PIXELS; i++)
            ret_shadow[i] += one[i] / (float)(n_step * n_point);
    }
}

static void make_shadow(const struct coded_mask *m, const struct plane_source *s, struct rng *r, float *ret_shadow)
{
    float scale = (float)(obliquity(s->y, s->z) / (OPEN_FRACTION * PLANE_PIXELS));
    if (s->radius_px > 0.0 || s->end_y != s->y || s->end_z != s->z)
        smear(m, s, ret_shadow);
    else
        mask_shadow(m, s->y, s->z, ret_shadow);
    for (int i = 0; i < PLANE_PIXELS; i++)
        ret_shadow[i] *= scale;
    for (int i = 0; i < PLANE_PIXELS && s->mismatch > 0.0; i++) /* B.3: 3 % of the pixels at half transmission */
        ret_shadow[i] *= (float)((1.0 + s->mismatch * rng_normal(r)) * (rng_chance(r, 0.03) ? 0.5 : 1.0));
}

/* ---- fit ---- */

static const float *column(const struct plane_detector *d, const struct plane_work *w, int j)
{
    return j < PLANE_POLYNOMIALS ? d->polynomial[j] : w->fitted[j - PLANE_POLYNOMIALS];
}

/* Cholesky factor of the normal equations. A shape that the others already describe, or that no pixel sees, has no pivot
 * left. Their sums come from single precision: what is below 1e-6 of a pivot is rounding. */
static void factorise(int n, double a[PLANE_FIT_MAX][PLANE_FIT_MAX], bool *ret_lost)
{
    for (int j = 0; j < n; j++) {
        double pivot = a[j][j];
        for (int k = 0; k < j; k++)
            pivot -= a[j][k] * a[j][k];
        ret_lost[j] = !(pivot > 1e-6 * a[j][j]);
        a[j][j] = ret_lost[j] ? 1.0 : sqrt(pivot);
        for (int i = j + 1; i < n; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] = ret_lost[j] ? 0.0 : a[i][j] / a[j][j];
        }
    }
}

/* Coefficients in place of right-hand sides. */
static void solve(const struct plane_work *w, int n, double b[PLANE_FIT_MAX])
{
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            b[j] -= w->factor[j][k] * b[k];
        b[j] = w->lost[j] ? 0.0 : b[j] / w->factor[j][j];
    }
    for (int j = n - 1; j >= 0; j--) {
        for (int i = j + 1; i < n; i++)
            b[j] -= w->factor[i][j] * b[i];
        b[j] = w->lost[j] ? 0.0 : b[j] / w->factor[j][j];
    }
}

void plane_prepare(const struct coded_mask *m, const struct plane_detector *d, const struct plane_scene *scene,
                   struct rng *r, struct plane_work *ret_work)
{
    int n = PLANE_POLYNOMIALS;
    ret_work->n_cleaned = 0;
    for (int k = 0; k < scene->n_source; k++) {
        const struct plane_source *s = &scene->source[k];
        make_shadow(m, s, r, ret_work->shadow[k]);
        if (!s->cleaned) continue;
        float *fitted = ret_work->fitted[ret_work->n_cleaned];
        ret_work->cleaned[ret_work->n_cleaned++] = k;
        mask_shadow(m, s->fit_y, s->fit_z, fitted);
        for (int i = 0; i < PLANE_PIXELS; i++)
            fitted[i] *= d->alive[i];
    }
    n += ret_work->n_cleaned;
    for (int j = 0; j < n; j++)
        for (int k = 0; k <= j; k++)
            ret_work->factor[j][k] = j < PLANE_POLYNOMIALS ? d->polynomial_product[j][k]
                                                           : dot(column(d, ret_work, j), column(d, ret_work, k));
    factorise(n, ret_work->factor, ret_work->lost);
}

/* ---- an exposure ---- */

static void draw_counts(const struct plane_detector *d, const struct plane_scene *scene, const struct plane_work *work,
                        struct rng *r, float *ret_counts)
{
    float expected[PLANE_PIXELS];
    for (int i = 0; i < PLANE_PIXELS; i++)
        expected[i] = (float)(scene->rate_hz * scene->exposure_s) * scene->shape[i] + scene->extra[i];
    for (int k = 0; k < scene->n_source; k++) {
        float counts = (float)scene->source[k].counts;
        for (int i = 0; i < PLANE_PIXELS; i++)
            expected[i] += counts * work->shadow[k][i];
    }
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double mean = (double)(d->gain[i] * expected[i]);
        ret_counts[i] = d->alive[i] > 0.0f ? (float)rng_poisson(r, mean) : 0.0f;
    }
}

void plane_expose(const struct plane_detector *d, const struct plane_scene *scene, const struct plane_work *work,
                  struct rng *r, struct exposure *ret_exposure)
{
    double x[PLANE_FIT_MAX];
    int n = PLANE_POLYNOMIALS + work->n_cleaned;
    draw_counts(d, scene, work, r, ret_exposure->counts);
    for (int j = 0; j < n; j++)
        x[j] = dot(column(d, work, j), ret_exposure->counts);
    solve(work, n, x);
    for (int k = 0; k < work->n_cleaned; k++)
        x[PLANE_POLYNOMIALS + k] *= 1.0 - scene->source[work->cleaned[k]].left_over;
    memcpy(ret_exposure->residual, ret_exposure->counts, sizeof ret_exposure->residual);
    for (int j = 0; j < n; j++) { /* columns are 0 on dead pixels, as the counts are */
        const float *shape = column(d, work, j);
        float factor = (float)x[j];
        for (int i = 0; i < PLANE_PIXELS; i++)
            ret_exposure->residual[i] -= factor * shape[i];
    }
}
