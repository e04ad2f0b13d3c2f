/* notice: what one mission said about one trigger, checked. Made by ingest from JSON, VOEvent or classic binary.
 * What a notice does not say is absent, never -1: NaN for a real number, 0 for a time, a count or a number, "" for text,
 * CLASS_N for a class. Real numbers that are there are finite and within the range their unit allows. */
#ifndef BURST_RECORDS_NOTICE_H
#define BURST_RECORDS_NOTICE_H
#include "records/packet.h"
#include "records/verdict.h"

enum notice_kind {
    NOTICE_TRIGGER,          /* the first word on a trigger (SVOM 201, 202; GBM alert; GECAM flight; JSON `initial`) */
    NOTICE_UPDATE,           /* more on a known trigger: position, class, duration */
    NOTICE_CATALOGUE_SOURCE, /* the trigger is a source of the mission's on-board catalogue (SVOM 203, Swift) */
    NOTICE_SLEW,             /* the satellite turns there, or does not: see `slew` (SVOM 204, 205; Swift 66) */
    NOTICE_FOLLOW_UP,        /* another telescope of the mission has looked: MXT, VT, XRT, UVOT */
    NOTICE_RETRACTION,       /* the mission takes the trigger back; `cited` says what it had told */
    NOTICE_INFORMATION,      /* about the instrument or the service, nothing about the sky (role="utility") */
    NOTICE_KIND_N
};
enum notice_cite { CITE_FOLLOW_UP, CITE_SUPERSEDES, CITE_RETRACTION, CITE_N };
enum notice_trigger_type { TRIGGER_TYPE_UNKNOWN, TRIGGER_TYPE_RATE, TRIGGER_TYPE_IMAGE, TRIGGER_TYPE_N };
enum notice_slew { SLEW_UNKNOWN, SLEW_NOT_REQUESTED, SLEW_REQUESTED, SLEW_ACCEPTED, SLEW_REJECTED, SLEW_N };

/* Words for logs and dumps, indexed by the enums above; "" for the two UNKNOWN. */
extern const char *const NOTICE_KIND_WORD[NOTICE_KIND_N];
extern const char *const NOTICE_CITE_WORD[CITE_N];
extern const char *const NOTICE_TRIGGER_TYPE_WORD[TRIGGER_TYPE_N];
extern const char *const NOTICE_SLEW_WORD[SLEW_N];

/* What a mission asserts beside the figures; bits of notice.flags, set only where the notice says so. */
enum notice_flag {
    NOTICE_NOT_A_GRB = 1,      /* Def_NOT_a_GRB: "it is definitely not a GRB" */
    NOTICE_IN_CATALOGUE = 2,   /* the position is that of a catalogued source */
    NOTICE_GROUND = 4,         /* made on the ground; without it by the flight software, or not said */
    NOTICE_HUMAN = 8,          /* a person has looked */
    NOTICE_DELAYED = 16,       /* transmitted late, not in real time */
    NOTICE_LOST_LOCK = 32,     /* star tracker without lock: a known source may look new (GCN 3692) */
    NOTICE_TIME_MATCH = 64,    /* another mission triggered at this time */
    NOTICE_PLACE_MATCH = 128,  /* another mission triggered at this place */
    NOTICE_OUT_OF_RANGE = 256, /* the mission says that some of its values did not fit their fields */
    NOTICE_SHORT = 512,        /* preliminary duration class: short GRB ... */
    NOTICE_LONG = 1024,        /* ... or long */
    NOTICE_FLAG_N = 11
};
extern const char *const NOTICE_FLAG_WORD[NOTICE_FLAG_N]; /* by bit number */

enum {
    NOTICE_IVORN_TEXT = 160,
    NOTICE_CITED_MAX = 8,
    NOTICE_NAME_TEXT = 48,
    NOTICE_WORD_TEXT = 32,
    NOTICE_TEXT = 240,
};

struct notice_citation {
    enum notice_cite cite;
    char ivorn[NOTICE_IVORN_TEXT];
};

