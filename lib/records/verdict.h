/* verdict: one revision of one event, whole, as it will be told. Made by decide, written by publish.
 * Field names, words and rules: protocol.md 6. */
#ifndef BURST_RECORDS_VERDICT_H
#define BURST_RECORDS_VERDICT_H
#include "records/score.h"

enum verdict_call { CALL_NONE, CALL_TRUE, CALL_FALSE, CALL_UNCLEAR, CALL_N };
enum verdict_state { STATE_OPEN, STATE_CONFIRMED, STATE_REJECTED, STATE_RETRACTED, STATE_EXPIRED, STATE_N };
enum alert_type { ALERT_INITIAL, ALERT_UPDATE, ALERT_RETRACTION, ALERT_N };
enum alert_tense { TENSE_CURRENT, TENSE_TEST, TENSE_INJECTION, TENSE_ARCHIVAL, TENSE_N };
enum verdict_action { ACTION_NONE, ACTION_FOLLOW_UP, ACTION_REVIEW, ACTION_CANCEL, ACTION_N };
enum verdict_await { AWAIT_NOTHING, AWAIT_SUBIMAGE, AWAIT_EVENTS, AWAIT_N };
enum verdict_saa { VERDICT_SAA_UNKNOWN, VERDICT_SAA_OUTSIDE, VERDICT_SAA_INSIDE, VERDICT_SAA_N };
enum event_class {
    CLASS_GRB,
    CLASS_SGR,
    CLASS_SOLAR_FLARE,
    CLASS_TGF,
    CLASS_KNOWN_SOURCE,
    CLASS_PARTICLE,
    CLASS_INSTRUMENTAL,
    CLASS_OTHER,
    CLASS_N
};
enum reason_code {
    REASON_NONE,
    REASON_BURST_LIKE,
    REASON_POINT_SOURCE,
    REASON_KNOWN_SOURCE,
    REASON_SGR,
    REASON_SOLAR_FLARE,
    REASON_TGF,
    REASON_PARTICLE,
    REASON_SAA,
    REASON_BAD_SUBTRACTION,
    REASON_COLUMN_EFFECT,
    REASON_XRDPIX_INHOMOGENEITY,
    REASON_BRIGHT_SOURCE_ARTEFACT,
    REASON_CODING_NOISE,
    REASON_EARTH_LIMB,
    REASON_MOON,
    REASON_DETECTOR_NOISE,
    REASON_TELEMETRY,
    REASON_STAR_TRACKER,
    REASON_NOISE,
    REASON_LOW_CONFIDENCE,
    REASON_PARTIAL_IMAGE,
    REASON_OUT_OF_DISTRIBUTION,
    REASON_INTERNAL,
    REASON_OTHER,
    REASON_DUPLICATE,
    REASON_N
};

/* Words on the wire, indexed by the enums above; NULL for what is none or unknown. */
extern const char *const VERDICT_CALL_WORD[CALL_N];
extern const char *const VERDICT_STATE_WORD[STATE_N];
extern const char *const ALERT_TYPE_WORD[ALERT_N];
extern const char *const ALERT_TENSE_WORD[TENSE_N];
extern const char *const VERDICT_ACTION_WORD[ACTION_N];
extern const char *const VERDICT_AWAIT_WORD[AWAIT_N];
extern const char *const VERDICT_SAA_WORD[VERDICT_SAA_N];
extern const char *const EVENT_CLASS_WORD[CLASS_N];
extern const char *const REASON_CODE_WORD[REASON_N];

