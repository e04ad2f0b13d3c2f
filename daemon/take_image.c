/* Sub-images to samples: decoded, placed and masked, handed to the work thread. */
#include "base/clock.h"
#include "daemon/intake.h"
#include "daemon/platforms.h"
#include "ingest/ingest.h"

static enum burst_err prepare_image(struct intake *in, struct feed *f, const struct stream_item *item,
                                    struct work_unit *unit, struct burst_error *reterr)
{
    arena_reset(&unit->arena);
    enum burst_err err = ingest_subimage(f->source, item->body, item->n_body, &unit->arena, &unit->packet, reterr);
    if (!err) err = intake_check_ahead(f->source.realm, "the exposure ends", unit->packet.span.stop_ns, reterr);
    if (!err) err = ingest_repeats_subimage(in->repeats, &unit->packet, reterr);
    if (err) return err;
    const struct time_span *span = &unit->packet.span;
    struct platform_state platform;
    platforms_state(in->platforms, f->source, span->start_ns + (span->stop_ns - span->start_ns) / 2, &platform);
    return known_prepare(in->p->known, &unit->packet, &platform, &unit->image, reterr);
}

void take_image(struct intake *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct work_unit *unit = intake_take_free(in);
    if (!unit) return;
    feed_read(f, gateway, item->stream, item->seq, INT64_MIN);
    enum burst_err err = prepare_image(in, f, item, unit, &e);
    if (err == BURST_E_DUPLICATE)
        health_add(in->p->health, COUNT_DUPLICATES, 1);
    else if (err == BURST_E_CONFLICT)
        pipeline_alarm_image(f->topic, &e);
    if (err && err != BURST_E_DUPLICATE) intake_refuse(in, BAD_SUBIMAGE, f->topic, gateway, item, &e);
    if (err) {
        pipeline_give(in->p->units.free_work, unit);
        return;
    }
    unit->kind = WORK_IMAGE;
    unit->source = f->source;
    unit->image.arrived_mono_ns = in->arrived_mono_ns;
    unit->image.decode_s = (double)(clock_mono_ns() - in->arrived_mono_ns) * 1e-9;
    feed_image_point(f, &unit->restart);
    pipeline_feed_seen(in->p, f->topic, unit->packet.span.stop_ns, true);
    pipeline_give(in->p->units.work, unit);
}
