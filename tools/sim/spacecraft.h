/* A spacecraft of the light-curve sets: its detectors, where they look and what each kind of them counts. */
#ifndef BURST_SIM_SPACECRAFT_H
#define BURST_SIM_SPACECRAFT_H
#include "base/err.h"
#include "sim/geometry.h"
#include <stdbool.h>

enum { SPACECRAFT_DETECTOR_MAX = 32, SPACECRAFT_NAME = 32 };

/* How photons leave their counts in the energy groups. */
enum response { RESPONSE_NAI, RESPONSE_LABR3, RESPONSE_SHIELD, RESPONSE_N };

struct detector_kind {
    const char *word;        /* as geometry files say it */
    enum response response;  /* colours of a burst */
    double area;             /* times the response's own detector */
    double level[SIM_GROUP]; /* quiet counts per 64 ms */
    bool search;             /* whether verdicts are sought from it; the rest only goes into whole spacecraft */
    bool sided;              /* loses counts with the angle from its axis as flat crystals do; else nearly none */
    double dead_s;           /* dead time per count */
    double most_per_s;       /* counts per second its electronics pass, of all groups together */
};

struct spacecraft {
    char name[SPACECRAFT_NAME];
    int n_detector, n_search; /* detectors of the search come first */
    struct {
        char name[8];
        struct direction axis;
        const struct detector_kind *kind;
    } detector[SPACECRAFT_DETECTOR_MAX];
};

/* Kind of a word ("gbm-nai"), or NULL. */
const struct detector_kind *spacecraft_kind(const char *word);

/* Detectors from the text of a geometry file: `detector,azimuth_deg,zenith_deg`, a row per detector. A line `# kind
 * WORD` tells the kind of the rows behind it.
 *
 * Given     name        lower-case letters, digits and hyphens
 *           text [n]    any bytes
 * Returned  ret_craft
 * Errors    BURST_E_FORMAT  a row that is none, an angle out of range, a kind that is none or missing, search detectors
 *           behind
 *                           others or none of them, a line over 255 bytes
 *           BURST_E_LIMIT   more than SPACECRAFT_DETECTOR_MAX rows, or a bad name; ret_craft untouched in every case */
enum burst_err spacecraft_parse(const char *name, const char *text, size_t n, struct spacecraft *ret_craft,
                                struct burst_error *reterr);
/* The same of FOLDER/NAME.csv; BURST_E_IO when it cannot be read, BURST_E_LIMIT over 64 KiB. */
enum burst_err spacecraft_read(const char *folder, const char *name, struct spacecraft *ret_craft,
                               struct burst_error *reterr);

enum { COLOUR_STEPS = 176, COLOUR_PEAKS = 16 };

/* Effective areas of a response at energies even in the logarithm, from 12 keV to 4 MeV, for photons counted per
 * energy. */
struct colour_table {
    double x[COLOUR_STEPS];                 /* E / 100 keV */
    double weight[COLOUR_STEPS][SIM_GROUP]; /* cm2 times the step's width in x */
    double nai[COLOUR_STEPS];               /* the same of a NaI's five atoms together */
};

/* Source  science.md A.5; RESPONSE_SHIELD is BGO: areas as measured, three counts in four in the photon's own group (a
 *         choice) */
void spacecraft_colour_table(enum response response, struct colour_table *ret_table);

/* Counts per second of a detector of the table's response, source on the axis, per count per second in the five atoms
 * of a Fermi/GBM NaI that sees the same photons on its axis. Of SPECTRUM_BAND and SPECTRUM_CUTOFF for COLOUR_PEAKS peak
 * energies from 12 to 8000 keV, even in the logarithm; else the first only.
 * Returned  ret_part [COLOUR_PEAKS][SIM_GROUP] */
void spacecraft_colours(const struct colour_table *table, const struct spectrum *s, float ret_part[][SIM_GROUP]);

/* Part of that left at this angle from the axis, in one group: science.md A.5's laws for flat crystals, 0.3 to 1 for
 * the others. */
double spacecraft_angle_factor(const struct detector_kind *kind, double cos_angle, int group);
#endif
