/* Geometry files and the table of detector kinds. */
#include "sim/spacecraft.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Sources: levels of gbm-nai science.md A.6 (GRB 110721A, 12 NaI), of gecam-labr3 A.5 (GRB 210511B); gbm-bgo: A.6 above 300 keV, below
 * it a choice; gecam-nai: as LaBr3 without its own radioactivity (a choice); grm-nai: 200 cm2 x 1.5 cm NaI above 15 keV and 8 us (GRM's
 * page at svom.eu), GBM's levels by area; hxmt-csi: 5096 cm2 of CsI in 18 (GCN Circular 24213: 80-800 keV), levels a choice.
 * Dead times: 2.6 us GBM (A.6), 4 us GECAM (A.5). Ceilings: GBM 375 kc/s over 14 detectors (A.7), the others in proportion. */
static const struct detector_kind KIND[] = {
    {"gbm-nai", RESPONSE_NAI, 1.0, {16.0, 10.5, 10.2, 2.1, 1.8, 24.0}, true, true, 2.6e-6, 27000.0},
    {"gbm-bgo", RESPONSE_SHIELD, 1.0, {0.1, 0.5, 10.0, 10.0, 9.0, 17.0}, false, false, 2.6e-6, 27000.0},
    {"gecam-labr3", RESPONSE_LABR3, 1.0, {12.0, 6.5, 8.0, 2.6, 1.9, 22.0}, true, true, 4e-6, 40000.0},
    {"gecam-nai", RESPONSE_NAI, 45.4 / 126.0, {12.0, 6.3, 7.0, 2.0, 1.3, 20.0}, true, true, 4e-6, 40000.0},
    {"grm-nai", RESPONSE_NAI, 200.0 / 126.0, {25.4, 16.7, 16.2, 3.3, 2.9, 30.0}, true, true, 8e-6, 60000.0},
    {"hxmt-csi", RESPONSE_SHIELD, 1.7, {0.1, 4.0, 20.0, 10.0, 8.0, 4.0}, true, false, 4e-6, 30000.0},
};

const struct detector_kind *spacecraft_kind(const char *word)
{
    for (size_t i = 0; i < sizeof KIND / sizeof KIND[0]; i++)
        if (strcmp(KIND[i].word, word) == 0) return &KIND[i];
    return NULL;
}

static enum burst_err bad_line(const char *name, int line, const char *why, struct burst_error *reterr)
{
    return burst_fail(reterr, BURST_E_FORMAT, "geometry %s, line %d: %s", name, line, why);
}

static enum burst_err add_row(const char *text, int line, const struct detector_kind *kind, struct spacecraft *craft,
                              struct burst_error *reterr)
{
    char name[8], rest = '\n';
    struct direction axis;
    int n = sscanf(text, "%7[a-z0-9],%lf,%lf%c", name, &axis.azimuth_deg, &axis.zenith_deg, &rest);
    if (n < 3 || rest != '\n') return bad_line(craft->name, line, "is not NAME,AZIMUTH_DEG,ZENITH_DEG", reterr);
    if (!(fabs(axis.azimuth_deg) <= 360.0 && axis.zenith_deg >= 0.0 && axis.zenith_deg <= 180.0))
        return bad_line(craft->name, line, "azimuth outside -360 to 360 or zenith outside 0 to 180 degrees", reterr);
    if (!kind) return bad_line(craft->name, line, "no `# kind WORD` stands before it", reterr);
    if (craft->n_detector == SPACECRAFT_DETECTOR_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "geometry %s: more than %d detectors", craft->name,
                          SPACECRAFT_DETECTOR_MAX);
    if (kind->search && craft->n_search < craft->n_detector)
        return bad_line(craft->name, line, "detectors of the search come first", reterr);
    craft->n_search += kind->search;
    (void)snprintf(craft->detector[craft->n_detector].name, sizeof craft->detector[0].name, "%s", name);
    craft->detector[craft->n_detector].axis = axis;
    craft->detector[craft->n_detector++].kind = kind;
    return BURST_OK;
}

static enum burst_err read_rows(FILE *file, struct spacecraft *craft, struct burst_error *reterr)
{
    char line[256], word[32];
    const struct detector_kind *kind = NULL;
    enum burst_err err = BURST_OK;
    for (int n = 1; !err && fgets(line, sizeof line, file); n++) {
        if (sscanf(line, "# kind %31s", word) == 1) {
            kind = spacecraft_kind(word);
            if (!kind) err = bad_line(craft->name, n, "no such kind", reterr);
        } else if (line[0] != '#' && line[0] != '\n' && strncmp(line, "detector,", 9) != 0) {
            err = add_row(line, n, kind, craft, reterr);
        }
    }
    if (!err && craft->n_search == 0) err = bad_line(craft->name, 1, "no detector of the search", reterr);
    return err;
}

