/* The names of the statuses that the stand-in can be told to give. */
#include "tests/standin/fault.h"
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <string.h>

struct named {
    int status;
    const char *name, *text; /* text as CUDA words it; NULL for cuDNN's */
};
#define CUDA(name, text)                                                                                               \
    {                                                                                                                  \
        name, #name, text                                                                                              \
    }
#define CUDNN(name)                                                                                                    \
    {                                                                                                                  \
        name, #name, nullptr                                                                                           \
    }
static const struct named NAMED[] = {
    CUDA(cudaSuccess, "no error"),
    CUDA(cudaErrorInvalidValue, "invalid argument"),
    CUDA(cudaErrorMemoryAllocation, "out of memory"),
    CUDA(cudaErrorInitializationError, "initialization error"),
    CUDA(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    CUDA(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    CUDA(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    CUDA(cudaErrorDevicesUnavailable, "all CUDA-capable devices are busy or unavailable"),
    CUDA(cudaErrorInvalidDeviceFunction, "invalid device function"),
    CUDA(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    CUDA(cudaErrorInvalidDevice, "invalid device ordinal"),
    CUDA(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"),
    CUDA(cudaErrorECCUncorrectable, "uncorrectable ECC error encountered"),
    CUDA(cudaErrorUnsupportedLimit, "limit is not supported on this architecture"),
    CUDA(cudaErrorNvlinkUncorrectable, "uncorrectable NVLink error detected during the execution"),
    CUDA(cudaErrorContained, "Invalid access of peer GPU memory over nvlink or a hardware error"),
    CUDA(cudaErrorOperatingSystem, "OS call failed or operation not supported on this OS"),
    CUDA(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    CUDA(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    CUDA(cudaErrorNotReady, "device not ready"),
    CUDA(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    CUDA(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    CUDA(cudaErrorLaunchTimeout, "the launch timed out and was terminated"),
    CUDA(cudaErrorAssert, "device-side assert triggered"),
    CUDA(cudaErrorHostMemoryAlreadyRegistered, "part or all of the requested memory range is already mapped"),
    CUDA(cudaErrorHostMemoryNotRegistered, "pointer does not correspond to a registered memory region"),
    CUDA(cudaErrorHardwareStackError, "hardware stack error"),
    CUDA(cudaErrorIllegalInstruction, "an illegal instruction was encountered"),
    CUDA(cudaErrorMisalignedAddress, "misaligned address"),
    CUDA(cudaErrorInvalidAddressSpace, "operation not supported on global/shared address space"),
    CUDA(cudaErrorInvalidPc, "invalid program counter"),
    CUDA(cudaErrorLaunchFailure, "unspecified launch failure"),
    CUDA(cudaErrorNotPermitted, "operation not permitted"),
    CUDA(cudaErrorNotSupported, "operation not supported"),
    CUDA(cudaErrorSystemNotReady, "system not yet initialized"),
    CUDA(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    CUDA(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    CUDA(cudaErrorStreamCaptureUnmatched, "capture was not initiated in this stream"),
    CUDA(cudaErrorStreamCaptureImplicit,
         "operation would make the legacy stream depend on a capturing blocking stream"),
    CUDA(cudaErrorStreamCaptureWrongThread, "attempt to terminate a thread-local capture sequence from another thread"),
    CUDA(cudaErrorUnknown, "unknown error"),
    CUDNN(CUDNN_STATUS_NOT_INITIALIZED),
    CUDNN(CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH),
    CUDNN(CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED),
    CUDNN(CUDNN_STATUS_BAD_PARAM),
    CUDNN(CUDNN_STATUS_BAD_PARAM_NULL_POINTER),
    CUDNN(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED),
    CUDNN(CUDNN_STATUS_NOT_SUPPORTED),
    CUDNN(CUDNN_STATUS_INTERNAL_ERROR),
    CUDNN(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED),
    CUDNN(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED),
    CUDNN(CUDNN_STATUS_EXECUTION_FAILED),
    CUDNN(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER),
    CUDNN(CUDNN_STATUS_EXECUTION_FAILED_CUDART),
};

static const struct named *named_of(int status, bool cuda)
{
    for (const struct named &n : NAMED)
        if (n.status == status && (n.text != nullptr) == cuda) return &n;
    return nullptr;
}

bool standin_status_of(const char *name, int *ret_status)
{
    for (const struct named &n : NAMED) {
        if (strcmp(n.name, name)) continue;
        *ret_status = n.status;
        return true;
    }
    return false;
}

extern "C" const char *CUDARTAPI cudaGetErrorName(cudaError_t error)
{
    const struct named *n = named_of(error, true);
    return n ? n->name : "unrecognized error code";
}

extern "C" const char *CUDARTAPI cudaGetErrorString(cudaError_t error)
{
    const struct named *n = named_of(error, true);
    return n ? n->text : "unrecognized error code";
}

extern "C" const char *CUDNNWINAPI cudnnGetErrorString(cudnnStatus_t status)
{
    const struct named *n = named_of(status, false);
    return n ? n->name : status == CUDNN_STATUS_SUCCESS ? "CUDNN_STATUS_SUCCESS" : "CUDNN_STATUS_UNKNOWN";
}
