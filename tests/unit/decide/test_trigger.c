/* Triggers and light curves: docs/decisions/0007, on synthetic windows and notices made by hand. */
#include "unit/decide/trigger_scene.h"

TEST(a_trigger_waits_for_its_first_window_and_closes_after_the_last)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER - 160;
    sky.excess = burst_excess;
    CHECK_INT(feed(t, k, 0, 0), 0);
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK_STR(last.id, "GB-1");
    CHECK_INT(last.record_number, 1);
    CHECK_INT(last.type, ALERT_INITIAL);
    CHECK_INT(last.call, CALL_NONE);
    CHECK_INT(last.await, AWAIT_EVENTS);
    CHECK_INT(last.expected_ns - T_TRIGGER, 600 * SECOND_NS);
    CHECK_INT(last.state, STATE_OPEN);
    CHECK_INT(last.action, ACTION_NONE);
    CHECK(isnan(last.p_true) && last.n_model == 0 && last.n_evidence == 0);
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 15, 0, 0), 0); /* not one whole stride after the trigger */
    CHECK_INT(feed(t, k += 16, 8, 4), 1);
    CHECK_INT(k, K_TRIGGER + 16);
    CHECK_STR(last.id, "GB-1");
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.type, ALERT_UPDATE);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.await, AWAIT_NOTHING);
    CHECK_INT(last.expected_ns, 0);
    CHECK_INT(last.trigger_ns, T_TRIGGER);
    CHECK_INT(last.n_evidence, N_DETECTOR);
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 1562, 8, 4), 0); /* T0+100 s */
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 1874, 0, 0), 0);
    CHECK_INT(feed(t, k += 16, 0, 0), 1); /* 20 s of quiet after it */
    CHECK_INT(k, K_TRIGGER + 1888);
    CHECK(last.closed && last.call == CALL_TRUE && last.state == STATE_OPEN);
    CHECK_INT(last.record_number, 3);
    tracker_free(t);
}

TEST(a_trigger_may_be_called_false_at_once_and_true_when_more_of_the_burst_comes)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER;
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(feed(t, k += 16, 0, 0), 1);
    CHECK_INT(last.call, CALL_FALSE);
    CHECK_INT(last.type, ALERT_UPDATE);
    CHECK_INT(last.state, STATE_OPEN);
    CHECK_INT(last.reason, REASON_NOISE);
    CHECK_INT(last.action, ACTION_CANCEL);
    CHECK_INT(last.trigger_refined_ns, 0);              /* noise has no onset */
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 80, 8, 5), 0); /* revisions are 5 s apart */
    CHECK_INT(feed(t, k += 16, 8, 5), 1);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.record_number, 3);
    tracker_free(t);
}

TEST(a_false_trigger_expires)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER;
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 2000, 0, 0), 2);
    CHECK_INT(last.state, STATE_EXPIRED);
    CHECK(last.closed);
    CHECK_INT(last.record_number, 3);
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 6000, 0, 0), 0);
    CHECK(tracker_idle(t));
    tracker_free(t);
}

TEST(a_notice_a_minute_late_is_answered_by_the_windows_judged_before_it)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER - 16;
    sky.excess = burst_excess;
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 900, 2, 3), 0); /* two votes open nothing; mean logit 2/3 */
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK_INT(last.record_number, 1);
    CHECK_INT(last.type, ALERT_INITIAL);
    CHECK_INT(last.call, CALL_UNCLEAR);
    CHECK_NEAR(last.p_true, 1 / (1 + exp(-2.0 / 3)), 1e-12);
    CHECK_INT(last.reason, REASON_LOW_CONFIDENCE);
    CHECK(strstr(last.reasons[0], "56 windows with the trigger had been judged") != NULL); /* 16, 32 ... 896 */
    CHECK(strstr(last.reasons[0], "2 of 25 detectors") != NULL);
    CHECK(!last.closed && last.n_model == 1 && last.n_evidence == 0);
    CHECK_INT(feed(t, k += 16, 8, 9), 0); /* 5 s have to pass */
    CHECK_INT(feed_to(t, &k, k + 64, 8, 9), 1);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.n_evidence, N_DETECTOR);
    tracker_free(t);
}

