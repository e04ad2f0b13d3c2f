/* Triggers and sub-images, positions, withdrawals, other missions: docs/decisions/0007, with notices made by hand. */
#include "unit/decide/trigger_scene.h"

static struct notice svom_notice(enum burst_instrument instrument, const char *id, enum notice_kind kind)
{
    return notice_of((struct source){REALM_LIVE, MISSION_SVOM, instrument}, id, kind);
}

static struct notice eclairs(const char *id, enum notice_kind kind)
{
    return svom_notice(INSTRUMENT_ECLAIRS, id, kind);
}

static enum burst_err image(const char *id, int count, const char *stream, double p)
{
    struct decide_settings s = decide_defaults();
    struct image_score score = image_scene(id, count, stream, p);
    packet.span = (struct time_span){T_TRIGGER + 2 * SECOND_NS, T_TRIGGER + 22 * SECOND_NS};
    packet.sha256[0] = (uint8_t)(2 * count + (stream[0] == 'X') + 1);
    memset(score.model.sha256, 'b', 64);
    return image_decide(&book, &s, &score, NULL, &last, NULL);
}

static void begin(void)
{
    memset(&book, 0, sizeof book);
}

/* An empty book, and the light curves of GRM under a quiet sky. */
static struct tracker *grm_fresh(void)
{
    struct decide_settings s = decide_defaults();
    struct source grm = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_GRM};
    struct tracker *t = NULL;
    begin();
    sky = (struct synthetic){.source = grm,
                             .n_detector = 3,
                             .background = {12, 6.5, 8, 2.6, 1.9},
                             .excess = no_excess,
                             .first_k = INT64_MIN};
    CHECK_INT(tracker_new(grm, &s, &book, &t, NULL), BURST_OK);
    return t;
}

TEST(a_trigger_waits_for_its_sub_image_which_revises_it)
{
    begin();
    CHECK(take(NULL, placed(eclairs("sb26050401", NOTICE_TRIGGER), 83.5, 22.1, 0.1)));
    CHECK_STR(last.id, "sb26050401");
    CHECK_INT(last.record_number, 1);
    CHECK_INT(last.await, AWAIT_SUBIMAGE);
    CHECK_INT(last.expected_ns - T_TRIGGER, 600 * SECOND_NS);
    CHECK_INT(last.source.instrument, INSTRUMENT_ECLAIRS);
    CHECK_INT(image("sb26050401", 0, "VHF", 0.93), BURST_OK);
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.type, ALERT_UPDATE);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.await, AWAIT_NOTHING);
    CHECK_INT(last.trigger_ns, T_TRIGGER); /* the notice's, not DATE-OBS */
    CHECK_NEAR(last.ra_deg, 83.5, 0);      /* the notice's has a radius */
    CHECK_NEAR(last.ra_dec_error_deg, 0.1, 0);
    CHECK_NEAR(last.containment, 0.9, 0);
    CHECK(!tick(INT64_MAX));
    CHECK_INT(image("sb26050401", 0, "XBAND", 0.1), BURST_OK);
    CHECK_INT(last.record_number, 3);
    CHECK_INT(last.type, ALERT_RETRACTION);
}

TEST(a_sub_image_before_its_trigger_keeps_its_sequence_and_its_time)
{
    begin();
    CHECK_INT(image("sb26050402", 0, "VHF", 0.93), BURST_OK);
    CHECK_INT(last.record_number, 1);
    CHECK_INT(last.type, ALERT_INITIAL);
    CHECK(isnan(last.ra_dec_error_deg));
    CHECK(take(NULL, placed(eclairs("sb26050402", NOTICE_TRIGGER), 83.5, 22.1, 0.1))); /* the first radius */
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.type, ALERT_UPDATE);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_INT(last.n_evidence, 1);
    CHECK_INT(last.trigger_ns, T_TRIGGER + 2 * SECOND_NS); /* frozen */
    CHECK_NEAR(last.ra_deg, 83.5, 0);
    CHECK(!tick(INT64_MAX)); /* nothing is awaited */
    CHECK(!take(NULL, eclairs("sb26050402", NOTICE_SLEW)));
}

