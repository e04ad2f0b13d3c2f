/* Reading beside a running writer: alerts, one event whole, and the proof that the log is what it says. Refuses to write. */
#include "publish/store.h"
#include "publish/store_db.h"
#include "stream/seal.h"
#include <stdlib.h>
#include <string.h>

enum read_sql { READ_TOPICS, READ_ITEMS, READ_ALERTS, READ_NEWEST, READ_RECORD, READ_EVIDENCE, READ_N };

/* An id can live in several realms: the real one comes first. */
#define EVENT_BY_ID                                                                                                    \
    "(SELECT event_id FROM event WHERE id = ?1 ORDER BY substr(topic, 1, 6) = 'burst.' DESC, told_ns DESC LIMIT 1)"

static const char *const READ_SQL[READ_N] = {
    [READ_TOPICS] = "SELECT topic_id, name, first_seq, last_seq, before_first, h FROM topic"
                    " WHERE stream = (SELECT max(number) FROM stream) ORDER BY name",
    [READ_ITEMS] = "SELECT t.name, i.header, i.body, i.seal FROM item i JOIN topic t ON t.topic_id = i.topic_id"
                   " WHERE i.topic_id = ?1 AND i.seq >= ?2 ORDER BY i.seq",
    [READ_ALERTS] = "SELECT i.body FROM event e JOIN record r ON r.event_id = e.event_id AND r.record_number = e.newest"
                    " JOIN item i ON i.topic_id = r.topic_id AND i.seq = r.seq"
                    " WHERE substr(e.topic, 1, length(?1)) = ?1 ORDER BY e.told_ns DESC, e.event_id DESC LIMIT ?2",
    [READ_NEWEST] = "SELECT event_id, newest FROM event WHERE event_id = " EVENT_BY_ID,
    [READ_RECORD] = "SELECT i.body FROM record r LEFT JOIN item i ON i.topic_id = r.topic_id AND i.seq = r.seq"
                    " WHERE r.event_id = ?1 AND r.record_number = ?2",
    [READ_EVIDENCE] = "SELECT i.body FROM record r JOIN item i ON i.topic_id = r.evidence_topic_id AND"
                      " i.seq = r.evidence_seq WHERE r.event_id = ?1 AND r.record_number <= ?2"
                      " ORDER BY r.record_number DESC LIMIT 1",
};

struct store_reader {
    struct db db;
};

enum burst_err store_reader_open(const char *path, struct store_reader **ret_reader, struct burst_error *reterr)
{
    int64_t application = 0, version = 0;
    struct store_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a store reader");
    struct db *db = &reader->db;
    enum burst_err err = db_open_read(db, path, reterr);
    if (!err) err = db_integer(db, "PRAGMA application_id", &application, reterr);
    if (!err) err = db_integer(db, "PRAGMA user_version", &version, reterr);
    if (!err && application != STORE_APPLICATION)
        err = burst_fail(reterr, BURST_E_FORMAT, "database %s is none of burstd's", path);
    if (!err && version != STORE_VERSION)
        err = burst_fail(reterr, BURST_E_UNSUPPORTED, "database %s has version %lld, this program knows %d", path,
                         (long long)version, STORE_VERSION);
    if (!err) err = db_prepare(db, READ_SQL, READ_N, reterr);
    if (err)
        store_reader_close(reader);
    else
        *ret_reader = reader;
    return err;
}

void store_reader_close(struct store_reader *reader)
{
    if (!reader) return;
    db_close(&reader->db);
    free(reader);
}

/* ---- verify ---- */

struct chain {
    const char *topic;
    uint64_t next;
    uint8_t h[STREAM_CHAIN];
    const uint8_t *stream;
};

