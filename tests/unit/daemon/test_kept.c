/* The book of events over a restart: what comes back is what was kept, and nothing else is taken. */
#include "check.h"
#include "daemon/kept.h"

static struct book book, back;
static uint8_t alert_blob[KEPT_ALERT_BLOB], sightings_blob[KEPT_SIGHTINGS_BLOB];

static struct alert *filled(void)
{
    memset(&book, 0, sizeof book);
    memset(&back, 0, sizeof back);
    struct alert *a = book_add(&book, (struct source){REALM_TEST, MISSION_SVOM, INSTRUMENT_GRM}, "sb26112003", 77);
    a->now.record_number = 3;
    a->now.true_record = 2;
    a->now.state = STATE_RETRACTED;
    a->now.lane[LANE_IMAGE] = (struct lane){.heard = true, .call = CALL_FALSE, .p = 0.25};
    a->now.told_k = 123456789012;
    a->last.n_reason = 1;
    (void)snprintf(a->last.reasons[0], REASON_TEXT, "why");
    return a;
}

TEST(keys_name_realm_and_place)
{
    char key[KEPT_KEY_TEXT];
    kept_alert_key(REALM_LIVE, 7, key);
    CHECK_STR(key, "burst.alert.7");
    kept_alert_key(REALM_ARCHIVE, BOOK_ALERTS - 1, key);
    CHECK_STR(key, "burst-archive.alert.255");
    kept_sightings_key(REALM_TEST, key);
    CHECK_STR(key, "burst-test.sightings");
}

TEST(the_longest_name_fits_its_key)
{
    char key[KEPT_PAST_KEY_TEXT], id[EVENT_ID_TEXT], want[KEPT_PAST_KEY_TEXT];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = 0;
    (void)snprintf(want, sizeof want, "burst-archive.%d.%s", MISSION_N - 1, id);
    kept_past_key(REALM_ARCHIVE, (enum burst_mission)(MISSION_N - 1), id, key);
    CHECK_STR(key, want);
}

TEST(an_alert_comes_back_as_it_was)
{
    struct burst_error e;
    struct alert *a = filled();
    a->used = 41;
    kept_encode_alert(a, alert_blob);
    CHECK_INT(kept_decode_alert(alert_blob, sizeof alert_blob, &back, 9, &e), BURST_OK);
    const struct alert *b = &back.alert[9];
    CHECK(book_find(&back, MISSION_SVOM, "sb26112003") == b);
    CHECK_INT(b->now.record_number, 3);
    CHECK_INT(b->now.state, STATE_RETRACTED);
    CHECK_INT(b->now.told_k, 123456789012);
    CHECK_NEAR(b->now.lane[LANE_IMAGE].p, 0.25, 0);
    CHECK_STR(b->last.reasons[0], "why");
    CHECK_INT(b->last.source.realm, REALM_TEST);
    CHECK_INT(back.n_used, 41); /* the next one is newer */
    CHECK(!back.dirty[9]);
}

TEST(sightings_come_back_and_the_next_one_goes_behind_them)
{
    struct burst_error e;
    struct sighting s = {.trigger_ns = 5, .ra_deg = 10, .dec_deg = -10, .error_deg = 1};
    (void)filled();
    for (int i = 0; i < 3; i++) {
        (void)snprintf(s.id, sizeof s.id, "EP-%d", i);
        book_see(&book, &s);
    }
    kept_encode_sightings(book.sighting, sightings_blob);
    CHECK_INT(kept_decode_sightings(sightings_blob, sizeof sightings_blob, &back, &e), BURST_OK);
    CHECK_INT(back.n_sighting, 3);
    CHECK_STR(back.sighting[2].id, "EP-2");
    CHECK_NEAR(back.sighting[2].dec_deg, -10, 0);
}

TEST(blobs_of_another_kind_are_refused)
{
    struct burst_error e;
    struct alert *a = filled();
    kept_encode_alert(a, alert_blob);
    CHECK_REFUSED(kept_decode_alert(alert_blob, sizeof alert_blob - 1, &back, 0, &e), BURST_E_FORMAT, e, "an alert of");
    CHECK_REFUSED(kept_decode_alert(alert_blob, 3, &back, 0, &e), BURST_E_FORMAT, e, "3 bytes, version 0");
    alert_blob[3] = 9;
    CHECK_REFUSED(kept_decode_alert(alert_blob, sizeof alert_blob, &back, 0, &e), BURST_E_FORMAT, e, "version 9");
    a->now.state = (enum verdict_state)99;
    kept_encode_alert(a, alert_blob);
    CHECK_REFUSED(kept_decode_alert(alert_blob, sizeof alert_blob, &back, 0, &e), BURST_E_FORMAT, e, "broken");
    CHECK_INT(back.alert[0].used, 0);
    kept_encode_sightings(book.sighting, sightings_blob);
    CHECK_REFUSED(kept_decode_sightings(sightings_blob, 100, &back, &e), BURST_E_FORMAT, e, "sightings of 100 bytes");
    memset(sightings_blob + KEPT_HEAD, 'x', sizeof sightings_blob - KEPT_HEAD);
    CHECK_REFUSED(kept_decode_sightings(sightings_blob, sizeof sightings_blob, &back, &e), BURST_E_FORMAT, e,
                  "not closed");
    CHECK_INT(back.n_sighting, 0);
}

int main(void)
{
    RUN(keys_name_realm_and_place);
    RUN(the_longest_name_fits_its_key);
    RUN(an_alert_comes_back_as_it_was);
    RUN(sightings_come_back_and_the_next_one_goes_behind_them);
    RUN(blobs_of_another_kind_are_refused);
    return check_report();
}
