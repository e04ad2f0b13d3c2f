#include "stream/log_memory.h"
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ACK_MOST = 1024, NAME_TEXT = 64 };

/* One message; body follows the struct in the same block. */
struct entry {
    struct entry *later; /* next appended, whatever its topic: the order in which the bound forgets */
    struct topic_log *topic;
    struct stream_item item;
    uint8_t seal[FRAME_SEAL];
    uint8_t body[];
};

/* Messages of one topic: numbers first .. first + n - 1 at entries[start ...]. */
struct topic_log {
    struct topic_log *next; /* rising topic order */
    char topic[STREAM_TOPIC_TEXT];
    uint64_t first;
    struct entry **entries;
    size_t start, n, room;
    uint8_t h[STREAM_CHAIN];
};

struct ack_mark {
    struct ack_mark *next;
    char name[NAME_TEXT], topic[STREAM_TOPIC_TEXT];
    uint64_t seq;
};

struct log_memory {
    struct topic_log *topics;
    struct entry *oldest, *newest;
    struct ack_mark *acks;
    size_t n_ack, bytes, most_bytes;
};

static struct topic_log *find_topic(const struct log_memory *m, const char *topic)
{
    struct topic_log *t = m->topics;
    while (t && strcmp(t->topic, topic) != 0)
        t = t->next;
    return t;
}

static struct topic_log *add_topic(struct log_memory *m, const char *topic)
{
    struct topic_log *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    memcpy(t->topic, topic, strlen(topic) + 1);
    t->first = 1;
    struct topic_log **at = &m->topics;
    while (*at && strcmp((*at)->topic, topic) < 0)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    return t;
}

static size_t entry_bytes(const struct entry *e)
{
    return sizeof *e + e->item.n_body;
}

static void forget_oldest(struct log_memory *m)
{
    struct entry *e = m->oldest;
    m->oldest = e->later;
    if (!m->oldest) m->newest = NULL;
    e->topic->start++;
    e->topic->first++;
    e->topic->n--;
    m->bytes -= entry_bytes(e);
    free(e);
}

/* Room for one more pointer at the end; what was forgotten in front is reused first. */
static bool make_room(struct topic_log *t)
{
    if (t->start + t->n < t->room) return true;
    if (t->start > t->n) {
        memmove(t->entries, t->entries + t->start, t->n * sizeof *t->entries);
        t->start = 0;
        return true;
    }
    size_t room = t->room ? 2 * t->room : 64;
    struct entry **entries = realloc(t->entries, room * sizeof *entries);
    if (!entries) return false;
    t->entries = entries;
    t->room = room;
    return true;
}

static struct entry *copy_item(const struct stream_item *item)
{
    struct entry *e = malloc(sizeof *e + item->n_body);
    if (!e) return NULL;
    e->later = NULL;
    e->item = *item;
    if (item->n_body) memcpy(e->body, item->body, item->n_body);
    memcpy(e->seal, item->seal, FRAME_SEAL);
    e->item.body = e->body;
    e->item.seal = e->seal;
    return e;
}

static enum burst_err memory_head(void *ctx, const char *topic, uint64_t *ret_seq, uint8_t ret_h[STREAM_CHAIN],
                                  struct burst_error *reterr)
{
    (void)reterr; /* memory cannot fail to be read */
    const struct topic_log *t = find_topic(ctx, topic);
    *ret_seq = t ? t->first + t->n - 1 : 0;
    if (t)
        memcpy(ret_h, t->h, STREAM_CHAIN);
    else
        memset(ret_h, 0, STREAM_CHAIN);
    return BURST_OK;
}

static enum burst_err memory_append(void *ctx, const struct stream_item *item, struct burst_error *reterr)
{
    struct log_memory *m = ctx;
    struct topic_log *t = find_topic(m, item->topic);
    uint64_t next = t ? t->first + t->n : 1;
    if (item->seq != next)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: seq %llu does not follow %llu in the log", item->topic,
                          (unsigned long long)item->seq, (unsigned long long)(next - 1));
    if (sizeof(struct entry) + item->n_body > m->most_bytes)
        return burst_fail(reterr, BURST_E_FULL, "%s seq %llu: %zu bytes do not fit a log of %zu", item->topic,
                          (unsigned long long)item->seq, item->n_body, m->most_bytes);
    if (!t) t = add_topic(m, item->topic);
    struct entry *e = t && make_room(t) ? copy_item(item) : NULL;
    if (!e) return burst_fail(reterr, BURST_E_NOMEM, "no memory to log %zu bytes of %s", item->n_body, item->topic);
    e->topic = t;
    if (m->newest)
        m->newest->later = e;
    else
        m->oldest = e;
    m->newest = e;
    t->entries[t->start + t->n++] = e;
    memcpy(t->h, item->seal, STREAM_CHAIN);
    m->bytes += entry_bytes(e);
    while (m->bytes > m->most_bytes)
        forget_oldest(m);
    return BURST_OK;
}

