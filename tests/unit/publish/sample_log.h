/* A sealed message as a publisher would make it, for tests that drive the log by hand. */
#ifndef BURST_TESTS_SAMPLE_LOG_H
#define BURST_TESTS_SAMPLE_LOG_H
#include "base/clock.h"
#include "publish/store.h"
#include "stream/seal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sample_item {
    struct stream_item item;
    uint8_t seal[FRAME_SEAL];
};

/* Fill `s` with the message after the topic's newest, sent at sent_ns. */
static inline enum burst_err sample_next(const struct stream_log *log, const char *topic, const char *body,
                                         int64_t sent_ns, struct sample_item *s, struct burst_error *reterr)
{
    uint8_t h[STREAM_CHAIN];
    uint64_t seq;
    enum burst_err err = log->head(log->ctx, topic, &seq, h, reterr);
    if (err) return err;
    s->item = (struct stream_item){.content = FRAME_JSON,
                                   .seq = seq + 1,
                                   .sent_ns = sent_ns,
                                   .body = (const uint8_t *)body,
                                   .n_body = strlen(body)};
    (void)snprintf(s->item.topic, sizeof s->item.topic, "%s", topic);
    memcpy(s->item.stream, log->stream, STREAM_UUID);
    frame_pack_header(&s->item);
    seal_next(h, &s->item, h);
    seal_make(h, NULL, s->seal);
    s->item.seal = s->seal;
    return BURST_OK;
}

static inline enum burst_err sample_append(const struct stream_log *log, const char *topic, const char *body,
                                           int64_t sent_ns, struct burst_error *reterr)
{
    struct sample_item s;
    enum burst_err err = sample_next(log, topic, body, sent_ns, &s, reterr);
    return err ? err : log->append(log->ctx, &s.item, reterr);
}

/* An empty folder of our own under /tmp, and a file in it. */
static inline void sample_folder(char ret_path[256], const char *file)
{
    char folder[128] = "/tmp/burst-test-XXXXXX";
    if (!mkdtemp(folder)) folder[0] = 0;
    (void)snprintf(ret_path, 256, "%s/%s", folder, file);
}

static inline void sample_folder_remove(const char *path)
{
    static const char *const suffix[] = {"", "-wal", "-shm", ".note", ".copy", ".copy.note"};
    char name[300];
    for (size_t i = 0; i < sizeof suffix / sizeof suffix[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        (void)unlink(name);
    }
    (void)snprintf(name, sizeof name, "%s", path);
    *strrchr(name, '/') = 0;
    (void)rmdir(name);
}
#endif