static enum burst_err verify_item(struct chain *chain, const struct stream_item *item, struct burst_error *reterr)
{
    unsigned long long seq = item->seq;
    if (item->seq != chain->next)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: %llu where %llu belongs", chain->topic, seq,
                          (unsigned long long)chain->next);
    if (memcmp(item->stream, chain->stream, STREAM_UUID) != 0)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s %llu: the header names another stream", chain->topic, seq);
    if (!seal_follows(chain->h, item))
        return burst_fail(reterr, BURST_E_CONFLICT, "%s %llu: the chain is broken here", chain->topic, seq);
    memcpy(chain->h, item->seal, STREAM_CHAIN);
    chain->next++;
    return BURST_OK;
}

/* One topic; the cursor of READ_TOPICS stands on its row. */
static enum burst_err verify_topic(struct db *db, sqlite3_stmt *topic, const uint8_t stream[STREAM_UUID],
                                   uint64_t *n_message, struct burst_error *reterr)
{
    struct chain chain = {
        (const char *)sqlite3_column_text(topic, 1), (uint64_t)sqlite3_column_int64(topic, 2), {0}, stream};
    uint64_t last = (uint64_t)sqlite3_column_int64(topic, 3);
    if (sqlite3_column_bytes(topic, 4) != STREAM_CHAIN || sqlite3_column_bytes(topic, 5) != STREAM_CHAIN)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: its chain values are no 32 bytes", chain.topic);
    memcpy(chain.h, sqlite3_column_blob(topic, 4), STREAM_CHAIN);
    sqlite3_stmt *st = db->statement[READ_ITEMS];
    int rc = db_put_int(st, 1, sqlite3_column_int64(topic, 0)) + db_put_int(st, 2, (int64_t)chain.next);
    enum burst_err err = BURST_OK;
    while (!err && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
        struct stream_item item;
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW) break;
        err = db_item(db, st, 0, &item, reterr);
        if (!err) err = verify_item(&chain, &item, reterr);
        if (!err) ++*n_message;
    }
    if (!err && rc != SQLITE_DONE) err = db_fail(db, "verify", reterr);
    db_done(st);
    if (err) return err;
    if (chain.next != last + 1 || memcmp(chain.h, sqlite3_column_blob(topic, 5), STREAM_CHAIN) != 0)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: ends at %llu, its head says %llu or another chain value",
                          chain.topic, (unsigned long long)chain.next - 1, (unsigned long long)last);
    return BURST_OK;
}

static enum burst_err read_stream(struct db *db, uint8_t ret_stream[STREAM_UUID], struct burst_error *reterr)
{
    sqlite3_stmt *st = NULL;
    enum burst_err err = BURST_OK;
    if (sqlite3_prepare_v2(db->handle, "SELECT uuid FROM stream ORDER BY number DESC LIMIT 1", -1, &st, NULL) !=
            SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW || sqlite3_column_bytes(st, 0) != STREAM_UUID)
        err = db_fail(db, "stream", reterr);
    else
        memcpy(ret_stream, sqlite3_column_blob(st, 0), STREAM_UUID);
    (void)sqlite3_finalize(st); /* repeats the error told above */
    return err;
}

enum burst_err store_verify(struct store_reader *reader, struct store_verified *ret_verified,
                            struct burst_error *reterr)
{
    struct db *db = &reader->db;
    struct store_verified v = {0};
    enum burst_err err = db_run(db, "BEGIN", reterr); /* one view of the file, whatever the writer does meanwhile */
    if (err) return err;
    err = read_stream(db, v.stream, reterr);
    sqlite3_stmt *st = db->statement[READ_TOPICS];
    int rc = SQLITE_ROW;
    while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        err = verify_topic(db, st, v.stream, &v.n_message, reterr);
        v.n_topic++;
    }
    if (!err && rc != SQLITE_DONE) err = db_fail(db, "verify", reterr);
    db_done(st);
    (void)sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL); /* ends a read: nothing can be lost */
    if (!err) *ret_verified = v;
    return err;
}

/* ---- alerts and show ---- */

