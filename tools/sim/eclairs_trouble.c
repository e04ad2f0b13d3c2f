/* See eclairs_trouble.h. */
#include "sim/eclairs_trouble.h"
#include "sim/eclairs_field.h"
#include <math.h>

static const double EXPOSURE_S = 20.48; /* shortest image */
static const double OPEN_FRACTION = 0.40;

static double background(const struct plane_scene *s, int pixel)
{
    return s->rate_hz * s->exposure_s * (double)s->shape[pixel];
}

void trouble_particles(struct rng *r, double strength, struct plane_scene *s)
{
    double slope[2] = {rng_between(r, -1.2, 1.2), rng_between(r, -1.2, 1.2)}, ripple = rng_between(r, 0.0, 0.4);
    double wave[2] = {rng_between(r, -9.0, 9.0), rng_between(r, -9.0, 9.0)}, phase = rng_between(r, 0.0, 2.0 * M_PI);
    double module[PLANE_SIDE / 8][PLANE_SIDE / 4];
    for (int i = 0; i < PLANE_PIXELS / 32; i++)
        module[i / (PLANE_SIDE / 4)][i % (PLANE_SIDE / 4)] = 1.0 + 0.1 * rng_normal(r);
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double u = plane_coordinate(i % PLANE_SIDE), v = plane_coordinate(i / PLANE_SIDE);
        double rate = exp(slope[0] * u + slope[1] * v) * (1.0 + ripple * cos(wave[0] * u + wave[1] * v + phase));
        double here = module[i / PLANE_SIDE / 8][i % PLANE_SIDE / 4];
        s->extra[i] += (float)(strength * s->rate_hz * s->exposure_s * rate * here);
    }
}

void trouble_columns(struct rng *r, double low, double high, struct plane_scene *s)
{
    int n = 1 + (int)(rng_uniform(r) * 4);
    for (int k = 0; k < n; k++) {
        bool row = rng_chance(r, 0.5);
        int first = (int)(rng_uniform(r) * PLANE_SIDE), width = 1 + rng_chance(r, 0.5);
        double excess = rng_log_between(r, low, high);
        for (int i = 0; i < PLANE_PIXELS; i++) {
            int at = row ? i / PLANE_SIDE : i % PLANE_SIDE;
            if (at >= first && at < first + width) s->extra[i] += (float)(excess * background(s, i));
        }
    }
}

void trouble_modules(struct rng *r, int most, double low, double high, struct plane_scene *s)
{
    int n = 3 + (int)(rng_uniform(r) * (most - 2));
    for (int k = 0; k < n; k++) {
        int z0 = 8 * (int)(rng_uniform(r) * (PLANE_SIDE / 8)), y0 = 4 * (int)(rng_uniform(r) * (PLANE_SIDE / 4));
        double excess = rng_log_between(r, low, high) * (rng_chance(r, 0.5) ? 1.0 : -1.0);
        for (int i = 0; i < 32; i++) {
            int pixel = (z0 + i / 4) * PLANE_SIDE + y0 + i % 4;
            s->extra[pixel] += (float)fmax(excess * background(s, pixel), -0.9 * background(s, pixel));
        }
    }
}

void trouble_hot_pixels(struct rng *r, struct plane_scene *s)
{
    int n = 1 + (int)(rng_uniform(r) * 3);
    for (int k = 0; k < n; k++)
        s->extra[(int)(rng_uniform(r) * PLANE_PIXELS)] +=
            (float)(pow(10.0, rng_between(r, 2.1, 3.2)) * sqrt(s->exposure_s / EXPOSURE_S));
}

/* ---- the Earth ---- */

static void find_direction(double y, double z, double ret[3])
{
    double ty = (y - SKY_CENTRE) * TAN_PER_PIXEL, tz = (z - SKY_CENTRE) * TAN_PER_PIXEL;
    double length = sqrt(1.0 + ty * ty + tz * tz);
    ret[0] = ty / length;
    ret[1] = tz / length;
    ret[2] = 1.0 / length;
}

static struct earth earth_at(double off_axis_deg, double angle)
{
    double off = off_axis_deg * M_PI / 180.0;
    return (struct earth){{sin(off) * cos(angle), sin(off) * sin(angle), cos(off)}};
}

/* The corner of the field is 54 degrees off axis, the middle of a side 44. */
struct earth earth_draw(struct rng *r)
{
    double off_axis_deg = EARTH_RADIUS_DEG + rng_between(r, -10.0, 40.0);
    return earth_at(off_axis_deg, rng_between(r, 0.0, 2.0 * M_PI));
}

static double separation_deg(const double a[3], const double b[3])
{
    double cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    return acos(fmin(fmax(cosine, -1.0), 1.0)) * 180.0 / M_PI;
}

/* The Earth's centre lies in the plane of axis and source, on the source's side: the limb crosses the field there. */
struct earth earth_over(struct rng *r, double y, double z, double exposure_s, double hidden)
{
    double toward[3], angle = atan2(z - SKY_CENTRE, y - SKY_CENTRE) + rng_between(r, -0.3, 0.3), low = 0.0,
                      high = 180.0;
    find_direction(y, z, toward);
    double want = EARTH_RADIUS_DEG + exposure_s * ORBIT_DEG_PER_S * (0.5 - hidden);
    for (int i = 0; i < 40; i++) { /* the separation grows with the angle off axis, beyond the source: bisection */
        double middle = 0.5 * (low + high);
        struct earth try = earth_at(middle, angle);
        if (separation_deg(try.toward, toward) < want)
            low = middle;
        else
            high = middle;
    }
    return earth_at(low, angle);
}

double earth_hides(const struct earth *earth, double y, double z, double exposure_s)
{
    double toward[3];
    find_direction(y, z, toward);
    double depth_deg = EARTH_RADIUS_DEG - separation_deg(earth->toward, toward);
    return fmin(fmax(depth_deg / (exposure_s * ORBIT_DEG_PER_S) + 0.5, 0.0), 1.0);
}

void trouble_earth(const struct earth *earth, struct decoder *d, struct plane_scene *s)
{
    float weight[SKY_SIDE * SKY_SIDE], hidden[PLANE_PIXELS];
    double whole = 0.0; /* of the cosmic background on a pixel */
    for (int i = 0; i < SKY_SIDE * SKY_SIDE; i++) {
        int y = i % SKY_SIDE, z = i / SKY_SIDE;
        double toward[3];
        find_direction(y, z, toward);
        double here = pow(toward[2], 4.0); /* solid angle of a tangent pixel cos^3, its area on the plane cos */
        whole += here * coded_fraction(y, z) * OPEN_FRACTION;
        weight[i] = (float)(here * earth_hides(earth, y, z, s->exposure_s));
    }
    project_sky(d, weight, hidden);
    for (int i = 0; i < PLANE_PIXELS; i++)
        s->shape[i] = fmaxf(s->shape[i] - (float)(COSMIC_SHARE / whole) * hidden[i], 0.02f);
    for (int k = 0; k < s->n_source; k++)
        s->source[k].counts *= 1.0 - earth_hides(earth, s->source[k].y, s->source[k].z, s->exposure_s);
}
