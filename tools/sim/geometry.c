/* Pointings; tests/unit/sim/test_geometry.c holds them against config/geometry. */
#include "sim/geometry.h"
#include <math.h>

static const struct direction GBM[12] = {{45.89, 20.58},  {45.11, 45.31},  {58.44, 90.21},  {314.87, 45.24},
                                         {303.15, 90.27}, {3.35, 89.79},   {224.93, 20.43}, {224.62, 46.18},
                                         {236.61, 89.97}, {135.19, 45.55}, {123.73, 90.42}, {183.74, 90.32}};

/* GECAM-C: two opposite domes of six. SVOM/GRM: svom.eu. */
static const struct direction DOMES[12] = {{0, 0},     {0, 50},    {72, 50},   {144, 50}, {216, 50}, {0, 180},
                                           {180, 130}, {252, 130}, {324, 130}, {36, 130}, {288, 50}, {108, 130}};
static const struct direction GRM[3] = {{0, 30}, {120, 30}, {240, 30}};

static const struct {
    int n;
    double zenith_deg, first_azimuth_deg;
} RING[] = {{1, 0.0, 0.0}, {6, 40.0, 0.0}, {8, 73.5, 22.5}, {10, 90.0, 0.0}};

int geometry_count(enum sim_mission mission)
{
    switch (mission) {
    case SIM_FERMI_GBM:
    case SIM_GECAM_C: return 12;
    case SIM_SVOM_GRM: return 3;
    default: return 25;
    }
}

struct direction geometry_axis(enum sim_mission mission, int detector)
{
    if (mission == SIM_FERMI_GBM) return GBM[detector];
    if (mission == SIM_GECAM_C) return DOMES[detector];
    if (mission == SIM_SVOM_GRM) return GRM[detector];
    int ring = 0;
    while (detector >= RING[ring].n)
        detector -= RING[ring++].n;
    return (struct direction){fmod(RING[ring].first_azimuth_deg + 360.0 * detector / RING[ring].n, 360.0),
                              RING[ring].zenith_deg};
}

double geometry_cosine(struct direction a, struct direction b)
{
    static const double RAD = M_PI / 180.0;
    double za = a.zenith_deg * RAD, zb = b.zenith_deg * RAD;
    return cos(za) * cos(zb) + sin(za) * sin(zb) * cos((a.azimuth_deg - b.azimuth_deg) * RAD);
}

struct direction geometry_draw(struct rng *r, double most_zenith_deg)
{
    double cosine = rng_between(r, cos(most_zenith_deg * M_PI / 180.0), 1.0);
    return (struct direction){rng_between(r, 0.0, 360.0), acos(cosine) * 180.0 / M_PI};
}
