/* Verdicts built by hand, shared by the tests of publish. The figures are chosen, not computed by the code under test. */
#ifndef BURST_TESTS_SAMPLE_VERDICT_H
#define BURST_TESTS_SAMPLE_VERDICT_H
#include "base/clock.h"
#include "base/hash.h"
#include "records/verdict.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* 2011-07-21T04:47:43.760Z: UTC ns since 1970 by `date -u -d ... +%s`, TT - UTC = 66.184 s that year. */
#define SAMPLE_TRIGGER_NS (INT64_C(1311223663760000000) + INT64_C(66184000000))

static inline struct model_tag sample_model(void)
{
    struct model_tag m = {.name = "lightcurve",
                          .version = "1.0.0",
                          .backend = "cpu",
                          .temperature = 1.25,
                          .open = 0.5,
                          .low = 0.2,
                          .high = 0.8};
    memset(m.sha256, 'a', 64);
    return m;
}

static inline struct evidence sample_evidence(const char *name, double score)
{
    struct evidence e = {.score = score, .snr = 12.5, .t90_s = 21.82, .peak_rate_hz = 1843.75, .hardness = 0.7};
    (void)snprintf(e.name, sizeof e.name, "%.15s", name);
    hash_sha256(&(struct hash_piece){name, strlen(name)}, 1, e.input_sha256);
    return e;
}

/* A true Fermi/GBM burst out of an archive file, revision 1, position unknown. */
static inline struct verdict sample_burst(void)
{
    struct verdict v = {
        .source = {REALM_ARCHIVE, MISSION_FERMI, INSTRUMENT_GBM},
        .id = "fermi-gbm-20110721T044743.760Z",
        .record_number = 1,
        .type = ALERT_INITIAL,
        .tense = TENSE_ARCHIVAL,
        .state = STATE_OPEN,
        .call = CALL_TRUE,
        .p_true = 0.93,
        .p_lo = 0.86,
        .p_hi = 0.97,
        .p_containment = 0.9,
        .p_astro = NAN,
        .classification = {[CLASS_GRB] = 0.9, [CLASS_SOLAR_FLARE] = 0.04, [CLASS_PARTICLE] = 0.06},
        .reason = REASON_BURST_LIKE,
        .n_reason = 1,
        .reasons = {"3 of 3 detectors above 0.5, best n6 at 0.97"},
        .action = ACTION_FOLLOW_UP,
        .trigger_ns = SAMPLE_TRIGGER_NS,
        .ra_deg = NAN,
        .dec_deg = NAN,
        .ra_dec_error_deg = NAN,
        .containment = NAN,
        .n_evidence = 2,
        .n_model = 1,
        .latency_since_trigger_s = 2.5,
        .latency_decode_s = 0.0031,
        .latency_infer_s = 0.0123,
    };
    for (int i = 0; i < 16; i++)
        v.verdict_id[i] = (uint8_t)(i + 1);
    v.window.start_ns = v.trigger_ns - 60 * CLOCK_NS_PER_S;
    v.window.stop_ns = v.trigger_ns + 60 * CLOCK_NS_PER_S;
    verdict_platform_unknown(&v.platform);
    v.evidence[0] = sample_evidence("n6", 0.97);
    v.evidence[1] = sample_evidence("n7", 0.88);
    v.evidence[1].hardness = NAN;
    v.evidence[1].quality = EVIDENCE_SHORT | EVIDENCE_INCOMPLETE;
    v.model[0] = sample_model();
    return v;
}

/* A real SVOM sub-image that is a bad subtraction: false, with a position. */
static inline struct verdict sample_image(void)
{
    struct verdict v = sample_burst();
    v.source = (struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS};
    (void)snprintf(v.id, sizeof v.id, "sb26112003");
    v.tense = TENSE_CURRENT;
    v.state = STATE_REJECTED;
    v.call = CALL_FALSE;
    v.p_true = 0.041;
    v.p_lo = NAN;
    v.p_containment = NAN;
    v.reason = REASON_BAD_SUBTRACTION;
    v.n_reason = 2;
    (void)snprintf(v.reasons[0], REASON_TEXT, "the peak is 0.6 px from \"Sco X-1\"");
    (void)snprintf(v.reasons[1], REASON_TEXT, "p falls by 0.3 without the source \xce\xb1");
    v.action = ACTION_CANCEL;
    v.trigger_refined_ns = v.trigger_ns + 500000;
    v.ra_deg = 143.2478;
    v.dec_deg = -68.0289;
    v.ra_dec_error_deg = 0.1;
    v.containment = 0.9;
    v.n_evidence = 1;
    v.evidence[0] = sample_evidence("image", 0.041);
    v.evidence[0].t90_s = v.evidence[0].peak_rate_hz = v.evidence[0].hardness = NAN;
    return v;
}

