/* Publishing through the real publisher over the SQLite log; with arguments, a small daemon for the wire test:
 *   publish_test_publish --serve DATABASE N   publish N events of three revisions with evidence (what is known already is
 *                                             not told again), print the endpoints, serve until standard input ends
 *   publish_test_publish --fill DATABASE      publish a burst and an image with true evidence files, and end */
#include "publish/json.h"
#include "publish/publish.h"
#include "sample_evidence.h"
#include "store_fixture.h"
#include "stream/context.h"
#include <poll.h>

static struct stream_context *context;
static struct publisher *publisher;
static enum publish_answer answer;
static uint64_t seq;

#define ALERT_NS (NOW_NS + INT64_C(69184000000))

static enum burst_err open_publisher(struct burst_error *reterr)
{
    struct publisher_settings settings;
    publisher_defaults(&settings);
    settings.live = settings.history = "tcp://127.0.0.1:*";
    settings.log = log_;
    settings.linger_ms = 100;
    enum burst_err err = stream_context_open(&context, reterr);
    return err ? err : publisher_open(context, &settings, &publisher, reterr);
}

static void start(void)
{
    begin();
    enum burst_err err = open_publisher(&error);
    CHECK_SAY(err == BURST_OK, "%s", error.text);
}

static void stop(void)
{
    publisher_close(publisher);
    stream_context_close(context);
    publisher = NULL;
    context = NULL;
    end();
}

static enum burst_err tell_verdict(struct verdict v)
{
    answer = (enum publish_answer)9;
    seq = 99;
    return publish_verdict(store, publisher, &v, ALERT_NS, &answer, &seq, &error);
}

/* What the newest message of a topic looks like on the wire. */
struct newest {
    int n;
    unsigned flags, content;
    uint64_t seq;
    char body[VERDICT_JSON_MAX];
};

static enum burst_err keep_newest(void *arg, const struct stream_item *item)
{
    struct newest *newest = arg;
    newest->n++;
    newest->flags = item->flags;
    newest->content = item->content;
    newest->seq = item->seq;
    (void)snprintf(newest->body, sizeof newest->body, "%.*s", (int)item->n_body, (const char *)item->body);
    return BURST_OK;
}

static struct newest newest_of(const char *topic)
{
    struct newest newest = {0};
    CHECK_INT(log_->last(log_->ctx, topic, keep_newest, &newest, &error), BURST_OK);
    return newest;
}

TEST(a_verdict_is_in_the_log_as_its_json_under_its_topic_and_flags)
{
    start();
    struct verdict v = sample_image();
    char want[VERDICT_JSON_MAX];
    size_t n = 0;
    CHECK_INT(verdict_json(&v, ALERT_NS, want, sizeof want, &n, &error), BURST_OK);
    CHECK_INT(tell_verdict(v), BURST_OK);
    CHECK_INT(answer, PUBLISH_SENT);
    CHECK_INT(seq, 1);
    struct newest told = newest_of("burst.v1.svom.verdict");
    CHECK_STR(told.body, want);
    CHECK_INT(told.flags, 0);
    CHECK_INT(told.content, FRAME_JSON);
    CHECK_INT(tell_verdict(sample_burst()), BURST_OK);
    CHECK_INT(newest_of("burst-archive.v1.fermi.verdict").flags, FRAME_ARCHIVAL);
    CHECK_INT(verified().n_topic, 2);
    stop();
}

TEST(flags_follow_realm_tense_and_type)
{
    struct verdict v = sample_image();
    CHECK_INT(publish_flags(&v), 0);
    v.type = ALERT_RETRACTION;
    CHECK_INT(publish_flags(&v), 8);
    v.source.realm = REALM_TEST;
    v.tense = TENSE_TEST;
    CHECK_INT(publish_flags(&v), 1 + 8);
    v.tense = TENSE_INJECTION;
    CHECK_INT(publish_flags(&v), 1 + 2 + 8);
    v = sample_burst();
    CHECK_INT(publish_flags(&v), 4);
}

TEST(the_same_revision_is_told_once_and_another_core_never)
{
    start();
    struct verdict v = sample_burst();
    CHECK_INT(tell_verdict(v), BURST_OK);
    v.latency_since_trigger_s = 99; /* not core: a replay is later */
    memcpy(v.model[0].backend, "plain", 6);
    CHECK_INT(tell_verdict(v), BURST_OK);
    CHECK_INT(answer, PUBLISH_ALREADY);
    CHECK_INT(seq, 0);
    v.p_true = 0.94;
    CHECK_REFUSED(tell_verdict(v), BURST_E_CONFLICT, error, "revision 1 was told before with another core");
    CHECK_INT(answer, 9);
    CHECK_INT(newest_of("burst-archive.v1.fermi.verdict").seq, 1);
    CHECK_INT(store_counts(store).conflicts, 1);
    stop();
}

