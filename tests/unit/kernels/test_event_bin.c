/* Rows to counts, by hand: what is counted where, what is refused, what is merged. Every case is asked of every implementation
 * this processor has, each row also in front of forty ordinary ones, so that vectors are full. */
#include "check.h"
#include "event_rows.h"

TEST(rows_fall_into_the_bins_and_atoms_that_their_numbers_say)
{
    put_gbm(rows, 0.0, 1);            /* bin 0, atom 0 */
    put_gbm(rows + 10, 0.063, 2);     /* bin 0, atom 0 */
    put_gbm(rows + 20, 0.064, 3);     /* bin 1, atom 1 */
    put_gbm(rows + 30, 1.0, 10);      /* 15.625: bin 15, atom 4 */
    put_gbm(rows + 40, 65.535999, 9); /* the last bin, 1023 */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 5, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(0, 0), 2);
        CHECK_INT(cell(1, 1), 1);
        CHECK_INT(cell(4, 15), 1);
        CHECK_INT(cell(4, 1023), 1);
        CHECK_INT(tally.n_row, 5);
        CHECK_INT(tally.n_event, 5);
        CHECK_INT(tally.n_back, 0);
        CHECK_INT(tally.first_ns, 0);
        CHECK_INT(tally.last_ns, 65535999000);
        CHECK_INT(tally.before_ns, 65535999000);
    }
}

TEST(a_time_is_rounded_to_the_nearest_nanosecond_before_it_has_a_bin)
{
    put_gbm(rows, 0.0639999994, 1);      /* 63,999,999.4 ns: bin 0 */
    put_gbm(rows + 10, 0.0639999996, 1); /* 63,999,999.6 ns: bin 1 */
    put_gbm(rows + 20, 0.9999999996, 1); /* a whole second: bin 15, and 15.625 begins it no sooner */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 3, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(0, 0), 1);
        CHECK_INT(cell(0, 1), 1);
        CHECK_INT(cell(0, 15), 1);
        CHECK_INT(tally.last_ns, 1000000000);
    }
}

TEST(zero_is_added_exactly_so_a_stored_time_may_be_negative)
{
    struct event_layout l = gbm;
    l.zero_ns = INT64_C(332916465760476000); /* bn110721200's TZERO */
    put_gbm(rows, -34.0, 1);                 /* 332916431.760476 s: bin 5201819246.2574 */
    put_gbm(rows + 10, -33.9, 3);            /* 332916431.860476 s: bin 5201819247.8199 */
    int64_t k0 = INT64_C(5201819246) / 1024 * 1024, k = 0;
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &l, 2, k0), EVENT_ROWS_DONE);
        CHECK_INT(cell(0, (int)(INT64_C(5201819246) - k0)), 1);
        CHECK_INT(cell(1, (int)(INT64_C(5201819247) - k0)), 1);
        CHECK_INT(tally.first_ns, INT64_C(332916431760476000));
    }
    CHECK_INT(event_row_bin(&l, rows, &k), EVENT_ROWS_DONE);
    CHECK_INT(k, INT64_C(5201819246));
}

TEST(energies_of_no_atom_are_outside_and_channels_not_recommended_are_dropped)
{
    static const int8_t atom[4] = {0, EVENT_NO_ATOM, EVENT_NOT_RECOMMENDED, 1};
    struct event_layout l = gbm;
    l.n_channel = 4;
    l.atom = atom;
    for (int i = 0; i < 40; i++)
        put_gbm(rows + 10 * i, 1.0, i % 4);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_event, 20);
        CHECK_INT(tally.n_outside, 10);
        CHECK_INT(tally.n_dropped, 10);
        CHECK_INT(cell(0, 15), 10);
        CHECK_INT(cell(1, 15), 10);
    }
}

TEST(atoms_may_lie_in_any_order_over_the_channels)
{
    static int8_t atom[300];
    struct event_layout l = gbm;
    l.n_channel = 300;
    l.atom = atom;
    uint32_t want[N_ATOM] = {0};
    for (int i = 0; i < 300; i++)
        atom[i] = (int8_t)(i * 7 % 5);
    for (int i = 0; i < 300; i++) {
        put_gbm(rows + 10 * i, 2.0, i);
        want[i * 7 % 5]++;
    }
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &l, 300, 0), EVENT_ROWS_DONE);
        for (int a = 0; a < N_ATOM; a++)
            CHECK_INT(cell(a, 31), want[a]);
    }
}

