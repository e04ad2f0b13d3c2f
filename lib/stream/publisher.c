#include "stream/publisher.h"
#include "base/clock.h"
#include "stream/heartbeat.h"
#include "stream/history.h"
#include "stream/seal.h"
#include "stream/socket.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ENDPOINT_TEXT = 256, SEND_TURN_MS = 10, BUSY_TURN_MS = 2, SUBSCRIPTION_MOST = 4096 };
#define HEARTBEAT_AGAIN_NS (CLOCK_NS_PER_S / 50)
static const char PROVISIONAL[] = "burst-provisional.v1.";

struct publisher {
    struct stream_log log;
    void *live;
    struct history *history;
    struct topic_head head[STREAM_TOPIC_MOST];
    size_t n_head;
    bool has_secret, stuck; /* stuck: a subscriber did not move for wait_ms; nobody waits for it until it does */
    uint8_t secret[SEAL_SECRET];
    int wait_ms;
    int64_t heartbeat_ns, beat_due_ns;
    json_t *extra;
    char live_text[ENDPOINT_TEXT], history_text[ENDPOINT_TEXT];
    struct publisher_counts counts;
};

void publisher_defaults(struct publisher_settings *ret_settings)
{
    *ret_settings = (struct publisher_settings){.hwm = 256, .heartbeat_ms = 1000, .linger_ms = 2000};
}

static enum burst_err check_settings(const struct publisher_settings *s, struct burst_error *reterr)
{
    const struct {
        const char *name;
        int value, least, most;
    } row[] = {{"hwm", s->hwm, 1, 100000},
               {"wait_ms", s->wait_ms, 0, 3600000},
               {"heartbeat_ms", s->heartbeat_ms, 10, 60000},
               {"linger_ms", s->linger_ms, 0, 60000}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value < row[i].least || row[i].value > row[i].most)
            return burst_fail(reterr, BURST_E_RANGE, "publisher: %s is %d, allowed %d to %d", row[i].name, row[i].value,
                              row[i].least, row[i].most);
    return BURST_OK;
}

static struct topic_head *find_head(struct publisher *p, const char *topic)
{
    for (size_t i = 0; i < p->n_head; i++)
        if (strcmp(p->head[i].topic, topic) == 0) return &p->head[i];
    return NULL;
}

static enum burst_err note_head(void *arg, const struct stream_item *item)
{
    struct publisher *p = arg;
    if (p->n_head == STREAM_TOPIC_MOST) return BURST_E_LIMIT;
    struct topic_head *head = &p->head[p->n_head++];
    memcpy(head->topic, item->topic, sizeof head->topic);
    head->seq = item->seq;
    memcpy(head->h, item->seal, STREAM_CHAIN);
    return BURST_OK;
}

static enum burst_err open_sockets(struct publisher *p, struct stream_context *c, const struct publisher_settings *s,
                                   struct burst_error *reterr)
{
    struct socket_options o = {.endpoint = s->live,
                               .type = ZMQ_PUB,
                               .bind = true,
                               .hwm = s->hwm,
                               .linger_ms = s->linger_ms,
                               .most_bytes = SUBSCRIPTION_MOST};
    enum burst_err err = history_open(c, s, &p->history, reterr);
    if (!err) err = socket_open(c, &o, &p->live, reterr);
    if (err) return err;
    size_t n_live = sizeof p->live_text, n_history = sizeof p->history_text;
    if (socket_set(p->live, ZMQ_SNDTIMEO, SEND_TURN_MS) && socket_set(p->live, ZMQ_XPUB_NODROP, s->wait_ms > 0) &&
        zmq_getsockopt(p->live, ZMQ_LAST_ENDPOINT, p->live_text, &n_live) == 0 &&
        zmq_getsockopt(history_socket(p->history), ZMQ_LAST_ENDPOINT, p->history_text, &n_history) == 0)
        return BURST_OK;
    return burst_fail(reterr, BURST_E_NET, "socket option refused: %s", zmq_strerror(zmq_errno()));
}

