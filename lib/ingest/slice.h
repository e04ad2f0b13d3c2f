/* A chunk spans any time (protocol.md 4); the rings take a few seconds at once. This cuts a packet into pieces of time. */
#ifndef BURST_INGEST_SLICE_H
#define BURST_INGEST_SLICE_H
#include "base/arena.h"
#include "records/packet.h"

enum { SLICE_GOOD_MAX = 64 }; /* good-time intervals of one detector inside one slice */

/* Put the events of every detector in order of time. Files may step back in time (formats.md 2): such a list is sorted
 * into arena storage, keeping the order of equal times; a sorted one is left where it is.
 * Errors  BURST_E_NOMEM  the arena is full; the packet is then unchanged */
enum burst_err slice_sort(struct event_packet *packet, struct arena *arena, struct burst_error *reterr);

/* Storage for the clipped good time of one slice; reused from slice to slice. */
struct slice_storage {
    struct time_span good[DETECTOR_MAX][SLICE_GOOD_MAX];
};

/* The part of a sorted packet inside [from_ns, to_ns).
 * Returned  ret_part  points into `packet` and `storage`; detectors with neither good time nor events there are left out
 * Errors    BURST_E_LIMIT  more than SLICE_GOOD_MAX intervals of one detector: cut thinner; ret_part is then undefined */
enum burst_err slice_take(const struct event_packet *packet, int64_t from_ns, int64_t to_ns,
                          struct slice_storage *storage, struct event_packet *ret_part, struct burst_error *reterr);

/* Where to cut next: the first of t_ns, t_ns + step_ns, t_ns + 2 step_ns ... whose slice of step_ns holds good time; past the
 * packet's span where none does. Years without data between two intervals cost one step. */
int64_t slice_next(const struct event_packet *packet, int64_t t_ns, int64_t step_ns);
#endif
