/* Any bytes as the frames of one message, and as a heartbeat's JSON: taken or refused with a sentence, never a crash.
 * Layout of an input: frame count, then for each frame its length (2 bytes, network order) and bytes, as far as they go.
 * Seeds: tests/fuzz/corpus/stream_frame. */
#include "base/bytes.h"
#include "stream/heartbeat.h"
#include <stdbool.h>
#include <stdlib.h>

enum { FRAME_MOST = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static size_t split(const uint8_t *bytes, size_t n, struct frame_bytes ret_frames[FRAME_MOST])
{
    size_t n_frame = n ? bytes[0] % (FRAME_MOST + 1) : 0, at = 1;
    for (size_t i = 0; i < n_frame; i++) {
        size_t want = at + 2 <= n ? bytes_get_u16(bytes + at) : 0;
        at = at + 2 <= n ? at + 2 : n;
        size_t size = want < n - at ? want : n - at;
        ret_frames[i] = (struct frame_bytes){bytes + at, size};
        at += size;
    }
    return n_frame;
}

/* What was taken must be what the frames say, and pack to the same header again. */
static bool is_right(const struct frame_bytes *frames, size_t n_frame, const struct stream_item *item)
{
    struct stream_item again = *item;
    frame_pack_header(&again);
    return strlen(item->topic) == frames[0].n && memcmp(item->topic, frames[0].bytes, frames[0].n) == 0 &&
           memcmp(again.header, frames[1].bytes, FRAME_HEADER) == 0 && item->body == frames[2].bytes &&
           item->n_body == frames[2].n && (item->seal != NULL) == (n_frame == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct heartbeat beat;
    struct frame_bytes frames[FRAME_MOST] = {{NULL, 0}};
    struct stream_item item;
    enum frame_fault fault;
    struct burst_error e;
    size_t n_frame = split(bytes, n, frames);
    enum burst_err err = frame_parse(frames, n_frame, &item, &fault, &e);
    if ((err == BURST_OK) != (fault == FAULT_NONE)) abort();
    if (err && (e.code != err || !e.text[0])) abort(); /* a refusal says why */
    if (!err && !is_right(frames, n_frame, &item)) abort();
    if (err && item.topic[0] && fault != FAULT_BODY && fault != FAULT_SEAL) abort(); /* placed, but its head was bad */
    if (!err) (void)heartbeat_parse(item.body, item.n_body, &beat, &e);
    if (heartbeat_parse(bytes, n, &beat, &e) == BURST_OK && beat.n_last > STREAM_TOPIC_MOST) abort();
    return 0;
}
