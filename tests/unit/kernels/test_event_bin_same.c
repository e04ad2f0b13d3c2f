/* Every implementation against plain C, on tables drawn from a seed: the same fault at the same row, the same tally, the same
 * counts, after every call. */
#include "check.h"
#include "unit/kernels/event_random.h"

enum { N_TABLE = 4000 };

static struct table table;
static struct outcome want, got;

static const char *name_of(int i)
{
    static const char *names[N_CALL] = {"portable", "avx2", "avx512"};
    return names[i];
}

/* What of the drawn tables was of which kind: a comparison of nothing would pass, too. */
static size_t n_done, n_fault, n_beyond, n_merged, n_back, n_repeat;

static void note(void)
{
    const struct event_tally *last = &want.call[want.n - 1].tally;
    enum event_row_fault fault = want.call[want.n - 1].fault;
    n_done += fault == EVENT_ROWS_DONE;
    n_fault += fault > EVENT_ROW_BEYOND;
    n_beyond += want.n > 1;
    n_merged += last->n_merged > 0;
    n_back += last->n_back > 0;
    n_repeat += last->n_repeat > 0;
}

static void compare(unsigned odd, uint64_t seed)
{
    for (unsigned i = 0; i < N_TABLE; i++) {
        struct draw d = {.state = seed + i * UINT64_C(0x9e3779b97f4a7c15)};
        int64_t shift = i % 64 == 5 ? -1 : 0;
        draw_table(&d, &table, i % 3 ? odd : 0);
        table_bin(event_bin_portable(), &table, shift, i % 2, &want);
        note();
        for (int c = 1; c < N_CALL; c++) {
            if (!call_of(c)) continue;
            table_bin(call_of(c), &table, shift, i % 2, &got);
            int at = outcome_compare(&want, &got);
            CHECK_SAY(at < 0, "%s, seed %llu, table %u of %zu rows: call %d gives fault %d at row %zu, not %d at %zu",
                      name_of(c), (unsigned long long)seed, i, table.n_row, at, (int)got.call[at].fault,
                      got.call[at].tally.n_row, (int)want.call[at].fault, want.call[at].tally.n_row);
        }
    }
}

TEST(tables_with_a_few_odd_rows_are_the_same_to_all)
{
    compare(100, 20261120);
}

TEST(tables_of_odd_rows_are_the_same_to_all)
{
    compare(7, 2);
}

/* Each table in a block of just its size: what a sanitizer sees is a read in front of it or behind it. */
TEST(nothing_but_the_rows_is_read)
{
    for (unsigned i = 0; i < 400; i++) {
        struct draw d = {.state = 77 + i};
        draw_table(&d, &table, i % 2 ? 50 : 0);
        table.n_row = i / 4 < table.n_row ? i / 4 : table.n_row;
        size_t n = table.n_row * table.l.row_bytes;
        uint8_t *exact = malloc(n ? n : 1);
        CHECK(exact != NULL);
        if (!exact) return;
        memcpy(exact, table.first, n);
        table_bin(event_bin_portable(), &table, 0, false, &want);
        table.first = exact;
        for (int c = 1; c < N_CALL; c++) {
            if (!call_of(c)) continue;
            table_bin(call_of(c), &table, 0, false, &got);
            CHECK_INT(outcome_compare(&want, &got), -1);
        }
        free(exact);
    }
}

TEST(the_tables_drawn_were_of_every_kind)
{
    CHECK(n_done > N_TABLE / 10);
    CHECK(n_fault > N_TABLE / 10);
    CHECK(n_beyond > N_TABLE / 10);
    CHECK(n_merged > N_TABLE / 10);
    CHECK(n_back > N_TABLE / 10);
    CHECK(n_repeat > N_TABLE / 10);
}

int main(void)
{
    RUN(tables_with_a_few_odd_rows_are_the_same_to_all);
    RUN(tables_of_odd_rows_are_the_same_to_all);
    RUN(nothing_but_the_rows_is_read);
    RUN(the_tables_drawn_were_of_every_kind);
    return check_report();
}
