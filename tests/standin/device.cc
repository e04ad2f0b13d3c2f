/* One launch on the stand-in: blocks one after another, the threads of a block on fibers. Warps take turns in a drawn order,
 * and so do the lanes of a warp; a thread runs until it waits. */
#include "tests/standin/device.h"
#include "tests/standin/execute.h"
#include "tests/standin/fiber.h"
#include "tests/standin/standin.h"
#include <algorithm>
#include <mutex>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <vector>
#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

enum : unsigned { MAX_THREADS = 1024, WARP = 32 };
enum waits { FRESH, RUNS, AT_BARRIER, AT_COLLECTIVE, ENDED };

struct runner { /* one thread of the block */
    struct standin_thread here;
    enum waits waits;
    struct fiber *fiber; /* its stack while it is under way */
    struct standin_place place;
    int vote;
    unsigned mask; /* of the collective it waits at */
    standin_op *op;
    void *record;
};

static uint64_t seeded(unsigned long long seed)
{
    return seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
}

struct device_state {
    std::mutex turn; /* one launch at a time */
    const struct standin_kernel *kernel;
    struct runner all[MAX_THREADS];
    unsigned n, index;                    /* threads in the block; the one that runs */
    unsigned arrived[MAX_THREADS / WARP]; /* lanes that wait at a collective */
    std::vector<struct fiber *> idle;
    unsigned char *dynamic_at;
    int vote;
    uint64_t drawn;
    char begins, ends; /* of a block, for ThreadSanitizer: two, or each thread would come after those that have ended */
};
/* Never freed: the threads of streams outlive main. */
static struct device_state &device = *[] {
    const char *text = getenv("BURST_STANDIN_SEED");
    struct device_state *s = new struct device_state();
    s->drawn = seeded(text ? strtoull(text, nullptr, 10) : 1);
    return s;
}();

#if defined(__SANITIZE_THREAD__)
static const bool own_stack = true; /* a fiber for each thread, so that the sanitizer tells them apart */
#else
static const bool own_stack = false;
#endif

static void kernel_name(const char *text, char *ret_name, size_t size)
{
    size_t n = strcspn(text, ",<( ");
    while (*text && !n)
        text++, n = strcspn(text, ",<( ");
    (void)snprintf(ret_name, size, "%.*s", (int)n, text);
}

void standin_seed(unsigned long long seed)
{
    std::lock_guard<std::mutex> turn(device.turn);
    device.drawn = seeded(seed);
}

std::string standin_kernel_name(const struct standin_kernel *k)
{
    char name[128];
    kernel_name(k->text, name, sizeof name);
    return name;
}

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *form, ...)
{
    va_list list;
    fprintf(stderr, "stand-in: kernel %s: ", standin_kernel_name(device.kernel).c_str());
    va_start(list, form);
    vfprintf(stderr, form, list);
    va_end(list);
    fprintf(stderr, "\n");
    abort();
}

static unsigned draw(unsigned below)
{
    device.drawn ^= device.drawn << 13, device.drawn ^= device.drawn >> 7, device.drawn ^= device.drawn << 17;
    return (unsigned)((device.drawn >> 32) * below >> 32);
}

static void shuffle(unsigned *order, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    for (unsigned i = n; i > 1; i--)
        std::swap(order[i - 1], order[draw(i)]);
}

/* The runner this code belongs to; asked outside of any kernel, the answer is the first. */
__attribute__((no_sanitize("thread"))) static struct runner *self(void)
{
    return &device.all[device.index];
}

const struct standin_thread *standin_here(void)
{
    return &self()->here;
}

static void run_thread(void *)
{
    fiber_acquire(&device.begins); /* what came before the block */
    device.kernel->body();
    fiber_release(&device.ends);
}

__attribute__((no_sanitize("thread"))) static void resume(unsigned index)
{
    struct runner *r = &device.all[index];
    if (!r->fiber) {
        if (device.idle.empty()) device.idle.push_back(fiber_new(run_thread, nullptr));
        r->fiber = device.idle.back();
        device.idle.pop_back();
    }
    r->waits = RUNS;
    device.index = index;
    fiber_resume(r->fiber);
    if (r->waits != RUNS) return;
    r->waits = ENDED;
    if (own_stack) return;
    device.idle.push_back(r->fiber);
    r->fiber = nullptr;
}

__attribute__((no_sanitize("thread"))) static void wait_at(struct runner *r, enum waits what,
                                                           struct standin_place place)
{
    r->waits = what;
    r->place = place;
    fiber_suspend(r->fiber);
}

__attribute__((no_sanitize("thread"))) int standin_barrier(enum standin_vote vote, int predicate,
                                                           struct standin_place place)
{
    struct runner *r = self();
    r->vote = (int)vote << 1 | (predicate != 0);
    fiber_release(&device.vote);
    wait_at(r, AT_BARRIER, place);
    fiber_acquire(&device.vote);
    return device.vote;
}

static bool same_place(struct standin_place a, struct standin_place b)
{
    return a.line == b.line && (a.file == b.file || !strcmp(a.file, b.file));
}

