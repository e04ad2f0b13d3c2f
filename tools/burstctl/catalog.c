/* burstctl catalog: the known sources that mask sub-images, and what operators add to them. */
#include "burstctl.h"
#include <getopt.h>
#include <math.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELP[] =
    "usage: burstctl catalog list   [--added] [--json]\n"
    "       burstctl catalog show   NAME [--json]\n"
    "       burstctl catalog add    NAME RA DEC --why TEXT [--bright] [--force] [--by WHO] [--json]\n"
    "       burstctl catalog remove NAME --why TEXT [--by WHO] [--json]\n"
    "\n"
    "The known sources that burstd marks in the mask of a sub-image: those of the catalogue file, and those added "
    "while it\n"
    "runs. A change is kept in the database with who, when and why, and takes effect with the next sub-image.\n"
    "\n"
    "  NAME                1 to 31 letters, digits, single spaces and +-./_()[]*: (quote it for the shell)\n"
    "  RA DEC              degrees, ICRS: 0 to 360, -90 to 90\n"
    "  --why TEXT          for the audit record: why\n"
    "  --by WHO            for the audit record: who (default: your login name)\n"
    "  --bright            seen by ECLAIRs within seconds\n"
    "  --force             although a source of that name, which it then replaces, or one within 0.05 degrees is "
    "known\n"
    "  --added             only what was added\n"
    "  --json              burstd's answer as one JSON object\n"
    "  --command ENDPOINT  burstd's command socket (default ipc:///run/burstd/command.sock, else under "
    "XDG_RUNTIME_DIR)\n"
    "  --config FILE       take the socket from this burstd.yaml\n";

enum { WORD_MAX = 4 };

struct wish {
    int n_word;
    const char *word[WORD_MAX]; /* action, then what it takes */
    const char *why, *by, *command, *config;
    bool bright, force, added, json;
};

/* A declination may begin with '-', which no option does with a digit behind. */
static bool is_number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return end != text && *end == 0 && isfinite(value);
}

/* Take numbers out of the arguments before getopt sees them; a value of an option is left where it is. */
static int take_numbers(int argc, char **argv, const char *number[2], int *ret_n)
{
    static const char *const VALUED[] = {"--why", "--by", "--command", "--config"};
    int n = 0, kept = 1;
    for (int i = 1; i < argc; i++) {
        bool value = false;
        for (size_t k = 0; k < sizeof VALUED / sizeof VALUED[0]; k++)
            value = value || strcmp(argv[i - 1], VALUED[k]) == 0;
        if (!value && n < 2 && i > 2 && is_number(argv[i]))
            number[n++] = argv[i];
        else
            argv[kept++] = argv[i];
    }
    *ret_n = n;
    return kept;
}

/* Returns -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct wish *w)
{
    static const struct option table[] = {
        {"why", required_argument, NULL, 'w'},     {"by", required_argument, NULL, 'b'},
        {"bright", no_argument, NULL, 'B'},        {"force", no_argument, NULL, 'f'},
        {"added", no_argument, NULL, 'a'},         {"json", no_argument, NULL, 'j'},
        {"command", required_argument, NULL, 'e'}, {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},          {0}};
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'w': w->why = optarg; break;
        case 'b': w->by = optarg; break;
        case 'B': w->bright = true; break;
        case 'f': w->force = true; break;
        case 'a': w->added = true; break;
        case 'j': w->json = true; break;
        case 'e': w->command = optarg; break;
        case 'c': w->config = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    return -1;
}

static int read_wish(int argc, char **argv, struct wish *w)
{
    const char *number[2] = {NULL, NULL};
    int n_number = 0;
    argc = take_numbers(argc, argv, number, &n_number);
    int status = read_options(argc, argv, w);
    if (status >= 0) return status;
    for (int i = optind; i < argc; i++) {
        if (w->n_word == WORD_MAX) return tell_usage("catalog", "too many words; quote a name with spaces");
        w->word[w->n_word++] = argv[i];
    }
    for (int i = 0; i < n_number; i++) {
        if (w->n_word == WORD_MAX) return tell_usage("catalog", "too many words; quote a name with spaces");
        w->word[w->n_word++] = number[i];
    }
    return -1;
}

static const char *login_name(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return user ? user->pw_name : "unknown";
}

/* What is wrong with the words; NULL where nothing is. */
static const char *find_fault(const struct wish *w)
{
    const char *action = w->n_word ? w->word[0] : "";
    bool list = strcmp(action, "list") == 0, show = strcmp(action, "show") == 0;
    bool add = strcmp(action, "add") == 0, remove = strcmp(action, "remove") == 0;
    if (!list && !show && !add && !remove) return "takes list, show, add or remove";
    if (list && w->n_word != 1) return "list takes options only";
    if (add && (w->n_word != 4 || !is_number(w->word[2]) || !is_number(w->word[3])))
        return "add takes NAME RA DEC, in degrees; quote a name with spaces";
    if ((show || remove) && w->n_word != 2) return "takes one NAME; quote one with spaces";
    return (add || remove) && !w->why ? "a change needs --why" : NULL;
}