TEST(a_notice_an_hour_late_is_answered_and_closed)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER - 16;
    CHECK_INT(feed(t, k += STRIDE_BINS, 0, 0), 0);
    while (k + STRIDE_BINS <= K_TRIGGER + 56250) { /* scores are remembered, not counts: the same ones do for an hour */
        window->k_end = k += STRIDE_BINS;
        CHECK_INT(judge(t, 0, 0), 0);
    }
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK_INT(last.call, CALL_FALSE);
    CHECK_INT(last.state, STATE_EXPIRED);
    CHECK(last.closed);
    CHECK_INT(feed_to(t, &k, k + 3000, 0, 0), 0);
    CHECK(tracker_idle(t));
    /* Two hours are too long: nothing is known of those windows any more. */
    struct notice old = gecam_notice("GB-0", NOTICE_TRIGGER);
    old.trigger_ns -= 7200 * SECOND_NS;
    CHECK(take(t, old));
    CHECK_INT(last.await, AWAIT_EVENTS);
    tracker_free(t);
}

TEST(without_data_a_trigger_is_unclear_when_its_time_is_up_and_data_still_revise_it)
{
    struct tracker *t = scene_fresh();
    struct notice n = gecam_notice("GB-1", NOTICE_TRIGGER);
    n.published_ns = n.trigger_ns + 30 * SECOND_NS;
    (void)take(t, n);
    CHECK(!tick(T_TRIGGER + 629 * SECOND_NS));
    CHECK(tick(T_TRIGGER + 630 * SECOND_NS));
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.call, CALL_UNCLEAR);
    CHECK_INT(last.reason, REASON_TELEMETRY);
    CHECK_INT(last.action, ACTION_REVIEW);
    CHECK_NEAR(last.p_true, 0.5, 0);
    CHECK_INT(last.await, AWAIT_NOTHING);
    CHECK_INT(last.state, STATE_OPEN);
    CHECK(strstr(last.reasons[0], "No events around the trigger time have come by 2019") != NULL);
    CHECK(!tick(INT64_MAX));
    sky.excess = burst_excess;
    CHECK_INT(feed(t, K_TRIGGER + 160, 8, 4), 1);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.record_number, 3);
    tracker_free(t);
}

TEST(an_archive_waits_by_its_own_clock)
{
    struct tracker *t = scene_fresh();
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK(!tick(INT64_MIN));
    struct notice later = gecam_notice("GB-2", NOTICE_TRIGGER);
    later.trigger_ns += 600 * SECOND_NS;
    (void)take(t, later);
    CHECK(tick(INT64_MIN));
    CHECK_STR(last.id, "GB-1");
    CHECK(!tick(INT64_MIN));
    struct notice again = gecam_notice("GB-3", NOTICE_TRIGGER);
    again.trigger_ns -= 86400 * SECOND_NS; /* another replay, a day further back: its clock is that of then */
    (void)take(t, again);
    CHECK(!tick(INT64_MIN));
    CHECK_INT(feed(t, K_TRIGGER - 1350000 + 16, 0, 0), 1);
    CHECK_STR(last.id, "GB-3");
    tracker_free(t);
}

TEST(events_of_data_alone_are_not_linked_but_a_notice_links_them)
{
    struct tracker *t = scene_fresh(), *other = NULL;
    struct decide_settings s = decide_defaults();
    sky.excess = burst_excess;
    CHECK_INT(feed(t, K_TRIGGER + 160, 8, 4), 1);
    sky.source.mission = MISSION_GECAM_A;
    CHECK_INT(tracker_new(sky.source, &s, &book, &other, NULL), BURST_OK);
    CHECK_INT(feed(other, K_TRIGGER + 160, 8, 4), 1);
    CHECK_INT(last.n_related, 0); /* which of the two came first is chance */
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK_INT(last.n_related, 2);
    CHECK_STR(last.related[0].id, "GB-1");
    CHECK_INT(strncmp(last.related[1].id, "GECAM-A-GRD-", 12), 0);
    tracker_free(t);
    tracker_free(other);
}

TEST(a_hole_in_the_data_at_the_trigger_is_no_answer)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER - 16;
    sky.gap_from_k = K_TRIGGER - 100;
    sky.gap_to_k = K_TRIGGER + 100;
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 1600, 0, 0), 0);
    struct notice late = gecam_notice("GB-2", NOTICE_TRIGGER);
    CHECK(take(t, late));
    CHECK_INT(last.await, AWAIT_EVENTS); /* the windows judged before have the same hole */
    CHECK(tick(INT64_MAX));
    CHECK_INT(last.reason, REASON_TELEMETRY);
    tracker_free(t);
}

