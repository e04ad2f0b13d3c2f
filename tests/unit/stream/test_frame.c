/* Every rule of protocol.md 1, one broken at a time. The header's bytes were made by Python's struct. */
#include "base/bytes.h"
#include "check.h"
#include "stream/frame.h"
#include <stdlib.h>

static const char TOPIC[] = "burst.v1.fermi.gbm.events";
static const char HEADER_HEX[] = "4252535401000001000102030405060708090a0b0c0d0e0f000000000000000117979cfe362a0001";

/* A good message whose parts a test may spoil. */
struct message {
    char topic[200];
    uint8_t header[64], seal[200];
    struct frame_bytes frame[6];
    size_t n;
    struct stream_item item;
    enum frame_fault fault;
    struct burst_error e;
};

static struct message *good(void)
{
    static struct message m;
    memset(&m, 0, sizeof m);
    memcpy(m.topic, TOPIC, sizeof TOPIC);
    (void)bytes_unhex(HEADER_HEX, FRAME_HEADER, m.header, NULL);
    m.frame[0] = (struct frame_bytes){m.topic, strlen(m.topic)};
    m.frame[1] = (struct frame_bytes){m.header, FRAME_HEADER};
    m.frame[2] = (struct frame_bytes){"SIMPLE  =", 9};
    m.frame[3] = (struct frame_bytes){m.seal, FRAME_SEAL};
    m.n = 4;
    return &m;
}

static void set_topic(struct message *m, const char *topic)
{
    m->frame[0].n = strlen(topic);
    memcpy(m->topic, topic, strlen(topic) + 1);
}

static enum burst_err parse(struct message *m)
{
    memset(&m->item, 0xa5, sizeof m->item);
    return frame_parse(m->frame, m->n, &m->item, &m->fault, &m->e);
}

#define CHECK_FAULT(m, err, what, part)                                                                                \
    do {                                                                                                               \
        CHECK_REFUSED(parse(m), err, (m)->e, part);                                                                    \
        CHECK_STR(frame_fault_name((m)->fault), frame_fault_name(what));                                               \
    } while (0)

TEST(a_good_message_is_parsed)
{
    struct message *m = good();
    CHECK_INT(parse(m), BURST_OK);
    CHECK_INT(m->fault, FAULT_NONE);
    CHECK_STR(m->item.topic, TOPIC);
    CHECK_INT(m->item.flags, 0);
    CHECK_INT(m->item.content, FRAME_FITS);
    CHECK_INT(m->item.seq, 1);
    CHECK_INT(m->item.sent_ns, 1700000000000000001);
    for (int i = 0; i < STREAM_UUID; i++)
        CHECK_INT(m->item.stream[i], i);
    CHECK_INT(m->item.n_body, 9);
    CHECK(m->item.body == m->frame[2].bytes && m->item.seal == m->seal);
    CHECK(memcmp(m->item.header, m->header, FRAME_HEADER) == 0);
}

TEST(the_seal_may_be_absent)
{
    struct message *m = good();
    m->n = 3;
    CHECK_INT(parse(m), BURST_OK);
    CHECK(m->item.seal == NULL);
}

TEST(packing_gives_the_bytes_of_python)
{
    struct stream_item item = {.content = FRAME_FITS, .seq = 1, .sent_ns = 1700000000000000001};
    for (uint8_t i = 0; i < STREAM_UUID; i++)
        item.stream[i] = i;
    frame_pack_header(&item);
    char text[2 * FRAME_HEADER + 1];
    bytes_hex(item.header, FRAME_HEADER, text);
    CHECK_STR(text, HEADER_HEX);
}

TEST(packing_and_parsing_agree_on_every_field)
{
    struct message *m = good();
    struct stream_item item = {
        .flags = FRAME_TEST | FRAME_RETRACTION, .content = FRAME_XML, .seq = INT64_MAX, .sent_ns = INT64_MAX};
    memset(item.stream, 0xee, STREAM_UUID);
    frame_pack_header(&item);
    memcpy(m->header, item.header, FRAME_HEADER);
    set_topic(m, "burst-test.v1.svom.trigger");
    CHECK_INT(parse(m), BURST_OK);
    CHECK_INT(m->item.flags, item.flags);
    CHECK_INT(m->item.content, item.content);
    CHECK(m->item.seq == INT64_MAX);
    CHECK_INT(m->item.sent_ns, INT64_MAX);
    CHECK(memcmp(m->item.stream, item.stream, STREAM_UUID) == 0);
}

