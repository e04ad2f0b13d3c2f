/* The publish thread: verdicts into SQLite and onto the wire, history requests, heartbeat. It owns the store's only
 * read-write connection (architecture.md 8). */
#include "publish/publish.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/gpu.h"
#include "daemon/kept.h"
#include "daemon/pipeline.h"
#include "publish/json.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 10, HISTORY_BATCH = 16, UNTOLD_MOST = 16 };
static const int64_t STATUS_EVERY_NS = CLOCK_NS_PER_S / 2, PRUNE_EVERY_NS = 60 * CLOCK_NS_PER_S;

/* What the thread remembers from unit to unit. */
struct publish {
    struct pipeline *p;
    int64_t status_ns, prune_ns;
    uint64_t n_fork; /* told */
    int n_untold;
    struct untold {
        char id[EVENT_ID_TEXT];
        int record_number;
    } untold[UNTOLD_MOST]; /* revisions that were not told, the newest: their evidence is not told either */
};

/* The log cannot be written: people must still see the verdict, without a number; then the process ends and recovers from
 * the file (architecture.md 8). */
static void tell_provisional(struct pipeline *p, const struct verdict *v)
{
    char topic[STREAM_TOPIC_TEXT], json[VERDICT_JSON_MAX];
    size_t n;
    struct burst_error e;
    const struct instrument_fact *fact = source_fact(v->source.mission, v->source.instrument);
    enum burst_err err = verdict_json(v, clock_tt_now_ns(), json, sizeof json, &n, &e);
    (void)snprintf(topic, sizeof topic, "burst-provisional.v1.%.*s.verdict", (int)strcspn(fact->topic, "."),
                   fact->topic);
    if (!err)
        err =
            publisher_send_provisional(p->publisher, topic, publish_flags(v), FRAME_JSON, (const uint8_t *)json, n, &e);
    if (err) log_line(LOG_LEVEL_ERROR, "provisional verdict not sent id=%s what=\"%s\"", v->id, e.text);
}

static void note_untold(struct publish *t, const struct verdict *v)
{
    struct untold *u = &t->untold[t->n_untold++ % UNTOLD_MOST];
    memcpy(u->id, v->id, sizeof u->id);
    u->record_number = v->record_number;
}

static bool is_untold(const struct publish *t, const struct verdict *v)
{
    for (int i = 0; i < UNTOLD_MOST; i++)
        if (t->untold[i].record_number == v->record_number && strcmp(t->untold[i].id, v->id) == 0) return true;
    return false;
}

static void log_told(const struct verdict *v, uint64_t seq)
{
    if (v->await)
        log_line(LOG_LEVEL_NOTICE, "trigger told id=%s record=%d awaiting=%s state=%s seq=%llu", v->id,
                 v->record_number, VERDICT_AWAIT_WORD[v->await], VERDICT_STATE_WORD[v->state], (unsigned long long)seq);
    else
        log_line(LOG_LEVEL_NOTICE, "verdict told id=%s record=%d verdict=%s p=%.3f state=%s seq=%llu", v->id,
                 v->record_number, VERDICT_CALL_WORD[v->call], v->p_true, VERDICT_STATE_WORD[v->state],
                 (unsigned long long)seq);
}

/* What the mission has decided stands; that the data say the opposite is for a person to see. */
static void tell_differs(struct pipeline *p, const struct verdict *v)
{
    if (v->machine_call != CALL_TRUE || v->call != CALL_FALSE) return;
    health_add(p->health, COUNT_ALARMS, 1);
    log_line(LOG_LEVEL_ERROR, "the mission has withdrawn what the data call true alarm=decision id=%s record=%d p=%.3f",
             v->id, v->record_number, v->p_true);
}

static void tell_verdict(struct publish *t, const struct verdict *v)
{
    struct pipeline *p = t->p;
    enum publish_answer answer;
    uint64_t seq = 0;
    struct burst_error e;
    enum burst_err err = publish_verdict(p->store, p->publisher, v, clock_tt_now_ns(), &answer, &seq, &e);
    switch (err) {
    case BURST_OK:
        health_add(p->health, answer == PUBLISH_SENT ? COUNT_VERDICTS : COUNT_VERDICTS_KNOWN, 1);
        if (answer == PUBLISH_SENT) {
            health_latency(p->health, clock_mono_ns() - v->arrived_mono_ns);
            log_told(v, seq);
            tell_differs(p, v);
        }
        return;
    case BURST_E_CONFLICT:
        note_untold(t, v);
        health_add(p->health, COUNT_CONFLICTS, 1);
        log_line(LOG_LEVEL_ERROR, "revision not told: this number was told with another content id=%s record=%d", v->id,
                 v->record_number);
        return;
    case BURST_E_IO:
    case BURST_E_STATE:
        tell_provisional(p, v);
        health_fatal(p->health, &e);
        return;
    case BURST_E_NET: /* durable: consumers fetch it from history */
        health_add(p->health, COUNT_VERDICTS, 1);
        log_line(LOG_LEVEL_ERROR, "verdict logged but not sent live id=%s what=\"%s\"", v->id, e.text);
        return;
    default:
        note_untold(t, v);
        health_add(p->health, COUNT_PUBLISH_FAILED, 1);
        log_line(LOG_LEVEL_ERROR, "ALARM verdict breaks a rule of the wire id=%s record=%d error=%s what=\"%s\"", v->id,
                 v->record_number, burst_err_name(err), e.text);
    }
}