enum {
    EVENT_ID_TEXT = 64,
    REASON_MAX = 3,
    REASON_TEXT = 240,
    EVIDENCE_MAX = DETECTOR_MAX,
    MODEL_MAX = 2,
    RELATED_MAX = 4
};
enum evidence_flag {
    EVIDENCE_INCOMPLETE = 1,
    EVIDENCE_PARTIAL = 2,
    EVIDENCE_TRIGGER_NO_DATA = 4,
    EVIDENCE_SHORT = 8,
    EVIDENCE_NO_WCS = 16,        /* no usable sky coordinates: no position, no known source in the mask */
    EVIDENCE_SWAPPED = 32,       /* pixels came with their bytes in the wrong order */
    EVIDENCE_NO_NOISE = 64,      /* pixels hardly differ */
    EVIDENCE_GEOCENTRIC = 128,   /* the Moon in the mask as the Earth's centre sees it */
    EVIDENCE_WCS_CONFLICT = 256, /* the attitude, or a notice's position, contradicts its sky coordinates */
    EVIDENCE_EVENT_SHIFT = 9, /* the bits of enum event_quality (packet.h) follow, from the window behind the verdict */
    EVIDENCE_FLAG_N = EVIDENCE_EVENT_SHIFT + EVENT_QUALITY_N
};
extern const char *const EVIDENCE_FLAG_WORD[EVIDENCE_FLAG_N]; /* by bit number */

/* A figure that may be unknown: NaN means "leave the field out". */
struct evidence {
    char name[16]; /* detector ("n6", "g03") or "image" */
    double score;  /* calibrated probability of this detector or image alone */
    double snr;    /* sigma over background, best time scale */
    double t90_s;
    double
        peak_rate_hz; /* counts per second above background in the brightest 64 ms, for live time where the dead time is
                            known */
    double hardness;  /* counts above background 100-300 keV over 50-100 keV */
    unsigned quality; /* enum evidence_flag */
    uint8_t input_sha256[32];
};

/* Another event at about this time. */
struct related {
    char id[EVENT_ID_TEXT];
    double dt_s;           /* its time less ours */
    double separation_deg; /* NaN: one of the positions is unknown */
    double joint_far_hz;   /* NaN: not measured */
};

/* Where the satellite was at the end of the window, or in the middle of the exposure; a figure that is NaN is unknown. All zeros is no answer: platform_unknown. */
struct verdict_platform {
    enum verdict_saa saa;
    double lat_deg, lon_deg, alt_km; /* geodetic; east */
    double l_shell;                  /* McIlwain L, Earth radii */
    double limb_deg;                 /* the event's position above the Earth's limb; negative: behind the Earth */
    double sun_deg, moon_deg;        /* angles from the event's position */
};

struct verdict {
    struct source source;
    char id[EVENT_ID_TEXT];
    int record_number; /* 1, 2, 3 ... within id; supersedes is record_number - 1 where that is > 0 */
    uint8_t verdict_id[16];
    enum alert_type type;
    enum alert_tense tense;
    enum verdict_state state;
    bool closed;              /* this revision closes the event: the store's `open` flag, not a field of the wire */
    enum verdict_call call;   /* CALL_NONE exactly while `await` says what is awaited */
    enum verdict_await await; /* ... */
    int64_t expected_ns;      /* TT, with `await`: by when it should have come; 0: none */
    enum verdict_call
        machine_call; /* after a decision of the mission's or a person's: what the machine says; else CALL_NONE */
    double p_true, p_lo, p_hi, p_containment; /* p_true NaN: awaiting; p_lo NaN: no interval */
    double p_astro;                           /* NaN: left out */
    double classification[CLASS_N];           /* sum 1; first NaN: unknown */
    enum reason_code reason;
    int n_reason;
    char reasons[REASON_MAX][REASON_TEXT];
    enum verdict_action action;
    int64_t trigger_ns;                                    /* TT; frozen at revision 1 */
    int64_t trigger_refined_ns;                            /* TT; 0: none */
    struct time_span window;                               /* data behind this revision */
    double ra_deg, dec_deg, ra_dec_error_deg, containment; /* ra NaN: position unknown */
    int n_related;
    struct related related[RELATED_MAX];
    struct verdict_platform platform;
    int n_evidence;
    struct evidence evidence[EVIDENCE_MAX];
    int n_model; /* 0 where no network was asked */
    struct model_tag model[MODEL_MAX];
    double latency_since_trigger_s, latency_decode_s, latency_infer_s; /* outside core */
    int64_t
        arrived_mono_ns; /* host monotonic time of the deciding message: publish measures packet-to-verdict with it */
};
/* Every figure NaN. */
void verdict_platform_unknown(struct verdict_platform *ret);
#endif
