/* What is kept for a year under a key of its own. */
#include "store_fixture.h"

static void keep(const char *key, int64_t now_ns, const char *text)
{
    enum burst_err err = store_past_put(store, key, now_ns, (const uint8_t *)text, strlen(text), &error);
    CHECK_SAY(!err, "%s", error.text);
}

/* text NULL: nothing is kept there. */
static void holds(const char *key, const char *text)
{
    struct store_reader *reader = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_INT(store_past_get(reader, key, &bytes, &n, &error), text ? BURST_OK : BURST_E_MISSING);
    store_reader_close(reader);
    CHECK_SAY(text ? n == strlen(text) && memcmp(bytes, text, n) == 0 : !bytes && !n, "%s: %zu bytes", key, n);
    free(bytes);
}

TEST(the_last_put_is_read_once_it_is_durable)
{
    begin();
    holds("a", NULL);
    keep("a", NOW_NS, "one");
    holds("a", NULL);
    CHECK_INT(store_flush(store, &error), BURST_OK);
    holds("a", "one");
    keep("a", NOW_NS, "another");
    keep("b", NOW_NS, "two");
    put(VERDICT, "x", NOW_NS); /* in the commit of the next message */
    holds("a", "another");
    holds("b", "two");
    close_store();
    open_store();
    holds("a", "another");
    end();
}

TEST(it_is_kept_for_366_days_from_the_last_put)
{
    begin();
    keep("a", NOW_NS, "one");
    keep("b", NOW_NS, "two");
    keep("b", NOW_NS + DAY_NS, "two");
    CHECK_INT(store_prune(store, NOW_NS + 366 * DAY_NS, &error), BURST_OK);
    holds("a", "one");
    CHECK_INT(store_prune(store, NOW_NS + 366 * DAY_NS + 1, &error), BURST_OK);
    holds("a", NULL);
    holds("b", "two");
    end();
}

TEST(a_prune_takes_64_at_most)
{
    begin();
    for (int i = 0; i < 65; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%02d", i);
        keep(key, NOW_NS + i, "x");
    }
    CHECK_INT(store_prune(store, NOW_NS + 400 * DAY_NS, &error), BURST_OK);
    holds("k00", NULL);
    holds("k64", "x");
    CHECK_INT(store_prune(store, NOW_NS + 400 * DAY_NS, &error), BURST_OK);
    holds("k64", NULL);
    end();
}

TEST(keys_and_bytes_that_do_not_fit_are_refused)
{
    char key[STORE_KEY_TEXT + 1];
    uint8_t byte = 0;
    memset(key, 'k', sizeof key - 1);
    key[STORE_KEY_TEXT] = 0;
    begin();
    CHECK_REFUSED(store_past_put(store, key, NOW_NS, &byte, 1, &error), BURST_E_LIMIT, error, "kkkk");
    CHECK_REFUSED(store_past_put(store, "a", NOW_NS, &byte, STORE_CHECKPOINT_MAX + 1, &error), BURST_E_LIMIT, error,
                  "1048577");
    key[STORE_KEY_TEXT - 1] = 0;
    CHECK_INT(store_past_put(store, key, NOW_NS, &byte, 1, &error), BURST_OK);
    end();
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

TEST(a_file_of_an_earlier_version_gets_its_table)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct store_reader *reader = NULL;
    begin();
    put(VERDICT, "x", NOW_NS);
    close_store();
    run_sql("DROP TABLE past");
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK); /* a tool still reads it */
    CHECK_REFUSED(store_past_get(reader, "a", &bytes, &n, &error), BURST_E_IO, error, "no such table");
    store_reader_close(reader);
    open_store();
    CHECK(!new_stream);
    keep("a", NOW_NS, "one");
    CHECK_INT(store_flush(store, &error), BURST_OK);
    holds("a", "one");
    end();
}

int main(void)
{
    RUN(the_last_put_is_read_once_it_is_durable);
    RUN(it_is_kept_for_366_days_from_the_last_put);
    RUN(a_prune_takes_64_at_most);
    RUN(keys_and_bytes_that_do_not_fit_are_refused);
    RUN(a_file_of_an_earlier_version_gets_its_table);
    return check_report();
}
