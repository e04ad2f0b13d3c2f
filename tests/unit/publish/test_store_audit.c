/* Audit records: added in one commit with what they tell of, never changed, listed newest first. */
#include "base/clock.h"
#include "store_fixture.h"

static struct store_audit record(const char *what, const char *subject)
{
    return (struct store_audit){NOW_NS, "jo@desk", what, subject, "in outburst since Monday", "{\"ra_deg\":1.5}"};
}

static int64_t put_audit(const char *what, const char *subject)
{
    struct store_audit a = record(what, subject);
    int64_t number = 0;
    enum burst_err err = store_audit_put(store, &a, &number, &error);
    CHECK_SAY(!err, "%s", error.text);
    return number;
}

static char *listed(const char *what, const char *subject, int limit)
{
    struct store_reader *reader = NULL;
    char *text = NULL;
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    enum burst_err err = store_audit_list(reader, what, subject, limit, &text, &error);
    CHECK_SAY(!err, "%s", error.text);
    store_reader_close(reader);
    return text;
}

static void lists(const char *what, const char *subject, int limit, const char *want)
{
    char *text = listed(what, subject, limit);
    CHECK_STR(text, want);
    free(text);
}

TEST(a_record_is_listed_with_its_utc_and_its_detail_as_json)
{
    begin();
    lists(NULL, NULL, 10, "[]");
    CHECK_INT(put_audit("catalog add", "GX 9+9"), 1);
    lists(NULL, NULL, 10, "[]"); /* staged: not there for anybody yet */
    CHECK_INT(store_flush(store, &error), BURST_OK);
    /* 1795144346 s: 2026-11-20T03:12:26 UTC by `date -u -d @1795144346` */
    lists(NULL, NULL, 10,
          "[{\"number\":1,\"at\":\"2026-11-20T03:12:26.000000Z\",\"who\":\"jo@desk\",\"what\":\"catalog add\","
          "\"subject\":\"GX 9+9\",\"why\":\"in outburst since Monday\",\"detail\":{\"ra_deg\":1.5}}]");
    end();
}

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

TEST(records_are_found_by_what_and_whom_newest_first_and_outlive_the_process)
{
    begin();
    CHECK_INT(put_audit("catalog add", "GX 9+9"), 1);
    CHECK_INT(put_audit("catalog add", "GX 13+1"), 2);
    CHECK_INT(put_audit("catalog remove", "GX 9+9"), 3);
    close_store();
    open_store();
    CHECK_INT(put_audit("catalog add", "GX 9+9"), 4);
    CHECK_INT(store_flush(store, &error), BURST_OK);
    char *all = listed(NULL, NULL, 1000), *one = listed("catalog add", "gx 9+9", 1000), *last = listed(NULL, NULL, 1);
    CHECK_INT(count_of(all, "\"number\":"), 4);
    CHECK(strncmp(all, "[{\"number\":4,", 13) == 0);
    CHECK_INT(count_of(one, "\"number\":"), 2);
    CHECK(strstr(one, "\"number\":1,") && strstr(one, "\"number\":4,"));
    CHECK_INT(count_of(last, "\"number\":"), 1);
    free(all);
    free(one);
    free(last);
    end();
}

TEST(text_that_means_something_elsewhere_is_only_text)
{
    begin();
    struct store_audit a = record("catalog add", "GX 9+9");
    a.why = "'; DROP TABLE audit; -- \"</script>";
    a.detail_json = "no JSON";
    int64_t number = 0;
    CHECK_INT(store_audit_put(store, &a, &number, &error), BURST_OK);
    CHECK_INT(store_flush(store, &error), BURST_OK);
    char *text = listed(NULL, NULL, 10);
    CHECK(strstr(text, "\"why\":\"'; DROP TABLE audit; -- \\\"</script>\",\"detail\":\"no JSON\"") != NULL);
    free(text);
    end();
}

TEST(a_record_can_be_neither_changed_nor_dropped)
{
    begin();
    (void)put_audit("catalog add", "GX 9+9");
    close_store();
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "UPDATE audit SET who = 'nobody'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    CHECK_INT(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    open_store();
    char *text = listed(NULL, NULL, 10);
    CHECK(strstr(text, "jo@desk") != NULL);
    free(text);
    end();
}

TEST(a_file_of_before_gets_the_table_and_keeps_its_stream)
{
    begin();
    put(VERDICT, "{}", NOW_NS);
    uint8_t before[16], after[16];
    store_stream(store, before);
    close_store();
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "DROP TABLE audit", NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    struct store_reader *reader = NULL;
    struct store_verified verified;
    char *text = NULL;
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_INT(store_verify(reader, &verified, &error), BURST_OK);
    CHECK_REFUSED(store_audit_list(reader, NULL, NULL, 10, &text, &error), BURST_E_IO, error, "audit");
    CHECK(text == NULL);
    store_reader_close(reader);
    open_store();
    CHECK(!new_stream);
    store_stream(store, after);
    CHECK(memcmp(before, after, 16) == 0);
    CHECK_INT(put_audit("catalog add", "GX 9+9"), 1);
    end();
}

TEST(a_record_without_words_or_with_too_many_is_refused)
{
    begin();
    char long_text[300];
    memset(long_text, 'w', 257);
    long_text[257] = 0;
    int64_t number = 42;
    struct store_audit a = record("catalog add", "GX 9+9");
    a.why = long_text;
    CHECK_REFUSED(store_audit_put(store, &a, &number, &error), BURST_E_LIMIT, error, "'catalog add'");
    a = record("catalog add", "");
    CHECK_REFUSED(store_audit_put(store, &a, &number, &error), BURST_E_LIMIT, error, "empty");
    CHECK_INT(number, 42);
    struct store_reader *reader = NULL;
    char *text = NULL;
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_REFUSED(store_audit_list(reader, NULL, NULL, 0, &text, &error), BURST_E_RANGE, error, "limit 0");
    CHECK_REFUSED(store_audit_list(reader, NULL, NULL, 1001, &text, &error), BURST_E_RANGE, error, "limit 1001");
    store_reader_close(reader);
    end();
}

int main(void)
{
    RUN(a_record_is_listed_with_its_utc_and_its_detail_as_json);
    RUN(records_are_found_by_what_and_whom_newest_first_and_outlive_the_process);
    RUN(text_that_means_something_elsewhere_is_only_text);
    RUN(a_record_can_be_neither_changed_nor_dropped);
    RUN(a_file_of_before_gets_the_table_and_keeps_its_stream);
    RUN(a_record_without_words_or_with_too_many_is_refused);
    return check_report();
}
