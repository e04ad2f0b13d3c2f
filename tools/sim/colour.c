/* Colours of spectra in a response, many peak energies at once. */
#include "sim/fastexp.h"
#include "sim/spacecraft.h"
#include <math.h>

static const double FIRST_KEV = 12.0, LAST_KEV = 4000.0, PEAK_LOW_KEV = 12.0, PEAK_HIGH_KEV = 8000.0;

/* keV and cm2 of GBM's b1; 0 below. Source: science.md A.5; the ends are a choice. */
static const double BGO[][2] = {{80, 0},    {103, 34},  {150, 122},  {197, 168},  {304, 210},
                                {496, 229}, {687, 233}, {1005, 229}, {2036, 218}, {4000, 205}};
enum { BGO_ROWS = sizeof BGO / sizeof BGO[0] };

static int group_of(double kev)
{
    static const double EDGE[SIM_ATOM + 1] = {25, 50, 100, 300, 500, 900};
    for (int a = 0; a < SIM_ATOM; a++)
        if (kev >= EDGE[a] && kev < EDGE[a + 1]) return a;
    return SIM_REST;
}

/* A quarter of the counts loses energy on the way: spread evenly over the energies between 80 keV and the photon's
 * own. */
static void shield_area(double kev, double *area)
{
    enum { PIECES = 8 };
    int row = 0;
    for (int g = 0; g < SIM_GROUP; g++)
        area[g] = 0.0;
    if (kev < BGO[0][0]) return;
    while (row < BGO_ROWS - 2 && kev >= BGO[row + 1][0])
        row++;
    double part = log(kev / BGO[row][0]) / log(BGO[row + 1][0] / BGO[row][0]);
    double whole = BGO[row][1] + part * (BGO[row + 1][1] - BGO[row][1]);
    area[group_of(kev)] += 0.75 * whole;
    for (int i = 0; i < PIECES; i++)
        area[group_of(80.0 + (kev - 80.0) * (i + 0.5) / PIECES)] += 0.25 / PIECES * whole;
}

void spacecraft_colour_table(enum response response, struct colour_table *ret_table)
{
    double step = log(LAST_KEV / FIRST_KEV) / COLOUR_STEPS;
    for (int j = 0; j < COLOUR_STEPS; j++) {
        double kev = FIRST_KEV * exp((j + 0.5) * step), nai[SIM_GROUP], area[SIM_GROUP];
        spectrum_area(kev, CRYSTAL_NAI, nai);
        if (response == RESPONSE_SHIELD)
            shield_area(kev, area);
        else
            spectrum_area(kev, response == RESPONSE_LABR3 ? CRYSTAL_LABR3 : CRYSTAL_NAI, area);
        double width = kev / 100.0 * step;
        ret_table->x[j] = kev / 100.0;
        ret_table->nai[j] = width * (nai[0] + nai[1] + nai[2] + nai[3] + nai[4]);
        for (int g = 0; g < SIM_GROUP; g++)
            ret_table->weight[j][g] = width * area[g];
    }
}

static void fold(const struct colour_table *t, const double *density, float *part)
{
    double sum[SIM_GROUP] = {0}, nai = 0.0;
    for (int j = 0; j < COLOUR_STEPS; j++) {
        nai += density[j] * t->nai[j];
        for (int g = 0; g < SIM_GROUP; g++)
            sum[g] += density[j] * t->weight[j][g];
    }
    for (int g = 0; g < SIM_GROUP; g++)
        part[g] = (float)(sum[g] / nai);
}

/* low = x^alpha, high = x^beta, of spectrum_density's form: computed once for all peaks. */
static void peaked(const struct spectrum *s, double peak_kev, const double *x, const double *low, const double *high,
                   double *density)
{
    double e0 = peak_kev / (2.0 + s->alpha) / 100.0, joint = (s->alpha - s->beta) * e0, scale = -1.0 / e0;
    for (int j = 0; j < COLOUR_STEPS; j++)
        density[j] = low[j] * fast_exp(x[j] * scale);
    if (s->shape == SPECTRUM_CUTOFF) return;
    double level = pow(joint, s->alpha - s->beta) * exp(s->beta - s->alpha);
    for (int j = 0; j < COLOUR_STEPS; j++)
        density[j] = x[j] < joint ? density[j] : level * high[j];
}

void spacecraft_colours(const struct colour_table *table, const struct spectrum *s, float ret_part[][SIM_GROUP])
{
    double density[COLOUR_STEPS], low[COLOUR_STEPS], high[COLOUR_STEPS];
    if (s->shape == SPECTRUM_POWER || s->shape == SPECTRUM_THERMAL) {
        for (int j = 0; j < COLOUR_STEPS; j++)
            density[j] = spectrum_density(s, 100.0 * table->x[j]);
        fold(table, density, ret_part[0]);
        return;
    }
    for (int j = 0; j < COLOUR_STEPS; j++) {
        double ln = log(table->x[j]);
        low[j] = fast_exp(s->alpha * ln);
        high[j] = s->shape == SPECTRUM_BAND ? fast_exp(s->beta * ln) : 0.0;
    }
    for (int i = 0; i < COLOUR_PEAKS; i++) {
        double peak_kev = PEAK_LOW_KEV * pow(PEAK_HIGH_KEV / PEAK_LOW_KEV, (double)i / (COLOUR_PEAKS - 1));
        peaked(s, peak_kev, table->x, low, high, density);
        fold(table, density, ret_part[i]);
    }
}
