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
enum { N_BUILT_IN = 9 };
static struct instrument_fact facts[N_BUILT_IN + SOURCE_ADDED_MAX] = {
    {MISSION_GECAM_A, INSTRUMENT_GRD, "gecam-a.grd", "GECAM-A", "GRD", "GECAM-A", "GRD", "events", 25, 3, 58484,
     FRACTION_69, 1780, 0, 0, NULL, false},
    {MISSION_GECAM_B, INSTRUMENT_GRD, "gecam-b.grd", "GECAM-B", "GRD", "GECAM-B", "GRD", "events", 25, 3, 58484,
     FRACTION_69, 1780, 0, 0, NULL, false},
    {MISSION_GECAM_C, INSTRUMENT_GRD, "gecam-c.grd", "GECAM-C", "GRD", "HEBS", "GRD", "events", 12, 3, 59215,
     FRACTION_69, 1780, 0, 0, NULL, false},
    {MISSION_GECAM_A, INSTRUMENT_CPD, "gecam-a.cpd", "GECAM-A", "CPD", "GECAM-A", "CPD", "events", 8, 0, 58484,
     FRACTION_69, 0, 0, 0, NULL, false},
    {MISSION_GECAM_B, INSTRUMENT_CPD, "gecam-b.cpd", "GECAM-B", "CPD", "GECAM-B", "CPD", "events", 8, 0, 58484,
     FRACTION_69, 0, 0, 0, NULL, false},
    {MISSION_GECAM_C, INSTRUMENT_CPD, "gecam-c.cpd", "GECAM-C", "CPD", "HEBS", "CPD", "events", 2, 0, 59215,
     FRACTION_69, 0, 0, 0, NULL, false},
    {MISSION_SVOM, INSTRUMENT_GRM, "svom.grm", "SVOM", "GRM", "SVOM", "GRM", "events", 3, 2, 57754, FRACTION_69, 0, 0,
     0, NULL, false},
    {MISSION_FERMI, INSTRUMENT_GBM, "fermi.gbm", "Fermi", "GBM", "GLAST", "GBM", "events", 12, 3, 51910, FRACTION_64,
     850, 375e3, 2.6e-6, NULL, false},
    {MISSION_SVOM, INSTRUMENT_ECLAIRS, "svom.eclairs", "SVOM", "ECLAIRs", "SVOM", "ECL", "subimage", 0, 0, 57754,
     FRACTION_69, 0, 0, 0, NULL, false},
};
static size_t n_fact = N_BUILT_IN;
static struct source_added added_to[SOURCE_ADDED_MAX]; /* what the facts of added instruments point to */

static const char *const PREFIX[REALM_N] = {"burst", "burst-test", "burst-archive"};

const struct instrument_fact *source_fact(enum burst_mission mission, enum burst_instrument instrument)
{
    for (size_t i = 0; i < n_fact; i++)
        if (facts[i].mission == mission && facts[i].instrument == instrument) return &facts[i];
    return NULL;
}

const struct instrument_fact *source_facts(size_t *ret_n)
{
    *ret_n = n_fact;
    return facts;
}

static bool same_mission(const char *a, const char *b)
{
    size_t n = strcspn(a, ".");
    return strcspn(b, ".") == n && !strncmp(a, b, n);
}

/* The same again, something of its name that is another's, or neither. */
static enum burst_err compare_added(const struct source_added *new, const struct instrument_fact *f, bool *ret_same,
                                    struct burst_error *reterr)
{
    bool file = !strcmp(new->fits_telescope, f->fits_telescope) && !strcmp(new->fits_instrument, f->fits_instrument);
    *ret_same = f->map && !memcmp(new, &added_to[f->mission - MISSION_ADDED], sizeof *new);
    if (*ret_same || (!file && !same_mission(new->topic, f->topic))) return BURST_OK;
    return burst_fail(reterr, BURST_E_CONFLICT, "topic %s (%s, %s) meets %s (%s, %s), which is known", new->topic,
                      new->fits_telescope, new->fits_instrument, f->topic, f->fits_telescope, f->fits_instrument);
}

enum burst_err source_add(const struct source_added *new, struct burst_error *reterr)
{
    bool same = false;
    for (size_t i = 0; i < n_fact; i++) {
        enum burst_err err = compare_added(new, &facts[i], &same, reterr);
        if (err || same) return err;
    }
    size_t n = n_fact - N_BUILT_IN;
    if (n == SOURCE_ADDED_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%s: %d instruments have been added already", new->topic,
                          SOURCE_ADDED_MAX);
    struct source_added *a = &added_to[n];
    memcpy(a, new, sizeof *a); /* with its padding: it is compared whole */
    facts[n_fact++] = (struct instrument_fact){.mission = (enum burst_mission)(MISSION_ADDED + (int)n),
                                               .instrument = INSTRUMENT_ADDED,
                                               .topic = a->topic,
                                               .mission_name = a->mission_name,
                                               .instrument_name = a->instrument_name,
                                               .fits_telescope = a->fits_telescope,
                                               .fits_instrument = a->fits_instrument,
                                               .kind = "events",
                                               .n_detector = a->n_detector,
                                               .n_open = a->n_open,
                                               .epoch_mjd_i = a->epoch_mjd_i,
                                               .epoch_mjd_f = a->epoch_mjd_f,
                                               .rate_hz = a->rate_hz,
                                               .row_dead_s = a->map.dead_s,
                                               .map = &a->map,
                                               .parallel = a->parallel};
    return BURST_OK;
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
    for (size_t i = 0; i < n_fact; i++)
        if (facts[i].mission == mission) {
            *ret_n = strcspn(facts[i].topic, ".");
            return facts[i].topic;
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
    const size_t n_whole =
        2 * (MISSION_ADDED + n_fact - N_BUILT_IN); /* topics of missions, two of each that has a name */
    size_t realm = i / (n_fact + n_whole), k = i % (n_fact + n_whole);
    if (realm >= REALM_N) return false;
    if (k < n_fact) {
        *ret_s = (struct source){(enum burst_realm)realm, facts[k].mission, facts[k].instrument};
        *ret_kind = facts[k].n_detector ? TOPIC_EVENTS : TOPIC_SUBIMAGE;
        return true;
    }
    *ret_s = (struct source){(enum burst_realm)realm, (enum burst_mission)((k - n_fact) / 2), INSTRUMENT_NONE};
    *ret_kind = (k - n_fact) % 2 ? TOPIC_PLATFORM : TOPIC_TRIGGER;
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
        (void)snprintf(ret_text, 8, "%c%02d",
                       instrument == INSTRUMENT_CPD     ? 'c'
                       : instrument == INSTRUMENT_ADDED ? 'd'
                                                        : 'g',
                       (detector + 1) % 100);
}
