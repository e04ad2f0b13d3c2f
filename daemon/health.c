/* Counters and progress. */
#include "daemon/health.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LATENCY_KEPT = 1024, TOLD_KEPT = 64, TOLD_SOURCE_TEXT = 96 };
static const int64_t TELL_AGAIN_NS = 60 * CLOCK_NS_PER_S;

/* A refusal that has been logged, so that a babbling source fills the counters but not the journal. */
struct told {
    char source[TOLD_SOURCE_TEXT];
    enum health_kind kind;
    enum burst_err code;
    int64_t at_ns;
};

struct health {
    atomic_uint_fast64_t count[COUNT_N];
    atomic_uint_fast64_t bad[BAD_KIND_N][BURST_E_N];
    atomic_int_fast64_t progress_ns[THREAD_N];
    pthread_mutex_t lock; /* all below */
    struct told told[TOLD_KEPT];
    size_t next_told;
    int64_t latency_ns[LATENCY_KEPT];
    uint64_t n_latency;
    bool has_gpu;
    struct device_status gpu;
    bool fatal;
    struct burst_error fatal_error;
};

static const char *const COUNT_NAME[COUNT_N] = {
    [COUNT_MESSAGES] = "messages",
    [COUNT_BYTES] = "bytes",
    [COUNT_EVENTS] = "events",
    [COUNT_EVENTS_DROPPED] = "events_dropped",
    [COUNT_CHUNKS_STEP_BACK] = "chunks_step_back",
    [COUNT_CHUNKS_ONE_TIME] = "chunks_one_time",
    [COUNT_CHUNKS_REPEATED_ROWS] = "chunks_repeated_rows",
    [COUNT_EVENTS_UNSEARCHED] = "events_unsearched",
    [COUNT_EVENTS_REPEATED] = "events_repeated",
    [COUNT_EVENTS_ARCHIVAL] = "events_archival",
    [COUNT_EVENTS_LATE] = "events_late",
    [COUNT_DUPLICATES] = "duplicates",
    [COUNT_GAPS] = "gaps",
    [COUNT_REPAIRED] = "repaired",
    [COUNT_RESTARTS] = "stream_restarts",
    [COUNT_WINDOWS] = "windows",
    [COUNT_WINDOWS_DETECTORS] = "detector_windows",
    [COUNT_IMAGES] = "images",
    [COUNT_NOTICES] = "notices",
    [COUNT_VERDICTS] = "verdicts",
    [COUNT_VERDICTS_KNOWN] = "verdicts_known",
    [COUNT_CONFLICTS] = "verdict_conflicts",
    [COUNT_PUBLISH_FAILED] = "publish_failed",
    [COUNT_EVIDENCE_FAILED] = "evidence_failed",
    [COUNT_COMMANDS] = "commands",
    [COUNT_ALARMS] = "alarms",
    [COUNT_FORKS] = "forks",
    [COUNT_QUARANTINED] = "quarantined",
    [COUNT_QUARANTINE_LOST] = "quarantine_lost",
};
static const char *const KIND_NAME[BAD_KIND_N] = {"bad_frame", "bad_events",   "bad_subimage", "bad_command",
                                                  "bad_infer", "bad_platform", "bad_trigger"};
static const char *const THREAD_NAME[THREAD_N] = {"ingest", "work", "publish", "main"};

enum burst_err health_new(struct health **ret_health, struct burst_error *reterr)
{
    struct health *h = calloc(1, sizeof *h);
    if (!h) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the health record");
    (void)pthread_mutex_init(&h->lock, NULL); /* glibc: cannot fail with default attributes */
    for (int i = 0; i < THREAD_N; i++)
        health_progress(h, (enum health_thread)i);
    *ret_health = h;
    return BURST_OK;
}

void health_free(struct health *h)
{
    if (!h) return;
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}

void health_add(struct health *h, enum health_count what, uint64_t n)
{
    atomic_fetch_add_explicit(&h->count[what], n, memory_order_relaxed);
}

uint64_t health_get(struct health *h, enum health_count what)
{
    return atomic_load_explicit(&h->count[what], memory_order_relaxed);
}

const char *health_count_name(enum health_count what)
{
    return COUNT_NAME[what];
}

