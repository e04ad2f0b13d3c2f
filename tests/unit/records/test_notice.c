#include "check.h"
#include "records/notice.h"

TEST(an_empty_notice_says_nothing)
{
    struct notice n;
    (void)memset(&n, 0x5a, sizeof n);
    notice_clear(&n);
    const double *reals[] = {&n.trigger_digit_s,
                             &n.trigger_error_s,
                             &n.timescale_s,
                             &n.e_min_kev,
                             &n.e_max_kev,
                             &n.snr_sigma,
                             &n.duration_s,
                             &n.intensity,
                             &n.hardness,
                             &n.ra_deg,
                             &n.dec_deg,
                             &n.error_deg,
                             &n.containment,
                             &n.phi_deg,
                             &n.theta_deg,
                             &n.sun_angle_deg,
                             &n.moon_angle_deg,
                             &n.class_p,
                             &n.second_p,
                             &n.p_astro,
                             &n.far_hz,
                             &n.inference_p,
                             &n.attitude_ra_deg,
                             &n.attitude_dec_deg,
                             &n.attitude_roll_deg,
                             &n.sat_longitude_deg,
                             &n.sat_latitude_deg,
                             &n.sat_altitude_km,
                             &n.quaternion[0],
                             &n.quaternion[3]};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        CHECK_SAY(isnan(*reals[i]), "real %zu", i);
    CHECK(n.kind == NOTICE_INFORMATION && n.event_class == CLASS_N && n.source.instrument == INSTRUMENT_NONE);
    CHECK(!n.id[0] && !n.ivorn[0] && !n.text[0] && !n.trigger_ns && !n.n_cited && !n.flags && !n.detectors_known);
}

TEST(every_kind_flag_and_status_has_its_word)
{
    for (int i = 0; i < NOTICE_KIND_N; i++)
        CHECK(NOTICE_KIND_WORD[i] && NOTICE_KIND_WORD[i][0]);
    for (int i = 0; i < CITE_N; i++)
        CHECK(NOTICE_CITE_WORD[i] && NOTICE_CITE_WORD[i][0]);
    for (int i = 0; i < NOTICE_FLAG_N; i++)
        CHECK(NOTICE_FLAG_WORD[i] && NOTICE_FLAG_WORD[i][0]);
    for (int i = 1; i < SLEW_N; i++)
        CHECK(NOTICE_SLEW_WORD[i][0]);
    CHECK_STR(NOTICE_SLEW_WORD[SLEW_UNKNOWN], "");
    CHECK_STR(NOTICE_TRIGGER_TYPE_WORD[TRIGGER_TYPE_IMAGE], "image");
    CHECK_INT(1 << (NOTICE_FLAG_N - 1), NOTICE_LONG); /* the words are by bit number */
    CHECK_STR(NOTICE_FLAG_WORD[NOTICE_FLAG_N - 1], "long");
    CHECK_STR(NOTICE_FLAG_WORD[5], "lost_lock");
    CHECK_INT(1 << 5, NOTICE_LOST_LOCK);
}

int main(void)
{
    RUN(an_empty_notice_says_nothing);
    RUN(every_kind_flag_and_status_has_its_word);
    return check_report();
}
