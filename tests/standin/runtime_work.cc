/* What streams are given to do: copies, fills, kernels, functions of the host, and graphs of these. */
#include "tests/standin/device.h"
#include "tests/standin/execute.h"
#include "tests/standin/runtime.h"
#include <map>
#include <set>
#include <string.h>
#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

struct CUgraph_st {
    std::vector<standin_work> work;
};

struct CUgraphExec_st {
    std::shared_ptr<const std::vector<standin_work>> work; /* shared with launches under way */
};

/* Made before main and never freed: the threads of streams outlive it. */
struct graph_table {
    std::mutex lock;
    std::set<cudaGraph_t> graphs;
    std::set<cudaGraphExec_t> execs;
    std::map<const void *, int> shared; /* dynamic shared memory that a kernel was allowed */
};
static struct graph_table &tables = *new struct graph_table();

/* Each way of copying, with where both ends must lie; the direction asked for is checked, not trusted. */
static bool direction_is(enum cudaMemcpyKind kind, enum standin_where to, enum standin_where from)
{
    bool to_device = to == STANDIN_DEVICE, from_device = from == STANDIN_DEVICE;
    switch (kind) {
    case cudaMemcpyHostToHost: return !to_device && !from_device;
    case cudaMemcpyHostToDevice: return to_device && !from_device;
    case cudaMemcpyDeviceToHost: return !to_device && from_device;
    case cudaMemcpyDeviceToDevice: return to_device && from_device;
    case cudaMemcpyDefault: return true;
    }
    return false;
}

struct copy_work {
    void *to;
    const void *from;
    size_t size;
    enum standin_where to_where, from_where;
};

