/* burst-replay: the reference gateway. FITS files in, a numbered stream out, at the data's own pace or another.
 *
 *     files -> cut -> pieces in order of time -> publisher (log, live, history, heartbeats with data_time) */
#include "base/clock.h"
#include "cut.h"
#include "options.h"
#include "progress.h"
#include "stream/log_memory.h"
#include "stream/publisher.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SIGNAL = 130, TURN_MS = 50, SLOW_SUBSCRIBER_MS = 30000, LIVE_HWM = 64 };

/* One open file and the topic it goes to. */
struct feed {
    struct cut *cut;
    char topic[STREAM_TOPIC_TEXT];
    int64_t sent_tt_ns; /* all up to here has been sent */
};

struct replay {
    const struct options *options;
    struct stream_context *context;
    struct stream_log log;
    struct publisher *publisher;
    struct feed *feed; /* [n_feed] */
    int n_feed;
    size_t n_piece, n_sent, n_event, n_outside, n_byte;
    int64_t pace_mono_ns, pace_tt_ns; /* data time pace_tt_ns is due at host time pace_mono_ns */
    struct progress progress;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static int complain(const char *what, const struct burst_error *e)
{
    (void)fprintf(stderr, "burst-replay: %s: %s (%s)\n", what, e->text, burst_err_name(e->code));
    if (e->code == BURST_E_IO || e->code == BURST_E_NET || e->code == BURST_E_NOMEM) return EXIT_IO;
    return e->code == BURST_E_AUTH ? EXIT_CONFIG : EXIT_REFUSED;
}

/* ---- pace ---- */

static int64_t ns_of(double seconds)
{
    return (int64_t)(seconds * 1e9);
}

/* Data time now: what a gateway at this pace would have received. */
static int64_t data_now(const struct replay *r)
{
    double speed = r->options->speed;
    if (speed <= 0) return INT64_MAX;
    return r->pace_tt_ns + (int64_t)((double)(clock_mono_ns() - r->pace_mono_ns) * speed);
}

/* Answer history and send heartbeats until host time `until`, or a signal. */
static enum burst_err serve_until(struct replay *r, int64_t until_mono_ns, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int64_t left; !err && !stopped && (left = until_mono_ns - clock_mono_ns()) > 0;)
        err = publisher_serve(r->publisher, left > TURN_MS * 1000000 ? TURN_MS : (int)(left / 1000000) + 1, reterr);
    return err;
}

/* Wait until the data clock has reached the end of the piece. A gap in all data is jumped over in a second. */
static enum burst_err wait_for(struct replay *r, struct time_span span, struct burst_error *reterr)
{
    double speed = r->options->speed;
    if (speed <= 0) return publisher_serve(r->publisher, 0, reterr);
    int64_t now = clock_mono_ns();
    if (r->n_sent == 0 || (double)span.start_ns - (double)data_now(r) > r->options->gap_s * 1e9) {
        r->pace_tt_ns = span.start_ns;
        r->pace_mono_ns = now + (r->n_sent ? CLOCK_NS_PER_S : 0);
    }
    int64_t due = r->pace_mono_ns + (int64_t)((double)(span.stop_ns - r->pace_tt_ns) / speed);
    while (!stopped && clock_mono_ns() < due) {
        int64_t turn = clock_mono_ns() + CLOCK_NS_PER_S / 10;
        enum burst_err err = serve_until(r, turn < due ? turn : due, reterr);
        if (err) return err;
        progress_show(&r->progress, r->n_sent, r->n_piece, span.start_ns, r->feed[0].topic);
    }
    return BURST_OK;
}

/* ---- data_time ---- */

/* Up to when all data of this feed have been sent: what is next begins there, but no later than the data clock. */
static int64_t sent_until(const struct replay *r, const struct feed *f)
{
    struct time_span next;
    if (!cut_next(f->cut, &next)) return INT64_MAX;
    int64_t clock = data_now(r), until = next.start_ns < clock ? next.start_ns : clock;
    return until > f->sent_tt_ns ? until : f->sent_tt_ns;
}

/* The topic's: the least of its feeds; the end of its data once all of them are through. */
static int64_t topic_until(const struct replay *r, const char *topic)
{
    int64_t least = INT64_MAX, end = INT64_MIN;
    for (int i = 0; i < r->n_feed; i++) {
        if (strcmp(r->feed[i].topic, topic) != 0) continue;
        int64_t until = sent_until(r, &r->feed[i]), stop = cut_span(r->feed[i].cut).stop_ns;
        if (until < least) least = until;
        if (stop > end) end = stop;
    }
    return least < end ? least : end;
}

static enum burst_err tell_data_time(struct replay *r, struct burst_error *reterr)
{
    json_t *root = json_object(), *times = json_object();
    for (int i = 0; i < r->n_feed; i++) {
        char text[CLOCK_UTC_TEXT];
        if (r->feed[i].sent_tt_ns == 0 ||
            source_fact(cut_source(r->feed[i].cut).mission, cut_source(r->feed[i].cut).instrument)->n_detector == 0)
            continue;
        clock_utc_text(topic_until(r, r->feed[i].topic), text);
        (void)json_object_set_new(times, r->feed[i].topic,
                                  json_string(text)); /* checked below: json_dumps gives NULL */
    }
    (void)json_object_set_new(root, "data_time", times);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    enum burst_err err = text ? publisher_set_status(r->publisher, text, reterr)
                              : burst_fail(reterr, BURST_E_NOMEM, "no memory for data_time");
    free(text);
    return err;
}

/* ---- sending ---- */

