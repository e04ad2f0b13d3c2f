/* Streams of the stand-in: each has a thread that does its work in order, so that answers come when they come. Events. */
#include "tests/standin/runtime.h"
#include <chrono>
#include <map>

struct moment { /* one recording of an event */
    std::mutex lock;
    std::condition_variable changed;
    bool timed, recorded, done;
    std::chrono::steady_clock::time_point at;
};

/* Made before main and never freed: the threads of streams outlive it. */
struct stream_table {
    std::mutex lock;
    standin_stream old; /* the stream NULL */
    std::map<cudaStream_t, standin_stream> all;
    uintptr_t n_made;
    std::map<cudaEvent_t, std::shared_ptr<struct moment>> events;
};
static struct stream_table &streams = *new struct stream_table();

static void work_on(standin_stream s)
{
    std::unique_lock<std::mutex> hold(s->lock);
    for (;;) {
        s->changed.wait(hold, [&] { return s->closing || !s->queue.empty(); });
        if (s->queue.empty()) return;
        standin_memory_open();
        while (!s->queue.empty()) {
            standin_work work = std::move(s->queue.front());
            s->queue.pop_front();
            hold.unlock();
            if (!standin_sticky()) work();
            work = nullptr;
            hold.lock();
            if (s->queue.empty()) { /* nobody who waits sees the memory open */
                hold.unlock();
                standin_memory_close();
                hold.lock();
                s->done++;
                s->changed.notify_all();
                break;
            }
            s->done++;
            s->changed.notify_all();
        }
    }
}

static standin_stream make(bool blocking, int priority)
{
    standin_stream s = std::make_shared<struct standin_stream_state>();
    s->queued = s->done = 0;
    s->blocking = blocking;
    s->closing = false;
    s->priority = priority;
    std::thread(work_on, s).detach();
    return s;
}

static bool is_old(cudaStream_t handle)
{
    return !handle || handle == cudaStreamLegacy;
}

standin_stream standin_stream_of(cudaStream_t handle)
{
    std::lock_guard<std::mutex> hold(streams.lock);
    if (is_old(handle)) {
        if (!streams.old) streams.old = make(true, 0);
        return streams.old;
    }
    auto it = streams.all.find(handle);
    return it == streams.all.end() ? nullptr : it->second;
}

static std::vector<standin_stream> every(void)
{
    std::lock_guard<std::mutex> hold(streams.lock);
    std::vector<standin_stream> all;
    for (const auto &one : streams.all)
        all.push_back(one.second);
    if (streams.old) all.push_back(streams.old);
    return all;
}

static uint64_t queued(const standin_stream &s)
{
    std::lock_guard<std::mutex> hold(s->lock);
    return s->queued;
}

static void wait_for(const standin_stream &s, uint64_t ticket)
{
    std::unique_lock<std::mutex> hold(s->lock);
    s->changed.wait(hold, [&] { return s->done >= ticket; });
}

void standin_wait(const standin_stream &s)
{
    wait_for(s, queued(s));
}

void standin_wait_all(void)
{
    for (const standin_stream &s : every())
        standin_wait(s);
}

bool standin_idle(const standin_stream &s)
{
    std::lock_guard<std::mutex> hold(s->lock);
    return s->done == s->queued;
}

/* The stream NULL and the blocking streams wait for each other: what work queued now has to wait for. */
static std::vector<std::pair<standin_stream, uint64_t>> others(const standin_stream &s)
{
    std::vector<std::pair<standin_stream, uint64_t>> wait;
    standin_stream old;
    {
        std::lock_guard<std::mutex> hold(streams.lock);
        old = streams.old;
    }
    for (const standin_stream &other : every())
        if (s->blocking && other->blocking && other != s && (s == old || other == old) && !standin_idle(other))
            wait.emplace_back(other, queued(other));
    return wait;
}

static bool captures(const standin_stream &s)
{
    std::lock_guard<std::mutex> hold(s->lock);
    return s->capture != nullptr;
}

/* Work for the stream NULL while a blocking stream captures would have to be captured with it. */
static cudaError_t spoil_implicitly(const standin_stream &s)
{
    cudaError_t error = cudaSuccess;
    if (s != standin_stream_of(nullptr)) return cudaSuccess;
    for (const standin_stream &other : every()) {
        std::lock_guard<std::mutex> hold(other->lock);
        if (!other->blocking || !other->capture) continue;
        other->capture->spoiled = true;
        error = cudaErrorStreamCaptureImplicit;
    }
    return error;
}

