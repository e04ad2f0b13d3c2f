/* Opening, identity, transactions, revisions, checkpoints, retention. The log's own functions are in store_log.c, reading
 * beside the writer in store_read.c. */
#include "base/clock.h"
#include "publish/store_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum burst_err store_usable(struct store *store, struct burst_error *reterr)
{
    if (!store->broken.code) return BURST_OK;
    return burst_fail(reterr, BURST_E_STATE, "the store gave up after: %s", store->broken.text);
}

enum burst_err store_break(struct store *store, enum burst_err code, struct burst_error *reterr)
{
    store->broken.code = code;
    if (reterr) store->broken = *reterr;
    (void)sqlite3_exec(store->db.handle, "ROLLBACK", NULL, NULL,
                       NULL); /* may be rolled back already; nothing more is done */
    store->in_transaction = false;
    return code;
}

enum burst_err store_begin(struct store *store, struct burst_error *reterr)
{
    if (store->in_transaction) return BURST_OK;
    enum burst_err err = db_run(&store->db, "BEGIN IMMEDIATE", reterr);
    if (err) return store_break(store, err, reterr);
    store->in_transaction = true;
    return BURST_OK;
}

enum burst_err store_commit(struct store *store, struct burst_error *reterr)
{
    struct db *db = &store->db;
    enum burst_err err = db_write(db, db->statement[SQL_COMMITS], SQLITE_OK, "count a commit", reterr);
    if (!err) err = db_run(db, "COMMIT", reterr);
    if (err) return store_break(store, err, reterr);
    store->in_transaction = false;
    store->commits++;
    err = store_note_write(&store->note, store->log.stream, store->commits, reterr);
    return err ? store_break(store, err, reterr) : BURST_OK;
}

/* ---- opening ---- */

static enum burst_err check_file(struct db *db, bool *ret_new, struct burst_error *reterr)
{
    int64_t application, version, tables;
    enum burst_err err = db_integer(db, "PRAGMA application_id", &application, reterr);
    if (!err) err = db_integer(db, "PRAGMA user_version", &version, reterr);
    if (!err) err = db_integer(db, "SELECT count(*) FROM sqlite_schema", &tables, reterr);
    if (err) return err;
    *ret_new = tables == 0 && application == 0 && version == 0;
    if (*ret_new) return BURST_OK;
    if (application != STORE_APPLICATION)
        return burst_fail(reterr, BURST_E_FORMAT, "database %s is none of burstd's (application %lld)", db->path,
                          (long long)application);
    if (version != STORE_VERSION)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "database %s has version %lld, this program knows %d", db->path,
                          (long long)version, STORE_VERSION);
    return BURST_OK;
}

static enum burst_err quick_check(struct db *db, struct burst_error *reterr)
{
    sqlite3_stmt *st = NULL;
    enum burst_err err = BURST_OK;
    if (sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW)
        err = db_fail(db, "quick_check", reterr);
    else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
        err = burst_fail(reterr, BURST_E_FORMAT, "database %s is damaged: %.200s", db->path,
                         (const char *)sqlite3_column_text(st, 0));
    (void)sqlite3_finalize(st); /* repeats the error told above */
    return err;
}

static enum burst_err create_tables(struct db *db, struct burst_error *reterr)
{
    char pragmas[96];
    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   STORE_APPLICATION, STORE_VERSION);
    enum burst_err err = db_run(db, "BEGIN IMMEDIATE", reterr);
    if (!err) err = db_run(db, STORE_SCHEMA, reterr);
    return err ? err : db_run(db, pragmas, reterr);
}

