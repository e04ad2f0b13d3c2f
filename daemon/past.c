/* Events that have left the book. */
#include "daemon/past.h"
#include "base/log.h"
#include "daemon/kept.h"
#include "publish/store.h"
#include <stdlib.h>
#include <string.h>

/* What the hooks of one book are called with. */
struct past_realm {
    struct past *past;
    enum burst_realm realm;
};

struct parted {
    enum burst_realm realm;
    struct alert alert;
};

struct past {
    struct store_reader *reader;
    struct book *book;
    struct past_realm realm[REALM_N];
    size_t n_ring;
    uint64_t n_parted; /* so far; the newest overwrites the oldest */
    struct parted *ring;
};

static void part(void *arg, const struct alert *a)
{
    const struct past_realm *r = arg;
    struct parted *to = &r->past->ring[r->past->n_parted++ % r->past->n_ring];
    to->realm = r->realm;
    to->alert = *a;
}

static bool is_named(const struct alert *a, enum burst_mission mission, const char *id)
{
    bool named = strcmp(a->id, id) == 0;
    for (int i = 0; i < ALERT_ALIASES; i++)
        named = named || strcmp(a->alias[i], id) == 0;
    return named && a->last.source.mission == mission;
}

/* The newest first: an event may leave, come back and leave again. */
static const struct alert *find_on_way(const struct past_realm *r, enum burst_mission mission, const char *id)
{
    const struct past *p = r->past;
    for (uint64_t i = 1; i <= p->n_ring && i <= p->n_parted; i++) {
        const struct parted *one = &p->ring[(p->n_parted - i) % p->n_ring];
        if (one->realm == r->realm && is_named(&one->alert, mission, id)) return &one->alert;
    }
    return NULL;
}

static bool find(void *arg, enum burst_mission mission, const char *id, struct alert *ret_alert)
{
    const struct past_realm *r = arg;
    const struct alert *on_way = find_on_way(r, mission, id);
    if (on_way) {
        *ret_alert = *on_way;
        return true;
    }
    char key[KEPT_PAST_KEY_TEXT];
    uint8_t *blob = NULL;
    size_t n = 0;
    struct burst_error e;
    kept_past_key(r->realm, mission, id, key);
    enum burst_err err = store_past_get(r->past->reader, key, &blob, &n, &e);
    if (err == BURST_E_MISSING) return false;
    if (!err) err = kept_decode_past(blob, n, ret_alert, &e);
    free(blob);
    if (err) log_line(LOG_LEVEL_ERROR, "what was told of an event cannot be read key=%s what=\"%s\"", key, e.text);
    return !err;
}

/* The last record of an event that leaves may still be on its way. But each that leaves makes room for another with a record of its
 * own: before as many as can be on their way have left, it has arrived. */
enum burst_err past_open(const char *database, int n_on_way, struct book *book, struct past **ret_past,
                         struct burst_error *reterr)
{
    struct past *p = calloc(1, sizeof *p);
    if (!p) return burst_fail(reterr, BURST_E_NOMEM, "no memory for events of before");
    p->n_ring = (size_t)n_on_way + 1;
    p->ring = calloc(p->n_ring, sizeof *p->ring);
    enum burst_err err = p->ring ? store_reader_open(database, &p->reader, reterr)
                                 : burst_fail(reterr, BURST_E_NOMEM, "no memory for %d events of before", n_on_way);
    if (err) {
        past_close(p);
        return err;
    }
    p->book = book;
    for (int i = 0; i < REALM_N; i++) {
        p->realm[i] = (struct past_realm){p, (enum burst_realm)i};
        book[i].past = (struct book_past){part, find, &p->realm[i]};
    }
    *ret_past = p;
    return BURST_OK;
}

void past_close(struct past *past)
{
    if (!past) return;
    for (int i = 0; past->book && i < REALM_N; i++)
        past->book[i].past = (struct book_past){NULL, NULL, NULL};
    store_reader_close(past->reader);
    free(past->ring);
    free(past);
}