TEST(a_verdict_that_breaks_a_rule_is_an_error_and_leaves_no_trace)
{
    start();
    struct verdict v = sample_burst();
    v.p_true = NAN;
    CHECK_REFUSED(tell_verdict(v), BURST_E_MISSING, error, "p_true");
    CHECK_INT(answer, 9);
    CHECK_INT(seq, 99);
    CHECK_INT(newest_of("").n, 0);
    CHECK_INT(tell_verdict(sample_burst()), BURST_OK);
    CHECK_INT(seq, 1);
    stop();
}

TEST(evidence_is_told_once_per_revision)
{
    start();
    struct verdict v = sample_burst();
    const uint8_t *fits = (const uint8_t *)"SIMPLE";
    CHECK_INT(tell_verdict(v), BURST_OK);
    CHECK_INT(publish_evidence(store, publisher, &v, fits, 6, &answer, &seq, &error), BURST_OK);
    CHECK_INT(answer, PUBLISH_SENT);
    CHECK_INT(seq, 1);
    CHECK_INT(publish_evidence(store, publisher, &v, fits, 6, &answer, &seq, &error), BURST_OK);
    CHECK_INT(answer, PUBLISH_ALREADY);
    struct newest told = newest_of("burst-archive.v1.fermi.evidence");
    CHECK_INT(told.seq, 1);
    CHECK_INT(told.content, FRAME_FITS);
    CHECK_INT(told.flags, FRAME_ARCHIVAL);
    CHECK_STR(told.body, "SIMPLE");
    stop();
}

TEST(checkpoints_become_durable_with_the_verdict)
{
    start();
    uint8_t *bytes = NULL;
    size_t n = 0;
    CHECK_INT(store_checkpoint_put(store, "input", (const uint8_t *)"at 7", 4, &error), BURST_OK);
    CHECK_INT(tell_verdict(sample_burst()), BURST_OK);
    struct store_reader *reader = NULL; /* sees only what is committed */
    char *text = NULL;
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_INT(store_alerts(reader, "burst-archive.", 5, &text, &error), BURST_OK);
    CHECK(text && strstr(text, "fermi-gbm-20110721T044743.760Z"));
    free(text);
    store_reader_close(reader);
    CHECK_INT(store_checkpoint_get(store, "input", &bytes, &n, &error), BURST_OK);
    CHECK_INT(n, 4);
    free(bytes);
    stop();
}

TEST(a_log_that_cannot_be_written_is_an_error_each_time)
{
    start();
    CHECK_INT(tell_verdict(sample_image()), BURST_OK);
    meddle("CREATE TRIGGER full BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'no room'); END");
    CHECK_REFUSED(tell_verdict(sample_burst()), BURST_E_IO, error, "no room");
    CHECK_INT(answer, 9);
    CHECK_REFUSED(tell_verdict(sample_burst()), BURST_E_STATE, error, "gave up after");
    CHECK_INT(publish_evidence(store, publisher,
                               &(struct verdict){.source = sample_image().source, .id = "sb1", .record_number = 1},
                               (const uint8_t *)"x", 1, &answer, &seq, &error),
              BURST_E_STATE);
    publisher_close(publisher);
    publisher = NULL;
    CHECK_INT(store_close(store, &error), BURST_OK);
    store = NULL;
    meddle("DROP TRIGGER full");
    open_store();
    CHECK(!new_stream);
    CHECK_INT(newest_of("").n, 1);
    stop();
}

/* An open burst and a closed image were told; then the file came back without its note. */
TEST(a_new_stream_begins_with_the_events_that_are_still_open)
{
    char note[300];
    int n = 77;
    start();
    struct verdict v = sample_burst();
    CHECK_INT(tell_verdict(v), BURST_OK);
    CHECK_INT(tell_verdict(sample_image()), BURST_OK);
    struct newest before = newest_of("burst-archive.");
    CHECK_INT(publish_orphans(store, publisher, &n, &error), BURST_OK);
    CHECK_INT(n, 0); /* nothing is missing from the stream that told them */
    publisher_close(publisher);
    stream_context_close(context);
    close_store();
    (void)snprintf(note, sizeof note, "%s.note", path);
    CHECK_INT(unlink(note), 0);
    open_store();
    CHECK(new_stream);
    CHECK_INT(open_publisher(&error), BURST_OK);
    CHECK_INT(publish_orphans(store, publisher, &n, &error), BURST_OK);
    CHECK_INT(n, 1);
    struct newest again = {0};
    CHECK_INT(log_->open_events(log_->ctx, "burst", 0, keep_newest, &again, &error), BURST_OK);
    CHECK_INT(again.n, 1);
    CHECK_INT(again.seq, 1);
    CHECK_INT(again.flags, FRAME_ARCHIVAL);
    CHECK_STR(again.body, before.body);
    CHECK_INT(publish_orphans(store, publisher, &n, &error), BURST_OK);
    CHECK_INT(n, 0);
    CHECK_INT(tell_verdict(v), BURST_OK); /* derived again: still known */
    CHECK_INT(answer, PUBLISH_ALREADY);
    CHECK_INT(verified().n_message, 1);
    stop();
}

