/* Opening, starting and draining the pipeline. */
#include "daemon/pipeline.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/kept.h"
#include "ingest/ingest.h"
#include "ingest/notice.h"
#include "stream/seal.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { IMAGE_BODY_MOST = 64 * 1024, TAKE_WAIT_MS = 100 };

void *pipeline_take_free(struct pipeline *p, struct queue *pool, enum health_thread thread, const atomic_bool *stop)
{
    void *unit = NULL;
    /* Waiting for the next stage is not being stuck: that one has its own watch. Said at every call, not at every long wait: a
     * message of an hour is a thousand short ones. */
    for (;;) {
        health_progress(p->health, thread);
        if (stop && atomic_load(stop)) return NULL;
        if (queue_take(pool, &unit, TAKE_WAIT_MS) == BURST_OK) return unit;
    }
}

void pipeline_give(struct queue *q, void *unit)
{
    (void)queue_put(q, unit, 0); /* a queue holds every unit there is, and is closed only when its giver has ended */
}

void pipeline_refused(struct pipeline *p, enum health_kind kind, enum burst_err code, const char *source,
                      const struct burst_error *e)
{
    bool alarm = code == BURST_E_CONFLICT, first = health_bad(p->health, kind, code, source);
    if (alarm) health_add(p->health, COUNT_ALARMS, 1);
    if (first)
        log_line(alarm ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
                 "input refused, going on kind=%s error=%s source=%s%s what=\"%s\"", health_kind_name(kind),
                 burst_err_name(code), source, alarm ? " alarm=conflict" : "", e->text);
}

/* Without a quarantine everything goes on: what is refused is then only counted and told. */
static void open_quarantine(struct pipeline *p)
{
    char folder[4096];
    struct burst_error e;
    struct quarantine_settings settings = {
        .folder = folder, .bytes_most = p->config.quarantine_mib << 20, .pairs_most = p->config.quarantine_files};
    enum burst_err err = config_quarantine_folder(&p->config, folder, sizeof folder, &e);
    if (!err) err = quarantine_open(&settings, &p->quarantine, &e);
    if (err) log_line(LOG_LEVEL_ERROR, "refused inputs are not kept error=%s what=\"%s\"", burst_err_name(err), e.text);
}

void pipeline_keep_quarantine(struct pipeline *p)
{
    struct quarantine_counts now;
    struct burst_error e;
    if (quarantine_step(p->quarantine, &e))
        log_line(LOG_LEVEL_ERROR, "a refused input is not kept, others may follow what=\"%s\"", e.text);
    quarantine_counts(p->quarantine, &now);
    health_add(p->health, COUNT_QUARANTINED, now.kept - p->quarantined.kept);
    health_add(p->health, COUNT_QUARANTINE_LOST, now.lost - p->quarantined.lost);
    p->quarantined = now;
}

void pipeline_alarm_image(const char *source, const struct burst_error *e)
{
    log_line(LOG_LEVEL_ERROR,
             "ALARM a sub-image contradicts itself or what came before alarm=conflict source=%s what=\"%s\"", source,
             e->text);
}

static struct feed_status *feed_status_of(struct pipeline *p, const char *topic)
{
    for (int i = 0; i < p->n_feed; i++)
        if (strcmp(p->feed[i].topic, topic) == 0) return &p->feed[i];
    if (p->n_feed == FEED_MAX) return NULL;
    struct feed_status *f = &p->feed[p->n_feed++];
    *f = (struct feed_status){.data_time_ns = INT64_MIN};
    strncpy(f->topic, topic, sizeof f->topic - 1);
    return f;
}

void pipeline_feed_seen(struct pipeline *p, const char *topic, int64_t data_time_ns, bool message)
{
    (void)pthread_mutex_lock(&p->feed_lock);
    struct feed_status *f = feed_status_of(p, topic);
    if (f) {
        if (data_time_ns > f->data_time_ns) f->data_time_ns = data_time_ns;
        if (message) {
            f->n_message++;
            f->seen_mono_ns = clock_mono_ns();
        }
    }
    (void)pthread_mutex_unlock(&p->feed_lock);
}

