/* What a test may ask of the stand-in device, in its own process. The same from outside, by environment:
 *
 *   BURST_STANDIN_SEED=n        the order of threads, warps and blocks
 *   BURST_STANDIN_NO_DEVICE=1   a machine without a driver: cudaGetDeviceCount answers 35
 *   BURST_STANDIN_MEMORY=bytes  of device memory; 1 GiB unless told
 *   BURST_STANDIN_FAIL=list     see standin_fail
 *   BURST_STANDIN_ONCE=path     the first failure of the list makes that file; while it exists nothing fails: so a process
 *                               that is started again after its failure is well
 *   BURST_STANDIN_COUNT=path    a line `name calls` for each kind of call, always up to date
 *   BURST_STANDIN_LEAKS=1       say at the exit what is left; the exit status is 86 where anything is
 *   BURST_STANDIN_ENGINES=list  how cuDNN's engines behave: none_fused, none, first_refuses, all_refuse;
 *                               cores_wrong: those with tensor cores spoil the last position of each image */
#ifndef BURST_STANDIN_H
#define BURST_STANDIN_H
#include <stdbool.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

/* From now on let calls fail; counting begins anew; NULL or "": none does.
 *
 * Given     list  items with commas between, each [hang:|slow:]KIND:N[=STATUS]. KIND is the name of a function of CUDA's
 *                 runtime or of cuDNN, or kernel:NAME for a run of that kernel; N the call that fails, the first is 1, or
 *                 * for all. STATUS is a number or a name as in NVIDIA's headers; without one a call is answered
 *                 cudaErrorUnknown or CUDNN_STATUS_INTERNAL_ERROR, and a kernel leaves cudaErrorIllegalAddress behind.
 *                 hang: the work that call queues (or the call itself, where it queues none) never ends. slow: it begins
 *                 STATUS milliseconds late.
 * Notes     An item that cannot be read ends the program: a test must not go on with less failing than it thinks. */
void standin_fail(const char *list);

/* Calls of that kind since the start or the last standin_fail; 0 for a kind never called. */
unsigned long standin_calls(const char *kind);

/* How much lives of `what`: "device" or "host" allocations, "registered" host ranges, "streams", "events", "graphs",
 * "execs", "handles" or "descriptors" of cuDNN; NULL: of everything. */
size_t standin_live(const char *what);

/* Begin the order of threads and blocks anew from this seed. */
void standin_seed(unsigned long long seed);

/* No failure any more, no sticky error: as a new process would find the device. Nothing may be under way. */
void standin_heal(void);

#ifdef __cplusplus
}
#endif
#endif