/* The tables that a file made by an earlier version lacks. */
static enum burst_err create_later_tables(struct db *db, struct burst_error *reterr)
{
    int64_t there = 0;
    enum burst_err err = db_integer(
        db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('audit', 'past')", &there, reterr);
    if (err || there == 2) return err;
    err = db_run(db, "BEGIN IMMEDIATE", reterr);
    if (!err) err = db_run(db, STORE_SCHEMA_AUDIT, reterr);
    if (!err) err = db_run(db, STORE_SCHEMA_PAST, reterr);
    return err ? err : db_run(db, "COMMIT", reterr);
}

/* The newest message of each topic of the current stream must be the one the topic's row names. */
static enum burst_err count_headless(struct store *store, int64_t *ret_n, struct burst_error *reterr)
{
    char sql[400];
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM topic t WHERE stream = %lld AND NOT EXISTS(SELECT 1 FROM item i WHERE"
                   " i.topic_id = t.topic_id AND i.seq = t.last_seq AND substr(i.seal, 1, 32) = t.h AND i.seq ="
                   " (SELECT max(seq) FROM item m WHERE m.topic_id = t.topic_id))",
                   (long long)store->stream_number);
    return db_integer(&store->db, sql, ret_n, reterr);
}

/* Why the stream cannot go on, or NULL where it can. The header of store.h explains the rule. */
static enum burst_err judge_stream(struct store *store, const char **ret_why, struct burst_error *reterr)
{
    const struct store_note *note = &store->note;
    int64_t headless = 0;
    enum burst_err err = count_headless(store, &headless, reterr);
    if (err) return err;
    *ret_why = NULL;
    if (store->stream_number == 0)
        *ret_why = "new file";
    else if (headless > 0)
        *ret_why = "a topic's newest message is not the one it names";
    else if (!note->known && store->commits > 0)
        *ret_why = "no note beside a file that holds messages";
    else if (note->known && memcmp(note->stream, store->log.stream, STREAM_UUID) != 0)
        *ret_why = "the note names another stream";
    else if (note->known && note->commits > store->commits)
        *ret_why = "fewer commits than the note";
    return BURST_OK;
}

static enum burst_err make_uuid(uint8_t ret_uuid[STREAM_UUID], struct burst_error *reterr)
{
    if (getentropy(ret_uuid, STREAM_UUID)) return burst_fail(reterr, BURST_E_IO, "no random bytes for a stream UUID");
    ret_uuid[6] = (uint8_t)((ret_uuid[6] & 0x0f) | 0x40); /* RFC 4122: version 4, variant 1 */
    ret_uuid[8] = (uint8_t)((ret_uuid[8] & 0x3f) | 0x80);
    return BURST_OK;
}

static enum burst_err begin_stream(struct store *store, const char *why, struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = NULL;
    enum burst_err err = make_uuid(store->log.stream, reterr);
    if (!err) err = store_begin(store, reterr);
    if (err) return err;
    if (sqlite3_prepare_v2(db->handle, "INSERT INTO stream(uuid, begun_ns, why) VALUES(?1, ?2, ?3)", -1, &st, NULL))
        return db_fail(db, "new stream", reterr);
    int bound = db_put_blob(st, 1, store->log.stream, STREAM_UUID) + db_put_int(st, 2, clock_utc_now_ns()) +
                db_put_text(st, 3, why);
    err = db_write(db, st, bound, "new stream", reterr);
    (void)sqlite3_finalize(st); /* reset before: has nothing to say */
    if (err) return err;
    store->stream_number = sqlite3_last_insert_rowid(db->handle);
    return store_commit(store, reterr);
}

static enum burst_err load_stream(struct store *store, struct burst_error *reterr)
{
    sqlite3_stmt *st = NULL;
    struct db *db = &store->db;
    enum burst_err err = db_integer(db, "SELECT commits FROM log", &store->commits, reterr);
    if (err) return err;
    if (sqlite3_prepare_v2(db->handle, "SELECT number, uuid FROM stream ORDER BY number DESC LIMIT 1", -1, &st, NULL))
        return db_fail(db, "stream", reterr);
    int row = 0;
    err = db_first(db, st, SQLITE_OK, &row, "stream", reterr);
    if (!err && row && sqlite3_column_bytes(st, 1) != STREAM_UUID)
        err = burst_fail(reterr, BURST_E_FORMAT, "database %s: a stream of %d bytes", db->path,
                         sqlite3_column_bytes(st, 1));
    else if (!err && row) {
        store->stream_number = sqlite3_column_int64(st, 0);
        memcpy(store->log.stream, sqlite3_column_blob(st, 1), STREAM_UUID);
    }
    (void)sqlite3_finalize(st); /* repeats the error told above */
    return err;
}

static enum burst_err open_file(struct store *store, const char *path, bool *ret_new_stream, struct burst_error *reterr)
{
    bool new_file = false;
    const char *why = NULL;
    enum burst_err err = db_open_write(&store->db, path, reterr);
    if (!err) err = check_file(&store->db, &new_file, reterr);
    if (!err) err = quick_check(&store->db, reterr);
    if (!err && new_file) err = create_tables(&store->db, reterr);
    if (!err) err = create_later_tables(&store->db, reterr);
    if (!err) err = db_prepare(&store->db, STORE_SQL, SQL_N, reterr);
    if (!err) err = load_stream(store, reterr);
    if (!err) err = judge_stream(store, &why, reterr);
    if (!err && why) err = begin_stream(store, why, reterr);
    if (!err) err = store_note_write(&store->note, store->log.stream, store->commits, reterr);
    if (!err) err = store_note_sync(&store->note, reterr);
    if (!err) *ret_new_stream = why != NULL;
    return err;
}

enum burst_err store_open(const struct store_settings *settings, struct store **ret_store, bool *ret_new_stream,
                          struct burst_error *reterr)
{
    if (settings->retention_days < 1)
        return burst_fail(reterr, BURST_E_RANGE, "retention of %d days, least 1", settings->retention_days);
    struct store *store = calloc(1, sizeof *store);
    if (!store) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the store");
    store->retention_days = settings->retention_days;
    enum burst_err err = store_note_open(settings->path, &store->note, reterr);
    if (err) goto no_note;
    err = open_file(store, settings->path, ret_new_stream, reterr);
    if (err) goto no_file;
    store_log_bind(store);
    *ret_store = store;
    return BURST_OK;
no_file:
    db_close(&store->db);
    store_note_close(&store->note);
no_note:
    free(store);
    return err;
}

enum burst_err store_close(struct store *store, struct burst_error *reterr)
{
    if (!store) return BURST_OK;
    enum burst_err err = BURST_OK;
    if (!store->broken.code) {
        err = store_flush(store, reterr);
        if (!err) err = db_run(&store->db, "PRAGMA wal_checkpoint(TRUNCATE)", reterr);
        if (!err) err = store_note_sync(&store->note, reterr);
    }
    db_close(&store->db);
    store_note_close(&store->note);
    free(store);
    return err;
}

/* ---- what it is and has met ---- */

const struct stream_log *store_log(struct store *store)
{
    return &store->log;
}

void store_stream(const struct store *store, uint8_t ret_uuid[16])
{
    memcpy(ret_uuid, store->log.stream, STREAM_UUID);
}

struct store_counts store_counts(const struct store *store)
{
    return store->counts;
}

/* ---- checkpoints ---- */

/* A usable store in a transaction, and a key and bytes that fit it. */
static enum burst_err begin_put(struct store *store, const char *key, size_t n, struct burst_error *reterr)
{
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    if (n > STORE_CHECKPOINT_MAX || strlen(key) >= STORE_KEY_TEXT)
        return burst_fail(reterr, BURST_E_LIMIT, "checkpoint '%.40s' of %zu bytes, at most %d", key, n,
                          STORE_CHECKPOINT_MAX);
    return store_begin(store, reterr);
}

static enum burst_err end_put(struct store *store, sqlite3_stmt *st, int bound, struct burst_error *reterr)
{
    enum burst_err err = db_write(&store->db, st, bound, "checkpoint", reterr);
    if (err) return store_break(store, err, reterr);
    store->counts.checkpoints++;
    return BURST_OK;
}

enum burst_err store_checkpoint_put(struct store *store, const char *key, const uint8_t *bytes, size_t n,
                                    struct burst_error *reterr)
{
    enum burst_err err = begin_put(store, key, n, reterr);
    if (err) return err;
    sqlite3_stmt *st = store->db.statement[SQL_CHECKPOINT_PUT];
    return end_put(store, st, db_put_text(st, 1, key) + db_put_blob(st, 2, bytes, n), reterr);
}

enum burst_err store_past_put(struct store *store, const char *key, int64_t now_ns, const uint8_t *bytes, size_t n,
                              struct burst_error *reterr)
{
    enum burst_err err = begin_put(store, key, n, reterr);
    if (err) return err;
    sqlite3_stmt *st = store->db.statement[SQL_PAST_PUT];
    int bound = db_put_text(st, 1, key) + db_put_int(st, 2, now_ns) + db_put_blob(st, 3, bytes, n);
    return end_put(store, st, bound, reterr);
}

enum burst_err store_checkpoint_get(struct store *store, const char *key, uint8_t **ret_bytes, size_t *ret_n,
                                    struct burst_error *reterr)
{
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    sqlite3_stmt *st = store->db.statement[SQL_CHECKPOINT];
    int row = 0;
    err = db_first(&store->db, st, db_put_text(st, 1, key), &row, "checkpoint", reterr);
    if (err) return err;
    size_t n = row ? (size_t)sqlite3_column_bytes(st, 0) : 0;
    uint8_t *bytes = row ? malloc(n + 1) : NULL;
    if (!row)
        err = burst_fail(reterr, BURST_E_MISSING, "no checkpoint '%.60s'", key);
    else if (!bytes)
        err = burst_fail(reterr, BURST_E_NOMEM, "no memory for a checkpoint of %zu bytes", n);
    else {
        if (n > 0) memcpy(bytes, sqlite3_column_blob(st, 0), n);
        *ret_bytes = bytes;
        *ret_n = n;
    }
    db_done(st);
    return err;
}

/* ---- audit ---- */

static bool audit_fits(const struct store_audit *a)
{
    const char *const text[] = {a->who, a->what, a->subject, a->why, a->detail_json};
    static const size_t MOST[] = {64, 32, 64, 256, 1024};
    for (size_t i = 0; i < sizeof MOST / sizeof MOST[0]; i++)
        if (!text[i][0] || strlen(text[i]) > MOST[i]) return false;
    return true;
}

enum burst_err store_audit_put(struct store *store, const struct store_audit *audit, int64_t *ret_number,
                               struct burst_error *reterr)
{
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    if (!audit_fits(audit))
        return burst_fail(reterr, BURST_E_LIMIT, "an audit record of '%.32s' with an empty or too long text",
                          audit->what);
    if ((err = store_begin(store, reterr))) return err;
    sqlite3_stmt *st = store->db.statement[SQL_AUDIT_NEW];
    int bound = db_put_int(st, 1, audit->at_ns) + db_put_text(st, 2, audit->who) + db_put_text(st, 3, audit->what) +
                db_put_text(st, 4, audit->subject) + db_put_text(st, 5, audit->why) +
                db_put_text(st, 6, audit->detail_json);
    err = db_write(&store->db, st, bound, "audit", reterr);
    if (err) return store_break(store, err, reterr);
    *ret_number = sqlite3_last_insert_rowid(store->db.handle);
    return BURST_OK;
}

enum burst_err store_flush(struct store *store, struct burst_error *reterr)
{
    enum burst_err err = store_usable(store, reterr);
    return err || !store->in_transaction ? err : store_commit(store, reterr);
}
