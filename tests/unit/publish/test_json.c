/* The verdict's JSON: what is written, left out and refused; with arguments, the schema's and samples' text for other tests.
 *   publish_test_json --schema         print the JSON Schema (how config/schema/verdict-1.json is rebuilt)
 *   publish_test_json --samples DIR    write sample verdicts as DIR/<name>.json */
#include "base/bytes.h"
#include "check.h"
#include "publish/json.h"
#include "sample_verdict.h"
#include <stdlib.h>

static char text[VERDICT_JSON_MAX];
static size_t n_text;
static struct burst_error error;

/* 2026-11-20T03:12:26.5Z: TT - UTC = 69.184 s. */
#define ALERT_NS (INT64_C(1795144346500000000) + INT64_C(69184000000))

static const char *json_of(const struct verdict *v)
{
    error = (struct burst_error){0};
    enum burst_err err = verdict_json(v, ALERT_NS, text, sizeof text, &n_text, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    if (err) text[0] = 0;
    return text;
}

static bool says(const char *json, const char *part)
{
    bool found = strstr(json, part) != NULL;
    if (!found) printf("# looked for %s in %s\n", part, json);
    return found;
}

TEST(the_whole_text_is_the_one_written_by_hand)
{
    struct verdict v = sample_burst();
    const char *want =
        "{\"$schema\":\"urn:burstd:schema:verdict:1\",\"id\":\"fermi-gbm-20110721T044743.760Z\",\"record_number\":1,"
        "\"verdict_id\":\"0102030405060708090a0b0c0d0e0f10\",\"alert_type\":\"initial\",\"alert_tense\":\"archival\","
        "\"alert_datetime\":\"2026-11-20T03:12:26.500000Z\",\"mission\":\"Fermi\",\"instrument\":\"GBM\",\"state\":"
        "\"open\","
        "\"verdict\":\"true\",\"action\":\"follow_up\",\"p_true\":0.93,\"p_interval\":[0.86,0.97],"
        "\"p_interval_containment\":0.9,\"classification\":{\"GRB\":0.9,\"SGR\":0,\"SolarFlare\":0.04,\"TGF\":0,"
        "\"KnownSource\":0,\"Particle\":0.06,\"Instrumental\":0,\"Other\":0},\"reason_code\":\"BURST_LIKE\","
        "\"reasons\":[\"3 of 3 detectors above 0.5, best n6 at "
        "0.97\"],\"trigger_time\":\"2011-07-21T04:47:43.760000Z\","
        /* the SHA-256 of "n6" and "n7" are those of sha256sum */
        "\"evidence\":[{\"name\":\"n6\",\"score\":0.97,\"snr\":12.5,\"t90\":21.82,\"peak_rate\":1843.75,\"hardness\":0."
        "7,"
        "\"quality\":[],\"input_sha256\":\"2d8e452e1634cae42e17cc9ec974afed94029e20e98fde4444706e3efac1bf77\"},"
        "{\"name\":\"n7\",\"score\":0.88,\"snr\":12.5,\"t90\":21.82,\"peak_rate\":1843.75,"
        "\"quality\":[\"incomplete\",\"short_window\"],"
        "\"input_sha256\":\"6f5eba2319bd7584711fc21c2eb5d4bb863327bb7a5aec7ea92effdbf917cd8f\"}],"
        "\"model\":[{\"name\":\"lightcurve\",\"version\":\"1.0.0\","
        "\"sha256\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"backend\":\"cpu\","
        "\"calibration\":{\"temperature\":1.25}}],\"latency\":{\"since_trigger\":2.5,\"decode\":0.0031,\"infer\":0."
        "0123}}";
    CHECK_STR(json_of(&v), want);
    CHECK_INT(n_text, strlen(want));
}

TEST(core_lacks_when_how_fast_and_on_what_and_nothing_else)
{
    struct verdict v = sample_burst(), w = sample_burst();
    char core[VERDICT_JSON_MAX], other[VERDICT_JSON_MAX];
    size_t n = 0, n_other = 0;
    memcpy(w.model[0].backend, "plain", 6);
    w.latency_infer_s = 9;
    CHECK_INT(verdict_core(&v, core, sizeof core, &n, &error), BURST_OK);
    CHECK_INT(verdict_core(&w, other, sizeof other, &n_other, &error), BURST_OK);
    CHECK_STR(core, other);
    CHECK(!strstr(core, "alert_datetime") && !strstr(core, "latency") && !strstr(core, "backend"));
    CHECK(says(core, "\"calibration\"") && says(core, "\"trigger_time\""));
    /* the full text is longer by exactly those members */
    CHECK_INT(strlen(json_of(&v)) - n,
              strlen("\"alert_datetime\":\"2026-11-20T03:12:26.500000Z\",") + strlen("\"backend\":\"cpu\",") +
                  strlen(",\"latency\":{\"since_trigger\":2.5,\"decode\":0.0031,\"infer\":0.0123}"));
}

TEST(unknown_values_are_left_out)
{
    struct verdict v = sample_burst();
    v.latency_since_trigger_s = v.latency_decode_s = v.latency_infer_s = NAN;
    v.n_reason = 0;
    v.n_evidence = 0;
    v.p_lo = v.p_containment = NAN;
    v.classification[0] = NAN;
    const char *json = json_of(&v);
    const char *const absent[] = {"latency", "reasons", "evidence", "p_interval", "classification",
                                  "\"ra\"",  "\"dec\"", "p_astro",  "refined",    "supersedes",
                                  "nan",     "null",    "inf",      ":-1",        "containment"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        CHECK_SAY(!strstr(json, absent[i]), "%s is there: %s", absent[i], json);
}

TEST(known_values_and_their_words_are_there)
{
    struct verdict v = sample_image();
    const char *json = json_of(&v);
    CHECK(says(json, "\"ra\":143.2478,\"dec\":-68.0289,\"ra_dec_error\":0.1,\"containment_probability\":0.9"));
    CHECK(says(json, "\"trigger_time_refined\":\"2011-07-21T04:47:43.760500Z\""));
    CHECK(says(
        json,
        "\"reasons\":[\"the peak is 0.6 px from \\\"Sco X-1\\\"\",\"p falls by 0.3 without the source \xce\xb1\"]"));
    CHECK(says(json, "\"mission\":\"SVOM\",\"instrument\":\"ECLAIRs\",\"state\":\"rejected\",\"verdict\":\"false\","
                     "\"action\":\"cancel\""));
    v = sample_retraction();
    CHECK(says(json_of(&v), "\"record_number\":3,\"supersedes\":2,"));
}

TEST(what_is_awaited_stands_in_place_of_a_verdict)
{
    struct verdict v = sample_awaiting();
    const char *json = json_of(&v);
    CHECK(says(json, "\"state\":\"open\",\"awaiting\":\"subimage\",\"expected_by\":\"2011-07-21T04:57:43.760000Z\","
                     "\"trigger_time\""));
    CHECK(says(json, "\"related\":[{\"id\":\"Fermi-GBM-1\",\"dt_s\":-1.25,\"separation_deg\":4.5}],\"platform\":{"
                     "\"saa\":\"outside\",\"latitude\":-2.46,\"longitude\":112.3,\"altitude\":621.27,"
                     "\"mcilwain_l\":1.125,\"earth_limb_angle\":51.5,\"sun_angle\":120.75},\"model\":[],"));
    const char *const absent[] = {"\"verdict\"", "\"action\"", "p_true", "evidence", "machine_verdict", "moon_angle"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        CHECK_SAY(!strstr(json, absent[i]), "%s is there: %s", absent[i], json);
    v = sample_image();
    v.machine_call = CALL_TRUE;
    CHECK(says(json_of(&v), "\"verdict\":\"false\",\"machine_verdict\":\"true\",\"action\":\"cancel\""));
}

TEST(numbers_have_the_stated_digits_and_no_noise)
{
    struct verdict v = sample_image();
    v.p_true = 0.1 + 0.2;          /* 0.30000000000000004 as a double */
    v.ra_deg = 123.4567890123;     /* nine digits */
    v.evidence[0].score = 1.0 / 3; /* six */
    v.evidence[0].snr = -0.0;
    v.evidence[0].peak_rate_hz = 1234567.8;
    const char *json = json_of(&v);
    CHECK(says(json, "\"p_true\":0.3,"));
    CHECK(says(json, "\"ra\":123.456789,"));
    CHECK(says(json, "\"score\":0.333333,"));
    CHECK(says(json, "\"snr\":0,"));
    CHECK(says(json, "\"peak_rate\":1.23457e+06,"));
}

TEST(told_class_probabilities_still_sum_to_one)
{
    struct verdict v = sample_burst();
    for (int i = 0; i < CLASS_N; i++)
        v.classification[i] = i == 0 ? 1 - 7.0 / 17 : 1.0 / 17;
    const char *at = strstr(json_of(&v), "\"classification\":{");
    double sum = 0;
    int n = 0;
    for (at = at ? at + 18 : ""; *at && *at != '}'; at++)
        if (*at == ':') {
            sum += strtod(at + 1, NULL);
            n++;
        }
    CHECK_INT(n, 8);
    CHECK_NEAR(sum, 1, 1e-8); /* eight times half a unit of the ninth digit */
}

TEST(the_longest_verdict_fits_the_stated_room)
{
    struct verdict v = sample_longest();
    json_of(&v);
    CHECK(n_text > 8000 && n_text < VERDICT_JSON_MAX);
}

TEST(too_little_room_is_refused_and_leaves_the_output_alone)
{
    struct verdict v = sample_burst();
    size_t need = strlen(json_of(&v)), n = 77;
    char small[64] = "before";
    CHECK_REFUSED(verdict_json(&v, ALERT_NS, small, sizeof small, &n, &error), BURST_E_LIMIT, error, "fermi-gbm");
    CHECK_STR(small, "before");
    CHECK_INT(n, 77);
    CHECK_REFUSED(verdict_json(&v, ALERT_NS, text, need, &n, &error), BURST_E_LIMIT, error, "bytes of JSON");
    CHECK_INT(verdict_json(&v, ALERT_NS, text, need + 1, &n, &error), BURST_OK);
    CHECK_REFUSED(verdict_json(&v, 0, text, sizeof text, &n, &error), BURST_E_RANGE, error, "alert_datetime");
    CHECK_REFUSED(verdict_schema(small, sizeof small, &n, &error), BURST_E_LIMIT, error, "schema");
    CHECK_STR(small, "before");
}

/* ---- refusals: one change each, the code and the field's name as the wire has it ---- */

static void refused(struct verdict v, enum burst_err want, const char *part)
{
    error = (struct burst_error){0};
    CHECK_REFUSED(verdict_check(&v, &error), want, error, part);
    CHECK_INT(error.code, want);
    char out[16] = "before";
    size_t n = 7;
    CHECK_INT(verdict_json(&v, ALERT_NS, out, sizeof out, &n, &error), want);
    CHECK_STR(out, "before");
    CHECK_INT(n, 7);
}
#define REFUSED(base, change, want, part)                                                                              \
    do {                                                                                                               \
        struct verdict v = base();                                                                                     \
        change;                                                                                                        \
        refused(v, want, part);                                                                                        \
    } while (0)

TEST(missing_mandatory_values_are_refused)
{
    REFUSED(sample_burst, v.id[0] = 0, BURST_E_MISSING, "id is mandatory");
    REFUSED(sample_burst, v.record_number = 0, BURST_E_MISSING, "record_number");
    REFUSED(sample_burst, memset(v.verdict_id, 0, 16), BURST_E_MISSING, "verdict_id");
    REFUSED(sample_burst, v.call = CALL_NONE, BURST_E_MISSING, "neither verdict nor awaiting");
    REFUSED(sample_burst, v.p_true = NAN, BURST_E_MISSING, "p_true");
    REFUSED(sample_burst, v.trigger_ns = 0, BURST_E_MISSING, "trigger_time");
    REFUSED(sample_burst, v.n_model = 0, BURST_E_MISSING, "model");
    REFUSED(sample_burst, v.model[0].backend[0] = 0, BURST_E_MISSING, "model[0].backend");
    REFUSED(sample_burst, v.model[0].temperature = NAN, BURST_E_MISSING, "model[0].calibration");
    REFUSED(sample_burst, v.evidence[1].name[0] = 0, BURST_E_MISSING, "evidence[1].name");
    REFUSED(sample_burst, v.source.instrument = INSTRUMENT_ECLAIRS, BURST_E_MISSING, "mission");
    REFUSED(sample_image, v.reason = REASON_NONE, BURST_E_MISSING, "reason_code");
    REFUSED(sample_retraction, v.call = CALL_TRUE; v.reason = REASON_NONE, BURST_E_MISSING, "reason_code");
    REFUSED(sample_burst, v.p_containment = NAN, BURST_E_MISSING, "p_interval_containment");
    REFUSED(sample_image, v.dec_deg = NAN, BURST_E_MISSING, "ra and dec");
    REFUSED(sample_image, v.containment = NAN, BURST_E_MISSING, "containment_probability");
    REFUSED(sample_image, v.action = ACTION_NONE, BURST_E_MISSING, "action");
    REFUSED(sample_awaiting, v.await = AWAIT_NOTHING;
            v.expected_ns = 0, BURST_E_MISSING, "neither verdict nor awaiting");
    REFUSED(sample_awaiting, v.expected_ns = 0, BURST_E_MISSING, "expected_by");
    REFUSED(sample_image, v.expected_ns = v.trigger_ns, BURST_E_MISSING, "expected_by");
    REFUSED(sample_awaiting, v.related[0].id[0] = 0, BURST_E_MISSING, "related[0].id");
    REFUSED(sample_awaiting, v.related[0].dt_s = NAN, BURST_E_MISSING, "related[0].dt_s");
}

TEST(values_out_of_range_are_refused)
{
    REFUSED(sample_burst, v.p_true = 1.0001, BURST_E_RANGE, "p_true is 1.0001, allowed 0 to 1");
    REFUSED(sample_burst, v.p_true = -0.01, BURST_E_RANGE, "p_true");
    REFUSED(sample_burst, v.p_hi = INFINITY, BURST_E_RANGE, "p_interval");
    REFUSED(sample_burst, v.p_hi = NAN, BURST_E_RANGE, "p_interval");
    REFUSED(sample_burst, v.p_lo = 0.98; v.p_hi = 0.97, BURST_E_RANGE, "not in order");
    REFUSED(sample_burst, v.p_true = 0.5, BURST_E_RANGE, "outside p_interval");
    REFUSED(sample_burst, v.classification[CLASS_TGF] = 0.1, BURST_E_RANGE, "sum to 1.1");
    REFUSED(sample_burst, v.classification[CLASS_TGF] = NAN, BURST_E_RANGE, "classification");
    REFUSED(sample_burst, v.classification[CLASS_GRB] = -0.1;
            v.classification[CLASS_SGR] = 1, BURST_E_RANGE, "classification");
    REFUSED(sample_image, v.ra_deg = 360.1, BURST_E_RANGE, "ra is");
    REFUSED(sample_image, v.dec_deg = -90.5, BURST_E_RANGE, "dec is");
    REFUSED(sample_burst, v.record_number = -2, BURST_E_RANGE, "record_number");
    REFUSED(sample_burst, v.trigger_ns = INT64_MIN, BURST_E_RANGE, "trigger_time");
    REFUSED(sample_burst, v.trigger_ns = INT64_MAX, BURST_E_RANGE, "trigger_time");
    REFUSED(sample_burst, v.state = (enum verdict_state)STATE_N, BURST_E_RANGE, "state");
    REFUSED(sample_burst, v.reason = (enum reason_code)999, BURST_E_RANGE, "reason_code");
    REFUSED(sample_burst, v.evidence[0].quality = 1u << EVIDENCE_FLAG_N, BURST_E_RANGE, "evidence[0].quality");
    REFUSED(sample_burst, v.evidence[1].snr = INFINITY, BURST_E_RANGE, "evidence[1].snr");
    REFUSED(sample_burst, v.evidence[0].t90_s = -1, BURST_E_RANGE, "evidence[0].t90");
    REFUSED(sample_burst, v.n_evidence = EVIDENCE_MAX + 1, BURST_E_RANGE, "evidence: 26 items");
    REFUSED(sample_burst, v.n_evidence = -1, BURST_E_RANGE, "evidence");
    REFUSED(sample_burst, v.n_reason = REASON_MAX + 1, BURST_E_RANGE, "reasons");
    REFUSED(sample_burst, v.latency_infer_s = INFINITY, BURST_E_RANGE, "latency.infer");
    REFUSED(sample_awaiting, v.n_related = RELATED_MAX + 1, BURST_E_RANGE, "related: 5 items");
    REFUSED(sample_awaiting, v.related[0].separation_deg = 181, BURST_E_RANGE, "related[0].separation_deg");
    REFUSED(sample_awaiting, v.platform.lat_deg = 90.5, BURST_E_RANGE, "platform.latitude");
}

TEST(broken_text_is_refused)
{
    REFUSED(sample_burst, memset(v.id, 'x', sizeof v.id), BURST_E_FORMAT, "id: text is not closed");
    REFUSED(sample_burst, v.id[3] = ' ', BURST_E_FORMAT, "id");
    REFUSED(sample_burst, v.id[3] = '\n', BURST_E_FORMAT, "id");
    REFUSED(sample_burst, v.model[0].sha256[10] = 'G', BURST_E_FORMAT, "model[0].sha256");
    REFUSED(sample_burst, v.model[0].sha256[63] = 0, BURST_E_FORMAT, "model[0].sha256");
    REFUSED(sample_burst, v.reasons[0][2] = '\x1b', BURST_E_FORMAT, "reasons[0]");
    REFUSED(sample_burst, memset(v.reasons[0], 'y', REASON_TEXT), BURST_E_FORMAT, "reasons[0]");
    /* Not UTF-8, by the table 3-7 of Unicode: a lone continuation, overlong, surrogate, beyond 10FFFF, cut short. */
    const char *const bad[] = {"\x80",     "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                               "\xe2\x82", "\x7f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(sample_burst, (void)snprintf(v.reasons[0], REASON_TEXT, "a%s", bad[i]), BURST_E_FORMAT,
                "reasons[0]: not UTF-8");
    struct verdict v = sample_burst();
    (void)snprintf(v.reasons[0], REASON_TEXT, "\xc2\xb5 \xe2\x82\xac \xf0\x9f\x98\x80");
    CHECK_INT(verdict_check(&v, &error), BURST_OK);
}

TEST(contradictions_are_refused)
{
    REFUSED(sample_burst, v.type = ALERT_UPDATE, BURST_E_CONFLICT, "update at record_number 1");
    REFUSED(sample_burst, v.record_number = 2, BURST_E_CONFLICT, "initial at record_number 2");
    REFUSED(sample_retraction, v.state = STATE_OPEN, BURST_E_CONFLICT, "a retraction leaves the event open");
    REFUSED(sample_burst, v.tense = TENSE_CURRENT, BURST_E_CONFLICT, "alert_tense current");
    REFUSED(sample_image, v.tense = TENSE_TEST, BURST_E_CONFLICT, "alert_tense test");
    REFUSED(sample_burst, v.source.realm = REALM_TEST, BURST_E_CONFLICT, "alert_tense archival");
    REFUSED(sample_burst, v.evidence[1] = v.evidence[0], BURST_E_CONFLICT, "both 'n6'");
    REFUSED(sample_awaiting, v.call = CALL_FALSE, BURST_E_CONFLICT, "verdict false while awaiting subimage");
}

TEST(what_is_allowed_at_the_edges_passes)
{
    struct verdict v = sample_burst();
    v.p_true = v.p_lo = v.p_hi = 1;
    CHECK_INT(verdict_check(&v, &error), BURST_OK);
    v = sample_burst();
    v.reason = REASON_NONE; /* a `true` owes none */
    CHECK_INT(verdict_check(&v, &error), BURST_OK);
    v = sample_image();
    v.ra_deg = 0;
    v.dec_deg = 90;
    v.tense = TENSE_ARCHIVAL; /* hours-late downlink of a live input */
    CHECK_INT(verdict_check(&v, &error), BURST_OK);
    v.source.realm = REALM_TEST;
    v.tense = TENSE_INJECTION;
    CHECK_INT(verdict_check(&v, NULL), BURST_OK);
}

TEST(the_committed_schema_is_the_generated_one)
{
    uint8_t *file = NULL;
    size_t n = 0;
    CHECK_INT(verdict_schema(text, sizeof text, &n_text, &error), BURST_OK);
    enum burst_err err =
        bytes_read_file(BURST_SOURCE_DIR "/config/schema/verdict-1.json", sizeof text, &file, &n, &error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
    if (err) return;
    CHECK_SAY(n == n_text && memcmp(file, text, n) == 0,
              "rebuild it: build/.../tests/publish_test_json --schema > config/schema/verdict-1.json");
    free(file);
}

static int write_sample(const char *dir, const char *name, struct verdict v)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.json", dir, name);
    if (verdict_json(&v, ALERT_NS, text, sizeof text, &n_text, &error) ||
        bytes_write_file(path, (const uint8_t *)text, n_text, &error))
        return fprintf(stderr, "%s: %s\n", path, error.text);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--schema") == 0) {
        if (verdict_schema(text, sizeof text, &n_text, &error)) return 1;
        return fwrite(text, 1, n_text, stdout) == n_text ? 0 : 1;
    }
    if (argc == 3 && strcmp(argv[1], "--samples") == 0)
        return write_sample(argv[2], "burst", sample_burst()) || write_sample(argv[2], "image", sample_image()) ||
               write_sample(argv[2], "retraction", sample_retraction()) ||
               write_sample(argv[2], "awaiting", sample_awaiting()) ||
               write_sample(argv[2], "longest", sample_longest());
    RUN(the_whole_text_is_the_one_written_by_hand);
    RUN(core_lacks_when_how_fast_and_on_what_and_nothing_else);
    RUN(unknown_values_are_left_out);
    RUN(known_values_and_their_words_are_there);
    RUN(what_is_awaited_stands_in_place_of_a_verdict);
    RUN(numbers_have_the_stated_digits_and_no_noise);
    RUN(told_class_probabilities_still_sum_to_one);
    RUN(the_longest_verdict_fits_the_stated_room);
    RUN(too_little_room_is_refused_and_leaves_the_output_alone);
    RUN(missing_mandatory_values_are_refused);
    RUN(values_out_of_range_are_refused);
    RUN(broken_text_is_refused);
    RUN(contradictions_are_refused);
    RUN(what_is_allowed_at_the_edges_passes);
    RUN(the_committed_schema_is_the_generated_one);
    return check_report();
}
