/* Jobs: the only calls of this client that wait, and no longer than their deadline. */
#include "base/clock.h"
#include "net/worker_inside.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#define SPIN_PAUSE() __builtin_ia32_pause()
#else
#define SPIN_PAUSE() ((void)0)
#endif

static const int64_t SPIN_ALONE_NS = 200000,
                     LOOK_NS = 1000000; /* then the processor is offered to others; hang-ups are looked for */

/* ---- one exchange ---- */

static enum burst_err ready_for(const struct worker *w, int slot, int64_t deadline_ns, struct burst_error *reterr)
{
    if (w->state != WORKER_READY) return burst_fail(reterr, BURST_E_STATE, "the lane to the worker is not ready");
    if (slot < 0 || slot >= WORKER_SLOTS) return burst_fail(reterr, BURST_E_RANGE, "slot %d of %d", slot, WORKER_SLOTS);
    if (clock_mono_ns() >= deadline_ns) return burst_fail(reterr, BURST_E_LATE, "a deadline that is past already");
    return BURST_OK;
}

/* The network of a slot, where it takes jobs of that kind. */
static enum burst_err net_for(struct worker *w, int slot, bool any_role, enum worker_role role, int64_t deadline_ns,
                              struct worker_net **ret, struct burst_error *reterr)
{
    static const char *const ROLE[WORKER_ROLE_N] = {"plain", "light-curve", "image"};
    enum burst_err err = ready_for(w, slot, deadline_ns, reterr);
    if (err) return err;
    struct worker_net *net = &w->net[slot];
    if (net->slot.state == WORKER_SLOT_REFUSED)
        return burst_fail(reterr, BURST_E_STATE, "the worker refused the network of slot %d: %s", slot, net->slot.text);
    if (net->slot.state != WORKER_SLOT_LOADED)
        return burst_fail(reterr, BURST_E_STATE, "no network is in slot %d", slot);
    if (!any_role && net->load.role != (uint32_t)role)
        return burst_fail(reterr, BURST_E_STATE, "the network of slot %d is no %s network", slot, ROLE[role]);
    *ret = net;
    return BURST_OK;
}

static enum burst_err too_late(struct worker *w, struct burst_error *reterr)
{
    return lane_give_up(w, BURST_E_TIMEOUT, reterr, "the worker did not answer in time");
}

/* Wait for DONE on the socket. */
static enum burst_err wait_socket(struct worker *w, int64_t deadline_ns, struct wire_answer *ret,
                                  struct burst_error *reterr)
{
    for (;;) {
        enum burst_err err = lane_read(w, ret, reterr);
        if (err != BURST_E_GONE) return err;
        int64_t left = deadline_ns - clock_mono_ns();
        if (left <= 0) return too_late(w, reterr);
        struct timespec patience = {left / CLOCK_NS_PER_S, left % CLOCK_NS_PER_S};
        struct pollfd p = {.fd = w->fd, .events = POLLIN};
        (void)ppoll(&p, 1, &patience, NULL); /* whatever it says, the next turn reads and looks at the clock */
    }
}

/* Has the worker hung up, while nothing may come through the socket? */
static enum burst_err look_for_hang_up(struct worker *w, struct burst_error *reterr)
{
    struct wire_answer stray;
    enum burst_err err = lane_read(w, &stray, reterr);
    if (err == BURST_E_GONE) return BURST_OK;
    return err ? err
               : lane_give_up(w, BURST_E_DEVICE, reterr, "the worker sent a packet of kind %d during a job",
                              (int)stray.kind);
}

