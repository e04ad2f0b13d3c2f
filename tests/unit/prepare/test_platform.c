/* Histories and states. Positions are those of test_orbit.c's path (scipy) or astropy's of test_frame.c; angles are
 * astropy's or by hand. */
#include "check.h"
#include "prepare/platform.h"

static struct burst_error error;
static const int64_t T0 = INT64_C(1560760269184000000); /* 2019-06-17T08:30:00 UTC */
static const int64_t S = 1000000000;
static const double PLACE[3] = {-5824.1, 3370.2, 1532.8};

static struct platform_packet bare(double t_s)
{
    struct platform_packet p;
    memset(&p, 0, sizeof p);
    p.t_ns = T0 + llround(t_s * 1e9);
    return p;
}

static struct platform_packet placed(double t_s, const double km[3])
{
    struct platform_packet p = bare(t_s);
    p.has_position = true;
    memcpy(p.position_km, km, sizeof p.position_km);
    return p;
}

static struct platform_packet turned(double t_s, enum platform_attitude attitude, double angle_deg)
{
    struct platform_packet p = bare(t_s);
    p.attitude = attitude;
    p.quaternion[2] = sin(angle_deg * M_PI / 360); /* about z */
    p.quaternion[3] = cos(angle_deg * M_PI / 360);
    return p;
}

static struct platform_packet word(double t_s, enum platform_saa saa)
{
    struct platform_packet p = bare(t_s);
    p.saa = saa;
    return p;
}

static struct platform_history *new_history(void)
{
    struct platform_history *h = NULL;
    CHECK_INT(platform_history_new(&h, &error), BURST_OK);
    return h;
}

static void add(struct platform_history *h, struct platform_packet p)
{
    CHECK_SAY(platform_history_add(h, &p, &error) == BURST_OK, "%s", error.text);
}

static struct platform_state state(const struct platform_history *h, enum burst_mission mission, double t_s)
{
    struct platform_state s;
    platform_state_at(h, mission, T0 + llround(t_s * 1e9), &s);
    return s;
}

TEST(an_empty_history_has_a_state_too)
{
    struct platform_history *h = new_history();
    struct platform_state s = state(h, MISSION_SVOM, 0), want;
    int64_t latest = 7;
    memset(&want, 0, sizeof want);
    want.t_ns = T0;
    CHECK(memcmp(&s, &want, sizeof s) == 0); /* all else is zero */
    CHECK(!platform_history_latest(h, &latest) && latest == 7);
    platform_history_free(h);
    platform_history_free(NULL);
}

TEST(a_sample_says_where_the_satellite_stands_and_what_it_sees)
{
    struct platform_history *h = new_history();
    add(h, placed(0, PLACE));
    struct platform_state s = state(h, MISSION_SVOM, 0);
    CHECK_INT(s.state, PLATFORM_KNOWN);
    CHECK(s.has_position && s.age_s == 0 && s.position_error_km == 0);
    CHECK_NEAR(s.lat_deg, 12.909931, 2e-4); /* polar motion: 14 m */
    CHECK_NEAR(s.lon_deg, 117.131569, 0.004);
    CHECK_NEAR(s.alt_km, 524.2169, 0.02);
    CHECK_NEAR(s.position_icrs_km[0], -5806.5215, 0.02);
    CHECK_NEAR(s.earth_deg[0], 329.68194, 1e-3);   /* atan2(-3395.478, 5806.522) */
    CHECK_NEAR(s.earth_deg[1], -12.92520, 1e-3);   /* asin(-1543.665 / 6900.44) */
    CHECK_NEAR(s.earth_radius_deg, 67.5472, 1e-3); /* asin(6378.137 / 6901.294) */
    CHECK_NEAR(s.sun_deg[0], 85.22707, 0.01);
    CHECK_NEAR(s.sun_deg[1], 23.36415, 0.01);
    CHECK_NEAR(s.moon_deg[0], 266.24443, 0.01);
    CHECK_NEAR(s.moon_deg[1], -21.46867, 0.01);
    /* Sun to the Earth's centre: 118.33 degrees, less the radius */
    CHECK_NEAR(s.sun_limb_deg, platform_separation_deg(s.sun_deg, s.earth_deg) - 67.5472, 1e-3);
    CHECK(!s.is_night && s.sun_limb_deg > 40);
    CHECK(s.l_shell > 0.9 && s.l_shell < 1.2 && s.b_nt > 25000 && s.b_nt < 40000); /* the dip equator is near */
    CHECK_INT(s.saa, SAA_OUT);
    CHECK_INT(s.saa_by, SAA_BY_POLYGON);
    CHECK(s.attitude == ATTITUDE_UNKNOWN && !s.has_pointing && s.axis_limb_deg == 0);
    platform_history_free(h);
}

