/* From a scored sub-image to a verdict, and from later sub-images of the same BURST_ID to its revisions. One per realm, one
 * thread. Memory is bounded: the alerts seen longest ago are forgotten. */
#ifndef BURST_DECIDE_IMAGE_H
#define BURST_DECIDE_IMAGE_H
#include "decide/settings.h"

enum { IMAGE_EVENTS_MAX = 256 };

/* One alert remembered. Plain data. */
struct image_event {
    char burst_id[BURST_ID_TEXT];
    int record_number, rank;   /* rank: what revises what (ALERTCNT, then VHF before XBAND) */
    bool said_true, retracted; /* a record said true; a later one took it back */
    int64_t trigger_ns;        /* frozen at record 1 */
    uint64_t used;             /* order of last use */
};

/* Also the state for a restart: copy it, keep it. All zeros is a tracker that has seen nothing. */
struct image_tracker {
    uint64_t n_used;
    struct image_event event[IMAGE_EVENTS_MAX]; /* record_number 0: free */
};

/* Judge a sub-image.
 *
 * Given     settings     low and high are used
 *           score        with its sample and packet
 *           explanation  NULL where none was made
 * Returned  ret_verdict  record 1, or the next record of a BURST_ID seen before
 * Errors    BURST_E_LATE   no newer than what was judged last: an older alert count, or the same one again; nothing changes
 *           BURST_E_RANGE  a setting
 * Source    protocol.md 5 and 6, class table */
enum burst_err image_decide(struct image_tracker *t, const struct decide_settings *settings,
                            const struct image_score *score, const struct image_explanation *explanation,
                            struct verdict *ret_verdict, struct burst_error *reterr);
#endif
