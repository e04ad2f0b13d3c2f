/* What has been read of an input, and from where it must be read again. */
#include "daemon/feed.h"
#include "prepare/particles.h"
#include <string.h>

enum burst_err feed_open(struct feed *f, struct source source, enum topic_kind kind, const struct band_set *bands,
                         int64_t lateness_ns, const struct restart_point *restart, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    f->source = source;
    f->kind = kind;
    f->judged_k = restart ? restart->score_from_k : INT64_MIN;
    enum burst_err err = source_input_topic(source, kind, f->topic, sizeof f->topic);
    if (err)
        return burst_fail(reterr, err, "no topic for mission %d, instrument %d", (int)source.mission,
                          (int)source.instrument);
    for (int i = 0; restart && i < restart->n_from; i++)
        f->begun[f->n_begun++] = restart->from[i];
    order_begin(&f->order);
    if (kind != TOPIC_EVENTS || !bands) return BURST_OK;
    f->bands = *bands;
    if (!fact->n_open) {
        band_set_total(&f->bands);
        if ((err = window_new(fact->n_detector, &f->monitor, reterr))) return err;
    }
    struct lightcurve_settings settings = {.source = source,
                                           .bands = f->bands,
                                           .epoch_ns = source_epoch_ns(fact),
                                           .lateness_ns = lateness_ns,
                                           .score_from_k = f->judged_k};
    return lightcurve_new(&settings, &f->lc, reterr);
}

void feed_close(struct feed *f)
{
    lightcurve_free(f->lc);
    f->lc = NULL;
    lightcurve_free(f->archive);
    f->archive = NULL;
    window_free(f->monitor);
    f->monitor = NULL;
}

double feed_particles_add(struct feed *f)
{
    size_t slot = (size_t)(f->monitor->k_end / STRIDE_BINS % FEED_RATIOS);
    f->ratio_k[slot] = f->monitor->k_end;
    f->ratio[slot] = particles_ratio(f->monitor);
    return f->ratio[slot];
}

double feed_particles(const struct feed *f, int64_t k_end)
{
    double most = 0;
    for (int i = 0; i < FEED_RATIOS; i++)
        if (f->ratio_k[i] <= k_end && f->ratio_k[i] > k_end - LIGHTCURVE_VALID_LEAST && f->ratio[i] > most)
            most = f->ratio[i];
    return most;
}

void feed_read(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t seq, int64_t stop_ns)
{
    cover_add(&f->cover[gateway], stream, seq, stop_ns);
}

void feed_read_again(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t seq)
{
    feed_read(f, gateway, stream, seq, f->lc ? lightcurve_latest_ns(f->lc) : INT64_MIN);
}

void feed_gap(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t to)
{
    if (f->lc) lightcurve_gap(f->lc);
    feed_read(f, gateway, stream, to, f->lc ? COVER_OPEN : INT64_MIN);
    f->has_gap = f->lc != NULL;
}

void feed_gap_end(struct feed *f)
{
    int64_t end_ns = f->has_gap ? lightcurve_gap_end_ns(f->lc) : COVER_OPEN;
    if (end_ns == COVER_OPEN) return;
    for (int i = 0; i < CONFIG_INPUT_MAX; i++)
        cover_close(&f->cover[i], end_ns);
    f->has_gap = false;
}

void feed_order(struct feed *f, int gateway, bool is_replay, int64_t now_mono_ns)
{
    const struct cover *c = &f->cover[gateway];
    int64_t stop_ns = c->n && c->entry[c->n - 1].stop_ns != COVER_OPEN ? c->entry[c->n - 1].stop_ns : INT64_MIN;
    order_read(&f->order, gateway, stop_ns, is_replay, now_mono_ns);
}

static bool has_stream(const struct restart_from *from, int n, const uint8_t stream[STREAM_UUID])
{
    for (int i = 0; i < n; i++)
        if (memcmp(from[i].stream, stream, STREAM_UUID) == 0) return true;
    return false;
}

void feed_hold(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t seq)
{
    struct restart_from *hold = &f->hold[gateway];
    if (hold->seq && !memcmp(hold->stream, stream, STREAM_UUID)) return;
    memcpy(hold->stream, stream, STREAM_UUID);
    hold->seq = seq;
}

void feed_archive_done(struct feed *f)
{
    f->archive_mono_ns = 0;
    memset(f->hold, 0, sizeof f->hold);
}

/* Gateways that have said nothing since we began keep the place they had then. */
static void point_fill(struct feed *f, int64_t needed_ns, struct restart_point *p)
{
    memcpy(p->topic, f->topic, sizeof p->topic);
    for (int i = 0; i < CONFIG_INPUT_MAX; i++) {
        struct cover *c = &f->cover[i];
        if (c->newest == 0) continue;
        struct restart_from *from = &p->from[p->n_from++];
        memcpy(from->stream, c->stream, STREAM_UUID);
        from->seq = cover_done_before(c, needed_ns);
        const struct restart_from *hold = &f->hold[i];
        if (hold->seq && from->seq >= hold->seq && !memcmp(hold->stream, c->stream, STREAM_UUID))
            from->seq = hold->seq - 1;
    }
    for (int i = 0; i < f->n_begun && p->n_from < RESTART_FROM_MAX; i++)
        if (!has_stream(p->from, p->n_from, f->begun[i].stream)) p->from[p->n_from++] = f->begun[i];
}

void feed_window_point(struct feed *f, int64_t k_end, struct restart_point *ret_point)
{
    int64_t epoch_ns = source_epoch_ns(source_fact(f->source.mission, f->source.instrument));
    *ret_point = (struct restart_point){.score_from_k = k_end};
    point_fill(f, epoch_ns + (k_end + STRIDE_BINS - WINDOW_BINS) * BIN_NS, ret_point);
}

void feed_image_point(struct feed *f, struct restart_point *ret_point)
{
    *ret_point = (struct restart_point){.score_from_k = INT64_MIN, .tracker = {INT64_MIN}};
    point_fill(f, INT64_MAX, ret_point);
}

void feed_platform_point(struct feed *f, int64_t needed_ns, struct restart_point *ret_point)
{
    *ret_point = (struct restart_point){.score_from_k = INT64_MIN, .tracker = {INT64_MIN}};
    point_fill(f, needed_ns, ret_point);
}

bool feed_goes_back(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], struct time_span span)
{
    int64_t epoch_ns = source_epoch_ns(source_fact(f->source.mission, f->source.instrument));
    bool first = memcmp(f->data_stream[gateway], stream, STREAM_UUID) != 0 && !has_stream(f->begun, f->n_begun, stream);
    int64_t own_ns = f->order.place[gateway].latest_ns;
    memcpy(f->data_stream[gateway], stream, STREAM_UUID);
    if (!first || f->source.realm == REALM_LIVE || f->judged_k == INT64_MIN) return false;
    if (own_ns == INT64_MIN ? !f->n_begun : span.stop_ns > own_ns)
        return false; /* another gateway's data were judged */
    return span.stop_ns <= epoch_ns + f->judged_k * BIN_NS;
}

void feed_begin_anew(struct feed *f)
{
    lightcurve_restart(f->lc);
    order_begin(&f->order);
    memset(f->ratio, 0, sizeof f->ratio);
    f->judged_k = INT64_MIN;
    f->n_begun = 0;
}
