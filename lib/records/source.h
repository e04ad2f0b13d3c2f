/* Who sent it: realm, mission, instrument, and the words the wire, the topics and FITS use for them. */
#ifndef BURST_RECORDS_SOURCE_H
#define BURST_RECORDS_SOURCE_H
#include "base/err.h"
#include "records/event_map.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unreal inputs never share rings or events with real ones. Source: protocol.md 3, the topic prefixes. */
enum burst_realm { REALM_LIVE, REALM_TEST, REALM_ARCHIVE, REALM_N };
enum burst_mission {
    MISSION_GECAM_A,
    MISSION_GECAM_B,
    MISSION_GECAM_C,
    MISSION_SVOM,
    MISSION_FERMI,
    MISSION_EXTERNAL, /* Einstein Probe, Swift, ...: triggers alone, no data of theirs come here */
    MISSION_ADDED,    /* the first of SOURCE_ADDED_MAX that configuration files may add, see source_add */
    MISSION_N = MISSION_ADDED + 4
};
enum burst_instrument {
    INSTRUMENT_GRD,
    INSTRUMENT_CPD,
    INSTRUMENT_ECLAIRS,
    INSTRUMENT_GRM,
    INSTRUMENT_GBM,
    INSTRUMENT_NONE,  /* of a topic that belongs to a whole mission */
    INSTRUMENT_ADDED, /* the instrument of an added mission */
    INSTRUMENT_N
};
enum { SOURCE_ADDED_MAX = MISSION_N - MISSION_ADDED };

enum { DETECTOR_MAX = 25 }; /* rows in any light-curve record: GECAM-A/B carry 25 GRDs */

struct source {
    enum burst_realm realm;
    enum burst_mission mission;
    enum burst_instrument instrument;
};

/* What burstd knows of an instrument before it has seen a byte. One per (mission, instrument), the same for all of a run. */
struct instrument_fact {
    enum burst_mission mission;
    enum burst_instrument instrument;
    const char *topic;           /* "gecam-b.grd": the middle of the topic */
    const char *mission_name;    /* "GECAM-B": the verdict's `mission` */
    const char *instrument_name; /* "GRD": the verdict's `instrument` */
    const char *fits_telescope;  /* TELESCOP as the mission writes it */
    const char *fits_instrument; /* INSTRUME */
    const char *kind;            /* last word of the topic: "events" or "subimage" */
    int n_detector;              /* detectors whose counts are kept; 0 for images */
    int n_open;          /* N of protocol.md 6 "When": detectors above `open` that open an event; 0: no bursts are
                                    searched for, the total rate is a monitor of charged particles */
    int epoch_mjd_i;     /* mission elapsed time zero, TT: whole MJD ... */
    double epoch_mjd_f;  /* ... and fraction of a day */
    double rate_hz;      /* ordinary rows per second of a detector, for what is odd; 0: not known */
    double rate_most_hz; /* rows per second of all detectors that the instrument can record; 0: not known */
    double row_dead_s;   /* dead time of one row, where it is the same for all but few; 0: not known */
    const struct event_map *map; /* layout of an added instrument's files; NULL: ingest knows it */
    bool parallel;               /* all detectors look the same way: that all see the same is no sign of particles */
};

/* The fact for (mission, instrument), or NULL where there is no such instrument. */
const struct instrument_fact *source_fact(enum burst_mission mission, enum burst_instrument instrument);
/* All facts in a fixed order; *ret_n of them. */
const struct instrument_fact *source_facts(size_t *ret_n);
/* An instrument to be added: the fact with its texts, which are copied; `mission` and `instrument` are given by source_add. */
struct source_added {
    char topic[EVENT_MAP_TEXT], mission_name[EVENT_MAP_TEXT], instrument_name[EVENT_MAP_TEXT];
    char fits_telescope[EVENT_MAP_TEXT], fits_instrument[EVENT_MAP_TEXT];
    int n_detector, n_open, epoch_mjd_i;
    double epoch_mjd_f, rate_hz;
    bool parallel;
    struct event_map map;
};

/* Add an instrument to those burstd knows, for good.
 *
 * Given     added  zeroed before it was filled
 * Errors    BURST_E_CONFLICT  its topic, or its TELESCOP and INSTRUME, are known with another content; the mission's word of its
 *                             topic is another instrument's
 *           BURST_E_LIMIT     SOURCE_ADDED_MAX have been added
 * Notes     Only before other threads run: the table of instruments is the one thing here that is written once and then read by
 *           all. The same instrument again changes nothing. Source: docs/decisions, added instruments */
enum burst_err source_add(const struct source_added *added, struct burst_error *reterr);

/* Mission elapsed time zero as TT ns. */
int64_t source_epoch_ns(const struct instrument_fact *fact);

/* Topic text, e.g. "burst-archive.v1.fermi.gbm.events"; `word` NULL takes the fact's kind. Mission-wide words ("verdict",
 * "evidence", "trigger") give "burst.v1.fermi.verdict".
 * Errors    BURST_E_LIMIT        ret_text of `size` is too small
 *           BURST_E_UNSUPPORTED  no such instrument */
enum burst_err source_topic(struct source s, const char *word, char *ret_text, size_t size);
/* What an input topic carries (protocol.md 3). */
enum topic_kind { TOPIC_EVENTS, TOPIC_SUBIMAGE, TOPIC_TRIGGER, TOPIC_PLATFORM };
/* The source and kind of any input topic; INSTRUMENT_NONE for `.trigger` and `.platform`. Text need not end in 0.
 * Errors    BURST_E_UNSUPPORTED  no such topic; the topic is quoted */
enum burst_err source_parse_input(const char *topic, size_t n, struct source *ret_s, enum topic_kind *ret_kind,
                                  struct burst_error *reterr);
/* The i-th of all input topics burstd knows, of every realm, in a fixed order: data topics, then those of whole missions.
 * Returned  false where there are not so many; the outputs are then untouched */
bool source_input(size_t i, struct source *ret_s, enum topic_kind *ret_kind);
/* Topic of an input of source_input or source_parse_input. Errors as source_mission_topic. */
enum burst_err source_input_topic(struct source s, enum topic_kind kind, char *ret_text, size_t size);
/* Topic of a whole mission, e.g. "burst.v1.fermi.trigger".
 * Errors    BURST_E_LIMIT        ret_text of `size` is too small
 *           BURST_E_UNSUPPORTED  no such mission */
enum burst_err source_mission_topic(enum burst_realm realm, enum burst_mission mission, const char *word,
                                    char *ret_text, size_t size);
/* The source a data topic names (".events" or ".subimage"); text need not end in 0.
 * Errors    BURST_E_UNSUPPORTED  no such topic; the topic is quoted */
enum burst_err source_parse_topic(const char *topic, size_t n, struct source *ret_s, struct burst_error *reterr);
/* "burst", "burst-test" or "burst-archive". */
const char *source_realm_prefix(enum burst_realm realm);

/* Short detector name as the mission writes it: GBM n0..nb b0 b1; GRD g01..g25; GRM g01..g03; CPD c01..c08; added d01.. Index from 0. */
void source_detector_name(enum burst_instrument instrument, int detector, char ret_text[8]);
#endif