enum burst_err publisher_open(struct stream_context *context, const struct publisher_settings *settings,
                              struct publisher **ret_p, struct burst_error *reterr)
{
    enum burst_err err = check_settings(settings, reterr);
    if (err) return err;
    struct publisher *p = calloc(1, sizeof *p);
    if (!p) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a publisher");
    p->log = *settings->log;
    p->wait_ms = settings->wait_ms;
    p->heartbeat_ns = settings->heartbeat_ms * (CLOCK_NS_PER_S / 1000);
    p->has_secret = settings->secret != NULL;
    if (settings->secret) memcpy(p->secret, settings->secret, SEAL_SECRET);
    err = p->log.last(p->log.ctx, "burst", note_head, p, reterr);
    if (!err && p->n_head == STREAM_TOPIC_MOST)
        err = burst_fail(reterr, BURST_E_LIMIT, "the log has %d topics or more", STREAM_TOPIC_MOST);
    if (!err) err = open_sockets(p, context, settings, reterr);
    if (err) {
        publisher_close(p);
        return err;
    }
    *ret_p = p;
    return BURST_OK;
}

void publisher_close(struct publisher *p)
{
    if (!p) return;
    socket_close(&p->live);
    history_close(p->history);
    json_decref(p->extra);
    explicit_bzero(p->secret, sizeof p->secret);
    free(p);
}

enum burst_err publisher_set_status(struct publisher *p, const char *json, struct burst_error *reterr)
{
    json_t *extra = NULL;
    enum burst_err err = json ? heartbeat_extra(json, &extra, reterr) : BURST_OK;
    if (err) return err;
    json_decref(p->extra);
    p->extra = extra;
    return BURST_OK;
}

/* One message on the live socket, dropped for those who have no room. In a publisher that waits this is the last resort:
 * libzmq 4.3.4 leaves a subscriber that was dropped once out of the messages after it, too, until it has caught up. */
static int tell_now(struct publisher *p, const struct frame_bytes *parts, size_t n_part)
{
    if (p->wait_ms == 0) return message_send(p->live, parts, n_part, ZMQ_DONTWAIT);
    (void)socket_set(p->live, ZMQ_XPUB_NODROP, 0); /* was accepted at opening */
    int why = message_send(p->live, parts, n_part, ZMQ_DONTWAIT);
    (void)socket_set(p->live, ZMQ_XPUB_NODROP, 1);
    return why;
}

static size_t item_parts(const struct stream_item *item, struct frame_bytes ret_parts[4])
{
    ret_parts[0] = (struct frame_bytes){item->topic, strlen(item->topic)};
    ret_parts[1] = (struct frame_bytes){item->header, FRAME_HEADER};
    ret_parts[2] = (struct frame_bytes){item->body, item->n_body};
    ret_parts[3] = (struct frame_bytes){item->seal, FRAME_SEAL};
    return item->seal ? 4 : 3;
}

static enum burst_err beat_if_due(struct publisher *p, struct burst_error *reterr)
{
    int64_t now = clock_mono_ns();
    if (now < p->beat_due_ns) return BURST_OK;
    p->beat_due_ns = now + p->heartbeat_ns;
    char *text;
    enum burst_err err = heartbeat_make(p->log.stream, p->head, p->n_head, p->extra, &text, reterr);
    if (err) return err;
    struct stream_item item = {.topic = STREAM_HEARTBEAT,
                               .content = FRAME_JSON,
                               .sent_ns = clock_utc_now_ns(),
                               .body = (const uint8_t *)text,
                               .n_body = strlen(text)};
    memcpy(item.stream, p->log.stream, STREAM_UUID);
    frame_pack_header(&item);
    struct frame_bytes parts[4];
    int why = message_send(p->live, parts, item_parts(&item, parts), ZMQ_DONTWAIT);
    free(text);
    if (why == EAGAIN) p->beat_due_ns = now + HEARTBEAT_AGAIN_NS; /* a subscriber has no room, and we wait for it */
    if (why == EAGAIN) return BURST_OK;
    p->counts.heartbeats++;
    return why ? burst_fail(reterr, BURST_E_NET, "heartbeat refused: %s", zmq_strerror(why)) : BURST_OK;
}