const char *health_kind_name(enum health_kind kind)
{
    return KIND_NAME[kind];
}

const char *health_thread_name(enum health_thread thread)
{
    return THREAD_NAME[thread];
}

static bool tell(struct health *h, enum health_kind kind, enum burst_err code, const char *source)
{
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < TOLD_KEPT; i++) {
        struct told *t = &h->told[i];
        if (!t->at_ns || t->kind != kind || t->code != code || strncmp(t->source, source, TOLD_SOURCE_TEXT - 1) != 0)
            continue;
        if (now - t->at_ns < TELL_AGAIN_NS) return false;
        t->at_ns = now;
        return true;
    }
    struct told *t = &h->told[h->next_told++ % TOLD_KEPT];
    *t = (struct told){.kind = kind, .code = code, .at_ns = now};
    strncpy(t->source, source, TOLD_SOURCE_TEXT - 1);
    return true;
}

bool health_bad(struct health *h, enum health_kind kind, enum burst_err code, const char *source)
{
    atomic_fetch_add_explicit(&h->bad[kind][code < BURST_E_N ? code : BURST_E_INTERNAL], 1, memory_order_relaxed);
    (void)pthread_mutex_lock(&h->lock);
    bool first = tell(h, kind, code, source);
    (void)pthread_mutex_unlock(&h->lock);
    return first;
}

uint64_t health_bad_get(struct health *h, enum health_kind kind, enum burst_err code)
{
    return atomic_load_explicit(&h->bad[kind][code], memory_order_relaxed);
}

void health_progress(struct health *h, enum health_thread thread)
{
    atomic_store_explicit(&h->progress_ns[thread], clock_mono_ns(), memory_order_relaxed);
}

bool health_alive(struct health *h, int64_t limit_ns, enum health_thread *ret_stuck)
{
    int64_t now = clock_mono_ns();
    for (int i = 0; i < THREAD_N; i++)
        if (now - atomic_load_explicit(&h->progress_ns[i], memory_order_relaxed) > limit_ns) {
            *ret_stuck = (enum health_thread)i;
            return false;
        }
    return true;
}

void health_latency(struct health *h, int64_t ns)
{
    (void)pthread_mutex_lock(&h->lock);
    h->latency_ns[h->n_latency++ % LATENCY_KEPT] = ns;
    (void)pthread_mutex_unlock(&h->lock);
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void health_latency_quantiles(struct health *h, int64_t *ret_p50_ns, int64_t *ret_p99_ns, uint64_t *ret_n)
{
    int64_t sorted[LATENCY_KEPT];
    (void)pthread_mutex_lock(&h->lock);
    *ret_n = h->n_latency;
    size_t n = h->n_latency < LATENCY_KEPT ? (size_t)h->n_latency : LATENCY_KEPT;
    memcpy(sorted, h->latency_ns, n * sizeof sorted[0]);
    (void)pthread_mutex_unlock(&h->lock);
    qsort(sorted, n, sizeof sorted[0], compare_ns);
    *ret_p50_ns = n ? sorted[n / 2] : 0;
    *ret_p99_ns = n ? sorted[(n * 99) / 100] : 0;
}

void health_gpu_set(struct health *h, const struct device_status *status)
{
    (void)pthread_mutex_lock(&h->lock);
    h->gpu = *status;
    h->has_gpu = true;
    (void)pthread_mutex_unlock(&h->lock);
}

bool health_gpu(struct health *h, struct device_status *ret_status)
{
    (void)pthread_mutex_lock(&h->lock);
    bool has = h->has_gpu;
    if (has) *ret_status = h->gpu;
    (void)pthread_mutex_unlock(&h->lock);
    return has;
}

void health_fatal(struct health *h, const struct burst_error *error)
{
    (void)pthread_mutex_lock(&h->lock);
    if (!h->fatal) h->fatal_error = *error;
    h->fatal = true;
    (void)pthread_mutex_unlock(&h->lock);
}

bool health_is_fatal(struct health *h, struct burst_error *ret_error)
{
    (void)pthread_mutex_lock(&h->lock);
    bool fatal = h->fatal;
    if (fatal) *ret_error = h->fatal_error;
    (void)pthread_mutex_unlock(&h->lock);
    return fatal;
}
