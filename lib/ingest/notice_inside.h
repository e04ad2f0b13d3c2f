/* Shared by the readers of notices, for no one else: what a notice says, as a flat list of names and texts, and the
 * rules that turn such a list into the record. XML, JSON and VOEvent-as-JSON all become this list first, so that a
 * mission's fields are judged in one place whatever they were written in. */
#ifndef BURST_INGEST_NOTICE_INSIDE_H
#define BURST_INGEST_NOTICE_INSIDE_H
#include "ingest/notice.h"

enum { SAYING_MOST = 512 };

/* One name and its value. Texts live in the parsed document. Groups that begin with '/' are not the mission's: they hold
 * attributes and elements outside What ("/VOEvent", "/Who", "/WhereWhen", "/Why", "/Citations"). */
struct saying {
    const char *group, *name;
    const char *text; /* NULL: a JSON number, in `number` */
    double number;
    int line; /* 0: not known (JSON) */
};

struct said {
    const char *what; /* "Param" or "key": the word for a name in a sentence */
    size_t n;
    struct saying item[SAYING_MOST];
    size_t n_cited;
    struct {
        const char *cite, *ivorn;
        int line;
    } cited[NOTICE_CITED_MAX];
};

/* Put one more; text NULL is left out. Errors  BURST_E_LIMIT  SAYING_MOST are there already */
enum burst_err said_put(struct said *said, struct saying item, struct burst_error *reterr);
/* The first of that name (letter case is ignored) in that group, or in any group of the mission's for NULL; else NULL. */
const struct saying *said_find(const struct said *said, const char *group, const char *name);
/* Its text, or "" where it is absent or a number. */
const char *said_text(const struct said *said, const char *group, const char *name);
bool said_is(const struct said *said, const char *group, const char *name, const char *text);

/* A reading in progress: the first failure stays, later reads do nothing. */
struct reading {
    const struct said *said;
    struct notice *n;
    struct burst_error *reterr;
    enum burst_err err;
};

void reading_fail(struct reading *r, enum burst_err code, const struct saying *s, const char *why);

/* Text from outside for a sentence of ours: cut to fit, what is no visible ASCII or blank as '?'. */
const char *notice_plain(const char *text, char *ret, size_t size);

/* Ways of saying "unknown" that a field has beside the words every field has ("", "N/A", "undefined", ...). */
enum unknown { UNKNOWN_NEVER = 0, UNKNOWN_MINUS_1 = 1, UNKNOWN_ZERO = 2, UNKNOWN_INFINITE = 4 };

/* Number within [least, most]; NaN where it is absent or unknown. */
double read_real(struct reading *r, const struct saying *s, double least, double most, unsigned unknown);
int64_t read_int(struct reading *r, const struct saying *s, int64_t least, int64_t most); /* 0 where absent */
/* Bits, as 0x... or decimal, below 2^n_bit. False where absent. */
bool read_mask(struct reading *r, const struct saying *s, int n_bit, uint32_t *ret_mask);
/* Text cut to fit, control characters as blanks; "" where absent or unknown. */
void read_text(struct reading *r, const struct saying *s, char *ret_text, size_t size);
/* A word the record refuses to cut: BURST_E_FORMAT where it does not fit or holds anything but A-Z a-z 0-9 _ . - */
void read_name(struct reading *r, const struct saying *s, char *ret_text, size_t size);
/* UTC as TT ns; 0 where absent. ret_digit_s (or NULL): the last digit given. */
int64_t read_utc(struct reading *r, const struct saying *s, double *ret_digit_s);
/* Truncated Julian day and seconds of that day, UTC, as TT ns; 0 where one is absent. */
int64_t read_tjd(struct reading *r, const struct saying *day, const struct saying *second, double *ret_digit_s);

enum rule_kind { RULE_REAL, RULE_INT, RULE_TEXT, RULE_UTC, RULE_FLAG };
struct rule {
    const char *name; /* of the mission */
    enum rule_kind kind;
    size_t to; /* offset in struct notice; RULE_FLAG: the bit of enum notice_flag */
    double least, most;
    unsigned unknown; /* enum unknown */
    size_t size;      /* RULE_TEXT: of the field */
};
#define RULE_TO(field) offsetof(struct notice, field)
/* Apply rules in order; a field that an earlier rule has filled is left. */
void read_rules(struct reading *r, const struct rule *rules, size_t n_rule);

/* The mission's word for what a source is, as our class. CLASS_N for words that say nothing of its nature
 * (UNRELIABLE_LOCATION, BELOW_HORIZON) or that are new. */
enum event_class notice_class(const char *word);

/* Bits of `mask` (detector 0 lowest) into the record. */
void notice_set_detectors(struct notice *n, uint32_t mask);
/* Mission, instrument and the source of data they are, if any. */
void notice_set_origin(struct notice *n, const char *mission_name, const char *instrument_name);
/* The id of the event from the mission's own name: verbatim, but a bare number gets `prefix` before it. */
void notice_set_id(struct reading *r, const struct saying *s, const char *prefix);
/* The same for a trigger number, 1 to `most`: "<prefix><number>", whatever zeros or blanks it was printed with. Returns it;
 * 0 where it is absent. */
int64_t notice_set_number(struct reading *r, const struct saying *s, int64_t most, const char *prefix);
/* Refuse with BURST_E_CONFLICT unless the IVORN has the trigger number in it, as Fermi's and Swift's do. */
void notice_check_ivorn(struct reading *r, const struct saying *s);
/* "GECAM-B", "Fermi", ...: the mission_name of a topic's mission; NULL for MISSION_EXTERNAL. */
const char *notice_mission_name(enum burst_mission mission);

/* The readers of documents: fill *ret_n (cleared before), whose source is that of the topic. */
enum burst_err notice_read_xml(const char *text, size_t n, struct notice *ret_n, struct burst_error *reterr);
/* The encoding and the attributes of an XML body, before it is parsed.
 * Errors  BURST_E_UNSUPPORTED  an encoding that is no superset of ASCII; BURST_E_LIMIT  a tag with too many attributes */
enum burst_err notice_gate_xml(const char *text, size_t n, struct burst_error *reterr);
enum burst_err notice_read_json(const char *text, size_t n, struct notice *ret_n, struct burst_error *reterr);
enum burst_err notice_read_binary(const uint8_t *body, size_t n, struct notice *ret_n, struct burst_error *reterr);

/* A VOEvent as a list of sayings into the record: what all have in common, then the mission's own. */
enum burst_err notice_read_voevent(const struct said *said, struct notice *n, struct burst_error *reterr);
/* Checks and completions every notice goes through, whatever it was written in. */
enum burst_err notice_finish(struct notice *n, struct burst_error *reterr);

/* The missions' own fields of a VOEvent. */
void notice_read_svom(struct reading *r);
void notice_read_gecam(struct reading *r);
void notice_read_gbm(struct reading *r);
void notice_read_swift(struct reading *r);

/* GBM's Most_Likely_Index as the mission's word; "" where the index has none. */
const char *notice_gbm_class(int index);
/* GECAM's src_class of binary packets as the word of its VOEvents; "" where it has none. */
const char *notice_gecam_class(int index);
#endif
