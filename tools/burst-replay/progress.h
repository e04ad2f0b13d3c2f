/* A bar on a terminal; nothing anywhere else. */
#ifndef BURST_REPLAY_PROGRESS_H
#define BURST_REPLAY_PROGRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    bool terminal;
    int64_t drawn_ns; /* monotonic time of the last drawing */
};

void progress_init(struct progress *p);
/* done of all pieces, up to data time tt_ns; at most ten drawings a second. `what` follows the bar. */
void progress_show(struct progress *p, size_t done, size_t all, int64_t tt_ns, const char *what);
/* Clear the line. */
void progress_end(struct progress *p);
#endif
