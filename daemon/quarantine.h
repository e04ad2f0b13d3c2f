/* The quarantine: what was refused, byte for byte, in a bounded ring of files, so that a person can look at it and give it
 * to whoever made it. Any thread gives (quarantine_keep); the main thread alone touches the disk (quarantine_step), so that
 * no input ever waits for it. What cannot be kept is counted and told once; it never fails anything else.
 *
 * A refusal is two files named by its number (12 digits; nothing from outside is in a name), mode 0600:
 *   NNNNNNNNNNNN.bin   the refused bytes: the body, or all frames one after the other where the frames were refused
 *   NNNNNNNNNNNN.json  time, kind, code, text, topic, gateway, stream, seq, bytes, sha256, and `frames` (their sizes)
 * The .json is renamed into place last and removed first: a pair is whole when it is there and says the size of the .bin.
 * The same bytes are kept once for as long as they lie in the ring. */
#ifndef BURST_DAEMON_QUARANTINE_H
#define BURST_DAEMON_QUARANTINE_H
#include "base/err.h"
#include "stream/frame.h"
#include <stdbool.h>

enum { QUARANTINE_PENDING_MOST = 256 };
#define QUARANTINE_PENDING_BYTES ((size_t)48 << 20) /* given but not yet written */

struct quarantine;

struct quarantine_settings {
    const char *folder; /* absolute; made (0700) where it is missing, its parent must be there */
    int64_t bytes_most; /* of all files together, side files included; 0: nothing is kept */
    int64_t pairs_most; /* 0..100000; 0: nothing is kept */
};

/* What is known of a refusal. Texts are lent for the call; whatever is not printable ASCII in them becomes '?'. */
struct quarantine_note {
    const char *kind;      /* health_kind_name */
    enum burst_err code;   /* why */
    const char *text;      /* the sentence */
    const char *topic;     /* "": not known */
    const char *gateway;   /* its name in the configuration */
    const uint8_t *stream; /* STREAM_UUID bytes; NULL: not known */
    uint64_t seq;          /* 0: not known */
    bool is_frames;        /* the pieces are the message's frames; else its body */
};

struct quarantine_counts {
    uint64_t kept, again,
        lost;             /* written; the same bytes were there already; not kept for want of room or by the disk */
    uint64_t removed;     /* by the bounds */
    int64_t pairs, bytes; /* now */
};

/* Take up the ring as it lies there; halves that a crash left are removed, oldest pairs too where the bounds are smaller now.
 * Errors    BURST_E_IO     the folder cannot be made or read
 *           BURST_E_RANGE  a bound;  BURST_E_NOMEM; *ret_q untouched */
enum burst_err quarantine_open(const struct quarantine_settings *settings, struct quarantine **ret_q,
                               struct burst_error *reterr);
/* What is pending is written first. NULL is accepted. */
void quarantine_close(struct quarantine *q);

/* Copy a refused message for the main thread to write. Any thread; never waits for the disk. NULL is accepted: nothing is
 * kept. pieces [n_piece] are joined; more than QUARANTINE_PENDING_BYTES at once are counted as lost. */
void quarantine_keep(struct quarantine *q, const struct quarantine_note *note, const struct frame_bytes *pieces,
                     size_t n_piece);

/* Write what is pending, for 50 ms at most: a source that babbles must not keep the main thread. Main thread only. NULL is
 * accepted.
 * Errors    BURST_E_IO  the disk refused; returned for the first failure after a success, so that it is told once. What could
 *                       not be written is counted as lost */
enum burst_err quarantine_step(struct quarantine *q, struct burst_error *reterr);

/* Remove every pair; the numbers go on. Main thread only. *ret_n: how many. */
void quarantine_clear(struct quarantine *q, int64_t *ret_n);

/* Any thread. */
void quarantine_counts(struct quarantine *q, struct quarantine_counts *ret_counts);
#endif
