/* Event chunks: the door, the checks that come before any layout, and what they share at the end. */
#include "fits/sum.h"
#include "ingest/chunk.h"
#include "ingest/ingest.h"

/* Two tiles of each of 25 detectors with eight atoms, the least a message of any length may need, and alignment of some eighty
 * pieces. */
enum { ARENA_SPARE = 2 * DETECTOR_MAX * (ATOM_MAX + 1) * EVENT_TILE_BINS * 4 + 64 * 1024 };

size_t ingest_arena_need(size_t n_body)
{
    /* Bounds, good time and pixels take no more than they take in the file. Counts take less than rows at 60 rows per second and
     * detector; rows to be put in order take 34 bytes more each where the file has 18. */
    return 4 * n_body + ARENA_SPARE;
}

static enum burst_err read_packet(struct chunk *c, struct event_packet *packet)
{
    const struct fits_hdu *primary = &c->file->hdu[0];
    enum burst_err err = chunk_check_source(primary, c->fact, c->reterr);
    if (err || (err = chunk_check_epoch(c, primary))) return err;
    if (c->fact->map) return events_read_mapped(c, packet);
    return c->fact->instrument == INSTRUMENT_GBM ? events_read_gbm(c, packet) : events_read_gecam(c, packet);
}

enum burst_err ingest_events(struct source source, const uint8_t *body, size_t n, const struct band_set *bands,
                             struct arena *arena, struct event_packet *ret_packet, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    struct fits_file file;
    struct event_packet packet = {.source = source, .bands = *bands};
    if (!fact || !fact->n_detector)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no event chunks", fact ? fact->topic : "this source");
    enum burst_err err = fits_gate(body, n, &file, reterr);
    if (err || (err = fits_sums_check(&file, reterr))) return err;
    struct chunk c = {.fact = fact,
                      .file = &file,
                      .arena = arena,
                      .reterr = reterr,
                      .epoch_ns = source_epoch_ns(fact),
                      .bands = *bands};
    if ((err = read_packet(&c, &packet))) return err;
    for (size_t i = 0; i < packet.n_list; i++) {
        packet.list[i].n_good = c.n_good;
        packet.list[i].good = c.good;
    }
    packet.epoch_ns = c.epoch_ns;
    packet.span = c.span;
    *ret_packet = packet;
    return BURST_OK;
}