cudaError_t standin_queue(const standin_stream &s, struct standin_fault late, standin_work work)
{
    cudaError_t error = spoil_implicitly(s);
    if (error) return error;
    if (late.how != STANDIN_WELL) {
        standin_work on_time = std::move(work);
        work = [late, on_time] {
            standin_linger(late);
            on_time();
        };
    }
    auto wait = others(s);
    std::lock_guard<std::mutex> hold(s->lock);
    if (s->capture) {
        if (s->capture->spoiled) return cudaErrorStreamCaptureInvalidated;
        s->capture->work.push_back(std::move(work));
        return cudaSuccess;
    }
    if (wait.empty()) {
        s->queue.push_back(std::move(work));
    } else {
        s->queue.push_back([wait, work] {
            for (const auto &one : wait)
                wait_for(one.first, one.second);
            work();
        });
    }
    s->queued++;
    s->changed.notify_all();
    return cudaSuccess;
}

cudaError_t standin_unsafe(void)
{
    cudaError_t error = cudaSuccess;
    for (const standin_stream &s : every()) {
        std::lock_guard<std::mutex> hold(s->lock);
        if (!s->capture || s->capture->mode == cudaStreamCaptureModeRelaxed) continue;
        if (s->capture->mode == cudaStreamCaptureModeThreadLocal && s->capture->by != std::this_thread::get_id())
            continue;
        s->capture->spoiled = true;
        error = cudaErrorStreamCaptureUnsupported;
    }
    return error;
}

/* A stream that captures cannot be waited for or asked: that spoils it. */
static cudaError_t not_capturing(const standin_stream &s)
{
    if (!captures(s)) return cudaSuccess;
    std::lock_guard<std::mutex> hold(s->lock);
    s->capture->spoiled = true;
    return cudaErrorStreamCaptureUnsupported;
}

#define STREAM(s, handle)                                                                                              \
    standin_stream s = standin_stream_of(handle);                                                                      \
    if (!s) return standin_answer(cudaErrorInvalidResourceHandle)

