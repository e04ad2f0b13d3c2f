/* Explanations and evidence, after the verdict: made a piece at a time while no alert waits, so that explaining one never
 * delays the next. Part of the work thread. */
#ifndef BURST_DAEMON_EXPLAIN_H
#define BURST_DAEMON_EXPLAIN_H
#include "daemon/pipeline.h"

struct explainer;

/* All memory for the explanations that may wait. BURST_E_NOMEM; *ret_x untouched */
enum burst_err explainer_new(struct pipeline *p, struct explainer **ret_x, struct burst_error *reterr);
/* NULL is accepted. What waits is dropped: explainer_step until it is false first. */
void explainer_free(struct explainer *x);

/* Explain a revision later. When as many wait as can, the oldest is finished first.
 * Given     window  lent for the call, copied;  unit  a sub-image's, which goes back to its pool when it is explained, and whose
 *           restart point is given to the store behind its evidence */
void explainer_window(struct explainer *x, const struct verdict *v, const struct lightcurve_window *window);
void explainer_image(struct explainer *x, const struct verdict *v, struct work_unit *unit);
/* True while something waits. */
bool explainer_waits(const struct explainer *x);

/* Do a few milliseconds of work. False: nothing waits. */
bool explainer_step(struct explainer *x);
#endif