void pipeline_particles_seen(struct pipeline *p, const char *topic, double ratio)
{
    (void)pthread_mutex_lock(&p->feed_lock);
    struct feed_status *f = feed_status_of(p, topic);
    if (f) f->particle_ratio = ratio;
    (void)pthread_mutex_unlock(&p->feed_lock);
}

static void load_restart(struct pipeline *p, const char *topic)
{
    uint8_t *blob = NULL;
    size_t n = 0;
    struct burst_error e;
    if (store_checkpoint_get(p->store, topic, &blob, &n, &e)) return; /* none was kept */
    if (restart_decode(topic, blob, n, &p->restart[p->n_restart], &e) == BURST_OK)
        p->n_restart++;
    else
        log_line(LOG_LEVEL_WARNING, "restart point ignored, the history is read from its beginning what=\"%s\"",
                 e.text);
    free(blob);
}

static void load_restarts(struct pipeline *p)
{
    struct source s;
    enum topic_kind kind;
    char topic[STREAM_TOPIC_TEXT];
    for (size_t i = 0; p->n_restart < FEED_MAX && source_input(i, &s, &kind); i++)
        if (source_input_topic(s, kind, topic, sizeof topic) == BURST_OK) load_restart(p, topic);
}

static void load_alert(struct pipeline *p, enum burst_realm realm, int slot)
{
    char key[KEPT_KEY_TEXT];
    uint8_t *blob = NULL;
    size_t n = 0;
    struct burst_error e;
    kept_alert_key(realm, slot, key);
    if (store_checkpoint_get(p->store, key, &blob, &n, &e)) return; /* none was kept */
    if (kept_decode_alert(blob, n, &p->book[realm], slot, &e))
        log_line(LOG_LEVEL_WARNING, "what was told of an event is forgotten key=%s what=\"%s\"", key, e.text);
    free(blob);
}

static void load_sightings(struct pipeline *p, enum burst_realm realm)
{
    char key[KEPT_KEY_TEXT];
    uint8_t *blob = NULL;
    size_t n = 0;
    struct burst_error e;
    kept_sightings_key(realm, key);
    if (store_checkpoint_get(p->store, key, &blob, &n, &e)) return; /* none were kept */
    if (kept_decode_sightings(blob, n, &p->book[realm], &e))
        log_line(LOG_LEVEL_WARNING, "other missions' triggers are forgotten key=%s what=\"%s\"", key, e.text);
    free(blob);
}

static void load_books(struct pipeline *p)
{
    for (int realm = 0; realm < REALM_N; realm++) {
        for (int slot = 0; slot < BOOK_ALERTS; slot++)
            load_alert(p, (enum burst_realm)realm, slot);
        load_sightings(p, (enum burst_realm)realm);
    }
}

static enum burst_err open_store(struct pipeline *p, struct burst_error *reterr)
{
    char path[4096];
    enum burst_err err = config_data_path(p->config.store_database, path, sizeof path, reterr);
    struct store_settings settings = {.path = path, .retention_days = (int)p->config.output_retain_days};
    if (!err) err = store_open(&settings, &p->store, &p->new_stream, reterr);
    if (err) return err;
    uint8_t uuid[16];
    char text[37];
    store_stream(p->store, uuid);
    bytes_uuid_text(uuid, text);
    log_line(LOG_LEVEL_INFO, "log open path=%s stream=%s new=%d", path, text, p->new_stream);
    load_restarts(p);
    load_books(p);
    return past_open(path, (int)p->config.limits_publish_queue, p->book, &p->past, reterr);
}

static enum burst_err read_secret(const char *path, uint8_t *ret_secret, struct burst_error *reterr)
{
    struct stat st;
    uint8_t *text = NULL;
    size_t n = 0;
    if (stat(path, &st) == 0 && (st.st_mode & 077))
        return burst_fail(reterr, BURST_E_AUTH, "%s: mode %03o, others may read the key; 600 expected", path,
                          (unsigned)st.st_mode & 0777);
    enum burst_err err = bytes_read_file(path, 4 * SEAL_SECRET, &text, &n, reterr);
    if (err) return err;
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = 0;
    err = bytes_unhex((const char *)text, SEAL_SECRET, ret_secret, reterr);
    memset(text, 0, n);
    free(text);
    return err ? burst_prefix(reterr, err, path) : BURST_OK;
}

