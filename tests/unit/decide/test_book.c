/* The book's places: who leaves for whom, and how what has left comes back. */
#include "check.h"
#include "decide/book.h"

static struct book book;

/* A past in memory. */
static struct alert left[2 * BOOK_ALERTS];
static int n_left;

static void part(void *arg, const struct alert *a)
{
    CHECK(arg == left);
    left[n_left++] = *a;
}

static bool find(void *arg, enum burst_mission mission, const char *id, struct alert *ret_alert)
{
    (void)arg;
    for (int i = n_left - 1; i >= 0; i--)
        if (left[i].last.source.mission == mission && (!strcmp(left[i].id, id) || !strcmp(left[i].alias[0], id))) {
            *ret_alert = left[i];
            return true;
        }
    return false;
}

static bool find_another(void *arg, enum burst_mission mission, const char *id, struct alert *ret_alert)
{
    (void)mission;
    (void)id;
    *ret_alert = *(struct alert *)arg;
    return true;
}

static struct alert *add(int number)
{
    char id[EVENT_ID_TEXT];
    (void)snprintf(id, sizeof id, "sb%08d", number);
    struct alert *a = book_add(&book, (struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}, id, number);
    a->now.record_number = number;
    return a;
}

static void fill(int from, int to)
{
    for (int i = from; i <= to; i++)
        (void)add(i);
}

static void begin(struct book_past past)
{
    memset(&book, 0, sizeof book);
    n_left = 0;
    book.past = past;
}

TEST(without_a_past_what_leaves_is_forgotten)
{
    begin((struct book_past){NULL, NULL, NULL});
    fill(1, BOOK_ALERTS);
    CHECK(book_find(&book, MISSION_SVOM, "sb00000001") != NULL);
    (void)add(BOOK_ALERTS + 1);
    CHECK(book_find(&book, MISSION_SVOM, "sb00000001") == NULL);
    CHECK(book_find(&book, MISSION_SVOM, "sb00000002") != NULL);
}

TEST(what_has_left_comes_back_as_it_was)
{
    begin((struct book_past){part, find, left});
    fill(1, BOOK_ALERTS);
    CHECK_INT(n_left, 0);
    (void)add(BOOK_ALERTS + 1);
    CHECK_INT(n_left, 1);
    CHECK_STR(left[0].id, "sb00000001");
    for (int i = 0; i < BOOK_ALERTS; i++)
        (void)book_take_dirty(&book, i);
    const struct alert *a = book_find(&book, MISSION_SVOM, "sb00000001");
    CHECK(a && a->now.record_number == 1 && a->trigger_ns == 1);
    CHECK_INT(a->used, book.n_used); /* the newest, and to be kept in its new place */
    CHECK(book_take_dirty(&book, (int)(a - book.alert)));
    CHECK_INT(n_left, 2);
    CHECK_STR(left[1].id, "sb00000002"); /* for it another has left */
    CHECK(book_find(&book, MISSION_SVOM, "sb00000001") == a);
    CHECK_INT(n_left, 2);
}

TEST(it_comes_back_under_each_of_its_names_and_to_its_mission_alone)
{
    begin((struct book_past){part, find, left});
    (void)snprintf(add(1)->alias[0], EVENT_ID_TEXT, "other");
    fill(2, BOOK_ALERTS + 1);
    CHECK(book_find(&book, MISSION_FERMI, "other") == NULL);
    CHECK(book_find(&book, MISSION_SVOM, "") == NULL);
    const struct alert *a = book_find(&book, MISSION_SVOM, "other");
    CHECK(a != NULL);
    CHECK_STR(a->id, "sb00000001");
}

TEST(what_waits_leaves_last)
{
    begin((struct book_past){part, find, left});
    add(1)->now.expected_ns = 99;
    fill(2, BOOK_ALERTS + 1);
    CHECK_INT(n_left, 1);
    CHECK_STR(left[0].id, "sb00000002");
}

TEST(what_was_not_asked_for_is_not_taken)
{
    struct alert other;
    begin((struct book_past){NULL, NULL, NULL});
    other = *add(7);
    begin((struct book_past){part, find_another, &other});
    CHECK(book_find(&book, MISSION_SVOM, "sb00000008") == NULL);
    CHECK(book_find(&book, MISSION_FERMI, "sb00000007") == NULL);
    other.used = 0;
    CHECK(book_find(&book, MISSION_SVOM, "sb00000007") == NULL);
    CHECK_INT(book.n_used, 0);
}

int main(void)
{
    RUN(without_a_past_what_leaves_is_forgotten);
    RUN(what_has_left_comes_back_as_it_was);
    RUN(it_comes_back_under_each_of_its_names_and_to_its_mission_alone);
    RUN(what_waits_leaves_last);
    RUN(what_was_not_asked_for_is_not_taken);
    return check_report();
}