/* A mission's trigger that still waits for its sub-image, beside a burst of another mission. */
static inline struct verdict sample_awaiting(void)
{
    struct verdict v = sample_image();
    v.state = STATE_OPEN;
    v.call = CALL_NONE;
    v.action = ACTION_NONE;
    v.await = AWAIT_SUBIMAGE;
    v.expected_ns = v.trigger_ns + 600 * CLOCK_NS_PER_S;
    v.p_true = v.classification[0] = NAN;
    v.reason = REASON_NONE;
    v.n_reason = v.n_evidence = v.n_model = 0;
    v.trigger_refined_ns = 0;
    v.n_related = 1;
    v.related[0] = (struct related){.id = "Fermi-GBM-1", .dt_s = -1.25, .separation_deg = 4.5, .joint_far_hz = NAN};
    v.platform = (struct verdict_platform){VERDICT_SAA_OUTSIDE, -2.46, 112.3, 621.27, 1.125, 51.5, 120.75, NAN};
    return v;
}

/* A machine `true` that became `false`: revision 3, a retraction. */
static inline struct verdict sample_retraction(void)
{
    struct verdict v = sample_burst();
    v.record_number = 3;
    v.type = ALERT_RETRACTION;
    v.state = STATE_RETRACTED;
    v.call = CALL_FALSE;
    v.p_true = 0.1;
    v.p_lo = 0.05;
    v.reason = REASON_PARTICLE;
    v.action = ACTION_CANCEL;
    return v;
}

/* Every list full, every text as long as it can be and all of it escapes. */
static inline struct verdict sample_longest(void)
{
    struct verdict v = sample_image();
    memset(v.id, 'x', sizeof v.id - 1);
    v.p_lo = 0.0123456789;
    v.p_hi = 0.0987654321;
    v.p_containment = 0.901234567;
    v.p_astro = 0.123456789;
    v.n_reason = REASON_MAX;
    for (int i = 0; i < REASON_MAX; i++) {
        memset(v.reasons[i], '"', REASON_TEXT - 1);
        v.reasons[i][REASON_TEXT - 1] = 0;
    }
    v.n_evidence = EVIDENCE_MAX;
    for (int i = 0; i < EVIDENCE_MAX; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "\"\"\"\"\"\"\"\"\"\"\"\"\"%02d", i);
        v.evidence[i] = sample_evidence(name, 1.23456789e-5);
        v.evidence[i].snr = -123456.789;
        v.evidence[i].t90_s = 1.23456789e-7;
        v.evidence[i].peak_rate_hz = -1.23456789e-7;
        v.evidence[i].hardness = -1.23456789e-7;
        v.evidence[i].quality = (1u << EVIDENCE_FLAG_N) - 1;
    }
    v.n_related = RELATED_MAX;
    for (int i = 0; i < RELATED_MAX; i++) {
        v.related[i] =
            (struct related){.dt_s = -123456.789, .separation_deg = 1.23456789e-7, .joint_far_hz = 1.23456789e-7};
        memset(v.related[i].id, '"', EVENT_ID_TEXT - 1);
    }
    v.platform = (struct verdict_platform){VERDICT_SAA_OUTSIDE, -1.23456789e-7, -1.23456789e-7, -1.23456789e-7,
                                           1.23456789e-7,       -1.23456789e-7, 1.23456789e-7,  1.23456789e-7};
    v.machine_call = CALL_UNCLEAR;
    v.n_model = MODEL_MAX;
    for (int i = 0; i < MODEL_MAX; i++) {
        v.model[i] = sample_model();
        memset(v.model[i].name, '"', MODEL_NAME_TEXT - 1);
        memset(v.model[i].version, '"', 15);
    }
    return v;
}
#endif
