/* Two rings of what came last, searched from the newest back. A few thousand 32-byte digests are a fraction of the time
 * one SHA-256 takes, so there is no index to keep right. */
#include "ingest/repeats.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20, KEY = 16 };

/* What is compared first, and what must then be equal. */
struct entry {
    uint8_t key[KEY], sha256[32];
    int64_t stop_ns; /* of a body: the end of its data */
};

struct ring {
    struct entry *entries;
    size_t n, next; /* filled; where the next one goes */
};

struct ingest_repeats {
    size_t n_most;
    struct ring bodies, subimages;
};

enum burst_err ingest_repeats_new(size_t n_most, struct ingest_repeats **ret_r, struct burst_error *reterr)
{
    if (n_most < 1 || n_most > MOST)
        return burst_fail(reterr, BURST_E_RANGE, "a memory of %zu bodies: 1 to %d expected", n_most, MOST);
    struct ingest_repeats *r = calloc(1, sizeof *r);
    if (r) {
        r->n_most = n_most;
        r->bodies.entries = calloc(n_most, sizeof *r->bodies.entries);
        r->subimages.entries = calloc(n_most, sizeof *r->subimages.entries);
    }
    if (!r || !r->bodies.entries || !r->subimages.entries) {
        ingest_repeats_free(r);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory to remember %zu bodies", n_most);
    }
    *ret_r = r;
    return BURST_OK;
}

void ingest_repeats_free(struct ingest_repeats *r)
{
    if (!r) return;
    free(r->bodies.entries);
    free(r->subimages.entries);
    free(r);
}

static const struct entry *ring_find(const struct ring *ring, size_t n_most, const struct entry *wanted,
                                     bool with_digest)
{
    for (size_t i = 1; i <= ring->n; i++) {
        const struct entry *e = &ring->entries[(ring->next + n_most - i) % n_most];
        if (memcmp(e->key, wanted->key, KEY) != 0) continue;
        if (!with_digest || !memcmp(e->sha256, wanted->sha256, sizeof e->sha256)) return e;
    }
    return NULL;
}

static void ring_add(struct ring *ring, size_t n_most, const struct entry *entry)
{
    ring->entries[ring->next] = *entry;
    ring->next = (ring->next + 1) % n_most;
    if (ring->n < n_most) ring->n++;
}

enum burst_err ingest_repeats_body(struct ingest_repeats *r, const char *topic, size_t n_topic,
                                   const uint8_t sha256[32], int64_t *ret_stop_ns, struct burst_error *reterr)
{
    struct entry entry = {.stop_ns = INGEST_REPEATS_UNTOLD};
    hash_blake2b(&(struct hash_piece){topic, n_topic}, 1, KEY, entry.key);
    memcpy(entry.sha256, sha256, sizeof entry.sha256);
    const struct entry *old = ring_find(&r->bodies, r->n_most, &entry, true);
    if (old) *ret_stop_ns = old->stop_ns;
    if (old)
        return burst_fail(reterr, BURST_E_DUPLICATE, "%.*s: a body with this SHA-256 came before",
                          (int)(n_topic < 80 ? n_topic : 80), topic);
    ring_add(&r->bodies, r->n_most, &entry);
    return BURST_OK;
}

void ingest_repeats_told(struct ingest_repeats *r, int64_t stop_ns)
{
    if (r->bodies.n) r->bodies.entries[(r->bodies.next + r->n_most - 1) % r->n_most].stop_ns = stop_ns;
}

void ingest_repeats_forget(struct ingest_repeats *r)
{
    r->bodies.n = 0;
}

enum burst_err ingest_repeats_subimage(struct ingest_repeats *r, const struct subimage_packet *packet,
                                       struct burst_error *reterr)
{
    struct entry entry = {.stop_ns = INGEST_REPEATS_UNTOLD};
    const struct hash_piece pieces[] = {{&packet->source.realm, sizeof packet->source.realm},
                                        {&packet->alert_count, sizeof packet->alert_count},
                                        {packet->burst_id, strlen(packet->burst_id) + 1},
                                        {packet->data_stream, strlen(packet->data_stream) + 1}};
    hash_blake2b(pieces, sizeof pieces / sizeof pieces[0], KEY, entry.key);
    memcpy(entry.sha256, packet->sha256, sizeof entry.sha256);
    const struct entry *old = ring_find(&r->subimages, r->n_most, &entry, false);
    if (!old) {
        ring_add(&r->subimages, r->n_most, &entry);
        return BURST_OK;
    }
    bool same = !memcmp(old->sha256, entry.sha256, sizeof entry.sha256);
    return burst_fail(reterr, same ? BURST_E_DUPLICATE : BURST_E_CONFLICT,
                      "%s: sub-image ALERTCNT %d of %s came before with %s bytes", packet->burst_id,
                      packet->alert_count, packet->data_stream, same ? "the same" : "other");
}
