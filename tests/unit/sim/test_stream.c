/* The stream: any stretch alone, the same events in whatever pieces; rates, doubles, outages. */
#include "base/bytes.h"
#include "base/clock.h"
#include "check.h"
#include "fits/table.h"
#include "sim/stream.h"
#include <stdlib.h>

enum { ALL = 0x1FFFFFF, SECOND = STREAM_CELL_PER_S };

/* An hour of sky from 2026-01-01 on, light enough for tests. */
static struct sim_stream *sky(uint64_t seed, double rate)
{
    struct sim_stream_settings set = {.seed = seed, .duration_s = 3600.0, .every_s = 600.0, .rate = rate};
    struct sim_stream *s = NULL;
    (void)clock_parse_utc("2026-01-01T00:00:00", &set.start_tt_ns, NULL);
    (void)sim_stream_new(&set, &s, NULL);
    return s;
}

struct copy {
    uint8_t *bytes;
    size_t n, n_row;
    struct fits_file file;
};

/* A stretch with bytes of its own, through burstd's gate. */
static struct copy take(struct sim_stream *s, int64_t from, int64_t to, uint32_t detectors)
{
    struct copy c = {0};
    const uint8_t *bytes = NULL;
    struct burst_error e;
    CHECK_INT(sim_stream_chunk(s, from, to, detectors, &bytes, &c.n, &c.n_row, &e), BURST_OK);
    c.bytes = malloc(c.n + 1);
    if (c.n) memcpy(c.bytes, bytes, c.n);
    if (c.n) CHECK_INT(fits_gate(c.bytes, c.n, &c.file, &e), BURST_OK);
    return c;
}

static const struct fits_hdu *events(const struct copy *c, int detector)
{
    char name[24];
    (void)snprintf(name, sizeof name, "EVENTS%02d", detector + 1);
    const struct fits_hdu *hdu = fits_hdu_named(&c->file, name);
    CHECK(hdu != NULL);
    return hdu;
}

static size_t rows(const struct fits_hdu *hdu)
{
    return hdu->n_data / STREAM_ROW_BYTES;
}

TEST(a_stretch_is_the_same_events_however_it_is_cut)
{
    struct sim_stream *s = sky(3, 0.3), *other = sky(3, 0.3);
    struct copy whole = take(s, 100 * SECOND, 140 * SECOND, ALL);
    struct copy second = take(other, 113 * SECOND + 5, 140 * SECOND, ALL); /* the later part first, by another stream */
    struct copy first = take(other, 100 * SECOND, 113 * SECOND + 5, ALL);
    CHECK_INT(first.n_row + second.n_row, whole.n_row);
    for (int d = 0; d < 25; d++) {
        const struct fits_hdu *a = events(&first, d), *b = events(&second, d), *w = events(&whole, d);
        CHECK_INT(a->n_data + b->n_data, w->n_data);
        if (a->n_data + b->n_data != w->n_data) break;
        CHECK(memcmp(w->data, a->data, a->n_data) == 0 && memcmp(w->data + a->n_data, b->data, b->n_data) == 0);
    }
    free(whole.bytes);
    free(first.bytes);
    free(second.bytes);
    sim_stream_free(s);
    sim_stream_free(other);
}

TEST(detectors_left_out_are_placeholders_and_change_no_other)
{
    struct sim_stream *s = sky(3, 0.3);
    struct copy all = take(s, 0, 8 * SECOND, ALL), some = take(s, 0, 8 * SECOND, 1u << 4 | 1u << 24);
    for (int d = 0; d < 25; d++) {
        const struct fits_hdu *a = events(&all, d), *b = events(&some, d);
        bool in = d == 4 || d == 24;
        CHECK_INT(b->n_column, in ? 7 : 0);
        CHECK_INT(b->n_data, in ? a->n_data : 0);
        if (in && a->n_data == b->n_data) CHECK(memcmp(a->data, b->data, a->n_data) == 0);
    }
    free(all.bytes);
    free(some.bytes);
    sim_stream_free(s);
}

/* formats.md 2: 1,780 rows a second in a detector, 94.0 % of them EVT_TYPE 1. Levels scatter by 20 % per group and
 * detector; the mean over 25 detectors and the orbit's modulation leave 10 %. */
