/* struct stream_log over the store. Refuses to continue after a failed write. */
#include "base/clock.h"
#include "publish/store_inside.h"
#include <string.h>

enum burst_err store_topic(struct store *store, const char *name, struct store_topic *ret_topic,
                           struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = db->statement[SQL_TOPIC];
    int row = 0;
    int bound = db_put_int(st, 1, store->stream_number) + db_put_text(st, 2, name);
    enum burst_err err = db_first(db, st, bound, &row, "topic", reterr);
    if (err) return err;
    struct store_topic topic = {.first_seq = 1};
    if (row && sqlite3_column_bytes(st, 2) != STREAM_CHAIN)
        err = burst_fail(reterr, BURST_E_IO, "database %s: topic %s: chain value of %d bytes", db->path, name,
                         sqlite3_column_bytes(st, 2));
    else if (row) {
        topic.topic_id = sqlite3_column_int64(st, 0);
        topic.last_seq = (uint64_t)sqlite3_column_int64(st, 1);
        memcpy(topic.h, sqlite3_column_blob(st, 2), STREAM_CHAIN);
        topic.first_seq = (uint64_t)sqlite3_column_int64(st, 3);
    }
    db_done(st);
    if (!err) *ret_topic = topic;
    return err;
}

static enum burst_err log_head(void *ctx, const char *topic, uint64_t *ret_seq, uint8_t ret_h[STREAM_CHAIN],
                               struct burst_error *reterr)
{
    struct store_topic t;
    enum burst_err err = store_topic(ctx, topic, &t, reterr);
    if (err) return err;
    *ret_seq = t.last_seq;
    memcpy(ret_h, t.h, STREAM_CHAIN);
    return BURST_OK;
}

static enum burst_err log_earliest(void *ctx, const char *topic, uint64_t *ret_seq, struct burst_error *reterr)
{
    struct store_topic t;
    enum burst_err err = store_topic(ctx, topic, &t, reterr);
    if (!err) *ret_seq = t.first_seq;
    return err;
}

static enum burst_err insert_item(struct store *store, const struct stream_item *item, struct store_topic *topic,
                                  struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = db->statement[SQL_TOPIC_NEW];
    enum burst_err err = BURST_OK;
    if (!topic->topic_id) {
        err = db_write(db, st, db_put_int(st, 1, store->stream_number) + db_put_text(st, 2, item->topic), "topic",
                       reterr);
        if (err) return err;
        topic->topic_id = sqlite3_last_insert_rowid(db->handle);
    }
    st = db->statement[SQL_ITEM_NEW];
    int bound = db_put_int(st, 1, topic->topic_id) + db_put_int(st, 2, (int64_t)item->seq) +
                db_put_int(st, 3, item->sent_ns) + db_put_blob(st, 4, item->header, FRAME_HEADER) +
                db_put_blob(st, 5, item->body, item->n_body) + db_put_blob(st, 6, item->seal, FRAME_SEAL);
    err = db_write(db, st, bound, "message", reterr);
    if (err) return err;
    st = db->statement[SQL_TOPIC_MOVE];
    bound = db_put_int(st, 1, topic->topic_id) + db_put_int(st, 2, (int64_t)item->seq) +
            db_put_blob(st, 3, item->seal, STREAM_CHAIN);
    return db_write(db, st, bound, "head", reterr);
}

static enum burst_err log_append(void *ctx, const struct stream_item *item, struct burst_error *reterr)
{
    struct store *store = ctx;
    struct store_topic topic = {0};
    enum burst_err err = store_usable(store, reterr);
    if (!err && !item->seal)
        err = burst_fail(reterr, BURST_E_MISSING, "%s %llu has no seal", item->topic, (unsigned long long)item->seq);
    if (!err) err = store_topic(store, item->topic, &topic, reterr);
    if (err) return err;
    if (item->seq != topic.last_seq + 1)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: %llu does not follow %llu", item->topic,
                          (unsigned long long)item->seq, (unsigned long long)topic.last_seq);
    err = store_begin(store, reterr);
    if (err) return err;
    err = insert_item(store, item, &topic, reterr);
    if (!err) err = store_write_staged(store, item, topic.topic_id, reterr);
    if (err) return store_break(store, err, reterr);
    err = store_commit(store, reterr);
    if (err) return err;
    store_unstage(store);
    store->counts.appended++;
    return BURST_OK;
}

