/* The instrument table and the topic words. */
#include "records/source.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

/* Epochs: formats.md 2 and 3 (GECAM-A/B 2019-01-01 UTC, GECAM-C 2021-01-01 UTC, SVOM 2017-01-01 UTC, Fermi 2001-01-01
 * UTC); the fraction is TT - UTC of that day: 69.184 s, 64.184 s for Fermi. GBM's light-curve search uses the 12 NaI.
 * Rates: GRD 6,407,659 rows in a detector-hour (formats.md 2); GBM n6 284,600 rows in 334 s (formats.md 3). GBM records at most
 * 375,000 events per second of all detectors (Meegan et al. 2009, ApJ 702, 791, section 3). */
#define FRACTION_69 (69.184 / 86400.0)
#define FRACTION_64 (64.184 / 86400.0)
static const struct instrument_fact FACTS[] = {
    {MISSION_GECAM_A, INSTRUMENT_GRD, "gecam-a.grd", "GECAM-A", "GRD", "GECAM-A", "GRD", "events", 25, 3, 58484,
     FRACTION_69, 1780, 0, 0},
    {MISSION_GECAM_B, INSTRUMENT_GRD, "gecam-b.grd", "GECAM-B", "GRD", "GECAM-B", "GRD", "events", 25, 3, 58484,
     FRACTION_69, 1780, 0, 0},
    {MISSION_GECAM_C, INSTRUMENT_GRD, "gecam-c.grd", "GECAM-C", "GRD", "HEBS", "GRD", "events", 12, 3, 59215,
     FRACTION_69, 1780, 0, 0},
    {MISSION_GECAM_A, INSTRUMENT_CPD, "gecam-a.cpd", "GECAM-A", "CPD", "GECAM-A", "CPD", "events", 8, 0, 58484,
     FRACTION_69, 0, 0, 0},
    {MISSION_GECAM_B, INSTRUMENT_CPD, "gecam-b.cpd", "GECAM-B", "CPD", "GECAM-B", "CPD", "events", 8, 0, 58484,
     FRACTION_69, 0, 0, 0},
    {MISSION_GECAM_C, INSTRUMENT_CPD, "gecam-c.cpd", "GECAM-C", "CPD", "HEBS", "CPD", "events", 2, 0, 59215,
     FRACTION_69, 0, 0, 0},
    {MISSION_SVOM, INSTRUMENT_GRM, "svom.grm", "SVOM", "GRM", "SVOM", "GRM", "events", 3, 2, 57754, FRACTION_69, 0, 0,
     0},
    {MISSION_FERMI, INSTRUMENT_GBM, "fermi.gbm", "Fermi", "GBM", "GLAST", "GBM", "events", 12, 3, 51910, FRACTION_64,
     850, 375e3, 2.6e-6},
    {MISSION_SVOM, INSTRUMENT_ECLAIRS, "svom.eclairs", "SVOM", "ECLAIRs", "SVOM", "ECL", "subimage", 0, 0, 57754,
     FRACTION_69, 0, 0, 0},
};
enum { N_FACT = sizeof FACTS / sizeof FACTS[0] };

static const char *const PREFIX[REALM_N] = {"burst", "burst-test", "burst-archive"};

const struct instrument_fact *source_fact(enum burst_mission mission, enum burst_instrument instrument)
{
    for (size_t i = 0; i < N_FACT; i++)
        if (FACTS[i].mission == mission && FACTS[i].instrument == instrument) return &FACTS[i];
    return NULL;
}

const struct instrument_fact *source_facts(size_t *ret_n)
{
    *ret_n = N_FACT;
    return FACTS;
}

int64_t source_epoch_ns(const struct instrument_fact *fact)
{
    int64_t tt_ns = 0;
    (void)clock_tt_from_mjd_tt(fact->epoch_mjd_i, fact->epoch_mjd_f, 0.0, &tt_ns, NULL); /* the table is in range */
    return tt_ns;
}

const char *source_realm_prefix(enum burst_realm realm)
{
    return PREFIX[realm];
}

enum burst_err source_topic(struct source s, const char *word, char *ret_text, size_t size)
{
    const struct instrument_fact *fact = source_fact(s.mission, s.instrument);
    if (!fact) return BURST_E_UNSUPPORTED;
    int n_mission = word ? (int)strcspn(fact->topic, ".") : (int)strlen(fact->topic);
    int n =
        snprintf(ret_text, size, "%s.v1.%.*s.%s", PREFIX[s.realm], n_mission, fact->topic, word ? word : fact->kind);
    return n < 0 || (size_t)n >= size ? BURST_E_LIMIT : BURST_OK;
}

