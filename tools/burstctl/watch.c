/* burstctl watch: the verdict stream as it comes, gaps repaired by the stream library. Never silent about what it could not
 * show: losses, bad messages, a replaced log and a dead publisher are said on standard error. */
#include "base/bytes.h"
#include "base/clock.h"
#include "burstctl.h"
#include "stream/subscriber.h"
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_MOST = 8, WAIT_MS = 200 };
static const int64_t SILENCE_NS = 3 * CLOCK_NS_PER_S; /* three heartbeats missed: reliability.md 2.2 */

static const char HELP[] =
    "usage: burstctl watch [--since WHEN] [--topic PREFIX]... [--all] [--json] [--count N]\n"
    "                      [--live ENDPOINT --history ENDPOINT | --config FILE]\n"
    "\n"
    "Follows the verdicts, one line per revision; gaps are repaired from history.\n"
    "\n"
    "  --since WHEN        also what history keeps: a number of the topic (1: everything), a span (-2h, -30m, -90s, "
    "-1d)\n"
    "                      or a UTC time (2026-11-20T03:00:00Z). Default: only what comes from now on\n"
    "  --topic PREFIX      topics that start so; may be given several times. Default burst.v1. (real alerts)\n"
    "  --all               also tests, archive replays and provisional verdicts, each marked in its first word\n"
    "  --json              the verdicts' JSON as it was sent, one per line\n"
    "  --count N           end after N verdicts\n"
    "  --live ENDPOINT     where burstd publishes (default tcp://127.0.0.1:5556)\n"
    "  --history ENDPOINT  where burstd replays (default tcp://127.0.0.1:5557)\n"
    "  --config FILE       take the endpoints from this burstd.yaml\n"
    "\n"
    "T0+81s: told 81 s after the trigger. #2: second revision. Colour only on a terminal; NO_COLOR turns it off.\n";

static volatile sig_atomic_t stop_asked;

struct watch {
    const char *live, *history, *config;
    const char *prefix[PREFIX_MOST];
    size_t n_prefix;
    bool json, from_start, colour;
    uint64_t since_seq;    /* 0: any */
    int64_t since_sent_ns; /* UTC; 0: any */
    long count, shown;
};

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

/* ---- arguments ---- */

/* A span back from now in ns; 0 where the text is none. */
static int64_t parse_span(const char *text)
{
    static const struct {
        char unit;
        int64_t s;
    } UNIT[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    if (text[0] != '-') return 0;
    long n = strtol(text + 1, &end, 10);
    if (end == text + 1 || n <= 0 || n > 1000000 || !end[0] || end[1]) return 0;
    for (size_t i = 0; i < sizeof UNIT / sizeof UNIT[0]; i++)
        if (UNIT[i].unit == end[0]) return n * UNIT[i].s * CLOCK_NS_PER_S;
    return 0;
}

static bool parse_since(const char *text, struct watch *w)
{
    long seq;
    int64_t tt_ns, span = parse_span(text);
    w->from_start = true;
    w->since_seq = 0;
    w->since_sent_ns = 0;
    if (span > 0)
        w->since_sent_ns = clock_utc_now_ns() - span;
    else if (parse_int(text, 0, LONG_MAX, &seq))
        w->since_seq = (uint64_t)seq;
    else if (clock_parse_utc(text, &tt_ns, NULL) == BURST_OK)
        w->since_sent_ns = clock_utc_from_tt_ns(tt_ns);
    else
        return false;
    return true;
}

static bool add_prefix(struct watch *w, const char *prefix)
{
    if (w->n_prefix == PREFIX_MOST) return false;
    w->prefix[w->n_prefix++] = prefix;
    return true;
}

static bool add_all(struct watch *w)
{
    return add_prefix(w, "burst.v1.") && add_prefix(w, "burst-test.v1.") && add_prefix(w, "burst-archive.v1.") &&
           add_prefix(w, "burst-provisional.v1.");
}

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct watch *w)
{
    static const struct option table[] = {
        {"since", required_argument, NULL, 's'},   {"topic", required_argument, NULL, 't'},
        {"all", no_argument, NULL, 'a'},           {"json", no_argument, NULL, 'j'},
        {"count", required_argument, NULL, 'n'},   {"live", required_argument, NULL, 'l'},
        {"history", required_argument, NULL, 'y'}, {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},          {0}};
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 's':
            if (!parse_since(optarg, w))
                return tell_usage("watch", "--since takes a number, a span like -2h or a UTC time");
            break;
        case 't':
            if (!add_prefix(w, optarg)) return tell_usage("watch", "at most 8 topics");
            break;
        case 'a':
            if (!add_all(w)) return tell_usage("watch", "at most 8 topics");
            break;
        case 'j': w->json = true; break;
        case 'n':
            if (!parse_int(optarg, 1, LONG_MAX, &w->count)) return tell_usage("watch", "--count takes a number from 1");
            break;
        case 'l': w->live = optarg; break;
        case 'y': w->history = optarg; break;
        case 'c': w->config = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (optind < argc) return tell_usage("watch", "takes options only");
    if (w->n_prefix == 0) (void)add_prefix(w, "burst.v1."); /* there is room */
    return -1;
}

/* ---- showing ---- */

static bool is_verdict(const struct stream_item *item)
{
    size_t n = strlen(item->topic);
    return item->content == FRAME_JSON && n > 8 && strcmp(item->topic + n - 8, ".verdict") == 0;
}

