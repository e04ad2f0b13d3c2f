/* Folding by a table of effective areas; no response matrix is read. */
#include "sim/spectrum.h"
#include <math.h>
#include <stddef.h>

/* keV, then cm2 into each atom, then cm2 into all channels. Source: science.md A.5 (GBM n9 near face-on). */
static const double AREA[][7] = {
    {12, 0, 0, 0, 0, 0, 44.9},
    {15, 0, 0, 0, 0, 0, 68.5},
    {18, 0, 0, 0, 0, 0, 86.9},
    {22, 6.5, 0, 0, 0, 0, 99.7},
    {27, 78.7, 0, 0, 0, 0, 107},
    {33, 98.5, 0, 0, 0, 0, 107},
    {36, 92.0, 0, 0, 0, 0, 113},
    {45, 93.7, 6.4, 0, 0, 0, 122},
    {55, 27.2, 90.4, 0, 0, 0, 126},
    {70, 15.2, 115, 0, 0, 0, 132},
    {85, 5.2, 128, 1.5, 0, 0, 136},
    {100, 3.6, 70.3, 63.9, 0, 0, 139},
    {120, 3.4, 23.4, 115, 0, 0, 143},
    {145, 3.1, 19.2, 118, 0, 0, 141},
    {175, 2.8, 15.3, 113, 0, 0, 133},
    {210, 3.2, 12.9, 102, 0, 0, 121},
    {250, 4.0, 11.3, 93, 0, 0, 112},
    {300, 4.3, 10.7, 61.9, 21.1, 0, 102},
    {360, 4.3, 10.4, 39.6, 34, 0, 91.6},
    {430, 4.0, 9.9, 41.0, 26.9, 0, 84.7},
    {520, 3.3, 9.0, 37.9, 10.6, 14.2, 77.4},
    {620, 2.9, 8.0, 34.7, 9.3, 15.3, 72.1},
    {750, 2.4, 7.1, 30.9, 8.7, 15.3, 66.0},
    {900, 2.1, 6.1, 27.0, 7.2, 12.7, 60.5},
    {1200, 1.7, 5.2, 21.2, 6.5, 8.1, 52.8},
    {1700, 1.4, 4.4, 17.4, 4.8, 5.5, 46.9},
    {2500, 1.2, 3.7, 13.8, 3.6, 3.2, 35.1},
    {4000, 1.1, 3.3, 11.1, 3.2, 2.2, 25.2},
};
enum { N_ROW = sizeof AREA / sizeof AREA[0] };

/* LaBr3 over NaI: the crystal's area, and its photo-absorption above 300 keV (science.md A.5). */
static const double LABR3_AREA = 45.4 / 126.0;
static const double LABR3_GAIN[SIM_GROUP] = {1.0, 1.0, 1.0, 1.1, 1.25, 1.0};

double spectrum_density(const struct spectrum *s, double energy_kev)
{
    double x = energy_kev / 100.0;
    switch (s->shape) {
    case SPECTRUM_POWER: return pow(x, s->alpha);
    case SPECTRUM_THERMAL: return exp(-energy_kev / s->peak_kev) / x;
    case SPECTRUM_CUTOFF: return pow(x, s->alpha) * exp(-energy_kev * (2.0 + s->alpha) / s->peak_kev);
    case SPECTRUM_BAND: break;
    }
    double e0 = s->peak_kev / (2.0 + s->alpha), joint = (s->alpha - s->beta) * e0;
    if (energy_kev < joint) return pow(x, s->alpha) * exp(-energy_kev / e0);
    return pow(joint / 100.0, s->alpha - s->beta) * exp(s->beta - s->alpha) * pow(x, s->beta);
}

static double area_between(int row, double part, int column)
{
    return AREA[row][column] + part * (AREA[row + 1][column] - AREA[row][column]);
}

void spectrum_fold(const struct spectrum *s, enum crystal crystal, double ret_rate[SIM_GROUP])
{
    enum { STEPS = 10 }; /* per table row: 270 in all, fine against the 28 measured energies */
    double rate[SIM_GROUP] = {0}, photons = 0.0;
    for (int row = 0; row + 1 < N_ROW; row++) {
        double ratio = AREA[row + 1][0] / AREA[row][0];
        for (int i = 0; i < STEPS; i++) {
            double part = (i + 0.5) / STEPS, energy = AREA[row][0] * pow(ratio, part);
            double n =
                spectrum_density(s, energy) * energy * log(ratio) / STEPS; /* photons of this step, dE = E d ln E */
            double inside = 0.0;
            for (int a = 0; a < SIM_ATOM; a++) {
                double area = area_between(row, part, a + 1);
                rate[a] += n * area;
                inside += area;
            }
            rate[SIM_REST] += n * fmax(area_between(row, part, 6) - inside, 0.0);
            if (energy >= 50.0 && energy < 300.0) photons += n;
        }
    }
    for (int g = 0; g < SIM_GROUP; g++)
        ret_rate[g] = rate[g] / photons * (crystal == CRYSTAL_LABR3 ? LABR3_AREA * LABR3_GAIN[g] : 1.0);
}

void spectrum_area(double energy_kev, enum crystal crystal, double ret_area[SIM_GROUP])
{
    double energy = fmin(fmax(energy_kev, AREA[0][0]), AREA[N_ROW - 1][0]), inside = 0.0;
    int row = 0;
    while (row < N_ROW - 2 && energy >= AREA[row + 1][0])
        row++;
    double part = log(energy / AREA[row][0]) / log(AREA[row + 1][0] / AREA[row][0]);
    for (int a = 0; a < SIM_ATOM; a++)
        inside += ret_area[a] = area_between(row, part, a + 1);
    ret_area[SIM_REST] = fmax(area_between(row, part, 6) - inside, 0.0);
    for (int g = 0; g < SIM_GROUP && crystal == CRYSTAL_LABR3; g++)
        ret_area[g] *= LABR3_AREA * LABR3_GAIN[g];
}

double spectrum_angle_factor(double cos_angle, int group)
{
    static const double SOFT[3] = {0.98, 2.2, 0.003}, NORMAL[3] = {0.89, 1.25, 0.12}, HARD[3] = {0.73, 1.10, 0.24};
    const double *k = group == 0 || group == SIM_REST ? SOFT : group < 3 ? NORMAL : HARD;
    return k[0] * pow(fmax(cos_angle, 0.0), k[1]) + k[2];
}
