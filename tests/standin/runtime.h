/* What the files of the stand-in's runtime share: streams that work on their own threads, captures, errors that stay. */
#ifndef BURST_STANDIN_RUNTIME_H
#define BURST_STANDIN_RUNTIME_H
#include "tests/standin/fault.h"
#include <condition_variable>
#include <cuda_runtime_api.h>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdint.h>
#include <thread>
#include <vector>

typedef std::function<void()> standin_work;

/* Work captured in order; what each piece needs is copied into it. */
struct standin_capture {
    std::vector<standin_work> work;
    enum cudaStreamCaptureMode mode;
    std::thread::id by;
    bool spoiled; /* something happened that cannot be captured */
};

struct standin_stream_state {
    std::mutex lock;
    std::condition_variable changed;
    std::deque<standin_work> queue;
    uint64_t queued, done; /* pieces of work so far */
    bool blocking, closing;
    int priority;
    std::unique_ptr<struct standin_capture> capture;
};
typedef std::shared_ptr<struct standin_stream_state> standin_stream;

/* Begin a call of the runtime: count it, fail it where that is asked, refuse it where an error stays.
 *
 * Given     ret_late  what the call queues shall come late or never; NULL: it queues nothing, the call itself does
 * Returned  0, or the error to answer. */
cudaError_t standin_begin(const char *name, struct standin_fault *ret_late);

/* A call that captures cannot bear: spoils those under way that forbid it and answers 900, otherwise 0. */
cudaError_t standin_unsafe(void);

/* Remember an error for cudaGetLastError; answers it. */
cudaError_t standin_answer(cudaError_t error);

/* The error that ended the device, or 0. */
cudaError_t standin_sticky(void);
void standin_set_sticky(cudaError_t error);

/* The stream behind a handle, NULL being the one of old; nullptr for a handle that is none. */
standin_stream standin_stream_of(cudaStream_t handle);

/* Let the stream do `work` after what it has been given so far, or add it to the stream's capture.
 * Returned  0, or why not. */
cudaError_t standin_queue(const standin_stream &stream, struct standin_fault late, standin_work work);

/* Wait until everything given to the stream by now is done. */
void standin_wait(const standin_stream &stream);
void standin_wait_all(void);
bool standin_idle(const standin_stream &stream);

/* While at least one holds it open, device memory can be touched; the host's threads never can otherwise. */
void standin_memory_open(void);
void standin_memory_close(void);

/* Where a range lies: whole within one allocation on the device, within one host range the device can reach, within other
 * host memory, or on the device but not within one allocation. */
enum standin_where { STANDIN_DEVICE, STANDIN_PINNED, STANDIN_PAGEABLE, STANDIN_OUTSIDE };
enum standin_where standin_where(const void *at, size_t size);

#define STANDIN_BEGIN(name)                                                                                            \
    do {                                                                                                               \
        cudaError_t begun_ = standin_begin(name, nullptr);                                                             \
        if (begun_) return standin_answer(begun_);                                                                     \
    } while (0)
#define STANDIN_BEGIN_WORK(name, late)                                                                                 \
    struct standin_fault late = {STANDIN_WELL, 0};                                                                     \
    do {                                                                                                               \
        cudaError_t begun_ = standin_begin(name, &late);                                                               \
        if (begun_) return standin_answer(begun_);                                                                     \
    } while (0)
#endif
