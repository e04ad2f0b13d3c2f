/* What compiling and running share of an entry; the rest is in cuda.h. */
#ifndef BURST_NET_CUDA_ENTRY_H
#define BURST_NET_CUDA_ENTRY_H
#include "net/cuda/code.h"

/* As cuda_entry_new; without front and cam also for networks of several inputs and outputs. */
enum burst_err entry_make(struct cuda_code *c, const struct cuda_front *front, int cam_class, struct cuda_entry **ret,
                          struct burst_error *reterr);
/* Launch for n samples (1..batch), and wait until the results are there. Errors as cuda_entry_run. */
enum burst_err entry_launch(struct cuda_entry *e, int n, int64_t deadline_ns, struct burst_error *reterr);
#endif
