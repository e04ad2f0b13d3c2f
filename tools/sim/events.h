/* Single photons: rates to times and channels. */
#ifndef BURST_SIM_EVENTS_H
#define BURST_SIM_EVENTS_H
#include "base/err.h"
#include "sim/scene.h"
#include <stdint.h>

enum { LADDER_MAX = 448 };

/* Energy bounds of a mission's channels, and how the counts of each group spread over its channels. */
struct ladder {
    size_t n_channel;
    float e_min_kev[LADDER_MAX], e_max_kev[LADDER_MAX]; /* e_min[k] is e_max[k - 1] */
    double cumulative[SIM_GROUP][LADDER_MAX];           /* rising to 1 */
};

/* GECAM: 448 channels, 2.00 to 10053.5 keV, relatively wider below; GBM: 128 channels, 5.3 to 2000 keV;
 * SVOM/GRM: 259, 15 to 5000 keV. A channel
 * belongs to the group that holds its geometric-mean energy; inside a group counts fall as E^-1.5, and nothing is
 * counted below 8 keV.
 * Source  formats.md 2, 3 (ends of the ladders; the steps between are ours) */
void ladder_make(enum sim_mission mission, struct ladder *ret_ladder);

/* Events of one detector, growing. */
struct event_store {
    size_t n_event, room;
    int64_t *t_ns; /* since the scene's start, rising */
    uint16_t *channel;
    uint8_t *gain; /* GECAM: 0 high below 300 keV, 1 low above */
};

/* Draw the events of detector `detector` between start_s and stop_s of a scene: Poisson in time, bin by bin of 8 ms.
 * Given     start_s, stop_s  whole multiples of 8 ms, start < stop
 * Returned  store            replaced; its arrays are made larger as needed and freed with event_store_fini
 * Errors    BURST_E_RANGE, BURST_E_NOMEM; store then holds no events
 * Notes     Depends on (scene's seed, detector, start_s) alone: cuts of a scene are independent draws of the same
 *           rates. */
enum burst_err events_draw(const struct scene *s, const struct ladder *ladder, int detector, double start_s,
                           double stop_s, struct event_store *store, struct burst_error *reterr);
/* Accepts a store that is all zeros. */
void event_store_fini(struct event_store *store);
#endif
