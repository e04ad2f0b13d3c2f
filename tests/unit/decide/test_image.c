/* Sub-images: the class table of protocol.md 6. */
#include "unit/decide/image_scene.h"

TEST(a_new_source_is_true_and_followed_up)
{
    struct image_score s = image_scene("sb26050401", 0, "VHF", 0.93);
    struct verdict v = decided(&s);
    CHECK_STR(v.id, "sb26050401");
    CHECK_INT(v.record_number, 1);
    CHECK_INT(v.type, ALERT_INITIAL);
    CHECK_INT(v.call, CALL_TRUE);
    CHECK_INT(v.reason, REASON_POINT_SOURCE);
    CHECK_INT(v.action, ACTION_FOLLOW_UP);
    CHECK_INT(v.state, STATE_OPEN);
    CHECK(!v.closed);
    CHECK_NEAR(v.p_true, 0.93, 0);
    CHECK_NEAR(v.classification[CLASS_GRB], 0.93, 0);
    CHECK_NEAR(v.ra_deg, 83.6, 0);
    CHECK_NEAR(v.dec_deg, 22.0, 0);
    CHECK(isnan(v.ra_dec_error_deg) && isnan(v.p_lo));
    CHECK_INT(v.trigger_ns, 1000);
    CHECK_INT(v.n_evidence, 1);
    CHECK_STR(v.evidence[0].name, "image");
    CHECK_NEAR(v.evidence[0].snr, 9.5, 0);
    CHECK(isnan(v.evidence[0].t90_s));
    CHECK_INT(v.evidence[0].input_sha256[0], 77);
}

TEST(a_known_source_is_true_but_reviewed)
{
    struct image_score s = image_scene("sb26050402", 0, "VHF", 0.8); /* inclusive */
    sample.nearest_px = 3.0;
    (void)snprintf(sample.nearest_name, sizeof sample.nearest_name, "Cyg X-1");
    struct verdict v = decided(&s);
    CHECK_INT(v.call, CALL_TRUE);
    CHECK_INT(v.reason, REASON_KNOWN_SOURCE);
    CHECK_INT(v.action, ACTION_REVIEW);
    CHECK_NEAR(v.classification[CLASS_KNOWN_SOURCE], 0.8, 0);
    CHECK_STR(v.reasons[1], "Cyg X-1 lies 3.0 pixels from the trigger.");
}

TEST(a_false_one_beside_a_known_source_was_badly_subtracted)
{
    struct image_score s = image_scene("sb26050403", 0, "VHF", 0.2); /* inclusive */
    sample.nearest_px = 1.2;
    (void)snprintf(sample.nearest_name, sizeof sample.nearest_name, "Sco X-1");
    struct verdict v = decided(&s);
    CHECK_INT(v.call, CALL_FALSE);
    CHECK_INT(v.reason, REASON_BAD_SUBTRACTION);
    CHECK_INT(v.action, ACTION_CANCEL);
    CHECK_INT(v.state, STATE_EXPIRED);
    CHECK(v.closed);
}

TEST(a_false_one_far_from_any_source_is_noise)
{
    struct image_score s = image_scene("sb26050404", 0, "VHF", 0.01);
    sample.nearest_px = 3.1;
    struct verdict v = decided(&s);
    CHECK_INT(v.call, CALL_FALSE);
    CHECK_INT(v.reason, REASON_NOISE);
}

TEST(a_false_one_with_stripes_is_a_column_effect)
{
    struct image_score s = image_scene("sb26050420", 0, "VHF", 0.05);
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            sample.mask[z][y] = MASK_BACKGROUND;
            sample.snr[z][y] = (float)((z * 7 + y * 3) % 5) / 4 + (y % 9 < 2 ? 3 : 0);
        }
    CHECK_INT(decided(&s).reason, REASON_COLUMN_EFFECT);
    s = image_scene("sb26050421", 0, "VHF", 0.05);
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            sample.mask[z][y] = MASK_BACKGROUND;
            sample.snr[z][y] = (float)((z * 7 + y * 3) % 5) / 4;
        }
    CHECK_INT(decided(&s).reason, REASON_NOISE);
}

