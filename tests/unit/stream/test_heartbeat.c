/* The heartbeat's JSON, made and read. */
#include "check.h"
#include "stream/heartbeat.h"
#include <stdlib.h>

static const char UUID[] = "00010203-0405-0607-0809-0a0b0c0d0e0f";
static const char GOOD[] =
    "{\"stream\": \"00010203-0405-0607-0809-0a0b0c0d0e0f\", \"alert_datetime\": \"2026-11-20T08:00:00.000000Z\", "
    "\"last\": {\"burst.v1.a.events\": 7, \"burst.v1.b.events\": 0}, \"mode\": \"cpu\", "
    "\"data_time\": {\"burst.v1.a.events\": \"2017-01-01T00:00:00.5Z\"}}";

static struct heartbeat beat;

static enum burst_err parse(const char *text, struct burst_error *e)
{
    return heartbeat_parse((const uint8_t *)text, strlen(text), &beat, e);
}

TEST(a_good_heartbeat_is_read)
{
    struct burst_error e;
    CHECK_INT(parse(GOOD, &e), BURST_OK);
    for (int i = 0; i < STREAM_UUID; i++)
        CHECK_INT(beat.stream[i], i);
    CHECK_INT(beat.n_last, 2);
    CHECK_STR(beat.last[0].topic, "burst.v1.a.events");
    CHECK_INT(beat.last[0].seq, 7);
    CHECK_INT(beat.n_data_time, 1);
    /* POSIX 1483228800 is 2017-01-01T00:00:00 UTC; TT - UTC was 37 + 32.184 s from then on. */
    CHECK_INT(beat.data_time[0].tt_ns, INT64_C(1483228800500000000) + INT64_C(69184000000));
}

TEST(wrong_heartbeats_are_refused_by_member)
{
    struct burst_error e;
    CHECK_REFUSED(parse("", &e), BURST_E_FORMAT, e, "is no JSON object");
    CHECK_REFUSED(parse("[1]", &e), BURST_E_FORMAT, e, "is no JSON object: other type");
    CHECK_REFUSED(parse("{\"a\": NaN}", &e), BURST_E_FORMAT, e, "is no JSON object");
    CHECK_REFUSED(parse("{\"a\": 1, \"a\": 2}", &e), BURST_E_FORMAT, e, "is no JSON object: duplicate");
    CHECK_REFUSED(parse("{}", &e), BURST_E_MISSING, e, "\"stream\" is absent");
    CHECK_REFUSED(parse("{\"stream\": \"00010203040506070809-0a0b0c0d0e0f\", \"last\": {}}", &e), BURST_E_FORMAT, e,
                  "no UUID");
    CHECK_REFUSED(parse("{\"stream\": \"0001020x-0405-0607-0809-0a0b0c0d0e0f\", \"last\": {}}", &e), BURST_E_FORMAT, e,
                  "no UUID");
#define BEAT(rest) "{\"stream\": \"00010203-0405-0607-0809-0a0b0c0d0e0f\"" rest "}"
    CHECK_REFUSED(parse(BEAT(""), &e), BURST_E_MISSING, e, "\"last\" is absent");
    CHECK_REFUSED(parse(BEAT(", \"last\": {\"x\": 1}"), &e), BURST_E_FORMAT, e,
                  "\"last\": frame 0 (topic) \"x\" is not under");
    CHECK_REFUSED(parse(BEAT(", \"last\": {\"burst.v1.a\": -1}"), &e), BURST_E_FORMAT, e,
                  "\"last\" of burst.v1.a is no number >= 0");
    CHECK_REFUSED(parse(BEAT(", \"last\": {\"burst.v1.a\": 1.5}"), &e), BURST_E_FORMAT, e, "is no number");
    CHECK_REFUSED(parse(BEAT(", \"last\": {}, \"data_time\": 3"), &e), BURST_E_FORMAT, e, "\"data_time\" is no object");
    CHECK_REFUSED(parse(BEAT(", \"last\": {}, \"data_time\": {\"burst.v1.a\": 3}"), &e), BURST_E_FORMAT, e,
                  "is no text");
    CHECK_REFUSED(parse(BEAT(", \"last\": {}, \"data_time\": {\"y\": \"z\"}"), &e), BURST_E_FORMAT, e,
                  "\"data_time\": frame 0");
    CHECK_REFUSED(parse(BEAT(", \"last\": {}, \"data_time\": {\"burst.v1.a\": \"noon\"}"), &e), BURST_E_TIME, e,
                  "noon");
    CHECK_INT(parse(BEAT(", \"last\": {}"), &e), BURST_OK);
    CHECK_INT(beat.n_last, 0);
    CHECK_INT(beat.n_data_time, 0);
}