TEST(behind_the_earth_it_is_night)
{
    struct platform_history *h = new_history();
    const double away[3] = {-600, -6200, -2700}; /* about opposite the Sun of June */
    add(h, placed(0, away));
    struct platform_state s = state(h, MISSION_SVOM, 0);
    CHECK(s.is_night && s.sun_limb_deg < -60);
    platform_history_free(h);
}

/* Two points of a path 120 s apart; the middle one is scipy's. */
TEST(between_samples_the_position_follows_the_path)
{
    static const double a[3] = {5625.552504454, 3611.173893137, 2001.694193934},
                        middle[3] = {5345.563072173, 3923.071713593, 2174.594160343},
                        b[3] = {5042.991535661, 4218.396721451, 2338.282662426};
    struct platform_history *h = new_history(), *exact = new_history();
    add(h, placed(60, b));
    add(h, placed(-60, a)); /* in any order */
    add(exact, placed(0, middle));
    struct platform_state s = state(h, MISSION_SVOM, 0), want = state(exact, MISSION_SVOM, 0);
    CHECK_INT(s.state, PLATFORM_KNOWN);
    CHECK_NEAR(s.age_s, 60, 1e-9);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(s.position_icrs_km[i], want.position_icrs_km[i], 0.03);
    CHECK(s.position_error_km > 0 && s.position_error_km < 0.1);
    s = state(h, MISSION_SVOM, 1.0);
    CHECK_INT(s.state, PLATFORM_KNOWN); /* 59 s and 61 s away: one is near */
    platform_history_free(h);
    platform_history_free(exact);
}

TEST(past_the_last_sample_the_motion_goes_on_for_a_minute)
{
    static const double a[3] = {5345.563072173, 3923.071713593, 2174.594160343},
                        b[3] = {5296.669256104, 3973.477980284, 2202.534461214},
                        later[3] = {5042.991535661, 4218.396721451, 2338.282662426};
    struct platform_history *h = new_history(), *exact = new_history();
    add(h, placed(0, a));
    add(h, placed(10, b));
    add(exact, placed(60, later));
    struct platform_state s = state(h, MISSION_SVOM, 60), want = state(exact, MISSION_SVOM, 60);
    CHECK_INT(s.state, PLATFORM_KNOWN);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(s.position_icrs_km[i], want.position_icrs_km[i], 0.05);
    CHECK_INT(state(h, MISSION_SVOM, 70).state, PLATFORM_KNOWN);
    s = state(h, MISSION_SVOM, 70.001);
    CHECK_INT(s.state, PLATFORM_STALE);
    CHECK_NEAR(s.age_s, 60.001, 1e-9);
    CHECK(!s.has_position && s.lat_deg == 0 && s.saa == SAA_UNKNOWN && s.position_error_km == 0);
    CHECK_INT(state(h, MISSION_SVOM, -60).state, PLATFORM_KNOWN);
    CHECK_INT(state(h, MISSION_SVOM, -60.001).state, PLATFORM_STALE);
    platform_history_free(h);
    platform_history_free(exact);
}

TEST(a_lone_sample_serves_for_a_few_seconds)
{
    struct platform_history *h = new_history();
    add(h, placed(0, PLACE));
    struct platform_state s = state(h, MISSION_SVOM, 5);
    CHECK_INT(s.state, PLATFORM_KNOWN);
    CHECK_NEAR(s.position_error_km, 5 * 10.74785, 1e-3); /* escape velocity at 6,901.294 km */
    CHECK_INT(state(h, MISSION_SVOM, 5.001).state, PLATFORM_STALE);
    CHECK_INT(state(h, MISSION_SVOM, -5).state, PLATFORM_KNOWN);
    platform_history_free(h);
}

TEST(two_samples_no_satellite_could_join_give_no_position)
{
    static const double other_side[3] = {5824.1, -3370.2, 1532.8};
    struct platform_history *h = new_history();
    add(h, placed(0, PLACE));
    add(h, placed(10, other_side));
    CHECK_INT(state(h, MISSION_SVOM, 5).state, PLATFORM_STALE);
    CHECK_INT(state(h, MISSION_SVOM, 12).state, PLATFORM_STALE); /* their velocity is none */
    CHECK_INT(state(h, MISSION_SVOM, 10).state, PLATFORM_KNOWN); /* what was sent for this very moment is told */
    platform_history_free(h);
}

