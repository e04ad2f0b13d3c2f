/* The verdict log: one SQLite file that implements struct stream_log, and with it what must be true after a restart:
 * which revisions have been told, who has read how far, and where the inputs stood.
 *
 * Durability (architecture.md 8). One read-write connection, in one thread, makes every commit and every checkpoint, in
 * WAL mode with synchronous=FULL: what stream_log.append has returned good survives a power cut. A commit that fails
 * breaks the store for good: this and every later call answer the same error, and the daemon ends and recovers from the
 * file.
 *
 * Identity. The stream UUID is made with the file and kept in it. Beside the file lies FILE.note, a lock and a lower
 * bound: after each commit the number of commits so far and the stream are written there (not synced: it is never ahead
 * of the file). At start a file with fewer commits than its note, another stream than its note, no note though it holds
 * messages, or a newest message that is not the one its topic's head names, has been restored or truncated: the log
 * gets a new UUID, every topic begins again at 1, and what is there of the old stream stays for `alerts` and `show` but
 * is no longer served. Not seen here: file and note restored together. Then the first consumer that had read further
 * answers an ACK beyond the head, which is a FORK.
 *
 * Refuses to repair: a file that fails quick_check is an error for people. */
#ifndef BURST_PUBLISH_STORE_H
#define BURST_PUBLISH_STORE_H
#include "base/err.h"
#include "stream/log.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct store_reader;

enum { STORE_PAST_DAYS = 366 };
enum { STORE_KEY_TEXT = 96, STORE_CHECKPOINT_MAX = 1 << 20, STORE_CONSUMER_MAX = 256 };

struct store_settings {
    const char *path;   /* of the database; its folder must exist */
    int retention_days; /* messages older than this are no longer served; least 1 */
};

/* A verdict revision that the next append carries. */
struct store_record {
    const char *topic;     /* of the verdict */
    const char *id;        /* event */
    int record_number;     /* from 1 */
    uint8_t core_hash[32]; /* BLAKE2b-256 of verdict_core */
    bool open;             /* the event is not closed by this revision */
};

enum store_seen { STORE_ABSENT, STORE_SAME, STORE_DIFFERENT };

/* What the store has met since it was opened. */
struct store_counts {
    uint64_t appended, checkpoints, acks, forks, conflicts, pruned;
};

/* Open or create, take the lock, check, and decide whether the stream goes on.
 * Returned  *ret_new_stream  true where the log starts with a new UUID (also for a new file)
 * Errors    BURST_E_IO        the file, its folder or its note cannot be used
 *           BURST_E_STATE     another process has it open
 *           BURST_E_FORMAT    quick_check fails, or it is no store
 *           BURST_E_UNSUPPORTED  made by a newer version
 *           BURST_E_RANGE     retention_days < 1
 *           BURST_E_NOMEM     outputs untouched in all cases */
enum burst_err store_open(const struct store_settings *settings, struct store **ret_store, bool *ret_new_stream,
                          struct burst_error *reterr);
/* Commit what is staged, checkpoint the WAL and close. NULL is accepted.
 * Errors  that of the last commit; the store is freed in any case. */
enum burst_err store_close(struct store *store, struct burst_error *reterr);

/* The log as lib/stream knows it; valid until store_close. */
const struct stream_log *store_log(struct store *store);
/* UUID of the stream. */
void store_stream(const struct store *store, uint8_t ret_uuid[16]);
struct store_counts store_counts(const struct store *store);

/* Has this revision been told before, with this core? A different core is counted as a conflict.
 * Errors  BURST_E_IO, BURST_E_STATE (store broken); outputs untouched */
enum burst_err store_has_record(struct store *store, const struct store_record *record, enum store_seen *ret_seen,
                                struct burst_error *reterr);
/* Has the evidence of a told revision been told too? false also where the revision is unknown. */
enum burst_err store_has_evidence(struct store *store, const char *verdict_topic, const char *id, int record_number,
                                  bool *ret_has, struct burst_error *reterr);

/* Stage the revision that the next append to record->topic carries: both become durable in one commit, or neither.
 * Errors  BURST_E_RANGE  empty or too long text, record_number < 1; what was staged before stays */
enum burst_err store_stage_record(struct store *store, const struct store_record *record, struct burst_error *reterr);
/* Stage: the next append is the evidence of this revision. Errors as store_stage_record. */
enum burst_err store_stage_evidence(struct store *store, const char *verdict_topic, const char *id, int record_number,
                                    struct burst_error *reterr);
/* Forget a staged record or evidence that was not sent after all. */
void store_unstage(struct store *store);

/* The newest revision of an event that is still open, told only by an earlier stream: a new stream has to begin with these, or
 * a consumer that asks it OPEN would never hear of them. */
struct store_orphan {
    char topic[STREAM_TOPIC_TEXT], id[STORE_KEY_TEXT];
    int record_number;
    unsigned flags, content;
    uint8_t *body; /* malloc'd, the caller frees */
    size_t n_body;
};
/* The first of them in the order they were told; *ret_found false where there is none.
 * Errors  BURST_E_IO, BURST_E_STATE, BURST_E_NOMEM; outputs untouched */
enum burst_err store_next_orphan(struct store *store, struct store_orphan *ret_orphan, bool *ret_found,
                                 struct burst_error *reterr);
/* Stage: the next append to its topic tells it again, and it is an orphan no more. Errors as store_stage_record. */
enum burst_err store_stage_orphan(struct store *store, const struct store_orphan *orphan, struct burst_error *reterr);

