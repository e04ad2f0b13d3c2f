/* front: what fills a network's first tensor on the GPU from a lane's shared memory: windows cut out of rings, or a sub-image and
 * what is left of it. The kernels read the job where the client wrote it, and keep to their limits whatever is written there. */
#ifndef BURST_DAEMON_CUDA_FRONT_H
#define BURST_DAEMON_CUDA_FRONT_H
#include "kernels/image_pack_cuda.h"
#include "kernels/ring_cuda.h"
#include "net/cuda/cuda.h"
#include "net/worker_wire.h"

/* Rings on the device, and the two kernels' arguments. Must stay where it is while an entry made with it lives. */
struct front_window {
    struct ring_update_job update;
    struct ring_window_job window;
};

/* Take rings for the bands of `load`.
 * Given     input  where the device sees the lane's input area
 * Errors    BURST_E_DEVICE, BURST_E_NOMEM; *ret untouched */
enum burst_err front_window_init(struct cuda_engine *engine, const struct wire_load *load, const void *input,
                                 struct front_window *ret, struct burst_error *reterr);
void front_window_fini(struct cuda_engine *engine, struct front_window *f);
/* A cuda_front's `queue`; context is a struct front_window. BURST_E_SHAPE where the network takes something else. */
enum burst_err front_window_queue(void *context, const struct cuda_tensor *to, int n, void *stream,
                                  struct burst_error *reterr);
/* Check the job in an input area before it is run with n samples: BURST_E_RANGE. */
enum burst_err front_window_check(const struct front_window *f, const struct wire_window *input, uint64_t n,
                                  struct burst_error *reterr);

struct front_image {
    struct image_pack_job job;
};
void front_image_init(const struct wire_load *load, const void *input, struct front_image *ret);
/* A cuda_front's `queue`; context is a struct front_image. */
enum burst_err front_image_queue(void *context, const struct cuda_tensor *to, int n, void *stream,
                                 struct burst_error *reterr);
enum burst_err front_image_check(const struct wire_image *input, uint64_t n, struct burst_error *reterr);
#endif
