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

/* A good sub-image that a stage could not judge: `unclear` with the reason INTERNAL, for a person to look at.
 *
 * Given     sample    with its packet
 *           model     that should have answered
 *           why       the failure: its code and sentence are told
 * Returned and Errors as image_decide; p is 0.5, which says nothing, and there is no classification */
enum burst_err image_decide_failed(struct image_tracker *t, const struct decide_settings *settings,
                                   const struct image_sample *sample, const struct model_tag *model,
                                   const struct burst_error *why, struct verdict *ret_verdict,
                                   struct burst_error *reterr);
#endif