TEST(rows_come_at_the_flight_rate_and_six_of_a_hundred_are_not_normal)
{
    struct sim_stream *s = sky(5, 1.0);
    struct copy c = take(s, 200 * SECOND, 220 * SECOND, ALL);
    double rate = (double)c.n_row / 20.0 / 25.0;
    CHECK_NEAR(rate, 1780.0, 178.0);
    size_t normal = 0;
    for (int d = 0; d < 25; d++)
        for (size_t i = 0; i < rows(events(&c, d)); i++)
            normal += events(&c, d)->data[i * STREAM_ROW_BYTES + 15] == 1;
    CHECK_NEAR((double)normal / (double)c.n_row, 0.94, 0.005);
    free(c.bytes);
    sim_stream_free(s);
}

/* formats.md 2: one deposit in both gains is a later event within the first one's dead time (4 us) in the other. */
TEST(times_rise_and_what_follows_within_the_dead_time_is_the_other_gain)
{
    struct sim_stream *s = sky(5, 1.0);
    struct copy c = take(s, 64 * SECOND, 70 * SECOND, ALL);
    size_t n_pair = 0, n_wrong = 0, n_back = 0;
    for (int d = 0; d < 25; d++) {
        const uint8_t *p = events(&c, d)->data;
        for (size_t i = 1; i < rows(events(&c, d)); i++, p += STREAM_ROW_BYTES) {
            double dt = bytes_get_f64(p + STREAM_ROW_BYTES) - bytes_get_f64(p);
            n_back += dt <= 0.0;
            if (dt >= 4e-6) continue;
            n_pair++;
            n_wrong += p[10] != 0 || p[STREAM_ROW_BYTES + 10] != 1;
        }
    }
    CHECK_INT(n_back, 0);
    CHECK_INT(n_wrong, 0);
    CHECK_SAY(n_pair > c.n_row / 200 && n_pair < c.n_row / 20, "%zu of %zu rows are second ones", n_pair, c.n_row);
    free(c.bytes);
    sim_stream_free(s);
}

TEST(a_rate_of_ten_gives_ten_times_the_rows)
{
    struct sim_stream *one = sky(5, 1.0), *ten = sky(5, 10.0);
    struct copy a = take(one, 200 * SECOND, 204 * SECOND, ALL), b = take(ten, 200 * SECOND, 204 * SECOND, ALL);
    CHECK_NEAR((double)b.n_row / (double)a.n_row, 10.0, 0.8); /* dead time takes 6 % */
    free(a.bytes);
    free(b.bytes);
    sim_stream_free(one);
    sim_stream_free(ten);
}

static struct sim_stream *day(void)
{
    struct sim_stream_settings set = {.seed = 2, .duration_s = 86400.0, .every_s = 3600.0, .rate = 0.01};
    struct sim_stream *s = NULL;
    (void)clock_parse_utc("2026-01-01T00:00:00", &set.start_tt_ns, NULL);
    (void)sim_stream_new(&set, &s, NULL);
    return s;
}

TEST(seven_orbits_of_fifteen_have_an_outage_and_happenings_keep_clear_of_it)
{
    struct sim_stream *s = day();
    const struct scene *scene = sim_stream_scene(s);
    CHECK(scene->n_outage >= 6 && scene->n_outage <= 8); /* the day's ends may cut one */
    for (int i = 0; i < scene->n_outage; i++) {
        CHECK(scene->outage[i].stop_s > scene->outage[i].start_s);
        CHECK(scene->outage[i].stop_s - scene->outage[i].start_s <= 1320.0);
        CHECK(i == 0 || scene->outage[i].start_s > scene->outage[i - 1].stop_s);
        for (int k = 0; k < scene->n_item; k++)
            if (scene->item[k].burst)
                CHECK(scene->item[k].start_s < scene->outage[i].start_s - 60.0 ||
                      scene->item[k].start_s > scene->outage[i].stop_s);
    }
    sim_stream_free(s);
}

