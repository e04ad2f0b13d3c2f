/* See eclairs_plane.h. */
#include "sim/eclairs_plane.h"
#include <math.h>
#include <string.h>

enum { N_POLYNOMIAL = 6, FIT_MAX = N_POLYNOMIAL + PLANE_SOURCE_MAX, MODULE_Z = 8, MODULE_Y = 4 };
/* Mean of an on-axis shadow for 40 % open cells less the cross: normalises counts to the whole plane. */
static const double OPEN_FRACTION = 0.40;
static const double MASK_THICKNESS = 0.05; /* 0.6 mm of tantalum over a cell of 11.74 mm */

double plane_coordinate(int pixel)
{
    return (pixel + 0.5) / (PLANE_SIDE / 2.0) - 1.0;
}

/* Source: science.md B.2 step 3: shape 1 - 0.18 (u^2 + v^2), here over its mean so that rate_hz is the
 * plane's mean; efficiency N(1, 0.02) times module N(1, 0.01), 1 % dead. */
void plane_start(struct rng *r, double exposure_s, double rate_hz, struct plane_scene *ret_scene)
{
    float module[PLANE_SIDE / MODULE_Z][PLANE_SIDE / MODULE_Y];
    memset(ret_scene, 0, sizeof *ret_scene);
    ret_scene->exposure_s = exposure_s;
    ret_scene->rate_hz = rate_hz;
    for (int i = 0; i < PLANE_SIDE / MODULE_Z; i++)
        for (int j = 0; j < PLANE_SIDE / MODULE_Y; j++)
            module[i][j] = (float)(1.0 + 0.01 * rng_normal(r));
    for (int i = 0; i < PLANE_PIXELS; i++) {
        int z = i / PLANE_SIDE, y = i % PLANE_SIDE;
        double u = plane_coordinate(y), v = plane_coordinate(z);
        ret_scene->shape[i] = (float)((1.0 - 0.18 * (u * u + v * v)) / 0.88);
        ret_scene->gain[i] = (float)(1.0 + 0.02 * rng_normal(r)) * module[z / MODULE_Z][y / MODULE_Y];
        ret_scene->alive[i] = rng_chance(r, 0.01) ? 0.0f : 1.0f;
    }
}

/* Share of its on-axis flux that reaches the plane: projection, and the walls of the mask's holes. */
static double obliquity(double sky_y, double sky_z)
{
    double ty = fabs(sky_y - SKY_CENTRE) * TAN_PER_PIXEL, tz = fabs(sky_z - SKY_CENTRE) * TAN_PER_PIXEL;
    return (1.0 - MASK_THICKNESS * ty) * (1.0 - MASK_THICKNESS * tz) / sqrt(1.0 + ty * ty + tz * tz);
}

static void add_source(const struct coded_mask *m, const struct plane_source *s, struct rng *r, float *expected)
{
    float shadow[PLANE_PIXELS];
    double scale = s->counts * obliquity(s->y, s->z) / (OPEN_FRACTION * PLANE_PIXELS);
    mask_shadow(m, s->y, s->z, shadow);
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double response = 1.0;
        if (s->mismatch > 0.0) /* B.3: 3 % of the pixels at half transmission */
            response = (1.0 + s->mismatch * rng_normal(r)) * (rng_chance(r, 0.03) ? 0.5 : 1.0);
        expected[i] += (float)(scale * response * shadow[i]);
    }
}

static void draw_counts(const struct coded_mask *m, const struct plane_scene *scene, struct rng *r, float *ret_counts)
{
    float expected[PLANE_PIXELS];
    for (int i = 0; i < PLANE_PIXELS; i++)
        expected[i] = (float)(scene->rate_hz * scene->exposure_s) * scene->shape[i] + scene->extra[i];
    for (int i = 0; i < scene->n_source; i++)
        add_source(m, &scene->source[i], r, expected);
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double mean = (double)scene->gain[i] * expected[i];
        ret_counts[i] = scene->alive[i] > 0.0f ? (float)rng_poisson(r, mean) : 0.0f;
    }
}

/* Values of all fitted shapes: column j of pixel i is column[j][i]. Returns how many. */
static int make_columns(const struct coded_mask *m, const struct plane_scene *scene, float (*column)[PLANE_PIXELS])
{
    int n = N_POLYNOMIAL;
    for (int i = 0; i < PLANE_PIXELS; i++) {
        float u = (float)plane_coordinate(i % PLANE_SIDE), v = (float)plane_coordinate(i / PLANE_SIDE);
        const float value[N_POLYNOMIAL] = {1.0f, u, v, u * u, u * v, v * v};
        for (int j = 0; j < N_POLYNOMIAL; j++)
            column[j][i] = value[j];
    }
    for (int k = 0; k < scene->n_source; k++)
        if (scene->source[k].cleaned) mask_shadow(m, scene->source[k].fit_y, scene->source[k].fit_z, column[n++]);
    return n;
}

/* Solve the normal equations a x = b by Cholesky, in place. A shape that the others already describe, or that no pixel
 * sees, has no pivot left: its coefficient is 0. */
static void solve(int n, double a[FIT_MAX][FIT_MAX], double b[FIT_MAX])
{
    bool lost[FIT_MAX] = {false};
    for (int j = 0; j < n; j++) {
        double pivot = a[j][j];
        for (int k = 0; k < j; k++)
            pivot -= a[j][k] * a[j][k];
        lost[j] = !(pivot > 1e-9 * a[j][j]);
        a[j][j] = lost[j] ? 1.0 : sqrt(pivot);
        for (int i = j + 1; i < n; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] = lost[j] ? 0.0 : a[i][j] / a[j][j];
        }
        for (int k = 0; k < j; k++)
            b[j] -= a[j][k] * b[k];
        b[j] = lost[j] ? 0.0 : b[j] / a[j][j];
    }
    for (int j = n - 1; j >= 0; j--) {
        for (int i = j + 1; i < n; i++)
            b[j] -= a[i][j] * b[i];
        b[j] = lost[j] ? 0.0 : b[j] / a[j][j];
    }
}

static void fit(int n, float (*column)[PLANE_PIXELS], const float *alive, const float *counts, double *ret_x)
{
    double a[FIT_MAX][FIT_MAX] = {{0}};
    for (int j = 0; j < n; j++) {
        ret_x[j] = 0.0;
        for (int i = 0; i < PLANE_PIXELS; i++)
            ret_x[j] += (double)column[j][i] * counts[i]; /* counts are 0 where nothing is alive */
        for (int k = 0; k <= j; k++)
            for (int i = 0; i < PLANE_PIXELS; i++)
                a[j][k] += (double)(column[j][i] * alive[i] * column[k][i]);
    }
    solve(n, a, ret_x);
}

static void clean(const struct coded_mask *m, const struct plane_scene *scene, struct exposure *e)
{
    float column[FIT_MAX][PLANE_PIXELS];
    double x[FIT_MAX];
    int n = make_columns(m, scene, column), j = N_POLYNOMIAL;
    fit(n, column, scene->alive, e->counts, x);
    for (int k = 0; k < scene->n_source; k++)
        if (scene->source[k].cleaned) x[j++] *= 1.0 - scene->source[k].left_over;
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double model = 0.0;
        for (j = 0; j < n; j++)
            model += x[j] * (double)column[j][i];
        e->residual[i] = (float)(e->counts[i] - model) * scene->alive[i];
    }
}

void plane_expose(const struct coded_mask *m, const struct plane_scene *scene, struct rng *r,
                  struct exposure *ret_exposure)
{
    draw_counts(m, scene, r, ret_exposure->counts);
    clean(m, scene, ret_exposure);
}