TEST(other_numbers_of_frames_are_refused)
{
    const size_t wrong[] = {0, 1, 2, 5, 300};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct message *m = good();
        m->n = wrong[i];
        CHECK_FAULT(m, BURST_E_SHAPE, FAULT_COUNT, "not 3 or 4");
        CHECK_STR(m->item.topic, "");
    }
}

TEST(topics_without_our_prefix_or_not_ascii_are_refused)
{
    struct message *m = good();
    m->frame[0].n = 0;
    CHECK_FAULT(m, BURST_E_FORMAT, FAULT_TOPIC, "has 0 characters");
    m->frame[0].n = STREAM_TOPIC_TEXT;
    CHECK_FAULT(m, BURST_E_FORMAT, FAULT_TOPIC, "has 128 characters, allowed 1 to 127");
    const char *const wrong[] = {"gcn.v1.x", "burst.v2.x", "burst.v1.", "burstv1.x", "Burst.v1.x", "burst-other.v1.x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        m = good();
        set_topic(m, wrong[i]);
        CHECK_FAULT(m, BURST_E_FORMAT, FAULT_TOPIC, "is not under burst.v1.");
    }
    m = good();
    m->topic[9] = '\n';
    CHECK_FAULT(m, BURST_E_FORMAT, FAULT_TOPIC, "byte 0x0a at 9: not printable ASCII");
    m = good();
    m->topic[10] = (char)0xe9;
    CHECK_FAULT(m, BURST_E_FORMAT, FAULT_TOPIC, "byte 0xe9 at 10");
}

TEST(a_topic_of_127_characters_is_taken)
{
    struct message *m = good();
    memset(m->topic + 9, 'x', 127 - 9);
    m->frame[0].n = 127;
    CHECK_INT(parse(m), BURST_OK);
    CHECK_INT(strlen(m->item.topic), 127);
}

TEST(headers_of_another_size_magic_or_version_are_refused)
{
    const size_t wrong[] = {0, 1, 39, 41};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct message *m = good();
        m->frame[1].n = wrong[i];
        CHECK_FAULT(m, BURST_E_SHAPE, FAULT_HEADER, "not 40");
        CHECK(strstr(m->e.text, TOPIC) != NULL);
        CHECK_STR(m->item.topic, ""); /* it cannot be placed */
    }
    struct message *m = good();
    memcpy(m->header, "BURS", 4);
    CHECK_FAULT(m, BURST_E_FORMAT, FAULT_MAGIC, "is \"BURS\", not \"BRST\"");
    m = good();
    m->header[4] = 2;
    CHECK_FAULT(m, BURST_E_UNSUPPORTED, FAULT_VERSION, "is 2, not 1");
}

TEST(unknown_flags_and_content_are_refused)
{
    struct message *m = good();
    m->header[5] = 16;
    CHECK_FAULT(m, BURST_E_UNSUPPORTED, FAULT_FLAGS, "flags 0x10 has unknown bits");
    const uint8_t wrong[] = {0, 4};
    for (size_t i = 0; i < sizeof wrong; i++) {
        m = good();
        m->header[7] = wrong[i];
        CHECK_FAULT(m, BURST_E_UNSUPPORTED, FAULT_CONTENT, "is not 1 (FITS), 2 (JSON) or 3 (XML)");
    }
    m = good();
    m->header[6] = 1; /* 0x0101 */
    CHECK_FAULT(m, BURST_E_UNSUPPORTED, FAULT_CONTENT, "content 257");
}

