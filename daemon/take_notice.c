/* Notices to the work thread: read, checked, and given the realm they belong to. */
#include "base/clock.h"
#include "daemon/intake.h"
#include "decide/trigger.h"
#include "ingest/notice.h"

void take_notice(struct intake *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct work_unit *unit = intake_take_free(in);
    if (!unit) return;
    feed_read(f, gateway, item->stream, item->seq, INT64_MIN);
    enum notice_content content = item->content == FRAME_XML ? NOTICE_XML : NOTICE_JSON;
    enum burst_err err = ingest_notice(f->source, content, item->body, item->n_body, &unit->notice, &e);
    if (!err) err = intake_check_ahead(f->source.realm, "the trigger lies", unit->notice.trigger_ns, &e);
    if (err) {
        intake_refuse(in, BAD_TRIGGER, f->topic, gateway, item, &e);
        pipeline_give(in->p->units.free_work, unit);
        return;
    }
    unit->kind = WORK_NOTICE;
    unit->notice.source.realm = trigger_realm(&unit->notice);
    unit->source = unit->notice.source;
    unit->arrived_mono_ns = in->arrived_mono_ns;
    unit->decode_s = (double)(clock_mono_ns() - in->arrived_mono_ns) * 1e-9;
    feed_image_point(f, &unit->restart);
    pipeline_feed_seen(in->p, f->topic, unit->notice.trigger_ns, true);
    pipeline_give(in->p->units.work, unit);
}
