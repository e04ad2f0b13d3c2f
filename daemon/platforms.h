/* Where the satellites are, as far as the platform topics say: a history for every mission of every realm. Belongs to
 * the ingest
 * thread; what `burstctl status` shows is a copy in the pipeline.
 *
 * A verdict tells the state its window or sub-image was given (docs/decisions/0005-what-core-depends-on.md). That state
 * depends on the
 * platform messages taken before, so on their order among the events': a gateway sends a platform message no later than
 * the events of
 * that second, lateness keeps a window open 2 s longer, and after a restart the platform topics are read from history
 * before all
 * others. A message that comes later than its window changes nothing that has been told. */
#ifndef BURST_DAEMON_PLATFORMS_H
#define BURST_DAEMON_PLATFORMS_H
#include "daemon/pipeline.h"
#include "prepare/platform.h"
#include <jansson.h>

struct platforms;

/* Errors  BURST_E_NOMEM; *ret_platforms untouched */
enum burst_err platforms_new(struct platforms **ret_platforms, struct burst_error *reterr);
/* NULL is accepted. */
void platforms_free(struct platforms *ps);

/* The state of a mission's satellite at t_ns, TT. */
void platforms_state(const struct platforms *ps, struct source source, int64_t t_ns, struct platform_state *ret_state);
/* The same at the end of a window. */
void platforms_state_of_window(const struct platforms *ps, struct lightcurve_window *w);

/* Copy what is new into the pipeline's status. */
void platforms_tell(struct platforms *ps, struct pipeline *p);
/* What has been told, as {topic: {"state", "time", "age_s", "saa", "attitude", "latitude", ...}}; missions that sent nothing are
 * left out. Any thread. */
json_t *platforms_json(struct pipeline *p);
#endif