TEST(a_sub_image_an_hour_late_revises_what_was_given_up)
{
    begin();
    (void)take(NULL, eclairs("sb26050403", NOTICE_TRIGGER));
    CHECK(tick(T_TRIGGER + 600 * SECOND_NS));
    CHECK_INT(last.call, CALL_UNCLEAR);
    CHECK_INT(last.reason, REASON_TELEMETRY);
    CHECK(strstr(last.reasons[0], "No sub-image of this trigger has come by 2019-01-01T00:19:30.8") != NULL);
    CHECK(!take(NULL, eclairs("sb26050403", NOTICE_SLEW))); /* does not make it wait again */
    CHECK_INT(image("sb26050403", 0, "XBAND", 0.05), BURST_OK);
    CHECK_INT(last.record_number, 3);
    CHECK_INT(last.call, CALL_FALSE);
    CHECK_INT(last.type, ALERT_UPDATE); /* nobody was told true */
    CHECK_INT(last.state, STATE_EXPIRED);
}

TEST(positions_revise_when_the_radius_halves)
{
    begin();
    (void)take(NULL, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK(take(NULL, placed(gecam_notice("GB-1", NOTICE_UPDATE), 10, 20, 12)));
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.await, AWAIT_EVENTS);
    CHECK_NEAR(last.ra_dec_error_deg, 12, 0);
    CHECK(!take(NULL, placed(gecam_notice("GB-1", NOTICE_UPDATE), 11, 21, 7))); /* better, not twice as good */
    CHECK(!take(NULL, placed(gecam_notice("GB-1", NOTICE_UPDATE), 50, 50, 30)));
    CHECK(take(NULL, placed(gecam_notice("GB-1", NOTICE_UPDATE), 12, 22, 3.5)));
    CHECK_INT(last.record_number, 3);
    CHECK_NEAR(last.ra_deg, 12, 0);
    CHECK(!take(NULL, placed(gecam_notice("GB-1", NOTICE_UPDATE), 12.5, 22.5, 3)));
    CHECK(tick(INT64_MAX));
    CHECK_NEAR(last.ra_deg, 12.5, 0); /* what was kept is told with the next record */
    begin();
    struct notice n = placed(gecam_notice("GB-2", NOTICE_TRIGGER), 10, 20, 12);
    n.containment = NAN; /* of which probability? */
    (void)take(NULL, n);
    CHECK_NEAR(last.ra_deg, 10, 0);
    CHECK(isnan(last.ra_dec_error_deg) && isnan(last.containment));
}

TEST(what_the_mission_calls_it_is_told_beside_the_verdict)
{
    begin();
    struct notice n = eclairs("sb26050404", NOTICE_TRIGGER);
    (void)snprintf(n.catalogue_name, sizeof n.catalogue_name, "GX 340-00\n");
    (void)take(NULL, n);
    CHECK_STR(last.reasons[0], "The mission names a source of its catalogue: GX 340-00?.");
    CHECK_INT(image("sb26050404", 0, "VHF", 0.93), BURST_OK);
    CHECK_STR(last.reasons[last.n_reason - 1], "The mission names a source of its catalogue: GX 340-00?.");
    n = gecam_notice("GB-1", NOTICE_TRIGGER);
    (void)snprintf(n.mission_class, sizeof n.mission_class, "SFLARE");
    n.class_p = 0.85;
    (void)take(NULL, n);
    CHECK_STR(last.reasons[0], "The mission calls it SFLARE (85 %).");
    n = gecam_notice("GB-2", NOTICE_TRIGGER);
    n.flags = NOTICE_NOT_A_GRB;
    (void)take(NULL, n);
    CHECK_STR(last.reasons[0], "The mission says that it is not a GRB.");
}