/* Wait for DONE in the shared memory. */
static enum burst_err wait_memory(struct worker *w, int64_t deadline_ns, struct wire_answer *ret,
                                  struct burst_error *reterr)
{
    struct burst_error bad;
    int64_t start = clock_mono_ns(), looked = start;
    for (;;) {
        for (int i = 0; i < 64; i++) {
            if (atomic_load_explicit(&w->control->answer, memory_order_acquire) == w->sequence) goto answered;
            SPIN_PAUSE();
        }
        int64_t now = clock_mono_ns();
        if (now >= deadline_ns) return too_late(w, reterr);
        if (now - start > SPIN_ALONE_NS) (void)sched_yield(); /* cannot fail on Linux */
        if (now - looked < LOOK_NS) continue;
        looked = now;
        enum burst_err err = look_for_hang_up(w, reterr);
        if (err) return err;
    }
answered:
    if (wire_read_answer(w->control->done, sizeof w->control->done, ret, &bad))
        return lane_give_up(w, BURST_E_DEVICE, reterr, "what the worker wrote is no answer: %s", bad.text);
    return BURST_OK;
}

static bool ring_the_bell(struct worker *w, const struct wire_job *job)
{
    if (!w->spin) return lane_send(w, job, sizeof *job, -1);
    memcpy(w->control->job, job, sizeof *job);
    atomic_store_explicit(&w->control->bell, job->head.sequence, memory_order_release);
    return true;
}

/* Ask and wait.
 * Given     job      all but its head
 *           n_bytes  what the answer must have; where it is not known before, the most, and `exact` is false
 * Returned  *ret_bytes what it has, in w->output */
static enum burst_err exchange(struct worker *w, struct wire_job *job, int64_t deadline_ns, uint64_t n_bytes,
                               bool exact, uint64_t *ret_bytes, struct burst_error *reterr)
{
    struct wire_answer a;
    job->head.sequence = ++w->sequence;
    job->deadline_ns = deadline_ns;
    if (!ring_the_bell(w, job))
        return lane_give_up(w, BURST_E_DEVICE, reterr, "a job to the worker: %s", strerror(errno));
    enum burst_err err = w->spin ? wait_memory(w, deadline_ns, &a, reterr) : wait_socket(w, deadline_ns, &a, reterr);
    if (err) return err;
    if (a.kind != WIRE_DONE || a.head.sequence != w->sequence)
        return lane_give_up(w, BURST_E_DEVICE, reterr,
                            "the worker answered what was not asked: kind %d, sequence %llu, not %llu", (int)a.kind,
                            (unsigned long long)a.head.sequence, (unsigned long long)w->sequence);
    w->device_ns = a.done.device_ns;
    if (a.done.code == BURST_E_DEVICE || a.done.code == BURST_E_TIMEOUT)
        return lane_give_up(w, (enum burst_err)a.done.code, reterr, "%s", a.done.text);
    if (a.done.code) return burst_fail(reterr, (enum burst_err)a.done.code, "%s", a.done.text);
    if (exact ? a.done.n_bytes != n_bytes : a.done.n_bytes > n_bytes)
        return lane_give_up(w, BURST_E_DEVICE, reterr, "the worker answered %llu bytes, not %llu",
                            (unsigned long long)a.done.n_bytes, (unsigned long long)n_bytes);
    *ret_bytes = a.done.n_bytes;
    return BURST_OK;
}

static void begin_job(struct wire_job *job, enum wire_job_kind kind, int slot, uint64_t n)
{
    wire_begin(job, sizeof *job, WIRE_JOB, 1);
    job->kind = (uint32_t)kind;
    job->slot = (uint32_t)slot;
    job->n = n;
}

/* Room for n samples in and out. */
static enum burst_err check_room(const struct worker *w, uint64_t in_bytes, uint64_t out_bytes,
                                 struct burst_error *reterr)
{
    if (in_bytes > w->input_bytes)
        return burst_fail(reterr, BURST_E_SHAPE, "a job of %llu bytes on a lane with room for %zu",
                          (unsigned long long)in_bytes, w->input_bytes);
    if (out_bytes > w->output_bytes)
        return burst_fail(reterr, BURST_E_SHAPE, "an answer of %llu bytes on a lane with room for %zu",
                          (unsigned long long)out_bytes, w->output_bytes);
    return BURST_OK;
}