static bool is_wanted(const struct watch *w, const struct stream_item *item)
{
    return is_verdict(item) && item->seq >= w->since_seq && item->sent_ns >= w->since_sent_ns;
}

/* One line whatever the body holds: an end of line in JSON is only space between its words. */
static void show_json(const struct stream_item *item)
{
    for (size_t i = 0; i < item->n_body; i++)
        (void)putchar(item->body[i] == '\n' || item->body[i] == '\r' ? ' ' : item->body[i]);
    (void)putchar('\n'); /* failures show in the flush */
}

static void show_line(const struct watch *w, const struct stream_item *item, const json_t *verdict)
{
    char realm[32], line[VERDICT_LINE];
    (void)snprintf(realm, sizeof realm, "%.*s", (int)strcspn(item->topic, "."), item->topic);
    verdict_line(verdict, realm, w->colour, line);
    (void)puts(line); /* failures show in the flush */
}

static int show(struct watch *w, const struct stream_item *item)
{
    json_error_t why;
    json_t *verdict = json_loadb((const char *)item->body, item->n_body, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(verdict))
        (void)fprintf(stderr, "burstctl watch: %s %llu is no JSON object: %s\n", item->topic,
                      (unsigned long long)item->seq, clean(why.text));
    else if (w->json)
        show_json(item);
    else
        show_line(w, item, verdict);
    json_decref(verdict);
    w->shown++;
    return finish_output("watch");
}

static int take(struct watch *w, const struct subscriber_event *e)
{
    static int64_t streams;
    char uuid[37];
    switch (e->kind) {
    case SUBSCRIBER_MESSAGE:
    case SUBSCRIBER_DUPLICATE: return is_wanted(w, &e->item) ? show(w, &e->item) : EXIT_DONE;
    case SUBSCRIBER_GAP:
        (void)fprintf(stderr, "burstctl watch: %s: %llu to %llu are lost, history has them no more\n", e->topic,
                      (unsigned long long)e->from, (unsigned long long)e->to);
        return EXIT_DONE;
    case SUBSCRIBER_STREAM:
        bytes_uuid_text(e->stream, uuid);
        if (streams++ > 0)
            (void)fprintf(stderr, "burstctl watch: burstd has a new log, %s: numbers begin again at 1\n", uuid);
        return EXIT_DONE;
    case SUBSCRIBER_BAD:
        (void)fprintf(stderr, "burstctl watch: refused (%s, %llu so far): %s\n", frame_fault_name(e->fault),
                      (unsigned long long)e->n_fault, clean(e->error.text));
        return EXIT_DONE;
    case SUBSCRIBER_HEARTBEAT: return EXIT_DONE;
    }
    return EXIT_DONE;
}

/* Say once that nothing is heard any more, and once that it is again. */
static void mind_silence(const struct watch *w, int64_t heard_ns, bool *silent)
{
    bool now_silent = clock_mono_ns() - heard_ns > SILENCE_NS;
    if (now_silent && !*silent)
        (void)fprintf(stderr, "burstctl watch: no heartbeat from %s: is burstd running?\n", w->live);
    if (!now_silent && *silent) (void)fprintf(stderr, "burstctl watch: %s is heard again\n", w->live);
    *silent = now_silent;
}

static int follow(struct watch *w, struct subscriber *s)
{
    struct subscriber_event event;
    struct subscriber_counts counts;
    struct burst_error e;
    int64_t begun = clock_mono_ns();
    bool silent = false;
    int status = EXIT_DONE;
    while (!stop_asked && status == EXIT_DONE && (w->count == 0 || w->shown < w->count)) {
        enum burst_err err = subscriber_next(s, WAIT_MS, &event, &e);
        if (err == BURST_OK)
            status = take(w, &event);
        else if (err != BURST_E_TIMEOUT && !stop_asked)
            status = tell_error("watch", &e);
        subscriber_counts(s, &counts);
        mind_silence(w, counts.heartbeat_mono_ns > begun ? counts.heartbeat_mono_ns : begun, &silent);
    }
    return status;
}

int burstctl_watch(int argc, char **argv)
{
    struct watch w = {.colour = colour_wanted()};
    struct subscriber_settings settings;
    struct stream_context *context = NULL;
    struct subscriber *subscriber = NULL;
    struct burst_config config;
    struct burst_error e;
    int status = parse_options(argc, argv, &w);
    if (status >= 0) return status;
    if (read_config("watch", w.config, &config)) return EXIT_CONFIG;
    if (!w.live) w.live = config.output_live;
    if (!w.history) w.history = config.output_history;
    (void)signal(SIGINT, on_signal); /* valid numbers */
    (void)signal(SIGTERM, on_signal);
    subscriber_defaults(&settings);
    settings.live = w.live;
    settings.history = w.history;
    settings.name = "burstctl-watch";
    settings.prefix = w.prefix;
    settings.n_prefix = w.n_prefix;
    settings.from_start = w.from_start;
    enum burst_err err = stream_context_open(&context, &e);
    if (!err) err = subscriber_open(context, &settings, &subscriber, &e);
    status = err ? tell_error("watch", &e) : follow(&w, subscriber);
    subscriber_close(subscriber);
    stream_context_close(context);
    return status;
}
