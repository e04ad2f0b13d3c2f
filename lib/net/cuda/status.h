/* status: every answer of CUDA and cuDNN gets a name, and the engine remembers whether it is past help. */
#ifndef BURST_NET_CUDA_STATUS_H
#define BURST_NET_CUDA_STATUS_H
#include "base/err.h"
#include <cudnn_graph.h>
#include <stdbool.h>

struct cuda_engine;

/* Is the process done with the device after this cudaError_t? All but a short list of refusals that leave the device as it
 * was: memory, arguments, what is not ready or not there.
 * Source    CUDA runtime API, "Error handling": errors after which "the process must be terminated and relaunched" */
bool cuda_is_fatal(int error);
/* The same for a status of cuDNN: execution failures and internal errors of no known cause are. */
bool cudnn_is_fatal(cudnnStatus_t status);

/* BURST_E_DEVICE "CALL: an illegal memory access was encountered (700)" where status is not success; a fatal one marks the
 * engine (which may be NULL). cudnn_check adds the library's own last sentence, and looks whether CUDA itself has failed. */
enum burst_err cudnn_check(struct cuda_engine *engine, cudnnStatus_t status, const char *call,
                           struct burst_error *reterr);

/* `call(...)` checked under its own name, for use inside functions that have `engine` and `reterr`. */
#define CUDA_TRY(call, ...)  cuda_check(engine, (int)call(__VA_ARGS__), #call, reterr)
#define CUDNN_TRY(call, ...) cudnn_check(engine, call(__VA_ARGS__), #call, reterr)
#endif
