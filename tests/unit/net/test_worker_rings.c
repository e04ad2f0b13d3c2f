/* What must travel so that rings over there hold a window: replayed with a ring that is written naively, place by place. */
#include "check.h"
#include "net/worker_rings.h"
#include <stdlib.h>
#include <string.h>

enum { ATOMS = 3, BINS = WORKER_WINDOW_BINS };

static struct burst_error e;
static uint32_t counts[ATOMS][BINS], sent[ATOMS * BINS];
static uint8_t valid[BINS], sent_valid[BINS];
/* The worker's ring, as it would be: -1 where nothing was ever written. */
static int64_t there[ATOMS][RING_BINS];
static int there_valid[RING_BINS];

static void make(int64_t k_first, uint32_t salt)
{
    for (int i = 0; i < BINS; i++) {
        uint64_t k = (uint64_t)(k_first + i);
        valid[i] = (k * 7 + salt) % 11 != 0;
        for (int a = 0; a < ATOMS; a++)
            counts[a][i] = (uint32_t)((k * 2654435761u + (uint64_t)a * 97 + salt) % 50);
    }
}

static void nothing_there(void)
{
    memset(there, 0xff, sizeof there);
    memset(there_valid, 0xff, sizeof there_valid);
}

/* Ask, send, write there. Returns how many bins travelled, *ret_from the first. */
static int send_window(struct worker_rings *r, uint64_t key, int64_t k_first, int *ret_from)
{
    int n, ring;
    worker_rings_begin(r);
    ring = worker_rings_of_key(r, key);
    worker_rings_differ(r, ring, k_first, &counts[0][0], valid, ret_from, &n);
    worker_rings_send(r, ring, k_first, &counts[0][0], valid, *ret_from, n, sent, sent_valid);
    for (int i = 0; i < n; i++) {
        int place = (int)((k_first + *ret_from + i) % RING_BINS);
        there_valid[place] = sent_valid[i];
        for (int a = 0; a < ATOMS; a++)
            there[a][place] = sent[a * n + i];
    }
    return n;
}

static bool ring_holds_window(int64_t k_first)
{
    for (int i = 0; i < BINS; i++) {
        int place = (int)((k_first + i) % RING_BINS);
        if (there_valid[place] != valid[i]) return false;
        for (int a = 0; a < ATOMS; a++)
            if (there[a][place] != counts[a][i]) return false;
    }
    return true;
}

static struct worker_rings *fresh(void)
{
    struct worker_rings *r = NULL;
    CHECK_INT(worker_rings_new(ATOMS, &r, &e), BURST_OK);
    nothing_there();
    return r;
}

TEST(the_first_window_travels_whole)
{
    struct worker_rings *r = fresh();
    int from;
    make(5000, 1);
    CHECK_INT(send_window(r, 3, 5000, &from), BINS);
    CHECK_INT(from, 0);
    CHECK(ring_holds_window(5000));
    worker_rings_free(r);
}

TEST(the_same_window_again_travels_not_at_all)
{
    struct worker_rings *r = fresh();
    int from;
    make(5000, 1);
    (void)send_window(r, 3, 5000, &from);
    CHECK_INT(send_window(r, 3, 5000, &from), 0);
    worker_rings_free(r);
}

TEST(a_stride_later_only_the_new_bins_travel)
{
    struct worker_rings *r = fresh();
    int from;
    for (int64_t k = 0; k < 3 * RING_BINS; k += 16) { /* more than twice around */
        make(k, 1);
        int n = send_window(r, 3, k, &from);
        CHECK_INT(n, k == 0 ? BINS : 16);
        CHECK_INT(from, k == 0 ? 0 : BINS - 16);
        CHECK(ring_holds_window(k));
    }
    worker_rings_free(r);
}

TEST(a_late_change_of_an_old_bin_travels)
{
    struct worker_rings *r = fresh();
    int from;
    make(1990, 1); /* wraps after 58 bins */
    (void)send_window(r, 3, 1990, &from);
    counts[2][40]++;
    CHECK_INT(send_window(r, 3, 1990, &from), 1);
    CHECK_INT(from, 40);
    valid[100] = !valid[100];
    counts[0][57]++; /* the last before the ring's end, and one beyond it */
    CHECK_INT(send_window(r, 3, 1990, &from), 44);
    CHECK_INT(from, 57);
    CHECK(ring_holds_window(1990));
    counts[1][0]++;
    counts[1][BINS - 1]++;
    CHECK_INT(send_window(r, 3, 1990, &from), BINS);
    CHECK(ring_holds_window(1990));
    worker_rings_free(r);
}

