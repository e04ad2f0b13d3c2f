/* What the stand-in's runtime promises: as strict as CUDA's, as asynchronous, and failing when it is told to. */
#include "check.h"
#include "kernels/cuda.h"
#include "tests/standin/standin.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct scaling {
    const float *from;
    float *to, by;
};

static __global__ void scale(struct scaling job)
{
    job.to[threadIdx.x] = job.from[threadIdx.x] * job.by;
}

static __global__ void raise_flag(uint32_t *flag, uint32_t value)
{
    cuda_store_release(flag, value);
}

static float *floats(int n, float value)
{
    void *at = nullptr;
    float one[16];
    for (int i = 0; i < n; i++)
        one[i] = value;
    CHECK_INT(cudaMalloc(&at, sizeof one), cudaSuccess);
    CHECK_INT(cudaMemcpy(at, one, (size_t)n * sizeof(float), cudaMemcpyHostToDevice), cudaSuccess);
    return static_cast<float *>(at);
}

static float first_of(const float *at)
{
    float value = 0;
    CHECK_INT(cudaMemcpy(&value, at, sizeof value, cudaMemcpyDeviceToHost), cudaSuccess);
    return value;
}

static cudaStream_t stream(void)
{
    cudaStream_t s = nullptr;
    CHECK_INT(cudaStreamCreateWithPriority(&s, cudaStreamNonBlocking, -5), cudaSuccess);
    return s;
}

TEST(a_graph_keeps_the_arguments_of_its_capture)
{
    cudaStream_t s = stream();
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    float *from = floats(16, 1), *to = floats(16, 0);
    struct scaling job = {from, to, 3};
    CHECK_INT(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    CHECK_INT(cuda_launch(scale, 1, 16, 0, s, job), cudaSuccess);
    CHECK_INT(cudaStreamEndCapture(s, &graph), cudaSuccess);
    CHECK_INT(cudaStreamSynchronize(s), cudaSuccess);
    CHECK_NEAR(first_of(to), 0, 0); /* captured, not run */
    CHECK_INT(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    CHECK_INT(cudaGraphDestroy(graph), cudaSuccess);
    job.by = 1000;
    float seven = 7; /* memory is read when the graph runs */
    CHECK_INT(cudaMemcpy(from, &seven, sizeof seven, cudaMemcpyHostToDevice), cudaSuccess);
    CHECK_INT(cudaGraphLaunch(exec, s), cudaSuccess);
    CHECK_INT(cudaStreamSynchronize(s), cudaSuccess);
    CHECK_NEAR(first_of(to), 21, 0);
    CHECK_INT(cudaGraphExecDestroy(exec), cudaSuccess);
    CHECK_INT(cudaFree(from) | cudaFree(to) | cudaStreamDestroy(s), cudaSuccess);
}

TEST(what_cannot_be_captured_spoils_the_capture)
{
    cudaStream_t s = stream();
    cudaGraph_t graph = nullptr;
    void *at = nullptr;
    CHECK_INT(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    CHECK_INT(cudaMalloc(&at, 16), cudaErrorStreamCaptureUnsupported);
    CHECK_INT(cudaStreamEndCapture(s, &graph), cudaErrorStreamCaptureInvalidated);
    CHECK_INT(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed), cudaSuccess);
    CHECK_INT(cudaStreamQuery(s), cudaErrorStreamCaptureUnsupported);
    CHECK_INT(cudaStreamEndCapture(s, &graph), cudaErrorStreamCaptureInvalidated);
    CHECK_INT(cudaStreamEndCapture(s, &graph), cudaErrorIllegalState);
    CHECK(!graph);
    (void)cudaGetLastError();
    CHECK_INT(cudaStreamDestroy(s), cudaSuccess);
}

static void nap(void)
{
    struct timespec t = {0, 100000};
    (void)nanosleep(&t, nullptr);
}

TEST(work_is_done_behind_the_callers_back)
{
    cudaStream_t s = stream();
    void *at = nullptr;
    CHECK_INT(cudaHostAlloc(&at, 64, cudaHostAllocMapped), cudaSuccess);
    uint32_t *flag = static_cast<uint32_t *>(at);
    __atomic_store_n(flag, 0, __ATOMIC_RELAXED);
    standin_fail("slow:cudaLaunchKernel:1=50");
    CHECK_INT(cuda_launch(raise_flag, 1, 1, 0, s, flag, 41u), cudaSuccess);
    CHECK_INT(cudaStreamQuery(s), cudaErrorNotReady);
    while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) != 41)
        nap();
    CHECK_INT(cudaStreamSynchronize(s), cudaSuccess);
    CHECK_INT(cudaStreamQuery(s), cudaSuccess);
    CHECK_INT(cudaGetLastError(), cudaErrorNotReady); /* that, too, is remembered */
    CHECK_INT(cudaGetLastError(), cudaSuccess);
    standin_fail(nullptr);
    CHECK_INT(cudaFreeHost(at) | cudaStreamDestroy(s), cudaSuccess);
}