TEST(a_withdrawn_trigger_is_rejected_and_after_a_true_retracted)
{
    begin();
    (void)take(NULL, eclairs("sb26020402", NOTICE_TRIGGER));
    struct notice n = eclairs("sb26020402", NOTICE_RETRACTION);
    (void)snprintf(n.text, sizeof n.text, "Determined not to be viable. ");
    CHECK(take(NULL, n));
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.type, ALERT_UPDATE);
    CHECK_INT(last.state, STATE_REJECTED);
    CHECK_INT(last.call, CALL_FALSE);
    CHECK_INT(last.action, ACTION_CANCEL);
    CHECK_INT(last.await, AWAIT_NOTHING);
    CHECK_INT(last.machine_call, CALL_NONE);
    CHECK_STR(last.reasons[0], "The mission has withdrawn it: Determined not to be viable.");
    CHECK(!take(NULL, n));
    CHECK(!tick(INT64_MAX));
    /* The machine's word is told beside the mission's, and changes nothing. */
    CHECK_INT(image("sb26020402", 0, "VHF", 0.95), BURST_OK);
    CHECK_INT(last.record_number, 3);
    CHECK_INT(last.call, CALL_FALSE);
    CHECK_INT(last.machine_call, CALL_TRUE);
    CHECK_INT(last.state, STATE_REJECTED);
    CHECK_NEAR(last.p_true, 0.95, 0);
    CHECK_STR(last.reasons[last.n_reason - 1], "The mission has withdrawn it: Determined not to be viable.");

    CHECK_INT(image("sb26020403", 0, "VHF", 0.95), BURST_OK);
    CHECK(take(NULL, eclairs("sb26020403", NOTICE_RETRACTION)));
    CHECK_INT(last.type, ALERT_RETRACTION);
    CHECK_INT(last.state, STATE_RETRACTED);
    CHECK_INT(last.machine_call, CALL_TRUE);
    CHECK(strstr(last.reasons[1], "Record 1 said true") != NULL);
    CHECK_INT(last.n_evidence, 1);

    CHECK(take(NULL, eclairs("sb26020404", NOTICE_RETRACTION))); /* the first that is heard of it */
    CHECK_INT(last.record_number, 1);
    CHECK_INT(last.type, ALERT_INITIAL);
    CHECK_INT(last.state, STATE_REJECTED);
    CHECK(!take(NULL, eclairs("sb26020404", NOTICE_TRIGGER)));
}

TEST(one_burst_id_is_one_sequence_whatever_the_instrument)
{
    struct tracker *t = grm_fresh();
    CHECK(take(t, svom_notice(INSTRUMENT_GRM, "sb26051101", NOTICE_TRIGGER)));
    CHECK_INT(last.await, AWAIT_EVENTS);
    CHECK_INT(last.source.instrument, INSTRUMENT_GRM);
    CHECK(take(NULL, eclairs("sb26051101", NOTICE_TRIGGER))); /* now the sub-image is what counts */
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.await, AWAIT_SUBIMAGE);
    CHECK_INT(last.source.instrument, INSTRUMENT_ECLAIRS);
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 1);
    CHECK_INT(last.record_number, 3);
    CHECK_INT(last.call, CALL_UNCLEAR); /* false is not said before the sub-image has had its say */
    CHECK_INT(last.reason, REASON_LOW_CONFIDENCE);
    CHECK(strstr(last.reasons[last.n_reason - 1], "sub-image is awaited") != NULL);
    CHECK_INT(image("sb26051101", 0, "VHF", 0.93), BURST_OK);
    CHECK_INT(last.record_number, 4);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_NEAR(last.p_true, 0.93, 0);
    CHECK_INT(last.n_evidence, 4);
    CHECK_STR(last.evidence[0].name, "image");
    CHECK_STR(last.evidence[1].name, "g01");
    CHECK_INT(last.n_model, 2);
    CHECK_INT(image("sb26051101", 1, "VHF", 0.02), BURST_OK);
    CHECK_INT(last.type, ALERT_RETRACTION); /* both say no */
    tracker_free(t);
}

TEST(when_the_sub_image_does_not_come_the_light_curves_decide)
{
    struct tracker *t = grm_fresh();
    (void)take(t, svom_notice(INSTRUMENT_GRM, "sb26051102", NOTICE_TRIGGER));
    (void)take(NULL, eclairs("sb26051102", NOTICE_TRIGGER));
    CHECK_INT(feed(t, K_TRIGGER + 16, 0, 0), 1);
    CHECK_INT(last.call, CALL_UNCLEAR);
    CHECK(tick(T_TRIGGER + 600 * SECOND_NS));
    CHECK_INT(last.record_number, 4);
    CHECK_INT(last.call, CALL_FALSE);
    CHECK_INT(last.reason, REASON_NOISE);
    CHECK_STR(last.reasons[0], "No sub-image of this trigger has come.");
    CHECK(strstr(last.reasons[1], "The light curves alone: false, p 0.0") != NULL);
    CHECK_INT(last.n_evidence, 3);
    tracker_free(t);
}

