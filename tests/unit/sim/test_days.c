/* Days in orbit: determinism, levels, what happens how often, injected S/N, refusals. */
#include "check.h"
#include "sim/days.h"
#include <stdlib.h>

/* Nothing but background, trends and outages. */
static struct day_settings quiet(const char *mission)
{
    struct day_settings set = {.seed = 1, .n_detector = 1, .bursts = DAY_BURSTS_NONE};
    struct burst_error e;
    CHECK_SAY(spacecraft_read(BURST_SOURCE_DIR "/config/geometry", mission, &set.craft, &e) == BURST_OK, "%s", e.text);
    return set;
}

static struct day *draw(const struct day_settings *set, uint64_t index)
{
    struct day *d = NULL;
    struct burst_error e;
    CHECK_SAY(day_new(set, index, &d, &e) == BURST_OK, "%s", e.text);
    return d;
}

static int count(const struct day *d, const char *what)
{
    int n = 0;
    for (int i = 0; i < d->n_item; i++)
        n += strcmp(d->item[i].what, what) == 0;
    return n;
}

TEST(a_day_is_the_same_whenever_it_is_drawn)
{
    struct day_settings set = quiet("gecam-b");
    set.rate = 1.0;
    set.bursts = DAY_BURSTS_REAL;
    struct day *a = draw(&set, 3), *b = draw(&set, 3), *other = CHECK_SANITIZED ? NULL : draw(&set, 2);
    CHECK(memcmp(a->counts, b->counts, (size_t)SIM_ATOM * DAY_BIN * sizeof *a->counts) == 0);
    CHECK(!other || memcmp(a->counts, other->counts, (size_t)SIM_ATOM * DAY_BIN * sizeof *a->counts) != 0);
    CHECK_INT(a->n_item, b->n_item);
    for (int i = 1; i < a->n_item; i++)
        CHECK(a->item[i].start_s >= a->item[i - 1].start_s);
    day_free(a);
    day_free(b);
    day_free(other);
}

/* science.md A.5: 12, 6.5, 8, 2.6, 1.9 counts per 64 ms; +-20 % for the detector, and the orbit. */
TEST(a_quiet_day_has_the_missions_levels_and_no_data_in_outages)
{
    static const double WANT[SIM_ATOM] = {12.0, 6.5, 8.0, 2.6, 1.9};
    struct day_settings set = quiet("gecam-b");
    struct day *d = draw(&set, 0);
    size_t live = 0, in_outage = 0;
    for (size_t i = 0; i < DAY_BIN; i++)
        live += d->valid[i];
    CHECK_NEAR((double)live / DAY_BIN, 0.93, 0.03); /* 7 passes of 14 minutes on average */
    for (int a = 0; a < SIM_ATOM; a++) {
        double sum = 0.0;
        for (size_t i = 0; i < DAY_BIN; i++)
            sum += d->counts[(size_t)a * DAY_BIN + i];
        CHECK_NEAR(sum / (double)live / WANT[a], 1.0, 0.35);
    }
    for (size_t i = 0; i < DAY_BIN; i++)
        in_outage += !d->valid[i] && d->counts[i] > 0;
    CHECK_INT(in_outage, 0);
    CHECK(count(d, "outage") >= 6 && count(d, "outage") <= 9);
    CHECK_INT(count(d, "ramp"), 2 * count(d, "outage"));
    CHECK_INT(count(d, "burst"), 0);
    CHECK_INT(count(d, "hump"), 0);
    day_free(d);
}

TEST(families_come_as_often_as_told)
{
    struct day_settings set = quiet("gecam-b");
    set.rate = 4.0;
    struct day *d = draw(&set, 1);
    CHECK_NEAR(count(d, "step"), 1.5 * 360, 5 * sqrt(600.0)); /* 90 a day (family.c); what sets first also comes back */
    CHECK_NEAR(count(d, "flicker"), 64, 5 * sqrt(64.0));
    CHECK_NEAR(count(d, "spike"), 3.2, 5 * sqrt(3.2)); /* 20 a day for 25 detectors */
    day_free(d);
}

