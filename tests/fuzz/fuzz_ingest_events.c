/* Any bytes as an event chunk of the instrument they claim; an accepted packet keeps every promise of records/packet.h. */
#include "fuzz/fits_mutate.h"
#include "ingest/identify.h"
#include "ingest/ingest.h"
#include <math.h>

static void check_list(const struct event_packet *p, const struct event_list *l)
{
    must(l->detector >= 0 && l->detector < DETECTOR_MAX && l->n_channel >= 1 && l->n_good >= 1);
    for (size_t i = 0; i < l->n_event; i++)
        must(l->channel[i] < l->n_channel && l->t_ns[i] >= p->epoch_ns);
    for (size_t i = 0; i < l->n_good; i++) {
        must(l->good[i].stop_ns > l->good[i].start_ns);
        must(!i || l->good[i].start_ns >= l->good[i - 1].stop_ns);
    }
    for (size_t i = 0; i < l->n_channel; i++)
        must(l->e_min_kev[i] >= 0 && l->e_min_kev[i] < l->e_max_kev[i] && isfinite(l->e_max_kev[i]));
    must(p->span.start_ns == l->good[0].start_ns && p->span.stop_ns == l->good[l->n_good - 1].stop_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source source = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_GBM};
    struct event_packet packet;
    struct burst_error why;
    struct arena arena;
    (void)ingest_identify(data, size, REALM_LIVE, &source, &why); /* refused: read as GBM all the same */
    if (source.instrument == INSTRUMENT_ECLAIRS || arena_init(&arena, ingest_arena_need(size), &why)) return 0;
    enum burst_err err = ingest_events(source, data, size, &arena, &packet, &why);
    must(err != BURST_E_NOMEM && (!err || why.text[0] != 0)); /* the stated arena is enough for any body */
    for (size_t i = 0; !err && i < packet.n_list; i++)
        check_list(&packet, &packet.list[i]);
    arena_fini(&arena);
    return 0;
}