TEST(dead_time_of_every_row_is_summed_the_last_channel_by_itself)
{
    for (int i = 0; i < 50; i++)
        put_gbm(rows + 10 * i, 0.5, i < 10 ? 11 : 3);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 50, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(DEAD_ROW, 7), 10 * 100 + 40 * 26);
    }
}

TEST(dead_time_of_a_column_counts_in_rows_that_are_dropped_too)
{
    for (int i = 0; i < 40; i++)
        put_gecam(rows + 18 * i, 0.5, 3, 0, 4.0f);
    rows[18 + 15] = 2;                  /* overflow */
    put_f32(rows + 18 + 11, 69.0f);     /* its dead time, us */
    rows[2 * 18 + 17] = 2;              /* bad */
    put_f32(rows + 3 * 18 + 11, 0.26f); /* 2.6 units: rounded to 3 */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, 40, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(DEAD_ROW, 7), 38 * 40 + 690 + 3);
        CHECK_INT(cell(1, 7), 38);
        CHECK_INT(tally.n_dropped, 2);
    }
}

TEST(a_sum_of_dead_times_stays_at_its_most)
{
    for (int i = 0; i < 399; i++)
        put_gecam(rows + 18 * i, 0.5, 3, 0, 1e6f);
    for (int i = 390; i < 399; i++)
        put_f32(rows + 18 * i + 11, 4);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, 399, 0), EVENT_ROWS_DONE); /* 390 s are 3.9e9 units, and fit */
        CHECK_INT(cell(DEAD_ROW, 7), 3900000000 + 9 * 40);
        enum event_row_fault fault =
            call(&gecam, rows, 399, &(struct event_tile){0, counts}, &(struct event_tally){.seen.gain = -1});
        CHECK_INT(fault, EVENT_ROWS_DONE);
        CHECK_INT(cell(DEAD_ROW, 7), UINT32_MAX);
    }
}

TEST(type_and_flag_drop_rows_before_their_channel_is_asked)
{
    for (int i = 0; i < 40; i++)
        put_gecam(rows + 18 * i, 0.5, 5, 0, 4);
    rows[5 * 18 + 15] = 3;                   /* over-width */
    rows[6 * 18 + 17] = 2;                   /* bad */
    rows[7 * 18 + 17] = 1;                   /* good enough */
    rows[8 * 18 + 17] = 243;                 /* wrong gain bias */
    bytes_put_u16(rows + 5 * 18 + 8, 450);   /* the overflow block is no channel, and not asked for */
    bytes_put_u16(rows + 6 * 18 + 8, 65535); /* nor is -1 */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gecam, 40, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(2, 7), 37);
        CHECK_INT(tally.n_dropped, 3);
    }
}

TEST(channels_of_one_byte_are_read_without_a_sign)
{
    static int8_t atom[200];
    struct event_layout l = gbm;
    atom[199] = 3;
    l.row_bytes = 9;
    l.channel_bytes = 1;
    l.n_channel = 200;
    l.atom = atom;
    for (int i = 0; i < 40; i++) {
        put_f64(rows + 9 * i, 0.1);
        rows[9 * i + 8] = 199;
    }
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(3, 1), 40);
        CHECK_INT(cell(DEAD_ROW, 1), 40 * 100);
        rows[9 * 39 + 8] = 200;
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROW_CHANNEL);
        CHECK_INT(tally.n_row, 39);
        rows[9 * 39 + 8] = 199;
    }
}

TEST(rows_may_begin_at_an_odd_byte)
{
    struct event_layout l = gbm;
    l.row_bytes = 11;
    l.time_at = 1;
    l.channel_at = 9;
    for (int i = 0; i < 40; i++)
        put_gbm(rows + 11 * i + 1, 0.1, 3);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROWS_DONE);
        CHECK_INT(cell(1, 1), 40);
    }
}

TEST(a_row_that_is_there_twice_is_counted_twice_and_told)
{
    for (int i = 0; i < 100; i++)
        put_gbm(rows + 10 * i, 1.0 + 0.001 * (i / 2),
                3 + i % 4 / 3); /* of each time two, of half of them the same two */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 100, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_event, 100);
        CHECK_INT(tally.n_back, 0);
        CHECK_INT(tally.n_repeat, 25);
    }
}

