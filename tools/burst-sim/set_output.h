/* Writes a light-curve set: many threads draw, rows come out in order. */
#ifndef BURST_SIM_SET_OUTPUT_H
#define BURST_SIM_SET_OUTPUT_H
#include "sim/skyset.h"

struct set_request {
    uint64_t n, seed;
    int n_thread;
    const char *folder, *mission;
    enum sky_shift shift; /* already in the plan */
    struct sky_plan plan;
};

/* Make folder q->folder and in it atoms.npy, valid.npy, y.npy, meta.csv and set.json.
 * Errors  BURST_E_IO, BURST_E_NOMEM, BURST_E_LIMIT, BURST_E_RANGE; what was written by then stays, set.json does not
 * Notes   The same bytes whatever the number of threads. Shows progress. */
enum burst_err set_write(const struct set_request *q, struct burst_error *reterr);
#endif