/* Give each row of a bound statement to the visitor. */
static enum burst_err visit_rows(struct store *store, sqlite3_stmt *st, int bound, stream_visit *visit, void *arg,
                                 uint64_t *ret_visited, struct burst_error *reterr)
{
    struct db *db = &store->db;
    enum burst_err err = BURST_OK;
    int rc = bound;
    uint64_t n = 0;
    while (!err && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
        struct stream_item item;
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW) break;
        err = db_item(db, st, 0, &item, reterr);
        if (err) break;
        n++;
        if (visit(arg, &item)) rc = SQLITE_DONE;
    }
    if (!err && rc != SQLITE_DONE) err = db_fail(db, "read messages", reterr);
    db_done(st);
    if (!err) *ret_visited = n;
    return err;
}

static enum burst_err log_read(void *ctx, const char *name, uint64_t from, uint32_t most, stream_visit *visit,
                               void *arg, uint64_t *ret_next, struct burst_error *reterr)
{
    struct store *store = ctx;
    struct store_topic topic;
    uint64_t visited = 0;
    enum burst_err err = store_topic(store, name, &topic, reterr);
    if (err) return err;
    if (topic.topic_id && from < topic.first_seq)
        return burst_fail(reterr, BURST_E_GONE, "%s: %llu is no longer kept, the oldest is %llu", name,
                          (unsigned long long)from, (unsigned long long)topic.first_seq);
    if (topic.topic_id && from <= topic.last_seq) {
        sqlite3_stmt *st = store->db.statement[SQL_READ];
        int bound = db_put_int(st, 1, topic.topic_id) + db_put_int(st, 2, (int64_t)from) + db_put_int(st, 3, most);
        err = visit_rows(store, st, bound, visit, arg, &visited, reterr);
    }
    if (!err) *ret_next = from + visited;
    return err;
}

static enum burst_err log_last(void *ctx, const char *prefix, stream_visit *visit, void *arg,
                               struct burst_error *reterr)
{
    struct store *store = ctx;
    sqlite3_stmt *st = store->db.statement[SQL_LAST];
    uint64_t visited;
    int bound = db_put_int(st, 1, store->stream_number) + db_put_text(st, 2, prefix);
    return visit_rows(store, st, bound, visit, arg, &visited, reterr);
}

static enum burst_err log_open_events(void *ctx, const char *prefix, int64_t since_ns, stream_visit *visit, void *arg,
                                      struct burst_error *reterr)
{
    struct store *store = ctx;
    sqlite3_stmt *st = store->db.statement[SQL_OPEN];
    uint64_t visited;
    int bound = db_put_int(st, 1, store->stream_number) + db_put_text(st, 2, prefix) + db_put_int(st, 3, since_ns);
    return visit_rows(store, st, bound, visit, arg, &visited, reterr);
}

/* ---- acknowledgements ---- */

static enum burst_err refuse_fork(struct store *store, const char *name, const char *topic, uint64_t seq,
                                  const char *why, struct burst_error *reterr)
{
    store->counts.forks++;
    return burst_fail(reterr, BURST_E_CONFLICT, "consumer '%.60s' holds another %.80s %llu: %s", name, topic,
                      (unsigned long long)seq, why);
}

