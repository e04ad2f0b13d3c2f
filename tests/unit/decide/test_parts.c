/* Settings, angular test, common fields and identity. Expected numbers: numpy, Python's hashlib. */
#include "base/bytes.h"
#include "check.h"
#include "decide/angular.h"
#include "decide/compose.h"
#include "decide/settings.h"

TEST(equal_excesses_speak_for_particles)
{
    static const double excess[8] = {100, 105, 95, 102, 98, 101, 99, 100}, sigma[8] = {10, 10, 10, 10, 10, 10, 10, 10};
    struct angular a = angular_test(excess, sigma, 8);
    CHECK(a.tested);
    CHECK_NEAR(a.alike, 11.529191036445225, 1e-9);
    CHECK_NEAR(a.scatter, 0, 0);
}

TEST(scattered_excesses_speak_for_a_direction)
{
    static const double excess[8] = {300, 250, 200, 100, 50, 20, 10, 5}, sigma[8] = {15, 14, 13, 11, 10, 10, 10, 10};
    struct angular a = angular_test(excess, sigma, 8);
    CHECK(a.tested);
    CHECK_NEAR(a.alike, -143.58066605565466, 1e-8);
    CHECK_NEAR(a.scatter, 0.933051340325527, 1e-9);
}

TEST(few_detectors_or_faint_excesses_are_not_tested)
{
    static const double excess[6] = {100, 100, 100, 100, 100, 100}, faint[6] = {2, 2, 2, 2, 2, 2};
    static const double sigma[6] = {1, 1, 1, 1, 1, 1};
    CHECK(angular_test(excess, sigma, 6).tested);
    CHECK(!angular_test(excess, sigma, 5).tested);
    CHECK(!angular_test(excess, sigma, 0).tested);
    CHECK(!angular_test(faint, sigma, 6).tested); /* 12 over sqrt(6): 4.9 */
}

TEST(verdict_ids_are_blake2b_over_length_prefixed_pieces)
{
    struct verdict v = {.id = "Fermi-GBM-20110721T044743.728Z", .record_number = 2, .n_evidence = 2, .n_model = 1};
    uint8_t config[32];
    char text[33];
    memset(config, 9, sizeof config);
    for (int i = 0; i < 32; i++) {
        v.evidence[0].input_sha256[i] = (uint8_t)i;
        v.evidence[1].input_sha256[i] = 7;
        memcpy(v.model[0].sha256 + 2 * i, "ab", 2);
    }
    compose_identity(&v, config);
    bytes_hex(v.verdict_id, sizeof v.verdict_id, text);
    CHECK_STR(text, "675f6bcb802c0b0e5f7c622b7340636c");
    config[31] = 8;
    compose_identity(&v, config);
    bytes_hex(v.verdict_id, sizeof v.verdict_id, text);
    CHECK(strcmp(text, "675f6bcb802c0b0e5f7c622b7340636c") != 0);
}

TEST(a_verdict_begins_with_everything_unknown)
{
    struct verdict v;
    compose_begin((struct source){REALM_ARCHIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}, &v);
    CHECK_INT(v.tense, TENSE_ARCHIVAL);
    CHECK(isnan(v.p_lo) && isnan(v.p_astro) && isnan(v.ra_deg) && isnan(v.dec_deg) && isnan(v.ra_dec_error_deg));
    CHECK(isnan(v.containment) && isnan(v.latency_since_trigger_s));
    CHECK_INT(v.trigger_refined_ns, 0);
    compose_begin((struct source){REALM_TEST, MISSION_SVOM, INSTRUMENT_ECLAIRS}, &v);
    CHECK_INT(v.tense, TENSE_TEST);
    compose_begin((struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}, &v);
    CHECK_INT(v.tense, TENSE_CURRENT);
}

TEST(sentences_are_cut_and_counted)
{
    struct verdict v = {.n_reason = 0};
    compose_sentence(&v, "%0300d", 7);
    CHECK_INT(strlen(v.reasons[0]), REASON_TEXT - 1);
    for (int i = 1; i < REASON_MAX + 2; i++)
        compose_sentence(&v, "number %d", i);
    CHECK_INT(v.n_reason, REASON_MAX);
    CHECK_STR(v.reasons[REASON_MAX - 1], "number 2");
}

TEST(actions_follow_the_class_table)
{
    CHECK_INT(compose_action(CALL_TRUE, REASON_BURST_LIKE), ACTION_FOLLOW_UP);
    CHECK_INT(compose_action(CALL_TRUE, REASON_POINT_SOURCE), ACTION_FOLLOW_UP);
    CHECK_INT(compose_action(CALL_TRUE, REASON_KNOWN_SOURCE), ACTION_REVIEW);
    CHECK_INT(compose_action(CALL_TRUE, REASON_SGR), ACTION_REVIEW);
    CHECK_INT(compose_action(CALL_FALSE, REASON_PARTICLE), ACTION_CANCEL);
    CHECK_INT(compose_action(CALL_UNCLEAR, REASON_LOW_CONFIDENCE), ACTION_REVIEW);
}

TEST(the_logistic_function_is_calm_at_both_ends)
{
    CHECK_NEAR(compose_logistic(0), 0.5, 0);
    CHECK_NEAR(compose_logistic(log(4.0)), 0.8, 1e-15);
    CHECK_NEAR(compose_logistic(-1e4), 0, 0);
    CHECK_NEAR(compose_logistic(1e4), 1, 0);
}

TEST(settings_out_of_range_are_named)
{
    struct decide_settings s = decide_defaults();
    struct burst_error e;
    CHECK_INT(decide_settings_check(&s, &e), BURST_OK);
    s.open = 0;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "detect.open");
    s = decide_defaults();
    s.low = 1;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "detect.low is 1");
    s = decide_defaults();
    s.high = NAN;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "detect.high");
    s = decide_defaults();
    s.low = s.high;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "not below");
    s = decide_defaults();
    s.quiet_s = 0;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "quiet_s");
    s = decide_defaults();
    s.merge_s = 3601;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "merge_s");
    s = decide_defaults();
    s.revision_gap_s = -1;
    CHECK_REFUSED(decide_settings_check(&s, &e), BURST_E_RANGE, e, "min_revision_gap_s");
}

int main(void)
{
    RUN(equal_excesses_speak_for_particles);
    RUN(scattered_excesses_speak_for_a_direction);
    RUN(few_detectors_or_faint_excesses_are_not_tested);
    RUN(verdict_ids_are_blake2b_over_length_prefixed_pieces);
    RUN(a_verdict_begins_with_everything_unknown);
    RUN(sentences_are_cut_and_counted);
    RUN(actions_follow_the_class_table);
    RUN(the_logistic_function_is_calm_at_both_ends);
    RUN(settings_out_of_range_are_named);
    return check_report();
}