/* The feed whose next piece is complete first; files given first come first. */
static struct feed *next_feed(const struct replay *r, struct time_span *ret_span)
{
    struct feed *best = NULL;
    for (int i = 0; i < r->n_feed; i++) {
        struct time_span span;
        if (!cut_next(r->feed[i].cut, &span) || (best && span.stop_ns >= ret_span->stop_ns)) continue;
        best = &r->feed[i];
        *ret_span = span;
    }
    return best;
}

static enum burst_err send_piece(struct replay *r, struct feed *f, struct time_span span, struct burst_error *reterr)
{
    static const unsigned flags[REALM_N] = {[REALM_TEST] = FRAME_TEST, [REALM_ARCHIVE] = FRAME_ARCHIVAL};
    const uint8_t *bytes;
    size_t n, n_event;
    enum burst_err err = cut_take(f->cut, &bytes, &n, &n_event, reterr);
    if (!err)
        err = publisher_send(r->publisher, f->topic, flags[r->options->realm], FRAME_FITS, bytes, n, NULL, reterr);
    if (err) return err;
    f->sent_tt_ns = span.stop_ns;
    r->n_sent++;
    r->n_event += n_event;
    r->n_byte += n;
    progress_show(&r->progress, r->n_sent, r->n_piece, span.stop_ns, f->topic);
    return tell_data_time(r, reterr);
}

static enum burst_err send_all(struct replay *r, struct burst_error *reterr)
{
    struct time_span span = {0};
    enum burst_err err = serve_until(r, clock_mono_ns() + ns_of(r->options->wait_s), reterr);
    for (struct feed *f; !err && !stopped && (f = next_feed(r, &span));) {
        err = wait_for(r, span, reterr);
        if (!err && !stopped) err = send_piece(r, f, span, reterr);
    }
    progress_end(&r->progress);
    return err;
}

/* Go on answering history: for the time asked, and until nobody is in the middle of an answer. */
static enum burst_err linger(struct replay *r, struct burst_error *reterr)
{
    double s = r->options->linger_s;
    enum burst_err err = serve_until(r, s < 0 ? INT64_MAX : clock_mono_ns() + ns_of(s), reterr);
    while (!err && !stopped && publisher_pending(r->publisher) > 0)
        err = publisher_serve(r->publisher, TURN_MS, reterr);
    return err;
}

/* ---- setting up ---- */

static enum burst_err open_feed(struct replay *r, const char *path, struct burst_error *reterr)
{
    struct feed *f = &r->feed[r->n_feed];
    enum burst_err err = cut_open(path, r->options->realm, ns_of(r->options->chunk_s), &f->cut, reterr);
    if (err) return err;
    r->n_feed++;
    r->n_piece += cut_count(f->cut);
    r->n_outside += cut_outside(f->cut);
    if (!r->options->topic) return source_topic(cut_source(f->cut), NULL, f->topic, sizeof f->topic);
    memcpy(f->topic, r->options->topic, strlen(r->options->topic) + 1);
    return BURST_OK;
}

/* Every file is judged before the first message goes out. */
static int open_feeds(struct replay *r)
{
    int status = EXIT_DONE;
    r->feed = calloc((size_t)r->options->n_file, sizeof *r->feed);
    if (!r->feed) return EXIT_IO;
    for (int i = 0; i < r->options->n_file; i++) {
        struct burst_error e;
        if (open_feed(r, r->options->file[i], &e)) status = complain(r->options->file[i], &e);
    }
    return status;
}

static int open_publisher(struct replay *r)
{
    struct burst_error e;
    struct publisher_settings set;
    publisher_defaults(&set);
    set.live = r->options->live;
    set.history = r->options->history;
    set.log = &r->log;
    set.hwm = LIVE_HWM;
    set.wait_ms = SLOW_SUBSCRIBER_MS;
    enum burst_err err = stream_context_open(&r->context, &e);
    if (!err) err = log_memory_open((size_t)(r->options->keep_mib * 1048576), &r->log, &e);
    if (!err) err = publisher_open(r->context, &set, &r->publisher, &e);
    return err ? complain("cannot publish", &e) : EXIT_DONE;
}

static void summarise(const struct replay *r, double took_s)
{
    struct publisher_counts counts;
    publisher_counts(r->publisher, &counts);
    (void)printf("burst-replay: %zu of %zu messages, %zu events, %.1f MB in %.1f s on %s%s; %llu from history",
                 r->n_sent, r->n_piece, r->n_event, (double)r->n_byte * 1e-6, took_s, r->feed[0].topic,
                 r->n_feed > 1 ? " and others" : "", (unsigned long long)counts.items_replayed);
    if (r->n_outside) (void)printf("; %zu events outside good time not sent", r->n_outside);
    (void)puts("");
    (void)fflush(stdout);
}

static int run(struct replay *r)
{
    struct burst_error e;
    int64_t begun = clock_mono_ns();
    enum burst_err err = send_all(r, &e);
    bool cut_short = stopped && r->n_sent < r->n_piece;
    summarise(r, (double)(clock_mono_ns() - begun) * 1e-9);
    if (!err && !stopped) err = linger(r, &e);
    if (err) return complain("cannot go on", &e);
    return cut_short ? EXIT_SIGNAL : EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(argc, argv, &options);
    if (status >= 0) return status;
    struct replay r = {.options = &options};
    /* A second signal ends it at once, also while a stuck subscriber is waited for. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL); /* cannot fail for these two */
    (void)sigaction(SIGTERM, &action, NULL);
    progress_init(&r.progress);
    status = open_feeds(&r);
    if (!status) status = open_publisher(&r);
    if (!status) status = run(&r);
    publisher_close(r.publisher);
    stream_context_close(r.context);
    log_memory_close(&r.log);
    for (int i = 0; i < r.n_feed; i++)
        cut_close(r.feed[i].cut);
    free(r.feed);
    return status;
}
