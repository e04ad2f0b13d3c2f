/* What the pieces of a simulated day share. For tools/sim/day*.c alone. */
#ifndef BURST_SIM_DAY_INSIDE_H
#define BURST_SIM_DAY_INSIDE_H
#include "sim/days.h"
#include "sim/look_alike.h"
#include "sim/paint.h"

static const double DAY_BIN_S = 0.064, DAY_S = 86400.0, DAY_ORBIT_S = 5700.0;

/* A day being drawn. */
struct day_draft {
    const struct day_settings *set;
    struct day *day;
    struct rng r;
    double level[DAY_DETECTOR_MAX][SIM_ATOM]; /* quiet counts per second */
    struct colour_table *colours;             /* [RESPONSE_N] */
    double orbit_phase;
    struct direction sun;
    float *rate; /* [n_detector][SIM_ATOM][DAY_BIN] counts per second */
};

/* Part of the day that an item touches, with the group outside the atoms: what the painters fill. */
struct day_piece {
    struct sim_grid grid;
    size_t first;                  /* bin of the day */
    float *rate[DAY_DETECTOR_MAX]; /* [SIM_GROUP][n_bin] */
    double *signal, *background;   /* [n_bin] counts in the atoms: work */
};

/* What the k-th detector shown is. */
const struct detector_kind *day_kind(const struct day_draft *d, int k);

/* Set levels and fill `rate` with the quiet background. */
void day_background(struct day_draft *d);

/* The stretch [start, stop) cut to the day, rates zero. BURST_E_NOMEM. A stretch outside the day has no bins and no memory. */
enum burst_err day_piece_new(const struct day_draft *d, double start_s, double stop_s, struct day_piece *ret_piece,
                             struct burst_error *reterr);
void day_piece_free(struct day_piece *p);
/* Expected S/N of detector k's rates over what is in the day so far. */
double day_piece_snr(const struct day_draft *d, const struct day_piece *p, int k);
/* Add the rates times `factor` to the day, none below 0, and note the item: its S/N, peak, onset. */
void day_piece_put(struct day_draft *d, const struct day_piece *p, double factor, struct day_item *item);

/* Draw outages, then everything that happens. */
enum burst_err day_happenings(struct day_draft *d, struct burst_error *reterr);
void day_outages(struct day_draft *d);
#endif