TEST(a_row_stepped_over_is_in_front_of_the_next_only_by_its_bytes)
{
    for (int i = 0; i < 80; i++)
        put_gbm(rows + 10 * i, 1.0 + 0.001 * i, 3);
    put_gbm(rows + 400, 0.5, 99); /* void, and its time means nothing */
    put_gbm(rows + 410, 0.7, 3);  /* before the last row taken */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 80, 0), EVENT_ROW_CHANNEL);
        CHECK_INT(tally.n_row, 40);
        tally.n_row++;
        CHECK_INT(call(&gbm, rows, 80, &(struct event_tile){0, counts}, &tally), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_event, 79);
        CHECK_INT(tally.n_back, 1);
        CHECK_INT(tally.first_ns, 700000000);
    }
}

/* ---- faults ---- */

static void fill(const struct event_layout *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (l->row_bytes == GBM_ROW)
            put_gbm(rows + i * GBM_ROW, 1.0 + 1e-4 * (double)i, 3);
        else
            put_gecam(rows + i * GECAM_ROW, 1.0 + 1e-4 * (double)i, 3, 0, 4);
    }
}

/* The fault must name the row, with all rows before it counted, wherever in a vector it stands. */
static void check_fault(const struct event_layout *l, const uint8_t *spoilt, enum event_row_fault want)
{
    EACH_CALL(call)
    {
        for (size_t at = 0; at < 80; at++) {
            fill(l, 80);
            memcpy(rows + at * l->row_bytes, spoilt, l->row_bytes);
            enum event_row_fault got = bin(call, l, 80, 0);
            CHECK_SAY(got == want, "row %zu: %d, not %d", at, (int)got, (int)want);
            CHECK_INT(tally.n_row, at);
            CHECK_INT(tally.n_event, at);
            int64_t k = 7, before = k;
            bool timely = event_row_bin(l, rows + at * l->row_bytes, &k) == EVENT_ROWS_DONE;
            CHECK(timely == (want != EVENT_ROW_TIME));
            CHECK(timely || k == before);
        }
    }
}

static void check_times(const struct event_layout *l)
{
    const double bad[] = {NAN, -NAN, INFINITY, -INFINITY, 1e300, -1e300, 4.0000001e9, 9e9, 9.3e9, -1e-8, -5.0, -9.3e9};
    uint8_t row[GECAM_ROW];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_gecam(row, bad[i], 3, 0, 4);
        check_fault(l, row, EVENT_ROW_TIME);
    }
}

TEST(a_time_that_is_none_is_refused)
{
    check_times(&gbm);
    check_times(&gecam);
}

TEST(a_time_outside_the_limits_is_refused_and_the_limits_are_not)
{
    struct event_layout l = gbm;
    l.least_ns = 500000000;
    l.most_ns = 2500000000;
    EACH_CALL(call)
    {
        fill(&l, 40);
        put_gbm(rows, 0.5, 3);
        put_gbm(rows + 390, 2.5, 3);
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROWS_DONE);
        put_gbm(rows + 390, 2.500000001, 3);
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROW_TIME);
        CHECK_INT(tally.n_row, 39);
        put_gbm(rows, 0.499999999, 3);
        CHECK_INT(bin(call, &l, 40, 0), EVENT_ROW_TIME);
        CHECK_INT(tally.n_row, 0);
    }
}

TEST(a_zero_that_would_overflow_the_sum_is_a_wrong_time)
{
    struct event_layout l = gbm;
    uint8_t row[GECAM_ROW];
    l.zero_ns = MET_MOST_NS;
    put_gbm(row, 8e9, 3);
    memcpy(rows, row, GBM_ROW);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &l, 1, 0), EVENT_ROW_TIME);
    }
}

TEST(a_channel_outside_the_table_is_refused)
{
    uint8_t row[GECAM_ROW];
    const int bad[] = {12, 13, 450, 32767, -1, -32768};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_gecam(row, 1.0, bad[i], 0, 4);
        check_fault(&gbm, row, EVENT_ROW_CHANNEL);
        check_fault(&gecam, row, EVENT_ROW_CHANNEL);
    }
}

TEST(a_gain_that_is_neither_is_refused_in_dropped_rows_too)
{
    uint8_t row[GECAM_ROW];
    for (int gain = 2; gain < 256; gain += 127) {
        put_gecam(row, 1.0, 3, gain, 4);
        check_fault(&gecam, row, EVENT_ROW_GAIN);
        row[15] = 2;
        check_fault(&gecam, row, EVENT_ROW_GAIN);
    }
}

