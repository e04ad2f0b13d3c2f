/* Inside the quarantine: the ring on the disk, pairs of files in one folder (daemon/quarantine.h says which). One thread. */
#ifndef BURST_DAEMON_QUARANTINE_RING_H
#define BURST_DAEMON_QUARANTINE_RING_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_pair {
    uint64_t number;
    int64_t bytes; /* of both files */
    uint8_t sha256[32];
};

struct quarantine_ring {
    int dir; /* -1: closed */
    int64_t bytes_most, bytes;
    size_t room, oldest, n; /* pairs[oldest], then n - 1 after it, round the end */
    struct ring_pair *pairs;
    uint64_t next;    /* number */
    uint64_t removed; /* pairs, by the bounds */
};

/* Take up what lies in the folder. Errors  BURST_E_IO, BURST_E_NOMEM; r is safe for ring_close all the same */
enum burst_err ring_open(struct quarantine_ring *r, const char *folder, int64_t bytes_most, size_t room,
                         struct burst_error *reterr);
void ring_close(struct quarantine_ring *r);
bool ring_has(const struct quarantine_ring *r, const uint8_t sha256[32]);
/* Write the pair with the number r->next, the oldest ones making room.
 * Errors    BURST_E_IO  the disk refused, has too little left, or the pair is larger than the ring; nothing is left of it */
enum burst_err ring_add(struct quarantine_ring *r, const uint8_t sha256[32], const uint8_t *bytes, size_t n,
                        const char *side, struct burst_error *reterr);
void ring_remove_oldest(struct quarantine_ring *r);
#endif
