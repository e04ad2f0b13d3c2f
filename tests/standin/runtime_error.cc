/* Errors of the stand-in's runtime, and the device itself. */
#include "tests/standin/runtime.h"
#include "tests/standin/standin.h"
#include <atomic>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static std::atomic<int> sticky;
static thread_local cudaError_t last;

static bool stays(int error)
{
    static const int ends[] = {cudaErrorECCUncorrectable,    cudaErrorNvlinkUncorrectable, cudaErrorContained,
                               cudaErrorIllegalAddress,      cudaErrorLaunchTimeout,       cudaErrorAssert,
                               cudaErrorHardwareStackError,  cudaErrorIllegalInstruction,  cudaErrorMisalignedAddress,
                               cudaErrorInvalidAddressSpace, cudaErrorInvalidPc,           cudaErrorLaunchFailure};
    for (int e : ends)
        if (e == error) return true;
    return false;
}

cudaError_t standin_sticky(void)
{
    return (cudaError_t)sticky.load();
}

void standin_set_sticky(cudaError_t error)
{
    sticky = error;
}

cudaError_t standin_answer(cudaError_t error)
{
    if (error) last = error;
    return error;
}

static bool no_device(void)
{
    const char *text = getenv("BURST_STANDIN_NO_DEVICE");
    return text && !strcmp(text, "1");
}

cudaError_t standin_begin(const char *name, struct standin_fault *ret_late)
{
    if (no_device()) return cudaErrorInsufficientDriver;
    struct standin_fault fault = standin_called(name);
    if (!ret_late) standin_linger(fault);
    if (fault.how == STANDIN_FAILS) {
        cudaError_t error = fault.status ? (cudaError_t)fault.status : cudaErrorUnknown;
        if (stays(error)) sticky = error;
        return error;
    }
    if (ret_late) *ret_late = fault;
    return standin_sticky();
}

void standin_heal(void)
{
    standin_fail(nullptr);
    sticky = 0;
    last = cudaSuccess;
}

extern "C" {

cudaError_t CUDARTAPI cudaGetLastError(void)
{
    cudaError_t was = last;
    last = cudaSuccess;
    return standin_sticky() ? standin_sticky() : was;
}

cudaError_t CUDARTAPI cudaPeekAtLastError(void)
{
    return standin_sticky() ? standin_sticky() : last;
}

cudaError_t CUDARTAPI cudaGetDeviceCount(int *count)
{
    if (!count) return standin_answer(cudaErrorInvalidValue);
    STANDIN_BEGIN("cudaGetDeviceCount");
    *count = 1;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaSetDevice(int device)
{
    STANDIN_BEGIN("cudaSetDevice");
    return standin_answer(device ? cudaErrorInvalidDevice : cudaSuccess);
}

cudaError_t CUDARTAPI cudaGetDevice(int *device)
{
    STANDIN_BEGIN("cudaGetDevice");
    if (!device) return standin_answer(cudaErrorInvalidValue);
    *device = 0;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaDriverGetVersion(int *version)
{
    if (!version) return standin_answer(cudaErrorInvalidValue);
    if (no_device()) { /* without a driver its version is 0, and that is no error */
        *version = 0;
        return cudaSuccess;
    }
    STANDIN_BEGIN("cudaDriverGetVersion");
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaRuntimeGetVersion(int *version)
{
    if (!version) return standin_answer(cudaErrorInvalidValue);
    struct standin_fault fault = standin_called("cudaRuntimeGetVersion");
    if (fault.how == STANDIN_FAILS) return standin_answer(fault.status ? (cudaError_t)fault.status : cudaErrorUnknown);
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device)
{
    STANDIN_BEGIN("cudaGetDeviceProperties");
    if (!prop) return standin_answer(cudaErrorInvalidValue);
    if (device) return standin_answer(cudaErrorInvalidDevice);
    memset(prop, 0, sizeof *prop);
    (void)snprintf(prop->name, sizeof prop->name, "stand-in device");
    prop->major = 9;
    prop->totalGlobalMem = (size_t)1 << 30;
    prop->sharedMemPerBlock = 48 << 10;
    prop->sharedMemPerBlockOptin = 227 << 10;
    prop->sharedMemPerMultiprocessor = 228 << 10;
    prop->regsPerBlock = prop->regsPerMultiprocessor = 65536;
    prop->warpSize = 32;
    prop->maxThreadsPerBlock = 1024;
    prop->maxThreadsPerMultiProcessor = 2048;
    prop->maxThreadsDim[0] = prop->maxThreadsDim[1] = 1024;
    prop->maxThreadsDim[2] = 64;
    prop->maxGridSize[0] = 2147483647;
    prop->maxGridSize[1] = prop->maxGridSize[2] = 65535;
    prop->multiProcessorCount = 4;
    prop->l2CacheSize = 1 << 20;
    prop->canMapHostMemory = prop->unifiedAddressing = prop->concurrentKernels = 1;
    prop->hostRegisterSupported = prop->canUseHostPointerForRegisteredMem = 1;
    prop->streamPrioritiesSupported = 1;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    STANDIN_BEGIN("cudaDeviceGetAttribute");
    struct cudaDeviceProp prop;
    if (!value) return standin_answer(cudaErrorInvalidValue);
    cudaError_t error = cudaGetDeviceProperties(&prop, device);
    if (error) return error;
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = prop.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = prop.minor; break;
    case cudaDevAttrMultiProcessorCount: *value = prop.multiProcessorCount; break;
    case cudaDevAttrWarpSize: *value = prop.warpSize; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = prop.maxThreadsPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = (int)prop.sharedMemPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = (int)prop.sharedMemPerBlockOptin; break;
    case cudaDevAttrL2CacheSize: *value = prop.l2CacheSize; break;
    case cudaDevAttrCanMapHostMemory: *value = prop.canMapHostMemory; break;
    case cudaDevAttrCanUseHostPointerForRegisteredMem: *value = prop.canUseHostPointerForRegisteredMem; break;
    case cudaDevAttrClockRate:
    case cudaDevAttrMemoryClockRate: *value = 1000000; break;
    default: return standin_answer(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaDeviceGetPCIBusId(char *text, int size, int device)
{
    STANDIN_BEGIN("cudaDeviceGetPCIBusId");
    if (!text || size < 13) return standin_answer(cudaErrorInvalidValue);
    if (device) return standin_answer(cudaErrorInvalidDevice);
    (void)snprintf(text, (size_t)size, "0000:00:00.0");
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaDeviceSetLimit(enum cudaLimit limit, size_t)
{
    STANDIN_BEGIN("cudaDeviceSetLimit");
    return standin_answer((unsigned)limit > cudaLimitPersistingL2CacheSize ? cudaErrorUnsupportedLimit : cudaSuccess);
}

cudaError_t CUDARTAPI cudaSetDeviceFlags(unsigned flags)
{
    STANDIN_BEGIN("cudaSetDeviceFlags");
    return standin_answer(flags & ~(unsigned)cudaDeviceMask ? cudaErrorInvalidValue : cudaSuccess);
}

cudaError_t CUDARTAPI cudaDeviceSynchronize(void)
{
    STANDIN_BEGIN("cudaDeviceSynchronize");
    cudaError_t error = standin_unsafe();
    if (error) return standin_answer(error);
    standin_wait_all();
    return standin_answer(standin_sticky());
}
}
