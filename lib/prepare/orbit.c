/* See orbit.h. */
#include "prepare/orbit.h"
#include <math.h>

/* WGS 84 and EGM96: km^3/s^2, none, km. */
static const double MU = 398600.4418, J2 = 1.08262668e-3, EQUATOR_KM = 6378.137;
/* What J2 leaves of the Earth's field in a low orbit, and the air: km/s^2. Source: Montenbruck and Gill, Satellite
 * Orbits, figure 3.1. */
static const double LEFT_OUT = 5e-8;

static double length_of(const double v[3])
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static void gravity_at(const double km[3], double ret_a[3])
{
    double r = length_of(km), pull = -MU / (r * r * r), up = km[2] / r;
    double flat = 1.5 * J2 * (EQUATOR_KM / r) * (EQUATOR_KM / r);
    for (int i = 0; i < 3; i++)
        ret_a[i] = pull * km[i] * (1.0 + flat * ((i == 2 ? 3.0 : 1.0) - 5.0 * up * up));
}

/* |r''''| of a circular path there. */
static double fourth_derivative(const double km[3])
{
    double r = length_of(km), square = MU / (r * r * r);
    return square * square * r;
}

static double cubic_between(const struct orbit_point *a, const struct orbit_point *b, double span, double share,
                            double ret_km[3])
{
    double bend_a[3], bend_b[3], left = 1.0 - share;
    gravity_at(a->km, bend_a);
    gravity_at(b->km, bend_b);
    for (int i = 0; i < 3; i++)
        ret_km[i] =
            left * a->km[i] + share * b->km[i] +
            span * span / 6.0 * ((left * left * left - left) * bend_a[i] + (share * share * share - share) * bend_b[i]);
    return span * span * (span * span / 32.0 * fourth_derivative(a->km) + LEFT_OUT);
}

/* `dt` seconds past `near`, away from `far`, which is `span` seconds to the other side; both signed the same way. */
static double beyond(const struct orbit_point *far, const struct orbit_point *near, double span, double dt,
                     double ret_km[3])
{
    double bend_far[3], bend_near[3], t = fabs(span), d = fabs(dt);
    gravity_at(far->km, bend_far);
    gravity_at(near->km, bend_near);
    for (int i = 0; i < 3; i++) {
        double velocity = (near->km[i] - far->km[i]) / span + span / 6.0 * (bend_far[i] + 2.0 * bend_near[i]);
        double change = (bend_near[i] - bend_far[i]) / span;
        ret_km[i] = near->km[i] + dt * (velocity + dt * (bend_near[i] / 2.0 + dt * change / 6.0));
    }
    return 2.0 * d * (t * t * t / 24.0 + t * d * d / 12.0 + d * d * d / 24.0) * fourth_derivative(near->km) +
           LEFT_OUT * (t + d) * (t + d);
}

double orbit_at(const struct orbit_point *a, const struct orbit_point *b, int64_t t_ns, double ret_km[3])
{
    double span = (double)(b->t_ns - a->t_ns) * 1e-9, since = (double)(t_ns - a->t_ns) * 1e-9;
    if (since < 0.0) return beyond(b, a, -span, since, ret_km);
    if (since > span) return beyond(a, b, span, since - span, ret_km);
    return cubic_between(a, b, span, since / span, ret_km);
}

double orbit_reach_km(const double km[3], double dt_s)
{
    return sqrt(2.0 * MU / length_of(km)) * fabs(dt_s);
}

void turn_between(const double a[4], const double b[4], double share, double ret_q[4])
{
    double near = 0.0, apart = 0.0, length = 0.0;
    for (int i = 0; i < 4; i++)
        near += a[i] * b[i];
    double sign = near < 0.0 ? -1.0 : 1.0; /* q and -q are the same attitude */
    for (int i = 0; i < 4; i++)
        apart += (b[i] - sign * a[i]) * (b[i] - sign * a[i]);
    double angle = 2.0 * asin(fmin(sqrt(apart) / 2.0, 1.0));
    double of_a = angle > 1e-9 ? sin((1.0 - share) * angle) / sin(angle) : 1.0 - share;
    double of_b = angle > 1e-9 ? sin(share * angle) / sin(angle) : share;
    for (int i = 0; i < 4; i++) {
        ret_q[i] = sign * of_a * a[i] + of_b * b[i];
        length += ret_q[i] * ret_q[i];
    }
    for (int i = 0; i < 4; i++)
        ret_q[i] /= sqrt(length);
}

void turn_vector(const double q[4], const double v[3], double ret_v[3])
{
    /* v + 2 w (u x v) + 2 u x (u x v), u the vector part */
    double c[3] = {q[1] * v[2] - q[2] * v[1], q[2] * v[0] - q[0] * v[2], q[0] * v[1] - q[1] * v[0]};
    double d[3] = {q[1] * c[2] - q[2] * c[1], q[2] * c[0] - q[0] * c[2], q[0] * c[1] - q[1] * c[0]};
    for (int i = 0; i < 3; i++)
        ret_v[i] = v[i] + 2.0 * (q[3] * c[i] + d[i]);
}
