/* Any bytes as the worker's packet: refused, or an answer whose fields this harness finds in their ranges. Seeds:
 * tests/fuzz/corpus/net_worker_answer. */
#include "net/worker_wire.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void need(bool fact)
{
    if (!fact) abort();
}

static void look_at_loaded(const struct wire_loaded *p)
{
    need(p->slot < WORKER_SLOTS && p->batch >= 1 && p->batch <= WORKER_BATCH_MOST && p->n_cam >= 0 &&
         strlen(p->sha256) == 64);
    need(p->n_input >= 1 && p->n_input <= WORKER_PORTS_MOST && p->n_output >= 1 && p->n_output <= WORKER_PORTS_MOST);
    for (uint32_t i = 0; i < p->n_input; i++)
        need(p->input_floats[i] >= 1 && p->input_floats[i] <= INT64_C(1) << 28);
    for (uint32_t i = 0; i < p->n_output; i++)
        need(p->output_floats[i] >= 1 && p->output_floats[i] <= INT64_C(1) << 28);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct wire_answer a;
    struct burst_error error = {0};
    enum burst_err err = wire_read_answer(bytes, n, &a, &error);
    if (err) {
        need(error.code == err && error.text[0]);
        return 0;
    }
    need(a.head.bytes == n && memcmp(&a.head, bytes, n) == 0);
    if (a.kind == WIRE_WELCOME) need(a.welcome.pid >= 1 && memchr(a.welcome.device, 0, sizeof a.welcome.device));
    if (a.kind == WIRE_LOADED) look_at_loaded(&a.loaded);
    if (a.kind == WIRE_FAILED)
        need(a.failed.code && a.failed.code < BURST_E_N && memchr(a.failed.text, 0, sizeof a.failed.text));
    if (a.kind == WIRE_DONE)
        need(a.done.code < BURST_E_N && a.done.n_bytes <= WIRE_AREA_MOST && (!a.done.code || !a.done.n_bytes) &&
             memchr(a.done.text, 0, sizeof a.done.text));
    return 0;
}
