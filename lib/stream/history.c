#include "stream/history.h"
#include "base/clock.h"
#include "stream/history_job.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void remove_job(struct history *h, struct job **at)
{
    struct job *job = *at;
    *at = job->next;
    free(job->list);
    job->list = NULL;
    job->next = h->free;
    h->free = job;
    h->n_job--;
}

/* The newest job of a client, and how many it has; NULL: none. */
static struct job *newest_job(struct history *h, const struct identity *who, size_t *ret_n)
{
    struct job *newest = NULL;
    *ret_n = 0;
    for (struct job *j = h->first; j; j = j->next)
        if (identity_same(&j->who, who)) {
            newest = j;
            ++*ret_n;
        }
    return newest;
}

/* Take the newest job from whoever has most of them, so that `who` can have one. False: nobody has more than it would have. */
static bool make_room(struct history *h, size_t n_own)
{
    struct job *most = NULL;
    size_t n_most = n_own + 1, n;
    for (struct job *j = h->first; j; j = j->next) {
        struct job *newest = newest_job(h, &j->who, &n);
        if (n <= n_most) continue;
        n_most = n;
        most = newest;
    }
    if (!most) return false;
    struct job **at = &h->first, *before = NULL;
    for (; *at != most; at = &(*at)->next)
        if (identity_same(&(*at)->who, &most->who)) before = *at;
    before->n_over += 1 + most->n_over; /* it has at least two */
    h->refused++;
    remove_job(h, at);
    return true;
}

/* Whether a request of `who` may become a job. One too many is noted behind the client's newest. */
static bool admit_job(struct history *h, const struct identity *who)
{
    size_t n;
    struct job *newest = newest_job(h, who, &n);
    if (n < CLIENT_JOBS && (h->free || make_room(h, n))) return true;
    h->requests++;
    h->refused++;
    if (newest) newest->n_over++;
    return false;
}

static void add_job(struct history *h, struct stream_message *m)
{
    struct identity from;
    struct frame_bytes who = message_part(m, 0);
    from.n = who.n <= sizeof from.bytes ? who.n : sizeof from.bytes; /* libzmq allows 255 */
    memcpy(from.bytes, who.bytes, from.n);
    if (!admit_job(h, &from)) return;
    struct job *job = h->free, **end = &h->first;
    h->free = job->next;
    *job = (struct job){.who = from, .moved_ns = clock_mono_ns()};
    struct burst_error why;
    enum burst_err err = history_request(h, job, m, &why);
    h->requests++;
    if (err) {
        h->refused++;
        job->left = 0;
        job->n_list = 0;
        reply_error(&job->reply, err, why.text);
    }
    while (*end)
        end = &(*end)->next;
    *end = job;
    h->n_job++;
}

/* Sending one item of a job. errno of ZeroMQ in `why`. */
struct sending {
    struct history *h;
    struct job *job;
    int why;
    uint32_t n;
};

static enum burst_err send_item(void *arg, const struct stream_item *item)
{
    struct sending *s = arg;
    struct frame_bytes parts[] = {{s->job->who.bytes, s->job->who.n}, {"ITEM", 4},
                                  {item->topic, strlen(item->topic)}, {item->header, FRAME_HEADER},
                                  {item->body, item->n_body},         {item->seal, FRAME_SEAL}};
    s->why = message_send(s->h->socket, parts, item->seal ? 6 : 5, ZMQ_DONTWAIT);
    if (s->why) return BURST_E_FULL;
    s->h->items++;
    s->n++;
    s->job->moved_ns = clock_mono_ns();
    return BURST_OK;
}

static enum burst_err step_replay(struct sending *s, struct burst_error *reterr)
{
    struct job *job = s->job;
    const struct stream_log *log = s->h->log;
    uint32_t most = job->left < STEP_ITEMS ? job->left : STEP_ITEMS;
    uint64_t next;
    enum burst_err err = log->read(log->ctx, job->topic, job->from, most, send_item, s, &next, reterr);
    job->from += s->n;
    job->left -= s->n;
    if (err == BURST_E_GONE) {
        job->left = 0;
        return reply_gone(s->h, job, reterr);
    }
    if (err || s->why) return err;
    if (s->n < most) job->left = 0; /* the log ends here */
    if (job->left == 0) reply_number(&job->reply, "END", job->topic, job->from);
    return BURST_OK;
}

static enum burst_err step_list(struct sending *s, struct burst_error *reterr)
{
    struct job *job = s->job;
    const struct stream_log *log = s->h->log;
    for (int i = 0; i < STEP_ITEMS && job->at < job->n_list; i++) {
        const struct item_ref *ref = &job->list[job->at];
        uint64_t next;
        enum burst_err err = log->read(log->ctx, ref->topic, ref->seq, 1, send_item, s, &next, reterr);
        if (err && err != BURST_E_GONE) return err; /* what was forgotten meanwhile is left out */
        if (s->why) return BURST_OK;
        job->at++;
    }
    return BURST_OK;
}

