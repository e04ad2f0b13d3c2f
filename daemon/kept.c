/* Alerts and sightings as blobs. */
#include "daemon/kept.h"
#include "base/bytes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };

void kept_alert_key(enum burst_realm realm, int slot, char ret_key[KEPT_KEY_TEXT])
{
    (void)snprintf(ret_key, KEPT_KEY_TEXT, "%s.alert.%d", source_realm_prefix(realm), slot);
}

void kept_sightings_key(enum burst_realm realm, char ret_key[KEPT_KEY_TEXT])
{
    (void)snprintf(ret_key, KEPT_KEY_TEXT, "%s.sightings", source_realm_prefix(realm));
}

void kept_past_key(enum burst_realm realm, enum burst_mission mission, const char *name,
                   char ret_key[KEPT_PAST_KEY_TEXT])
{
    (void)snprintf(ret_key, KEPT_PAST_KEY_TEXT, "%s.%d.%s", source_realm_prefix(realm), (int)mission, name);
}

static void encode(const void *what, size_t n, uint8_t *ret_blob)
{
    bytes_put_u32(ret_blob, VERSION);
    bytes_put_u32(ret_blob + 4, (uint32_t)n);
    memcpy(ret_blob + KEPT_HEAD, what, n);
}

static enum burst_err check_head(const char *what, const uint8_t *blob, size_t n, size_t want,
                                 struct burst_error *reterr)
{
    uint32_t version = n >= KEPT_HEAD ? bytes_get_u32(blob) : 0, size = n >= KEPT_HEAD ? bytes_get_u32(blob + 4) : 0;
    if (n == KEPT_HEAD + want && version == VERSION && size == want) return BURST_OK;
    return burst_fail(reterr, BURST_E_FORMAT, "%s of %zu bytes, version %u; %zu and %d expected", what, n, version,
                      KEPT_HEAD + want, VERSION);
}

void kept_encode_alert(const struct alert *a, uint8_t ret_blob[KEPT_ALERT_BLOB])
{
    encode(a, sizeof *a, ret_blob);
}

enum burst_err kept_decode_past(const uint8_t *blob, size_t n, struct alert *ret_alert, struct burst_error *reterr)
{
    struct alert a;
    enum burst_err err = check_head("an alert", blob, n, sizeof a, reterr);
    if (err) return err;
    memcpy(&a, blob + KEPT_HEAD, sizeof a);
    err = book_check_alert(&a, reterr);
    if (!err) *ret_alert = a;
    return err;
}

enum burst_err kept_decode_alert(const uint8_t *blob, size_t n, struct book *b, int slot, struct burst_error *reterr)
{
    struct alert a;
    enum burst_err err = kept_decode_past(blob, n, &a, reterr);
    if (err) return err;
    b->alert[slot] = a;
    if (a.used > b->n_used) b->n_used = a.used;
    return BURST_OK;
}

void kept_encode_sightings(const struct sighting s[BOOK_SIGHTINGS], uint8_t ret_blob[KEPT_SIGHTINGS_BLOB])
{
    encode(s, BOOK_SIGHTINGS * sizeof *s, ret_blob);
}

enum burst_err kept_decode_sightings(const uint8_t *blob, size_t n, struct book *b, struct burst_error *reterr)
{
    struct sighting s;
    enum burst_err err = check_head("sightings", blob, n, BOOK_SIGHTINGS * sizeof s, reterr);
    for (size_t i = 0; !err && i < BOOK_SIGHTINGS; i++) {
        memcpy(&s, blob + KEPT_HEAD + i * sizeof s, sizeof s);
        err = book_check_sighting(&s, reterr);
    }
    if (err) return err;
    memcpy(b->sighting, blob + KEPT_HEAD, sizeof b->sighting);
    for (b->n_sighting = 0; b->n_sighting < BOOK_SIGHTINGS && b->sighting[b->n_sighting].id[0];)
        b->n_sighting++;
    return BURST_OK;
}