TEST(an_event_of_the_search_takes_the_notice_of_its_mission)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER;
    char id[EVENT_ID_TEXT];
    sky.excess = burst_excess;
    CHECK_INT(feed(t, k += 32, 8, 4), 1);
    memcpy(id, last.id, sizeof id);
    int64_t trigger_ns = last.trigger_ns;
    struct notice n = placed(gecam_notice("GB-1", NOTICE_TRIGGER), 100, 20, 4);
    n.trigger_ns += 500000000;
    CHECK(take(t, n));
    CHECK_STR(last.id, id);
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.trigger_ns, trigger_ns);
    CHECK_INT(last.n_evidence, N_DETECTOR); /* the full state */
    CHECK_INT(last.n_related, 1);
    CHECK_STR(last.related[0].id, "GB-1");
    CHECK_NEAR(last.related[0].dt_s, (double)(n.trigger_ns - trigger_ns) * 1e-9, 1e-9);
    CHECK_NEAR(last.ra_deg, 100, 0);
    CHECK(!take(t, n)); /* the same again says nothing new */
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 200, 8, 4), 0);
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 6000, 0, 0), 1);
    CHECK_STR(last.id, id);
    CHECK_INT(last.record_number, 3);
    CHECK_STR(last.related[0].id, "GB-1");
    /* Forgotten by the tracker, but not by the book: a second trigger of the burst, an hour late. */
    n = gecam_notice("GB-1b", NOTICE_TRIGGER);
    CHECK(take(t, n));
    CHECK_STR(last.id, id);
    CHECK_INT(last.n_related, 2);
    /* What the mission says of its trigger, it says of the event. */
    CHECK(take(t, gecam_notice("GB-1", NOTICE_RETRACTION)));
    CHECK_STR(last.id, id);
    CHECK_INT(last.type, ALERT_RETRACTION);
    tracker_free(t);
}

TEST(a_window_that_would_open_an_event_near_a_trigger_is_the_triggers)
{
    struct tracker *t = scene_fresh();
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(feed(t, K_TRIGGER - 480, 8, 4), 1); /* 30 s before the trigger: its burst has begun */
    CHECK_STR(last.id, "GB-1");
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.trigger_ns, T_TRIGGER);
    CHECK_INT(feed(t, K_TRIGGER + 160, 8, 4), 0);
    tracker_free(t);
}

TEST(a_burst_long_before_a_trigger_is_another_event)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER - 2000;
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(feed(t, k, 8, 4), 1);
    CHECK(strcmp(last.id, "GB-1") != 0);
    CHECK_INT(feed_to(t, &k, K_TRIGGER, 8, 4), 0);
    CHECK_INT(feed(t, k += 16, 8, 4), 2); /* it ends where the trigger's begins */
    CHECK(told[0].closed && strcmp(told[0].id, "GB-1") != 0);
    CHECK_STR(told[1].id, "GB-1");
    CHECK_INT(told[1].n_related, 1);
    CHECK_STR(told[1].related[0].id, told[0].id);
    tracker_free(t);
}

TEST(silence_and_the_end_of_the_data_close_a_trigger_too)
{
    struct tracker *t = scene_fresh();
    int n;
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(feed(t, K_TRIGGER + 160, 8, 4), 1);
    tracker_silence(t, told, &n);
    CHECK_INT(n, 1);
    CHECK(told[0].closed && strcmp(told[0].id, "GB-1") == 0);
    tracker_flush(t, told, &n);
    CHECK_INT(n, 0);
    tracker_free(t);
}

