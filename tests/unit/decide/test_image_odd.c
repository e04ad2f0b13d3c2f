/* Sub-images that are judged although something is wrong with them: no call, and why (docs/decisions/0008). */
#include "unit/decide/image_scene.h"

static struct image_score score(const char *id, unsigned flags, double p)
{
    struct image_score s = image_scene(id, 0, "VHF", p);
    sample.flags = flags;
    return s;
}

static void unclear(const struct verdict *v, enum reason_code reason, unsigned quality, const char *sentence)
{
    CHECK_INT(v->call, CALL_UNCLEAR);
    CHECK_INT(v->reason, reason);
    CHECK_INT(v->action, ACTION_REVIEW);
    CHECK_INT(v->evidence[0].quality, quality);
    CHECK_STR(v->reasons[0], sentence);
}

/* Whatever the network says: 0.99 would be true, 0.01 false. */
TEST(each_flag_forbids_a_call_and_says_why)
{
    static const struct {
        unsigned flags, quality;
        enum reason_code reason;
        const char *sentence[2];
    } CASES[] = {{IMAGE_SPARSE | IMAGE_PARTIAL,
                  EVIDENCE_PARTIAL,
                  REASON_PARTIAL_IMAGE,
                  {"Only 3136 of 3136 pixels have data: too few for a call; the network says 0.990.",
                   "Only 3136 of 3136 pixels have data: too few for a call; the network says 0.010."}},
                 {IMAGE_NO_WCS,
                  EVIDENCE_NO_WCS,
                  REASON_OTHER,
                  {"No usable sky coordinates (no CTYPE1): no known source is in the mask; the network says 0.990.",
                   "No usable sky coordinates (no CTYPE1): no known source is in the mask; the network says 0.010."}},
                 {IMAGE_SWAPPED,
                  EVIDENCE_SWAPPED,
                  REASON_OUT_OF_DISTRIBUTION,
                  {"The pixels came with their bytes in the wrong order; turned round, the network says 0.990.",
                   "The pixels came with their bytes in the wrong order; turned round, the network says 0.010."}},
                 {IMAGE_NO_NOISE,
                  EVIDENCE_NO_NOISE,
                  REASON_OUT_OF_DISTRIBUTION,
                  {"The pixels hardly differ from one another: no sky looks so.",
                   "The pixels hardly differ from one another: no sky looks so."}},
                 {IMAGE_OFF_AXIS,
                  EVIDENCE_WCS_CONFLICT,
                  REASON_OTHER,
                  {"The sky coordinates look 5.0 degrees away from where the attitude says the camera looked.",
                   "The sky coordinates look 5.0 degrees away from where the attitude says the camera looked."}}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int k = 0; k < 2; k++) {
            char id[BURST_ID_TEXT];
            (void)snprintf(id, sizeof id, "sb26odd%zu%d", i, k);
            struct image_score s = score(id, CASES[i].flags, k ? 0.01 : 0.99);
            (void)snprintf(packet.wcs_fault, sizeof packet.wcs_fault, "no CTYPE1");
            packet.wcs.crval_deg[1] = 10; /* and the axis looks at declination 5 */
            sample.platform.axis_deg[1] = 5;
            struct verdict v = decided(&s);
            unclear(&v, CASES[i].reason, CASES[i].quality, CASES[i].sentence[k]);
            CHECK_NEAR(v.p_true, s.p, 1e-12);
            CHECK_INT(v.state, STATE_OPEN);
        }
}

TEST(a_geocentric_moon_is_told_and_forbids_nothing)
{
    struct image_score s = score("sb26112020", IMAGE_GEOCENTRIC, 0.99);
    struct verdict v = decided(&s);
    CHECK_INT(v.call, CALL_TRUE);
    CHECK_INT(v.evidence[0].quality, EVIDENCE_GEOCENTRIC);
}

TEST(several_faults_are_all_told)
{
    struct image_score s = score("sb26112021", IMAGE_SWAPPED | IMAGE_NO_NOISE | IMAGE_NO_WCS, 0.99);
    sample.ra_deg = sample.dec_deg = NAN;
    struct verdict v = decided(&s);
    unclear(&v, REASON_OUT_OF_DISTRIBUTION, EVIDENCE_SWAPPED | EVIDENCE_NO_NOISE | EVIDENCE_NO_WCS,
            "The pixels came with their bytes in the wrong order; turned round, the network says 0.990.");
    CHECK_INT(v.n_reason, 3);
    CHECK(isnan(v.ra_deg));
}

/* A notice with a radius of 0.2 degrees: 3 radii and 1 degree are 1.6. */
static struct verdict after_notice(const char *id, double dec_deg, double error_deg)
{
    struct source svom = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS};
    struct alert *a = book_add(&book, svom, id, 1000);
    a->ra_deg = 83.6;
    a->dec_deg = dec_deg;
    a->error_deg = error_deg;
    a->containment = 0.9;
    struct image_score s = score(id, 0, 0.99);
    return decided(&s);
}

TEST(a_trigger_pixel_far_from_the_notices_position_is_told_and_not_called)
{
    struct verdict v = after_notice("sb26112030", 23.59, 0.2);
    CHECK_INT(v.call, CALL_TRUE);
    CHECK_INT(v.evidence[0].quality, 0);
    v = after_notice("sb26112031", 23.61, 0.2);
    unclear(&v, REASON_OTHER, EVIDENCE_WCS_CONFLICT,
            "The sky coordinates put the trigger 1.6 degrees from the notice's position.");
    v = after_notice("sb26112032", 23.61, 0.3);
    CHECK_INT(v.call, CALL_TRUE);
    v = after_notice("sb26112033", 80, (double)NAN); /* a notice that does not say how well it knows */
    CHECK_INT(v.call, CALL_TRUE);
    CHECK_INT(v.evidence[0].quality, 0);
}

TEST(the_digest_of_the_sample_is_in_the_verdict_id)
{
    struct decide_settings settings = decide_defaults();
    struct verdict one = {.record_number = 0}, same, other;
    struct image_score s = score("sb26112040", 0, 0.99);
    static struct book fresh[3];
    CHECK_INT(image_decide(&fresh[0], &settings, &s, NULL, &one, NULL), BURST_OK);
    settings.config_sha256[0] = 1; /* what light curves are judged with */
    CHECK_INT(image_decide(&fresh[1], &settings, &s, NULL, &same, NULL), BURST_OK);
    sample.config_sha256[0] = 1; /* another catalogue */
    CHECK_INT(image_decide(&fresh[2], &settings, &s, NULL, &other, NULL), BURST_OK);
    CHECK(memcmp(one.verdict_id, same.verdict_id, sizeof one.verdict_id) == 0);
    CHECK(memcmp(one.verdict_id, other.verdict_id, sizeof one.verdict_id) != 0);
}

int main(void)
{
    RUN(each_flag_forbids_a_call_and_says_why);
    RUN(a_geocentric_moon_is_told_and_forbids_nothing);
    RUN(several_faults_are_all_told);
    RUN(a_trigger_pixel_far_from_the_notices_position_is_told_and_not_called);
    RUN(the_digest_of_the_sample_is_in_the_verdict_id);
    return check_report();
}
