/* The store's own state, shared by its three source files. Inside publish only. */
#ifndef BURST_PUBLISH_STORE_INSIDE_H
#define BURST_PUBLISH_STORE_INSIDE_H
#include "publish/store.h"
#include "publish/store_db.h"
#include "publish/store_note.h"

/* Prepared statements; the SQL stands in store_sql.c in this order. */
enum store_sql {
    SQL_TOPIC,          /* stream, name -> topic_id, last_seq, h, first_seq */
    SQL_TOPIC_NEW,      /* stream, name */
    SQL_TOPIC_MOVE,     /* topic_id, seq, h */
    SQL_ITEM_NEW,       /* topic_id, seq, sent_ns, header, body, seal */
    SQL_ITEM_CHAIN,     /* topic_id, seq -> first 32 bytes of the seal */
    SQL_READ,           /* topic_id, from, most -> name, header, body, seal */
    SQL_LAST,           /* stream, prefix -> name, header, body, seal */
    SQL_OPEN,           /* stream, prefix, since_ns -> name, header, body, seal */
    SQL_COMMITS,        /* count one more */
    SQL_EVENT_PUT,      /* topic, id, record_number, told_ns, closed_ns or NULL */
    SQL_EVENT,          /* topic, id -> event_id */
    SQL_RECORD_NEW,     /* event_id, record_number, core_hash, topic_id, seq */
    SQL_RECORD,         /* topic, id, record_number -> core_hash, evidence_seq */
    SQL_EVIDENCE_PUT,   /* topic, id, record_number, evidence_topic_id, evidence_seq */
    SQL_ORPHAN,         /* stream -> topic, id, newest, then name, header, body, seal */
    SQL_RECORD_MOVE,    /* topic, id, record_number, topic_id, seq */
    SQL_CHECKPOINT_PUT, /* key, bytes */
    SQL_CHECKPOINT,     /* key -> bytes */
    SQL_CONSUMER_N,     /* -> number of rows */
    SQL_CONSUMER,       /* name, topic_id -> seq */
    SQL_CONSUMER_PUT,   /* name, topic_id, seq, acked_ns */
    SQL_TOPICS,         /* stream -> topic_id, first_seq, last_seq */
    SQL_PRUNE_FIRST,    /* topic_id, first_seq, last_seq, cutoff_ns -> the first seq to keep */
    SQL_PRUNE_TOPIC,    /* topic_id, seq, chain value before it */
    SQL_PRUNE_ITEMS,    /* topic_id, seq */
    SQL_PRUNE_OLD,      /* stream, cutoff_ns: messages of earlier streams */
    SQL_AUDIT_NEW,      /* at_ns, who, what, subject, why, detail */
    SQL_PAST_PUT,       /* key, kept_ns, bytes */
    SQL_PAST_PRUNE,     /* cutoff_ns, most */
    SQL_N
};
extern const char *const STORE_SQL[SQL_N];
/* Tables of a new file, and those that a file of before has not yet. */
extern const char STORE_SCHEMA[], STORE_SCHEMA_AUDIT[], STORE_SCHEMA_PAST[];

struct store_staged {
    bool record, evidence, orphan;
    char topic[STREAM_TOPIC_TEXT], id[STORE_KEY_TEXT];
    int record_number;
    uint8_t core_hash[32];
    bool open;
};

struct store {
    struct db db;
    struct store_note note;
    struct stream_log log;
    int64_t stream_number; /* row of `stream` */
    int64_t commits;       /* in the file; one more while a transaction that counted is open */
    int retention_days;
    bool in_transaction;
    struct burst_error broken; /* code 0: good */
    struct store_staged staged;
    struct store_counts counts;
};

/* Put the log's functions into store->log. */
void store_log_bind(struct store *store);

/* BURST_E_STATE with the first failure's sentence once the store is broken. */
enum burst_err store_usable(struct store *store, struct burst_error *reterr);
/* Open a transaction unless one is open. */
enum burst_err store_begin(struct store *store, struct burst_error *reterr);
/* Count and commit what is open, then note it beside the file. */
enum burst_err store_commit(struct store *store, struct burst_error *reterr);
/* Roll back and refuse everything from now on; returns the code of *reterr. */
enum burst_err store_break(struct store *store, enum burst_err code, struct burst_error *reterr);

/* A topic of the current stream; topic_id 0 where it has no messages. */
struct store_topic {
    int64_t topic_id;
    uint64_t last_seq, first_seq;
    uint8_t h[STREAM_CHAIN];
};
enum burst_err store_topic(struct store *store, const char *name, struct store_topic *ret_topic,
                           struct burst_error *reterr);
/* What the staged revision or evidence adds to the append of `item` under topic_id. Inside a transaction. */
enum burst_err store_write_staged(struct store *store, const struct stream_item *item, int64_t topic_id,
                                  struct burst_error *reterr);
#endif