/* What a run over the same windows says, killed after `kill_k` and begun again from the state kept at `idle_k`. */
static int run(int64_t idle_k, int64_t kill_k, struct verdict *ret, int most)
{
    struct tracker *t = scene_fresh();
    struct tracker_state state = {INT64_MIN};
    int64_t k = K_TRIGGER - 320;
    int n = 0;
    sky.excess = burst_excess;
    while (k < K_TRIGGER + 6000 && n < most) {
        k += 16;
        if (k == K_TRIGGER + 64) n += take(t, gecam_notice("GB-1", NOTICE_TRIGGER)) ? (ret[n] = last, 1) : 0;
        bool in_burst = k > K_TRIGGER + 8 && k < K_TRIGGER + 1500;
        int made = feed(t, k, in_burst ? 8 : 0, k < K_TRIGGER + 500 ? 1 : 4);
        for (int i = 0; i < made; i++)
            ret[n++] = told[i];
        if (k == idle_k) CHECK_INT(tracker_get_state(t, &state, NULL), BURST_OK);
        if (k != kill_k) continue;
        tracker_free(t); /* the book is kept with every record; the tracker begins again from where it was idle */
        struct book kept = book;
        t = tracker_fresh();
        sky.excess = burst_excess;
        book = kept;
        CHECK_INT(tracker_set_state(t, &state, NULL), BURST_OK);
        for (int64_t back = idle_k + 16; back <= kill_k; back += 16) {
            in_burst = back > K_TRIGGER + 8 && back < K_TRIGGER + 1500;
            made = feed(t, back, in_burst ? 8 : 0, back < K_TRIGGER + 500 ? 1 : 4);
            CHECK_SAY(made == 0 || (made == 1 && memcmp(&told[0], &ret[n - 1], sizeof told[0]) == 0),
                      "window %lld made %d records", (long long)back, made);
        }
    }
    tracker_free(t);
    return n;
}

TEST(a_restart_tells_nothing_twice_and_goes_on_as_if_it_had_not_been)
{
    static struct verdict straight[16], killed[16];
    const int64_t kill[] = {K_TRIGGER + 80, K_TRIGGER + 512, K_TRIGGER + 608, K_TRIGGER + 1904, K_TRIGGER + 2400};
    int n = run(0, 0, straight, 16);
    CHECK(n >= 4);
    for (size_t i = 0; i < sizeof kill / sizeof kill[0]; i++) {
        int m = run(K_TRIGGER - 160, kill[i], killed, 16);
        CHECK_INT(m, n);
        for (int r = 0; r < n && r < m; r++) {
            CHECK_INT(killed[r].record_number, straight[r].record_number);
            CHECK_STR(killed[r].id, straight[r].id);
            CHECK_INT(killed[r].call, straight[r].call);
            CHECK_NEAR(killed[r].p_true, straight[r].p_true, 0);
            CHECK_INT(memcmp(killed[r].verdict_id, straight[r].verdict_id, 16), 0);
            CHECK_INT(memcmp(killed[r].reasons, straight[r].reasons, sizeof killed[r].reasons), 0);
        }
    }
}

TEST(a_false_under_the_anomaly_or_behind_the_earth_says_so)
{
    struct tracker *t = scene_fresh();
    (void)take(t, gecam_notice("GB-1", NOTICE_TRIGGER));
    window->platform = (struct platform_state){.state = PLATFORM_KNOWN,
                                               .saa = SAA_IN,
                                               .has_position = true,
                                               .lat_deg = -20.5,
                                               .lon_deg = -50.25,
                                               .l_shell = 1.5};
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 1);
    CHECK_INT(last.reason, REASON_SAA);
    CHECK_STR(last.reasons[0], "In the South Atlantic anomaly: latitude -20.5, longitude -50.2 degrees, L 1.50.");
    CHECK_INT(last.platform.saa, VERDICT_SAA_INSIDE);
    CHECK_NEAR(last.platform.lon_deg, -50.25, 0);
    CHECK(isnan(last.platform.limb_deg)); /* nobody knows where the burst was */
    tracker_free(t);
    t = scene_fresh();
    (void)take(t, placed(gecam_notice("GB-1", NOTICE_TRIGGER), 10, 0, 4));
    window->platform.saa = SAA_OUT;
    window->platform.earth_deg[0] = 80; /* 70 degrees away, and 66 in radius */
    window->platform.earth_radius_deg = 66;
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 1);
    CHECK_INT(last.reason, REASON_EARTH_LIMB);
    CHECK_STR(last.reasons[0], "Its position stands 4.0 degrees above the Earth's limb.");
    CHECK_NEAR(last.platform.limb_deg, 4, 1e-9);
    tracker_free(t);
    t = scene_fresh();
    (void)take(t, placed(gecam_notice("GB-1", NOTICE_TRIGGER), 10, 0, 4));
    window->platform.earth_radius_deg = 76.5;
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 1);
    CHECK_INT(last.reason, REASON_EARTH_LIMB);
    CHECK_STR(last.reasons[0], "Its position is behind the Earth, 6.5 degrees below the limb.");
    window->platform = (struct platform_state){.state = PLATFORM_ABSENT};
    tracker_free(t);
    t = scene_fresh();
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 0);
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK(strstr(last.reasons[0], "1 window with the trigger had been judged") != NULL);
    tracker_free(t);
}

