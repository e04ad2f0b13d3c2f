/* The rules of protocol.md 6 "When", on synthetic windows and scores stated by hand. */
#include "check.h"
#include "decide/tracker.h"
#include "unit/decide/synthetic.h"

enum { T0 = 10000, N_DETECTOR = 25 };
static struct lightcurve_window *window;
static struct verdict told[TRACKER_VERDICTS];
static struct book book;

/* Detectors see R(theta) = cos-like weights, or all the same. */
static double directional(int64_t k, int detector)
{
    double weight = detector < 8 ? 1.0 - 0.1 * detector : 0.1;
    return k >= T0 && k < T0 + 150 ? 40 * weight : 0;
}

static double hump(int64_t k, int detector)
{
    double x = (double)(k - T0 - 300) / 150;
    (void)detector;
    return 25 * exp(-0.5 * x * x);
}

/* Seen by every detector, but by no means alike: neither the angular test nor a direction explains it. */
static double uneven(int64_t k, int detector)
{
    return directional(k, 0) * (detector % 2 ? 1.0 : 0.4);
}

static double nothing(int64_t k, int detector)
{
    (void)k;
    (void)detector;
    return 0;
}

static struct synthetic scene(double (*excess)(int64_t, int))
{
    return (struct synthetic){.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD},
                              .n_detector = N_DETECTOR,
                              .background = {12, 6.5, 8, 2.6, 1.9},
                              .excess = excess,
                              .first_k = INT64_MIN};
}

static struct tracker *fresh(void)
{
    struct decide_settings s = decide_defaults();
    struct tracker *t = NULL;
    memset(&book, 0, sizeof book);
    CHECK_INT(tracker_new((struct source){REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}, &s, &book, &t, NULL), BURST_OK);
    return t;
}

/* Feed the window that ends at k_end, with `n_high` detectors at logit `high` and the others at `low`. */
static int feed(struct tracker *t, const struct synthetic *s, int64_t k_end, int n_high, double high, double low)
{
    struct window_score score = {.window = window, .n_score = s->n_detector};
    int n = -1;
    synthetic_window(s, k_end, window);
    score.model = (struct model_tag){.name = "light-curve", .version = "1", .temperature = 1};
    for (int i = 0; i < s->n_detector; i++) {
        score.score[i].detector = i;
        score.score[i].logit = i < n_high ? high : low;
        score.score[i].p = 1 / (1 + exp(-score.score[i].logit));
    }
    int top = s->n_detector < 3 ? s->n_detector : 3;
    for (int i = 0; i < top; i++)
        score.logit += score.score[i].logit / top;
    score.p = 1 / (1 + exp(-score.logit));
    CHECK_INT(tracker_window(t, &score, told, &n, NULL), BURST_OK);
    return n;
}

static double seconds(int64_t ns)
{
    return (double)(ns - SYNTHETIC_EPOCH_NS) * 1e-9;
}

TEST(a_burst_opens_once_stays_true_and_closes_after_quiet)
{
    struct synthetic s = scene(directional);
    struct tracker *t = fresh();
    int64_t k = 10000;
    CHECK_INT(feed(t, &s, k, 0, 0, -4), 0);
    CHECK(tracker_idle(t) && !tracker_evidence_window(t));
    CHECK_INT(feed(t, &s, k += 16, 8, 4, -4), 1);
    CHECK_INT(told[0].record_number, 1);
    CHECK_INT(told[0].type, ALERT_INITIAL);
    CHECK_INT(told[0].call, CALL_TRUE);
    CHECK_INT(told[0].state, STATE_OPEN);
    CHECK_INT(told[0].reason, REASON_BURST_LIKE);
    CHECK_INT(told[0].action, ACTION_FOLLOW_UP);
    CHECK_NEAR(seconds(told[0].trigger_ns), 640.0, 0.2);
    CHECK_INT(strncmp(told[0].id, "GECAM-B-GRD-20190101T000930", 27), 0); /* 640 s TT are 570.8 s UTC */
    CHECK_INT(told[0].n_evidence, N_DETECTOR);
    CHECK_STR(told[0].evidence[0].name, "g01");
    char id[EVENT_ID_TEXT];
    memcpy(id, told[0].id, sizeof id);
    int64_t trigger_ns = told[0].trigger_ns;
    while (k < 11872) /* 117 s of windows that hold the burst: no revision */
        CHECK_INT(feed(t, &s, k += 16, 8, 4, -4), 0);
    int64_t last = k;
    int n = 0;
    while (n == 0 && k < last + 400)
        n = feed(t, &s, k += 16, 0, 0, -4);
    CHECK_INT(k - last, 320); /* 20 s: the first multiple of 16 bins at or over 312.5 */
    CHECK_INT(told[0].record_number, 2);
    CHECK_INT(told[0].type, ALERT_UPDATE);
    CHECK_INT(told[0].call, CALL_TRUE);
    CHECK_INT(told[0].state, STATE_OPEN);
    CHECK(told[0].closed);
    CHECK_STR(told[0].id, id);
    CHECK_INT(told[0].trigger_ns, trigger_ns);
    CHECK_NEAR(told[0].evidence[0].t90_s, 0.9 * 9.6, 0.8);
    CHECK_NEAR(told[0].evidence[0].hardness, 4 / 3.0, 0.25);
    CHECK(told[0].evidence[0].snr > told[0].evidence[7].snr && told[0].evidence[7].snr > 8);
    CHECK(!tracker_idle(t));
    while (!tracker_idle(t) && k < last + 4000)
        CHECK_INT(feed(t, &s, k += 16, 0, 0, -4), 0);
    CHECK_INT(k - last, 2816); /* 120 s + 60 s: 2812.5 bins */
    tracker_free(t);
}