static cudaError_t check_copy(struct copy_work *c, enum cudaMemcpyKind kind)
{
    if ((unsigned)kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
    if (!c->size) return cudaSuccess;
    c->to_where = standin_where(c->to, c->size), c->from_where = standin_where(c->from, c->size);
    bool outside = c->to_where == STANDIN_OUTSIDE || c->from_where == STANDIN_OUTSIDE;
    return !c->to || !c->from || outside || !direction_is(kind, c->to_where, c->from_where) ? cudaErrorInvalidValue
                                                                                            : cudaSuccess;
}

static bool is_capturing(const standin_stream &s)
{
    std::lock_guard<std::mutex> hold(s->lock);
    return s->capture != nullptr;
}

/* What is pageable is read before the call returns, and written before it returns. */
static cudaError_t queue_copy(const standin_stream &s, struct standin_fault late, const struct copy_work &c)
{
    if (!c.size) return cudaSuccess;
    bool now = !is_capturing(s);
    if (now && c.from_where == STANDIN_PAGEABLE) {
        const unsigned char *from = static_cast<const unsigned char *>(c.from);
        auto kept = std::make_shared<std::vector<unsigned char>>(from, from + c.size);
        return standin_queue(s, late, [c, kept] { memcpy(c.to, kept->data(), c.size); });
    }
    cudaError_t error = standin_queue(s, late, [c] { memmove(c.to, c.from, c.size); });
    if (!error && now && c.to_where == STANDIN_PAGEABLE) standin_wait(s);
    return error;
}

static cudaError_t check_fill(void *at, size_t size)
{
    if (!size) return cudaSuccess;
    enum standin_where where = standin_where(at, size);
    return where == STANDIN_DEVICE || where == STANDIN_PINNED ? cudaSuccess : cudaErrorInvalidValue;
}

static cudaError_t check_launch(const struct standin_kernel *k)
{
    size_t n_thread = (size_t)k->block.x * k->block.y * k->block.z;
    if (!n_thread || n_thread > 1024 || k->block.z > 64) return cudaErrorInvalidConfiguration;
    if (!k->grid.x || !k->grid.y || !k->grid.z || k->grid.x > 2147483647u) return cudaErrorInvalidConfiguration;
    if (k->grid.y > 65535 || k->grid.z > 65535) return cudaErrorInvalidConfiguration;
    std::lock_guard<std::mutex> hold(tables.lock);
    auto it = tables.shared.find(k->function);
    size_t allowed = it == tables.shared.end() ? (size_t)48 << 10 : (size_t)it->second;
    return k->shared_bytes > allowed || k->argument_bytes > 4096 ? cudaErrorInvalidValue : cudaSuccess;
}

static void run_kernel(const struct standin_kernel &k)
{
    struct standin_fault fault = standin_called("kernel:" + standin_kernel_name(&k));
    standin_linger(fault);
    if (fault.how == STANDIN_FAILS)
        standin_set_sticky(fault.status ? (cudaError_t)fault.status : cudaErrorIllegalAddress);
    else if (!standin_sticky())
        standin_execute(&k);
}

int standin_launch(const struct standin_kernel *kernel, void *stream)
{
    STANDIN_BEGIN_WORK("cudaLaunchKernel", late);
    standin_stream s = standin_stream_of(static_cast<cudaStream_t>(stream));
    if (!s) return standin_answer(cudaErrorInvalidResourceHandle);
    cudaError_t error = check_launch(kernel);
    struct standin_kernel copy = *kernel;
    return standin_answer(error ? error : standin_queue(s, late, [copy] { run_kernel(copy); }));
}

static void run_all(const std::vector<standin_work> &work)
{
    for (const standin_work &one : work)
        if (!standin_sticky()) one();
}

#define STREAM(s, handle)                                                                                              \
    standin_stream s = standin_stream_of(handle);                                                                      \
    if (!s) return standin_answer(cudaErrorInvalidResourceHandle)

extern "C" {

cudaError_t CUDARTAPI cudaMemcpyAsync(void *to, const void *from, size_t size, enum cudaMemcpyKind kind,
                                      cudaStream_t handle)
{
    STANDIN_BEGIN_WORK("cudaMemcpyAsync", late);
    STREAM(s, handle);
    struct copy_work c = {to, from, size, STANDIN_PAGEABLE, STANDIN_PAGEABLE};
    cudaError_t error = check_copy(&c, kind);
    return standin_answer(error ? error : queue_copy(s, late, c));
}

cudaError_t CUDARTAPI cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind)
{
    STANDIN_BEGIN_WORK("cudaMemcpy", late);
    struct copy_work c = {to, from, size, STANDIN_PAGEABLE, STANDIN_PAGEABLE};
    standin_stream s = standin_stream_of(nullptr);
    cudaError_t error = standin_unsafe();
    if (!error) error = check_copy(&c, kind);
    if (!error) error = queue_copy(s, late, c);
    if (error) return standin_answer(error);
    standin_wait(s);
    return standin_answer(standin_sticky());
}

cudaError_t CUDARTAPI cudaMemsetAsync(void *at, int value, size_t size, cudaStream_t handle)
{
    STANDIN_BEGIN_WORK("cudaMemsetAsync", late);
    STREAM(s, handle);
    cudaError_t error = check_fill(at, size);
    if (!error && size) error = standin_queue(s, late, [=] { memset(at, value, size); });
    return standin_answer(error);
}

cudaError_t CUDARTAPI cudaMemset(void *at, int value, size_t size)
{
    STANDIN_BEGIN_WORK("cudaMemset", late);
    cudaError_t error = standin_unsafe();
    if (!error) error = check_fill(at, size);
    if (!error && size) error = standin_queue(standin_stream_of(nullptr), late, [=] { memset(at, value, size); });
    return standin_answer(error);
}

cudaError_t CUDARTAPI cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void *data)
{
    STANDIN_BEGIN_WORK("cudaLaunchHostFunc", late);
    STREAM(s, handle);
    if (!function) return standin_answer(cudaErrorInvalidValue);
    return standin_answer(standin_queue(s, late, [=] { function(data); }));
}

