/* From a scored sub-image to a verdict, and from later sub-images of the same BURST_ID to its revisions. One thread. */
#ifndef BURST_DECIDE_IMAGE_H
#define BURST_DECIDE_IMAGE_H
#include "decide/book.h"

/* Judge a sub-image.
 *
 * Given     b            of the realm: what has been told of the BURST_ID, by a notice, light curves or an earlier sub-image
 *           settings     low and high are used
 *           score        with its sample and packet
 *           explanation  NULL where none was made
 * Returned  ret_verdict  record 1, or the next record of a BURST_ID seen before; the sub-image that made the last record,
 *                        once more, gives that record once more
 * Errors    BURST_E_LATE       older than what was judged last
 *           BURST_E_CONFLICT   other bytes for what was judged last: a defect or a forgery
 *           BURST_E_DUPLICATE  what was judged last, but a notice has made a record since; nothing changes on these three
 *           BURST_E_RANGE  a setting
 * Source    protocol.md 5 and 6, class table */
enum burst_err image_decide(struct book *b, const struct decide_settings *settings, const struct image_score *score,
                            const struct image_explanation *explanation, struct verdict *ret_verdict,
                            struct burst_error *reterr);

/* A good sub-image that a stage could not judge: `unclear` with the reason INTERNAL, for a person to look at.
 *
 * Given     sample    with its packet
 *           model     that should have answered
 *           why       the failure: its code and sentence are told
 * Returned and Errors as image_decide; p is 0.5, which says nothing, and there is no classification */
enum burst_err image_decide_failed(struct book *b, const struct decide_settings *settings,
                                   const struct image_sample *sample, const struct model_tag *model,
                                   const struct burst_error *why, struct verdict *ret_verdict,
                                   struct burst_error *reterr);
#endif
