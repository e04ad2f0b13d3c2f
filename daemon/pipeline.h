/* The pipeline: three threads, two queues, five stages. Read docs/path-of-an-alert.md beside it.
 *
 *     ingest thread    subscribers -> packets -> rings -> windows, sub-images   (daemon/ingest.c)
 *     work thread      windows, sub-images -> scores -> verdicts, evidence     (daemon/work.c)
 *     publish thread   verdicts -> SQLite -> wire; history; heartbeat          (daemon/publish.c)
 *
 * The main thread (daemon/main.c) starts them, answers commands and feeds the watchdog. */
#ifndef BURST_DAEMON_PIPELINE_H
#define BURST_DAEMON_PIPELINE_H
#include "config/config.h"
#include "daemon/health.h"
#include "daemon/known.h"
#include "daemon/past.h"
#include "daemon/quarantine.h"
#include "daemon/units.h"
#include "publish/store.h"
#include "science/science.h"
#include "stream/publisher.h"
#include "stream/subscriber.h"
#include <pthread.h>
#include <stdatomic.h>

enum { FEED_MAX = 112 }; /* input topics of all realms */

/* An input topic as seen from outside: for status and heartbeat. Guarded by pipeline.feed_lock. */
struct feed_status {
    char topic[STREAM_TOPIC_TEXT];
    int64_t data_time_ns; /* TT: latest data taken, or the gateway's word; INT64_MIN: none */
    int64_t seen_mono_ns; /* when the last message came */
    uint64_t n_message;
    double particle_ratio; /* of a particle monitor; 0: not known */
};

struct pipeline {
    struct burst_config config; /* the live keys may change: config_lock */
    pthread_mutex_t config_lock, feed_lock;
    struct health *health;
    struct units units;
    struct stream_context *context;
    struct science science;
    struct known *known; /* the known sources in force */
    struct store *store;
    struct publisher *publisher;
    struct quarantine *quarantine;        /* NULL: its folder could not be opened */
    struct quarantine_counts quarantined; /* as already added to health: the main thread's */
    bool new_stream;                      /* the log began a new stream at this start */
    int n_restart;
    struct restart_point restart[FEED_MAX];
    struct book book[REALM_N]; /* what has been told: the work thread's, once it runs */
    struct past *past;         /* what has left it: the work thread's too */
    int n_feed;
    struct feed_status feed[FEED_MAX];
    struct subscriber_counts gateway[CONFIG_INPUT_MAX]; /* of each input of the configuration; guarded by feed_lock */
    struct platform_state platform[REALM_N][MISSION_N]; /* at the newest sample; feed_lock */
    atomic_bool stop_ingest;
    pthread_t thread[THREAD_MAIN];
    int n_thread;
};

/* Open everything: models, catalogue, store, sockets; nothing runs yet.
 * Errors    of what could not be opened, named; *ret_p untouched */
enum burst_err pipeline_open(const struct burst_config *config, struct health *health, struct pipeline **ret_p,
                             struct burst_error *reterr);
/* Start the three threads. */
enum burst_err pipeline_start(struct pipeline *p, struct burst_error *reterr);
/* Stop reading, let every unit under way be judged and told, join. */
void pipeline_drain(struct pipeline *p);
/* Close the store last. NULL is accepted. Errors  of the store's last commit; everything is freed all the same */
enum burst_err pipeline_close(struct pipeline *p, struct burst_error *reterr);
/* Take over the keys a running daemon may change; the log level is for the caller to set. */
void pipeline_reconfigure(struct pipeline *p, const struct burst_config *next);

/* Bodies of the threads; `arg` is the pipeline. */
void *ingest_thread(void *arg);
void *work_thread(void *arg);
void *publish_thread(void *arg);

/* A unit from a pool: waits until there is one, counting as progress; NULL once `*stop` is set (stop NULL: never). */
void *pipeline_take_free(struct pipeline *p, struct queue *pool, enum health_thread thread, const atomic_bool *stop);
/* Put a unit into a queue that can hold all there are. */
void pipeline_give(struct queue *q, void *unit);
/* Update the status of a topic. data_time_ns INT64_MIN leaves it as it is. */
void pipeline_feed_seen(struct pipeline *p, const char *topic, int64_t data_time_ns, bool message);
/* Write the refused inputs that wait. Main thread. */
void pipeline_keep_quarantine(struct pipeline *p);
/* Charged particles over their usual rate, at a monitor's newest data; 0: not known. */
void pipeline_particles_seen(struct pipeline *p, const char *topic, double ratio);
/* Refusal: count it, and log it if it is the first of its kind from there. A contradiction (BURST_E_CONFLICT) is an alarm. */
void pipeline_refused(struct pipeline *p, enum health_kind kind, enum burst_err code, const char *source,
                      const struct burst_error *e);
/* Other bytes under the number of a known sub-image: a defect of the sender, or a forgery. Told every time, not once a minute. */
void pipeline_alarm_image(const char *source, const struct burst_error *e);
#endif
