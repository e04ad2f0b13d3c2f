/* Platform messages: what is known, what stays unknown, and each refusal. */
#include "check.h"
#include "ingest/platform.h"

static struct burst_error error;
static const struct source FROM = {REALM_TEST, MISSION_SVOM, INSTRUMENT_NONE};

static enum burst_err take(const char *json, struct platform_packet *ret_p)
{
    return ingest_platform(FROM, (const uint8_t *)json, strlen(json), ret_p, &error);
}

TEST(a_whole_message_is_read)
{
    struct platform_packet p;
    CHECK_INT(take("{\"time\":\"2019-06-17T08:30:00.250Z\",\"position_km\":[-5824.1,3370.2,1532.8],"
                   "\"quaternion\":[0.1,-0.2,0.3,0.927362],\"saa\":false,\"attitude_valid\":true}",
                   &p),
              BURST_OK);
    CHECK_INT(p.t_ns, INT64_C(1560760269434000000)); /* TAI-UTC is 37 s, TT-TAI 32.184 s */
    CHECK_INT(p.source.realm, REALM_TEST);
    CHECK_INT(p.source.mission, MISSION_SVOM);
    CHECK_INT(p.source.instrument, INSTRUMENT_NONE);
    CHECK(p.has_position && p.attitude == ATTITUDE_VALID && p.saa == SAA_OUT);
    CHECK_NEAR(p.position_km[0], -5824.1, 0);
    CHECK_NEAR(p.position_km[2], 1532.8, 0);
    CHECK_NEAR(p.quaternion[1], -0.2, 1e-6);
    CHECK_NEAR(p.quaternion[3], 0.927362, 1e-6);
}

TEST(what_is_absent_or_null_stays_unknown)
{
    static const char *const little[] = {
        "{\"time\":\"2026-01-01T00:00:00Z\"}",
        "{\"time\":\"2026-01-01T00:00:00Z\",\"position_km\":null,\"quaternion\":null,\"saa\":null}",
        "{\"time\":\"2026-01-01T00:00:00Z\",\"attitude_valid\":null}",
        "{\"time\":\"2026-01-01T00:00:00Z\",\"temperature\":21,\"note\":{\"saa\":[true]}}",
    };
    for (size_t i = 0; i < sizeof little / sizeof *little; i++) {
        struct platform_packet p;
        CHECK_INT(take(little[i], &p), BURST_OK);
        CHECK(!p.has_position && p.attitude == ATTITUDE_UNKNOWN && p.saa == SAA_UNKNOWN);
    }
}

static struct platform_packet with(const char *members)
{
    char json[512];
    struct platform_packet p;
    memset(&p, 0, sizeof p);
    (void)snprintf(json, sizeof json, "{\"time\":\"2026-01-01T00:00:00Z\",%s}", members);
    CHECK_SAY(take(json, &p) == BURST_OK, "%s", error.text);
    return p;
}

TEST(validity_and_quaternion_say_together_what_is_known)
{
    CHECK_INT(with("\"quaternion\":[0,0,0,1]").attitude, ATTITUDE_VALID);
    CHECK_INT(with("\"quaternion\":[0,0,0,1],\"attitude_valid\":null").attitude, ATTITUDE_VALID);
    CHECK_INT(with("\"quaternion\":[0,0,0,1],\"attitude_valid\":false").attitude, ATTITUDE_INVALID);
    CHECK_INT(with("\"attitude_valid\":false").attitude, ATTITUDE_INVALID);
    CHECK_INT(with("\"saa\":true").saa, SAA_IN);
}

TEST(a_quaternion_is_divided_by_its_length)
{
    struct platform_packet p = with("\"quaternion\":[0,0.6004,0,0.8004]");
    CHECK_NEAR(hypot(p.quaternion[1], p.quaternion[3]), 1, 1e-15);
    CHECK_NEAR(p.quaternion[1] / p.quaternion[3], 0.6004 / 0.8004, 1e-15);
    p = with("\"quaternion\":[0,-1,0,0]");
    CHECK_NEAR(p.quaternion[1], -1, 0); /* its sign is the sender's */
}

TEST(the_shell_of_positions_has_edges)
{
    CHECK(with("\"position_km\":[6500,0,0]").has_position);
    CHECK(with("\"position_km\":[0,0,-50000]").has_position);
    CHECK(with("\"position_km\":[7000,0,0.0]").has_position); /* whole numbers are numbers */
}

