#include "net/cuda/engine.h"
#include <cuda_runtime_api.h>
#include <string.h>

bool cuda_is_fatal(int error)
{
    /* What the runtime refuses before it asks the device for anything. */
    switch ((enum cudaError)error) {
    case cudaSuccess:
    case cudaErrorInvalidValue:
    case cudaErrorMemoryAllocation:
    case cudaErrorInsufficientDriver:
    case cudaErrorInvalidDevice:
    case cudaErrorNoDevice:
    case cudaErrorNotReady:
    case cudaErrorHostMemoryAlreadyRegistered:
    case cudaErrorHostMemoryNotRegistered:
    case cudaErrorInvalidConfiguration:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorNotSupported:
    case cudaErrorNotPermitted:
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureImplicit: return false;
    default: return true;
    }
}

bool cudnn_is_fatal(cudnnStatus_t status)
{
    switch (CUDNN_STATUS_CATEGORY((int)status)) {
    case 0:
    case 2000:
    case 3000: return false;
    case 4000: /* a kernel that could not be compiled, memory that was not there */
        return status == CUDNN_STATUS_INTERNAL_ERROR || status == CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE;
    default: return CUDNN_STATUS_CATEGORY((int)status) != 1000;
    }
}

enum burst_err cuda_check(struct cuda_engine *engine, int error, const char *call, struct burst_error *reterr)
{
    if (error == (int)cudaSuccess) return BURST_OK;
    if (engine && cuda_is_fatal(error)) engine->dead = true;
    (void)cudaGetLastError(); /* the runtime repeats an error of a launch to whoever asks next: it was said here */
    return burst_fail(reterr, BURST_E_DEVICE, "%s: %s (%d)", call, cudaGetErrorString((cudaError_t)error), error);
}

enum burst_err cudnn_check(struct cuda_engine *engine, cudnnStatus_t status, const char *call,
                           struct burst_error *reterr)
{
    if (status == CUDNN_STATUS_SUCCESS) return BURST_OK;
    char last[200] = "";
    cudnnGetLastErrorString(last, sizeof last);
    last[sizeof last - 1] = 0;
    if (engine && cudnn_is_fatal(status)) engine->dead = true;
    cudaError_t under = cudaGetLastError();
    if (under == cudaErrorNotReady) under = cudaSuccess; /* an answer of cudaStreamQuery, no error */
    if (engine && cuda_is_fatal((int)under)) engine->dead = true;
    return burst_fail(reterr, BURST_E_DEVICE, "%s: %s (%d)%s%s%s%s", call, cudnnGetErrorString(status), (int)status,
                      last[0] ? ": " : "", last, under != cudaSuccess ? "; CUDA: " : "",
                      under != cudaSuccess ? cudaGetErrorString(under) : "");
}
