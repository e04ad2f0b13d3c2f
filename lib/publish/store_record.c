/* Which revisions have been told: the staged one, the lookup after a restart, and retention. */
#include "base/clock.h"
#include "publish/store_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_fits(const char *s, size_t room)
{
    return s[0] != 0 && strlen(s) < room;
}

static enum burst_err stage(struct store *store, const char *topic, const char *id, int record_number,
                            struct store_staged *ret_staged, struct burst_error *reterr)
{
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    if (!text_fits(topic, STREAM_TOPIC_TEXT) || !text_fits(id, STORE_KEY_TEXT) || record_number < 1)
        return burst_fail(reterr, BURST_E_RANGE, "cannot stage revision %d of '%.60s' on '%.60s'", record_number, id,
                          topic);
    struct store_staged staged = {.record_number = record_number};
    memcpy(staged.topic, topic, strlen(topic) + 1);
    memcpy(staged.id, id, strlen(id) + 1);
    *ret_staged = staged;
    return BURST_OK;
}

enum burst_err store_stage_record(struct store *store, const struct store_record *record, struct burst_error *reterr)
{
    enum burst_err err = stage(store, record->topic, record->id, record->record_number, &store->staged, reterr);
    if (err) return err;
    store->staged.record = true;
    store->staged.open = record->open;
    memcpy(store->staged.core_hash, record->core_hash, 32);
    return BURST_OK;
}

enum burst_err store_stage_evidence(struct store *store, const char *verdict_topic, const char *id, int record_number,
                                    struct burst_error *reterr)
{
    enum burst_err err = stage(store, verdict_topic, id, record_number, &store->staged, reterr);
    if (!err) store->staged.evidence = true;
    return err;
}

enum burst_err store_stage_orphan(struct store *store, const struct store_orphan *orphan, struct burst_error *reterr)
{
    enum burst_err err = stage(store, orphan->topic, orphan->id, orphan->record_number, &store->staged, reterr);
    if (!err) store->staged.orphan = true;
    return err;
}

void store_unstage(struct store *store)
{
    store->staged = (struct store_staged){0};
}

static enum burst_err event_put(struct store *store, const struct store_staged *s, int64_t told_ns,
                                int64_t *ret_event_id, struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = db->statement[SQL_EVENT_PUT];
    int bound = db_put_text(st, 1, s->topic) + db_put_text(st, 2, s->id) + db_put_int(st, 3, s->record_number) +
                db_put_int(st, 4, told_ns);
    if (!s->open) bound += db_put_int(st, 5, told_ns); /* unbound is NULL: still open */
    enum burst_err err = db_write(db, st, bound, "event", reterr);
    if (err) return err;
    int row = 0;
    st = db->statement[SQL_EVENT];
    err = db_first(db, st, db_put_text(st, 1, s->topic) + db_put_text(st, 2, s->id), &row, "event", reterr);
    if (err) return err;
    *ret_event_id = sqlite3_column_int64(st, 0); /* there: it was just put */
    db_done(st);
    return BURST_OK;
}

static enum burst_err write_record(struct store *store, const struct stream_item *item, int64_t topic_id,
                                   struct burst_error *reterr)
{
    const struct store_staged *s = &store->staged;
    int64_t event_id = 0;
    enum burst_err err = event_put(store, s, item->sent_ns, &event_id, reterr);
    if (err) return err;
    sqlite3_stmt *st = store->db.statement[SQL_RECORD_NEW];
    int bound = db_put_int(st, 1, event_id) + db_put_int(st, 2, s->record_number) +
                db_put_blob(st, 3, s->core_hash, 32) + db_put_int(st, 4, topic_id) +
                db_put_int(st, 5, (int64_t)item->seq);
    return db_write(&store->db, st, bound, "revision", reterr);
}

/* A revision that is there learns where its evidence, or its own new place, is. */
static enum burst_err write_place(struct store *store, enum store_sql sql, const struct stream_item *item,
                                  int64_t topic_id, struct burst_error *reterr)
{
    const struct store_staged *s = &store->staged;
    sqlite3_stmt *st = store->db.statement[sql];
    int bound = db_put_text(st, 1, s->topic) + db_put_text(st, 2, s->id) + db_put_int(st, 3, s->record_number) +
                db_put_int(st, 4, topic_id) + db_put_int(st, 5, (int64_t)item->seq);
    return db_write(&store->db, st, bound, "place of a revision", reterr);
}