TEST(too_large_heartbeats_are_refused)
{
    struct burst_error e;
    char *text = malloc(HEARTBEAT_MOST + 2);
    memset(text, ' ', HEARTBEAT_MOST + 1);
    text[HEARTBEAT_MOST + 1] = 0;
    CHECK_REFUSED(parse(text, &e), BURST_E_LIMIT, e, "has 65537 bytes, limit 65536");
    for (int member = 0; member < 2; member++) {
        int n = sprintf(text, "{\"stream\": \"%s\", \"last\": {%s", UUID, member ? "}, \"data_time\": {" : "");
        for (int i = 0; i <= STREAM_TOPIC_MOST; i++)
            n +=
                sprintf(text + n, "%s\"burst.v1.t%d\": %s", i ? "," : "", i, member ? "\"2017-01-01T00:00:00Z\"" : "1");
        (void)sprintf(text + n, "}}");
        CHECK_REFUSED(parse(text, &e), BURST_E_LIMIT, e, "has 65 topics, limit 64");
    }
    free(text);
}

TEST(what_is_made_is_read_back)
{
    struct burst_error e;
    json_t *extra = NULL;
    char *text = NULL;
    uint8_t stream[STREAM_UUID];
    struct topic_head heads[3] = {
        {.topic = "burst.v1.a", .seq = 3}, {.topic = "burst.v1.b", .seq = 0}, {.topic = "burst.v1.c", .seq = 1}};
    memset(stream, 0xab, sizeof stream);
    CHECK_INT(heartbeat_extra("{\"mode\": \"cpu\", \"warm\": true}", &extra, &e), BURST_OK);
    CHECK_INT(heartbeat_make(stream, heads, 3, extra, &text, &e), BURST_OK);
    CHECK_INT(parse(text, &e), BURST_OK);
    CHECK(memcmp(beat.stream, stream, sizeof stream) == 0);
    CHECK_INT(beat.n_last, 2); /* a topic without messages is not told */
    CHECK_STR(beat.last[1].topic, "burst.v1.c");
    CHECK(strstr(text, "\"mode\":\"cpu\"") && strstr(text, "\"warm\":true") && strstr(text, "\"alert_datetime\":\"20"));
    free(text);
    json_decref(extra);
}

TEST(members_of_the_publisher_itself_cannot_be_replaced)
{
    struct burst_error e;
    json_t *extra = NULL;
    char *longer = malloc(HEARTBEAT_EXTRA_MOST + 2);
    memset(longer, ' ', HEARTBEAT_EXTRA_MOST + 1);
    longer[HEARTBEAT_EXTRA_MOST + 1] = 0;
    CHECK_REFUSED(heartbeat_extra("{\"stream\": 1}", &extra, &e), BURST_E_FORMAT, e,
                  "\"stream\" is the publisher's own");
    CHECK_REFUSED(heartbeat_extra("{\"last\": 1}", &extra, &e), BURST_E_FORMAT, e, "\"last\"");
    CHECK_REFUSED(heartbeat_extra("{\"alert_datetime\": 1}", &extra, &e), BURST_E_FORMAT, e, "\"alert_datetime\"");
    CHECK_REFUSED(heartbeat_extra("[]", &extra, &e), BURST_E_FORMAT, e, "are no JSON object");
    CHECK_REFUSED(heartbeat_extra("{", &extra, &e), BURST_E_FORMAT, e, "are no JSON object");
    CHECK_REFUSED(heartbeat_extra(longer, &extra, &e), BURST_E_LIMIT, e, "take 49153 bytes, limit 49152");
    CHECK(extra == NULL);
    free(longer);
}

int main(void)
{
    RUN(a_good_heartbeat_is_read);
    RUN(wrong_heartbeats_are_refused_by_member);
    RUN(too_large_heartbeats_are_refused);
    RUN(what_is_made_is_read_back);
    RUN(members_of_the_publisher_itself_cannot_be_replaced);
    return check_report();
}
