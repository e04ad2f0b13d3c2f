/* What an engine holds, for the files of this folder. */
#ifndef BURST_NET_CUDA_ENGINE_H
#define BURST_NET_CUDA_ENGINE_H
#include "base/clock.h"
#include "net/choices.h"
#include "net/cuda/cuda.h"
#include "net/cuda/status.h"
#include <cuda_runtime_api.h>

enum cuda_memory_kind {
    CUDA_ON_DEVICE, /* cudaMalloc */
    CUDA_ON_HOST,   /* cudaHostAlloc, mapped: kernels see it at `device` */
    CUDA_LENT       /* cudaHostRegister of somebody else's memory */
};

/* A piece of memory that must be given back. */
struct cuda_memory {
    struct cuda_memory *next;
    enum cuda_memory_kind kind;
    void *host, *device; /* host is NULL on the device */
};

struct cuda_engine {
    int device;
    enum cuda_precision precision;
    bool dead;
    int64_t patience_ns;
    int engine_most;
    bool tune;
    void (*progress)(void *context, int done, int all);
    void *context;
    size_t shared_most; /* bytes of shared memory that a block can have */
    cudaStream_t stream;
    cudnnHandle_t cudnn;
    /* Not NULL: a device in words in place of a handle. cuDNN then offers and plans engines for it; nothing can run. */
    cudnnBackendDescriptor_t described;
    cudaEvent_t started, ended; /* around what is timed while compiling */
    struct cuda_device_facts facts;
    struct cuda_memory *memory; /* what fronts took */
    struct choices choices;     /* of cuDNN's engines, by shape */
    char *choices_file;         /* NULL: kept in memory only */
};

/* Memory on a list of the caller's: an engine's, a network's, an entry's. `bytes` > 0.
 * Returned  *ret_device  where kernels see it; *ret_host (may be NULL on the device) where the host does. All zeros
 * Errors    BURST_E_DEVICE, BURST_E_NOMEM; list and outputs untouched */
enum burst_err memory_take(struct cuda_engine *engine, struct cuda_memory **list, enum cuda_memory_kind kind,
                           size_t bytes, void **ret_device, void **ret_host, struct burst_error *reterr);
/* Free one piece by its device address, or all of a list; what is not there is passed over. */
void memory_give_back(struct cuda_memory **list, const void *device);
void memory_give_back_all(struct cuda_memory **list);

/* clock_mono_ns() until which a wait that begins now may take. */
int64_t engine_deadline(const struct cuda_engine *engine);
/* Wait until everything queued on the stream is done, without blocking in the driver.
 * Errors    BURST_E_TIMEOUT (the engine is then dead), BURST_E_DEVICE */
enum burst_err engine_wait(struct cuda_engine *engine, int64_t deadline_ns, struct burst_error *reterr);
/* BURST_E_STATE where the engine is dead. */
enum burst_err engine_alive(const struct cuda_engine *engine, struct burst_error *reterr);
#endif
