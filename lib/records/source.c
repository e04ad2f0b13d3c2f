/* The instrument table and the topic words. */
#include "records/source.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

/* Epochs: formats.md 2 and 3 (GECAM-A/B 2019-01-01 UTC, GECAM-C 2021-01-01 UTC, SVOM 2017-01-01 UTC, Fermi 2001-01-01
 * UTC); the fraction is TT - UTC of that day: 69.184 s, 64.184 s for Fermi. GBM's light-curve search uses the 12 NaI.
 */
#define FRACTION_69 (69.184 / 86400.0)
#define FRACTION_64 (64.184 / 86400.0)
static const struct instrument_fact FACTS[] = {
    {MISSION_GECAM_A, INSTRUMENT_GRD, "gecam-a.grd", "GECAM-A", "GRD", "GECAM-A", "GRD", "events", 25, 3, 58484,
     FRACTION_69},
    {MISSION_GECAM_B, INSTRUMENT_GRD, "gecam-b.grd", "GECAM-B", "GRD", "GECAM-B", "GRD", "events", 25, 3, 58484,
     FRACTION_69},
    {MISSION_GECAM_C, INSTRUMENT_GRD, "gecam-c.grd", "GECAM-C", "GRD", "HEBS", "GRD", "events", 12, 3, 59215,
     FRACTION_69},
    {MISSION_SVOM, INSTRUMENT_GRM, "svom.grm", "SVOM", "GRM", "SVOM", "GRM", "events", 3, 2, 57754, FRACTION_69},
    {MISSION_FERMI, INSTRUMENT_GBM, "fermi.gbm", "Fermi", "GBM", "GLAST", "GBM", "events", 12, 3, 51910, FRACTION_64},
    {MISSION_SVOM, INSTRUMENT_ECLAIRS, "svom.eclairs", "SVOM", "ECLAIRs", "SVOM", "ECL", "subimage", 0, 0, 57754,
     FRACTION_69},
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

enum burst_err source_parse_topic(const char *topic, size_t n, struct source *ret_s, struct burst_error *reterr)
{
    char text[96];
    for (size_t i = 0; i < N_FACT; i++)
        for (int realm = 0; realm < REALM_N; realm++) {
            struct source s = {(enum burst_realm)realm, FACTS[i].mission, FACTS[i].instrument};
            if (source_topic(s, NULL, text, sizeof text)) continue;
            if (strlen(text) != n || memcmp(text, topic, n) != 0) continue;
            *ret_s = s;
            return BURST_OK;
        }
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "no input topic '%.*s'", (int)(n < 80 ? n : 80), topic);
}

void source_detector_name(enum burst_instrument instrument, int detector, char ret_text[8])
{
    static const char nai[] = "0123456789ab";
    if (instrument == INSTRUMENT_GBM && detector >= 0 && detector < 12)
        (void)snprintf(ret_text, 8, "n%c", nai[detector]);
    else if (instrument == INSTRUMENT_GBM)
        (void)snprintf(ret_text, 8, "b%d", (detector - 12) & 1);
    else
        (void)snprintf(ret_text, 8, "g%02d", (detector + 1) % 100);
}