cudaError_t CUDARTAPI cudaFuncSetAttribute(const void *function, enum cudaFuncAttribute attribute, int value)
{
    STANDIN_BEGIN("cudaFuncSetAttribute");
    if (!function) return standin_answer(cudaErrorInvalidDeviceFunction);
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)
        return standin_answer(value < -1 || value > 100 ? cudaErrorInvalidValue : cudaSuccess);
    bool known = attribute == cudaFuncAttributeMaxDynamicSharedMemorySize;
    if (!known || value < 0 || value > 227 << 10) return standin_answer(cudaErrorInvalidValue);
    std::lock_guard<std::mutex> hold(tables.lock);
    tables.shared[function] = value;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *ret_n, const void *function, int n_thread,
                                                                    size_t shared_bytes)
{
    STANDIN_BEGIN("cudaOccupancyMaxActiveBlocksPerMultiprocessor");
    if (!ret_n || !function || n_thread < 1) return standin_answer(cudaErrorInvalidValue);
    int by_thread = 2048 / n_thread, by_shared = (int)(((size_t)228 << 10) / (shared_bytes + 1024));
    *ret_n = n_thread > 1024 ? 0 : std::min(std::min(by_thread, by_shared), 32);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamBeginCapture(cudaStream_t handle, enum cudaStreamCaptureMode mode)
{
    STANDIN_BEGIN("cudaStreamBeginCapture");
    STREAM(s, handle);
    if ((unsigned)mode > cudaStreamCaptureModeRelaxed) return standin_answer(cudaErrorInvalidValue);
    if (s == standin_stream_of(nullptr)) return standin_answer(cudaErrorStreamCaptureUnsupported);
    std::lock_guard<std::mutex> hold(s->lock);
    if (s->capture) return standin_answer(cudaErrorIllegalState);
    s->capture.reset(new standin_capture{{}, mode, std::this_thread::get_id(), false});
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph)
{
    cudaError_t begun = standin_begin("cudaStreamEndCapture", nullptr);
    STREAM(s, handle);
    if (!graph) return standin_answer(cudaErrorInvalidValue);
    *graph = nullptr;
    std::unique_lock<std::mutex> hold(s->lock);
    if (!s->capture) return standin_answer(begun ? begun : cudaErrorIllegalState);
    if (s->capture->by != std::this_thread::get_id() && s->capture->mode != cudaStreamCaptureModeRelaxed)
        return standin_answer(cudaErrorStreamCaptureWrongThread);
    std::unique_ptr<struct standin_capture> capture = std::move(s->capture); /* over, however it ends */
    hold.unlock();
    if (begun || capture->spoiled) return standin_answer(begun ? begun : cudaErrorStreamCaptureInvalidated);
    *graph = new CUgraph_st{std::move(capture->work)};
    std::lock_guard<std::mutex> hold_tables(tables.lock);
    tables.graphs.insert(*graph);
    standin_count("graphs", 1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamIsCapturing(cudaStream_t handle, enum cudaStreamCaptureStatus *status)
{
    STANDIN_BEGIN("cudaStreamIsCapturing");
    STREAM(s, handle);
    if (!status) return standin_answer(cudaErrorInvalidValue);
    std::lock_guard<std::mutex> hold(s->lock);
    *status = !s->capture           ? cudaStreamCaptureStatusNone
              : s->capture->spoiled ? cudaStreamCaptureStatusInvalidated
                                    : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *n)
{
    STANDIN_BEGIN("cudaGraphGetNodes");
    std::lock_guard<std::mutex> hold(tables.lock);
    if (!n || nodes || !tables.graphs.count(graph)) return standin_answer(cudaErrorInvalidValue);
    *n = graph->work.size();
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
    STANDIN_BEGIN("cudaGraphInstantiate");
    std::lock_guard<std::mutex> hold(tables.lock);
    unsigned long long known = cudaGraphInstantiateFlagUseNodePriority;
    if (!exec || flags & ~known || !tables.graphs.count(graph)) return standin_answer(cudaErrorInvalidValue);
    *exec = new CUgraphExec_st{std::make_shared<const std::vector<standin_work>>(graph->work)};
    tables.execs.insert(*exec);
    standin_count("execs", 1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t handle)
{
    STANDIN_BEGIN("cudaGraphUpload");
    STREAM(s, handle);
    std::lock_guard<std::mutex> hold(tables.lock);
    return standin_answer(tables.execs.count(exec) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t CUDARTAPI cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t handle)
{
    STANDIN_BEGIN_WORK("cudaGraphLaunch", late);
    STREAM(s, handle);
    std::shared_ptr<const std::vector<standin_work>> work;
    {
        std::lock_guard<std::mutex> hold(tables.lock);
        if (!tables.execs.count(exec)) return standin_answer(cudaErrorInvalidValue);
        work = exec->work;
    }
    return standin_answer(standin_queue(s, late, [work] { run_all(*work); }));
}

cudaError_t CUDARTAPI cudaGraphDestroy(cudaGraph_t graph)
{
    STANDIN_BEGIN("cudaGraphDestroy");
    std::lock_guard<std::mutex> hold(tables.lock);
    if (!tables.graphs.erase(graph)) return standin_answer(cudaErrorInvalidValue);
    delete graph;
    standin_count("graphs", -1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    STANDIN_BEGIN("cudaGraphExecDestroy");
    std::lock_guard<std::mutex> hold(tables.lock);
    if (!tables.execs.erase(exec)) return standin_answer(cudaErrorInvalidValue);
    delete exec;
    standin_count("execs", -1);
    return cudaSuccess;
}
}