static void tell_evidence(struct publish *t, struct publish_unit *unit)
{
    struct pipeline *p = t->p;
    enum publish_answer answer;
    uint64_t seq;
    struct burst_error e;
    enum burst_err err = BURST_OK;
    if (!is_untold(t, &unit->verdict))
        err = publish_evidence(p->store, p->publisher, &unit->verdict, unit->fits, unit->n_fits, &answer, &seq, &e);
    free(unit->fits);
    unit->fits = NULL;
    unit->n_fits = 0;
    if (!err) return;
    if (err == BURST_E_IO || err == BURST_E_STATE) health_fatal(p->health, &e);
    health_add(p->health, COUNT_EVIDENCE_FAILED, 1);
    log_line(LOG_LEVEL_ERROR, "evidence not told id=%s error=%s what=\"%s\"", unit->verdict.id, burst_err_name(err),
             e.text);
}

static void keep_restart(struct pipeline *p, const struct restart_point *point)
{
    uint8_t blob[RESTART_BLOB];
    struct burst_error e;
    size_t n = restart_encode(point, blob);
    enum burst_err err = store_checkpoint_put(p->store, restart_key(point), blob, n, &e);
    if (!err) err = store_flush(p->store, &e);
    if (err) health_fatal(p->health, &e);
}

static void keep_blob(struct pipeline *p, const char *key, const uint8_t *blob, size_t n, bool now)
{
    struct burst_error e;
    enum burst_err err = store_checkpoint_put(p->store, key, blob, n, &e);
    if (!err && now) err = store_flush(p->store, &e);
    if (err) health_fatal(p->health, &e);
}

static void keep_past(struct pipeline *p, const struct publish_unit *unit, const char *name, const uint8_t *blob,
                      size_t n)
{
    char key[KEPT_PAST_KEY_TEXT];
    struct burst_error e;
    kept_past_key(unit->realm, unit->alert.last.source.mission, name, key);
    if (store_past_put(p->store, key, clock_utc_now_ns(), blob, n, &e)) health_fatal(p->health, &e);
}

/* What the book holds of the event, with the record that is about to be told or, `now`, without one. */
static void keep_alert(struct pipeline *p, const struct publish_unit *unit, bool now)
{
    uint8_t blob[KEPT_ALERT_BLOB];
    char key[KEPT_KEY_TEXT];
    const struct alert *a = &unit->alert;
    if (unit->slot < 0) return;
    kept_alert_key(unit->realm, unit->slot, key);
    kept_encode_alert(a, blob);
    keep_past(p, unit, a->id, blob, sizeof blob);
    for (int i = 0; i < ALERT_ALIASES && a->alias[i][0]; i++)
        keep_past(p, unit, a->alias[i], blob, sizeof blob);
    keep_blob(p, key, blob, sizeof blob, now);
}

/* A record that brought no commit of its own: what was kept with it is not to wait for another's. */
static void keep_staged(struct pipeline *p)
{
    struct burst_error e;
    if (store_flush(p->store, &e)) health_fatal(p->health, &e);
}

static void keep_sightings(struct pipeline *p, const struct publish_unit *unit)
{
    uint8_t blob[KEPT_SIGHTINGS_BLOB];
    char key[KEPT_KEY_TEXT];
    kept_sightings_key(unit->realm, key);
    kept_encode_sightings(unit->sighting, blob);
    keep_blob(p, key, blob, sizeof blob, true);
}

static void take_unit(struct publish *t, struct publish_unit *unit)
{
    switch (unit->kind) {
    case PUBLISH_VERDICT:
        keep_alert(t->p, unit, false); /* with the record, in one commit */
        tell_verdict(t, &unit->verdict);
        keep_staged(t->p); /* where it was not told: the next that asks for this event must find it */
        break;
    case PUBLISH_EVIDENCE: tell_evidence(t, unit); break;
    case PUBLISH_RESTART: keep_restart(t->p, &unit->restart); break;
    case PUBLISH_ALERT: keep_alert(t->p, unit, true); break;
    case PUBLISH_SIGHTINGS: keep_sightings(t->p, unit); break;
    }
    pipeline_give(t->p->units.free_publish, unit);
}

