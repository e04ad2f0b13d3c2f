/* The book of events as the store keeps it: one blob for each alert, under a key of its place and for a year under each of its names,
 * and one for a realm's sightings. Written in the same commit as the record that changed it, so that after a restart every sequence
 * goes on where it was told, and so does one that 256 others have pushed out of the book.
 * A blob is read back by the same build on the same host: plain memory behind a version and a size. */
#ifndef BURST_DAEMON_KEPT_H
#define BURST_DAEMON_KEPT_H
#include "decide/book.h"

enum { KEPT_KEY_TEXT = 48, KEPT_PAST_KEY_TEXT = 96, KEPT_HEAD = 8 };
enum {
    KEPT_ALERT_BLOB = KEPT_HEAD + sizeof(struct alert),
    KEPT_SIGHTINGS_BLOB = KEPT_HEAD + BOOK_SIGHTINGS * sizeof(struct sighting)
};

void kept_alert_key(enum burst_realm realm, int slot, char ret_key[KEPT_KEY_TEXT]);
void kept_sightings_key(enum burst_realm realm, char ret_key[KEPT_KEY_TEXT]);

/* Of an alert under one of its names: its place in the book is another's by now. */
void kept_past_key(enum burst_realm realm, enum burst_mission mission, const char *name,
                   char ret_key[KEPT_PAST_KEY_TEXT]);

void kept_encode_alert(const struct alert *a, uint8_t ret_blob[KEPT_ALERT_BLOB]);
/* BURST_E_FORMAT  of another version or size, or broken: forget it; *ret_alert is untouched */
enum burst_err kept_decode_past(const uint8_t *blob, size_t n, struct alert *ret_alert, struct burst_error *reterr);
/* As kept_decode_past, into its place in the book. */
enum burst_err kept_decode_alert(const uint8_t *blob, size_t n, struct book *b, int slot, struct burst_error *reterr);
void kept_encode_sightings(const struct sighting s[BOOK_SIGHTINGS], uint8_t ret_blob[KEPT_SIGHTINGS_BLOB]);
/* As kept_decode_past. */
enum burst_err kept_decode_sightings(const uint8_t *blob, size_t n, struct book *b, struct burst_error *reterr);
#endif
