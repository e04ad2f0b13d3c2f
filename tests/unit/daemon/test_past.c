/* Events that have left the book come back: from the store, or while their last record is on its way there. */
#include "check.h"
#include "daemon/kept.h"
#include "daemon/past.h"
#include "publish/store.h"
#include <stdlib.h>
#include <unistd.h>

enum { ON_WAY = 2 };
static char folder[64], path[80];
static struct store *store;
static struct past *past;
static struct book book[REALM_N];
static struct alert *const none = NULL;

static void begin(void)
{
    struct burst_error e;
    bool new_stream;
    (void)snprintf(folder, sizeof folder, "/tmp/burst-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/burst.db", folder);
    struct store_settings settings = {path, 7};
    memset(book, 0, sizeof book);
    CHECK_INT(store_open(&settings, &store, &new_stream, &e), BURST_OK);
    CHECK_INT(past_open(path, ON_WAY, book, &past, &e), BURST_OK);
}

static void end(void)
{
    struct burst_error e;
    static const char *const NAMES[] = {"burst.db", "burst.db.note", "burst.db-wal", "burst.db-shm"};
    past_close(past);
    CHECK(!book[REALM_LIVE].past.find && !book[REALM_ARCHIVE].past.part);
    CHECK_INT(store_close(store, &e), BURST_OK);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        (void)unlink(path);
    }
    CHECK_INT(rmdir(folder), 0);
}

static struct alert *add(enum burst_realm realm, int number)
{
    char id[EVENT_ID_TEXT];
    (void)snprintf(id, sizeof id, "sb%08d", number);
    struct alert *a = book_add(&book[realm], (struct source){realm, MISSION_SVOM, INSTRUMENT_ECLAIRS}, id, number);
    a->now.record_number = 3;
    return a;
}

static void fill(enum burst_realm realm, int from, int n)
{
    for (int i = 0; i < n; i++)
        (void)add(realm, from + i);
}

/* What the publish thread does with each change. */
static void keep(enum burst_realm realm, const char *name, const struct alert *a, size_t n_blob)
{
    struct burst_error e;
    char key[KEPT_PAST_KEY_TEXT];
    uint8_t blob[KEPT_ALERT_BLOB];
    kept_past_key(realm, MISSION_SVOM, name, key);
    kept_encode_alert(a, blob);
    CHECK_INT(store_past_put(store, key, 1, blob, n_blob, &e), BURST_OK);
    CHECK_INT(store_flush(store, &e), BURST_OK);
}

TEST(what_the_store_keeps_comes_back_under_each_name_in_its_realm)
{
    begin();
    struct alert *a = add(REALM_LIVE, 1);
    (void)snprintf(a->alias[0], EVENT_ID_TEXT, "other");
    keep(REALM_LIVE, a->id, a, KEPT_ALERT_BLOB);
    keep(REALM_LIVE, "other", a, KEPT_ALERT_BLOB);
    fill(REALM_LIVE, 2, BOOK_ALERTS + ON_WAY + 2); /* two are not remembered here any more */
    CHECK(book_find(&book[REALM_ARCHIVE], MISSION_SVOM, "sb00000001") == none);
    CHECK(book_find(&book[REALM_LIVE], MISSION_SVOM, "sb00000002") == none); /* was never kept */
    const struct alert *back = book_find(&book[REALM_LIVE], MISSION_SVOM, "other");
    CHECK(back && back->now.record_number == 3);
    CHECK(back && book_find(&book[REALM_LIVE], MISSION_SVOM, "sb00000001") == back);
    end();
}

TEST(what_is_on_its_way_comes_back_as_it_was_last)
{
    begin();
    keep(REALM_LIVE, "sb00000001", add(REALM_LIVE, 1), KEPT_ALERT_BLOB);
    fill(REALM_ARCHIVE, 1, BOOK_ALERTS + 1);
    book[REALM_LIVE].alert[0].now.record_number = 4; /* not kept yet */
    fill(REALM_LIVE, 2, BOOK_ALERTS);
    struct alert *a = book_find(&book[REALM_LIVE], MISSION_SVOM, "sb00000001");
    CHECK(a && a->now.record_number == 4);
    if (a) a->now.record_number = 5;
    fill(REALM_LIVE, BOOK_ALERTS + 2, BOOK_ALERTS);
    a = book_find(&book[REALM_LIVE], MISSION_SVOM, "sb00000001");
    CHECK(a && a->now.record_number == 5);
    a = book_find(&book[REALM_ARCHIVE], MISSION_SVOM,
                  "sb00000001"); /* long gone: as many have left since as can be on their way */
    CHECK(a == none);
    end();
}

TEST(what_another_build_kept_is_not_taken)
{
    begin();
    keep(REALM_LIVE, "sb00000001", add(REALM_LIVE, 1), KEPT_ALERT_BLOB - 1);
    fill(REALM_LIVE, 2, BOOK_ALERTS + ON_WAY + 1);
    CHECK(book_find(&book[REALM_LIVE], MISSION_SVOM, "sb00000001") == none);
    end();
}

TEST(without_a_file_there_is_no_past)
{
    struct burst_error e;
    struct past *p = NULL;
    CHECK_REFUSED(past_open("/nowhere/burst.db", 4, book, &p, &e), BURST_E_IO, e, "/nowhere/burst.db");
    CHECK(!p && !book[REALM_LIVE].past.find);
    past_close(NULL);
}

int main(void)
{
    RUN(what_the_store_keeps_comes_back_under_each_name_in_its_realm);
    RUN(what_is_on_its_way_comes_back_as_it_was_last);
    RUN(what_another_build_kept_is_not_taken);
    RUN(without_a_file_there_is_no_past);
    return check_report();
}
