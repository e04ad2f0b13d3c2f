/* The GPU as the daemon tells of it: log, status, mode. The lanes belong to the work thread (infer/device.h); what the
 * other threads tell comes from its last word in health. */
#ifndef BURST_DAEMON_GPU_H
#define BURST_DAEMON_GPU_H
#include "daemon/pipeline.h"
#include <jansson.h>

enum { GPU_LINE_TEXT = 320 };

/* Work thread: keep the lanes going, log what changed, leave word in health.
 * Given     *told_ns  0 the first time; when word was last left
 * Returned  ms until it wants to be called again, 1..200 */
int gpu_keep(struct pipeline *p, int64_t *told_ns);

/* protocol.md 1: "cuda" while the GPU judges; "degraded" where it should and does not: models.backend is cuda, or it
 * was lost; else "cpu". Any thread. */
const char *gpu_mode(struct pipeline *p);
/* "cuda: NVIDIA H200, fp32", or "cpu: " and why; "cpu" where none is asked for. Any thread. */
void gpu_line(struct pipeline *p, char ret_text[GPU_LINE_TEXT]);
/* Does the GPU answer for this network now? Any thread. */
bool gpu_has(struct pipeline *p, enum device_slot slot);
/* For `burstctl status`; NULL where none is asked for. Any thread. */
json_t *gpu_json(struct pipeline *p);
#endif
