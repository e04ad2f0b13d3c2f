/* A stretch of sky time: what happens when, and how brightly each detector sees it. */
#ifndef BURST_SIM_SCENE_H
#define BURST_SIM_SCENE_H
#include "base/err.h"
#include "sim/geometry.h"
#include "sim/transient.h"

enum scene_kind { SCENE_BURST, SCENE_HUMP, SCENE_QUIET, SCENE_NIGHT, SCENE_KIND_N };
enum { SCENE_DETECTOR_MAX = 25, SCENE_ITEM_MAX = 512, SCENE_OUTAGE_MAX = 64 };

/* Seconds of the scene, [start, stop). */
struct scene_outage {
    double start_s, stop_s;
};

/* One happening. A burst where `burst` is not NULL, else the transient. */
struct scene_item {
    struct burst *burst; /* owned by the scene */
    struct transient transient;
    double start_s, stop_s;                     /* where it is seen, seconds of the scene */
    double snr;                                 /* expected, in the detector that sees it best */
    struct direction from;                      /* of bursts and flares */
    double gain[SCENE_DETECTOR_MAX][SIM_GROUP]; /* counts per second for a height of 1 */
    uint64_t flicker_stream;                    /* one path for all detectors */
};

struct scene {
    enum sim_mission mission;
    uint64_t seed;
    double duration_s, orbit_phase;
    int n_detector, n_item;
    struct background background[SCENE_DETECTOR_MAX];
    struct scene_item item[SCENE_ITEM_MAX];
    int n_outage; /* the detectors are off: no good time; rising */
    struct scene_outage outage[SCENE_OUTAGE_MAX];
};

/* Draw a scene: SCENE_BURST has one burst, SCENE_HUMP one particle hump that all detectors see alike, both near the
 * middle; SCENE_NIGHT something every 240 s or so; SCENE_QUIET nothing.
 * Given     duration_s  60 or more; snr: of the burst in its best detector, > 0, or 0: by chance, 8 to 150
 * Returned  *ret_scene  freed with scene_free
 * Errors    BURST_E_RANGE, BURST_E_NOMEM; *ret_scene untouched */
enum burst_err scene_new(enum sim_mission mission, enum scene_kind kind, uint64_t seed, double duration_s, double snr,
                         struct scene **ret_scene, struct burst_error *reterr);
/* Draw up to a week in orbit: bursts, humps, flares and spikes every `every_s` on average, and on seven orbits of
 * fifteen an outage of up to 22 minutes in the South Atlantic Anomaly, rates rising before it and falling after it.
 * Given     rest        factor on the counts outside the five atoms; `rate`: factor on all background. S/N and humps
 *                       are drawn over the background that comes of them
 *           duration_s  60 to 604800; every_s: 120 or more
 * Errors    BURST_E_RANGE, BURST_E_NOMEM; *ret_scene untouched
 * Notes     Nothing but outages' own edges stands within two minutes of an outage. */
enum burst_err scene_new_orbit(enum sim_mission mission, uint64_t seed, double duration_s, double every_s, double rate,
                               double rest, struct scene **ret_scene, struct burst_error *reterr);
/* NULL is accepted. */
void scene_free(struct scene *s);

/* Word for tables: "burst" or transient_name. */
const char *scene_item_name(const struct scene_item *item);

/* Expected counts per second of one detector.
 * Returned  rate [SIM_GROUP][grid->n_bin]; two grids of equal bins agree where they
 *           overlap, but for the flicker on humps */
void scene_rates(const struct scene *s, int detector, const struct sim_grid *grid, double *rate);
#endif
