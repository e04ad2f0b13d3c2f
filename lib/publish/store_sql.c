/* Every table and every statement of the writer, in one place. Refuses nothing: SQL is data here. */
#include "publish/store_inside.h"

/* stream    one row per UUID this file has had; the newest is the one served
 * topic     newest and oldest served number, and the chain value after and before them
 * item      messages as told; those under first_seq stay only for `alerts` and `show`
 * event     the newest revision of each; closed_ns NULL while it is open
 * record    every revision ever told, so that a replay after a restart is recognised
 * audit     who changed what and why; triggers keep it as it is
 * past      what checkpoint has, for a year and under very many keys
 * The commit count in `log` is what the note beside the file is compared with. */
const char STORE_SCHEMA[] =
    "CREATE TABLE log(one INTEGER PRIMARY KEY CHECK(one = 1), commits INTEGER NOT NULL) STRICT;"
    "CREATE TABLE stream(number INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, begun_ns INTEGER NOT NULL,"
    " why TEXT NOT NULL) STRICT;"
    "CREATE TABLE topic(topic_id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, name TEXT NOT NULL,"
    " last_seq INTEGER NOT NULL, h BLOB NOT NULL, first_seq INTEGER NOT NULL, before_first BLOB NOT NULL,"
    " UNIQUE(stream, name)) STRICT;"
    "CREATE TABLE item(topic_id INTEGER NOT NULL, seq INTEGER NOT NULL, sent_ns INTEGER NOT NULL, header BLOB NOT NULL,"
    " body BLOB NOT NULL, seal BLOB NOT NULL, PRIMARY KEY(topic_id, seq)) STRICT;"
    "CREATE TABLE event(event_id INTEGER PRIMARY KEY, topic TEXT NOT NULL, id TEXT NOT NULL, newest INTEGER NOT NULL,"
    " told_ns INTEGER NOT NULL, closed_ns INTEGER, UNIQUE(topic, id)) STRICT;"
    "CREATE INDEX event_told ON event(told_ns);"
    "CREATE TABLE record(event_id INTEGER NOT NULL, record_number INTEGER NOT NULL, core_hash BLOB NOT NULL,"
    " topic_id INTEGER NOT NULL, seq INTEGER NOT NULL, evidence_topic_id INTEGER, evidence_seq INTEGER,"
    " PRIMARY KEY(event_id, record_number)) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX record_item ON record(topic_id, seq);"
    "CREATE TABLE checkpoint(key TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE consumer(name TEXT NOT NULL, topic_id INTEGER NOT NULL, seq INTEGER NOT NULL, acked_ns INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(name, topic_id)) STRICT;"
    "INSERT INTO log VALUES(1, 0)";

const char STORE_SCHEMA_AUDIT[] =
    "CREATE TABLE IF NOT EXISTS audit(number INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, who TEXT NOT NULL,"
    " what TEXT NOT NULL, subject TEXT NOT NULL, why TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE TRIGGER IF NOT EXISTS audit_is_not_changed BEFORE UPDATE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'an audit record stays as it is'); END;"
    "CREATE TRIGGER IF NOT EXISTS audit_is_not_dropped BEFORE DELETE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'an audit record stays'); END";

const char STORE_SCHEMA_PAST[] =
    "CREATE TABLE IF NOT EXISTS past(key TEXT PRIMARY KEY, kept_ns INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS past_kept ON past(kept_ns)";

#define ITEM     "t.name, i.header, i.body, i.seal FROM topic t JOIN item i ON i.topic_id = t.topic_id"
#define PREFIXED "substr(t.name, 1, length(?2)) = ?2"
/* An item that is the newest revision of its event. */
#define NEWEST                                                                                                         \
    "EXISTS(SELECT 1 FROM record r JOIN event e ON e.event_id = r.event_id AND e.newest = r.record_number"             \
    " WHERE r.topic_id = item.topic_id AND r.seq = item.seq)"

