/* The events of one realm that have been told, and what may be related to them: one id, one sequence of records, whichever
 * instrument or notice speaks (protocol.md 6; docs/decisions/0007). Plain data, bounded: what was used longest ago leaves it, and
 * comes back through `past` where the owner keeps what has left. One thread. All zeros is an empty book without a past. */
#ifndef BURST_DECIDE_BOOK_H
#define BURST_DECIDE_BOOK_H
#include "decide/settings.h"

enum { BOOK_ALERTS = 256, BOOK_SIGHTINGS = 64, ALERT_ALIASES = 3, TOP_WINDOWS = 4, ALERT_SAID_TEXT = 160 };
enum alert_lane { LANE_CURVE, LANE_IMAGE, LANE_N };

/* Data are read again after a restart: the input that made the last record gets it again, for its evidence. */
enum alert_repeat { REPEAT_NOTHING, REPEAT_WINDOW, REPEAT_IMAGE };

/* What one kind of data has to say about an event. */
struct lane {
    bool awaited;  /* a trigger promises such data, and they have not been given up */
    bool heard;    /* they have been judged */
    bool closed;   /* nothing more is expected of them */
    bool given_up; /* awaited in vain */
    enum verdict_call call;
    enum reason_code reason;
    double p;
};

/* The part of an alert that a record changes. */
struct alert_facts {
    int record_number, true_record; /* records so far; the one that last said true, 0: none */
    enum verdict_call call;         /* as last told; CALL_NONE: awaiting */
    enum verdict_state state;
    bool withdrawn; /* the mission has taken it back: its call stays */
    struct lane lane[LANE_N];
    int64_t expected_ns; /* by when what is awaited should come; 0: nothing is */
    int64_t told_k;      /* windows up to this one have been judged for it; a restart reads them again in silence */
    int64_t revised_k;   /* data time of the last revision that windows made */
    int rank;            /* of the newest sub-image: ALERTCNT, then VHF before XBAND */
    uint8_t image_sha256[32];
};

struct alert {
    uint64_t used; /* order of last use; 0: this place is free */
    char id[EVENT_ID_TEXT];
    char alias[ALERT_ALIASES][EVENT_ID_TEXT]; /* triggers of the mission that are the same event */
    double alias_dt_s[ALERT_ALIASES];
    int64_t trigger_ns; /* frozen at record 1 */
    enum alert_tense tense;
    struct alert_facts now;
    enum alert_repeat repeat; /* what made the last record */
    /* Light curves. */
    enum burst_instrument instrument; /* that watches it */
    int64_t from_ns, to_ns;           /* of the windows that hold it, TT; 0: none yet */
    bool noticed;                     /* a notice of the mission speaks of it */
    bool triggered;                   /* by a notice; otherwise a search found it */
    int64_t taken_k;                  /* windows up to this one had been judged when the notice came ... */
    int n_top;
    double top[TOP_WINDOWS]; /* ... and these were their best logits, falling */
    /* What the mission says. */
    double ra_deg, dec_deg, error_deg, containment; /* error NaN: no position from a notice */
    char said[ALERT_SAID_TEXT];                     /* a sentence about its nature; "": none */
    char said_told[ALERT_SAID_TEXT];                /* the one in the newest record */
    struct verdict last;                            /* the newest record */
};

/* A trigger that is no event of ours: another mission's, or a follow-up telescope's. */
struct sighting {
    char id[EVENT_ID_TEXT];
    int64_t trigger_ns;
    double ra_deg, dec_deg, error_deg;
};

/* Where alerts go that leave the book, and where they are asked for. */
struct book_past {
    void (*part)(void *arg, const struct alert *a);
    /* True where it knows the alert of this id or alias, as it was when it left. */
    bool (*find)(void *arg, enum burst_mission mission, const char *id, struct alert *ret_alert);
    void *arg;
};

struct book {
    struct book_past past; /* zeros: what leaves is forgotten */
    uint64_t n_used;
    struct alert alert[BOOK_ALERTS];
    bool dirty[BOOK_ALERTS]; /* changed since the owner last cleared it */
    uint64_t n_sighting;     /* so far; the newest overwrites the oldest */
    struct sighting sighting[BOOK_SIGHTINGS];
    bool sightings_dirty;
    int64_t clock_ns[MISSION_N]; /* TT: newest data or notice of the mission, the clock of an archive; 0: none */
};

/* The alert with this id, or with this alias, put back into the book where it had left it: another may leave for it, so hold no other
 * alert over this call. NULL where there is none. */
struct alert *book_find(struct book *b, enum burst_mission mission, const char *id);
/* A new alert without records, in the place of the one used longest ago; one that waits goes only where all do.
 * Given     instrument  that watches it */
struct alert *book_add(struct book *b, struct source source, const char *id, int64_t trigger_ns);
/* It was changed, or looked at. */
void book_touch(struct book *b, struct alert *a);
/* True where the alert was changed since the last call for it. */
bool book_take_dirty(struct book *b, int slot);
/* Remember a sighting; one of the same id is replaced. */
void book_see(struct book *b, const struct sighting *s);
/* Its mission has withdrawn it: nothing is related to it any more. */
void book_unsee(struct book *b, const char *id);
/* Data of the mission up to this time, or a notice of then. More than an hour back is a replay that has begun again. */
void book_clock(struct book *b, enum burst_mission mission, int64_t t_ns);

/* What is related to an alert: its aliases, then sightings and, where a notice speaks of one of the two, alerts within 10 minutes, the
 * nearest in time first; where both have positions they must fit. Events that data alone have opened are not linked: which of two
 * came first depends on how their streams arrive, and the same data must give the same verdicts. Returned  ret [RELATED_MAX]; how many */
int book_related(const struct book *b, const struct alert *a, struct related *ret);

/* Can this have been written by this build? For what is read back from disk.
 * Errors    BURST_E_FORMAT  a text is not closed, or a count or word is out of range */
enum burst_err book_check_alert(const struct alert *a, struct burst_error *reterr);
enum burst_err book_check_sighting(const struct sighting *s, struct burst_error *reterr);
#endif