/* Append to malloc'd text that is always closed with 0. */
static enum burst_err text_add(char **text, size_t *n, size_t *room, const void *bytes, size_t n_bytes)
{
    if (*n + n_bytes + 1 > *room) {
        size_t more = (*n + n_bytes + 1) * 2;
        char *grown = realloc(*text, more);
        if (!grown) return BURST_E_NOMEM;
        *text = grown;
        *room = more;
    }
    if (n_bytes > 0) memcpy(*text + *n, bytes, n_bytes);
    *n += n_bytes;
    (*text)[*n] = 0;
    return BURST_OK;
}

enum burst_err store_alerts(struct store_reader *reader, const char *prefix, int limit, char **ret_text,
                            struct burst_error *reterr)
{
    struct db *db = &reader->db;
    if (limit < 1 || limit > 1000) return burst_fail(reterr, BURST_E_RANGE, "limit %d, allowed 1 to 1000", limit);
    char *text = NULL;
    size_t n = 0, room = 0;
    sqlite3_stmt *st = db->statement[READ_ALERTS];
    int rc = db_put_text(st, 1, prefix) + db_put_int(st, 2, limit);
    enum burst_err err = text_add(&text, &n, &room, "[", 1);
    while (!err && (rc == SQLITE_OK || rc == SQLITE_ROW) && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (n > 1) err = text_add(&text, &n, &room, ",", 1);
        if (!err) err = text_add(&text, &n, &room, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
    }
    if (!err) err = text_add(&text, &n, &room, "]", 1);
    if (err)
        (void)burst_fail(reterr, err, "no memory for %d alerts", limit);
    else if (rc != SQLITE_DONE)
        err = db_fail(db, "alerts", reterr);
    db_done(st);
    if (err)
        free(text);
    else
        *ret_text = text;
    return err;
}

/* Prepared here and not at opening: a file of before has no such table, and its log can be verified all the same. */
static const char AUDIT_SQL[] =
    "SELECT coalesce(json_group_array(json_object('number', number, 'at', strftime('%Y-%m-%dT%H:%M:%S', at_ns / "
    "1000000000,"
    " 'unixepoch') || printf('.%06dZ', at_ns / 1000 % 1000000), 'who', who, 'what', what, 'subject', subject, 'why', "
    "why,"
    " 'detail', CASE WHEN json_valid(detail) THEN json(detail) ELSE detail END)), '[]') FROM (SELECT * FROM audit"
    " WHERE (?1 IS NULL OR what = ?1) AND (?2 IS NULL OR subject = ?2 COLLATE NOCASE) ORDER BY number DESC LIMIT ?3)";

enum burst_err store_audit_list(struct store_reader *reader, const char *what, const char *subject, int limit,
                                char **ret_text, struct burst_error *reterr)
{
    struct db *db = &reader->db;
    sqlite3_stmt *st = NULL;
    int row = 0;
    char *text = NULL;
    if (limit < 1 || limit > 1000) return burst_fail(reterr, BURST_E_RANGE, "limit %d, allowed 1 to 1000", limit);
    if (sqlite3_prepare_v2(db->handle, AUDIT_SQL, -1, &st, NULL) != SQLITE_OK) return db_fail(db, "audit", reterr);
    int bound = db_put_int(st, 3, limit);
    if (what) bound += db_put_text(st, 1, what); /* unbound is NULL: all */
    if (subject) bound += db_put_text(st, 2, subject);
    enum burst_err err = db_first(db, st, bound, &row, "audit", reterr);
    if (!err && !(text = strdup(row ? (const char *)sqlite3_column_text(st, 0) : "[]")))
        err = burst_fail(reterr, BURST_E_NOMEM, "no memory for %d audit records", limit);
    (void)sqlite3_finalize(st); /* repeats the error told above */
    if (!err) *ret_text = text;
    return err;
}

/* A copy of column 0 with a closing 0; *ret_bytes stays NULL where there is no row or no value. */
static enum burst_err copy_first(struct db *db, sqlite3_stmt *st, int bound, int *ret_row, uint8_t **ret_bytes,
                                 size_t *ret_n, struct burst_error *reterr)
{
    enum burst_err err = db_first(db, st, bound, ret_row, "show", reterr);
    if (err) return err;
    if (*ret_row && sqlite3_column_type(st, 0) != SQLITE_NULL) {
        size_t n = (size_t)sqlite3_column_bytes(st, 0);
        uint8_t *bytes = malloc(n + 1);
        if (bytes) {
            if (n > 0) memcpy(bytes, sqlite3_column_blob(st, 0), n);
            bytes[n] = 0;
            *ret_bytes = bytes;
            *ret_n = n;
        } else
            err = burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu bytes", n);
    }
    db_done(st);
    return err;
}

enum burst_err store_past_get(struct store_reader *reader, const char *key, uint8_t **ret_bytes, size_t *ret_n,
                              struct burst_error *reterr)
{
    struct db *db = &reader->db;
    sqlite3_stmt *st = NULL;
    int row = 0;
    uint8_t *bytes = NULL;
    size_t n = 0;
    /* Not prepared with the others: a file that only tools have opened since may lack the table. */
    if (sqlite3_prepare_v2(db->handle, "SELECT bytes FROM past WHERE key = ?1", -1, &st, NULL) != SQLITE_OK)
        return db_fail(db, "past", reterr);
    enum burst_err err = copy_first(db, st, db_put_text(st, 1, key), &row, &bytes, &n, reterr);
    (void)sqlite3_finalize(st); /* repeats the error told above */
    if (!err && !row) err = burst_fail(reterr, BURST_E_MISSING, "nothing is kept under '%.90s'", key);
    if (err) return err;
    *ret_bytes = bytes;
    *ret_n = n;
    return BURST_OK;
}

static enum burst_err find_event(struct db *db, const char *id, int *record_number, int64_t *ret_event_id,
                                 struct burst_error *reterr)
{
    int row = 0;
    sqlite3_stmt *st = db->statement[READ_NEWEST];
    enum burst_err err = db_first(db, st, db_put_text(st, 1, id), &row, "show", reterr);
    if (err) return err;
    if (row) {
        *ret_event_id = sqlite3_column_int64(st, 0);
        if (*record_number == 0) *record_number = sqlite3_column_int(st, 1);
    } else
        err = burst_fail(reterr, BURST_E_MISSING, "no event '%.80s'", id);
    db_done(st);
    return err;
}

enum burst_err store_show(struct store_reader *reader, const char *id, int record_number, char **ret_text,
                          uint8_t **ret_fits, size_t *ret_n_fits, struct burst_error *reterr)
{
    struct db *db = &reader->db;
    int64_t event_id = 0;
    int row = 0;
    uint8_t *text = NULL, *fits = NULL;
    size_t n_text = 0, n_fits = 0;
    enum burst_err err = find_event(db, id, &record_number, &event_id, reterr);
    if (err) return err;
    sqlite3_stmt *st = db->statement[READ_RECORD];
    err = copy_first(db, st, db_put_int(st, 1, event_id) + db_put_int(st, 2, record_number), &row, &text, &n_text,
                     reterr);
    if (!err && !row)
        err = burst_fail(reterr, BURST_E_MISSING, "event '%.80s' has no revision %d", id, record_number);
    else if (!err && !text)
        err = burst_fail(reterr, BURST_E_GONE, "revision %d of '%.80s' is no longer kept", record_number, id);
    st = db->statement[READ_EVIDENCE];
    if (!err)
        err = copy_first(db, st, db_put_int(st, 1, event_id) + db_put_int(st, 2, record_number), &row, &fits, &n_fits,
                         reterr);
    if (err) {
        free(text);
        return err;
    }
    *ret_text = (char *)text;
    *ret_fits = fits;
    *ret_n_fits = n_fits;
    return BURST_OK;
}
