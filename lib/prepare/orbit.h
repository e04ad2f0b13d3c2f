/* The motion of a satellite from few positions: no velocities are sent, but gravity says how the path between two
 * points bends.
 * Frames do not matter as long as the third axis is the Earth's and nothing rotates (TEME does, by 50 arcseconds a
 * year). */
#ifndef BURST_PREPARE_ORBIT_H
#define BURST_PREPARE_ORBIT_H
#include <stdint.h>

struct orbit_point {
    int64_t t_ns;
    double km[3];
};

/* Position at t_ns from two points of the path, a before b.
 *
 * Given     a, b  at most some minutes apart, on a path under gravity alone
 * Returned  ret_km, and a bound on the error in km
 * Notes     Between the points: the cubic through both that has there the accelerations of the Earth's gravity with J2.
 *           Its error is
 *           at most 5/384 T^4 |r''''|; twice that and more is told. Outside: velocity and acceleration of the nearer
 *           point and the
 *           change of acceleration between both. */
double orbit_at(const struct orbit_point *a, const struct orbit_point *b, int64_t t_ns, double ret_km[3]);
/* How far a satellite can be from where it was `dt_s` before or after, km: escape velocity. */
double orbit_reach_km(const double km[3], double dt_s);

/* Attitude between two, turned evenly about one axis (slerp), the short way round.
 * Given     a, b  of length 1; share 0..1 */
void turn_between(const double a[4], const double b[4], double share, double ret_q[4]);
/* v turned by q = [x, y, z, w]: q v q*. */
void turn_vector(const double q[4], const double v[3], double ret_v[3]);
#endif