TEST(between_the_thresholds_a_person_decides)
{
    struct image_score s = image_scene("sb26050405", 0, "VHF", 0.21);
    struct verdict v = decided(&s);
    CHECK_INT(v.call, CALL_UNCLEAR);
    CHECK_INT(v.reason, REASON_LOW_CONFIDENCE);
    CHECK_INT(v.action, ACTION_REVIEW);
    s = image_scene("sb26050406", 0, "VHF", 0.79);
    CHECK_INT(decided(&s).call, CALL_UNCLEAR);
}

TEST(without_data_at_the_trigger_nothing_is_called)
{
    struct image_score s = image_scene("sb26050407", 0, "VHF", 0.99);
    sample.flags = IMAGE_TRIGGER_NO_DATA | IMAGE_PARTIAL;
    sample.n_missing = 392;
    struct verdict v = decided(&s);
    CHECK_INT(v.call, CALL_UNCLEAR);
    CHECK_INT(v.reason, REASON_PARTIAL_IMAGE);
    CHECK_INT(v.evidence[0].quality, EVIDENCE_PARTIAL | EVIDENCE_TRIGGER_NO_DATA);
    CHECK(isnan(v.evidence[0].snr));
    CHECK_STR(v.reasons[0], "No data came for the trigger pixel; 392 pixels of the frame are missing.");
}

TEST(the_moon_is_never_followed_up)
{
    struct image_score s = image_scene("sb26050408", 0, "VHF", 0.99);
    sample.nearest_px = 0.5;
    (void)snprintf(sample.nearest_name, sizeof sample.nearest_name, "Moon");
    CHECK_INT(decided(&s).call, CALL_UNCLEAR);
    s = image_scene("sb26050409", 0, "VHF", 0.1);
    sample.nearest_px = 0.5;
    (void)snprintf(sample.nearest_name, sizeof sample.nearest_name, "Moon");
    CHECK_INT(decided(&s).reason, REASON_MOON);
}

TEST(a_false_one_in_the_anomaly_or_at_the_earths_edge_says_so)
{
    struct image_score s = image_scene("sb26050430", 0, "VHF", 0.05);
    sample.platform = (struct platform_state){.saa = SAA_IN};
    struct verdict v = decided(&s);
    CHECK_INT(v.reason, REASON_SAA);
    CHECK_STR(v.reasons[1], "The satellite was in the South Atlantic anomaly.");
    CHECK_INT(v.platform.saa, VERDICT_SAA_INSIDE);
    CHECK(isnan(v.platform.lat_deg) && isnan(v.platform.limb_deg));
    s = image_scene("sb26050431", 0, "VHF", 0.05);
    /* The trigger stands at dec 22.0: 44 degrees from the Earth's centre, 4 from its edge. */
    sample.platform = (struct platform_state){
        .saa = SAA_OUT, .has_position = true, .earth_deg = {83.6, -22}, .earth_radius_deg = 40, .sun_deg = {83.6, 32}};
    v = decided(&s);
    CHECK_INT(v.reason, REASON_EARTH_LIMB);
    CHECK_STR(v.reasons[1], "Its position stands 4.0 degrees above the Earth's limb.");
    CHECK_NEAR(v.platform.limb_deg, 4, 1e-9);
    CHECK_NEAR(v.platform.sun_deg, 10, 1e-9);
    s = image_scene("sb26050432", 0, "VHF", 0.95);
    sample.platform = (struct platform_state){.saa = SAA_IN};
    CHECK_INT(decided(&s).reason, REASON_POINT_SOURCE); /* what is true is not explained away */
}

TEST(later_sub_images_revise_and_the_trigger_time_stays)
{
    struct image_score s = image_scene("sb26050410", 1, "VHF", 0.5);
    CHECK_INT(decided(&s).record_number, 1);
    s = image_scene("sb26050410", 1, "XBAND", 0.9);
    struct verdict v = decided(&s);
    CHECK_INT(v.record_number, 2);
    CHECK_INT(v.type, ALERT_UPDATE);
    CHECK_INT(v.call, CALL_TRUE);
    CHECK_INT(v.trigger_ns, 1001);
    s = image_scene("sb26050410", 2, "VHF", 0.95);
    v = decided(&s);
    CHECK_INT(v.record_number, 3);
    CHECK_INT(v.trigger_ns, 1001);
    CHECK_INT(v.window.start_ns, 1002);
}

