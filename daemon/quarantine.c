#include "daemon/quarantine.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "daemon/quarantine_ring.h"
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_MOST = 100000, PIECE_MOST = 8, SHORT_TEXT = 256 };

static const int64_t STEP_NS = CLOCK_NS_PER_S / 20;

/* A refusal on its way to the disk. */
struct pending {
    struct pending *next;
    char time[CLOCK_UTC_TEXT], kind[SHORT_TEXT], topic[SHORT_TEXT], gateway[SHORT_TEXT];
    char text[sizeof((struct burst_error *)0)->text];
    enum burst_err code;
    uint8_t stream[STREAM_UUID];
    bool has_stream, is_frames;
    uint64_t seq;
    size_t n_piece, piece[PIECE_MOST];
    size_t n;
    uint8_t bytes[];
};

struct quarantine {
    bool is_open;
    struct quarantine_ring ring; /* the main thread's */
    bool failing;                /* the last write did; it has been told */
    pthread_mutex_t lock;        /* all below */
    struct pending *first, **end;
    size_t n_pending, pending_bytes;
    struct quarantine_counts counts;
};

enum outcome { KEPT, AGAIN, LOST, NONE };

static void count_outcome(struct quarantine *q, enum outcome outcome)
{
    (void)pthread_mutex_lock(&q->lock);
    q->counts.kept += outcome == KEPT;
    q->counts.again += outcome == AGAIN;
    q->counts.lost += outcome == LOST;
    q->counts.removed = q->ring.removed;
    q->counts.pairs = (int64_t)q->ring.n;
    q->counts.bytes = q->ring.bytes;
    (void)pthread_mutex_unlock(&q->lock);
}

enum burst_err quarantine_open(const struct quarantine_settings *settings, struct quarantine **ret_q,
                               struct burst_error *reterr)
{
    if (settings->pairs_most < 0 || settings->pairs_most > PAIRS_MOST || settings->bytes_most < 0)
        return burst_fail(reterr, BURST_E_RANGE,
                          "quarantine: %" PRId64 " refusals of %" PRId64 " bytes, 0 to %d expected",
                          settings->pairs_most, settings->bytes_most, PAIRS_MOST);
    struct quarantine *q = calloc(1, sizeof *q);
    if (!q) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the quarantine");
    (void)pthread_mutex_init(&q->lock, NULL); /* glibc: cannot fail with default attributes */
    q->end = &q->first;
    q->ring.dir = -1;
    enum burst_err err = BURST_OK;
    if (settings->bytes_most && settings->pairs_most) {
        err = ring_open(&q->ring, settings->folder, settings->bytes_most, (size_t)settings->pairs_most, reterr);
        q->is_open = !err;
    }
    count_outcome(q, NONE);
    if (err)
        quarantine_close(q);
    else
        *ret_q = q;
    return err;
}