enum burst_err store_write_staged(struct store *store, const struct stream_item *item, int64_t topic_id,
                                  struct burst_error *reterr)
{
    const struct store_staged *s = &store->staged;
    if (s->evidence) return write_place(store, SQL_EVIDENCE_PUT, item, topic_id, reterr);
    if (strcmp(s->topic, item->topic) != 0) return BURST_OK;
    if (s->orphan) return write_place(store, SQL_RECORD_MOVE, item, topic_id, reterr);
    return s->record ? write_record(store, item, topic_id, reterr) : BURST_OK;
}

/* The row of one revision; *ret_row 0 where there is none. db_done it. */
static enum burst_err find_record(struct store *store, const char *topic, const char *id, int record_number,
                                  int *ret_row, struct burst_error *reterr)
{
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    sqlite3_stmt *st = store->db.statement[SQL_RECORD];
    int bound = db_put_text(st, 1, topic) + db_put_text(st, 2, id) + db_put_int(st, 3, record_number);
    return db_first(&store->db, st, bound, ret_row, "look for a revision", reterr);
}

enum burst_err store_has_record(struct store *store, const struct store_record *record, enum store_seen *ret_seen,
                                struct burst_error *reterr)
{
    int row = 0;
    sqlite3_stmt *st = store->db.statement[SQL_RECORD];
    enum burst_err err = find_record(store, record->topic, record->id, record->record_number, &row, reterr);
    if (err) return err;
    if (!row)
        *ret_seen = STORE_ABSENT;
    else if (sqlite3_column_bytes(st, 0) == 32 && memcmp(sqlite3_column_blob(st, 0), record->core_hash, 32) == 0)
        *ret_seen = STORE_SAME;
    else
        *ret_seen = STORE_DIFFERENT;
    db_done(st);
    if (*ret_seen == STORE_DIFFERENT) store->counts.conflicts++;
    return BURST_OK;
}

enum burst_err store_has_evidence(struct store *store, const char *verdict_topic, const char *id, int record_number,
                                  bool *ret_has, struct burst_error *reterr)
{
    int row = 0;
    sqlite3_stmt *st = store->db.statement[SQL_RECORD];
    enum burst_err err = find_record(store, verdict_topic, id, record_number, &row, reterr);
    if (err) return err;
    *ret_has = row && sqlite3_column_type(st, 1) != SQLITE_NULL;
    db_done(st);
    return BURST_OK;
}

/* ---- a new stream over an old file ---- */

static enum burst_err copy_orphan(struct store *store, sqlite3_stmt *st, struct store_orphan *ret_orphan,
                                  struct burst_error *reterr)
{
    struct stream_item item;
    struct store_orphan orphan = {.record_number = sqlite3_column_int(st, 2)};
    enum burst_err err = db_item(&store->db, st, 3, &item, reterr);
    if (err) return err;
    (void)snprintf(orphan.topic, sizeof orphan.topic, "%s", (const char *)sqlite3_column_text(st, 0)); /* fitted once */
    (void)snprintf(orphan.id, sizeof orphan.id, "%s", (const char *)sqlite3_column_text(st, 1));
    orphan.flags = item.flags;
    orphan.content = item.content;
    orphan.n_body = item.n_body;
    orphan.body = malloc(item.n_body + 1);
    if (!orphan.body) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu bytes", item.n_body);
    memcpy(orphan.body, item.body, item.n_body);
    *ret_orphan = orphan;
    return BURST_OK;
}

enum burst_err store_next_orphan(struct store *store, struct store_orphan *ret_orphan, bool *ret_found,
                                 struct burst_error *reterr)
{
    int row = 0;
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    sqlite3_stmt *st = store->db.statement[SQL_ORPHAN];
    err = db_first(&store->db, st, db_put_int(st, 1, store->stream_number), &row, "open events", reterr);
    if (err) return err;
    if (row) err = copy_orphan(store, st, ret_orphan, reterr);
    db_done(st);
    if (!err) *ret_found = row;
    return err;
}

/* ---- retention ---- */

/* Evidence is megabytes: a few at a time, so that a year's worth does not hold up the next verdict. */
enum { PRUNE_MOST = 64 };