/* What must go on while anything waits. An error of one answer was told to its asker; the next serve says it again if it
 * lasts, so that a waiting send is not broken by it. */
static void keep_alive(struct publisher *p)
{
    bool did;
    (void)beat_if_due(p, NULL);
    (void)history_serve(p->history, &did, NULL);
}

/* Give the message to every subscriber, waiting at most wait_ms for the slowest. */
static enum burst_err tell(struct publisher *p, const struct stream_item *item, struct burst_error *reterr)
{
    struct frame_bytes parts[4];
    size_t n = item_parts(item, parts);
    int64_t until = clock_mono_ns() + p->wait_ms * (CLOCK_NS_PER_S / 1000);
    int why = EAGAIN;
    if (p->wait_ms > 0) {
        why = message_send(p->live, parts, n, p->stuck ? ZMQ_DONTWAIT : 0);
        if (why == 0) p->stuck = false;
        for (p->counts.waits += why == EAGAIN; why == EAGAIN && !p->stuck; why = message_send(p->live, parts, n, 0)) {
            keep_alive(p);
            p->stuck = clock_mono_ns() > until;
        }
    }
    if (why == EAGAIN) why = tell_now(p, parts, n);
    if (why == 0) return BURST_OK;
    return burst_fail(reterr, BURST_E_NET, "%s seq %llu is logged but was not told: %s", item->topic,
                      (unsigned long long)item->seq, zmq_strerror(why));
}

static enum burst_err check_message(const struct stream_item *item, struct burst_error *reterr)
{
    if (item->n_body > FRAME_BODY_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%s: body has %zu bytes, limit %zu", item->topic, item->n_body,
                          FRAME_BODY_MAX);
    struct stream_item probe;
    enum frame_fault fault;
    struct frame_bytes parts[4];
    return frame_parse(parts, item_parts(item, parts), &probe, &fault, reterr); /* our own output keeps our own rules */
}

static enum burst_err fill_item(struct publisher *p, const char *topic, unsigned flags, unsigned content,
                                const uint8_t *body, size_t n, struct stream_item *ret_item, struct burst_error *reterr)
{
    enum burst_err err = frame_check_topic(topic, strlen(topic), reterr);
    if (err) return err;
    if (flags > FRAME_FLAG_ALL || content > FRAME_XML)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s: flags 0x%x or content %u is unknown", topic, flags,
                          content);
    *ret_item = (struct stream_item){
        .flags = flags, .content = content, .sent_ns = clock_utc_now_ns(), .body = body, .n_body = n};
    memcpy(ret_item->topic, topic, strlen(topic) + 1);
    memcpy(ret_item->stream, p->log.stream, STREAM_UUID);
    return BURST_OK;
}

static enum burst_err take_head(struct publisher *p, const char *topic, struct topic_head **ret_head,
                                struct burst_error *reterr)
{
    struct topic_head *head = find_head(p, topic);
    if (head) {
        *ret_head = head;
        return BURST_OK;
    }
    if (p->n_head == STREAM_TOPIC_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "%s would be topic %d, limit %d", topic, STREAM_TOPIC_MOST + 1,
                          STREAM_TOPIC_MOST);
    head = &p->head[p->n_head];
    enum burst_err err = p->log.head(p->log.ctx, topic, &head->seq, head->h, reterr);
    if (err) return err;
    memcpy(head->topic, topic, strlen(topic) + 1);
    p->n_head++;
    *ret_head = head;
    return BURST_OK;
}