TEST(arguments_that_cuda_refuses_are_refused)
{
    void *at = nullptr, *host = malloc(64);
    CHECK_INT(cudaMalloc(&at, (size_t)1 << 50), cudaErrorMemoryAllocation);
    CHECK_INT(cudaMalloc(&at, 64), cudaSuccess);
    CHECK_INT(cudaMemcpy(at, host, 65, cudaMemcpyHostToDevice), cudaErrorInvalidValue); /* longer than it is */
    CHECK_INT(cudaMemcpy(at, host, 64, cudaMemcpyDeviceToHost), cudaErrorInvalidValue); /* the wrong way round */
    CHECK_INT(cudaMemset(host, 0, 64), cudaErrorInvalidValue);
    CHECK_INT(cudaHostUnregister(host), cudaErrorHostMemoryNotRegistered);
    CHECK_INT(cudaHostRegister(host, 64, cudaHostRegisterMapped), cudaSuccess);
    CHECK_INT(cudaHostRegister(host, 1, cudaHostRegisterMapped), cudaErrorHostMemoryAlreadyRegistered);
    CHECK_INT(cudaHostUnregister(host), cudaSuccess);
    CHECK_INT(cudaFree(static_cast<char *>(at) + 16), cudaErrorInvalidValue);
    CHECK_INT(cudaFree(at), cudaSuccess);
    CHECK_INT(cudaFree(at), cudaErrorInvalidValue); /* twice */
    CHECK_INT(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(0x1234)), cudaErrorInvalidResourceHandle);
    CHECK_INT(cudaSetDevice(1), cudaErrorInvalidDevice);
    CHECK_INT(cuda_launch(raise_flag, 0, 1, 0, nullptr, nullptr, 1u), cudaErrorInvalidConfiguration);
    CHECK_INT(cuda_launch(raise_flag, 1, 1025, 0, nullptr, nullptr, 1u), cudaErrorInvalidConfiguration);
    CHECK_INT(cuda_launch(raise_flag, 1, 1, 49 << 10, nullptr, nullptr, 1u), cudaErrorInvalidValue);
    CHECK_STR(cudaGetErrorString(cudaGetLastError()), "invalid argument");
    free(host);
}

TEST(the_nth_call_fails_and_no_other)
{
    void *at[3] = {};
    standin_fail("cudaMalloc:2=2,cudaStreamCreateWithPriority:1");
    CHECK_INT(cudaMalloc(&at[0], 16), cudaSuccess);
    CHECK_INT(cudaMalloc(&at[1], 16), cudaErrorMemoryAllocation);
    CHECK_INT(cudaMalloc(&at[2], 16), cudaSuccess);
    cudaStream_t s = nullptr;
    CHECK_INT(cudaStreamCreateWithPriority(&s, 0, 0), cudaErrorUnknown);
    CHECK_INT(standin_calls("cudaMalloc"), 3);
    CHECK(!at[1] && !s);
    standin_fail("cudaMalloc:*=cudaErrorNotPermitted");
    CHECK_INT(cudaMalloc(&at[1], 16), cudaErrorNotPermitted);
    CHECK_INT(cudaMalloc(&at[1], 16), cudaErrorNotPermitted);
    standin_heal();
    CHECK_INT(cudaFree(at[0]) | cudaFree(at[2]), cudaSuccess);
}

