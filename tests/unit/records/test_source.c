#include "check.h"
#include "records/source.h"
#include "records/verdict.h"

TEST(every_topic_names_its_source_and_back)
{
    size_t n;
    const struct instrument_fact *facts = source_facts(&n);
    for (size_t i = 0; i < n; i++)
        for (int realm = 0; realm < REALM_N; realm++) {
            struct source s = {(enum burst_realm)realm, facts[i].mission, facts[i].instrument}, back;
            char topic[96];
            struct burst_error e;
            CHECK_INT(source_topic(s, NULL, topic, sizeof topic), BURST_OK);
            CHECK_SAY(source_parse_topic(topic, strlen(topic), &back, &e) == BURST_OK, "%s: %s", topic, e.text);
            CHECK(back.realm == s.realm && back.mission == s.mission && back.instrument == s.instrument);
        }
}

TEST(topics_are_spelt_as_the_protocol_says)
{
    char topic[64];
    struct source gbm = {REALM_ARCHIVE, MISSION_FERMI, INSTRUMENT_GBM},
                  ecl = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS};
    CHECK_INT(source_topic(gbm, NULL, topic, sizeof topic), BURST_OK);
    CHECK_STR(topic, "burst-archive.v1.fermi.gbm.events");
    CHECK_INT(source_topic(gbm, "verdict", topic, sizeof topic), BURST_OK);
    CHECK_STR(topic, "burst-archive.v1.fermi.verdict");
    CHECK_INT(source_topic(ecl, NULL, topic, sizeof topic), BURST_OK);
    CHECK_STR(topic, "burst.v1.svom.eclairs.subimage");
    CHECK_INT(source_topic(ecl, NULL, topic, 5), BURST_E_LIMIT);
    struct source wrong = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_GRD};
    CHECK_INT(source_topic(wrong, NULL, topic, sizeof topic), BURST_E_UNSUPPORTED);
}

TEST(a_strange_topic_is_quoted_back)
{
    struct source s = {REALM_TEST, MISSION_SVOM, INSTRUMENT_GRM};
    struct burst_error e;
    CHECK_REFUSED(source_parse_topic("burst.v1.fermi.lat.events", 25, &s, &e), BURST_E_UNSUPPORTED, e, "fermi.lat");
    CHECK_REFUSED(source_parse_topic("burst.v1.fermi.gbm.event", 24, &s, &e), BURST_E_UNSUPPORTED, e, "gbm.event'");
    CHECK_INT(s.realm, REALM_TEST);
}

TEST(inputs_of_a_whole_mission_have_no_instrument)
{
    struct source s = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_GRM};
    enum topic_kind kind = TOPIC_SUBIMAGE;
    struct burst_error e;
    char topic[64];
    CHECK_INT(source_parse_input("burst-test.v1.gecam-b.trigger", 29, &s, &kind, &e), BURST_OK);
    CHECK(s.realm == REALM_TEST && s.mission == MISSION_GECAM_B && s.instrument == INSTRUMENT_NONE);
    CHECK_INT(kind, TOPIC_TRIGGER);
    CHECK_INT(source_parse_input("burst.v1.external.trigger", 25, &s, &kind, &e), BURST_OK);
    CHECK_INT(s.mission, MISSION_EXTERNAL);
    CHECK_INT(source_parse_input("burst.v1.svom.platform", 22, &s, &kind, &e), BURST_OK);
    CHECK_INT(kind, TOPIC_PLATFORM);
    CHECK_INT(source_parse_input("burst.v1.svom.grm.events", 24, &s, &kind, &e), BURST_OK);
    CHECK(kind == TOPIC_EVENTS && s.instrument == INSTRUMENT_GRM);
    CHECK_REFUSED(source_parse_input("burst.v1.svom.verdict", 21, &s, &kind, &e), BURST_E_UNSUPPORTED, e,
                  "svom.verdict");
    CHECK_INT(source_mission_topic(REALM_ARCHIVE, MISSION_FERMI, "platform", topic, sizeof topic), BURST_OK);
    CHECK_STR(topic, "burst-archive.v1.fermi.platform");
    CHECK_INT(source_mission_topic(REALM_LIVE, MISSION_N, "platform", topic, sizeof topic), BURST_E_UNSUPPORTED);
    CHECK_INT(source_mission_topic(REALM_LIVE, MISSION_SVOM, "platform", topic, 9), BURST_E_LIMIT);
}

TEST(mission_epochs_are_new_years_days)
{
    /* astropy: Time('2001-01-01','2019-01-01','2021-01-01', scale='utc').tt in ns since 1970 TT */
    CHECK_INT(source_epoch_ns(source_fact(MISSION_FERMI, INSTRUMENT_GBM)), 978307264184000000);
    CHECK_INT(source_epoch_ns(source_fact(MISSION_GECAM_B, INSTRUMENT_GRD)), 1546300869184000000);
    CHECK_INT(source_epoch_ns(source_fact(MISSION_GECAM_C, INSTRUMENT_GRD)), 1609459269184000000);
    CHECK_INT(source_epoch_ns(source_fact(MISSION_SVOM, INSTRUMENT_GRM)), 1483228869184000000);
}

TEST(detectors_have_the_missions_names)
{
    char name[8];
    source_detector_name(INSTRUMENT_GBM, 6, name);
    CHECK_STR(name, "n6");
    source_detector_name(INSTRUMENT_GBM, 11, name);
    CHECK_STR(name, "nb");
    source_detector_name(INSTRUMENT_GBM, 13, name);
    CHECK_STR(name, "b1");
    source_detector_name(INSTRUMENT_GRD, 24, name);
    CHECK_STR(name, "g25");
}

TEST(every_word_of_the_wire_is_there)
{
    for (int i = 1; i < REASON_N; i++)
        CHECK(REASON_CODE_WORD[i] != NULL);
    for (int i = 0; i < CLASS_N; i++)
        CHECK(EVENT_CLASS_WORD[i] != NULL);
    CHECK_STR(REASON_CODE_WORD[REASON_DUPLICATE], "DUPLICATE");
    CHECK_STR(EVENT_CLASS_WORD[CLASS_OTHER], "Other");
}

int main(void)
{
    RUN(every_topic_names_its_source_and_back);
    RUN(topics_are_spelt_as_the_protocol_says);
    RUN(a_strange_topic_is_quoted_back);
    RUN(inputs_of_a_whole_mission_have_no_instrument);
    RUN(mission_epochs_are_new_years_days);
    RUN(detectors_have_the_missions_names);
    RUN(every_word_of_the_wire_is_there);
    return check_report();
}
