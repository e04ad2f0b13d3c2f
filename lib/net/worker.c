/* A lane's memory and its networks; the rest of the client is in worker_lane.c and worker_jobs.c. */
#include "net/worker.h"
#include "base/clock.h"
#include "net/net.h"
#include "net/worker_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a lane ---- */

static size_t whole_pages(size_t bytes, size_t otherwise)
{
    size_t n = bytes ? bytes : otherwise;
    return (n + WIRE_PAGE - 1) / WIRE_PAGE * WIRE_PAGE;
}

static enum burst_err check_settings(const struct worker_settings *s, struct burst_error *reterr)
{
    if ((unsigned)s->precision >= WORKER_PRECISION_N)
        return burst_fail(reterr, BURST_E_RANGE, "precision %d", (int)s->precision);
    if (s->input_bytes > WIRE_AREA_MOST || s->output_bytes > WIRE_AREA_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "a lane with room for %zu and %zu bytes; at most %llu each",
                          s->input_bytes, s->output_bytes, (unsigned long long)WIRE_AREA_MOST);
    if (s->start_limit_ns < 0 || s->load_limit_ns < 0) return burst_fail(reterr, BURST_E_RANGE, "a limit in the past");
    if (s->device < 0) return burst_fail(reterr, BURST_E_RANGE, "device %d", s->device);
    return BURST_OK;
}

static bool copy_text(char *to, size_t size, const char *from)
{
    size_t n = from ? strlen(from) : 0;
    if (n >= size) return false;
    memcpy(to, from ? from : "", n + 1);
    return true;
}

static enum burst_err set_paths(struct worker *w, const struct worker_settings *s, struct burst_error *reterr)
{
    const char *socket = s->socket ? s->socket : s->program ? NULL : WORKER_SOCKET;
    w->address.sun_family = AF_UNIX;
    if (!copy_text(w->address.sun_path, sizeof w->address.sun_path, socket))
        return burst_fail(reterr, BURST_E_LIMIT, "%s is too long for a socket (at most %zu)", socket,
                          sizeof w->address.sun_path - 1);
    if (!copy_text(w->child.program, sizeof w->child.program, s->program) ||
        !copy_text(w->child.cache, sizeof w->child.cache, s->cache))
        return burst_fail(reterr, BURST_E_LIMIT, "a path of the worker longer than %d", WORKER_PATH - 1);
    w->child.device = s->device;
    return socket ? BURST_OK : child_folder(&w->child, &w->address, reterr);
}

enum burst_err worker_new(const struct worker_settings *settings, struct worker **ret, struct burst_error *reterr)
{
    enum burst_err err = check_settings(settings, reterr);
    if (err) return err;
    struct worker *w = calloc(1, sizeof *w);
    if (!w) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a lane");
    w->fd = -1;
    w->precision = (uint32_t)settings->precision;
    w->background = settings->background;
    w->spin = settings->spin;
    w->core = settings->spin && settings->core >= 0 ? settings->core : -1;
    w->input_bytes = whole_pages(settings->input_bytes, (size_t)4 << 20);
    w->output_bytes = whole_pages(settings->output_bytes, (size_t)1 << 20);
    w->map_bytes = WIRE_PAGE + w->input_bytes + w->output_bytes;
    w->start_limit_ns = settings->start_limit_ns ? settings->start_limit_ns : 30 * CLOCK_NS_PER_S;
    w->load_limit_ns = settings->load_limit_ns ? settings->load_limit_ns : 600 * CLOCK_NS_PER_S;
    err = set_paths(w, settings, reterr);
    if (err)
        worker_free(w);
    else
        *ret = w;
    return err;
}

static void net_fini(struct worker_net *net)
{
    if (!net->used) return;
    (void)close(net->fd);
    worker_rings_free(net->rings);
    *net = (struct worker_net){0};
}

void worker_free(struct worker *w)
{
    if (!w) return;
    pid_t child = w->child.pid;
    w->child.pid = 0; /* hang up, but let it end by itself */
    worker_give_up(w, "closed");
    w->child.pid = child;
    child_fini(&w->child, w->address.sun_path);
    for (int i = 0; i < WORKER_SLOTS; i++)
        net_fini(&w->net[i]);
    free(w);
}

