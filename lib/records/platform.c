/* Angles on the sky that decide needs too, so that it does not know the stage that made the state. */
#include "records/platform.h"
#include <math.h>

static const double DEG = 3.14159265358979323846 / 180.0;

/* atan2 of cross and dot product: exact near 0 and 180 degrees, where acos is not. */
double platform_separation_deg(const double a_deg[2], const double b_deg[2])
{
    double da = (b_deg[0] - a_deg[0]) * DEG, a = a_deg[1] * DEG, b = b_deg[1] * DEG;
    double across = cos(b) * sin(da), up = cos(a) * sin(b) - sin(a) * cos(b) * cos(da);
    return atan2(hypot(across, up), sin(a) * sin(b) + cos(a) * cos(b) * cos(da)) / DEG;
}

double platform_limb_deg(const struct platform_state *s, const double deg[2])
{
    return platform_separation_deg(s->earth_deg, deg) - s->earth_radius_deg;
}