static enum burst_err check_batch(const struct worker_slot *s, int n, struct burst_error *reterr)
{
    if (n < 1 || n > s->batch)
        return burst_fail(reterr, BURST_E_SHAPE, "%d samples; that network takes 1 to %d", n, s->batch);
    return BURST_OK;
}

static uint64_t bytes_of(const int64_t *floats, int n_port, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n_port; i++)
        sum += (uint64_t)floats[i] * (uint64_t)n * sizeof(float); /* 8 ports, 2^28 floats, 256 samples: fits */
    return sum;
}

/* ---- any network ---- */

enum burst_err worker_echo(struct worker *w, const void *bytes, size_t n, void *ret, int64_t deadline_ns,
                           struct burst_error *reterr)
{
    struct wire_job job;
    uint64_t got;
    enum burst_err err = ready_for(w, 0, deadline_ns, reterr);
    if (!err) err = check_room(w, n, n, reterr);
    if (err) return err;
    begin_job(&job, WIRE_ECHO, 0, n);
    memcpy(w->input, bytes, n);
    err = exchange(w, &job, deadline_ns, n, true, &got, reterr);
    if (!err) memcpy(ret, w->output, n);
    return err;
}

enum burst_err worker_run(struct worker *w, int slot, const float *const *input, int n, float *const *ret_output,
                          int64_t deadline_ns, struct burst_error *reterr)
{
    struct worker_net *net = NULL;
    struct wire_job job;
    uint64_t got, at = 0;
    enum burst_err err = net_for(w, slot, true, WORKER_PLAIN, deadline_ns, &net, reterr);
    if (err) return err;
    const struct worker_slot *s = &net->slot;
    uint64_t out_bytes = bytes_of(s->output_floats, s->n_output, n);
    err = check_batch(s, n, reterr);
    if (!err) err = check_room(w, bytes_of(s->input_floats, s->n_input, n), out_bytes, reterr);
    if (err) return err;
    begin_job(&job, WIRE_RUN, slot, (uint64_t)n);
    for (int i = 0; i < s->n_input; i++) {
        uint64_t bytes = bytes_of(&s->input_floats[i], 1, n);
        memcpy(w->input + at, input[i], bytes);
        at += bytes;
    }
    err = exchange(w, &job, deadline_ns, out_bytes, true, &got, reterr);
    if (err) return err;
    at = 0;
    for (int i = 0; i < s->n_output; i++) {
        uint64_t bytes = bytes_of(&s->output_floats[i], 1, n);
        memcpy(ret_output[i], w->output + at, bytes);
        at += bytes;
    }
    return BURST_OK;
}

enum burst_err worker_read(struct worker *w, int slot, const char *name, float *ret, size_t n_ret, size_t *ret_n,
                           int64_t deadline_ns, struct burst_error *reterr)
{
    struct worker_net *net = NULL;
    struct wire_job job;
    uint64_t got;
    enum burst_err err = net_for(w, slot, true, WORKER_PLAIN, deadline_ns, &net, reterr);
    if (err) return err;
    size_t length = strlen(name);
    if (!length || length >= sizeof job.name)
        return burst_fail(reterr, BURST_E_RANGE, "a tensor's name of %zu characters; 1 to %zu", length,
                          sizeof job.name - 1);
    begin_job(&job, WIRE_READ, slot, 0);
    memcpy(job.name, name, length);
    err = exchange(w, &job, deadline_ns, w->output_bytes, false, &got, reterr);
    if (err) return err;
    if (got % sizeof *ret)
        return lane_give_up(w, BURST_E_DEVICE, reterr, "the worker answered %llu bytes, which are no floats",
                            (unsigned long long)got);
    if (got / sizeof *ret > n_ret)
        return burst_fail(reterr, BURST_E_SHAPE, "%s has %llu floats; there is room for %zu", name,
                          (unsigned long long)(got / sizeof *ret), n_ret);
    memcpy(ret, w->output, got);
    if (ret_n) *ret_n = got / sizeof *ret;
    return BURST_OK;
}

/* ---- windows ---- */