/* The S/N told is the expected one; the counts at the peak must show it: 8 s windows at least, over a straight background. */
TEST(an_injected_burst_is_in_the_counts_at_its_place)
{
    struct day_settings set = quiet("gecam-b");
    set.bursts = DAY_BURSTS_INJECT;
    set.snr_low = 60.0;
    set.snr_high = 61.0;
    set.every_s = 2000.0;
    struct day *d = draw(&set, 0);
    int seen = 0, n = 0;
    for (int i = 0; i < d->n_item; i++) {
        const struct day_item *t = &d->item[i];
        if (strcmp(t->what, "burst") != 0 || t->snr <= 0.0) continue;
        CHECK_NEAR(t->snr, 60.5, 0.6);
        CHECK(t->onset_s <= t->peak_s && t->peak_s - t->onset_s < t->stop_s - t->start_s + 5.0);
        double best = 0.0;
        size_t from = (size_t)(t->onset_s / 0.064), to = (size_t)(t->stop_s / 0.064);
        for (size_t length = 1; length <= 128; length *= 2)
            for (size_t at = from; at + length < to && at + length < DAY_BIN; at++) {
                double sum = 0.0;
                for (size_t j = at; j < at + length; j++)
                    for (size_t a = 0; a < SIM_ATOM; a++)
                        sum += d->counts[a * DAY_BIN + j];
                best = fmax(best, (sum - 31.0 * (double)length) / sqrt(31.0 * (double)length));
            }
        n++;
        seen += best > 40.0 && best < 110.0;
    }
    CHECK(n >= 25);
    CHECK_INT(seen, n);
    day_free(d);
}

TEST(three_detectors_look_the_same_way_and_see_the_same_burst)
{
    struct day_settings set = quiet("gecam-b");
    set.n_detector = 3;
    set.bursts = DAY_BURSTS_INJECT;
    set.snr_low = set.snr_high = 200.0;
    set.every_s = 20000.0;
    int detector[3];
    for (int m = 0; m < 2; m++) {
        struct spacecraft craft = quiet(m ? "fermi-gbm" : "gecam-b").craft;
        day_detectors(&craft, 3, detector);
        for (int k = 1; k < 3; k++)
            CHECK(geometry_cosine(craft.detector[detector[0]].axis, craft.detector[detector[k]].axis) > 0.5);
    }
    struct day *d = draw(&set, 0);
    for (int i = 0; i < d->n_item; i++) {
        const struct day_item *t = &d->item[i];
        if (strcmp(t->what, "burst") != 0 || t->peak_s < 100.0) continue;
        int risen = 0;
        for (size_t k = 0; k < 3; k++) {
            double before = 0.0, peak = 0.0;
            for (size_t a = 0; a < SIM_ATOM; a++)
                for (size_t j = 0; j < 16; j++) {
                    const uint16_t *row = d->counts + (k * SIM_ATOM + a) * DAY_BIN;
                    peak += row[(size_t)(t->peak_s / 0.064) + j - 8];
                    before += row[(size_t)((t->start_s - 20.0) / 0.064) + j];
                }
            risen += peak > before + 5.0 * sqrt(before);
        }
        CHECK_SAY(risen >= 2, "burst at %g s: %d detectors", t->peak_s, risen); /* one in ten is in the shadow */
    }
    day_free(d);
}

TEST(settings_out_of_range_are_refused)
{
    struct day *d = NULL;
    struct burst_error e;
    struct day_settings set = quiet("gecam-b");
    set.n_detector = 2;
    CHECK_REFUSED(day_new(&set, 0, &d, &e), BURST_E_RANGE, e, "2 detectors");
    set.n_detector = 3;
    set.craft.n_search = 2;
    CHECK_REFUSED(day_new(&set, 0, &d, &e), BURST_E_RANGE, e, "gecam-b has 2");
    set = quiet("gecam-b");
    set.rate = -1.0;
    CHECK_REFUSED(day_new(&set, 0, &d, &e), BURST_E_RANGE, e, "-1 times");
    set = quiet("gecam-b");
    set.bursts = DAY_BURSTS_INJECT;
    set.snr_low = 5.0;
    set.snr_high = 4.0;
    set.every_s = 400.0;
    CHECK_REFUSED(day_new(&set, 0, &d, &e), BURST_E_RANGE, e, "S/N 5 to 4");
    set.snr_high = 8.0;
    set.every_s = 10.0;
    CHECK_REFUSED(day_new(&set, 0, &d, &e), BURST_E_RANGE, e, "every 10 s");
    CHECK(d == NULL);
    day_free(NULL);
}

int main(void)
{
    RUN(a_day_is_the_same_whenever_it_is_drawn);
    RUN(a_quiet_day_has_the_missions_levels_and_no_data_in_outages);
    RUN(families_come_as_often_as_told);
    RUN(an_injected_burst_is_in_the_counts_at_its_place);
    RUN(three_detectors_look_the_same_way_and_see_the_same_burst);
    RUN(settings_out_of_range_are_refused);
    return check_report();
}
