/* Frames: the bytes of one message on the wire, and the rules they must keep. Packs our own, checks everybody else's.
 *
 *   frame 0  topic   ASCII
 *   frame 1  header  40 bytes, network order: magic "BRST" | version u8 | flags u8 | content u16 | stream 16 | seq u64 | sent_ns i64
 *   frame 2  body    up to 16 MiB
 *   frame 3  seal    96 bytes, may be absent on input
 *
 * Refuses: anything that breaks those rules, with one sentence that says which. Knows no ZeroMQ and no history.
 * Source: protocol.md 1. */
#ifndef BURST_STREAM_FRAME_H
#define BURST_STREAM_FRAME_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEADER = 40, FRAME_SEAL = 96, STREAM_TOPIC_TEXT = 128, STREAM_UUID = 16, STREAM_CHAIN = 32 };
#define FRAME_BODY_MAX   ((size_t)16 << 20)
#define STREAM_HEARTBEAT "burst.v1.heartbeat"

enum frame_flag { FRAME_TEST = 1, FRAME_INJECTION = 2, FRAME_ARCHIVAL = 4, FRAME_RETRACTION = 8, FRAME_FLAG_ALL = 15 };
enum frame_content { FRAME_FITS = 1, FRAME_JSON = 2, FRAME_XML = 3 };

/* The ways a message can break the rules: counters in `burstctl status`. The first group is found by frame_parse, the
 * second by the subscriber. */
enum frame_fault {
    FAULT_NONE,
    FAULT_COUNT,   /* not 3 or 4 frames */
    FAULT_TOPIC,   /* empty, too long, not ASCII, or no prefix of ours */
    FAULT_HEADER,  /* not 40 bytes */
    FAULT_MAGIC,   /* not BRST */
    FAULT_VERSION, /* not 1 */
    FAULT_FLAGS,   /* unknown bit, or an unreal flag on a real topic */
    FAULT_CONTENT, /* not FITS, JSON or XML */
    FAULT_SEQ,     /* 0 on a numbered topic, not 0 on an unnumbered one, over 2^63 - 1, or far beyond all before it */
    FAULT_TIME,    /* sent_ns not after 1970 */
    FAULT_BODY,    /* over 16 MiB */
    FAULT_SEAL,    /* not 96 bytes */

    FAULT_CHAIN,     /* the seal's chain does not follow from the message before */
    FAULT_SIGNATURE, /* the seal's signature is not by the expected key */
    FAULT_STREAM,    /* a message of a log that was replaced */
    FAULT_REWRITTEN, /* a number that came before came again with another body */
    FAULT_BEAT,      /* a heartbeat whose JSON is wrong */
    FAULT_POSITION,  /* the position to resume from lies beyond the end of the same log */
    FAULT_HISTORY,   /* an answer of the history socket that fits no request, or ERROR */
    FAULT_FORK,      /* an ACK was answered FORK: the two sides hold different messages under one number */
    FAULT_N
};

/* One message. The pointers are lent by whoever made the item, for as long as that one says. */
struct stream_item {
    char topic[STREAM_TOPIC_TEXT];
    uint8_t header[FRAME_HEADER]; /* as on the wire: the seal covers these bytes */
    unsigned flags;               /* enum frame_flag */
    unsigned content;             /* enum frame_content */
    uint8_t stream[STREAM_UUID];
    uint64_t seq;    /* from 1 per topic within the stream; 0: unnumbered (heartbeat, provisional) */
    int64_t sent_ns; /* UTC ns since 1970 */
    const uint8_t *body;
    size_t n_body;
    const uint8_t *seal; /* FRAME_SEAL bytes, or NULL */
};

/* One frame as it came: lent bytes, not text. */
struct frame_bytes {
    const void *bytes;
    size_t n;
};

/* Write item->header from the item's flags, content, stream, seq and sent_ns. Our own values: not checked. */
void frame_pack_header(struct stream_item *item);

/* Check the frames of one message against every rule above.
 *
 * Given     frames [n_frame]  as received
 * Returned  ret_item          parsed; body and seal point into the frames
 *           ret_fault         which rule was broken, FAULT_NONE where none; always written
 * Errors    BURST_E_SHAPE        number of frames; size of header or seal
 *           BURST_E_FORMAT       topic or magic
 *           BURST_E_UNSUPPORTED  version, flags or content
 *           BURST_E_RANGE        seq or sent_ns
 *           BURST_E_LIMIT        body over 16 MiB
 *           ret_item is then written only as far as topic and header were good: its topic is "" unless both were, so that
 *           a subscriber can tell where a bad message belongs
 * Notes     The unreal flags (test, injection, archival) are refused on a `burst.` topic. On an unreal topic they may be
 *           absent: the prefix decides. */
enum burst_err frame_parse(const struct frame_bytes *frames, size_t n_frame, struct stream_item *ret_item,
                           enum frame_fault *ret_fault, struct burst_error *reterr);

/* BURST_E_FORMAT unless `topic` [n] is 1..127 printable ASCII characters under one of the four prefixes
 * (burst, burst-test, burst-archive, burst-provisional) and ".v1.". */
enum burst_err frame_check_topic(const char *topic, size_t n, struct burst_error *reterr);

/* Short name of a fault ("magic"), for counters; "unknown" outside the list. */
const char *frame_fault_name(enum frame_fault fault);
#endif