const char *const STORE_SQL[SQL_N] = {
    [SQL_TOPIC] = "SELECT topic_id, last_seq, h, first_seq FROM topic WHERE stream = ?1 AND name = ?2",
    [SQL_TOPIC_NEW] = "INSERT INTO topic(stream, name, last_seq, h, first_seq, before_first)"
                      " VALUES(?1, ?2, 0, zeroblob(32), 1, zeroblob(32))",
    [SQL_TOPIC_MOVE] = "UPDATE topic SET last_seq = ?2, h = ?3 WHERE topic_id = ?1",
    [SQL_ITEM_NEW] = "INSERT INTO item(topic_id, seq, sent_ns, header, body, seal) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_ITEM_CHAIN] = "SELECT substr(seal, 1, 32) FROM item WHERE topic_id = ?1 AND seq = ?2",
    [SQL_READ] = "SELECT " ITEM " WHERE t.topic_id = ?1 AND i.seq >= ?2 ORDER BY i.seq LIMIT ?3",
    [SQL_LAST] = "SELECT " ITEM " AND i.seq = t.last_seq WHERE t.stream = ?1 AND " PREFIXED " ORDER BY t.name",
    [SQL_OPEN] = "SELECT " ITEM " JOIN record r ON r.topic_id = i.topic_id AND r.seq = i.seq"
                 " JOIN event e ON e.event_id = r.event_id AND e.newest = r.record_number"
                 " WHERE t.stream = ?1 AND " PREFIXED " AND coalesce(e.closed_ns, ?3) >= ?3 ORDER BY t.name, i.seq",
    [SQL_COMMITS] = "UPDATE log SET commits = commits + 1",
    [SQL_EVENT_PUT] = "INSERT INTO event(topic, id, newest, told_ns, closed_ns) VALUES(?1, ?2, ?3, ?4, ?5)"
                      " ON CONFLICT(topic, id) DO UPDATE SET newest = excluded.newest, told_ns = excluded.told_ns,"
                      " closed_ns = excluded.closed_ns",
    [SQL_EVENT] = "SELECT event_id FROM event WHERE topic = ?1 AND id = ?2",
    [SQL_RECORD_NEW] =
        "INSERT INTO record(event_id, record_number, core_hash, topic_id, seq) VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_RECORD] = "SELECT r.core_hash, r.evidence_seq FROM record r JOIN event e ON e.event_id = r.event_id"
                   " WHERE e.topic = ?1 AND e.id = ?2 AND r.record_number = ?3",
    [SQL_EVIDENCE_PUT] = "UPDATE record SET evidence_topic_id = ?4, evidence_seq = ?5 WHERE record_number = ?3 AND"
                         " event_id = (SELECT event_id FROM event WHERE topic = ?1 AND id = ?2)",
    [SQL_ORPHAN] = "SELECT e.topic, e.id, e.newest, " ITEM " JOIN record r ON r.topic_id = i.topic_id AND r.seq = i.seq"
                   " JOIN event e ON e.event_id = r.event_id AND e.newest = r.record_number"
                   " WHERE t.stream <> ?1 AND e.closed_ns IS NULL ORDER BY e.told_ns, e.event_id LIMIT 1",
    [SQL_RECORD_MOVE] = "UPDATE record SET topic_id = ?4, seq = ?5 WHERE record_number = ?3 AND"
                        " event_id = (SELECT event_id FROM event WHERE topic = ?1 AND id = ?2)",
    [SQL_CHECKPOINT_PUT] = "INSERT OR REPLACE INTO checkpoint(key, bytes) VALUES(?1, ?2)",
    [SQL_CHECKPOINT] = "SELECT bytes FROM checkpoint WHERE key = ?1",
    [SQL_CONSUMER_N] = "SELECT count(*) FROM consumer",
    [SQL_CONSUMER] = "SELECT seq FROM consumer WHERE name = ?1 AND topic_id = ?2",
    [SQL_CONSUMER_PUT] = "INSERT OR REPLACE INTO consumer(name, topic_id, seq, acked_ns) VALUES(?1, ?2, ?3, ?4)",
    [SQL_TOPICS] = "SELECT topic_id, first_seq, last_seq FROM topic WHERE stream = ?1 ORDER BY topic_id",
    [SQL_PRUNE_FIRST] = "SELECT seq FROM item WHERE topic_id = ?1 AND seq >= ?2 AND (sent_ns >= ?4 OR seq >= ?3)"
                        " ORDER BY seq LIMIT 1",
    [SQL_PRUNE_TOPIC] = "UPDATE topic SET first_seq = ?2, before_first = ?3 WHERE topic_id = ?1",
    [SQL_PRUNE_ITEMS] = "DELETE FROM item WHERE topic_id = ?1 AND seq < ?2 AND NOT " NEWEST,
    [SQL_PRUNE_OLD] = "DELETE FROM item WHERE rowid IN (SELECT rowid FROM item WHERE sent_ns < ?2 AND NOT " NEWEST
                      " AND topic_id IN (SELECT topic_id FROM topic WHERE stream <> ?1) LIMIT ?3)",
    [SQL_AUDIT_NEW] = "INSERT INTO audit(at_ns, who, what, subject, why, detail) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_PAST_PUT] = "INSERT OR REPLACE INTO past(key, kept_ns, bytes) VALUES(?1, ?2, ?3)",
    [SQL_PAST_PRUNE] = "DELETE FROM past WHERE key IN (SELECT key FROM past WHERE kept_ns < ?1 LIMIT ?2)",
};