static enum burst_err memory_read(void *ctx, const char *topic, uint64_t from, uint32_t most, stream_visit *visit,
                                  void *arg, uint64_t *ret_next, struct burst_error *reterr)
{
    const struct topic_log *t = find_topic(ctx, topic);
    uint64_t next = from;
    if (t && from < t->first)
        return burst_fail(reterr, BURST_E_GONE, "%s: seq %llu is no longer kept, the oldest is %llu", topic,
                          (unsigned long long)from, (unsigned long long)t->first);
    while (t && next - t->first < t->n && next - from < most)
        if (visit(arg, &t->entries[t->start + (next++ - t->first)]->item)) break;
    *ret_next = next;
    return BURST_OK;
}

static enum burst_err memory_earliest(void *ctx, const char *topic, uint64_t *ret_seq, struct burst_error *reterr)
{
    (void)reterr; /* memory cannot fail to be read */
    const struct topic_log *t = find_topic(ctx, topic);
    *ret_seq = t ? t->first : 1;
    return BURST_OK;
}

static enum burst_err memory_last(void *ctx, const char *prefix, stream_visit *visit, void *arg,
                                  struct burst_error *reterr)
{
    (void)reterr; /* memory cannot fail to be read */
    const struct log_memory *m = ctx;
    for (const struct topic_log *t = m->topics; t; t = t->next)
        if (strncmp(t->topic, prefix, strlen(prefix)) == 0 && t->n > 0 &&
            visit(arg, &t->entries[t->start + t->n - 1]->item))
            break;
    return BURST_OK;
}

static struct ack_mark *find_ack(const struct log_memory *m, const char *name, const char *topic)
{
    struct ack_mark *a = m->acks;
    while (a && (strcmp(a->name, name) != 0 || strcmp(a->topic, topic) != 0))
        a = a->next;
    return a;
}

static enum burst_err add_ack(struct log_memory *m, const char *name, const char *topic, struct ack_mark **ret_a,
                              struct burst_error *reterr)
{
    if (strlen(name) >= NAME_TEXT || m->n_ack >= ACK_MOST)
        return burst_fail(reterr, BURST_E_IO, "no room for the mark of consumer \"%.63s\": %zu kept, at most %d", name,
                          m->n_ack, ACK_MOST);
    struct ack_mark *a = calloc(1, sizeof *a);
    if (!a) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the mark of consumer \"%s\"", name);
    memcpy(a->name, name, strlen(name) + 1);
    memcpy(a->topic, topic, strlen(topic) + 1);
    a->next = m->acks;
    m->acks = a;
    m->n_ack++;
    *ret_a = a;
    return BURST_OK;
}

static enum burst_err memory_ack(void *ctx, const char *name, const char *topic, uint64_t seq,
                                 const uint8_t h[STREAM_CHAIN], struct burst_error *reterr)
{
    struct log_memory *m = ctx;
    const struct topic_log *t = find_topic(m, topic);
    if (!t || seq >= t->first + t->n)
        return burst_fail(reterr, BURST_E_CONFLICT,
                          "%s: consumer \"%.63s\" acknowledges seq %llu, the log ends at %llu", topic, name,
                          (unsigned long long)seq, (unsigned long long)(t ? t->first + t->n - 1 : 0));
    if (seq >= t->first && memcmp(t->entries[t->start + (seq - t->first)]->seal, h, STREAM_CHAIN) != 0)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: consumer \"%.63s\" holds another message under seq %llu",
                          topic, name, (unsigned long long)seq);
    struct ack_mark *a = find_ack(m, name, topic);
    if (!a) {
        enum burst_err err = add_ack(m, name, topic, &a, reterr);
        if (err) return err;
    }
    if (seq > a->seq) a->seq = seq;
    return BURST_OK;
}

enum burst_err log_memory_open(size_t most_bytes, struct stream_log *ret_log, struct burst_error *reterr)
{
    struct log_memory *m = calloc(1, sizeof *m);
    if (!m) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a log");
    m->most_bytes = most_bytes;
    *ret_log = (struct stream_log){.ctx = m,
                                   .head = memory_head,
                                   .append = memory_append,
                                   .read = memory_read,
                                   .earliest = memory_earliest,
                                   .last = memory_last,
                                   .ack = memory_ack};
    randombytes_buf(ret_log->stream, STREAM_UUID);
    ret_log->stream[6] = (uint8_t)((ret_log->stream[6] & 0x0f) | 0x40); /* RFC 4122 version 4, variant 1 */
    ret_log->stream[8] = (uint8_t)((ret_log->stream[8] & 0x3f) | 0x80);
    return BURST_OK;
}

void log_memory_close(struct stream_log *log)
{
    struct log_memory *m = log->ctx;
    if (!m) return;
    while (m->oldest)
        forget_oldest(m);
    for (struct topic_log *t = m->topics, *next; t; t = next) {
        next = t->next;
        free(t->entries);
        free(t);
    }
    for (struct ack_mark *a = m->acks, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    free(m);
    memset(log, 0, sizeof *log);
}

uint64_t log_memory_acked(const struct stream_log *log, const char *name, const char *topic)
{
    const struct ack_mark *a = find_ack(log->ctx, name, topic);
    return a ? a->seq : 0;
}

size_t log_memory_bytes(const struct stream_log *log)
{
    return ((const struct log_memory *)log->ctx)->bytes;
}