enum burst_err publisher_send(struct publisher *p, const char *topic, unsigned flags, unsigned content,
                              const uint8_t *body, size_t n, uint64_t *ret_seq, struct burst_error *reterr)
{
    struct stream_item item;
    struct topic_head *head = NULL;
    uint8_t h[STREAM_CHAIN], seal[FRAME_SEAL];
    enum burst_err err = fill_item(p, topic, flags, content, body, n, &item, reterr);
    if (err) return err;
    item.seq = 1; /* a number the rules accept, until the message is known to be good */
    frame_pack_header(&item);
    err = check_message(&item, reterr);
    if (!err) err = take_head(p, topic, &head, reterr);
    if (err) return err;
    item.seq = head->seq + 1;
    frame_pack_header(&item);
    seal_next(head->h, &item, h);
    seal_make(h, p->has_secret ? p->secret : NULL, seal);
    item.seal = seal;
    err = p->log.append(p->log.ctx, &item, reterr);
    if (err) return err;
    head->seq = item.seq;
    memcpy(head->h, h, sizeof h);
    p->counts.sent++;
    if (ret_seq) *ret_seq = item.seq;
    return tell(p, &item, reterr);
}

enum burst_err publisher_send_provisional(struct publisher *p, const char *topic, unsigned flags, unsigned content,
                                          const uint8_t *body, size_t n, struct burst_error *reterr)
{
    if (strncmp(topic, PROVISIONAL, sizeof PROVISIONAL - 1) != 0)
        return burst_fail(reterr, BURST_E_FORMAT, "topic \"%.60s\" is not under %s", topic, PROVISIONAL);
    struct stream_item item;
    enum burst_err err = fill_item(p, topic, flags, content, body, n, &item, reterr);
    if (err) return err;
    frame_pack_header(&item);
    err = check_message(&item, reterr);
    if (err) return err;
    struct frame_bytes parts[4];
    int why = tell_now(p, parts, item_parts(&item, parts));
    return why ? burst_fail(reterr, BURST_E_NET, "%s was not told: %s", topic, zmq_strerror(why)) : BURST_OK;
}

/* How long serve may sleep: until a request, the heartbeat or its end; briefly while answers wait for their clients. */
static long sleep_ms(const struct publisher *p, int64_t deadline_ns)
{
    int64_t now = clock_mono_ns();
    int64_t until = deadline_ns < p->beat_due_ns ? deadline_ns : p->beat_due_ns;
    int64_t ms = until <= now ? 0 : (until - now + 999999) / 1000000;
    return (long)(history_pending(p->history) > 0 && ms > BUSY_TURN_MS ? BUSY_TURN_MS : ms);
}

enum burst_err publisher_serve(struct publisher *p, int timeout_ms, struct burst_error *reterr)
{
    int64_t deadline = clock_mono_ns() + timeout_ms * (CLOCK_NS_PER_S / 1000);
    for (;;) {
        bool did;
        enum burst_err err = beat_if_due(p, reterr);
        if (!err) err = history_serve(p->history, &did, reterr);
        if (err) return err;
        bool over = clock_mono_ns() >= deadline;
        if (over || (did && history_pending(p->history) == 0)) return BURST_OK;
        zmq_pollitem_t poll = {.socket = history_socket(p->history), .events = ZMQ_POLLIN};
        if (zmq_poll(&poll, 1, did ? 0 : sleep_ms(p, deadline)) < 0) {
            if (zmq_errno() == EINTR) return BURST_OK;
            return burst_fail(reterr, BURST_E_NET, "poll refused: %s", zmq_strerror(zmq_errno()));
        }
    }
}

const char *publisher_live(const struct publisher *p)
{
    return p->live_text;
}

const char *publisher_history(const struct publisher *p)
{
    return p->history_text;
}

size_t publisher_pending(const struct publisher *p)
{
    return history_pending(p->history);
}

void publisher_counts(const struct publisher *p, struct publisher_counts *ret_counts)
{
    *ret_counts = p->counts;
    history_counts(p->history, ret_counts);
}