TEST(other_missions_and_follow_up_telescopes_stand_beside_an_event)
{
    struct source external = {REALM_LIVE, MISSION_EXTERNAL, INSTRUMENT_NONE};
    begin();
    CHECK(!take(NULL, placed(notice_of(external, "EP-1", NOTICE_TRIGGER), 83.9, 22.0, 0.05)));
    struct notice far = placed(notice_of(external, "EP-2", NOTICE_TRIGGER), 200, -40, 0.05);
    CHECK(!take(NULL, far));
    struct notice old = notice_of(external, "Swift-3", NOTICE_TRIGGER);
    old.trigger_ns -= 601 * SECOND_NS;
    CHECK(!take(NULL, old));
    CHECK(!take(NULL, svom_notice(INSTRUMENT_NONE, "sb26050409", NOTICE_FOLLOW_UP)));
    struct notice burst = gecam_notice("GB-1", NOTICE_TRIGGER);
    burst.trigger_ns += SECOND_NS / 4;
    (void)take(NULL, burst);
    CHECK_INT(last.n_related, 3); /* without a position of its own: all that are near in time */
    (void)take(NULL, placed(eclairs("sb26050405", NOTICE_TRIGGER), 83.5, 22.1, 0.1));
    CHECK_INT(last.n_related, 3);
    CHECK_NEAR(last.related[0].dt_s, 0, 0);
    CHECK_NEAR(last.related[0].separation_deg, 0.3839, 0.0005); /* 0.4 deg x cos 22.05, and 0.1 */
    CHECK_STR(last.related[2].id, "GB-1");                      /* the nearest in time first */
    CHECK_NEAR(last.related[2].dt_s, 0.25, 1e-9);
    CHECK(isnan(last.related[2].separation_deg));
    for (int i = 0; i < last.n_related; i++)
        CHECK(strcmp(last.related[i].id, "EP-2") != 0 && strcmp(last.related[i].id, "Swift-3") != 0);
}

TEST(a_follow_up_of_an_event_places_it)
{
    begin();
    (void)take(NULL, placed(eclairs("sb26050406", NOTICE_TRIGGER), 83.5, 22.1, 0.1));
    CHECK(take(NULL, placed(svom_notice(INSTRUMENT_NONE, "sb26050406", NOTICE_FOLLOW_UP), 83.52, 22.11, 0.008)));
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.source.instrument, INSTRUMENT_ECLAIRS);
    CHECK_NEAR(last.ra_dec_error_deg, 0.008, 0);
}

TEST(a_test_that_comes_by_a_live_topic_is_a_test)
{
    begin();
    struct notice n = gecam_notice("GB-100000001", NOTICE_TRIGGER);
    n.tense = TENSE_TEST;
    CHECK_INT(trigger_realm(&n), REALM_TEST);
    (void)take(NULL, n);
    CHECK_INT(last.source.realm, REALM_TEST);
    CHECK_INT(last.tense, TENSE_TEST);
    n = gecam_notice("GB-2", NOTICE_TRIGGER);
    n.tense = TENSE_ARCHIVAL;
    CHECK_INT(trigger_realm(&n), REALM_LIVE);
    (void)take(NULL, n);
    CHECK_INT(last.tense, TENSE_ARCHIVAL);
}

TEST(notices_that_cannot_open_an_event_are_refused_or_passed_over)
{
    struct decide_settings s = decide_defaults();
    struct burst_error e;
    bool made = true;
    begin();
    struct notice n = eclairs("", NOTICE_TRIGGER);
    CHECK_REFUSED(trigger_notice(&book, &s, NULL, &n, &last, &made, &e), BURST_E_MISSING, e, "without id");
    n = eclairs("sb1", NOTICE_TRIGGER);
    n.trigger_ns = 0;
    CHECK_REFUSED(trigger_notice(&book, &s, NULL, &n, &last, &made, &e), BURST_E_MISSING, e, "without trigger time");
    s.low = 2;
    CHECK_REFUSED(trigger_notice(&book, &s, NULL, &n, &last, &made, &e), BURST_E_RANGE, e, "detect.low");
    CHECK(made);
    CHECK(!take(NULL, eclairs("sb1", NOTICE_INFORMATION)));
    CHECK_INT(book.n_used, 0);
    n = eclairs("a b\x80", NOTICE_TRIGGER);
    CHECK(take(NULL, n));
    CHECK_STR(last.id, "a?b?");
}

