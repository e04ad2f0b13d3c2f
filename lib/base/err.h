/* Every failure burstd can name, and the sentence that goes with it. */
#ifndef BURST_BASE_ERR_H
#define BURST_BASE_ERR_H

/* 0 is good. The names are public: they are counters in `burstctl status` and words in answers. */
enum burst_err {
    BURST_OK = 0,
    BURST_E_NOMEM,       /* a pool, arena or malloc is exhausted */
    BURST_E_IO,          /* the operating system refused a read or write */
    BURST_E_SHAPE,       /* a size or shape is not the one expected */
    BURST_E_RANGE,       /* a value lies outside its stated range */
    BURST_E_FORMAT,      /* bytes break the grammar of their format */
    BURST_E_TRUNCATED,   /* fewer bytes than the format declares */
    BURST_E_LIMIT,       /* more than the stated maximum */
    BURST_E_UNSUPPORTED, /* legal, but not something burstd takes */
    BURST_E_MISSING,     /* a required part is absent */
    BURST_E_DUPLICATE,   /* seen before with the same content */
    BURST_E_CONFLICT,    /* seen before, or said twice in the same bytes, with other content: an alarm */
    BURST_E_LATE,        /* older than anything that can still use it */
    BURST_E_TIME,        /* time system, epoch or order is wrong */
    BURST_E_MODEL,       /* a network file or its metadata is wrong */
    BURST_E_CONFIG,      /* the configuration is wrong */
    BURST_E_STATE,       /* the call does not fit the object's state */
    BURST_E_TIMEOUT,     /* nothing came in the time allowed */
    BURST_E_GONE,        /* no longer kept */
    BURST_E_FULL,        /* a bounded queue is full; try again */
    BURST_E_NET,         /* ZeroMQ refused */
    BURST_E_AUTH,        /* key or role not allowed */
    BURST_E_DEVICE,      /* the GPU, its driver or its worker failed */
    BURST_E_INTERNAL,    /* our own defect */
    BURST_E_N
};

/* The failure in words: what, where, the value and the limit. Written only on failure. */
struct burst_error {
    enum burst_err code;
    char text[480];
};

/* Name of a code without prefix, lower case ("truncated"); "unknown" outside the list. Static storage. */
const char *burst_err_name(enum burst_err code);

/* Fill `reterr` (may be NULL) and return `code`, so that a refusal is one statement. */
enum burst_err burst_fail(struct burst_error *reterr, enum burst_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "prefix: " before the sentence of an error that passes upward; returns its code. */
enum burst_err burst_prefix(struct burst_error *reterr, enum burst_err code, const char *prefix);
#endif
