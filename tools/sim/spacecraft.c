/* Geometry files and the table of detector kinds. */
#include "sim/spacecraft.h"
#include "base/bytes.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sources: levels of gbm-nai science.md A.6 (GRB 110721A, 12 NaI), of gecam-labr3 A.5 (GRB 210511B); gbm-bgo: A.6 above
 * 300 keV, below it a choice; gecam-nai: as LaBr3 without its own radioactivity (a choice); grm-nai: 200 cm2 x 1.5 cm
 * NaI above 15 keV and 8 us (GRM's page at svom.eu), GBM's levels by area; hxmt-csi: 5096 cm2 of CsI in 18 (GCN
 * Circular 24213: 80-800 keV), levels a choice. Dead times: 2.6 us GBM (A.6), 4 us GECAM (A.5). Ceilings: GBM 375 kc/s
 * over 14 detectors (A.7), the others in proportion. */
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
    char name[8], rest;
    struct direction axis;
    int n = sscanf(text, "%7[a-z0-9],%lf,%lf%c", name, &axis.azimuth_deg, &axis.zenith_deg, &rest);
    if (n != 3) return bad_line(craft->name, line, "is not NAME,AZIMUTH_DEG,ZENITH_DEG", reterr);
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

static enum burst_err take_line(const char *line, int number, const struct detector_kind **kind,
                                struct spacecraft *craft, struct burst_error *reterr)
{
    char word[32];
    if (sscanf(line, "# kind %31s", word) == 1) {
        *kind = spacecraft_kind(word);
        return *kind ? BURST_OK : bad_line(craft->name, number, "no such kind", reterr);
    }
    if (line[0] == '#' || line[0] == '\0' || strncmp(line, "detector,", 9) == 0) return BURST_OK;
    return add_row(line, number, *kind, craft, reterr);
}

enum burst_err spacecraft_parse(const char *name, const char *text, size_t n, struct spacecraft *ret_craft,
                                struct burst_error *reterr)
{
    char line[256];
    struct spacecraft craft = {0};
    const struct detector_kind *kind = NULL;
    enum burst_err err = BURST_OK;
    if (strlen(name) >= sizeof craft.name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
        return burst_fail(reterr, BURST_E_LIMIT, "%.40s is no name of a geometry file", name);
    (void)snprintf(craft.name, sizeof craft.name, "%s", name);
    for (int number = 1; n > 0 && !err; number++) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) : n;
        if (length >= sizeof line || memchr(text, '\0', length))
            return bad_line(name, number, "is longer than 255 bytes, or holds a zero byte", reterr);
        memcpy(line, text, length);
        line[length] = '\0';
        err = take_line(line, number, &kind, &craft, reterr);
        text += length + (end != NULL);
        n -= length + (end != NULL);
    }
    if (!err && craft.n_search == 0) err = bad_line(name, 1, "no detector of the search", reterr);
    if (!err) *ret_craft = craft;
    return err;
}

enum burst_err spacecraft_read(const char *folder, const char *name, struct spacecraft *ret_craft,
                               struct burst_error *reterr)
{
    enum { BYTES_MOST = 65536 };
    char path[600];
    uint8_t *text = NULL;
    size_t n = 0;
    if (strchr(name, '/')) return burst_fail(reterr, BURST_E_LIMIT, "%.40s is no name of a geometry file", name);
    if (snprintf(path, sizeof path, "%s/%s.csv", folder, name) >= (int)sizeof path)
        return burst_fail(reterr, BURST_E_LIMIT, "the geometry folder's name is too long");
    enum burst_err err = bytes_read_file(path, BYTES_MOST, &text, &n, reterr);
    if (!err) err = spacecraft_parse(name, (const char *)text, n, ret_craft, reterr);
    free(text);
    return err;
}

double spacecraft_angle_factor(const struct detector_kind *kind, double cos_angle, int group)
{
    return kind->sided ? spectrum_angle_factor(cos_angle, group) : 0.65 + 0.35 * cos_angle;
}
