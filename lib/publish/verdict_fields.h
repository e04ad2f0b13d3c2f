/* The field table behind writer, schema and checks: what a verdict's JSON is made of, one row per member. Inside publish only. */
#ifndef BURST_PUBLISH_VERDICT_FIELDS_H
#define BURST_PUBLISH_VERDICT_FIELDS_H
#include "records/verdict.h"

/* What stands at the row's offset in C, and what it becomes. */
enum field_kind {
    FIELD_FIXED,    /* const char *, set by verdict_view_init: a string */
    FIELD_TOKEN,    /* char[room]: a string of printable ASCII without blanks; empty: unknown */
    FIELD_TEXT,     /* char[room]: a string, UTF-8; empty: unknown */
    FIELD_HEX_TEXT, /* char[room], room - 1 lower-case hexadecimal digits; empty: unknown */
    FIELD_HEX,      /* uint8_t[room]: a string of hexadecimal digits; all zero: unknown */
    FIELD_WORD,     /* enum: one of `words`; a word that is NULL: unknown */
    FIELD_INT,      /* int; 0: unknown */
    FIELD_NUMBER,   /* double; NaN: unknown */
    FIELD_PAIR,     /* double[2]: [lo, hi], lo <= hi; first NaN: unknown */
    FIELD_TIME,     /* int64_t TT ns: UTC text; 0: unknown */
    FIELD_SHARES,   /* double[most], by `words`: an object of probabilities that sum to 1 */
    FIELD_FLAGS,    /* unsigned: an array of `words` by bit; none set is an empty array */
    FIELD_TEXTS,    /* char[most][room], int count at `at_n`: an array of strings; 0: unknown */
    FIELD_GROUP,    /* the same struct: an object of `members` */
    FIELD_LIST,     /* struct[most] of `room` bytes, int count at `at_n`: an array of objects; 0: unknown, where it
                     must be there an empty array */
};

struct field {
    const char *name;
    enum field_kind kind;
    bool must; /* absent is an error, not a way to say "unknown" */
    bool told; /* about the telling, not the verdict: no part of `core` */
    size_t at, at_n, room;
    int most, digits;    /* items or words; significant digits of numbers */
    double least, limit; /* of numbers, both inclusive */
    const char *const *words;
    const struct field *members;
    size_t n_member;
    const char *help;
};

/* A verdict, and beside it what the JSON says that no field of struct verdict holds. */
struct verdict_view {
    const char *schema, *mission, *instrument;
    int supersedes;
    int64_t alert_ns;
    struct verdict v;
};

extern const struct field VERDICT_FIELD[];
extern const size_t VERDICT_FIELD_N;

/* Mission and instrument stay NULL where there is no such instrument. */
void verdict_view_init(struct verdict_view *view, const struct verdict *v, int64_t alert_ns);
/* Does the field have a value there? Groups: has any member. */
bool field_known(const struct field *f, const void *base);
/* Items of a FIELD_TEXTS or FIELD_LIST, 1 for anything else. */
int field_count(const struct field *f, const void *base);

/* verdict_check on a view: what the table itself can say. */
enum burst_err verdict_check_fields(const struct verdict_view *view, struct burst_error *reterr);
#endif