/* Our chain value under that number is h, or can no longer be known. */
static enum burst_err compare_chain(struct store *store, int64_t topic_id, uint64_t seq, const uint8_t *h,
                                    bool *ret_same, struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = db->statement[SQL_ITEM_CHAIN];
    int row = 0;
    enum burst_err err =
        db_first(db, st, db_put_int(st, 1, topic_id) + db_put_int(st, 2, (int64_t)seq), &row, "chain", reterr);
    if (err) return err;
    *ret_same = !row || (sqlite3_column_bytes(st, 0) == STREAM_CHAIN &&
                         memcmp(sqlite3_column_blob(st, 0), h, STREAM_CHAIN) == 0);
    db_done(st);
    return BURST_OK;
}

/* What the consumer had acknowledged (0: nothing), and whether one more consumer is allowed. */
static enum burst_err find_consumer(struct store *store, const char *name, int64_t topic_id, uint64_t *ret_seq,
                                    struct burst_error *reterr)
{
    struct db *db = &store->db;
    sqlite3_stmt *st = db->statement[SQL_CONSUMER];
    int row = 0;
    enum burst_err err =
        db_first(db, st, db_put_text(st, 1, name) + db_put_int(st, 2, topic_id), &row, "consumer", reterr);
    if (err) return err;
    *ret_seq = row ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    db_done(st);
    if (row) return BURST_OK;
    st = db->statement[SQL_CONSUMER_N];
    err = db_first(db, st, SQLITE_OK, &row, "consumers", reterr);
    if (err) return err;
    int64_t n = sqlite3_column_int64(st, 0);
    db_done(st);
    if (n < STORE_CONSUMER_MAX) return BURST_OK;
    return burst_fail(reterr, BURST_E_LIMIT, "no room for consumer '%.60s': %lld are known", name, (long long)n);
}

/* Written without waiting for the disk: what a crash takes back, the consumer's next ACK puts back. Inside an open
 * transaction it becomes durable with that one. */
static enum burst_err write_consumer(struct store *store, const char *name, int64_t topic_id, uint64_t seq,
                                     int64_t now_ns, struct burst_error *reterr)
{
    struct db *db = &store->db;
    enum burst_err err = store->in_transaction ? BURST_OK : db_run(db, "PRAGMA synchronous = NORMAL", reterr);
    sqlite3_stmt *st = db->statement[SQL_CONSUMER_PUT];
    int bound = db_put_text(st, 1, name) + db_put_int(st, 2, topic_id) + db_put_int(st, 3, (int64_t)seq) +
                db_put_int(st, 4, now_ns);
    if (!err) err = db_write(db, st, bound, "acknowledgement", reterr);
    if (!err && !store->in_transaction) err = db_run(db, "PRAGMA synchronous = FULL", reterr);
    return err ? store_break(store, err, reterr) : BURST_OK;
}

static enum burst_err log_ack(void *ctx, const char *name, const char *topic_name, uint64_t seq,
                              const uint8_t h[STREAM_CHAIN], struct burst_error *reterr)
{
    struct store *store = ctx;
    struct store_topic topic;
    bool same = true;
    uint64_t acked = 0;
    enum burst_err err = store_usable(store, reterr);
    if (!err) err = store_topic(store, topic_name, &topic, reterr);
    if (err) return err;
    if (seq > topic.last_seq) return refuse_fork(store, name, topic_name, seq, "the log has never reached it", reterr);
    if (topic.topic_id) err = compare_chain(store, topic.topic_id, seq, h, &same, reterr);
    if (err) return err;
    if (!same) return refuse_fork(store, name, topic_name, seq, "its chain value differs", reterr);
    store->counts.acks++;
    if (!topic.topic_id) return BURST_OK; /* nothing up to 0 of a topic without messages */
    err = find_consumer(store, name, topic.topic_id, &acked, reterr);
    if (err || seq <= acked) return err;
    return write_consumer(store, name, topic.topic_id, seq, clock_utc_now_ns(), reterr);
}

void store_log_bind(struct store *store)
{
    store->log.ctx = store;
    store->log.head = log_head;
    store->log.append = log_append;
    store->log.read = log_read;
    store->log.earliest = log_earliest;
    store->log.last = log_last;
    store->log.open_events = log_open_events;
    store->log.ack = log_ack;
}