/* Move one topic's first served number up to the oldest message that is young enough, or to its newest. */
static enum burst_err prune_topic(struct store *store, int64_t topic_id, int64_t first, int64_t last, int64_t cutoff_ns,
                                  struct burst_error *reterr)
{
    struct db *db = &store->db;
    uint8_t before[STREAM_CHAIN] = {0};
    int row = 0;
    sqlite3_stmt *st = db->statement[SQL_PRUNE_FIRST];
    int bound =
        db_put_int(st, 1, topic_id) + db_put_int(st, 2, first) + db_put_int(st, 3, last) + db_put_int(st, 4, cutoff_ns);
    enum burst_err err = db_first(db, st, bound, &row, "oldest message to keep", reterr);
    if (err) return err;
    int64_t keep = row ? sqlite3_column_int64(st, 0) : first;
    db_done(st);
    if (keep > first + PRUNE_MOST) keep = first + PRUNE_MOST;
    if (keep <= first) return BURST_OK;
    st = db->statement[SQL_ITEM_CHAIN];
    err = db_first(db, st, db_put_int(st, 1, topic_id) + db_put_int(st, 2, keep - 1), &row, "chain", reterr);
    if (err) return err;
    if (row && sqlite3_column_bytes(st, 0) == STREAM_CHAIN) memcpy(before, sqlite3_column_blob(st, 0), STREAM_CHAIN);
    db_done(st);
    st = db->statement[SQL_PRUNE_TOPIC];
    bound = db_put_int(st, 1, topic_id) + db_put_int(st, 2, keep) + db_put_blob(st, 3, before, STREAM_CHAIN);
    err = db_write(db, st, bound, "retention", reterr);
    if (err) return err;
    st = db->statement[SQL_PRUNE_ITEMS];
    err = db_write(db, st, db_put_int(st, 1, topic_id) + db_put_int(st, 2, keep), "retention", reterr);
    store->counts.pruned += (uint64_t)sqlite3_changes64(db->handle);
    return err;
}

enum { PRUNE_TOPICS = 64 }; /* as many as a publisher may have */
struct prune_row {
    int64_t topic_id, first, last;
};

/* Listed first, changed after: a statement that reads a table is not run on while that table changes. */
static enum burst_err list_topics(struct store *store, struct prune_row rows[PRUNE_TOPICS], int *ret_n,
                                  struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = db->statement[SQL_TOPICS];
    enum burst_err err = BURST_OK;
    int n = 0, rc = db_put_int(st, 1, store->stream_number);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW || n == PRUNE_TOPICS) break;
        rows[n++] =
            (struct prune_row){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2)};
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) err = db_fail(db, "topics", reterr);
    db_done(st);
    *ret_n = n;
    return err;
}

enum burst_err store_set_retention(struct store *store, int days, struct burst_error *reterr)
{
    if (days < 1) return burst_fail(reterr, BURST_E_RANGE, "retention of %d days, least 1", days);
    store->retention_days = days;
    return BURST_OK;
}

enum burst_err store_prune(struct store *store, int64_t now_ns, struct burst_error *reterr)
{
    struct prune_row rows[PRUNE_TOPICS];
    int n = 0;
    int64_t cutoff_ns = now_ns - store->retention_days * INT64_C(86400) * CLOCK_NS_PER_S;
    enum burst_err err = store_usable(store, reterr);
    if (err) return err;
    err = store_begin(store, reterr);
    if (err) return err;
    err = list_topics(store, rows, &n, reterr);
    for (int i = 0; i < n && !err; i++)
        err = prune_topic(store, rows[i].topic_id, rows[i].first, rows[i].last, cutoff_ns, reterr);
    sqlite3_stmt *st = store->db.statement[SQL_PRUNE_OLD];
    if (!err) {
        int bound =
            db_put_int(st, 1, store->stream_number) + db_put_int(st, 2, cutoff_ns) + db_put_int(st, 3, PRUNE_MOST);
        err = db_write(&store->db, st, bound, "retention", reterr);
        store->counts.pruned += (uint64_t)sqlite3_changes64(store->db.handle);
    }
    st = store->db.statement[SQL_PAST_PRUNE];
    if (!err) {
        int bound = db_put_int(st, 1, now_ns - STORE_PAST_DAYS * INT64_C(86400) * CLOCK_NS_PER_S);
        err = db_write(&store->db, st, bound + db_put_int(st, 2, PRUNE_MOST), "retention", reterr);
    }
    return err ? store_break(store, err, reterr) : store_commit(store, reterr);
}
