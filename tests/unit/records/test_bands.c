/* Bands, atoms, channels: expected numbers from science.md A.1 and by hand. */
#include "check.h"
#include "records/bands.h"

TEST(the_default_is_the_papers_nine_bands_over_five_atoms)
{
    static const float edge[6] = {25, 50, 100, 300, 500, 900};
    static const char *const row[9] = {"10000", "01000", "01100", "00100", "00110",
                                       "00111", "00010", "00011", "00001"}; /* science.md A.1, band matrix */
    struct band_set b;
    band_set_default(&b);
    CHECK_INT(b.n_atom, 5);
    CHECK_INT(b.n_band, 9);
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(b.edge_kev[i], edge[i], 0);
    for (int i = 0; i < 9; i++)
        for (int a = 0; a < 5; a++)
            CHECK_SAY((a >= b.first[i] && a < b.last[i]) == (row[i][a] == '1'), "band %d atom %d", i, a);
}

TEST(bands_with_a_hole_between_get_an_atom_nobody_sums)
{
    static const float pair[2][2] = {{100, 300}, {25, 50}};
    struct band_set b;
    struct burst_error e;
    CHECK_INT(band_set_parse(pair, 2, &b, &e), BURST_OK);
    CHECK_INT(b.n_atom, 3);
    CHECK_INT(b.first[0], 2);
    CHECK_INT(b.last[0], 3);
    CHECK_INT(b.first[1], 0);
    CHECK_INT(b.last[1], 1);
}

TEST(bad_band_lists_are_refused_by_name)
{
    static const float falling[1][2] = {{50, 25}}, empty[1][2] = {{50, 50}}, nan[1][2] = {{NAN, 25}};
    static const float negative[1][2] = {{-1, 25}};
    static const float many[5][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}}; /* ten edges, nine atoms */
    static const float eight[5][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {8, 9}}; /* nine edges, eight atoms */
    struct band_set b, before;
    struct burst_error e;
    band_set_default(&b);
    before = b;
    CHECK_REFUSED(band_set_parse(falling, 1, &b, &e), BURST_E_RANGE, e, "[50, 25]");
    CHECK_REFUSED(band_set_parse(empty, 1, &b, &e), BURST_E_RANGE, e, "[50, 50]");
    CHECK_REFUSED(band_set_parse(nan, 1, &b, &e), BURST_E_RANGE, e, "band 1");
    CHECK_REFUSED(band_set_parse(negative, 1, &b, &e), BURST_E_RANGE, e, "-1");
    CHECK_REFUSED(band_set_parse(falling, 0, &b, &e), BURST_E_SHAPE, e, "0 energy bands");
    CHECK_REFUSED(band_set_parse(falling, BAND_MAX + 1, &b, &e), BURST_E_SHAPE, e, "17");
    CHECK_REFUSED(band_set_parse(many, 5, &b, &e), BURST_E_LIMIT, e, "8 atoms");
    CHECK(band_set_equal(&b, &before));
    CHECK_INT(band_set_parse(eight, 5, &b, &e), BURST_OK);
    CHECK_INT(b.n_atom, 8);
}

TEST(sets_differ_by_edge_order_or_number)
{
    static const float ab[2][2] = {{25, 50}, {50, 100}}, ba[2][2] = {{50, 100}, {25, 50}},
                       ac[2][2] = {{25, 50}, {50, 99}};
    struct band_set x, y;
    CHECK_INT(band_set_parse(ab, 2, &x, NULL), BURST_OK);
    CHECK_INT(band_set_parse(ab, 2, &y, NULL), BURST_OK);
    CHECK(band_set_equal(&x, &y));
    CHECK_INT(band_set_parse(ba, 2, &y, NULL), BURST_OK);
    CHECK(!band_set_equal(&x, &y));
    CHECK_INT(band_set_parse(ac, 2, &y, NULL), BURST_OK);
    CHECK(!band_set_equal(&x, &y));
    band_set_default(&y);
    CHECK(!band_set_equal(&x, &y));
}

TEST(a_channel_belongs_to_the_atom_of_its_geometric_mean_half_open)
{
    /* Geometric means: 24.98, 25 exactly, 49.9, 50 exactly, 899.97, 900 exactly, 0. */
    static const float lo[7] = {24, 12.5F, 49.8F, 25, 899, 450, 0}, hi[7] = {26, 50, 50, 100, 900.9F, 1800, 10};
    static const int8_t want[7] = {BAND_NO_ATOM, 0, 0, 1, 4, BAND_NO_ATOM, BAND_NO_ATOM};
    struct band_set b;
    int8_t atom[7];
    band_set_default(&b);
    CHECK_INT(band_channel_atoms(&b, 7, lo, hi, atom, NULL), BURST_OK);
    for (int i = 0; i < 7; i++)
        CHECK_SAY(atom[i] == want[i], "channel %d in atom %d, not %d", i, atom[i], want[i]);
}

TEST(channels_with_impossible_bounds_are_refused)
{
    static const float lo[2] = {10, 30}, hi[2] = {20, 25}, bad[2] = {20, INFINITY};
    struct band_set b;
    struct burst_error e;
    int8_t atom[2] = {7, 7};
    band_set_default(&b);
    CHECK_REFUSED(band_channel_atoms(&b, 2, lo, hi, atom, &e), BURST_E_RANGE, e, "channel 1");
    CHECK_REFUSED(band_channel_atoms(&b, 2, lo, bad, atom, &e), BURST_E_RANGE, e, "inf");
    CHECK_INT(atom[0], 7);
}

TEST(the_total_holds_every_energy)
{
    struct band_set total;
    static const float low[3] = {0, 2, 9000}, high[3] = {1, 10000, 3e30F};
    int8_t atom[3];
    band_set_total(&total);
    CHECK_INT(total.n_band, 1);
    CHECK_INT(total.last[0], 1);
    CHECK_INT(band_channel_atoms(&total, 3, low, high, atom, NULL), BURST_OK);
    CHECK(atom[0] == 0 && atom[1] == 0 && atom[2] == 0);
}

int main(void)
{
    RUN(the_total_holds_every_energy);
    RUN(the_default_is_the_papers_nine_bands_over_five_atoms);
    RUN(bands_with_a_hole_between_get_an_atom_nobody_sums);
    RUN(bad_band_lists_are_refused_by_name);
    RUN(sets_differ_by_edge_order_or_number);
    RUN(a_channel_belongs_to_the_atom_of_its_geometric_mean_half_open);
    RUN(channels_with_impossible_bounds_are_refused);
    return check_report();
}