TEST(after_a_failed_kernel_every_call_fails)
{
    float *at = floats(16, 2);
    standin_fail("kernel:scale:2");
    for (int i = 0; i < 2; i++)
        CHECK_INT(cuda_launch(scale, 1, 16, 0, nullptr, (struct scaling){at, at, 5}), cudaSuccess);
    CHECK_INT(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
    float value;
    CHECK_INT(cudaMemcpy(&value, at, sizeof value, cudaMemcpyDeviceToHost), cudaErrorIllegalAddress);
    CHECK_INT(cudaGetLastError(), cudaErrorIllegalAddress);
    CHECK_INT(cudaGetLastError(), cudaErrorIllegalAddress);
    CHECK_INT(cudaFree(at), cudaErrorIllegalAddress);
    standin_heal();
    CHECK_NEAR(first_of(at), 10, 0); /* the first had run */
    CHECK_INT(cudaFree(at), cudaSuccess);
}

/* How a process ends that touches the device's memory; before any thread of a stream is made. */
TEST(the_host_cannot_touch_the_devices_memory)
{
    pid_t child = fork();
    if (!child) {
        void *at = nullptr;
        (void)signal(SIGSEGV, SIG_DFL);
        (void)close(2);
        if (cudaMalloc(&at, 64)) _exit(1);
        _exit(*static_cast<volatile int *>(at) == 0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(hanging_work_hangs_and_what_comes_after_it_waits)
{
    pid_t child = fork();
    if (!child) {
        standin_fail("hang:cudaMemsetAsync:1");
        cudaStream_t s = nullptr;
        void *at = nullptr;
        bool queued = !cudaStreamCreateWithPriority(&s, cudaStreamNonBlocking, 0) && !cudaMalloc(&at, 64) &&
                      !cudaMemsetAsync(at, 0, 64, s) && !cudaMemsetAsync(at, 0, 64, s);
        for (int i = 0; i < 100; i++)
            nap();
        _exit(queued && cudaStreamQuery(s) == cudaErrorNotReady ? 7 : 1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(without_a_driver_there_is_no_device)
{
    int n = 5, driver = 5;
    void *at = nullptr;
    CHECK(!setenv("BURST_STANDIN_NO_DEVICE", "1", 1));
    CHECK_INT(cudaGetDeviceCount(&n), cudaErrorInsufficientDriver);
    CHECK_INT(cudaMalloc(&at, 1), cudaErrorInsufficientDriver);
    CHECK_INT(cudaDriverGetVersion(&driver), cudaSuccess);
    CHECK_INT(driver, 0);
    CHECK_INT(n, 5);
    CHECK(!unsetenv("BURST_STANDIN_NO_DEVICE"));
    CHECK_INT(cudaGetDeviceCount(&n), cudaSuccess);
    CHECK_INT(n, 1);
    (void)cudaGetLastError();
}

TEST(what_is_not_given_back_is_counted)
{
    void *device = nullptr, *host = nullptr;
    cudaStream_t s = stream();
    CHECK_INT(cudaMalloc(&device, 1) | cudaHostAlloc(&host, 1, 0), cudaSuccess);
    CHECK_INT(standin_live("device"), 1);
    CHECK_INT(standin_live("host"), 1);
    CHECK_INT(standin_live("streams"), 1);
    CHECK_INT(standin_live(nullptr), 3);
    CHECK_INT(cudaFree(device) | cudaFreeHost(host) | cudaStreamDestroy(s), cudaSuccess);
    CHECK_INT(standin_live(nullptr), 0);
}

TEST(events_order_streams_and_measure)
{
    cudaStream_t a = stream(), b = stream();
    cudaEvent_t begin = nullptr, end = nullptr;
    float *from = floats(16, 1), *to = floats(16, 0), ms = -1;
    CHECK_INT(cudaEventCreate(&begin) | cudaEventCreate(&end), cudaSuccess);
    standin_fail("slow:cudaLaunchKernel:1=30");
    CHECK_INT(cudaEventRecord(begin, a), cudaSuccess);
    CHECK_INT(cuda_launch(scale, 1, 16, 0, a, (struct scaling){from, from, 4}), cudaSuccess);
    CHECK_INT(cudaEventRecord(end, a), cudaSuccess);
    CHECK_INT(cudaStreamWaitEvent(b, end, 0), cudaSuccess);
    CHECK_INT(cuda_launch(scale, 1, 16, 0, b, (struct scaling){from, to, 4}), cudaSuccess);
    CHECK_INT(cudaStreamSynchronize(b), cudaSuccess);
    CHECK_NEAR(first_of(to), 16, 0);
    CHECK_INT(cudaEventElapsedTime(&ms, begin, end), cudaSuccess);
    CHECK(ms >= 30);
    standin_fail(nullptr);
    CHECK_INT(cudaEventDestroy(begin) | cudaEventDestroy(end) | cudaFree(from) | cudaFree(to), cudaSuccess);
    CHECK_INT(cudaStreamDestroy(a) | cudaStreamDestroy(b), cudaSuccess);
}

int main(void)
{
    RUN(the_host_cannot_touch_the_devices_memory);
    RUN(hanging_work_hangs_and_what_comes_after_it_waits);
    RUN(a_graph_keeps_the_arguments_of_its_capture);
    RUN(what_cannot_be_captured_spoils_the_capture);
    RUN(work_is_done_behind_the_callers_back);
    RUN(arguments_that_cuda_refuses_are_refused);
    RUN(the_nth_call_fails_and_no_other);
    RUN(after_a_failed_kernel_every_call_fails);
    RUN(without_a_driver_there_is_no_device);
    RUN(events_order_streams_and_measure);
    RUN(what_is_not_given_back_is_counted);
    return check_report();
}
