/* Event chunks: the door, the checks that come before any layout, and what they share at the end. */
#include "base/hash.h"
#include "fits/sum.h"
#include "ingest/chunk.h"
#include "ingest/ingest.h"

enum { ARENA_SPARE = 64 * 1024 }; /* alignment of some eighty pieces */

size_t ingest_arena_need(size_t n_body)
{
    return n_body +
           ARENA_SPARE; /* an event takes 10 bytes of a row of at least 10, and so do bounds, good time, pixels */
}

static enum burst_err read_packet(struct chunk *c, struct event_packet *packet)
{
    const struct fits_hdu *primary = &c->file->hdu[0];
    enum burst_err err = chunk_check_source(primary, c->fact, c->reterr);
    if (err || (err = chunk_check_epoch(c, primary))) return err;
    return c->fact->instrument == INSTRUMENT_GBM ? events_read_gbm(c, packet) : events_read_gecam(c, packet);
}

enum burst_err ingest_events(struct source source, const uint8_t *body, size_t n, struct arena *arena,
                             struct event_packet *ret_packet, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    struct fits_file file;
    struct event_packet packet = {.source = source};
    if (!fact || !fact->n_detector)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no event chunks", fact ? fact->topic : "this source");
    enum burst_err err = fits_gate(body, n, &file, reterr);
    if (err || (err = fits_sums_check(&file, reterr))) return err;
    struct chunk c = {.fact = fact, .file = &file, .arena = arena, .reterr = reterr, .epoch_ns = source_epoch_ns(fact)};
    if ((err = read_packet(&c, &packet))) return err;
    for (size_t i = 0; i < packet.n_list; i++) {
        struct event_list *list = &packet.list[i];
        list->n_good = c.n_good;
        list->good = c.good;
        list->n_channel = c.n_channel;
        list->e_min_kev = c.e_min_kev;
        list->e_max_kev = c.e_max_kev;
    }
    packet.epoch_ns = c.epoch_ns;
    packet.span = c.span;
    hash_sha256(&(struct hash_piece){body, n}, 1, packet.sha256);
    *ret_packet = packet;
    return BURST_OK;
}