TEST(the_missions_word_on_the_anomaly_comes_before_the_map)
{
    struct platform_history *h = new_history();
    add(h, placed(0, PLACE)); /* over the Philippines */
    add(h, word(10, SAA_IN));
    add(h, word(30, SAA_OUT));
    struct platform_state s = state(h, MISSION_GECAM_B, 0);
    CHECK_INT(s.saa, SAA_IN);
    CHECK_INT(s.saa_by, SAA_BY_MISSION);
    CHECK_INT(state(h, MISSION_GECAM_B, 19).saa, SAA_IN);
    CHECK_INT(state(h, MISSION_GECAM_B, 21).saa, SAA_OUT);
    s = state(h, MISSION_GECAM_B, 90); /* no position any more, but a word */
    CHECK(s.state == PLATFORM_STALE && s.saa == SAA_OUT && s.saa_by == SAA_BY_MISSION);
    s = state(h, MISSION_GECAM_B, 91);
    CHECK(s.saa == SAA_UNKNOWN && s.saa_by == SAA_BY_NOBODY);
    platform_history_free(h);
}

TEST(words_without_a_position_are_absent_and_still_told)
{
    struct platform_history *h = new_history();
    add(h, word(0, SAA_IN));
    struct platform_state s = state(h, MISSION_GECAM_B, 3);
    CHECK_INT(s.state, PLATFORM_ABSENT);
    CHECK(s.saa == SAA_IN && s.age_s == 0);
    platform_history_free(h);
}

TEST(an_attitude_turns_evenly_between_two)
{
    struct platform_history *h = new_history();
    add(h, turned(0, ATTITUDE_VALID, 20));
    add(h, turned(60, ATTITUDE_VALID, 80));
    struct platform_state s = state(h, MISSION_SVOM, 15);
    CHECK(s.state == PLATFORM_ABSENT && s.attitude == ATTITUDE_VALID && s.has_pointing);
    CHECK_NEAR(s.axis_deg[0], 35, 1e-9); /* +X of SVOM, turned by 20 + 60 / 4 */
    CHECK_NEAR(s.axis_deg[1], 0, 1e-9);
    s = state(h, MISSION_FERMI, 15);
    CHECK_NEAR(s.axis_deg[1], 90, 1e-9);                            /* +Z */
    CHECK_NEAR(state(h, MISSION_SVOM, 64.9).axis_deg[0], 80, 1e-9); /* held */
    CHECK_INT(state(h, MISSION_SVOM, 65.1).attitude, ATTITUDE_UNKNOWN);
    platform_history_free(h);
}

TEST(across_a_long_gap_an_attitude_is_not_guessed)
{
    struct platform_history *h = new_history();
    add(h, turned(0, ATTITUDE_VALID, 20));
    add(h, turned(61, ATTITUDE_VALID, 80));
    CHECK_NEAR(state(h, MISSION_SVOM, 4).axis_deg[0], 20, 1e-9);
    CHECK_INT(state(h, MISSION_SVOM, 30).attitude, ATTITUDE_UNKNOWN);
    CHECK_NEAR(state(h, MISSION_SVOM, 57).axis_deg[0], 80, 1e-9);
    platform_history_free(h);
}

TEST(an_attitude_the_mission_does_not_trust_is_invalid_on_both_sides)
{
    struct platform_history *h = new_history();
    add(h, turned(0, ATTITUDE_VALID, 20));
    add(h, turned(10, ATTITUDE_INVALID, 0));
    add(h, turned(20, ATTITUDE_VALID, 20));
    CHECK_INT(state(h, MISSION_SVOM, 0).attitude, ATTITUDE_VALID);
    CHECK_INT(state(h, MISSION_SVOM, 1).attitude, ATTITUDE_INVALID);
    CHECK_INT(state(h, MISSION_SVOM, 19).attitude, ATTITUDE_INVALID);
    CHECK(!state(h, MISSION_SVOM, 19).has_pointing);
    CHECK_INT(state(h, MISSION_SVOM, 20).attitude, ATTITUDE_VALID);
    platform_history_free(h);
}