TEST(fewer_votes_than_needed_open_nothing)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    CHECK_INT(feed(t, &s, 10000, 2, 9, -4), 0);
    CHECK_INT(feed(t, &s, 10016, 3, 0, -4), 0); /* p 0.5 is not above 0.5 */
    CHECK_INT(feed(t, &s, 10032, 3, 0.01, -4), 1);
    tracker_free(t);
}

TEST(with_fewer_detectors_than_votes_all_must_agree)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    s.n_detector = 2;
    CHECK_INT(feed(t, &s, 10000, 1, 9, -4), 0);
    CHECK_INT(feed(t, &s, 10016, 2, 9, -4), 1);
    tracker_free(t);
    t = fresh();
    s.n_detector = 1;
    CHECK_INT(feed(t, &s, 10000, 1, 9, -4), 1);
    tracker_free(t);
}

TEST(a_search_never_opens_with_false)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    CHECK_INT(feed(t, &s, 10000, 3, 1, -4), 1); /* p 0.73 */
    CHECK_INT(told[0].call, CALL_UNCLEAR);
    CHECK_INT(told[0].reason, REASON_LOW_CONFIDENCE);
    CHECK_INT(told[0].action, ACTION_REVIEW);
    tracker_free(t);
}

TEST(a_lucky_window_sinks_to_false_and_expires)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    int64_t k = 10000;
    CHECK_INT(feed(t, &s, k, 3, 1, -4), 1);
    for (int i = 0; i < 4; i++) /* under 5 s: no revision yet */
        CHECK_INT(feed(t, &s, k += 16, 0, 0, -4), 0);
    CHECK_INT(feed(t, &s, k += 16, 0, 0, -4), 1); /* 5.12 s; best four: 1 and three times -4 */
    CHECK_INT(told[0].call, CALL_FALSE);
    CHECK_INT(told[0].type, ALERT_UPDATE);
    CHECK_INT(told[0].state, STATE_OPEN);
    CHECK_INT(told[0].reason, REASON_NOISE);
    CHECK_INT(told[0].action, ACTION_CANCEL);
    CHECK_NEAR(told[0].p_true, 1 / (1 + exp(11.0 / 4)), 1e-12);
    int n = 0;
    while (n == 0 && k < 10400)
        n = feed(t, &s, k += 16, 0, 0, -4);
    CHECK_INT(k, 10320);
    CHECK_INT(told[0].state, STATE_EXPIRED);
    CHECK(told[0].closed);
    CHECK_INT(told[0].record_number, 3);
    tracker_free(t);
}

TEST(a_true_one_that_sinks_is_retracted_and_stays_so)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    int64_t k = 10000;
    CHECK_INT(feed(t, &s, k, 3, 2, -4), 1); /* p 0.88 */
    CHECK_INT(told[0].call, CALL_TRUE);
    int n = 0;
    while (n == 0)
        n = feed(t, &s, k += 16, 0, 0, -4);
    CHECK_INT(told[0].type, ALERT_RETRACTION);
    CHECK_INT(told[0].state, STATE_RETRACTED);
    CHECK_INT(told[0].call, CALL_FALSE);
    CHECK(told[0].closed);
    CHECK(strstr(told[0].reasons[0], "Record 1 said true"));
    for (int i = 0; i < 40; i++)
        CHECK_INT(feed(t, &s, k += 16, 5, 9, -4), 0);
    tracker_flush(t, told, &n);
    CHECK_INT(n, 0);
    CHECK(tracker_idle(t));
    tracker_free(t);
}

