/* What the tests of sub-images share: a packet and its sample made by hand, a score of them, and the book that it is judged with. */
#ifndef BURST_TESTS_DECIDE_IMAGE_SCENE_H
#define BURST_TESTS_DECIDE_IMAGE_SCENE_H
#include "check.h"
#include "decide/image.h"

static struct subimage_packet packet;
static struct image_sample sample;
static struct book book;

/* A source of 9.5 sigma in the Crab's place, nothing known near it. The score lends packet and sample, which the test may change. */
static inline struct image_score image_scene(const char *id, int alert_count, const char *stream, double p)
{
    packet = (struct subimage_packet){.source = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}};
    (void)snprintf(packet.burst_id, sizeof packet.burst_id, "%s", id);
    (void)snprintf(packet.data_stream, sizeof packet.data_stream, "%s", stream);
    packet.alert_count = alert_count;
    packet.span = (struct time_span){1000 + alert_count, 2000 + alert_count};
    packet.sha256[0] = 77;
    memset(&sample, 0, sizeof sample);
    memset(sample.mask, MASK_BACKGROUND, sizeof sample.mask);
    sample.packet = &packet;
    sample.snr[IMAGE_CENTRE][IMAGE_CENTRE] = 9.5F;
    sample.ra_deg = 83.6;
    sample.dec_deg = 22.0;
    sample.nearest_px = -1;
    struct image_score s = {.sample = &sample, .p = p, .logit = log(p / (1 - p))};
    s.model.temperature = 1;
    return s;
}

static inline struct verdict decided(const struct image_score *s)
{
    struct decide_settings settings = decide_defaults();
    struct verdict v;
    memset(&v, 0, sizeof v);
    CHECK_INT(image_decide(&book, &settings, s, NULL, &v, NULL), BURST_OK);
    return v;
}
#endif