/* Keep `n` bytes under `key`, in the same commit as the next append, or by store_flush. The last put of a key wins.
 * Errors  BURST_E_LIMIT   n > STORE_CHECKPOINT_MAX, or the key is too long
 *         BURST_E_IO, BURST_E_STATE, BURST_E_NOMEM */
enum burst_err store_checkpoint_put(struct store *store, const char *key, const uint8_t *bytes, size_t n,
                                    struct burst_error *reterr);
/* Returned  *ret_bytes  malloc'd, the caller frees; what was put last, also where it is not flushed yet
 * Errors    BURST_E_MISSING  no such key; BURST_E_IO, BURST_E_STATE, BURST_E_NOMEM */
enum burst_err store_checkpoint_get(struct store *store, const char *key, uint8_t **ret_bytes, size_t *ret_n,
                                    struct burst_error *reterr);
/* The same for what is many and seldom asked for: kept under a key of its own for STORE_PAST_DAYS after the last put, and read by
 * a reader. Staged and made durable as checkpoints are.
 * Given   now_ns  UTC ns since 1970
 * Errors  as store_checkpoint_put */
enum burst_err store_past_put(struct store *store, const char *key, int64_t now_ns, const uint8_t *bytes, size_t n,
                              struct burst_error *reterr);
/* Make staged checkpoints durable now. Errors  BURST_E_IO (the store is then broken), BURST_E_STATE */
enum burst_err store_flush(struct store *store, struct burst_error *reterr);

/* Something that a person changed in a running burstd. */
struct store_audit {
    int64_t at_ns;           /* UTC ns since 1970 */
    const char *who;         /* as they named themselves; 1 to 64 bytes, as all texts UTF-8 */
    const char *what;        /* e.g. "catalog add"; 1 to 32 */
    const char *subject;     /* what was changed, e.g. the name of a source; 1 to 64 */
    const char *why;         /* in their words; 1 to 256 */
    const char *detail_json; /* a JSON value with the figures; 1 to 1024 */
};
/* Stage an audit record: durable in one commit with the checkpoint that holds its effect, or neither. Records are only ever added:
 * the database refuses to change or drop one.
 * Returned  *ret_number  its number, from 1, dense
 * Errors    BURST_E_LIMIT  a text is empty or too long; BURST_E_IO (the store is then broken), BURST_E_STATE */
enum burst_err store_audit_put(struct store *store, const struct store_audit *audit, int64_t *ret_number,
                               struct burst_error *reterr);

/* Keep messages so many days from the next store_prune on. BURST_E_RANGE  days < 1; the old value stays. */
enum burst_err store_set_retention(struct store *store, int days, struct burst_error *reterr);
/* Drop messages older than the retention, oldest first, at most 64 of each topic in one call: call it every minute. The newest of
 * each topic and the newest revision of each event stay. Of store_past_put's, too, 64 at most go in one call.
 * Given     now_ns  UTC ns since 1970
 * Errors    BURST_E_IO (the store is then broken), BURST_E_STATE */
enum burst_err store_prune(struct store *store, int64_t now_ns, struct burst_error *reterr);

/* Read-only, for burstctl, the command thread and checks: any thread, one thread per reader, beside a running writer.
 */
enum burst_err store_reader_open(const char *path, struct store_reader **ret_reader, struct burst_error *reterr);
void store_reader_close(struct store_reader *reader);

struct store_verified {
    int n_topic;
    uint64_t n_message;
    uint8_t stream[16];
};
/* Walk the whole log as it is served: numbers dense, headers that say what the row says, every seal's chain value
 * right. Errors  BURST_E_CONFLICT  the first break, with topic and seq; BURST_E_IO */
enum burst_err store_verify(struct store_reader *reader, struct store_verified *ret_verified,
                            struct burst_error *reterr);

/* JSON array of the newest revision of each of the last `limit` events, newest first, of topics under `prefix` ("" is
 * all). Returned  *ret_text  malloc'd, closed with 0 Errors    BURST_E_RANGE  limit outside 1..1000; BURST_E_IO,
 * BURST_E_NOMEM */
enum burst_err store_alerts(struct store_reader *reader, const char *prefix, int limit, char **ret_text,
                            struct burst_error *reterr);

/* What store_past_put kept under this key, once it is durable.
 * Returned  *ret_bytes  malloc'd, the caller frees
 * Errors    BURST_E_MISSING  no such key; BURST_E_IO, BURST_E_NOMEM; outputs untouched */
enum burst_err store_past_get(struct store_reader *reader, const char *key, uint8_t **ret_bytes, size_t *ret_n,
                              struct burst_error *reterr);

/* JSON array of audit records, newest first: number, at, who, what, subject, why, detail.
 * Given     what, subject  NULL: all; subject is compared without case
 *           limit          1..1000
 * Returned  *ret_text      malloc'd, closed with 0
 * Errors    BURST_E_RANGE, BURST_E_IO, BURST_E_NOMEM; *ret_text untouched */
enum burst_err store_audit_list(struct store_reader *reader, const char *what, const char *subject, int limit,
                                char **ret_text, struct burst_error *reterr);

/* One revision, and the evidence behind it.
 * Given     record_number  0: the newest
 * Returned  *ret_text      verdict JSON, malloc'd; *ret_fits  evidence or NULL where there is none (any more), malloc'd
 * Errors    BURST_E_MISSING  no such event or revision; BURST_E_GONE  known, but its text is no longer kept;
 * BURST_E_IO, BURST_E_NOMEM; outputs untouched */
enum burst_err store_show(struct store_reader *reader, const char *id, int record_number, char **ret_text,
                          uint8_t **ret_fits, size_t *ret_n_fits, struct burst_error *reterr);
#endif