TEST(the_axis_has_angles_to_sun_moon_and_limb)
{
    struct platform_history *h = new_history();
    struct platform_packet p = placed(0, PLACE);
    p.attitude = ATTITUDE_VALID;
    p.quaternion[3] = 1; /* +X of the spacecraft at right ascension 0, declination 0 */
    add(h, p);
    struct platform_state s = state(h, MISSION_SVOM, 0);
    const double zero[2] = {0, 0};
    CHECK_NEAR(s.axis_sun_deg, platform_separation_deg(zero, s.sun_deg), 1e-9);
    CHECK_NEAR(s.axis_moon_deg, platform_separation_deg(zero, s.moon_deg), 1e-9);
    /* cos 329.682 cos -12.927: the Earth's centre is 32.71 degrees away, its radius 67.55 */
    CHECK_NEAR(s.axis_limb_deg, 32.7145 - 67.5472, 0.01);
    platform_history_free(h);
}

/* Of one second the earliest stays; what comes in which order does not matter. */
TEST(the_order_of_coming_does_not_matter)
{
    const double at[6] = {0.2, 0.7, 3.5, 1.1, 0.9, 2.0};
    struct platform_state first;
    for (int round = 0; round < 6; round++) {
        struct platform_history *h = new_history();
        for (int i = 0; i < 6; i++) {
            struct platform_packet p = turned(at[(i * 5 + round) % 6], ATTITUDE_VALID, 10 * at[(i * 5 + round) % 6]);
            (void)platform_history_add(h, &p, &error);
        }
        struct platform_state s = state(h, MISSION_SVOM, 0.8);
        if (round == 0) first = s;
        CHECK(memcmp(&s, &first, sizeof s) == 0);
        CHECK_NEAR(s.axis_deg[0], 8, 1e-9);
        platform_history_free(h);
    }
}

TEST(a_sample_of_the_same_moment_must_say_the_same)
{
    struct platform_history *h = new_history();
    struct platform_packet p = placed(0, PLACE);
    add(h, p);
    CHECK_INT(platform_history_add(h, &p, &error), BURST_OK);
    p.position_km[0] += 1;
    CHECK_REFUSED(platform_history_add(h, &p, &error), BURST_E_CONFLICT, error, "2019-06-17T08:30:00");
    CHECK_NEAR(state(h, MISSION_SVOM, 0).alt_km, 524.2169, 0.02);
    platform_history_free(h);
}

TEST(the_history_is_bounded_and_a_wrong_clock_does_not_empty_it)
{
    struct platform_history *h = new_history();
    int64_t latest;
    for (int i = 0; i < 3; i++)
        add(h, placed(i, PLACE));
    add(h, placed(PLATFORM_SECONDS + 1, PLACE)); /* takes the place of second 1 alone */
    CHECK_INT(state(h, MISSION_SVOM, 2).state, PLATFORM_KNOWN);
    CHECK_INT(state(h, MISSION_SVOM, 0).state, PLATFORM_KNOWN);
    CHECK(platform_history_latest(h, &latest) && latest == T0 + (PLATFORM_SECONDS + 1) * S);
    struct platform_packet p = placed(1, PLACE);
    CHECK_REFUSED(platform_history_add(h, &p, &error), BURST_E_LATE, error, "7200 s before others");
    platform_history_forget(h);
    CHECK_INT(state(h, MISSION_SVOM, 2).state, PLATFORM_ABSENT);
    add(h, p);
    platform_history_free(h);
}

int main(void)
{
    RUN(an_empty_history_has_a_state_too);
    RUN(a_sample_says_where_the_satellite_stands_and_what_it_sees);
    RUN(behind_the_earth_it_is_night);
    RUN(between_samples_the_position_follows_the_path);
    RUN(past_the_last_sample_the_motion_goes_on_for_a_minute);
    RUN(a_lone_sample_serves_for_a_few_seconds);
    RUN(two_samples_no_satellite_could_join_give_no_position);
    RUN(the_missions_word_on_the_anomaly_comes_before_the_map);
    RUN(words_without_a_position_are_absent_and_still_told);
    RUN(an_attitude_turns_evenly_between_two);
    RUN(across_a_long_gap_an_attitude_is_not_guessed);
    RUN(an_attitude_the_mission_does_not_trust_is_invalid_on_both_sides);
    RUN(the_axis_has_angles_to_sun_moon_and_limb);
    RUN(the_order_of_coming_does_not_matter);
    RUN(a_sample_of_the_same_moment_must_say_the_same);
    RUN(the_history_is_bounded_and_a_wrong_clock_does_not_empty_it);
    return check_report();
}