/* ---- networks ---- */

static enum burst_err check_model(int slot, const struct worker_model *m, struct burst_error *reterr)
{
    if (slot < 0 || slot >= WORKER_SLOTS) return burst_fail(reterr, BURST_E_RANGE, "slot %d of %d", slot, WORKER_SLOTS);
    if ((unsigned)m->role >= WORKER_ROLE_N) return burst_fail(reterr, BURST_E_RANGE, "role %d", (int)m->role);
    if (m->batch < 0 || m->batch > WORKER_BATCH_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "batches of %d; at most %d", m->batch, WORKER_BATCH_MOST);
    if (m->n < 1) return burst_fail(reterr, BURST_E_RANGE, "a network of no bytes");
    if (m->n > NET_FILE_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "a network of %zu bytes; at most %d", m->n, NET_FILE_MOST);
    return BURST_OK;
}

static void fill_load(struct wire_load *load, int slot, const struct worker_model *m)
{
    wire_begin(load, sizeof *load, WIRE_LOAD, 1);
    load->slot = (uint32_t)slot;
    load->role = (uint32_t)m->role;
    load->n_bytes = m->n;
    load->batch = (uint32_t)(m->batch ? m->batch : WORKER_BATCH_MOST);
    load->keep_all = m->keep_all;
    if (m->role == WORKER_LIGHT_CURVE) {
        load->cam_index = m->cam_index;
        load->n_atom = m->n_atom;
        load->n_band = m->n_band;
        memcpy(load->first, m->first, sizeof load->first);
        memcpy(load->last, m->last, sizeof load->last);
    }
    if (m->role == WORKER_IMAGE) {
        const float scaling[4] = {m->scaling.clip_lo, m->scaling.clip_hi, m->scaling.image_scale,
                                  m->scaling.mask_scale};
        memcpy(load->scaling, scaling, sizeof scaling);
    }
}

enum burst_err worker_model(struct worker *w, int slot, const struct worker_model *model, struct burst_error *reterr)
{
    struct worker_net net = {.used = true, .to_send = true, .fd = -1, .slot.state = WORKER_SLOT_WAITS};
    struct wire_request checked;
    enum burst_err err = check_model(slot, model, reterr);
    if (err) return err;
    fill_load(&net.load, slot, model);
    err = wire_read_request(&net.load, sizeof net.load, 1, &checked, reterr); /* what the worker would refuse */
    if (!err && model->role == WORKER_LIGHT_CURVE) err = worker_rings_new(model->n_atom, &net.rings, reterr);
    if (!err) err = wire_make_memory(model->n, model->bytes, &net.fd, reterr);
    if (err) {
        worker_rings_free(net.rings);
        return err;
    }
    net.in_flight = w->net[slot].in_flight; /* an answer about the network before is still to come */
    net_fini(&w->net[slot]);
    w->net[slot] = net;
    return BURST_OK;
}

bool worker_ask_again(struct worker *w)
{
    bool any = false;
    for (int i = 0; i < WORKER_SLOTS; i++) {
        struct worker_net *net = &w->net[i];
        if (net->slot.state != WORKER_SLOT_REFUSED) continue;
        net->slot = (struct worker_slot){.state = WORKER_SLOT_WAITS};
        any = net->to_send = true;
    }
    return any;
}

/* ---- what is told ---- */

enum worker_state worker_state(const struct worker *w)
{
    return w->state;
}

int worker_fd(const struct worker *w)
{
    return w->fd;
}

const char *worker_why(const struct worker *w)
{
    return w->why;
}

const struct worker_facts *worker_facts(const struct worker *w)
{
    return w->state >= WORKER_LOADING ? &w->facts : NULL;
}

const struct worker_slot *worker_slot(const struct worker *w, int slot)
{
    return &w->net[slot].slot;
}

const char *worker_socket(const struct worker *w)
{
    return w->address.sun_path;
}

int64_t worker_device_ns(const struct worker *w)
{
    return w->device_ns;
}
