/* SQLite behind a narrow door. */
#include "publish/store_db.h"
#include <stdio.h>
#include <string.h>

/* How long to wait for a lock: readers meet one only while the WAL is being reset; our writer is alone. */
enum { BUSY_MS = 2000 };

enum burst_err db_fail(struct db *db, const char *what, struct burst_error *reterr)
{
    return burst_fail(reterr, BURST_E_IO, "database %s: %s: %s (SQLite %d)", db->path, what,
                      db->handle ? sqlite3_errmsg(db->handle) : "no handle",
                      db->handle ? sqlite3_extended_errcode(db->handle) : 0);
}

void db_close(struct db *db)
{
    for (int i = 0; i < db->n_statement; i++)
        (void)sqlite3_finalize(db->statement[i]); /* repeats an error already told */
    (void)sqlite3_close(db->handle);              /* every statement is finalized: nothing is left that could refuse */
    *db = (struct db){0};
}

enum burst_err db_run(struct db *db, const char *sql, struct burst_error *reterr)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? BURST_OK : db_fail(db, sql, reterr);
}

static enum burst_err db_open(struct db *db, const char *path, int flags, const char *pragmas,
                              struct burst_error *reterr)
{
    *db = (struct db){0};
    if (snprintf(db->path, sizeof db->path, "%s", path) >= (int)sizeof db->path)
        return burst_fail(reterr, BURST_E_LIMIT, "database path of %zu bytes, at most %d", strlen(path),
                          DB_PATH_TEXT - 1);
    enum burst_err err = BURST_OK;
    if (sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK)
        err = db_fail(db, "open", reterr);
    if (!err && sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL) != SQLITE_OK)
        err = db_fail(db, "defensive mode", reterr);
    if (!err && sqlite3_busy_timeout(db->handle, BUSY_MS) != SQLITE_OK) err = db_fail(db, "busy timeout", reterr);
    if (!err) err = db_run(db, pragmas, reterr);
    if (err) db_close(db);
    return err;
}

enum burst_err db_open_write(struct db *db, const char *path, struct burst_error *reterr)
{
    return db_open(db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
                   "PRAGMA synchronous = FULL",
                   reterr);
}

enum burst_err db_open_read(struct db *db, const char *path, struct burst_error *reterr)
{
    return db_open(db, path, SQLITE_OPEN_READONLY,
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON", reterr);
}

enum burst_err db_prepare(struct db *db, const char *const *sql, int n, struct burst_error *reterr)
{
    for (int i = 0; i < n; i++) {
        sqlite3_stmt **st = &db->statement[db->n_statement];
        if (sqlite3_prepare_v3(db->handle, sql[i], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK)
            return db_fail(db, sql[i], reterr);
        db->n_statement++;
    }
    return BURST_OK;
}

enum burst_err db_integer(struct db *db, const char *sql, int64_t *ret_value, struct burst_error *reterr)
{
    sqlite3_stmt *st = NULL;
    enum burst_err err = BURST_OK;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
        err = db_fail(db, sql, reterr);
    else
        *ret_value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st); /* repeats the error told above */
    return err;
}

int db_put_int(sqlite3_stmt *st, int at, int64_t value)
{
    return sqlite3_bind_int64(st, at, value);
}

int db_put_text(sqlite3_stmt *st, int at, const char *text)
{
    return sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

/* A NULL pointer would become SQL NULL: an empty blob is a blob. */
int db_put_blob(sqlite3_stmt *st, int at, const void *bytes, size_t n)
{
    return sqlite3_bind_blob64(st, at, bytes ? bytes : "", n, SQLITE_STATIC);
}

void db_done(sqlite3_stmt *st)
{
    (void)sqlite3_reset(st); /* repeats the error of the step, which was told */
    (void)sqlite3_clear_bindings(st);
}

enum burst_err db_write(struct db *db, sqlite3_stmt *st, int bound, const char *what, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    if (bound != SQLITE_OK || sqlite3_step(st) != SQLITE_DONE) err = db_fail(db, what, reterr);
    db_done(st);
    return err;
}

enum burst_err db_first(struct db *db, sqlite3_stmt *st, int bound, int *ret_row, const char *what,
                        struct burst_error *reterr)
{
    int rc = bound == SQLITE_OK ? sqlite3_step(st) : bound;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        *ret_row = rc == SQLITE_ROW;
        return BURST_OK;
    }
    enum burst_err err = db_fail(db, what, reterr);
    db_done(st);
    return err;
}

enum burst_err db_item(struct db *db, sqlite3_stmt *st, int at, struct stream_item *ret_item,
                       struct burst_error *reterr)
{
    struct frame_bytes frames[4];
    for (int i = 0; i < 4; i++) {
        frames[i].bytes = i == 0 ? (const void *)sqlite3_column_text(st, at) : sqlite3_column_blob(st, at + i);
        frames[i].n = (size_t)sqlite3_column_bytes(st, at + i);
        if (!frames[i].bytes) frames[i].bytes = ""; /* SQLite gives NULL for a blob of no bytes */
    }
    struct burst_error why = {0};
    enum frame_fault fault;
    if (frame_parse(frames, 4, ret_item, &fault, &why) == BURST_OK) return BURST_OK;
    return burst_fail(reterr, BURST_E_IO, "database %s: a stored message breaks the rules of the wire: %.300s",
                      db->path, why.text);
}