/* ---- the small daemon ---- */

static struct verdict revision(int event, int n)
{
    struct verdict v = n < 3 ? sample_burst() : sample_retraction();
    (void)snprintf(v.id, sizeof v.id, "fermi-gbm-event-%03d", event);
    v.record_number = n;
    if (n == 2) v.type = ALERT_UPDATE;
    v.trigger_ns += event * CLOCK_NS_PER_S;
    return v;
}

static enum burst_err publish_event(int event)
{
    char fits[64];
    for (int n = 1; n <= 3; n++) {
        struct verdict v = revision(event, n);
        enum burst_err err = publish_verdict(store, publisher, &v, clock_tt_now_ns(), &answer, &seq, &error);
        int n_fits = snprintf(fits, sizeof fits, "evidence of %s %d", v.id, n);
        if (!err)
            err = publish_evidence(store, publisher, &v, (const uint8_t *)fits, (size_t)n_fits, &answer, &seq, &error);
        if (!err) err = publisher_serve(publisher, 0, &error);
        if (err) return err;
    }
    return BURST_OK;
}

static int serve(const char *database, int n)
{
    (void)snprintf(path, sizeof path, "%s", database);
    struct store_settings settings = {path, 7};
    enum burst_err err = store_open(&settings, &store, &new_stream, &error);
    if (!err) {
        log_ = store_log(store);
        err = open_publisher(&error);
    }
    if (!err) {
        printf("%s %s %s\n", publisher_live(publisher), publisher_history(publisher), new_stream ? "new" : "same");
        (void)fflush(stdout);
    }
    struct pollfd in = {.fd = 0, .events = POLLIN};
    for (int i = 0; i < n && !err; i++)
        err = publish_event(i);
    while (!err && poll(&in, 1, 0) == 0)
        err = publisher_serve(publisher, 20, &error);
    publisher_close(publisher);
    stream_context_close(context);
    if (!err) err = store_close(store, &error);
    if (err) fprintf(stderr, "%s\n", error.text);
    return err ? 1 : 0;
}

/* 10 counts in every bin and atom, 100 in the bins under character 40 of 75: what the spark lines must show. */
static enum burst_err fill_burst(void)
{
    struct verdict v = sample_burst();
    struct lightcurve_window *w = sample_window();
    uint8_t *fits = NULL;
    size_t n = 0;
    for (size_t i = 0; i < (size_t)2 * 3 * WINDOW_BINS; i++)
        w->counts[i] = i % WINDOW_BINS / 25 == 40 ? 100 : 10;
    enum burst_err err = publish_verdict(store, publisher, &v, clock_tt_now_ns(), &answer, &seq, &error);
    if (!err) err = evidence_lightcurves(&v, w, NULL, 0, &fits, &n, &error);
    if (!err) err = publish_evidence(store, publisher, &v, fits, n, &answer, &seq, &error);
    free(fits);
    window_free(w);
    return err;
}

static enum burst_err fill_image_event(void)
{
    struct verdict v = sample_image();
    struct subimage_packet p = sample_packet();
    struct image_sample s;
    struct image_explanation x;
    uint8_t *fits = NULL;
    size_t n = 0;
    fill_image(&s, &x, &p);
    v.latency_since_trigger_s = 81;
    enum burst_err err =
        publish_verdict(store, publisher, &v, v.trigger_ns + 81 * CLOCK_NS_PER_S, &answer, &seq, &error);
    if (!err) err = evidence_image(&v, &s, &x, &fits, &n, &error);
    if (!err) err = publish_evidence(store, publisher, &v, fits, n, &answer, &seq, &error);
    free(fits);
    return err;
}

static int fill(const char *database)
{
    (void)snprintf(path, sizeof path, "%s", database);
    struct store_settings settings = {path, 7};
    enum burst_err err = store_open(&settings, &store, &new_stream, &error);
    if (!err) {
        log_ = store_log(store);
        err = open_publisher(&error);
    }
    if (!err) err = fill_burst();
    if (!err) err = fill_image_event();
    publisher_close(publisher);
    stream_context_close(context);
    if (!err) err = store_close(store, &error);
    if (err) fprintf(stderr, "%s\n", error.text);
    return err ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--fill") == 0) return fill(argv[2]);
    if (argc == 4 && strcmp(argv[1], "--serve") == 0) return serve(argv[2], atoi(argv[3]));
    RUN(a_verdict_is_in_the_log_as_its_json_under_its_topic_and_flags);
    RUN(flags_follow_realm_tense_and_type);
    RUN(the_same_revision_is_told_once_and_another_core_never);
    RUN(a_verdict_that_breaks_a_rule_is_an_error_and_leaves_no_trace);
    RUN(evidence_is_told_once_per_revision);
    RUN(checkpoints_become_durable_with_the_verdict);
    RUN(a_log_that_cannot_be_written_is_an_error_each_time);
    RUN(a_new_stream_begins_with_the_events_that_are_still_open);
    return check_report();
}
