/* One message's bytes to one checked record: every byte from outside is judged here, once, and nowhere later.
 * Refuses whatever the format pages do not describe, with one sentence naming what, where (HDU, row, byte offset), the
 * value and the limit. Keeps no state (repeats.h does) and allocates from the arena it is given alone. */
#ifndef BURST_INGEST_INGEST_H
#define BURST_INGEST_INGEST_H
#include "base/arena.h"
#include "records/packet.h"

/* Bytes of arena that ingest_subimage may take for a body of n bytes, and that ingest_events takes for chunks as missions
 * make them: counts take less room than the rows they are made of, and a message of a second has a least size. */
size_t ingest_arena_need(size_t n_body);

/* Read an event chunk: Fermi/GBM TTE (one detector per file), GECAM or SVOM/GRM event files (EVENTSnn), and count its rows
 * straight from the message.
 *
 * Given     source       what the topic said; the file must agree (TELESCOP, INSTRUME)
 *           body [n]     lent for the call
 *           bands        whose atoms are counted
 *           arena        receives tiles, good time and energy bounds of ret_packet; a tile (65.5 s of a detector) is taken where
 *                        rows are, so that the room needed follows the data and not what a header says
 * Returned  ret_packet   counts of recommended events per 64 ms bin and atom, dead time of all rows. Times are the stored double
 *                        rounded to the nearest nanosecond plus TZERO exactly; epoch_ns is the mission's own, whatever digits
 *                        MJDREFF was printed with
 * Errors    those of fits_gate; besides
 *           BURST_E_MISSING      a required HDU, column or keyword is absent; no good time
 *           BURST_E_FORMAT       a column or keyword has another type or value than the layout has
 *           BURST_E_UNSUPPORTED  the source sends no event chunks; an unknown detector name
 *           BURST_E_TIME         another epoch or time system; NaN, infinite or negative times; times outside the
 *                                header's TSTART..TSTOP by more than 1 s; good time unordered or overlapping
 *           BURST_E_RANGE        channels, gains, dead times or energy bounds outside their range or order
 *           BURST_E_LIMIT        more than 4,320 rows of good time, 4,096 channels, or detectors than the instrument has
 *           BURST_E_NOMEM        the arena is full: rows spread over more time than it has room for
 *           ret_packet is untouched on every error; the arena may have been used
 * Notes     TSTART/TSTOP are printed rounded (GBM to a microsecond, hourly products to a second), so an event may lie
 *           up to 1 s outside; more means another clock. Events outside the good-time intervals are counted all the same: bins
 *           there are missing anyway. A placeholder EVENTSnn without columns gives no list: zero counts would be a lie.
 *           A row whose channel is the column's null is dropped. Rows out of order in a file of two gains are put in order
 *           (stable) before deposits that stand in both are merged.
 * Source    formats.md 2, 3; protocol.md 4; reliability.md 5 T */
enum burst_err ingest_events(struct source source, const uint8_t *body, size_t n, const struct band_set *bands,
                             struct arena *arena, struct event_packet *ret_packet, struct burst_error *reterr);

/* Read an ECLAIRs sub-image.
 *
 * Given and returned as above; ret_packet->snr lies in the arena
 * Errors    those of fits_gate; BURST_E_MISSING, BURST_E_FORMAT as above
 *           BURST_E_SHAPE  not a 2-d float32 image of 1..56 x 1..56, or more than the primary HDU
 *           BURST_E_RANGE  |SNR| > 1e6, no pixel with data, image outside the sky, trigger pixel outside the sky, a
 *                          keyword outside its range
 *           BURST_E_TIME   DATE-OBS or DATE-END is no UTC, or they are not in order
 * Notes     A trigger pixel inside the sky but outside the image, or on NaN, is accepted: the verdict says PARTIAL_IMAGE.
 *           An infinite pixel has no data. Accepted with a fault, for a person to look at: sky coordinates that are
 *           absent, not gnomonic, singular or no camera's; pixels whose bytes came in the wrong order, turned round by the
 *           statistics of all of them; pixels that hardly differ.
 * Source    protocol.md 5 */
enum burst_err ingest_subimage(struct source source, const uint8_t *body, size_t n, struct arena *arena,
                               struct subimage_packet *ret_packet, struct burst_error *reterr);
#endif