TEST(calls_are_left_only_beyond_the_hysteresis)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    int64_t k = 10000;
    CHECK_INT(feed(t, &s, k, 3, log(0.80 / 0.20) + 1e-9, -4), 1);
    CHECK_INT(told[0].call, CALL_TRUE); /* inclusive */
    for (int i = 0; i < 20; i++)        /* p 0.76 in every later window: over 0.75 */
        CHECK_INT(feed(t, &s, k += 16, 3, log(0.76 / 0.24), -4), 0);
    tracker_free(t);
    t = fresh();
    CHECK_INT(feed(t, &s, k = 10000, 3, log(0.81 / 0.19), -4), 1);
    int n = 0;
    while (n == 0 && k < 12000)
        n = feed(t, &s, k += 16, 3, log(0.72 / 0.28), -4);
    CHECK_INT(told[0].call, CALL_UNCLEAR);
    CHECK_INT(told[0].type, ALERT_UPDATE);
    CHECK(told[0].p_true < 0.75);
    tracker_free(t);
}

TEST(windows_less_than_a_minute_apart_are_one_event)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    char id[EVENT_ID_TEXT];
    CHECK_INT(feed(t, &s, 10000, 3, 4, -4), 1);
    memcpy(id, told[0].id, sizeof id);
    /* The next window begins 59.9 s after the first one's end: the same event, though 180 s of windows are missing. */
    CHECK_INT(feed(t, &s, 10000 + WINDOW_BINS + 933, 3, 4, -4), 0);
    /* This one begins 60.03 s after: the old event closes, a new one opens. */
    CHECK_INT(feed(t, &s, 10000 + 2 * WINDOW_BINS + 933 + 938, 3, 4, -4), 2);
    CHECK_STR(told[0].id, id);
    CHECK(told[0].closed);
    CHECK_INT(told[0].record_number, 2);
    CHECK_INT(told[1].record_number, 1);
    CHECK(strcmp(told[1].id, id) != 0);
    tracker_free(t);
}

TEST(a_closed_event_that_comes_back_goes_on_under_its_id)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    char id[EVENT_ID_TEXT];
    int64_t k = 10000;
    CHECK_INT(feed(t, &s, k, 3, 4, -4), 1);
    memcpy(id, told[0].id, sizeof id);
    for (int i = 0; i < 7; i++)
        (void)feed(t, &s, k += 16, 3, 4, -4);
    int n = 0;
    while (n == 0)
        n = feed(t, &s, k += 16, 0, 0, -4);
    CHECK(told[0].closed);
    for (int i = 0; i < 30; i++)
        CHECK_INT(feed(t, &s, k += 16, 0, 0, -4), 0);
    CHECK_INT(feed(t, &s, k += 16, 3, 4, -4), 0); /* nothing changed */
    n = 0;
    while (n == 0 && k < 12000)
        n = feed(t, &s, k += 16, 0, 0, -4);
    CHECK_INT(n, 1);
    CHECK_STR(told[0].id, id);
    CHECK_INT(told[0].record_number, 3);
    CHECK(told[0].closed);
    tracker_free(t);
}

TEST(what_all_detectors_see_alike_is_unclear_then_false_as_particles)
{
    struct synthetic s = scene(hump);
    struct tracker *t = fresh();
    int64_t k = T0 + 160;
    CHECK_INT(feed(t, &s, k, N_DETECTOR, 6, 6), 1);
    CHECK_INT(told[0].call, CALL_UNCLEAR);
    CHECK_INT(told[0].reason, REASON_PARTICLE);
    CHECK(told[0].p_true < 0.2);
    int n = 0;
    while (n == 0 && k < T0 + 1000)
        n = feed(t, &s, k += 16, N_DETECTOR, 6, 6);
    CHECK_INT(n, 1);
    CHECK_INT(told[0].call, CALL_FALSE);
    CHECK_INT(told[0].reason, REASON_PARTICLE);
    CHECK_INT(told[0].type, ALERT_UPDATE);
    CHECK_INT(told[0].action, ACTION_CANCEL);
    CHECK(told[0].classification[CLASS_PARTICLE] > 0.8);
    CHECK(strstr(told[0].reasons[0], "All 25 detectors rise alike"));
    tracker_free(t);
}