static enum burst_err check_window(const struct worker *w, const struct worker_net *net,
                                   const struct worker_window *window, struct burst_error *reterr)
{
    if (w->input_bytes < sizeof(struct wire_window))
        return burst_fail(reterr, BURST_E_SHAPE, "windows need a lane with room for %zu bytes; this one has %zu",
                          sizeof(struct wire_window), w->input_bytes);
    if (window->n_row < 1 || window->n_row > WORKER_ROWS_MOST)
        return burst_fail(reterr, BURST_E_SHAPE, "a window of %d rows; 1 to %d", window->n_row, WORKER_ROWS_MOST);
    if (window->n_atom != net->load.n_atom)
        return burst_fail(reterr, BURST_E_SHAPE, "a window of %d atoms for a network of %d", window->n_atom,
                          net->load.n_atom);
    if (window->k_first < 0) return burst_fail(reterr, BURST_E_RANGE, "bin %lld", (long long)window->k_first);
    for (int i = 0; i < window->n_row; i++)
        for (int j = 0; j < i; j++)
            if (window->key[i] == window->key[j])
                return burst_fail(reterr, BURST_E_RANGE, "rows %d and %d of a window are of one detector", j, i);
    return BURST_OK;
}

/* Put a row's new bins and its place in the batch into the job. */
static void put_row(struct worker_rings *rings, const struct worker_window *window, int row, struct wire_window *to,
                    uint32_t *counts_at, uint32_t *valid_at)
{
    size_t n_atom = (size_t)window->n_atom;
    const uint32_t *counts = window->counts + (size_t)row * n_atom * WORKER_WINDOW_BINS;
    const uint8_t *valid = window->valid + (size_t)row * WORKER_WINDOW_BINS;
    struct ring_job *job = &to->job;
    int from, n, ring = worker_rings_of_key(rings, window->key[row]);
    worker_rings_differ(rings, ring, window->k_first, counts, valid, &from, &n);
    if (n) {
        worker_rings_send(rings, ring, window->k_first, counts, valid, from, n, to->counts + *counts_at,
                          to->valid + *valid_at);
        job->update[job->n_update++] = (struct ring_update){
            .from = window->k_first + from, .ring = ring, .n_new = n, .counts_at = *counts_at, .valid_at = *valid_at};
        *counts_at += (uint32_t)n * (uint32_t)window->n_atom;
        *valid_at += (uint32_t)n;
    }
    job->window[job->n_window++] = (struct ring_window){.k_first = window->k_first, .ring = ring};
}

/* Rows first .. end-1 that are scored; `all` overrules. */
static int put_rows(struct worker *w, struct worker_net *net, const struct worker_window *window, int first, int end,
                    bool all)
{
    struct wire_window *to = (void *)w->input;
    uint32_t counts_at = 0, valid_at = 0;
    to->job.n_update = to->job.n_window = 0;
    worker_rings_begin(net->rings);
    for (int row = first; row < end; row++)
        if (all || !window->scored || window->scored[row]) put_row(net->rings, window, row, to, &counts_at, &valid_at);
    return to->job.n_window;
}

/* After a failure nobody knows what the rings hold. */
static enum burst_err exchange_rings(struct worker *w, struct worker_net *net, struct wire_job *job,
                                     int64_t deadline_ns, uint64_t n_bytes, struct burst_error *reterr)
{
    uint64_t got;
    enum burst_err err = exchange(w, job, deadline_ns, n_bytes, true, &got, reterr);
    if (err) worker_rings_forget(net->rings);
    return err;
}

