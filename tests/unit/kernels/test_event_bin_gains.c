/* One deposit seen in both gains, by hand: which rows are a pair, and which of the two counts. */
#include "check.h"
#include "event_rows.h"

/* Forty quiet rows of low gain, 1 ms apart, and behind them those of a case. */
static size_t quiet_rows(double time_s)
{
    for (int i = 0; i < 40; i++)
        put_gecam(rows + 18 * i, time_s - 0.04 + 0.001 * i, 1, 1, 4);
    return 40;
}

TEST(one_deposit_in_both_gains_counts_once_in_the_low_gain)
{
    size_t n = quiet_rows(1.0);
    put_gecam(rows + 18 * n++, 1.000000, 3, 0, 4);
    put_gecam(rows + 18 * n++, 1.000003, 5, 1, 4); /* within 4 us: of the two this counts */
    put_gecam(rows + 18 * n++, 1.000100, 7, 1, 4);
    put_gecam(rows + 18 * n++, 1.000101, 9, 0, 4); /* low first: this does not count */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(1, 15), 0);
        CHECK_INT(cell(2, 15), 1);
        CHECK_INT(cell(3, 15), 1);
        CHECK_INT(cell(4, 15), 0);
        CHECK_INT(tally.n_merged, 2);
        CHECK_INT(tally.n_event, 42);
        CHECK_INT(cell(DEAD_ROW, 15), 44 * 40);
    }
}

TEST(the_dead_time_of_the_first_row_is_the_limit_and_belongs_to_it)
{
    size_t n = quiet_rows(1.0);
    put_gecam(rows + 18 * n++, 1.0, 3, 0, 15.625f);
    put_gecam(rows + 18 * n++, 1.0 + 15.625e-6, 5, 1, 4); /* 15,625 ns after it */
    put_gecam(rows + 18 * n++, 1.1, 7, 0, 15.625f);
    put_gecam(rows + 18 * n++, 1.1 + 15.626e-6, 9, 1, 4); /* 1 ns later: two deposits */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_merged, 1);
        CHECK_INT(cell(1, 15), 0);
        CHECK_INT(cell(3, 17), 1);
        CHECK_INT(cell(4, 17), 1);
    }
}

TEST(rows_of_one_gain_never_merge)
{
    size_t n = quiet_rows(1.0);
    for (int i = 0; i < 40; i++)
        put_gecam(rows + 18 * n++, 1.0 + 1e-7 * i, 3, 0, 4);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_merged, 0);
        CHECK_INT(cell(1, 15), 40);
    }
}

TEST(a_row_belongs_to_one_pair_at_most)
{
    size_t n = quiet_rows(1.0);
    put_gecam(rows + 18 * n++, 1.000000, 3, 0, 4);
    put_gecam(rows + 18 * n++, 1.000001, 5, 1, 4); /* pair with the one before */
    put_gecam(rows + 18 * n++, 1.000002, 7, 0, 4); /* so this has none in it */
    put_gecam(rows + 18 * n++, 1.000003, 9, 1, 4); /* but in this */
    put_gecam(rows + 18 * n++, 1.000004, 3, 0, 4); /* alone */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_merged, 2);
        CHECK_INT(cell(1, 15), 1);
        CHECK_INT(cell(2, 15), 1);
        CHECK_INT(cell(3, 15), 0);
        CHECK_INT(cell(4, 15), 1);
    }
}

TEST(rows_not_recommended_stand_between_the_two_gains_unseen)
{
    size_t n = quiet_rows(1.0);
    put_gecam(rows + 18 * n++, 1.000000, 3, 0, 4);
    for (int i = 0; i < 70; i++) {
        put_gecam(rows + 18 * n, 1.000001, 3, i % 2, 4);
        rows[18 * n++ + 15] = 2;
    }
    put_gecam(rows + 18 * n++, 1.000002, 5, 1, 4);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_merged, 1);
        CHECK_INT(tally.n_dropped, 70);
        CHECK_INT(cell(1, 15), 0);
        CHECK_INT(cell(2, 15), 1);
    }
}

TEST(energies_of_no_atom_merge_like_all_others)
{
    size_t n = quiet_rows(1.0);
    put_gecam(rows + 18 * n++, 1.000000, 0, 0, 4); /* outside, and taken out again */
    put_gecam(rows + 18 * n++, 1.000001, 5, 1, 4);
    put_gecam(rows + 18 * n++, 1.001000, 5, 0, 4); /* taken out for one that is outside */
    put_gecam(rows + 18 * n++, 1.001001, 11, 1, 4);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_merged, 2);
        CHECK_INT(tally.n_event, 41);
        CHECK_INT(tally.n_outside, 1);
        CHECK_INT(cell(2, 15), 1);
    }
}

TEST(a_deposit_across_two_tiles_counts_once_in_the_later)
{
    size_t n = quiet_rows(65.5);
    put_gecam(rows + 18 * n++, 65.535999, 3, 0, 4); /* the last microsecond of the tile */
    size_t first_beyond = n;
    put_gecam(rows + 18 * n, 65.536000, 3, 0, 4); /* dropped, stands between */
    rows[18 * n++ + 17] = 9;
    put_gecam(rows + 18 * n++, 65.536001, 5, 1, 4);
    put_gecam(rows + 18 * n++, 65.536002, 7, 0, 4); /* the low gain has its pair: not merged */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, n, 0), EVENT_ROW_BEYOND);
        CHECK_INT(tally.n_row, first_beyond);
        CHECK_INT(cell(1, 1023), 0);
        memset(counts, 0, sizeof counts);
        CHECK_INT(call(&gecam, rows, n, &(struct event_tile){1024, counts}, &tally), EVENT_ROWS_DONE);
        CHECK_INT(cell(2, 0), 1);
        CHECK_INT(cell(3, 0), 1);
        CHECK_INT(tally.n_merged, 1);
        CHECK_INT(tally.n_event, 42);
        CHECK_INT(tally.n_event + tally.n_outside + tally.n_dropped + tally.n_merged, tally.n_row);
    }
}

int main(void)
{
    RUN(one_deposit_in_both_gains_counts_once_in_the_low_gain);
    RUN(the_dead_time_of_the_first_row_is_the_limit_and_belongs_to_it);
    RUN(rows_of_one_gain_never_merge);
    RUN(a_row_belongs_to_one_pair_at_most);
    RUN(rows_not_recommended_stand_between_the_two_gains_unseen);
    RUN(energies_of_no_atom_merge_like_all_others);
    RUN(a_deposit_across_two_tiles_counts_once_in_the_later);
    return check_report();
}