TEST(what_many_see_and_few_call_a_burst_is_particles)
{
    struct synthetic s = scene(uneven);
    struct tracker *t = fresh();
    int64_t k = 10160;
    CHECK_INT(feed(t, &s, k, 3, 4, -4), 1);
    CHECK_INT(told[0].call, CALL_UNCLEAR); /* three votes of 25 clear ones: mean logit -3 */
    CHECK_INT(told[0].reason, REASON_PARTICLE);
    CHECK_NEAR(told[0].p_true, 1 / (1 + exp(3.04)), 1e-6); /* (3 * 4 - 22 * 4) / 25 */
    CHECK(strstr(told[0].reasons[0], "25 detectors see the excess above 8 sigma, but only 3 of them") != NULL);
    CHECK(told[0].classification[CLASS_PARTICLE] > 0.7);
    tracker_free(t);
    t = fresh();
    CHECK_INT(feed(t, &s, k, 25, 4, -4), 1); /* the same excess, and all agree: a burst */
    CHECK_INT(told[0].call, CALL_TRUE);
    tracker_free(t);
}

TEST(the_same_windows_give_the_same_verdict_byte_for_byte)
{
    struct synthetic s = scene(directional);
    struct verdict first;
    for (int run = 0; run < 2; run++) {
        struct tracker *t = fresh();
        int n;
        for (int64_t k = 9600; k < 10400; k += 16)
            (void)feed(t, &s, k, k > T0 + 8 ? 8 : 0, 4, -4);
        tracker_flush(t, told, &n);
        CHECK_INT(n, 1);
        if (run == 0)
            first = told[0];
        else
            CHECK_INT(memcmp(&first, &told[0], sizeof first), 0);
        tracker_free(t);
    }
}

TEST(the_evidence_is_of_the_best_window)
{
    struct synthetic s = scene(directional);
    struct tracker *t = fresh();
    uint8_t sha[32];
    CHECK_INT(feed(t, &s, 10016, 8, 3, -4), 1);
    (void)feed(t, &s, 10032, 8, 5, -4);
    window_row_sha256(window, 4, sha);
    (void)feed(t, &s, 10048, 8, 4, -4);
    int n;
    tracker_flush(t, told, &n);
    CHECK_INT(n, 1);
    CHECK_INT(tracker_evidence_window(t)->k_end, 10032);
    CHECK_INT(memcmp(told[0].evidence[4].input_sha256, sha, 32), 0);
    CHECK_NEAR(told[0].evidence[0].score, 1 / (1 + exp(-5.0)), 1e-12);
    CHECK(isnan(told[0].latency_infer_s)); /* no message decided it */
    tracker_free(t);
}

TEST(silence_tells_the_closing_but_the_burst_stays_one_event)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    char id[EVENT_ID_TEXT];
    int n;
    CHECK_INT(feed(t, &s, 10016, 8, 4, -4), 1);
    memcpy(id, told[0].id, sizeof id);
    tracker_silence(t, told, &n);
    CHECK_INT(n, 1);
    CHECK(told[0].closed && told[0].record_number == 2);
    CHECK(!tracker_idle(t));
    tracker_silence(t, told, &n); /* closed already */
    CHECK_INT(n, 0);
    /* The data go on: the burst is still in the window, and the event is open again. */
    int records = 2;
    for (int64_t k = 10032; k < 11000; k += 16)
        for (n = feed(t, &s, k, k < 10200 ? 8 : 0, 4, -4); n > 0; n--) {
            CHECK_STR(told[n - 1].id, id);
            CHECK_INT(told[n - 1].record_number, ++records);
        }
    CHECK_INT(records, 3);
    CHECK(told[0].closed); /* 20 s after the last window that would have opened it */
    tracker_free(t);
}

TEST(evidence_says_what_is_wrong_with_its_data)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    int n;
    CHECK_INT(feed(t, &s, 10000, 3, 4, -4), 1);
    CHECK_INT(told[0].evidence[0].quality, 0);
    tracker_flush(t, told, &n);
    s.gap_from_k = 19900;
    s.gap_to_k = 19910;
    window->incomplete = true; /* the storage keeps it: synthetic windows do not touch it */
    CHECK_INT(feed(t, &s, 20000, 3, 4, -4), 1);
    CHECK_INT(told[0].evidence[0].quality, EVIDENCE_INCOMPLETE | EVIDENCE_SHORT);
    window->incomplete = false;
    tracker_free(t);
}

