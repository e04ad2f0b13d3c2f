/* Memory of the stand-in: the device's lies in one range of addresses that the host's threads cannot touch, filled with NaN
 * when it is given out, with words on either side that must be as they were when it is given back. */
#include "tests/standin/runtime.h"
#include <map>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum : size_t {
    ALIGN = 256,
    ZONE = 256,
    PAGE = 4096,
    MANY = (size_t)8 << 20
}; /* cudaMalloc aligns to 256 bytes at least */
enum { ZONE_BYTE = 0xa5, NEW_BYTE = 0xff };

struct host_range {
    size_t size;
    bool registered;
};

struct memory_table {
    std::mutex lock;
    unsigned char *at; /* the device's memory */
    size_t size, used;
    int n_open; /* who needs it open; it may be so without */
    bool is_open;
    unsigned n_left_open;
    std::map<unsigned char *, size_t> device; /* allocations and what was asked for */
    std::map<unsigned char *, struct host_range> host;
};
static struct memory_table &memory = *new struct memory_table(); /* never freed: the threads of streams outlive main */

__attribute__((noreturn)) static void die(const char *what, const void *at)
{
    fprintf(stderr, "stand-in: %s (%p)\n", what, at);
    abort();
}

static size_t round_up(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* With the lock held. */
static void reserve(void)
{
    if (memory.at) return;
    const char *text = getenv("BURST_STANDIN_MEMORY");
    memory.size = text ? round_up(strtoull(text, nullptr, 10)) : (size_t)1 << 30;
    int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *at = mmap(nullptr, memory.size + 2 * ZONE, PROT_NONE, how, -1, 0);
    if (at == MAP_FAILED) die("no room for the device's memory", nullptr);
    memory.at = static_cast<unsigned char *>(at);
}

static void protect(int how)
{
    if (mprotect(memory.at, memory.size + 2 * ZONE, how)) die("cannot protect the device's memory", memory.at);
}

static void open_locked(void)
{
    reserve();
    memory.n_open++;
    if (memory.is_open) return;
    protect(PROT_READ | PROT_WRITE);
    memory.is_open = true;
}

/* Closing costs time for each page in use: where they are many, only now and then. */
static void close_locked(void)
{
    if (--memory.n_open || (memory.used > MANY && ++memory.n_left_open % 32)) return;
    protect(PROT_NONE);
    memory.is_open = false;
}

void standin_memory_open(void)
{
    std::lock_guard<std::mutex> hold(memory.lock);
    open_locked();
}

void standin_memory_close(void)
{
    std::lock_guard<std::mutex> hold(memory.lock);
    close_locked();
}

/* The lowest gap that takes size bytes and both zones, or NULL. */
static unsigned char *find_gap(size_t size)
{
    unsigned char *from = memory.at;
    for (const auto &one : memory.device) {
        if ((size_t)(one.first - ZONE - from) >= size + 2 * ZONE) break;
        from = one.first + round_up(one.second) + ZONE;
    }
    size_t left = (size_t)(memory.at + memory.size - from);
    return left >= size && left - size >= 2 * ZONE ? from + ZONE : nullptr;
}

static bool zone_is_whole(const unsigned char *from, const unsigned char *to)
{
    while (from < to && *from == ZONE_BYTE)
        from++;
    return from == to;
}

template <typename Map> static typename Map::iterator containing(Map &map, const void *at)
{
    unsigned char *p = static_cast<unsigned char *>(const_cast<void *>(at));
    auto next = map.upper_bound(p);
    return next == map.begin() ? map.end() : std::prev(next);
}

enum standin_where standin_where(const void *at, size_t size)
{
    std::lock_guard<std::mutex> hold(memory.lock);
    const unsigned char *p = static_cast<const unsigned char *>(at);
    if (memory.at && p >= memory.at && p < memory.at + memory.size + 2 * ZONE) {
        auto in = containing(memory.device, at);
        bool whole = in != memory.device.end() && (size_t)(p - in->first) <= in->second &&
                     size <= in->second - (size_t)(p - in->first);
        return whole ? STANDIN_DEVICE : STANDIN_OUTSIDE;
    }
    auto in = containing(memory.host, at);
    bool whole = in != memory.host.end() && (size_t)(p - in->first) < in->second.size &&
                 size <= in->second.size - (size_t)(p - in->first);
    return whole ? STANDIN_PINNED : STANDIN_PAGEABLE;
}

static cudaError_t allocate(void **ret_at, size_t size)
{
    std::lock_guard<std::mutex> hold(memory.lock);
    reserve();
    size_t rounded = round_up(size);
    if (rounded < size || rounded > memory.size) return cudaErrorMemoryAllocation;
    unsigned char *at = find_gap(rounded);
    if (!at) return cudaErrorMemoryAllocation;
    open_locked();
    memset(at - ZONE, ZONE_BYTE, ZONE);
    memset(at, NEW_BYTE, size);
    memset(at + size, ZONE_BYTE, rounded - size + ZONE);
    close_locked();
    memory.device[at] = size;
    memory.used += rounded;
    *ret_at = at;
    return cudaSuccess;
}

/* The whole pages of a range: protecting memory costs time for each page that was ever touched. */
static void give_pages_back(unsigned char *from, unsigned char *to)
{
    size_t skip = (PAGE - (uintptr_t)from % PAGE) % PAGE, left = (size_t)(to - from);
    if (left > skip + PAGE) (void)madvise(from + skip, (left - skip) / PAGE * PAGE, MADV_DONTNEED);
}

static cudaError_t release(void *at)
{
    std::lock_guard<std::mutex> hold(memory.lock);
    auto it = memory.device.find(static_cast<unsigned char *>(at));
    if (it == memory.device.end()) return cudaErrorInvalidValue;
    unsigned char *p = it->first, *end = p + it->second;
    open_locked();
    if (!zone_is_whole(p - ZONE, p)) die("written before the beginning of device memory", at);
    if (!zone_is_whole(end, p + round_up(it->second) + ZONE)) die("written past the end of device memory", at);
    memset(p, NEW_BYTE, it->second); /* so that what is read after it was freed shows */
    give_pages_back(p, end);
    close_locked();
    memory.used -= round_up(it->second);
    memory.device.erase(it);
    return cudaSuccess;
}

/* With the lock held: whether [at, at + size) touches a host range that is known. */
static bool overlaps(unsigned char *at, size_t size)
{
    auto next = memory.host.upper_bound(at + size - 1);
    return next != memory.host.begin() && std::prev(next)->first + std::prev(next)->second.size > at;
}

/* A range is taken for the host's only by the call that gave it. */
static cudaError_t forget_host(void *at, bool registered)
{
    std::lock_guard<std::mutex> hold(memory.lock);
    auto it = memory.host.find(static_cast<unsigned char *>(at));
    if (it == memory.host.end() || it->second.registered != registered)
        return registered ? cudaErrorHostMemoryNotRegistered : cudaErrorInvalidValue;
    memory.host.erase(it);
    return cudaSuccess;
}

extern "C" {

cudaError_t CUDARTAPI cudaMalloc(void **at, size_t size)
{
    STANDIN_BEGIN("cudaMalloc");
    cudaError_t error = standin_unsafe();
    if (!error && !at) error = cudaErrorInvalidValue;
    if (error) return standin_answer(error);
    if (!size) {
        *at = nullptr;
        return cudaSuccess;
    }
    error = allocate(at, size);
    if (!error) standin_count("device", 1);
    return standin_answer(error);
}

cudaError_t CUDARTAPI cudaFree(void *at)
{
    STANDIN_BEGIN("cudaFree");
    cudaError_t error = at ? standin_unsafe() : cudaSuccess;
    if (error || !at) return standin_answer(error);
    standin_wait_all();
    error = release(at);
    if (!error) standin_count("device", -1);
    return standin_answer(error);
}

cudaError_t CUDARTAPI cudaMemGetInfo(size_t *free, size_t *total)
{
    STANDIN_BEGIN("cudaMemGetInfo");
    if (!free || !total) return standin_answer(cudaErrorInvalidValue);
    std::lock_guard<std::mutex> hold(memory.lock);
    reserve();
    *free = memory.size - memory.used, *total = memory.size;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaHostAlloc(void **at, size_t size, unsigned flags)
{
    STANDIN_BEGIN("cudaHostAlloc");
    cudaError_t error = standin_unsafe();
    if (!error && (!at || !size || flags & ~7u)) error = cudaErrorInvalidValue;
    if (error) return standin_answer(error);
    unsigned char *p = static_cast<unsigned char *>(aligned_alloc(4096, (size + 4095) / 4096 * 4096));
    if (!p) return standin_answer(cudaErrorMemoryAllocation);
    memset(p, NEW_BYTE, size);
    std::lock_guard<std::mutex> hold(memory.lock);
    memory.host[p] = {size, false};
    standin_count("host", 1);
    *at = p;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaMallocHost(void **at, size_t size)
{
    return cudaHostAlloc(at, size, cudaHostAllocDefault);
}

cudaError_t CUDARTAPI cudaFreeHost(void *at)
{
    STANDIN_BEGIN("cudaFreeHost");
    cudaError_t error = at ? standin_unsafe() : cudaSuccess;
    if (error || !at) return standin_answer(error);
    standin_wait_all();
    error = forget_host(at, false);
    if (error) return standin_answer(error);
    free(at);
    standin_count("host", -1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaHostRegister(void *at, size_t size, unsigned flags)
{
    STANDIN_BEGIN("cudaHostRegister");
    unsigned known = cudaHostRegisterPortable | cudaHostRegisterMapped | cudaHostRegisterReadOnly;
    if (!at || !size || flags & ~known) return standin_answer(cudaErrorInvalidValue);
    std::lock_guard<std::mutex> hold(memory.lock);
    unsigned char *p = static_cast<unsigned char *>(at);
    if (overlaps(p, size)) return standin_answer(cudaErrorHostMemoryAlreadyRegistered);
    memory.host[p] = {size, true};
    standin_count("registered", 1);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaHostUnregister(void *at)
{
    STANDIN_BEGIN("cudaHostUnregister");
    standin_wait_all();
    cudaError_t error = forget_host(at, true);
    if (!error) standin_count("registered", -1);
    return standin_answer(error);
}

cudaError_t CUDARTAPI cudaHostGetDevicePointer(void **ret_at, void *host, unsigned flags)
{
    STANDIN_BEGIN("cudaHostGetDevicePointer");
    if (!ret_at || flags || standin_where(host, 1) != STANDIN_PINNED) return standin_answer(cudaErrorInvalidValue);
    *ret_at = host;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaPointerGetAttributes(struct cudaPointerAttributes *to, const void *at)
{
    STANDIN_BEGIN("cudaPointerGetAttributes");
    if (!to) return standin_answer(cudaErrorInvalidValue);
    enum standin_where where = standin_where(at, 1);
    memset(to, 0, sizeof *to);
    to->type = where == STANDIN_DEVICE   ? cudaMemoryTypeDevice
               : where == STANDIN_PINNED ? cudaMemoryTypeHost
                                         : cudaMemoryTypeUnregistered;
    if (where == STANDIN_DEVICE || where == STANDIN_PINNED) to->devicePointer = const_cast<void *>(at);
    if (where != STANDIN_DEVICE) to->hostPointer = const_cast<void *>(at);
    to->device = where == STANDIN_PAGEABLE ? -2 : 0; /* cudaInvalidDeviceId */
    return cudaSuccess;
}
}
