/* Reading the verdict log beside its writer: alerts, one event whole. */
#include "store_fixture.h"

/* ---- reading beside the writer ---- */

TEST(alerts_are_the_newest_revisions_newest_first)
{
    begin();
    struct store_reader *reader = NULL;
    char *text = NULL;
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_INT(store_alerts(reader, "", 10, &text, &error), BURST_OK);
    CHECK_STR(text, "[]");
    free(text);
    tell("sb1", 1, "{\"a\":1}", true, NOW_NS);
    tell("sb2", 1, "{\"b\":1}", true, NOW_NS + 1);
    tell("sb1", 2, "{\"a\":2}", true, NOW_NS + 2);
    CHECK_INT(store_alerts(reader, "", 10, &text, &error), BURST_OK);
    CHECK_STR(text, "[{\"a\":2},{\"b\":1}]");
    free(text);
    CHECK_INT(store_alerts(reader, "burst.v1.svom", 1, &text, &error), BURST_OK);
    CHECK_STR(text, "[{\"a\":2}]");
    free(text);
    CHECK_INT(store_alerts(reader, "burst-archive.", 10, &text, &error), BURST_OK);
    CHECK_STR(text, "[]");
    free(text);
    text = NULL;
    CHECK_REFUSED(store_alerts(reader, "", 0, &text, &error), BURST_E_RANGE, error, "limit 0");
    CHECK_REFUSED(store_alerts(reader, "", 1001, &text, &error), BURST_E_RANGE, error, "limit 1001");
    CHECK(text == NULL);
    store_reader_close(reader);
    end();
}

TEST(show_gives_a_revision_and_the_evidence_behind_it)
{
    begin();
    struct store_reader *reader = NULL;
    char *text = NULL;
    uint8_t *fits = NULL;
    size_t n = 0;
    tell("sb1", 1, "{\"a\":1}", true, NOW_NS - 8 * DAY_NS);
    CHECK_INT(store_stage_evidence(store, VERDICT, "sb1", 1, &error), BURST_OK);
    put(EVIDENCE, "FITS of 1", NOW_NS - 8 * DAY_NS);
    tell("sb1", 2, "{\"a\":2}", true, NOW_NS);
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_INT(store_show(reader, "sb1", 0, &text, &fits, &n, &error), BURST_OK);
    CHECK_STR(text, "{\"a\":2}");
    CHECK(fits && n == 9 && memcmp(fits, "FITS of 1", 9) == 0); /* the newest evidence up to that revision */
    free(text);
    free(fits);
    CHECK_INT(store_show(reader, "sb1", 1, &text, &fits, &n, &error), BURST_OK);
    CHECK_STR(text, "{\"a\":1}");
    free(text);
    free(fits);
    text = NULL;
    CHECK_REFUSED(store_show(reader, "sb9", 0, &text, &fits, &n, &error), BURST_E_MISSING, error, "no event 'sb9'");
    CHECK_REFUSED(store_show(reader, "sb1", 7, &text, &fits, &n, &error), BURST_E_MISSING, error, "no revision 7");
    put(EVIDENCE, "other", NOW_NS);
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_REFUSED(store_show(reader, "sb1", 1, &text, &fits, &n, &error), BURST_E_GONE, error, "no longer kept");
    CHECK(text == NULL);
    CHECK_INT(store_show(reader, "sb1", 2, &text, &fits, &n, &error), BURST_OK);
    CHECK(fits == NULL && n == 0);
    free(text);
    store_reader_close(reader);
    end();
}

TEST(show_prefers_the_real_event_to_its_rehearsal)
{
    begin();
    struct store_reader *reader = NULL;
    char *text = NULL;
    uint8_t *fits = NULL;
    size_t n = 0;
    struct store_record r = record_of("sb1", 1, 't', true);
    r.topic = "burst-test.v1.svom.verdict";
    tell("sb1", 1, "{\"real\":1}", true, NOW_NS);
    CHECK_INT(store_stage_record(store, &r, &error), BURST_OK);
    put(r.topic, "{\"test\":1}", NOW_NS + 5);
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_INT(store_show(reader, "sb1", 0, &text, &fits, &n, &error), BURST_OK);
    CHECK_STR(text, "{\"real\":1}");
    free(text);
    store_reader_close(reader);
    end();
}

int main(void)
{
    RUN(alerts_are_the_newest_revisions_newest_first);
    RUN(show_gives_a_revision_and_the_evidence_behind_it);
    RUN(show_prefers_the_real_event_to_its_rehearsal);
    return check_report();
}