enum burst_err spacecraft_read(const char *folder, const char *name, struct spacecraft *ret_craft,
                               struct burst_error *reterr)
{
    char path[600];
    struct spacecraft craft = {0};
    if (strlen(name) >= sizeof craft.name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
        return burst_fail(reterr, BURST_E_LIMIT, "%.40s is no name of a geometry file", name);
    if (snprintf(path, sizeof path, "%s/%s.csv", folder, name) >= (int)sizeof path)
        return burst_fail(reterr, BURST_E_LIMIT, "the geometry folder's name is too long");
    (void)snprintf(craft.name, sizeof craft.name, "%s", name);
    FILE *file = fopen(path, "r");
    if (!file) return burst_fail(reterr, BURST_E_IO, "no geometry %s", path);
    enum burst_err err = read_rows(file, &craft, reterr);
    if (!err && ferror(file)) err = burst_fail(reterr, BURST_E_IO, "cannot read %s", path);
    (void)fclose(file);
    if (!err) *ret_craft = craft;
    return err;
}

/* keV and cm2 of GBM's b1. Source: science.md A.5. */
static const double BGO[][2] = {{80, 15},   {103, 34},  {150, 122},  {197, 168},  {304, 210},
                                {496, 229}, {687, 233}, {1005, 229}, {2036, 218}, {8000, 200}};

static int group_of(double kev)
{
    static const double EDGE[SIM_ATOM + 1] = {25, 50, 100, 300, 500, 900};
    for (int a = 0; a < SIM_ATOM; a++)
        if (kev >= EDGE[a] && kev < EDGE[a + 1]) return a;
    return SIM_REST;
}

/* A quarter of the counts loses energy on the way: spread evenly over the energies between 80 keV and the photon's own. */
static void shield_step(double kev, double counts, double *rate)
{
    rate[group_of(kev)] += 0.75 * counts;
    for (int i = 0; i < 8; i++)
        rate[group_of(80.0 + (kev - 80.0) * (i + 0.5) / 8)] += 0.25 / 8 * counts;
}

/* Counts for 1 photon / cm2 / s between 50 and 300 keV. */
static void shield_fold(const struct spectrum *s, double *rate)
{
    enum { STEPS = 12, ROWS = sizeof BGO / sizeof BGO[0] };
    double photons = 0.0;
    memset(rate, 0, SIM_GROUP * sizeof *rate);
    for (int row = 0; row + 1 < ROWS; row++) {
        double ratio = log(BGO[row + 1][0] / BGO[row][0]);
        for (int i = 0; i < STEPS; i++) {
            double part = (i + 0.5) / STEPS, kev = BGO[row][0] * exp(part * ratio);
            double area = BGO[row][1] + part * (BGO[row + 1][1] - BGO[row][1]);
            shield_step(kev, spectrum_density(s, kev) * kev * ratio / STEPS * area, rate);
        }
    }
    for (int i = 0; i < 100; i++) {
        double kev = 50.0 * exp((i + 0.5) / 100.0 * log(6.0));
        photons += spectrum_density(s, kev) * kev * log(6.0) / 100.0;
    }
    for (int g = 0; g < SIM_GROUP; g++)
        rate[g] /= photons;
}

void spacecraft_colour(const struct spectrum *s, enum response response, double ret_part[SIM_GROUP])
{
    double nai[SIM_GROUP], sum = 0.0;
    spectrum_fold(s, CRYSTAL_NAI, nai);
    if (response == RESPONSE_NAI)
        memcpy(ret_part, nai, sizeof nai);
    else if (response == RESPONSE_LABR3)
        spectrum_fold(s, CRYSTAL_LABR3, ret_part);
    else
        shield_fold(s, ret_part);
    for (int a = 0; a < SIM_ATOM; a++)
        sum += nai[a];
    for (int g = 0; g < SIM_GROUP; g++)
        ret_part[g] /= sum;
}

double spacecraft_angle_factor(const struct detector_kind *kind, double cos_angle, int group)
{
    return kind->sided ? spectrum_angle_factor(cos_angle, group) : 0.65 + 0.35 * cos_angle;
}
