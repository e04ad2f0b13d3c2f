/* See known.h. One change at a time goes to the publish thread and comes back through two queues; the lock is for the ingest
 * thread alone, which holds it while it masks one sub-image. */
#include "daemon/known.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/queue.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHECKPOINT "known-sources"
enum { DETAIL_TEXT = 320 };

/* What the publish thread needs, and what it answers: its own between the two queues. */
struct known_job {
    struct known_outcome outcome;
    struct overlay overlay; /* as it will be */
    struct catalogue merged;
    char text[OVERLAY_TEXT], detail[DETAIL_TEXT];
    size_t n_text;
};

struct known {
    const struct catalogue *base;
    uint8_t config_sha256[32]; /* without additions */
    pthread_mutex_t lock;      /* guards what follows against the ingest thread; only main writes it */
    struct catalogue now;
    uint8_t sha256[32];
    struct overlay overlay; /* from here on main's alone */
    bool under_way;
    struct known_job job;
    struct queue *to_store, *from_store;
};

static enum burst_err load(struct known *k, struct store *store, struct burst_error *reterr)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct burst_error why;
    enum burst_err err = store_checkpoint_get(store, CHECKPOINT, &bytes, &n, &why);
    if (err == BURST_E_MISSING) return BURST_OK;
    if (err) return burst_fail(reterr, err, "%s", why.text);
    err = overlay_parse((const char *)bytes, n, "added known sources in the database", &k->overlay, reterr);
    free(bytes);
    return err;
}

enum burst_err known_open(const struct science *science, struct store *store, struct known **ret_known,
                          struct burst_error *reterr)
{
    struct known *k = calloc(1, sizeof *k);
    if (!k) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the known sources");
    k->base = &science->catalogue;
    memcpy(k->config_sha256, science->decide.config_sha256, sizeof k->config_sha256);
    (void)pthread_mutex_init(&k->lock, NULL); /* glibc: cannot fail with default attributes */
    enum burst_err err = load(k, store, reterr);
    if (!err) err = overlay_merge(&k->overlay, k->base, &k->now, reterr);
    if (!err) err = queue_new(1, &k->to_store, reterr);
    if (!err) err = queue_new(1, &k->from_store, reterr);
    science_image_sha256(k->config_sha256, &k->overlay, k->sha256);
    if (err)
        known_close(k);
    else
        *ret_known = k;
    return err;
}

void known_close(struct known *k)
{
    if (!k) return;
    queue_free(k->to_store); /* what is inside is the job, which lives here */
    queue_free(k->from_store);
    catalogue_fini(&k->job.merged);
    catalogue_fini(&k->now);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

enum burst_err known_prepare(struct known *k, const struct subimage_packet *packet,
                             const struct platform_state *platform, struct image_sample *ret_sample,
                             struct burst_error *reterr)
{
    (void)pthread_mutex_lock(&k->lock);
    enum burst_err err = subimage_prepare(packet, &k->now, platform, ret_sample, reterr);
    if (!err) memcpy(ret_sample->config_sha256, k->sha256, sizeof ret_sample->config_sha256);
    (void)pthread_mutex_unlock(&k->lock);
    return err;
}

/* ---- publish thread ---- */

static enum burst_err write_job(struct known_job *job, struct store *store)
{
    struct known_outcome *o = &job->outcome;
    struct store_audit audit = {.at_ns = clock_utc_now_ns(),
                                .who = o->change.who,
                                .what = o->change.remove ? "catalog remove" : "catalog add",
                                .subject = o->change.source.name,
                                .why = o->change.why,
                                .detail_json = job->detail};
    enum burst_err err = store_audit_put(store, &audit, &o->audit_number, &o->error);
    if (!err) err = store_checkpoint_put(store, CHECKPOINT, (const uint8_t *)job->text, job->n_text, &o->error);
    if (!err) err = store_flush(store, &o->error);
    return err;
}

enum burst_err known_commit(struct known *k, struct store *store, struct burst_error *reterr)
{
    void *item = NULL;
    if (queue_take(k->to_store, &item, 0)) return BURST_OK; /* there is none */
    struct known_job *job = item;
    enum burst_err err = job->outcome.err = write_job(job, store);
    if (err) *reterr = job->outcome.error;
    (void)queue_put(k->from_store, job, 0); /* has room for the one there is */
    return err;
}

/* ---- main thread ---- */

static void describe(const struct known *k, struct known_job *job)
{
    const struct catalogue_source *s = &job->outcome.change.source;
    uint8_t digest[32];
    char hex[65];
    science_image_sha256(k->config_sha256, &job->overlay, digest);
    bytes_hex(digest, sizeof digest, hex);
    (void)snprintf(job->detail, sizeof job->detail,
                   "{\"ra_deg\":%.5f,\"dec_deg\":%.5f,\"bright\":%s,\"force\":%s,\"config_sha256\":\"%s\"}", s->ra_deg,
                   s->dec_deg, s->bright ? "true" : "false", job->outcome.change.force ? "true" : "false", hex);
}

/* The source of this name in the overlay, as it is kept. */
static void find_source(const struct overlay *o, struct catalogue_source *s)
{
    for (size_t i = 0; i < o->n_source; i++)
        if (strcasecmp(o->source[i].name, s->name) == 0) {
            *s = o->source[i];
            return;
        }
}

enum burst_err known_begin(struct known *k, const struct known_change *change, struct burst_error *reterr)
{
    struct known_job *job = &k->job;
    if (k->under_way) return burst_fail(reterr, BURST_E_FULL, "another change is being written: try again");
    job->overlay = k->overlay;
    job->outcome = (struct known_outcome){.change = *change};
    struct catalogue_source *s = &job->outcome.change.source;
    if (change->remove) find_source(&k->overlay, s);
    enum burst_err err = change->remove ? overlay_remove(&job->overlay, k->base, s->name, reterr)
                                        : overlay_add(&job->overlay, k->base, s, change->force, reterr);
    if (!err) err = overlay_merge(&job->overlay, k->base, &job->merged, reterr);
    if (err) return err;
    if (!change->remove) find_source(&job->overlay, s);
    job->n_text = overlay_text(&job->overlay, job->text);
    describe(k, job);
    k->under_way = true;
    (void)queue_put(k->to_store, job, 0); /* has room: none is under way */
    return BURST_OK;
}

bool known_under_way(const struct known *k)
{
    return k->under_way;
}

static void put_in_force(struct known *k, struct known_job *job)
{
    struct catalogue old = k->now;
    uint8_t digest[32];
    science_image_sha256(k->config_sha256, &job->overlay, digest);
    (void)pthread_mutex_lock(&k->lock);
    k->now = job->merged;
    memcpy(k->sha256, digest, sizeof k->sha256);
    (void)pthread_mutex_unlock(&k->lock);
    k->overlay = job->overlay;
    job->merged = (struct catalogue){0};
    catalogue_fini(&old);
}

bool known_end(struct known *k, struct known_outcome *ret_outcome)
{
    void *item = NULL;
    if (!k->under_way || queue_take(k->from_store, &item, 0)) return false;
    struct known_job *job = item;
    k->under_way = false;
    if (job->outcome.err)
        catalogue_fini(&job->merged);
    else
        put_in_force(k, job);
    *ret_outcome = job->outcome;
    return true;
}

const struct catalogue *known_catalogue(const struct known *k)
{
    return &k->now;
}

const struct overlay *known_overlay(const struct known *k)
{
    return &k->overlay;
}

void known_sha256(const struct known *k, uint8_t ret_sha256[32])
{
    memcpy(ret_sha256, k->sha256, sizeof k->sha256);
}