static enum burst_err open_sockets(struct pipeline *p, struct burst_error *reterr)
{
    uint8_t secret[SEAL_SECRET];
    struct publisher_settings settings;
    publisher_defaults(&settings);
    settings.live = p->config.output_live;
    settings.history = p->config.output_history;
    settings.log = store_log(p->store);
    enum burst_err err = BURST_OK;
    if (p->config.site_signing_key[0]) {
        err = read_secret(p->config.site_signing_key, secret, reterr);
        settings.secret = secret;
    }
    if (!err) err = stream_context_open(&p->context, reterr);
    if (!err) err = publisher_open(p->context, &settings, &p->publisher, reterr);
    memset(secret, 0, sizeof secret);
    return err;
}

enum burst_err pipeline_open(const struct burst_config *config, struct health *health, struct pipeline **ret_p,
                             struct burst_error *reterr)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the pipeline");
    p->config = *config;
    p->health = health;
    (void)pthread_mutex_init(&p->config_lock, NULL); /* glibc: cannot fail with default attributes */
    (void)pthread_mutex_init(&p->feed_lock, NULL);
    ingest_notice_start();
    enum burst_err err = science_open(config, &p->science, reterr);
    if (!err) err = open_store(p, reterr);
    if (!err) err = known_open(&p->science, p->store, &p->known, reterr);
    if (!err)
        err = units_init(&p->units, (int)config->limits_work_queue, (int)config->limits_publish_queue,
                         ingest_arena_need(IMAGE_BODY_MOST), reterr);
    if (!err) err = open_sockets(p, reterr);
    if (!err) open_quarantine(p);
    if (err)
        (void)pipeline_close(p, NULL); /* the reason to give is the one above */
    else
        *ret_p = p;
    return err;
}

enum burst_err pipeline_start(struct pipeline *p, struct burst_error *reterr)
{
    void *(*const body[THREAD_MAIN])(void *) = {ingest_thread, work_thread, publish_thread};
    enum burst_err err = BURST_OK;
    sigset_t all, before;
    (void)sigfillset(&all); /* signals are for main: the threads inherit a mask without them */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    /* The last of the chain first, so that each finds its successor running. */
    for (int i = THREAD_MAIN - 1; !err && i >= 0; i--) {
        if (pthread_create(&p->thread[p->n_thread], NULL, body[i], p) == 0) /* the name is for top -H and perf alone */
            (void)pthread_setname_np(p->thread[p->n_thread++], health_thread_name((enum health_thread)i));
        else
            err = burst_fail(reterr, BURST_E_IO, "the %s thread could not be made",
                             health_thread_name((enum health_thread)i));
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

void pipeline_drain(struct pipeline *p)
{
    atomic_store(&p->stop_ingest, true);
    if (p->n_thread < THREAD_MAIN) { /* not all were made: nobody else will close these */
        queue_close(p->units.work);
        queue_close(p->units.publish);
    }
    for (int i = p->n_thread - 1; i >= 0; i--)
        (void)pthread_join(p->thread[i], NULL); /* each ends when its input is closed and empty */
    p->n_thread = 0;
}

enum burst_err pipeline_close(struct pipeline *p, struct burst_error *reterr)
{
    if (!p) return BURST_OK;
    publisher_close(p->publisher);
    stream_context_close(p->context);
    quarantine_close(p->quarantine);
    past_close(p->past);
    enum burst_err err = store_close(p->store, reterr);
    units_fini(&p->units);
    known_close(p->known);
    science_close(&p->science);
    (void)pthread_mutex_destroy(&p->config_lock);
    (void)pthread_mutex_destroy(&p->feed_lock);
    free(p);
    return err;
}

void pipeline_reconfigure(struct pipeline *p, const struct burst_config *next)
{
    (void)pthread_mutex_lock(&p->config_lock);
    p->config.log_level = next->log_level;
    p->config.output_retain_days = next->output_retain_days;
    (void)pthread_mutex_unlock(&p->config_lock);
}