/* First word of the mission's topics; NULL: no such mission. */
static const char *mission_word(enum burst_mission mission, size_t *ret_n)
{
    if (mission == MISSION_EXTERNAL) {
        *ret_n = strlen("external");
        return "external";
    }
    for (size_t i = 0; i < N_FACT; i++)
        if (FACTS[i].mission == mission) {
            *ret_n = strcspn(FACTS[i].topic, ".");
            return FACTS[i].topic;
        }
    return NULL;
}

enum burst_err source_mission_topic(enum burst_realm realm, enum burst_mission mission, const char *word,
                                    char *ret_text, size_t size)
{
    size_t n_mission;
    const char *name = mission_word(mission, &n_mission);
    if (!name) return BURST_E_UNSUPPORTED;
    int n = snprintf(ret_text, size, "%s.v1.%.*s.%s", PREFIX[realm], (int)n_mission, name, word);
    return n < 0 || (size_t)n >= size ? BURST_E_LIMIT : BURST_OK;
}

enum burst_err source_input_topic(struct source s, enum topic_kind kind, char *ret_text, size_t size)
{
    if (kind == TOPIC_TRIGGER) return source_mission_topic(s.realm, s.mission, "trigger", ret_text, size);
    if (kind == TOPIC_PLATFORM) return source_mission_topic(s.realm, s.mission, "platform", ret_text, size);
    return source_topic(s, NULL, ret_text, size);
}

bool source_input(size_t i, struct source *ret_s, enum topic_kind *ret_kind)
{
    enum { N_WHOLE = 2 * MISSION_N };
    size_t realm = i / (N_FACT + N_WHOLE), k = i % (N_FACT + N_WHOLE);
    if (realm >= REALM_N) return false;
    if (k < N_FACT) {
        *ret_s = (struct source){(enum burst_realm)realm, FACTS[k].mission, FACTS[k].instrument};
        *ret_kind = FACTS[k].n_detector ? TOPIC_EVENTS : TOPIC_SUBIMAGE;
        return true;
    }
    *ret_s = (struct source){(enum burst_realm)realm, (enum burst_mission)((k - N_FACT) / 2), INSTRUMENT_NONE};
    *ret_kind = (k - N_FACT) % 2 ? TOPIC_PLATFORM : TOPIC_TRIGGER;
    return true;
}

enum burst_err source_parse_input(const char *topic, size_t n, struct source *ret_s, enum topic_kind *ret_kind,
                                  struct burst_error *reterr)
{
    char text[96];
    struct source s;
    enum topic_kind kind;
    for (size_t i = 0; source_input(i, &s, &kind); i++) {
        if (source_input_topic(s, kind, text, sizeof text)) continue;
        if (strlen(text) != n || memcmp(text, topic, n) != 0) continue;
        *ret_s = s;
        *ret_kind = kind;
        return BURST_OK;
    }
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "no input topic '%.*s'", (int)(n < 80 ? n : 80), topic);
}

enum burst_err source_parse_topic(const char *topic, size_t n, struct source *ret_s, struct burst_error *reterr)
{
    struct source s;
    enum topic_kind kind;
    enum burst_err err = source_parse_input(topic, n, &s, &kind, reterr);
    if (!err && s.instrument == INSTRUMENT_NONE)
        err = burst_fail(reterr, BURST_E_UNSUPPORTED, "'%.*s' carries no data", (int)(n < 80 ? n : 80), topic);
    if (!err) *ret_s = s;
    return err;
}

void source_detector_name(enum burst_instrument instrument, int detector, char ret_text[8])
{
    static const char nai[] = "0123456789ab";
    if (instrument == INSTRUMENT_GBM && detector >= 0 && detector < 12)
        (void)snprintf(ret_text, 8, "n%c", nai[detector]);
    else if (instrument == INSTRUMENT_GBM)
        (void)snprintf(ret_text, 8, "b%d", (detector - 12) & 1);
    else
        (void)snprintf(ret_text, 8, "%c%02d", instrument == INSTRUMENT_CPD ? 'c' : 'g', (detector + 1) % 100);
}
