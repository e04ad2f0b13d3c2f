/* One SQLite connection and its prepared statements: how every part of the store speaks to the file. Inside publish only. */
#ifndef BURST_PUBLISH_STORE_DB_H
#define BURST_PUBLISH_STORE_DB_H
#include "base/err.h"
#include "stream/frame.h"
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_APPLICATION = 0x42525354, STORE_VERSION = 1, DB_STATEMENT_MAX = 32, DB_PATH_TEXT = 1024 };

struct db {
    sqlite3 *handle;
    char path[DB_PATH_TEXT];
    sqlite3_stmt *statement[DB_STATEMENT_MAX];
    int n_statement;
};

/* Open for writing (creating the file) or only for reading; pragmas of architecture.md 8 and reliability.md 4.2 set.
 * BURST_E_IO, BURST_E_LIMIT (path), BURST_E_NOMEM; db is then closed. */
enum burst_err db_open_write(struct db *db, const char *path, struct burst_error *reterr);
enum burst_err db_open_read(struct db *db, const char *path, struct burst_error *reterr);
/* Accepts a db that is all zeros. */
void db_close(struct db *db);

/* BURST_E_IO with the file, what was tried and SQLite's words. */
enum burst_err db_fail(struct db *db, const char *what, struct burst_error *reterr);
/* Run SQL that gives no rows. */
enum burst_err db_run(struct db *db, const char *sql, struct burst_error *reterr);
/* Prepare sql [n] in order; statement i is db->statement[i]. */
enum burst_err db_prepare(struct db *db, const char *const *sql, int n, struct burst_error *reterr);
/* One integer of a PRAGMA or SELECT without parameters. */
enum burst_err db_integer(struct db *db, const char *sql, int64_t *ret_value, struct burst_error *reterr);

/* Bind; 0 is good, sums of several can be tested at once. Text and blobs are lent until db_done. */
int db_put_int(sqlite3_stmt *st, int at, int64_t value);
int db_put_text(sqlite3_stmt *st, int at, const char *text);
int db_put_blob(sqlite3_stmt *st, int at, const void *bytes, size_t n);

/* Run a prepared statement that gives no row, and make it ready for the next time. `bound` is the sum of the binds. */
enum burst_err db_write(struct db *db, sqlite3_stmt *st, int bound, const char *what, struct burst_error *reterr);
/* One row, if any: *ret_row says. Columns are valid until db_done. */
enum burst_err db_first(struct db *db, sqlite3_stmt *st, int bound, int *ret_row, const char *what,
                        struct burst_error *reterr);
/* Make a statement that gives rows ready for the next time. */
void db_done(sqlite3_stmt *st);

/* The message in a row whose columns from `at` on are topic name, header, body, seal; lent until the next step.
 * BURST_E_IO  the row holds no frame by the rules of the wire: the file is damaged */
enum burst_err db_item(struct db *db, sqlite3_stmt *st, int at, struct stream_item *ret_item,
                       struct burst_error *reterr);
#endif