TEST(a_dead_time_that_is_none_is_refused_in_dropped_rows_too)
{
    uint8_t row[GECAM_ROW];
    const float bad[] = {NAN, INFINITY, -INFINITY, -1e-3f, 1000001.0f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_gecam(row, 1.0, 3, 0, bad[i]);
        check_fault(&gecam, row, EVENT_ROW_DEAD);
        row[17] = 5;
        check_fault(&gecam, row, EVENT_ROW_DEAD);
    }
    put_gecam(row, 1.0, 3, 9, NAN); /* of several faults the first asked for */
    bytes_put_u16(row + 8, 999);
    check_fault(&gecam, row, EVENT_ROW_GAIN);
}

/* ---- tiles ---- */

TEST(a_row_of_another_tile_stops_the_call_and_the_next_call_goes_on_there)
{
    for (int i = 0; i < 100; i++)
        put_gbm(rows + 10 * i, 65.0 + 0.01 * i, 3); /* the tile ends at 65.536 s: 54 rows */
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 100, 0), EVENT_ROW_BEYOND);
        CHECK_INT(tally.n_row, 54);
        CHECK_INT(cell(1, 1023), 6); /* 65.48 to 65.53 */
        memset(counts, 0, sizeof counts);
        CHECK_INT(call(&gbm, rows, 100, &(struct event_tile){1024, counts}, &tally), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_row, 100);
        CHECK_INT(tally.n_event, 100);
        CHECK_INT(cell(1, 0), 6); /* 65.54 to 65.59 */
        CHECK_INT(tally.first_ns, 65000000000);
        CHECK_INT(tally.last_ns, 65990000000);
        CHECK_INT(bin(call, &gbm, 100, INT64_MIN), EVENT_ROW_BEYOND);
        CHECK_INT(bin(call, &gbm, 100, INT64_MAX / 1024 * 1024), EVENT_ROW_BEYOND);
        CHECK_INT(tally.n_row, 0);
    }
}

TEST(nothing_comes_of_no_rows)
{
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 0, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_row, 0);
    }
}

TEST(steps_back_are_counted_and_cost_no_event)
{
    for (int i = 0; i < 100; i++)
        put_gbm(rows + 10 * i, 2.0 + 0.01 * i - (i % 10 == 5 ? 1.5 : 0), 3);
    EACH_CALL(call)
    {
        CHECK_INT(bin(call, &gbm, 100, 0), EVENT_ROWS_DONE);
        CHECK_INT(tally.n_back, 10);
        CHECK_INT(tally.n_event, 100);
        CHECK_INT(tally.first_ns, 550000000); /* row 5: 2.05 - 1.5 */
        CHECK_INT(tally.last_ns, 2990000000);
        CHECK_INT(tally.before_ns, 2990000000);
    }
}

TEST(the_name_is_of_an_implementation_that_is_there)
{
    const char *name = event_bin_name();
    CHECK(!strcmp(name, "avx512") || !strcmp(name, "avx2") || !strcmp(name, "portable"));
}

int main(void)
{
    RUN(rows_fall_into_the_bins_and_atoms_that_their_numbers_say);
    RUN(a_time_is_rounded_to_the_nearest_nanosecond_before_it_has_a_bin);
    RUN(zero_is_added_exactly_so_a_stored_time_may_be_negative);
    RUN(energies_of_no_atom_are_outside_and_channels_not_recommended_are_dropped);
    RUN(atoms_may_lie_in_any_order_over_the_channels);
    RUN(dead_time_of_every_row_is_summed_the_last_channel_by_itself);
    RUN(dead_time_of_a_column_counts_in_rows_that_are_dropped_too);
    RUN(a_sum_of_dead_times_stays_at_its_most);
    RUN(type_and_flag_drop_rows_before_their_channel_is_asked);
    RUN(channels_of_one_byte_are_read_without_a_sign);
    RUN(rows_may_begin_at_an_odd_byte);
    RUN(a_row_that_is_there_twice_is_counted_twice_and_told);
    RUN(a_row_stepped_over_is_in_front_of_the_next_only_by_its_bytes);
    RUN(a_time_that_is_none_is_refused);
    RUN(a_time_outside_the_limits_is_refused_and_the_limits_are_not);
    RUN(a_zero_that_would_overflow_the_sum_is_a_wrong_time);
    RUN(a_channel_outside_the_table_is_refused);
    RUN(a_gain_that_is_neither_is_refused_in_dropped_rows_too);
    RUN(a_dead_time_that_is_none_is_refused_in_dropped_rows_too);
    RUN(a_row_of_another_tile_stops_the_call_and_the_next_call_goes_on_there);
    RUN(nothing_comes_of_no_rows);
    RUN(steps_back_are_counted_and_cost_no_event);
    RUN(the_name_is_of_an_implementation_that_is_there);
    return check_report();
}