extern "C" {

cudaError_t CUDARTAPI cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    STANDIN_BEGIN("cudaDeviceGetStreamPriorityRange");
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamCreateWithPriority(cudaStream_t *handle, unsigned flags, int priority)
{
    STANDIN_BEGIN("cudaStreamCreateWithPriority");
    if (!handle || flags & ~(unsigned)cudaStreamNonBlocking) return standin_answer(cudaErrorInvalidValue);
    standin_stream s = make(!(flags & cudaStreamNonBlocking), priority < -5 ? -5 : priority > 0 ? 0 : priority);
    std::lock_guard<std::mutex> hold(streams.lock);
    *handle = reinterpret_cast<cudaStream_t>(0x5000 + 16 * ++streams.n_made); /* never an address, never given twice */
    streams.all[*handle] = s;
    standin_count("streams", 1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamCreateWithFlags(cudaStream_t *handle, unsigned flags)
{
    return cudaStreamCreateWithPriority(handle, flags, 0);
}

cudaError_t CUDARTAPI cudaStreamCreate(cudaStream_t *handle)
{
    return cudaStreamCreateWithPriority(handle, cudaStreamDefault, 0);
}

cudaError_t CUDARTAPI cudaStreamGetPriority(cudaStream_t handle, int *priority)
{
    STANDIN_BEGIN("cudaStreamGetPriority");
    STREAM(s, handle);
    if (!priority) return standin_answer(cudaErrorInvalidValue);
    *priority = s->priority;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamDestroy(cudaStream_t handle)
{
    STANDIN_BEGIN("cudaStreamDestroy");
    STREAM(s, handle);
    if (is_old(handle)) return standin_answer(cudaErrorInvalidResourceHandle);
    {
        std::lock_guard<std::mutex> hold(streams.lock);
        streams.all.erase(handle);
    }
    std::lock_guard<std::mutex> hold(s->lock);
    s->closing = true;
    s->changed.notify_all();
    standin_count("streams", -1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamSynchronize(cudaStream_t handle)
{
    STANDIN_BEGIN("cudaStreamSynchronize");
    STREAM(s, handle);
    cudaError_t error = not_capturing(s);
    if (error) return standin_answer(error);
    standin_wait(s);
    return standin_answer(standin_sticky());
}

cudaError_t CUDARTAPI cudaStreamQuery(cudaStream_t handle)
{
    STANDIN_BEGIN("cudaStreamQuery");
    STREAM(s, handle);
    cudaError_t error = not_capturing(s);
    if (error) return standin_answer(error);
    if (!standin_idle(s)) return standin_answer(cudaErrorNotReady);
    return standin_answer(standin_sticky());
}

cudaError_t CUDARTAPI cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    STANDIN_BEGIN("cudaEventCreate");
    if (!event || flags & ~3u) return standin_answer(cudaErrorInvalidValue);
    auto m = std::make_shared<struct moment>();
    m->timed = !(flags & cudaEventDisableTiming);
    m->recorded = m->done = false;
    std::lock_guard<std::mutex> hold(streams.lock);
    *event = reinterpret_cast<cudaEvent_t>(0x5008 + 16 * ++streams.n_made);
    streams.events[*event] = m;
    standin_count("events", 1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t CUDARTAPI cudaEventDestroy(cudaEvent_t event)
{
    STANDIN_BEGIN("cudaEventDestroy");
    std::lock_guard<std::mutex> hold(streams.lock);
    if (!streams.events.erase(event)) return standin_answer(cudaErrorInvalidResourceHandle);
    standin_count("events", -1);
    return cudaSuccess;
}
}

static std::shared_ptr<struct moment> moment_of(cudaEvent_t event)
{
    std::lock_guard<std::mutex> hold(streams.lock);
    auto it = streams.events.find(event);
    return it == streams.events.end() ? nullptr : it->second;
}

static void come(const std::shared_ptr<struct moment> &m)
{
    std::lock_guard<std::mutex> hold(m->lock);
    m->done = true;
    m->at = std::chrono::steady_clock::now();
    m->changed.notify_all();
}

static void wait_until(const std::shared_ptr<struct moment> &m)
{
    std::unique_lock<std::mutex> hold(m->lock);
    m->changed.wait(hold, [&] { return m->done || standin_sticky(); });
}

#define MOMENT(m, event)                                                                                               \
    std::shared_ptr<struct moment> m = moment_of(event);                                                               \
    if (!m) return standin_answer(cudaErrorInvalidResourceHandle)

extern "C" {

cudaError_t CUDARTAPI cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    STANDIN_BEGIN_WORK("cudaEventRecord", late);
    MOMENT(was, event);
    STREAM(s, handle);
    auto m = std::make_shared<struct moment>(); /* who waits for the recording before goes on waiting for that one */
    m->timed = was->timed;
    m->recorded = true;
    m->done = false;
    cudaError_t error = standin_queue(s, late, [m] { come(m); });
    if (error) return standin_answer(error);
    std::lock_guard<std::mutex> hold(streams.lock);
    streams.events[event] = m;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaEventSynchronize(cudaEvent_t event)
{
    STANDIN_BEGIN("cudaEventSynchronize");
    MOMENT(m, event);
    if (m->recorded) wait_until(m);
    return standin_answer(standin_sticky());
}

cudaError_t CUDARTAPI cudaEventQuery(cudaEvent_t event)
{
    STANDIN_BEGIN("cudaEventQuery");
    MOMENT(m, event);
    std::lock_guard<std::mutex> hold(m->lock);
    return standin_answer(m->recorded && !m->done ? cudaErrorNotReady : cudaSuccess);
}

cudaError_t CUDARTAPI cudaEventElapsedTime(float *ret_ms, cudaEvent_t from, cudaEvent_t to)
{
    STANDIN_BEGIN("cudaEventElapsedTime");
    MOMENT(a, from);
    MOMENT(b, to);
    std::lock_guard<std::mutex> hold_a(a->lock);
    std::unique_lock<std::mutex> hold_b(b->lock, std::defer_lock);
    if (a != b) hold_b.lock();
    if (!ret_ms || !a->timed || !b->timed) return standin_answer(cudaErrorInvalidValue);
    if (!a->recorded || !b->recorded) return standin_answer(cudaErrorInvalidResourceHandle);
    if (!a->done || !b->done) return standin_answer(cudaErrorNotReady);
    *ret_ms = std::chrono::duration<float, std::milli>(b->at - a->at).count();
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags)
{
    STANDIN_BEGIN_WORK("cudaStreamWaitEvent", late);
    MOMENT(m, event);
    STREAM(s, handle);
    if (flags || captures(s)) return standin_answer(flags ? cudaErrorInvalidValue : cudaErrorNotSupported);
    return standin_answer(m->recorded ? standin_queue(s, late, [m] { wait_until(m); }) : cudaSuccess);
}
}