/* What a heartbeat says beside stream and last (protocol.md 1), so that a live daemon with a dead feed does not look healthy. */
static void set_status(struct pipeline *p)
{
    struct burst_error e;
    json_t *root = json_object(), *inputs = json_object();
    int64_t now = clock_mono_ns();
    (void)pthread_mutex_lock(&p->feed_lock);
    for (int i = 0; i < p->n_feed; i++) {
        const struct feed_status *f = &p->feed[i];
        json_t *one = json_object();
        char text[CLOCK_UTC_TEXT];
        if (f->data_time_ns != INT64_MIN) {
            clock_utc_text(f->data_time_ns, text);
            (void)json_object_set_new(one, "data_time", json_string(text));
        }
        if (f->seen_mono_ns)
            (void)json_object_set_new(one, "age_s", json_integer((now - f->seen_mono_ns) / CLOCK_NS_PER_S));
        (void)json_object_set_new(inputs, f->topic, one);
    }
    (void)pthread_mutex_unlock(&p->feed_lock);
    (void)json_object_set_new(root, "mode", json_string(gpu_mode(p)));
    (void)json_object_set_new(root, "warm", json_true());
    (void)json_object_set_new(root, "inputs", inputs);
    char *text = json_dumps(root, JSON_COMPACT);
    if (text && publisher_set_status(p->publisher, text, &e))
        log_line(LOG_LEVEL_ERROR, "heartbeat status not set what=\"%s\"", e.text);
    free(text);
    json_decref(root);
}

static enum burst_err keep_retention(struct pipeline *p, struct burst_error *reterr)
{
    (void)pthread_mutex_lock(&p->config_lock);
    int days = (int)p->config.output_retain_days;
    (void)pthread_mutex_unlock(&p->config_lock);
    return store_set_retention(p->store, days, reterr);
}

/* A consumer acknowledged another message than ours: one of the two logs is not what it was. */
static void tell_forks(struct publish *t)
{
    struct publisher_counts counts;
    publisher_counts(t->p->publisher, &counts);
    if (counts.forks == t->n_fork) return;
    health_add(t->p->health, COUNT_FORKS, counts.forks - t->n_fork);
    health_add(t->p->health, COUNT_ALARMS, counts.forks - t->n_fork);
    t->n_fork = counts.forks;
    log_line(LOG_LEVEL_ERROR, "a consumer acknowledged what is not in our log alarm=fork forks=%llu",
             (unsigned long long)counts.forks);
}

static void keep_house(struct publish *t)
{
    struct pipeline *p = t->p;
    int64_t now = clock_mono_ns();
    struct burst_error e;
    if (now - t->status_ns > STATUS_EVERY_NS) {
        t->status_ns = now;
        set_status(p);
        tell_forks(t);
    }
    if (now - t->prune_ns > PRUNE_EVERY_NS) {
        t->prune_ns = now;
        if (keep_retention(p, &e) || store_prune(p->store, clock_utc_now_ns(), &e)) health_fatal(p->health, &e);
    }
}

/* A restored or truncated database has begun a new stream: tell again, as of now, what is still open in it. */
static void tell_orphans(struct pipeline *p)
{
    int n = 0;
    struct burst_error e;
    if (!p->new_stream) return;
    if (publish_orphans(p->store, p->publisher, &n, &e))
        health_fatal(p->health, &e);
    else if (n)
        log_line(LOG_LEVEL_WARNING,
                 "the database was restored or cut: open events told again in the new stream events=%d", n);
}

void *publish_thread(void *arg)
{
    struct pipeline *p = arg;
    struct publish t = {.p = p};
    struct burst_error e;
    tell_orphans(p);
    for (void *unit;;) {
        health_progress(p->health, THREAD_PUBLISH);
        enum burst_err got = queue_take(p->units.publish, &unit, WAIT_MS);
        if (got == BURST_E_STATE) break;
        if (!got) take_unit(&t, unit);
        if (known_commit(p->known, p->store, &e)) health_fatal(p->health, &e);
        for (int i = 0; i < HISTORY_BATCH; i++) {
            enum burst_err err = publisher_serve(p->publisher, 0, &e);
            if (err == BURST_E_IO) health_fatal(p->health, &e);
            if (err || !publisher_pending(p->publisher)) break;
        }
        keep_house(&t);
    }
    return NULL;
}