/* The request a wish without fault stands for; NULL where a text of it is no UTF-8. */
static json_t *make_request(const struct wish *w)
{
    const char *action = w->word[0], *by = w->by ? w->by : login_name();
    if (strcmp(action, "list") == 0) return json_pack("{s:s, s:s}", "command", "catalog", "action", action);
    if (strcmp(action, "show") == 0)
        return json_pack("{s:s, s:s, s:s}", "command", "catalog", "action", action, "name", w->word[1]);
    if (strcmp(action, "remove") == 0)
        return json_pack("{s:s, s:s, s:s, s:s, s:s}", "command", "catalog", "action", action, "name", w->word[1], "by",
                         by, "comment", w->why);
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:b, s:b, s:s, s:s}", "command", "catalog", "action", action, "name",
                     w->word[1], "ra_deg", strtod(w->word[2], NULL), "dec_deg", strtod(w->word[3], NULL), "bright",
                     w->bright, "force", w->force, "by", by, "comment", w->why);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return clean(text ? text : "");
}

static void put_source(const json_t *s)
{
    printf("%-31s %10.5f %+10.5f  %-6s %s\n", text_of(s, "name"), json_number_value(json_object_get(s, "ra_deg")),
           json_number_value(json_object_get(s, "dec_deg")), json_is_true(json_object_get(s, "bright")) ? "bright" : "",
           text_of(s, "origin"));
}

static void put_answer(const json_t *answer, const struct wish *w)
{
    const json_t *sources = json_object_get(answer, "sources"), *source = json_object_get(answer, "source");
    const json_t *history = json_object_get(answer, "history");
    static const char *const DONE[] = {"added", "removed"};
    for (size_t i = 0; i < json_array_size(sources); i++)
        if (!w->added || strcmp(text_of(json_array_get(sources, i), "origin"), "added") == 0)
            put_source(json_array_get(sources, i));
    if (source) put_source(source);
    for (size_t i = json_array_size(history); i-- > 0;) { /* oldest first */
        const json_t *h = json_array_get(history, i);
        printf("  %s %s by %s", text_of(h, "at"), text_of(h, "what"), text_of(h, "who"));
        printf(": %s\n", text_of(h, "why"));
    }
    for (int i = 0; i < 2; i++) {
        const json_t *done = json_object_get(answer, DONE[i]);
        if (!done) continue;
        printf("%s, audit record %lld:\n", DONE[i], (long long)json_integer_value(json_object_get(answer, "audit")));
        put_source(done);
    }
}

int burstctl_catalog(int argc, char **argv)
{
    struct wish w = {0};
    char endpoint[CONFIG_TEXT];
    struct burst_config config;
    struct burst_error e;
    json_t *answer = NULL;
    int status = read_wish(argc, argv, &w);
    if (status >= 0) return status;
    if (find_fault(&w)) return tell_usage("catalog", find_fault(&w));
    json_t *request = make_request(&w);
    if (!request) return tell_usage("catalog", "the arguments are no UTF-8");
    if (read_config("catalog", w.config, &config)) {
        json_decref(request);
        return EXIT_CONFIG;
    }
    enum burst_err err = ask_endpoint(w.command, &config, endpoint, sizeof endpoint, &e);
    if (!err)
        err = ask_daemon(endpoint, request, &answer, &e); /* the request is given away */
    else
        json_decref(request);
    if (err) return tell_error("catalog", &e);
    if (w.json) {
        (void)json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)); /* failures show in the flush */
        (void)putchar('\n');
    } else
        put_answer(answer, &w);
    json_decref(answer);
    return finish_output("catalog");
}
