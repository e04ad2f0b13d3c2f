/* What comes with a window besides its counts, and where it ends in a verdict: quality, charged particles, lateness. */
#include "check.h"
#include "decide/tracker.h"
#include "unit/decide/synthetic.h"

enum { T0 = 10000 };
static struct lightcurve_window *window;
static struct verdict told[TRACKER_VERDICTS];
static struct book book;

static double nothing(int64_t k, int detector)
{
    (void)k;
    (void)detector;
    return 0;
}

static double alike(int64_t k, int detector)
{
    (void)detector;
    return k >= T0 && k < T0 + 150 ? 40 : 0;
}

static struct synthetic scene(struct source source, int n_detector, double (*excess)(int64_t, int))
{
    return (struct synthetic){.source = source,
                              .n_detector = n_detector,
                              .background = {12, 6.5, 8, 2.6, 1.9},
                              .excess = excess,
                              .first_k = INT64_MIN};
}

static struct tracker *fresh(struct source source)
{
    struct decide_settings s = decide_defaults();
    struct tracker *t = NULL;
    memset(&book, 0, sizeof book);
    CHECK_INT(tracker_new(source, &s, &book, &t, NULL), BURST_OK);
    return t;
}

/* Every detector gives the same logit for the window that ends at k_end; its counts are made by the caller. */
static int feed(struct tracker *t, double logit)
{
    struct window_score score = {.window = window, .n_score = window->n_detector, .logit = logit};
    int n = -1;
    score.model = (struct model_tag){.name = "light-curve", .version = "1", .temperature = 1};
    score.p = 1 / (1 + exp(-logit));
    for (int i = 0; i < window->n_detector; i++)
        score.score[i] = (struct detector_score){i, logit, score.p};
    CHECK_INT(tracker_window(t, &score, told, &n, NULL), BURST_OK);
    return n;
}

static const struct source GECAM = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD};

TEST(what_is_odd_about_a_detectors_events_is_in_its_evidence)
{
    struct synthetic s = scene(GECAM, 4, nothing);
    struct tracker *t = fresh(GECAM);
    synthetic_window(&s, T0, window);
    window->quality[2] = EVENT_FAST | EVENT_DEAD_TIME;
    CHECK_INT(feed(t, 1), 1);
    CHECK_INT(told[0].evidence[1].quality, 0);
    CHECK_STR(EVIDENCE_FLAG_WORD[EVIDENCE_EVENT_SHIFT], "rate_100_times_ordinary");
    CHECK_STR(EVIDENCE_FLAG_WORD[EVIDENCE_EVENT_SHIFT + 2], "dead_time_over_10_percent");
    CHECK_INT(told[0].evidence[2].quality, 1 << EVIDENCE_EVENT_SHIFT | 1 << (EVIDENCE_EVENT_SHIFT + 2));
    window->quality[2] = 0;
    tracker_free(t);
}

TEST(charged_particles_are_a_reason_where_the_call_is_not_true)
{
    struct synthetic s = scene(GECAM, 4, nothing);
    struct tracker *t = fresh(GECAM);
    synthetic_window(&s, T0, window);
    window->particle_ratio = 4.25;
    CHECK_INT(feed(t, 1), 1); /* p 0.73 */
    CHECK_INT(told[0].call, CALL_UNCLEAR);
    CHECK_INT(told[0].reason, REASON_PARTICLE);
    CHECK_NEAR(told[0].p_true, 1 / (1 + exp(-1)), 1e-9); /* it says what, not how likely */
    bool said = false;
    for (int i = 0; i < told[0].n_reason; i++)
        said =
            said || strstr(told[0].reasons[i], "4.2 times their usual rate") || strstr(told[0].reasons[i], "4.3 times");
    CHECK(said);
    tracker_free(t);
    t = fresh(GECAM);
    synthetic_window(&s, T0, window);
    window->particle_ratio = 2.9;
    CHECK_INT(feed(t, 1), 1);
    CHECK_INT(told[0].reason, REASON_LOW_CONFIDENCE);
    window->particle_ratio = 0;
    tracker_free(t);
}

TEST(an_event_found_in_late_data_is_archival)
{
    struct synthetic s = scene(GECAM, 4, nothing);
    struct tracker *t = fresh(GECAM);
    tracker_search_archive(t);
    synthetic_window(&s, T0, window);
    CHECK_INT(feed(t, 4), 1);
    CHECK_INT(told[0].tense, TENSE_ARCHIVAL);
    CHECK_INT(told[0].source.realm, REALM_LIVE);
    tracker_free(t);
    const struct source test = {REALM_TEST, MISSION_GECAM_B, INSTRUMENT_GRD};
    s = scene(test, 4, nothing);
    t = fresh(test);
    tracker_search_archive(t);
    synthetic_window(&s, T0, window);
    CHECK_INT(feed(t, 4), 1);
    CHECK_INT(told[0].tense, TENSE_TEST); /* unreal first of all */
    tracker_free(t);
}

/* The same light curves in 12 detectors: of GECAM-C, which look to all sides, they are particles; of an instrument whose detectors look
 * one way they may well be a burst. */
TEST(detectors_that_look_the_same_way_may_see_the_same)
{
    for (int parallel = 0; parallel < 2; parallel++) {
        struct source source = {REALM_LIVE, MISSION_GECAM_C, INSTRUMENT_GRD};
        if (parallel) {
            struct source_added a;
            memset(&a, 0, sizeof a);
            (void)snprintf(a.topic, sizeof a.topic, "one-way.gam");
            a.n_detector = 12;
            a.n_open = 3;
            a.epoch_mjd_i = 59215;
            a.parallel = true;
            CHECK_INT(source_add(&a, NULL), BURST_OK);
            source = (struct source){REALM_LIVE, MISSION_ADDED, INSTRUMENT_ADDED};
        }
        struct synthetic s = scene(source, 12, alike);
        struct tracker *t = fresh(source);
        int n = 0;
        for (int64_t k = T0 + 16; k <= T0 + 400 && !n; k += 16) {
            synthetic_window(&s, k, window);
            if (k >= T0 + 200) n = feed(t, 4);
        }
        CHECK_INT(n, 1);
        CHECK_INT(told[0].call, parallel ? CALL_TRUE : CALL_UNCLEAR);
        CHECK_INT(told[0].reason, parallel ? REASON_BURST_LIKE : REASON_PARTICLE);
        tracker_free(t);
    }
}

int main(void)
{
    if (window_new(DETECTOR_MAX, &window, NULL)) return 1;
    RUN(what_is_odd_about_a_detectors_events_is_in_its_evidence);
    RUN(charged_particles_are_a_reason_where_the_call_is_not_true);
    RUN(an_event_found_in_late_data_is_archival);
    RUN(detectors_that_look_the_same_way_may_see_the_same);
    window_free(window);
    return check_report();
}
