/* Any bytes as an event chunk of the instrument they claim; an accepted packet keeps every promise of records/packet.h. */
#include "fuzz/fits_mutate.h"
#include "ingest/identify.h"
#include "ingest/ingest.h"
#include <stdio.h>

enum { BODY_MOST = 1 << 20 };

static void check_list(const struct event_packet *p, const struct event_list *l)
{
    uint64_t n = 0;
    must(l->detector >= 0 && l->detector < DETECTOR_MAX && l->n_good >= 1);
    for (size_t i = 0; i < l->n_tile; i++) {
        must(l->tile[i].k0 >= 0 && l->tile[i].k0 % EVENT_TILE_BINS == 0);
        must(!i || l->tile[i].k0 > l->tile[i - 1].k0);
        for (int t = 0; t < p->bands.n_atom * EVENT_TILE_BINS; t++)
            n += l->tile[i].counts[t];
    }
    must(n == l->n_event);
    for (size_t i = 0; i < l->n_good; i++) {
        must(l->good[i].stop_ns > l->good[i].start_ns);
        must(!i || l->good[i].start_ns >= l->good[i - 1].stop_ns);
    }
    must(p->span.start_ns == l->good[0].start_ns && p->span.stop_ns == l->good[l->n_good - 1].stop_ns);
}

/* An added instrument beside the built-in ones: one table, a detector column, conditions, a linear law. */
static void add_instrument(void)
{
    static struct source_added a; /* zeros */
    if (a.n_detector) return;
    (void)snprintf(a.topic, sizeof a.topic, "hxmt.he");
    (void)snprintf(a.fits_telescope, sizeof a.fits_telescope, "HXMT");
    (void)snprintf(a.fits_instrument, sizeof a.fits_instrument, "HE");
    (void)snprintf(a.map.table, sizeof a.map.table, "Events");
    (void)snprintf(a.map.time, sizeof a.map.time, "Time");
    (void)snprintf(a.map.channel, sizeof a.map.channel, "Channel");
    (void)snprintf(a.map.detector, sizeof a.map.detector, "Det_ID");
    a.n_detector = 18;
    a.n_open = 3;
    a.epoch_mjd_i = 55927;
    a.epoch_mjd_f = 66.184 / 86400;
    a.map.good_in_header = a.map.linear = true;
    a.map.n_channel = 256;
    a.map.channel_kev = 2.34;
    a.map.n_keep = 2;
    a.map.keep[0] = (struct event_keep){"Pulse_Width", 76, 32767};
    a.map.keep[1] = (struct event_keep){"ACD", -32768, 0};
    must(source_add(&a, NULL) == BURST_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source source = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_GBM};
    struct event_packet packet;
    struct burst_error why;
    static struct arena arena; /* of the largest body; each takes as much of it as its own would have */
    struct band_set bands;
    band_set_default(&bands);
    add_instrument();
    (void)ingest_identify(data, size, REALM_LIVE, &source, &why); /* refused: read as GBM all the same */
    if (source.instrument == INSTRUMENT_ECLAIRS || size > BODY_MOST) return 0;
    if (!arena.base && arena_init(&arena, ingest_arena_need(BODY_MOST), &why)) return 0;
    arena_reset(&arena);
    arena.size = ingest_arena_need(size) / 64 * 64;
    enum burst_err err = ingest_events(source, data, size, &bands, &arena, &packet, &why);
    must(!err || why.text[0] != 0);
    for (size_t i = 0; !err && i < packet.n_list; i++)
        check_list(&packet, &packet.list[i]);
    return 0;
}
