/* Any bytes as a client's packet, with any number of descriptors: refused, or a request whose fields this harness finds in their
 * ranges, and that reads the same again. Seeds: tests/fuzz/corpus/net_worker_request (first byte: descriptors). */
#include "net/net.h"
#include "net/worker_wire.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void need(bool fact)
{
    if (!fact) abort();
}

static void look_at_hello(const struct wire_hello *p)
{
    need(p->precision < WORKER_PRECISION_N && p->background <= 1 && p->spin <= 1 && p->core >= -1);
    need(p->input_bytes && p->input_bytes % WIRE_PAGE == 0 && p->input_bytes <= WIRE_AREA_MOST);
    need(p->output_bytes && p->output_bytes % WIRE_PAGE == 0 && p->output_bytes <= WIRE_AREA_MOST);
}

static void look_at_load(const struct wire_load *p)
{
    need(p->slot < WORKER_SLOTS && p->role < WORKER_ROLE_N && p->batch >= 1 && p->batch <= WORKER_BATCH_MOST);
    need(p->n_bytes >= 1 && p->n_bytes <= NET_FILE_MOST && p->keep_all <= 1);
    if (p->role == WORKER_LIGHT_CURVE) {
        need(p->n_atom >= 1 && p->n_atom <= RING_ATOM_MOST && p->n_band >= 1 && p->n_band <= RING_BAND_MOST &&
             p->cam_index >= 0);
        for (int b = 0; b < p->n_band; b++)
            need(p->first[b] < p->last[b] && p->last[b] <= p->n_atom);
    }
    for (int i = 0; p->role == WORKER_IMAGE && i < 4; i++)
        need(isfinite(p->scaling[i]));
}

static void look_at_job(const struct wire_job *p)
{
    need(p->kind < WIRE_JOB_KIND_N && p->slot < WORKER_SLOTS && p->n <= WIRE_AREA_MOST);
    if (p->kind != WIRE_ECHO) need(p->n <= WORKER_BATCH_MOST);
    need(strnlen(p->name, sizeof p->name) < sizeof p->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct wire_request r, again;
    struct burst_error error = {0};
    int n_fd = n ? bytes[0] % 4 : 0;
    if (n) bytes++, n--;
    enum burst_err err = wire_read_request(bytes, n, n_fd, &r, &error);
    if (err) {
        need(error.code == err && error.text[0]);
        return 0;
    }
    need(n_fd == (r.kind != WIRE_JOB));
    if (r.kind == WIRE_HELLO) look_at_hello(&r.hello);
    if (r.kind == WIRE_LOAD) look_at_load(&r.load);
    if (r.kind == WIRE_JOB) look_at_job(&r.job);
    need(wire_read_request(&r.head, r.head.bytes, n_fd, &again, &error) == BURST_OK);
    need(memcmp(&again.head, bytes, n) == 0);
    return 0;
}