TEST(an_older_sub_image_comes_too_late)
{
    struct decide_settings settings = decide_defaults();
    struct burst_error e;
    struct verdict v = {.record_number = 42};
    struct image_score s = image_scene("sb26050411", 1, "XBAND", 0.9);
    (void)decided(&s);
    s = image_scene("sb26050411", 1, "VHF", 0.9);
    CHECK_REFUSED(image_decide(&book, &settings, &s, NULL, &v, &e), BURST_E_LATE, e, "alert 1 (VHF) of sb26050411");
    s = image_scene("sb26050411", 1, "XBAND", 0.9);
    packet.sha256[0] = 78;
    CHECK_REFUSED(image_decide(&book, &settings, &s, NULL, &v, &e), BURST_E_CONFLICT, e,
                  "sb26050411: sub-image ALERTCNT 1 of XBAND came before with other bytes");
    CHECK_INT(v.record_number, 42);
    settings.low = 0.9;
    CHECK_REFUSED(image_decide(&book, &settings, &s, NULL, &v, &e), BURST_E_RANGE, e, "detect.low");
}

TEST(the_same_sub_image_once_more_gives_the_same_record_once_more)
{
    struct image_score s = image_scene("sb26050414", 1, "VHF", 0.9);
    struct verdict first = decided(&s), again = decided(&s);
    CHECK_INT(memcmp(&first, &again, sizeof first), 0);
    s = image_scene("sb26050414", 1, "XBAND", 0.9);
    CHECK_INT(decided(&s).record_number, 2);
    struct decide_settings settings = decide_defaults();
    struct burst_error e;
    s = image_scene("sb26050414", 1, "VHF", 0.9); /* the first one is not the last one any more */
    CHECK_REFUSED(image_decide(&book, &settings, &s, NULL, &first, &e), BURST_E_LATE, e, "record 2");
}

TEST(a_true_one_that_becomes_false_is_retracted_for_good)
{
    struct image_score s = image_scene("sb26050412", 0, "VHF", 0.9);
    (void)decided(&s);
    s = image_scene("sb26050412", 1, "VHF", 0.5);
    CHECK_INT(decided(&s).type, ALERT_UPDATE);
    s = image_scene("sb26050412", 2, "VHF", 0.1);
    struct verdict v = decided(&s);
    CHECK_INT(v.type, ALERT_RETRACTION);
    CHECK_INT(v.state, STATE_RETRACTED);
    CHECK_INT(v.call, CALL_FALSE);
    CHECK(v.closed);
    s = image_scene("sb26050412", 3, "VHF", 0.99);
    v = decided(&s);
    CHECK_INT(v.type, ALERT_UPDATE);
    CHECK_INT(v.state, STATE_RETRACTED);
    CHECK_INT(v.call, CALL_UNCLEAR);
    CHECK_INT(v.reason, REASON_OTHER);
    s = image_scene("sb26050412", 4, "VHF", 0.1);
    CHECK_INT(decided(&s).type, ALERT_UPDATE); /* once is enough */
}

TEST(explanations_become_a_sentence)
{
    struct decide_settings settings = decide_defaults();
    static struct image_explanation x;
    struct verdict v;
    struct image_score s = image_scene("sb26050413", 0, "VHF", 0.93);
    x.p_without_centre = 0.08;
    x.p_without_sources = -1;
    CHECK_INT(image_decide(&book, &settings, &s, &x, &v, NULL), BURST_OK);
    CHECK_STR(v.reasons[1], "Without the 5 x 5 pixels at the trigger p is 0.080.");
    s = image_scene("sb26050413", 1, "VHF", 0.93);
    x.p_without_sources = 0.92;
    CHECK_INT(image_decide(&book, &settings, &s, &x, &v, NULL), BURST_OK);
    CHECK_STR(v.reasons[1], "Without the 5 x 5 pixels at the trigger p is 0.080, without the known sources 0.920.");
}