TEST(a_trigger_too_many_of_one_event_makes_no_record_however_often_it_comes)
{
    struct tracker *t = scene_fresh();
    char id[EVENT_ID_TEXT];
    sky.excess = burst_excess;
    CHECK_INT(feed(t, K_TRIGGER + 160, 8, 4), 1);
    for (int i = 1; i <= ALERT_ALIASES; i++) {
        (void)snprintf(id, sizeof id, "GB-%d", i);
        CHECK(take(t, gecam_notice(id, NOTICE_TRIGGER)));
    }
    CHECK(!take(t, gecam_notice("GB-9", NOTICE_TRIGGER)));
    CHECK(!take(t, gecam_notice("GB-9", NOTICE_UPDATE)));
    CHECK_INT(last.record_number, 1 + ALERT_ALIASES);
    CHECK_INT(feed_to(t, &(int64_t){K_TRIGGER + 160}, K_TRIGGER + 900, 0, 0), 1); /* it closes */
    CHECK_INT(last.n_related, ALERT_ALIASES + 1);
    CHECK_STR(last.related[ALERT_ALIASES].id, "GB-9");
    tracker_free(t);
}

TEST(a_replay_that_begins_again_does_not_answer_from_the_pass_before)
{
    struct tracker *t = scene_fresh();
    const struct tracker_state nothing = {INT64_MIN};
    int64_t k = K_TRIGGER - 16;
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 320, 0, 0), 0);
    CHECK_INT(tracker_set_state(t, &nothing, NULL), BURST_OK);
    CHECK_INT(feed(t, K_TRIGGER - 3200, 0, 0), 0);
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK_INT(last.await, AWAIT_EVENTS);
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 1);
    CHECK_INT(last.call, CALL_FALSE);
    tracker_free(t);
}

TEST(a_hole_so_long_that_windows_are_missing_is_no_answer_either)
{
    struct tracker *t = scene_fresh();
    int64_t k = K_TRIGGER - 1600;
    sky.gap_from_k = K_TRIGGER - 100;
    sky.gap_to_k = K_TRIGGER + 800;
    CHECK_INT(feed_to(t, &k, K_TRIGGER - 100, 0, 0), 0);
    k = K_TRIGGER + 1280; /* windows with less than 30 s of data are not made */
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 1600, 0, 0), 0);
    CHECK(take(t, gecam_notice("GB-1", NOTICE_TRIGGER)));
    CHECK_INT(last.await, AWAIT_EVENTS);
    tracker_free(t);
}

int main(void)
{
    if (window_new(N_DETECTOR, &window, NULL)) return 1;
    RUN(a_trigger_waits_for_its_first_window_and_closes_after_the_last);
    RUN(a_trigger_may_be_called_false_at_once_and_true_when_more_of_the_burst_comes);
    RUN(a_false_trigger_expires);
    RUN(a_notice_a_minute_late_is_answered_by_the_windows_judged_before_it);
    RUN(a_notice_an_hour_late_is_answered_and_closed);
    RUN(without_data_a_trigger_is_unclear_when_its_time_is_up_and_data_still_revise_it);
    RUN(an_archive_waits_by_its_own_clock);
    RUN(events_of_data_alone_are_not_linked_but_a_notice_links_them);
    RUN(a_hole_in_the_data_at_the_trigger_is_no_answer);
    RUN(an_event_of_the_search_takes_the_notice_of_its_mission);
    RUN(a_window_that_would_open_an_event_near_a_trigger_is_the_triggers);
    RUN(a_burst_long_before_a_trigger_is_another_event);
    RUN(silence_and_the_end_of_the_data_close_a_trigger_too);
    RUN(a_restart_tells_nothing_twice_and_goes_on_as_if_it_had_not_been);
    RUN(a_trigger_too_many_of_one_event_makes_no_record_however_often_it_comes);
    RUN(a_replay_that_begins_again_does_not_answer_from_the_pass_before);
    RUN(a_hole_so_long_that_windows_are_missing_is_no_answer_either);
    RUN(a_false_under_the_anomaly_or_behind_the_earth_says_so);
    window_free(window);
    return check_report();
}