TEST(an_outage_has_no_good_time_and_no_rows)
{
    struct sim_stream *s = day();
    struct scene_outage off = sim_stream_scene(s)->outage[0];
    int64_t from = (int64_t)off.start_s * SECOND, to = (int64_t)off.stop_s * SECOND;
    struct copy inside = take(s, from, from + 4 * SECOND, ALL);
    CHECK_INT(inside.n, 0);
    struct copy over = take(s, from - 3 * SECOND, to + 2 * SECOND, ALL); /* from before it until after it */
    const struct fits_hdu *good = fits_hdu_named(&over.file, "GTI");
    CHECK_INT(good->n_data, 32);
    double start = bytes_get_f64(good->data), stop = bytes_get_f64(good->data + 8);
    double again = bytes_get_f64(good->data + 16), end = bytes_get_f64(good->data + 24);
    CHECK_NEAR(stop - start, 3.0, 1e-9);
    CHECK_NEAR(end - again, 2.0, 1e-9);
    CHECK_NEAR(again - stop, off.stop_s - off.start_s, 1e-9);
    for (int d = 0; d < 25; d++)
        for (size_t i = 0; i < rows(events(&over, d)); i++) {
            double t = bytes_get_f64(events(&over, d)->data + i * STREAM_ROW_BYTES);
            CHECK((t >= start && t < stop) || (t >= again && t < end));
        }
    free(inside.bytes);
    free(over.bytes);
    sim_stream_free(s);
}

TEST(what_is_outside_the_scene_is_refused)
{
    struct sim_stream *s = sky(1, 0.1);
    const uint8_t *bytes = NULL;
    size_t n = 7, n_row = 7;
    struct burst_error e;
    CHECK_REFUSED(sim_stream_chunk(s, 5, 5, ALL, &bytes, &n, &n_row, &e), BURST_E_RANGE, e, "cells 5 to 5");
    CHECK_REFUSED(sim_stream_chunk(s, -1, 5, ALL, &bytes, &n, &n_row, &e), BURST_E_RANGE, e, "cells -1");
    CHECK_REFUSED(sim_stream_chunk(s, 0, 3600 * SECOND + 1, ALL, &bytes, &n, &n_row, &e), BURST_E_RANGE, e, "57601");
    CHECK(bytes == NULL && n == 7 && n_row == 7);
    sim_stream_free(s);
    sim_stream_free(NULL);
}

TEST(settings_out_of_range_are_refused)
{
    struct sim_stream_settings set = {.seed = 1, .duration_s = 3600.0, .every_s = 600.0, .rate = 1.0}, wrong = set;
    struct sim_stream *s = NULL;
    struct burst_error e;
    CHECK_REFUSED(sim_stream_new(&set, &s, &e), BURST_E_TIME, e, "mission elapsed time"); /* TT 0 is before the epoch */
    (void)clock_parse_utc("2026-01-01T00:00:00", &set.start_tt_ns, NULL);
    wrong = set;
    wrong.start_tt_ns++;
    CHECK_REFUSED(sim_stream_new(&wrong, &s, &e), BURST_E_TIME, e, "whole second");
    wrong = set;
    wrong.every_s = 60.0;
    CHECK_REFUSED(sim_stream_new(&wrong, &s, &e), BURST_E_RANGE, e, "every 60 s");
    wrong = set;
    wrong.rate = 0.0;
    CHECK_REFUSED(sim_stream_new(&wrong, &s, &e), BURST_E_RANGE, e, "rates");
    wrong = set;
    wrong.duration_s = 1.0;
    CHECK_REFUSED(sim_stream_new(&wrong, &s, &e), BURST_E_RANGE, e, "1 s");
    CHECK(s == NULL);
}

int main(void)
{
    RUN(a_stretch_is_the_same_events_however_it_is_cut);
    RUN(detectors_left_out_are_placeholders_and_change_no_other);
    RUN(rows_come_at_the_flight_rate_and_six_of_a_hundred_are_not_normal);
    RUN(times_rise_and_what_follows_within_the_dead_time_is_the_other_gain);
    RUN(a_rate_of_ten_gives_ten_times_the_rows);
    RUN(seven_orbits_of_fifteen_have_an_outage_and_happenings_keep_clear_of_it);
    RUN(an_outage_has_no_good_time_and_no_rows);
    RUN(what_is_outside_the_scene_is_refused);
    RUN(settings_out_of_range_are_refused);
    return check_report();
}