TEST(wrong_members_are_refused_by_name_and_change_nothing)
{
    static const struct {
        const char *members, *part;
        enum burst_err code;
    } row[] = {
        {"\"position_km\":[6499.9,0,0]", "6499.9 km from the centre", BURST_E_RANGE},
        {"\"position_km\":[50000.1,0,0]", "50000.1 km", BURST_E_RANGE},
        {"\"position_km\":[1e308,1e308,1e308]", "1.73205e+308 km", BURST_E_RANGE},
        {"\"position_km\":[0,0,0]", "0 km", BURST_E_RANGE},
        {"\"position_km\":[7000,0]", "array of 3 numbers", BURST_E_FORMAT},
        {"\"position_km\":[7000,0,0,0]", "array of 3 numbers", BURST_E_FORMAT},
        {"\"position_km\":\"7000\"", "array of 3 numbers", BURST_E_FORMAT},
        {"\"position_km\":[7000,null,0]", "\"position_km\"[1] is no number", BURST_E_FORMAT},
        {"\"position_km\":[7000,true,0]", "\"position_km\"[1] is no number", BURST_E_FORMAT},
        {"\"quaternion\":[0,0,0,1.00101]", "length 1.00101", BURST_E_RANGE},
        {"\"quaternion\":[0,0,0,0]", "length 0", BURST_E_RANGE},
        {"\"quaternion\":[0,0,0,0],\"attitude_valid\":false", "length 0", BURST_E_RANGE},
        {"\"quaternion\":[0,0,1]", "array of 4 numbers", BURST_E_FORMAT},
        {"\"saa\":0", "\"saa\" is neither", BURST_E_FORMAT},
        {"\"saa\":\"in\"", "\"saa\" is neither", BURST_E_FORMAT},
        {"\"attitude_valid\":1", "\"attitude_valid\" is neither", BURST_E_FORMAT},
        {"\"attitude_valid\":true", "no \"quaternion\"", BURST_E_MISSING},
        {"\"saa\":true,\"saa\":false", "duplicate", BURST_E_FORMAT},
        {"\"position_km\":[NaN,0,0]", "no JSON object", BURST_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char json[512];
        struct platform_packet p;
        memset(&p, 7, sizeof p);
        struct platform_packet before = p;
        (void)snprintf(json, sizeof json, "{\"time\":\"2026-01-01T00:00:00Z\",%s}", row[i].members);
        CHECK_REFUSED(take(json, &p), row[i].code, error, row[i].part);
        CHECK(memcmp(&p, &before, sizeof p) == 0);
    }
}

TEST(the_time_must_be_there_and_be_utc)
{
    struct platform_packet p;
    CHECK_REFUSED(take("{}", &p), BURST_E_MISSING, error, "\"time\" is absent");
    CHECK_REFUSED(take("{\"time\":null}", &p), BURST_E_MISSING, error, "\"time\" is absent");
    CHECK_REFUSED(take("{\"time\":1560760200}", &p), BURST_E_FORMAT, error, "\"time\" is no text");
    CHECK_REFUSED(take("{\"time\":\"2026-02-30T00:00:00Z\"}", &p), BURST_E_TIME, error, "\"time\": '2026-02-30");
    CHECK_REFUSED(take("{\"time\":\"yesterday\"}", &p), BURST_E_TIME, error, "'yesterday'");
}

TEST(what_is_no_object_or_too_large_is_refused)
{
    static uint8_t large[INGEST_PLATFORM_MOST + 1];
    struct platform_packet p;
    CHECK_REFUSED(take("", &p), BURST_E_FORMAT, error, "no JSON object");
    CHECK_REFUSED(take("[1,2]", &p), BURST_E_FORMAT, error, "another type");
    CHECK_REFUSED(take("{\"time\":\"2026-01-01T00:00:00Z\"", &p), BURST_E_FORMAT, error, "no JSON object");
    CHECK_REFUSED(take("{\"time\":\"2026-01-01T00:00:00Z\"} {}", &p), BURST_E_FORMAT, error, "no JSON object");
    memset(large, ' ', sizeof large);
    CHECK_REFUSED(ingest_platform(FROM, large, sizeof large, &p, &error), BURST_E_LIMIT, error, "16385 bytes");
    memcpy(large, "{\"time\":\"2026-01-01T00:00:00Z\"}", 31);
    CHECK_INT(ingest_platform(FROM, large, INGEST_PLATFORM_MOST, &p, &error), BURST_OK);
}

int main(void)
{
    RUN(a_whole_message_is_read);
    RUN(what_is_absent_or_null_stays_unknown);
    RUN(validity_and_quaternion_say_together_what_is_known);
    RUN(a_quaternion_is_divided_by_its_length);
    RUN(the_shell_of_positions_has_edges);
    RUN(wrong_members_are_refused_by_name_and_change_nothing);
    RUN(the_time_must_be_there_and_be_utc);
    RUN(what_is_no_object_or_too_large_is_refused);
    return check_report();
}
