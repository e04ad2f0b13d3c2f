/* What the daemon knows about itself: counters of everything refused, progress of every thread, latencies. The only atomics
 * of burstd live here; any thread may call anything. */
#ifndef BURST_DAEMON_HEALTH_H
#define BURST_DAEMON_HEALTH_H
#include "base/err.h"
#include "infer/device.h"
#include <stdbool.h>
#include <stdint.h>

enum health_thread { THREAD_INGEST, THREAD_WORK, THREAD_PUBLISH, THREAD_MAIN, THREAD_N };

/* Names in `burstctl status`; one line each in health.c. Where a bad input is concerned, the counter is
 * "<kind>.<error name>", see health_bad. */
enum health_count {
    COUNT_MESSAGES,             /* messages taken from the gateways */
    COUNT_BYTES,                /* their bodies, bytes */
    COUNT_EVENTS,               /* photon events placed in rings */
    COUNT_EVENTS_DROPPED,       /* rows that are no recommended events, or in no atom */
    COUNT_CHUNKS_STEP_BACK,     /* lists of a detector whose times step back */
    COUNT_CHUNKS_ONE_TIME,      /* whose events are all at one time */
    COUNT_CHUNKS_REPEATED_ROWS, /* with a row twice in succession */
    COUNT_EVENTS_UNSEARCHED, /* counted, but of detectors no bursts are searched for in: GBM's BGO, particle monitors */
    COUNT_EVENTS_REPEATED,   /* of good time that had been counted, with the same content */
    COUNT_EVENTS_ARCHIVAL,   /* older than the rings: searched apart, at low priority */
    COUNT_EVENTS_LATE,       /* events whose bin was closed already */
    COUNT_DUPLICATES,        /* messages seen before */
    COUNT_GAPS,              /* messages that neither live nor history gave */
    COUNT_REPAIRED,          /* messages that history gave */
    COUNT_RESTARTS,          /* gateways that began a new stream while we listened */
    COUNT_WINDOWS,           /* light-curve windows scored */
    COUNT_WINDOWS_DETECTORS, /* detector windows through the network */
    COUNT_IMAGES,            /* sub-images scored */
    COUNT_NOTICES,           /* notices taken */
    COUNT_VERDICTS,          /* revisions told */
    COUNT_VERDICTS_KNOWN,    /* revisions re-derived after a restart that had been told before */
    COUNT_CONFLICTS,         /* re-derived with another content: not told */
    COUNT_PUBLISH_FAILED,    /* revisions that broke a rule of the wire: an alarm */
    COUNT_EVIDENCE_FAILED,   /* evidence that could not be written */
    COUNT_COMMANDS,          /* requests on the command socket */
    COUNT_ALARMS,            /* inputs that contradict themselves or what came before: a defect or a forgery */
    COUNT_FORKS,             /* consumers that hold another message under one of our numbers */
    COUNT_QUARANTINED,       /* refused inputs put into quarantine */
    COUNT_QUARANTINE_LOST,   /* refused inputs that could not be kept */
    COUNT_N
};

/* Kinds of bad input. */
enum health_kind { BAD_FRAME, BAD_EVENTS, BAD_SUBIMAGE, BAD_COMMAND, BAD_INFER, BAD_PLATFORM, BAD_TRIGGER, BAD_KIND_N };

struct health;

/* Errors    BURST_E_NOMEM */
enum burst_err health_new(struct health **ret_health, struct burst_error *reterr);
void health_free(struct health *h);

void health_add(struct health *h, enum health_count what, uint64_t n);
uint64_t health_get(struct health *h, enum health_count what);
const char *health_count_name(enum health_count what);

/* Count one bad input. Returns true for the first of its kind and code from this source within a minute: log it then. */
bool health_bad(struct health *h, enum health_kind kind, enum burst_err code, const char *source);
uint64_t health_bad_get(struct health *h, enum health_kind kind, enum burst_err code);
const char *health_kind_name(enum health_kind kind);

/* A thread got round its loop. */
void health_progress(struct health *h, enum health_thread thread);
/* Every thread got round its loop within the last `limit_ns`; *ret_stuck names one that did not. */
bool health_alive(struct health *h, int64_t limit_ns, enum health_thread *ret_stuck);
const char *health_thread_name(enum health_thread thread);

/* Packet-to-verdict latency, ns of host time from the arrival of the deciding message to after the wire. Kept: the newest 1,024. */
void health_latency(struct health *h, int64_t ns);
/* Quantiles of the kept ones; 0 where there is none. */
void health_latency_quantiles(struct health *h, int64_t *ret_p50_ns, int64_t *ret_p99_ns, uint64_t *ret_n);

/* The GPU as the work thread last saw it. health_gpu: false, ret untouched, before the first word of it. */
void health_gpu_set(struct health *h, const struct device_status *status);
bool health_gpu(struct health *h, struct device_status *ret_status);

/* The first failure that must end the process; later ones are dropped. Any thread; main looks. */
void health_fatal(struct health *h, const struct burst_error *error);
bool health_is_fatal(struct health *h, struct burst_error *ret_error);
#endif