TEST(unreal_flags_are_refused_on_a_real_topic_only)
{
    for (uint8_t flag = 1; flag <= 4; flag = (uint8_t)(flag * 2)) {
        struct message *m = good();
        m->header[5] = flag;
        CHECK_FAULT(m, BURST_E_UNSUPPORTED, FAULT_FLAGS, "on a topic of real data");
        set_topic(m, "burst-archive.v1.fermi.gbm.events");
        CHECK_INT(parse(m), BURST_OK);
    }
    struct message *m = good();
    m->header[5] = FRAME_RETRACTION;
    CHECK_INT(parse(m), BURST_OK);
    m = good();
    set_topic(m, "burst-test.v1.fermi.gbm.events"); /* without a flag: the prefix decides */
    CHECK_INT(parse(m), BURST_OK);
}

TEST(seq_0_belongs_to_heartbeats_and_provisional_messages_alone)
{
    struct message *m = good();
    bytes_put_u64(m->header + 24, 0);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_SEQ, "seq is 0");
    set_topic(m, STREAM_HEARTBEAT);
    CHECK_INT(parse(m), BURST_OK);
    set_topic(m, "burst-provisional.v1.fermi.verdict");
    CHECK_INT(parse(m), BURST_OK);
    bytes_put_u64(m->header + 24, 7);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_SEQ, "seq is 7, must be 0");
    set_topic(m, STREAM_HEARTBEAT);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_SEQ, "must be 0");
    m = good();
    bytes_put_u64(m->header + 24, (uint64_t)INT64_MAX + 1);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_SEQ, "seq is 9223372036854775808, at most 9223372036854775807");
    bytes_put_u64(m->header + 24, UINT64_MAX);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_SEQ, "seq is 18446744073709551615");
}

TEST(times_before_1970_are_refused)
{
    struct message *m = good();
    bytes_put_u64(m->header + 32, 0);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_TIME, "sent_ns is 0");
    bytes_put_u64(m->header + 32, UINT64_MAX);
    CHECK_FAULT(m, BURST_E_RANGE, FAULT_TIME, "sent_ns is -1");
}

TEST(a_body_of_16_mib_is_taken_and_one_byte_more_refused_but_placed)
{
    struct message *m = good();
    uint8_t *body = calloc(1, FRAME_BODY_MAX + 1);
    m->frame[2] = (struct frame_bytes){body, FRAME_BODY_MAX};
    CHECK_INT(parse(m), BURST_OK);
    m->frame[2].n = FRAME_BODY_MAX + 1;
    CHECK_FAULT(m, BURST_E_LIMIT, FAULT_BODY, "seq 1: frame 2 (body) has 16777217 bytes, limit 16777216");
    CHECK_STR(m->item.topic, TOPIC);
    CHECK_INT(m->item.seq, 1);
    free(body);
}

TEST(a_seal_of_another_size_is_refused_but_placed)
{
    const size_t wrong[] = {0, 95, 97};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct message *m = good();
        m->frame[3].n = wrong[i];
        CHECK_FAULT(m, BURST_E_SHAPE, FAULT_SEAL, "bytes, not 96");
        CHECK_STR(m->item.topic, TOPIC);
    }
}

TEST(every_fault_has_a_name_of_its_own)
{
    for (int i = 0; i < FAULT_N; i++)
        for (int j = 0; j < i; j++)
            CHECK(strcmp(frame_fault_name((enum frame_fault)i), frame_fault_name((enum frame_fault)j)) != 0);
    CHECK_STR(frame_fault_name(FAULT_N), "unknown");
}

int main(void)
{
    RUN(a_good_message_is_parsed);
    RUN(the_seal_may_be_absent);
    RUN(packing_gives_the_bytes_of_python);
    RUN(packing_and_parsing_agree_on_every_field);
    RUN(other_numbers_of_frames_are_refused);
    RUN(topics_without_our_prefix_or_not_ascii_are_refused);
    RUN(a_topic_of_127_characters_is_taken);
    RUN(headers_of_another_size_magic_or_version_are_refused);
    RUN(unknown_flags_and_content_are_refused);
    RUN(unreal_flags_are_refused_on_a_real_topic_only);
    RUN(seq_0_belongs_to_heartbeats_and_provisional_messages_alone);
    RUN(times_before_1970_are_refused);
    RUN(a_body_of_16_mib_is_taken_and_one_byte_more_refused_but_placed);
    RUN(a_seal_of_another_size_is_refused_but_placed);
    RUN(every_fault_has_a_name_of_its_own);
    return check_report();
}