static void send_reply(struct sending *s)
{
    const struct reply *r = &s->job->reply;
    struct frame_bytes parts[4] = {{s->job->who.bytes, s->job->who.n}, {r->word, strlen(r->word)}};
    for (size_t i = 0; i < r->n_part; i++)
        parts[2 + i] = (struct frame_bytes){r->part[i].bytes, r->part[i].n};
    s->why = message_send(s->h->socket, parts, 2 + r->n_part, ZMQ_DONTWAIT);
}

static bool has_items(const struct job *job)
{
    return job->left > 0 || job->at < job->n_list;
}

/* One turn of one job. *ret_over: finished, or its client is gone. */
static enum burst_err step_job(struct history *h, struct job *job, bool *ret_moved, bool *ret_over,
                               struct burst_error *reterr)
{
    struct sending s = {.h = h, .job = job};
    enum burst_err err = BURST_OK;
    if (job->left > 0)
        err = step_replay(&s, reterr);
    else if (job->at < job->n_list)
        err = step_list(&s, reterr);
    if (err) {
        reply_error(&job->reply, err, reterr->text);
        job->left = 0;
        job->at = job->n_list;
    }
    *ret_moved = s.n > 0;
    bool ended = !s.why && !has_items(job);
    if (ended) send_reply(&s);
    for (; ended && !s.why && job->n_over; job->n_over--) {
        reply_error(&job->reply, BURST_E_FULL, "too many requests at once; ask again");
        send_reply(&s);
        s.n += !s.why;
        job->moved_ns = s.why ? job->moved_ns : clock_mono_ns();
    }
    *ret_over =
        (ended && !s.why) || (s.why && s.why != EAGAIN) || clock_mono_ns() - job->moved_ns > STUCK_S * CLOCK_NS_PER_S;
    *ret_moved = *ret_moved || *ret_over;
    return err;
}

static bool has_earlier(const struct history *h, const struct job *job)
{
    for (const struct job *j = h->first; j != job; j = j->next)
        if (identity_same(&j->who, &job->who)) return true;
    return false;
}

static enum burst_err step_jobs(struct history *h, bool *ret_did, struct burst_error *reterr)
{
    enum burst_err first = BURST_OK;
    struct burst_error why;
    for (struct job **at = &h->first; *at;) {
        bool moved, over;
        if (has_earlier(h, *at)) {
            at = &(*at)->next;
            continue;
        }
        enum burst_err err = step_job(h, *at, &moved, &over, &why);
        if (err && !first) {
            first = err;
            if (reterr) *reterr = why;
        }
        *ret_did = *ret_did || moved;
        if (over)
            remove_job(h, at);
        else
            at = &(*at)->next;
    }
    return first;
}

enum burst_err history_serve(struct history *h, bool *ret_did, struct burst_error *reterr)
{
    struct stream_message m;
    message_init(&m);
    enum burst_err err = BURST_OK;
    *ret_did = false;
    for (int i = 0; i < TAKE_MOST && !(err = message_receive(h->socket, &m, reterr)); i++) {
        add_job(h, &m);
        *ret_did = true;
    }
    message_clear(&m);
    if (err && err != BURST_E_TIMEOUT) return err;
    return step_jobs(h, ret_did, reterr);
}

enum burst_err history_open(struct stream_context *c, const struct publisher_settings *settings, struct history **ret_h,
                            struct burst_error *reterr)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a history server");
    struct socket_options o = {.endpoint = settings->history,
                               .type = ZMQ_ROUTER,
                               .bind = true,
                               .hwm = ROUTER_HWM,
                               .linger_ms = settings->linger_ms,
                               .most_bytes = REQUEST_MOST};
    enum burst_err err = socket_open(c, &o, &h->socket, reterr);
    /* Without this a full or vanished client would lose messages in silence. */
    if (!err && !socket_set(h->socket, ZMQ_ROUTER_MANDATORY, 1))
        err = burst_fail(reterr, BURST_E_NET, "socket option refused: %s", zmq_strerror(zmq_errno()));
    if (err) {
        history_close(h);
        return err;
    }
    h->log = settings->log;
    for (size_t i = 0; i < JOB_MOST; i++) {
        h->pool[i].next = h->free;
        h->free = &h->pool[i];
    }
    *ret_h = h;
    return BURST_OK;
}

void history_close(struct history *h)
{
    if (!h) return;
    while (h->first)
        remove_job(h, &h->first);
    socket_close(&h->socket);
    free(h);
}

size_t history_pending(const struct history *h)
{
    return h->n_job;
}

void *history_socket(const struct history *h)
{
    return h->socket;
}

void history_counts(const struct history *h, struct publisher_counts *counts)
{
    counts->requests = h->requests;
    counts->refused_requests = h->refused;
    counts->items_replayed = h->items;
    counts->forks = h->forks;
}