TEST(an_idle_tracker_remembers_where_it_was)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh(), *next = fresh();
    struct tracker_state state = {.k_end = 1};
    struct burst_error e;
    CHECK_INT(feed(t, &s, 10000, 0, 0, -4), 0);
    CHECK_INT(tracker_get_state(t, &state, &e), BURST_OK);
    CHECK_INT(state.k_end, 10000);
    CHECK_INT(feed(t, &s, 10016, 3, 4, -4), 1);
    CHECK_REFUSED(tracker_get_state(t, &state, &e), BURST_E_STATE, e, "GECAM-B-GRD");
    CHECK_REFUSED(tracker_set_state(t, &state, &e), BURST_E_STATE, e, "is held");
    CHECK_INT(tracker_set_state(next, &state, &e), BURST_OK);
    struct window_score score = {.window = window};
    int n = 7;
    synthetic_window(&s, 10000, window);
    CHECK_REFUSED(tracker_window(next, &score, told, &n, &e), BURST_E_TIME, e, "10000");
    CHECK_INT(n, 7);
    tracker_free(t);
    tracker_free(next);
}

TEST(windows_of_another_source_or_other_energies_are_refused)
{
    struct synthetic s = scene(nothing);
    struct tracker *t = fresh();
    struct window_score score = {.window = window};
    struct burst_error e;
    int n = 7;
    CHECK_INT(feed(t, &s, 10000, 3, 4, -4), 1);
    s.source.mission = MISSION_GECAM_A;
    synthetic_window(&s, 10016, window);
    CHECK_REFUSED(tracker_window(t, &score, told, &n, &e), BURST_E_CONFLICT, e, "gecam-b.grd");
    s.source.mission = MISSION_GECAM_B;
    s.source.realm = REALM_TEST;
    synthetic_window(&s, 10016, window);
    CHECK_REFUSED(tracker_window(t, &score, told, &n, &e), BURST_E_CONFLICT, e, "another source");
    s.source.realm = REALM_LIVE;
    synthetic_window(&s, 10016, window);
    window->bands.edge_kev[5] = 1000;
    CHECK_REFUSED(tracker_window(t, &score, told, &n, &e), BURST_E_CONFLICT, e, "other energies");
    CHECK_INT(n, 7);
    tracker_free(t);
}

TEST(impossible_trackers_are_refused)
{
    struct decide_settings s = decide_defaults();
    struct tracker *t = NULL;
    struct burst_error e;
    CHECK_REFUSED(tracker_new((struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}, &s, &book, &t, &e),
                  BURST_E_UNSUPPORTED, e, "svom.eclairs");
    s.open = 2;
    CHECK_REFUSED(tracker_new((struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_GRM}, &s, &book, &t, &e),
                  BURST_E_RANGE, e, "detect.open");
    CHECK(!t);
    tracker_free(NULL);
}

int main(void)
{
    if (window_new(N_DETECTOR, &window, NULL)) return 1;
    RUN(a_burst_opens_once_stays_true_and_closes_after_quiet);
    RUN(fewer_votes_than_needed_open_nothing);
    RUN(with_fewer_detectors_than_votes_all_must_agree);
    RUN(a_search_never_opens_with_false);
    RUN(a_lucky_window_sinks_to_false_and_expires);
    RUN(a_true_one_that_sinks_is_retracted_and_stays_so);
    RUN(calls_are_left_only_beyond_the_hysteresis);
    RUN(windows_less_than_a_minute_apart_are_one_event);
    RUN(a_closed_event_that_comes_back_goes_on_under_its_id);
    RUN(what_all_detectors_see_alike_is_unclear_then_false_as_particles);
    RUN(what_many_see_and_few_call_a_burst_is_particles);
    RUN(the_same_windows_give_the_same_verdict_byte_for_byte);
    RUN(the_evidence_is_of_the_best_window);
    RUN(silence_tells_the_closing_but_the_burst_stays_one_event);
    RUN(evidence_says_what_is_wrong_with_its_data);
    RUN(an_idle_tracker_remembers_where_it_was);
    RUN(windows_of_another_source_or_other_energies_are_refused);
    RUN(impossible_trackers_are_refused);
    window_free(window);
    return check_report();
}