TEST(the_book_is_bounded_and_refuses_what_it_cannot_have_written)
{
    struct burst_error e;
    char id[EVENT_ID_TEXT];
    begin();
    for (int i = 0; i <= BOOK_ALERTS; i++) {
        (void)snprintf(id, sizeof id, "sb%08d", i);
        (void)take(NULL, eclairs(id, NOTICE_TRIGGER));
    }
    CHECK(!book_find(&book, MISSION_SVOM, "sb00000000"));
    CHECK(book_find(&book, MISSION_SVOM, "sb00000001") && book_find(&book, MISSION_SVOM, id));
    CHECK(!book_find(&book, MISSION_FERMI, id));
    struct alert *a = book_find(&book, MISSION_SVOM, id);
    CHECK_INT(book_check_alert(a, &e), BURST_OK);
    CHECK(book_take_dirty(&book, (int)(a - book.alert)) && !book_take_dirty(&book, (int)(a - book.alert)));
    struct alert broken = *a;
    memset(broken.id, 'x', sizeof broken.id);
    CHECK_REFUSED(book_check_alert(&broken, &e), BURST_E_FORMAT, e, "broken");
    broken = *a;
    broken.n_top = TOP_WINDOWS + 1;
    CHECK_REFUSED(book_check_alert(&broken, &e), BURST_E_FORMAT, e, "broken");
    broken = *a;
    broken.last.n_evidence = EVIDENCE_MAX + 1;
    CHECK_REFUSED(book_check_alert(&broken, &e), BURST_E_FORMAT, e, "broken");
    struct sighting s;
    memset(&s, 'x', sizeof s);
    CHECK_REFUSED(book_check_sighting(&s, &e), BURST_E_FORMAT, e, "not closed");
}

static bool says_once(const struct verdict *v, const char *part)
{
    int n = 0;
    for (int i = 0; i < v->n_reason; i++)
        n += strstr(v->reasons[i], part) != NULL;
    return n == 1;
}

TEST(a_sentence_is_told_once_and_of_the_missions_words_only_the_newest)
{
    begin();
    (void)take(NULL, svom_notice(INSTRUMENT_GRM, "sb26051103", NOTICE_TRIGGER));
    CHECK_INT(image("sb26051103", 0, "VHF", 0.5), BURST_OK);
    CHECK(says_once(&last, "light curves are awaited"));
    CHECK(take(NULL, placed(eclairs("sb26051103", NOTICE_UPDATE), 83.5, 22.1, 0.1)));
    CHECK(says_once(&last, "light curves are awaited"));
    struct notice n = placed(gecam_notice("GB-1", NOTICE_TRIGGER), 10, 20, 12);
    (void)snprintf(n.mission_class, sizeof n.mission_class, "GRB");
    (void)take(NULL, n);
    CHECK(says_once(&last, "The mission calls it GRB."));
    n = placed(gecam_notice("GB-1", NOTICE_UPDATE), 10, 20, 3);
    (void)snprintf(n.mission_class, sizeof n.mission_class, "SFLARE");
    CHECK(take(NULL, n));
    CHECK(says_once(&last, "The mission calls it"));
    CHECK(says_once(&last, "The mission calls it SFLARE."));
}

TEST(a_withdrawal_does_not_give_an_old_record_the_newest_probability)
{
    begin();
    CHECK_INT(image("sb26020405", 0, "VHF", 0.95), BURST_OK);
    CHECK_INT(image("sb26020405", 1, "VHF", 0.5), BURST_OK);
    CHECK_INT(last.call, CALL_UNCLEAR);
    CHECK(take(NULL, eclairs("sb26020405", NOTICE_RETRACTION)));
    CHECK_INT(last.type, ALERT_RETRACTION);
    CHECK_STR(last.reasons[1], "Record 1 said true; the probability is 0.500 now.");
}

TEST(an_answer_from_windows_judged_before_keeps_the_evidence_of_the_sub_image)
{
    struct decide_settings s = decide_defaults();
    struct tracker *t = NULL;
    struct source grm = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_GRM};
    int64_t k = K_TRIGGER - 16;
    begin();
    CHECK_INT(tracker_new(grm, &s, &book, &t, NULL), BURST_OK);
    sky = (struct synthetic){.source = grm,
                             .n_detector = 3,
                             .background = {12, 6.5, 8, 2.6, 1.9},
                             .excess = no_excess,
                             .first_k = INT64_MIN};
    CHECK_INT(feed_to(t, &k, K_TRIGGER + 320, 0, 0), 0);
    CHECK_INT(image("sb26051104", 0, "VHF", 0.93), BURST_OK);
    CHECK(take(t, svom_notice(INSTRUMENT_GRM, "sb26051104", NOTICE_TRIGGER)));
    CHECK_INT(last.record_number, 2);
    CHECK_INT(last.call, CALL_TRUE);
    CHECK_NEAR(last.p_true, 0.93, 0);
    CHECK_INT(last.n_evidence, 1);
    CHECK_STR(last.evidence[0].name, "image");
    CHECK_INT(last.n_model, 2);
    CHECK(says_once(&last, "The sub-image alone: true, p 0.930."));
    CHECK(!says_once(&last, "The light curves alone"));
    tracker_free(t);
}

