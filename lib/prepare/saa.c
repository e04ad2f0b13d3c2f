/* See saa.h. */
#include "prepare/saa.h"
#include "base/clock.h"
#include <stddef.h>

/* Latitude, longitude. Source: USRA-STI/gdt-fermi, src/gdt/missions/fermi/gbm/saa.py. */
static const double FIRST[][2] = {
    {-30.0, 33.9}, {-19.867, 12.398}, {-9.733, -9.103}, {0.4, -30.605},  {2.0, -38.4},     {2.0, -45.0},
    {-1.0, -65.0}, {-6.155, -84.0},   {-8.88, -89.2},   {-14.22, -94.3}, {-18.404, -94.3}, {-30.0, -86.1},
};
static const double SECOND[][2] = {
    {-24.395, 22.0}, {-30.0, 22.0},     {-30.0, -86.1},  {-24.06, -90.3},
    {-16.22, -90.3}, {-8.638, -88.738}, {-6.155, -84.0}, {-1.0, -65.0},
    {2.0, -45.0},    {2.0, -38.4},      {-3.4, -30.605}, {-19.570802973653127, -11.999457706441582},
};
static const int64_t SECOND_FROM_NS =
    INT64_C(1721762169184) * 1000000; /* 2024-07-23T19:15:00 UTC, Fermi time 743454905 */

/* Crossings of the boundary with the meridian south of the place, counted. No boundary crosses the 180th meridian. */
static bool is_inside(size_t n, const double (*corner)[2], double lat, double lon)
{
    bool inside = false;
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        double lat_i = corner[i][0], lon_i = corner[i][1], lat_j = corner[j][0], lon_j = corner[j][1];
        if ((lon_i > lon) != (lon_j > lon) && lat < lat_i + (lat_j - lat_i) * (lon - lon_i) / (lon_j - lon_i))
            inside = !inside;
    }
    return inside;
}

bool saa_inside(enum burst_mission mission, int64_t t_ns, double lat_deg, double lon_deg)
{
    double lat = lat_deg < -30.0 ? -30.0 : lat_deg;
    if (mission == MISSION_FERMI && t_ns >= SECOND_FROM_NS)
        return is_inside(sizeof SECOND / sizeof SECOND[0], SECOND, lat, lon_deg);
    return is_inside(sizeof FIRST / sizeof FIRST[0], FIRST, lat, lon_deg);
}
