#include "base/bytes.h"
#include "stream/history_job.h"
#include <stdio.h>
#include <stdlib.h>

static void reply_word(struct reply *r, const char *word)
{
    (void)snprintf(r->word, sizeof r->word, "%s", word);
    r->n_part = 0;
}

static void reply_add(struct reply *r, const void *bytes, size_t n)
{
    memcpy(r->part[r->n_part].bytes, bytes, n);
    r->part[r->n_part++].n = n;
}

void reply_number(struct reply *r, const char *word, const char *key, uint64_t number)
{
    uint8_t bytes[8];
    bytes_put_u64(bytes, number);
    reply_word(r, word);
    reply_add(r, key, strlen(key));
    reply_add(r, bytes, sizeof bytes);
}

void reply_error(struct reply *r, enum burst_err code, const char *text)
{
    reply_word(r, "ERROR");
    reply_add(r, burst_err_name(code), strlen(burst_err_name(code)));
    reply_add(r, text, strlen(text));
}

bool identity_same(const struct identity *a, const struct identity *b)
{
    return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static const char *client_name(const struct history *h, const struct identity *who)
{
    size_t n = h->n_client < NAME_MOST ? h->n_client : NAME_MOST;
    for (size_t i = 0; i < n; i++)
        if (identity_same(&h->client[i].who, who)) return h->client[i].name;
    return "anonymous";
}

static bool printable(struct frame_bytes f)
{
    for (size_t i = 0; i < f.n; i++)
        if (((const char *)f.bytes)[i] < 0x20 || ((const char *)f.bytes)[i] >= 0x7f) return false;
    return true;
}

static enum burst_err take_hello(struct history *h, struct job *job, struct stream_message *m,
                                 struct burst_error *reterr)
{
    struct frame_bytes name = message_part(m, 2);
    if (name.n == 0 || name.n >= NAME_TEXT || !printable(name))
        return burst_fail(reterr, BURST_E_FORMAT, "HELLO: name has %zu bytes; 1 to %d printable characters are allowed",
                          name.n, NAME_TEXT - 1);
    size_t at = h->n_client % NAME_MOST, n = h->n_client < NAME_MOST ? h->n_client : NAME_MOST;
    for (size_t i = 0; i < n; i++)
        if (identity_same(&h->client[i].who, &job->who)) at = i;
    if (at == h->n_client % NAME_MOST) h->n_client++;
    h->client[at].who = job->who;
    memcpy(h->client[at].name, name.bytes, name.n);
    h->client[at].name[name.n] = 0;
    reply_word(&job->reply, "OK");
    reply_add(&job->reply, h->log->stream, STREAM_UUID);
    return BURST_OK;
}

/* A topic or prefix of a request as text. */
static enum burst_err take_text(struct frame_bytes f, const char *what, char ret_text[STREAM_TOPIC_TEXT],
                                struct burst_error *reterr)
{
    if (f.n >= STREAM_TOPIC_TEXT || !printable(f))
        return burst_fail(reterr, BURST_E_FORMAT, "%s has %zu bytes; at most %d printable characters are allowed", what,
                          f.n, STREAM_TOPIC_TEXT - 1);
    if (f.n) memcpy(ret_text, f.bytes, f.n);
    ret_text[f.n] = 0;
    return BURST_OK;
}

static enum burst_err check_size(struct frame_bytes f, size_t n, const char *what, struct burst_error *reterr)
{
    if (f.n == n) return BURST_OK;
    return burst_fail(reterr, BURST_E_SHAPE, "%s has %zu bytes, not %zu", what, f.n, n);
}

enum burst_err reply_gone(struct history *h, struct job *job, struct burst_error *reterr)
{
    uint64_t earliest;
    enum burst_err err = h->log->earliest(h->log->ctx, job->topic, &earliest, reterr);
    if (!err) reply_number(&job->reply, "GONE", job->topic, earliest);
    return err;
}

static bool stream_is_ours(const struct history *h, struct frame_bytes f, bool zero_too)
{
    static const uint8_t zero[STREAM_UUID];
    return memcmp(f.bytes, h->log->stream, STREAM_UUID) == 0 || (zero_too && memcmp(f.bytes, zero, STREAM_UUID) == 0);
}

static enum burst_err take_replay(struct history *h, struct job *job, struct stream_message *m,
                                  struct burst_error *reterr)
{
    struct frame_bytes stream = message_part(m, 3), from = message_part(m, 4), most = message_part(m, 5);
    enum burst_err err = take_text(message_part(m, 2), "REPLAY: topic", job->topic, reterr);
    if (!err) err = check_size(stream, STREAM_UUID, "REPLAY: stream", reterr);
    if (!err) err = check_size(from, 8, "REPLAY: from", reterr);
    if (!err) err = check_size(most, 4, "REPLAY: max", reterr);
    if (err) return err;
    if (!stream_is_ours(h, stream, true)) return reply_gone(h, job, reterr);
    uint64_t number = bytes_get_u64(from.bytes);
    job->from = number ? number : 1;
    job->left = bytes_get_u32(most.bytes);
    if (job->left == 0) reply_number(&job->reply, "END", job->topic, job->from);
    return BURST_OK;
}

struct gather {
    struct job *job;
    size_t room;
    bool full;
};

static enum burst_err gather_item(void *arg, const struct stream_item *item)
{
    struct gather *g = arg;
    struct job *job = g->job;
    if (job->n_list == g->room) {
        size_t room = g->room ? 2 * g->room : 64;
        struct item_ref *list = room > LIST_MOST ? NULL : realloc(job->list, room * sizeof *list);
        g->full = !list;
        if (!list) return BURST_E_FULL;
        job->list = list;
        g->room = room;
    }
    struct item_ref *ref = &job->list[job->n_list++];
    memcpy(ref->topic, item->topic, sizeof ref->topic);
    ref->seq = item->seq;
    return BURST_OK;
}

/* What is newest now is noted by number and sent afterwards, so that a slow client holds no reading of the log open. */
static enum burst_err take_list(struct history *h, struct job *job, struct stream_message *m,
                                struct burst_error *reterr)
{
    const struct stream_log *log = h->log;
    struct gather g = {.job = job};
    bool open = message_word(m, 1, "OPEN");
    char prefix[STREAM_TOPIC_TEXT];
    enum burst_err err = take_text(message_part(m, 2), open ? "OPEN: prefix" : "LAST: prefix", prefix, reterr);
    if (!err && open) err = check_size(message_part(m, 3), 8, "OPEN: since_ns", reterr);
    if (err) return err;
    if (!open)
        err = log->last(log->ctx, prefix, gather_item, &g, reterr);
    else if (log->open_events)
        err = log->open_events(log->ctx, prefix, (int64_t)bytes_get_u64(message_part(m, 3).bytes), gather_item, &g,
                               reterr);
    if (!err && g.full)
        err = burst_fail(reterr, BURST_E_LIMIT, "more than %d messages under \"%s\": ask a longer prefix", LIST_MOST,
                         prefix);
    if (!err) reply_number(&job->reply, "END", prefix, 0);
    return err;
}

static enum burst_err take_ack(struct history *h, struct job *job, struct stream_message *m, struct burst_error *reterr)
{
    struct frame_bytes stream = message_part(m, 3), seq = message_part(m, 4), chain = message_part(m, 5);
    enum burst_err err = take_text(message_part(m, 2), "ACK: topic", job->topic, reterr);
    if (!err) err = check_size(stream, STREAM_UUID, "ACK: stream", reterr);
    if (!err) err = check_size(seq, 8, "ACK: seq", reterr);
    if (!err) err = check_size(chain, STREAM_CHAIN, "ACK: h", reterr);
    if (err) return err;
    err = !stream_is_ours(h, stream, false) ? BURST_E_CONFLICT
                                            : h->log->ack(h->log->ctx, client_name(h, &job->who), job->topic,
                                                          bytes_get_u64(seq.bytes), chain.bytes, reterr);
    if (err && err != BURST_E_CONFLICT) return err;
    if (err) h->forks++;
    reply_word(&job->reply, err ? "FORK" : "OK");
    return BURST_OK;
}

enum burst_err history_request(struct history *h, struct job *job, struct stream_message *m, struct burst_error *reterr)
{
    static const struct {
        const char *word;
        size_t n_part; /* with the client's identity */
        enum burst_err (*take)(struct history *, struct job *, struct stream_message *, struct burst_error *);
    } verb[] = {{"HELLO", 3, take_hello},
                {"REPLAY", 6, take_replay},
                {"LAST", 3, take_list},
                {"OPEN", 4, take_list},
                {"ACK", 6, take_ack}};
    for (size_t i = 0; m->n_part > 1 && i < sizeof verb / sizeof *verb; i++) {
        if (!message_word(m, 1, verb[i].word)) continue;
        if (m->n_part == verb[i].n_part) return verb[i].take(h, job, m, reterr);
        return burst_fail(reterr, BURST_E_SHAPE, "%s has %zu frames, not %zu", verb[i].word, m->n_part - 1,
                          verb[i].n_part - 1);
    }
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "unknown request; known are HELLO, REPLAY, LAST, OPEN and ACK");
}