void quarantine_close(struct quarantine *q)
{
    if (!q) return;
    while (q->is_open && q->first)
        (void)quarantine_step(q, NULL); /* the last ones; nobody is left to be told, or to give more */
    ring_close(&q->ring);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- giving ---- */

static void copy_plain(const char *text, char *ret_text, size_t size)
{
    size_t n = 0;
    for (; text[n] && n + 1 < size; n++)
        ret_text[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
    ret_text[n] = 0;
}

static struct pending *copy_message(const struct quarantine_note *note, const struct frame_bytes *pieces,
                                    size_t n_piece, size_t n)
{
    struct pending *p = malloc(sizeof *p + n);
    if (!p) return NULL;
    *p = (struct pending){
        .code = note->code, .seq = note->seq, .is_frames = note->is_frames, .n = n, .n_piece = n_piece};
    clock_utc_text(clock_tt_now_ns(), p->time);
    copy_plain(note->kind, p->kind, sizeof p->kind);
    copy_plain(note->topic, p->topic, sizeof p->topic);
    copy_plain(note->gateway, p->gateway, sizeof p->gateway);
    copy_plain(note->text, p->text, sizeof p->text);
    p->has_stream = note->stream != NULL;
    if (note->stream) memcpy(p->stream, note->stream, STREAM_UUID);
    for (size_t i = 0, at = 0; i < n_piece; at += p->piece[i++]) {
        p->piece[i] = pieces[i].n;
        if (pieces[i].n) memcpy(p->bytes + at, pieces[i].bytes, pieces[i].n);
    }
    return p;
}

void quarantine_keep(struct quarantine *q, const struct quarantine_note *note, const struct frame_bytes *pieces,
                     size_t n_piece)
{
    if (!q || !q->is_open) return;
    size_t n = 0;
    for (size_t i = 0; i < n_piece; i++)
        n += pieces[i].n;
    (void)pthread_mutex_lock(&q->lock);
    bool fits = n_piece <= PIECE_MOST && q->n_pending < QUARANTINE_PENDING_MOST &&
                n <= QUARANTINE_PENDING_BYTES - q->pending_bytes;
    if (fits) {
        q->n_pending++;
        q->pending_bytes += n;
    }
    (void)pthread_mutex_unlock(&q->lock);
    struct pending *p = fits ? copy_message(note, pieces, n_piece, n) : NULL;
    (void)pthread_mutex_lock(&q->lock);
    if (p) {
        *q->end = p;
        q->end = &p->next;
    } else {
        q->counts.lost++;
        q->n_pending -= fits;
        q->pending_bytes -= fits ? n : 0;
    }
    (void)pthread_mutex_unlock(&q->lock);
}

static char *side_text(const struct pending *p, uint64_t number, const uint8_t sha256[32])
{
    char hex[65], uuid[37];
    bytes_hex(sha256, 32, hex);
    json_t *side = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "number", (json_int_t)number, "time",
                             p->time, "kind", p->kind, "code", burst_err_name(p->code), "text", p->text, "topic",
                             p->topic, "gateway", p->gateway, "bytes", (json_int_t)p->n, "sha256", hex);
    bytes_uuid_text(p->stream, uuid);
    if (p->has_stream) (void)json_object_set_new(side, "stream", json_string(uuid));
    if (p->seq) (void)json_object_set_new(side, "seq", json_integer((json_int_t)p->seq));
    json_t *frames = p->is_frames ? json_array() : NULL;
    for (size_t i = 0; frames && i < p->n_piece; i++)
        (void)json_array_append_new(frames, json_integer((json_int_t)p->piece[i]));
    if (frames) (void)json_object_set_new(side, "frames", frames);
    char *text = json_dumps(side, JSON_INDENT(1));
    json_decref(side);
    return text;
}

static enum outcome write_one(struct quarantine *q, const struct pending *p, struct burst_error *ret_why)
{
    uint8_t sha256[32];
    hash_sha256(&(struct hash_piece){p->bytes, p->n}, 1, sha256);
    if (ring_has(&q->ring, sha256)) return AGAIN;
    char *side = side_text(p, q->ring.next, sha256);
    enum burst_err err = side ? ring_add(&q->ring, sha256, p->bytes, p->n, side, ret_why)
                              : burst_fail(ret_why, BURST_E_NOMEM, "quarantine: no memory for a side file");
    free(side);
    return err ? LOST : KEPT;
}

static struct pending *take_pending(struct quarantine *q)
{
    (void)pthread_mutex_lock(&q->lock);
    struct pending *p = q->first;
    if (p) {
        q->first = p->next;
        if (!q->first) q->end = &q->first;
        q->n_pending--;
        q->pending_bytes -= p->n;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return p;
}

enum burst_err quarantine_step(struct quarantine *q, struct burst_error *reterr)
{
    enum burst_err told = BURST_OK;
    if (!q) return BURST_OK;
    /* The main thread has other work, and a source that babbles gives more as fast as this writes. */
    for (int64_t until = clock_mono_ns() + STEP_NS, now = 0; now < until; now = clock_mono_ns()) {
        struct pending *p = take_pending(q);
        struct burst_error why;
        if (!p) break;
        enum outcome outcome = write_one(q, p, &why);
        count_outcome(q, outcome);
        free(p);
        if (outcome == LOST && !q->failing) told = burst_fail(reterr, BURST_E_IO, "%s", why.text);
        q->failing = outcome == LOST || (q->failing && outcome == AGAIN);
    }
    return told;
}

void quarantine_clear(struct quarantine *q, int64_t *ret_n)
{
    *ret_n = 0;
    if (!q) return;
    *ret_n = (int64_t)q->ring.n;
    while (q->ring.n)
        ring_remove_oldest(&q->ring);
    count_outcome(q, NONE);
}

void quarantine_counts(struct quarantine *q, struct quarantine_counts *ret_counts)
{
    *ret_counts = (struct quarantine_counts){0};
    if (!q) return;
    (void)pthread_mutex_lock(&q->lock);
    *ret_counts = q->counts;
    (void)pthread_mutex_unlock(&q->lock);
}
