/* The table of instruments grows at start: a program of its own, for what is added stays. */
#include "check.h"
#include "records/source.h"

static struct source_added made(const char *topic, const char *telescope, const char *instrument)
{
    struct source_added a;
    memset(&a, 0, sizeof a);
    (void)snprintf(a.topic, sizeof a.topic, "%s", topic);
    (void)snprintf(a.mission_name, sizeof a.mission_name, "New");
    (void)snprintf(a.instrument_name, sizeof a.instrument_name, "N");
    (void)snprintf(a.fits_telescope, sizeof a.fits_telescope, "%s", telescope);
    (void)snprintf(a.fits_instrument, sizeof a.fits_instrument, "%s", instrument);
    a.n_detector = 4;
    a.n_open = 2;
    a.epoch_mjd_i = 55927;
    a.epoch_mjd_f = 66.184 / 86400;
    return a;
}

static size_t n_input(void)
{
    struct source s;
    enum topic_kind kind;
    size_t n = 0;
    while (source_input(n, &s, &kind))
        n++;
    return n;
}

TEST(an_added_instrument_has_topics_and_a_fact)
{
    struct burst_error e;
    struct source s;
    enum topic_kind kind;
    char text[96];
    size_t before = n_input();
    struct source_added a = made("new.n", "NEW", "N");
    CHECK_REFUSED(source_parse_topic("burst.v1.new.n.events", 21, &s, &e), BURST_E_UNSUPPORTED, e, "new.n");
    CHECK_INT(source_add(&a, &e), BURST_OK);
    memset(a.topic, 'x', 4); /* the texts were copied */
    CHECK_INT(source_parse_input("burst-test.v1.new.n.events", 26, &s, &kind, &e), BURST_OK);
    CHECK_INT(s.realm, REALM_TEST);
    CHECK_INT(s.mission, MISSION_ADDED);
    CHECK_INT(s.instrument, INSTRUMENT_ADDED);
    CHECK_INT(kind, TOPIC_EVENTS);
    const struct instrument_fact *fact = source_fact(MISSION_ADDED, INSTRUMENT_ADDED);
    CHECK_STR(fact->topic, "new.n");
    CHECK_STR(fact->mission_name, "New");
    CHECK_INT(fact->n_detector, 4);
    CHECK(fact->map);
    CHECK(source_epoch_ns(fact) ==
          INT64_C(15340) * 86400 * 1000000000 + INT64_C(66184000000)); /* MJD 55927 is day 15,340 */
    CHECK_INT(source_topic(s, "verdict", text, sizeof text), BURST_OK);
    CHECK_STR(text, "burst-test.v1.new.verdict");
    CHECK_INT(source_parse_input("burst.v1.new.trigger", 20, &s, &kind, &e), BURST_OK);
    CHECK_INT(kind, TOPIC_TRIGGER);
    CHECK_INT(n_input(), before + 3 * 3); /* events, trigger and platform in three realms */
    source_detector_name(INSTRUMENT_ADDED, 3, text);
    CHECK_STR(text, "d04");
}

TEST(the_same_again_changes_nothing_and_another_of_its_name_is_refused)
{
    struct burst_error e;
    size_t before = n_input();
    struct source_added a = made("new.n", "NEW", "N"), other = made("new.n", "NEW", "N"),
                        file = made("newer.n", "NEW", "N"), built_in = made("fermi.x", "X", "Y"),
                        built_in_file = made("glast.gbm", "GLAST", "GBM");
    CHECK_INT(source_add(&a, &e), BURST_OK);
    other.n_open = 3;
    CHECK_REFUSED(source_add(&other, &e), BURST_E_CONFLICT, e, "topic new.n (NEW, N) meets new.n");
    CHECK_REFUSED(source_add(&file, &e), BURST_E_CONFLICT, e, "meets new.n");
    CHECK_REFUSED(source_add(&built_in, &e), BURST_E_CONFLICT, e, "meets fermi.gbm");
    CHECK_REFUSED(source_add(&built_in_file, &e), BURST_E_CONFLICT, e, "meets fermi.gbm (GLAST, GBM)");
    CHECK_INT(n_input(), before);
}

TEST(there_is_room_for_a_few)
{
    struct burst_error e;
    char topic[16], name[16];
    for (int i = 1; i <= SOURCE_ADDED_MAX; i++) {
        (void)snprintf(topic, sizeof topic, "m%d.n", i);
        (void)snprintf(name, sizeof name, "M%d", i);
        struct source_added a = made(topic, name, "N");
        CHECK_INT(source_add(&a, &e), i < SOURCE_ADDED_MAX ? BURST_OK : BURST_E_LIMIT);
    }
    CHECK_STR(source_fact((enum burst_mission)(MISSION_ADDED + 3), INSTRUMENT_ADDED)->topic, "m3.n");
}

int main(void)
{
    RUN(an_added_instrument_has_topics_and_a_fact);
    RUN(the_same_again_changes_nothing_and_another_of_its_name_is_refused);
    RUN(there_is_room_for_a_few);
    return check_report();
}
