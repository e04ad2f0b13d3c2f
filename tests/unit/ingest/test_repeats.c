#include "check.h"
#include "ingest/repeats.h"

static struct burst_error why;
static int64_t stop_ns;

static struct ingest_repeats *begin(size_t n_most)
{
    struct ingest_repeats *r = NULL;
    CHECK_INT(ingest_repeats_new(n_most, &r, &why), BURST_OK);
    return r;
}

static enum burst_err body(struct ingest_repeats *r, const char *topic, uint8_t first_byte)
{
    uint8_t sha256[32] = {first_byte};
    return ingest_repeats_body(r, topic, strlen(topic), sha256, &stop_ns, &why);
}

static enum burst_err image(struct ingest_repeats *r, enum burst_realm realm, const char *id, int count,
                            const char *stream, uint8_t first_byte)
{
    struct subimage_packet p = {
        .source = {realm, MISSION_SVOM, INSTRUMENT_ECLAIRS}, .alert_count = count, .sha256 = {first_byte}};
    (void)snprintf(p.burst_id, sizeof p.burst_id, "%s", id);
    (void)snprintf(p.data_stream, sizeof p.data_stream, "%s", stream);
    return ingest_repeats_subimage(r, &p, &why);
}

TEST(the_same_body_on_the_same_topic_is_a_repeat)
{
    struct ingest_repeats *r = begin(8);
    CHECK_INT(body(r, "burst.v1.fermi.gbm.events", 1), BURST_OK);
    CHECK_INT(body(r, "burst.v1.fermi.gbm.events", 2), BURST_OK);
    CHECK_INT(body(r, "burst-test.v1.fermi.gbm.events", 1), BURST_OK);
    CHECK_REFUSED(body(r, "burst.v1.fermi.gbm.events", 1), BURST_E_DUPLICATE, why,
                  "burst.v1.fermi.gbm.events: a body with this SHA-256");
    ingest_repeats_free(r);
}

TEST(a_repeat_tells_where_its_data_end)
{
    struct ingest_repeats *r = begin(3);
    ingest_repeats_told(r, 7); /* nobody is meant */
    stop_ns = 5;
    CHECK_INT(body(r, "t", 1), BURST_OK);
    CHECK_INT(stop_ns, 5);
    ingest_repeats_told(r, 100);
    CHECK_INT(body(r, "t", 2), BURST_OK);
    ingest_repeats_told(r, INT64_MIN);
    CHECK_INT(body(r, "t", 3), BURST_OK);
    CHECK_INT(body(r, "t", 1), BURST_E_DUPLICATE);
    CHECK_INT(stop_ns, 100);
    CHECK_INT(body(r, "t", 2), BURST_E_DUPLICATE);
    CHECK_INT(stop_ns, INT64_MIN);
    CHECK_INT(body(r, "t", 3), BURST_E_DUPLICATE);
    CHECK_INT(stop_ns, INGEST_REPEATS_UNTOLD);
    CHECK_INT(body(r, "t", 4), BURST_OK); /* in the place of 1 */
    CHECK_INT(body(r, "t", 4), BURST_E_DUPLICATE);
    CHECK_INT(stop_ns, INGEST_REPEATS_UNTOLD);
    ingest_repeats_free(r);
}

TEST(the_oldest_body_is_forgotten_for_the_newest)
{
    struct ingest_repeats *r = begin(3);
    for (uint8_t i = 1; i <= 4; i++)
        CHECK_INT(body(r, "t", i), BURST_OK);
    for (uint8_t i = 2; i <= 4; i++)
        CHECK_INT(body(r, "t", i), BURST_E_DUPLICATE);
    CHECK_INT(body(r, "t", 1), BURST_OK);
    CHECK_INT(body(r, "t", 2), BURST_OK); /* 1 took its place */
    ingest_repeats_free(r);
}

TEST(what_is_forgotten_is_new_again)
{
    struct ingest_repeats *r = begin(3);
    CHECK_INT(body(r, "a", 1), BURST_OK);
    CHECK_INT(image(r, REALM_TEST, "sb1", 1, "VHF", 1), BURST_OK);
    ingest_repeats_forget(r);
    CHECK_INT(body(r, "a", 1), BURST_OK);
    CHECK_INT(body(r, "a", 1), BURST_E_DUPLICATE);
    CHECK_INT(image(r, REALM_TEST, "sb1", 1, "VHF", 1), BURST_E_DUPLICATE);
    ingest_repeats_free(r);
}

TEST(other_bytes_under_one_name_are_a_conflict)
{
    struct ingest_repeats *r = begin(8);
    CHECK_INT(image(r, REALM_LIVE, "sb1", 0, "VHF", 1), BURST_OK);
    CHECK_REFUSED(image(r, REALM_LIVE, "sb1", 0, "VHF", 2), BURST_E_CONFLICT, why,
                  "sb1: sub-image ALERTCNT 0 of VHF came before with other bytes");
    CHECK_REFUSED(image(r, REALM_LIVE, "sb1", 0, "VHF", 1), BURST_E_DUPLICATE, why, "with the same bytes");
    CHECK_INT(image(r, REALM_LIVE, "sb1", 0, "VHF", 2), BURST_E_CONFLICT); /* the first one stays the measure */
    ingest_repeats_free(r);
}

TEST(another_realm_id_count_or_stream_is_another_image)
{
    struct ingest_repeats *r = begin(8);
    CHECK_INT(image(r, REALM_LIVE, "sb1", 0, "VHF", 1), BURST_OK);
    CHECK_INT(image(r, REALM_TEST, "sb1", 0, "VHF", 2), BURST_OK);
    CHECK_INT(image(r, REALM_LIVE, "sb2", 0, "VHF", 3), BURST_OK);
    CHECK_INT(image(r, REALM_LIVE, "sb1", 1, "VHF", 4), BURST_OK);
    CHECK_INT(image(r, REALM_LIVE, "sb1", 0, "XBAND", 5), BURST_OK);
    ingest_repeats_free(r);
}

TEST(a_memory_of_nothing_or_too_much_is_refused)
{
    struct ingest_repeats *r = NULL;
    CHECK_REFUSED(ingest_repeats_new(0, &r, &why), BURST_E_RANGE, why, "a memory of 0 bodies");
    CHECK_REFUSED(ingest_repeats_new(1 << 21, &r, &why), BURST_E_RANGE, why, "1 to 1048576");
    CHECK(!r);
    ingest_repeats_free(NULL);
}

int main(void)
{
    RUN(the_same_body_on_the_same_topic_is_a_repeat);
    RUN(a_repeat_tells_where_its_data_end);
    RUN(the_oldest_body_is_forgotten_for_the_newest);
    RUN(what_is_forgotten_is_new_again);
    RUN(other_bytes_under_one_name_are_a_conflict);
    RUN(another_realm_id_count_or_stream_is_another_image);
    RUN(a_memory_of_nothing_or_too_much_is_refused);
    return check_report();
}