enum burst_err worker_window(struct worker *w, int slot, const struct worker_window *window, float *ret_output,
                             int64_t deadline_ns, struct burst_error *reterr)
{
    struct worker_net *net = NULL;
    struct wire_job job;
    int n = 0;
    enum burst_err err = net_for(w, slot, false, WORKER_LIGHT_CURVE, deadline_ns, &net, reterr);
    if (!err) err = check_window(w, net, window, reterr);
    if (err) return err;
    for (int row = 0; row < window->n_row; row++)
        n += !window->scored || window->scored[row];
    uint64_t out_bytes = bytes_of(net->slot.output_floats, 1, n);
    err = check_batch(&net->slot, n, reterr);
    if (!err) err = check_room(w, 0, out_bytes, reterr);
    if (err) return err;
    begin_job(&job, WIRE_WINDOW, slot, (uint64_t)put_rows(w, net, window, 0, window->n_row, false));
    err = exchange_rings(w, net, &job, deadline_ns, out_bytes, reterr);
    if (!err) memcpy(ret_output, w->output, out_bytes);
    return err;
}

enum burst_err worker_cam(struct worker *w, int slot, const struct worker_window *window, int row, float *ret_cam,
                          int64_t deadline_ns, struct burst_error *reterr)
{
    struct worker_net *net = NULL;
    struct wire_job job;
    enum burst_err err = net_for(w, slot, false, WORKER_LIGHT_CURVE, deadline_ns, &net, reterr);
    if (!err) err = check_window(w, net, window, reterr);
    if (err) return err;
    if (row < 0 || row >= window->n_row)
        return burst_fail(reterr, BURST_E_RANGE, "row %d of a window of %d", row, window->n_row);
    if (!net->slot.n_cam) return burst_fail(reterr, BURST_E_STATE, "the network of slot %d has no map", slot);
    uint64_t out_bytes = (uint64_t)net->slot.n_cam * sizeof *ret_cam;
    err = check_room(w, 0, out_bytes, reterr);
    if (err) return err;
    begin_job(&job, WIRE_CAM, slot, (uint64_t)put_rows(w, net, window, row, row + 1, true));
    err = exchange_rings(w, net, &job, deadline_ns, out_bytes, reterr);
    if (!err) memcpy(ret_cam, w->output, out_bytes);
    return err;
}

/* ---- sub-images ---- */

enum burst_err worker_occlude(struct worker *w, int slot, const float *snr, const uint8_t *mask, const int32_t *without,
                              int n, float *ret_output, int64_t deadline_ns, struct burst_error *reterr)
{
    struct worker_net *net = NULL;
    struct wire_job job;
    uint64_t got;
    enum burst_err err = net_for(w, slot, false, WORKER_IMAGE, deadline_ns, &net, reterr);
    if (!err) err = check_batch(&net->slot, n, reterr);
    if (err) return err;
    for (int i = 0; i < WORKER_IMAGE_PIXELS; i++)
        if (!isfinite(snr[i])) return burst_fail(reterr, BURST_E_RANGE, "pixel %d is %g", i, (double)snr[i]);
    for (int i = 0; i < n; i++)
        if (without[i] < IMAGE_WITHOUT_SOURCES || without[i] >= WORKER_IMAGE_PIXELS)
            return burst_fail(reterr, BURST_E_RANGE, "an image without %d", (int)without[i]);
    uint64_t out_bytes = bytes_of(net->slot.output_floats, 1, n);
    err = check_room(w, sizeof(struct wire_image), out_bytes, reterr);
    if (err) return err;
    struct wire_image *to = (void *)w->input;
    to->job.n_sample = n;
    for (int i = 0; i < n; i++)
        to->job.sample[i] = (struct image_variant){0, without[i]};
    memcpy(to->snr, snr, sizeof to->snr);
    memcpy(to->mask, mask, sizeof to->mask);
    begin_job(&job, WIRE_IMAGE, slot, (uint64_t)n);
    err = exchange(w, &job, deadline_ns, out_bytes, true, &got, reterr);
    if (!err) memcpy(ret_output, w->output, out_bytes);
    return err;
}

enum burst_err worker_image(struct worker *w, int slot, const float *snr, const uint8_t *mask, float *ret_output,
                            int64_t deadline_ns, struct burst_error *reterr)
{
    const int32_t whole = IMAGE_WHOLE;
    return worker_occlude(w, slot, snr, mask, &whole, 1, ret_output, deadline_ns, reterr);
}