/* Run the operation, now that every lane of the mask has come, and set them on their way. */
__attribute__((no_sanitize("thread"))) static void meet(struct runner *last, struct runner *lane)
{
    void *record[WARP] = {};
    for (unsigned i = 0; i < WARP; i++) {
        if (!(last->mask >> i & 1u)) continue;
        if (!same_place(lane[i].place, last->place) || lane[i].mask != last->mask || lane[i].op != last->op)
            die("lanes %u and %d of a warp meet at different places, lines %d and %d", i, (int)(last - lane),
                lane[i].place.line, last->place.line);
        record[i] = lane[i].record;
        lane[i].waits = RUNS;
    }
    device.arrived[(lane - device.all) / WARP] &= ~last->mask;
    fiber_acquire(lane);
    last->op(record, last->mask);
    fiber_release(lane);
}

__attribute__((no_sanitize("thread"))) void standin_collective(unsigned mask, standin_op *op, void *mine,
                                                               struct standin_place place)
{
    struct runner *r = self(), *lane = r - (r - device.all) % WARP;
    unsigned *arrived = &device.arrived[(lane - device.all) / WARP], self_bit = 1u << (r - lane);
    if (!(mask & self_bit)) die("line %d: a lane outside of its own mask", place.line);
    r->mask = mask, r->op = op, r->record = mine, r->place = place;
    *arrived |= self_bit;
    fiber_release(lane);
    if ((*arrived & mask) == mask)
        meet(r, lane);
    else
        wait_at(r, AT_COLLECTIVE, place);
    fiber_acquire(lane);
}

void *standin_dynamic_shared(void)
{
    return device.dynamic_at;
}

void standin_fence(void)
{
    static uint32_t fence;
    (void)__atomic_fetch_add(&fence, 1, __ATOMIC_SEQ_CST);
}

void standin_trap(struct standin_place place)
{
    die("trap at %s:%d", place.file, place.line);
}

/* Let a warp run until each of its lanes has ended or waits at a barrier. */
static void run_warp(unsigned first)
{
    unsigned n = std::min<unsigned>(WARP, device.n - first), order[WARP];
    bool moved = true;
    while (moved) {
        moved = false;
        shuffle(order, n);
        for (unsigned i = 0; i < n; i++) {
            struct runner *r = &device.all[first + order[i]];
            if (r->waits != FRESH && r->waits != RUNS) continue;
            resume(first + order[i]);
            moved = true;
        }
    }
    for (unsigned i = first; i < first + n; i++)
        if (device.all[i].waits == AT_COLLECTIVE)
            die("thread %u waits at line %d for lanes that do not come", i, device.all[i].place.line);
}

/* What the threads wait for, when every one has come; false where all have ended. */
static bool pass_barrier(void)
{
    const struct runner *one = device.all;
    unsigned n_ended = 0;
    int sum = 0, all = 1;
    for (const struct runner *r = one; r < one + device.n; r++)
        n_ended += r->waits == ENDED, sum += r->vote & 1, all &= r->vote;
    if (n_ended == device.n) return false;
    for (const struct runner *r = one; r < one + device.n; r++) {
        if (n_ended && r->waits != ENDED)
            die("%u of %u threads have ended while thread %d waits at the barrier in line %d", n_ended, device.n,
                (int)(r - one), r->place.line);
        if (!n_ended && (!same_place(r->place, one->place) || r->vote >> 1 != one->vote >> 1))
            die("threads 0 and %d wait at different barriers, lines %d and %d", (int)(r - one), one->place.line,
                r->place.line);
    }
    enum standin_vote vote = (enum standin_vote)(one->vote >> 1);
    device.vote = vote == STANDIN_COUNT ? sum : vote == STANDIN_AND ? all & 1 : sum > 0;
    for (struct runner *r = device.all; r < device.all + device.n; r++)
        r->waits = RUNS;
    return true;
}

/* Shared memory holds what the block before left: here NaN, so that reading what was not written shows. */
static void poison(void)
{
    const struct standin_kernel *k = device.kernel;
    if (k->shared) memset(k->shared, 0xff, (size_t)(k->shared_end - k->shared));
    memset(device.dynamic_at, 0xff, k->shared_bytes);
}

static void begin_block(uint3 block)
{
    const struct standin_kernel *k = device.kernel;
    for (unsigned i = 0; i < device.n; i++) {
        uint3 thread = {i % k->block.x, i / k->block.x % k->block.y, i / k->block.x / k->block.y};
        struct runner *r = &device.all[i];
        r->here.threadIdx = thread, r->here.blockIdx = block;
        r->here.blockDim = k->block, r->here.gridDim = k->grid;
        r->waits = FRESH;
    }
}

static void run_block(uint3 block)
{
    unsigned n_warp = (device.n + WARP - 1) / WARP, order[MAX_THREADS / WARP];
    poison();
    begin_block(block);
    fiber_release(&device.begins);
    do {
        shuffle(order, n_warp);
        for (unsigned i = 0; i < n_warp; i++)
            run_warp(order[i] * WARP);
    } while (pass_barrier());
    fiber_acquire(&device.ends);
}

void standin_execute(const struct standin_kernel *k)
{
    std::lock_guard<std::mutex> turn(device.turn);
    unsigned n_block = k->grid.x * k->grid.y * k->grid.z;
    std::vector<unsigned> order(n_block);
    device.kernel = k;
    device.n = k->block.x * k->block.y * k->block.z;
    device.dynamic_at = static_cast<unsigned char *>(aligned_alloc(128, (k->shared_bytes + 255) / 128 * 128));
    shuffle(order.data(), n_block);
    for (unsigned i : order)
        run_block({i % k->grid.x, i / k->grid.x % k->grid.y, i / k->grid.x / k->grid.y});
    free(device.dynamic_at);
    device.dynamic_at = nullptr;
}
