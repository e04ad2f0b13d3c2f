/* One store in a folder of its own, and the words the store's tests share. */
#ifndef BURST_TESTS_STORE_FIXTURE_H
#define BURST_TESTS_STORE_FIXTURE_H
#include "base/bytes.h"
#include "base/hash.h"
#include "check.h"
#include "publish/store.h"
#include "sample_log.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define DAY_NS   (INT64_C(86400) * CLOCK_NS_PER_S)
#define NOW_NS   INT64_C(1795144346000000000)
#define VERDICT  "burst.v1.svom.verdict"
#define EVIDENCE "burst.v1.svom.evidence"

static char path[256];
static struct store *store;
static const struct stream_log *log_;
static bool new_stream;
static struct burst_error error;

static inline void open_store(void)
{
    struct store_settings settings = {path, 7};
    error = (struct burst_error){0};
    enum burst_err err = store_open(&settings, &store, &new_stream, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    if (err) store = NULL;
    log_ = store ? store_log(store) : NULL;
}

static inline void close_store(void)
{
    CHECK_INT(store_close(store, &error), BURST_OK);
    store = NULL;
}

static inline void begin(void)
{
    sample_folder(path, "burst.db");
    open_store();
}

static inline void end(void)
{
    if (store) close_store();
    sample_folder_remove(path);
}

static inline void put(const char *topic, const char *body, int64_t sent_ns)
{
    enum burst_err err = sample_append(log_, topic, body, sent_ns, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
}

/* Bodies visited, joined by commas. */
struct seen {
    char text[400];
    int n, stop_at;
};

static inline enum burst_err note_body(void *arg, const struct stream_item *item)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->text);
    (void)snprintf(seen->text + n, sizeof seen->text - n, "%s%.*s:%llu", n ? "," : "", (int)item->n_body,
                   (const char *)item->body, (unsigned long long)item->seq);
    CHECK(item->seal != NULL && memcmp(item->stream, log_->stream, STREAM_UUID) == 0);
    return ++seen->n == seen->stop_at ? BURST_E_FULL : BURST_OK;
}

static inline struct seen read_from(const char *topic, uint64_t from, uint32_t most, uint64_t want_next)
{
    struct seen seen = {0};
    uint64_t next = 0;
    CHECK_INT(log_->read(log_->ctx, topic, from, most, note_body, &seen, &next, &error), BURST_OK);
    CHECK_INT(next, want_next);
    return seen;
}

static inline uint64_t head_of(const char *topic)
{
    uint64_t seq = 99;
    uint8_t h[STREAM_CHAIN];
    CHECK_INT(log_->head(log_->ctx, topic, &seq, h, &error), BURST_OK);
    return seq;
}

static inline uint64_t earliest_of(const char *topic)
{
    uint64_t seq = 99;
    CHECK_INT(log_->earliest(log_->ctx, topic, &seq, &error), BURST_OK);
    return seq;
}

static inline struct store_verified verified(void)
{
    struct store_reader *reader = NULL;
    struct store_verified v = {0};
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    enum burst_err err = store_verify(reader, &v, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    store_reader_close(reader);
    return v;
}

/* Somebody else's hand in the file, through plain SQLite. */
static inline void meddle(const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK_SAY(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
    sqlite3_free(why);
    (void)sqlite3_close(db);
}

static inline struct store_record record_of(const char *id, int n, char core, bool open)
{
    struct store_record r = {.topic = VERDICT, .id = id, .record_number = n, .open = open};
    memset(r.core_hash, core, 32);
    return r;
}

static inline void tell(const char *id, int n, const char *body, bool open, int64_t sent_ns)
{
    struct store_record r = record_of(id, n, body[0], open);
    CHECK_INT(store_stage_record(store, &r, &error), BURST_OK);
    put(VERDICT, body, sent_ns);
}

static inline enum store_seen seen_as(const char *id, int n, char core)
{
    enum store_seen seen = (enum store_seen)9;
    struct store_record r = record_of(id, n, core, false);
    CHECK_INT(store_has_record(store, &r, &seen, &error), BURST_OK);
    return seen;
}
#endif