TEST(every_single_bin_that_changes_is_found)
{
    struct worker_rings *r = fresh();
    int from;
    make(700, 1);
    (void)send_window(r, 3, 700, &from);
    for (int i = 0; i < BINS; i++) {
        counts[i % ATOMS][i] ^= 1;
        CHECK_INT(send_window(r, 3, 700, &from), 1);
        CHECK_INT(from, i);
    }
    CHECK(ring_holds_window(700));
    worker_rings_free(r);
}

TEST(a_jump_in_time_travels_whole_where_numbers_differ)
{
    struct worker_rings *r = fresh();
    int from;
    make(5000, 1);
    (void)send_window(r, 3, 5000, &from);
    make(900000007, 2);
    CHECK(send_window(r, 3, 900000007, &from) > 1800); /* a few may be equal by chance at either end */
    CHECK(ring_holds_window(900000007));
    make(12, 3); /* and back */
    (void)send_window(r, 3, 12, &from);
    CHECK(ring_holds_window(12));
    worker_rings_free(r);
}

TEST(places_never_written_travel_even_when_all_is_zero)
{
    struct worker_rings *r = fresh();
    int from;
    memset(counts, 0, sizeof counts);
    memset(valid, 0, sizeof valid);
    CHECK_INT(send_window(r, 3, 0, &from), BINS);
    CHECK_INT(send_window(r, 3, 100, &from), 100); /* 1,875 .. 1,974: the ring has 2,048 places */
    CHECK_INT(send_window(r, 3, 400, &from), 73);  /* 1,975 .. 2,047 are new, 2,048 .. 2,274 lie on old zeros */
    CHECK_INT(from, BINS - 300);
    CHECK(ring_holds_window(400));
    worker_rings_free(r);
}

TEST(forgetting_makes_all_travel_again)
{
    struct worker_rings *r = fresh();
    int from;
    make(5000, 1);
    (void)send_window(r, 3, 5000, &from);
    worker_rings_forget(r);
    CHECK_INT(send_window(r, 3, 5000, &from), BINS);
    worker_rings_free(r);
}

TEST(rings_keep_detectors_apart)
{
    struct worker_rings *r = fresh();
    int from;
    make(5000, 1);
    (void)send_window(r, 3, 5000, &from);
    CHECK_INT(send_window(r, 4, 5000, &from), BINS);
    CHECK_INT(send_window(r, 3, 5000, &from), 0);
    worker_rings_begin(r);
    CHECK(worker_rings_of_key(r, 3) != worker_rings_of_key(r, 4));
    worker_rings_free(r);
}

TEST(the_ring_not_asked_for_longest_is_taken_and_forgotten)
{
    struct worker_rings *r = fresh();
    int from;
    make(5000, 1);
    for (uint64_t key = 0; key < WORKER_RINGS; key++)
        (void)send_window(r, key, 5000, &from);
    CHECK_INT(send_window(r, 0, 5000, &from), 0);               /* now key 1 is the oldest */
    CHECK_INT(send_window(r, WORKER_RINGS, 5000, &from), BINS); /* takes its ring */
    CHECK_INT(send_window(r, 0, 5000, &from), 0);
    CHECK_INT(send_window(r, 2, 5000, &from), 0);
    CHECK_INT(send_window(r, 1, 5000, &from), BINS);
    worker_rings_free(r);
}

TEST(one_window_never_takes_a_ring_from_itself)
{
    struct worker_rings *r = fresh();
    bool taken[WORKER_RINGS] = {false};
    for (int turn = 0; turn < 3; turn++) {
        memset(taken, 0, sizeof taken);
        worker_rings_begin(r);
        for (uint64_t i = 0; i < WORKER_RINGS; i++) {
            int ring = worker_rings_of_key(r, (uint64_t)turn * 40 + i);
            CHECK(ring >= 0 && ring < WORKER_RINGS && !taken[ring]);
            taken[ring] = true;
        }
    }
    worker_rings_free(r);
}

int main(void)
{
    RUN(the_first_window_travels_whole);
    RUN(the_same_window_again_travels_not_at_all);
    RUN(a_stride_later_only_the_new_bins_travel);
    RUN(a_late_change_of_an_old_bin_travels);
    RUN(every_single_bin_that_changes_is_found);
    RUN(a_jump_in_time_travels_whole_where_numbers_differ);
    RUN(places_never_written_travel_even_when_all_is_zero);
    RUN(forgetting_makes_all_travel_again);
    RUN(rings_keep_detectors_apart);
    RUN(the_ring_not_asked_for_longest_is_taken_and_forgotten);
    RUN(one_window_never_takes_a_ring_from_itself);
    return check_report();
}