struct notice {
    struct source source;                   /* realm and mission of the topic; instrument where it sends data here, else
                                                INSTRUMENT_NONE */
    char mission_name[NOTICE_WORD_TEXT];    /* "SVOM", "GECAM-B", "Fermi", "Swift", "Einstein Probe": never "" */
    char instrument_name[NOTICE_WORD_TEXT]; /* "ECLAIRs", "GRM", "MXT", "VT", "GRD", "GBM", "BAT", "WXT", ... */
    char id[EVENT_ID_TEXT];                 /* of the event; the same for every notice of one trigger; never "" */
    char trigger_name[EVENT_ID_TEXT];       /* the mission's own word for it, verbatim: "260", "sb26020402" */
    enum notice_kind kind;
    char kind_word[NOTICE_WORD_TEXT]; /* the mission's word: "eclairs-wakeup", "FERMI_GBM_FLT_POS", "update" */
    enum alert_type type;             /* as said, else from the kind */
    enum alert_tense tense;           /* as said; an unreal realm makes `current` unreal */
    int packet_type;                  /* GCN packet type: 188, 201, ... */
    int packet_serial;                /* Pkt_Ser_Num */
    int record;                       /* Sequence_Num, record_number: rises within a trigger where it is given */
    char ivorn[NOTICE_IVORN_TEXT];
    int n_cited; /* those held; a notice that cites more is refused */
    struct notice_citation cited[NOTICE_CITED_MAX];
    char text[NOTICE_TEXT]; /* the mission's sentence, e.g. why it retracts; cut to fit */

    int64_t published_ns;        /* TT, when the mission made the notice */
    int64_t trigger_ns;          /* TT; of a NOTICE_FOLLOW_UP: of that observation. 0 in a retraction without it */
    double trigger_digit_s;      /* the last digit given of trigger_ns, in seconds: 0.01, 1, ... */
    double trigger_error_s;      /* as the mission states it */
    int64_t sequence_ns;         /* TT, start of the on-board alert sequence (SVOM Alert_Seq_T0) */
    struct time_span window;     /* TT, the data the trigger was found in; 0, 0: not said */
    double timescale_s;          /* integration time of the trigger */
    double e_min_kev, e_max_kev; /* energy band of the trigger; e_max NaN also where the band is open */
    double snr_sigma;
    enum notice_trigger_type trigger_type;
    bool detectors_known; /* the notice says which detectors triggered ... */
    uint32_t detectors;   /* ... bit i: detector index i of source_detector_name */
    double duration_s;    /* of the burst */
    double intensity;     /* of the burst, in the mission's unit (GECAM counts/s, GBM counts) */
    double hardness;      /* the mission's ratio */

    double ra_deg, dec_deg;    /* ICRS: 0..360, -90..90; both or neither */
    double error_deg;          /* radius; NaN also where a position is given without one */
    double containment;        /* probability within error_deg; NaN: not stated anywhere */
    double phi_deg, theta_deg; /* in instrument coordinates */
    double sun_angle_deg, moon_angle_deg;

    enum event_class event_class;         /* CLASS_N: the mission says nothing about its nature */
    char mission_class[NOTICE_WORD_TEXT]; /* in its own words: "SFLARE", "BELOW_HORIZON", "GRB" */
    double class_p;                       /* its probability, 0..1 */
    char second_class[NOTICE_WORD_TEXT];
    double second_p;
    double p_astro, far_hz;
    double inference_p; /* VOEvent Why/Inference/@probability, 0..1 */
    unsigned flags;     /* enum notice_flag */
    int catalogue_id;   /* of the on-board catalogue */
    char catalogue_name[NOTICE_NAME_TEXT];

    enum notice_slew slew;
    double attitude_ra_deg, attitude_dec_deg, attitude_roll_deg; /* pointing of the satellite */
    double quaternion[4];                                        /* [0] NaN: not given */
    double sat_longitude_deg;                                    /* east, -180..180 */
    double sat_latitude_deg, sat_altitude_km;

    uint8_t sha256[32]; /* of the body */
};

/* A notice that says nothing: every field absent, kind NOTICE_INFORMATION, class CLASS_N. */
void notice_clear(struct notice *n);
#endif