TEST(memory_is_bounded_and_the_longest_unseen_is_forgotten)
{
    char id[BURST_ID_TEXT];
    memset(&book, 0, sizeof book);
    for (int i = 0; i < BOOK_ALERTS + 1; i++) {
        (void)snprintf(id, sizeof id, "sb%08d", i);
        struct image_score s = image_scene(id, 0, "VHF", 0.9);
        CHECK_INT(decided(&s).record_number, 1);
        s = image_scene("sb00000001", i + 1, "VHF", 0.9); /* kept alive */
        if (i >= 1) CHECK_INT(decided(&s).record_number, i + 1);
    }
    struct image_score s = image_scene("sb00000002", 1, "VHF", 0.9);
    CHECK_INT(decided(&s).record_number, 2);
    s = image_scene("sb00000000", 1, "VHF", 0.9);
    CHECK_INT(decided(&s).record_number, 1);
}

TEST(a_sub_image_that_could_not_be_judged_is_unclear_and_counts_as_a_record)
{
    struct decide_settings settings = decide_defaults();
    struct burst_error e, why = {BURST_E_MODEL, "network eclairs-cnn answered nan for sample 0 of 1"};
    struct image_score s = image_scene("sb26050460", 0, "VHF", 0.9);
    struct model_tag model = {.name = "eclairs-cnn", .version = "1", .temperature = 1};
    struct verdict v;
    memset(&v, 0, sizeof v);
    CHECK_INT(image_decide_failed(&book, &settings, &sample, &model, &why, &v, &e), BURST_OK);
    CHECK_STR(v.id, "sb26050460");
    CHECK_INT(v.record_number, 1);
    CHECK_INT(v.type, ALERT_INITIAL);
    CHECK_INT(v.call, CALL_UNCLEAR);
    CHECK_INT(v.reason, REASON_INTERNAL);
    CHECK_INT(v.action, ACTION_REVIEW);
    CHECK_INT(v.state, STATE_OPEN);
    CHECK_NEAR(v.p_true, 0.5, 0);
    CHECK(isnan(v.classification[0]) && isnan(v.evidence[0].score) && isnan(v.latency_infer_s));
    CHECK_NEAR(v.ra_deg, 83.6, 0);
    CHECK_INT(v.evidence[0].input_sha256[0], 77);
    CHECK_STR(v.model[0].name, "eclairs-cnn");
    CHECK_STR(v.reasons[0], "This sub-image could not be judged (model): a person must look at it.");
    CHECK_STR(v.reasons[1], "network eclairs-cnn answered nan for sample 0 of 1.");
    packet.sha256[0] = 78;
    CHECK_REFUSED(image_decide_failed(&book, &settings, &sample, &model, &why, &v, &e), BURST_E_CONFLICT, e,
                  "other bytes");
    settings.low = 2;
    CHECK_REFUSED(image_decide_failed(&book, &settings, &sample, &model, &why, &v, &e), BURST_E_RANGE, e, "low");
    s = image_scene("sb26050460", 1, "VHF", 0.9);
    v = decided(&s);
    CHECK_INT(v.record_number, 2);
    CHECK_INT(v.type, ALERT_UPDATE);
    CHECK_INT(v.call, CALL_TRUE);
}

int main(void)
{
    RUN(a_new_source_is_true_and_followed_up);
    RUN(a_known_source_is_true_but_reviewed);
    RUN(a_false_one_beside_a_known_source_was_badly_subtracted);
    RUN(a_false_one_far_from_any_source_is_noise);
    RUN(a_false_one_with_stripes_is_a_column_effect);
    RUN(between_the_thresholds_a_person_decides);
    RUN(without_data_at_the_trigger_nothing_is_called);
    RUN(the_moon_is_never_followed_up);
    RUN(a_false_one_in_the_anomaly_or_at_the_earths_edge_says_so);
    RUN(later_sub_images_revise_and_the_trigger_time_stays);
    RUN(an_older_sub_image_comes_too_late);
    RUN(the_same_sub_image_once_more_gives_the_same_record_once_more);
    RUN(a_true_one_that_becomes_false_is_retracted_for_good);
    RUN(explanations_become_a_sentence);
    RUN(memory_is_bounded_and_the_longest_unseen_is_forgotten);
    RUN(a_sub_image_that_could_not_be_judged_is_unclear_and_counts_as_a_record);
    return check_report();
}