TEST(an_id_is_related_once_and_not_after_its_mission_has_withdrawn_it)
{
    struct source external = {REALM_LIVE, MISSION_EXTERNAL, INSTRUMENT_NONE};
    begin();
    CHECK(!take(NULL, svom_notice(INSTRUMENT_NONE, "sb26050410", NOTICE_FOLLOW_UP))); /* before its trigger */
    (void)take(NULL, eclairs("sb26050410", NOTICE_TRIGGER));
    (void)take(NULL, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(last.n_related, 1);
    begin();
    CHECK(!take(NULL, notice_of(external, "EP-1", NOTICE_TRIGGER)));
    CHECK(!take(NULL, notice_of(external, "EP-2", NOTICE_TRIGGER)));
    struct notice n = notice_of(external, "EP-1", NOTICE_RETRACTION);
    n.trigger_ns = 0;
    CHECK(!take(NULL, n));
    CHECK(!take(NULL, notice_of(external, "EP-3", NOTICE_RETRACTION)));
    (void)take(NULL, gecam_notice("GB-1", NOTICE_TRIGGER));
    CHECK_INT(last.n_related, 1);
    CHECK_STR(last.related[0].id, "EP-2");
}

TEST(what_is_awaited_is_the_last_to_be_forgotten)
{
    char id[EVENT_ID_TEXT];
    begin();
    (void)take(NULL, eclairs("sb-waits", NOTICE_TRIGGER));
    for (int i = 0; i <= BOOK_ALERTS; i++) {
        (void)snprintf(id, sizeof id, "sb%08d", i);
        CHECK_INT(image(id, 0, "VHF", 0.5), BURST_OK);
    }
    CHECK(!book_find(&book, MISSION_SVOM, "sb00000000"));
    CHECK(tick(T_TRIGGER + 600 * SECOND_NS));
    CHECK_STR(last.id, "sb-waits");
    CHECK_INT(last.record_number, 2);
}

TEST(a_notice_dated_wrongly_does_not_make_its_event_wait_for_years)
{
    begin();
    struct notice n = eclairs("sb26050411", NOTICE_TRIGGER);
    n.published_ns = n.trigger_ns + INT64_C(50) * 365 * 86400 * SECOND_NS;
    (void)take(NULL, n);
    CHECK_INT(last.expected_ns - T_TRIGGER, (86400 + 600) * SECOND_NS);
}

int main(void)
{
    if (window_new(N_DETECTOR, &window, NULL)) return 1;
    RUN(a_trigger_waits_for_its_sub_image_which_revises_it);
    RUN(a_sub_image_before_its_trigger_keeps_its_sequence_and_its_time);
    RUN(a_sub_image_an_hour_late_revises_what_was_given_up);
    RUN(positions_revise_when_the_radius_halves);
    RUN(what_the_mission_calls_it_is_told_beside_the_verdict);
    RUN(a_withdrawn_trigger_is_rejected_and_after_a_true_retracted);
    RUN(one_burst_id_is_one_sequence_whatever_the_instrument);
    RUN(when_the_sub_image_does_not_come_the_light_curves_decide);
    RUN(other_missions_and_follow_up_telescopes_stand_beside_an_event);
    RUN(a_follow_up_of_an_event_places_it);
    RUN(a_test_that_comes_by_a_live_topic_is_a_test);
    RUN(notices_that_cannot_open_an_event_are_refused_or_passed_over);
    RUN(a_sentence_is_told_once_and_of_the_missions_words_only_the_newest);
    RUN(a_withdrawal_does_not_give_an_old_record_the_newest_probability);
    RUN(an_answer_from_windows_judged_before_keeps_the_evidence_of_the_sub_image);
    RUN(an_id_is_related_once_and_not_after_its_mission_has_withdrawn_it);
    RUN(what_is_awaited_is_the_last_to_be_forgotten);
    RUN(a_notice_dated_wrongly_does_not_make_its_event_wait_for_years);
    RUN(the_book_is_bounded_and_refuses_what_it_cannot_have_written);
    window_free(window);
    return check_report();
}
