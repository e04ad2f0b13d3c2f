/* burstctl quarantine: what burstd refused. Reads the folder itself, so that it works beside a burstd that is down; removing is
 * asked of burstd, which alone writes there. */
#include "base/bytes.h"
#include "base/hash.h"
#include "burstctl.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 12, PATH_TEXT = 4096, SIDE_MOST = 64 * 1024, SHOWN = 128, ROW = 16 };
#define BYTES_MOST ((size_t)64 << 20) /* more than burstd ever takes at once */

static const char HELP[] = "usage: burstctl quarantine list [--json] [--folder FOLDER | --config FILE]\n"
                           "       burstctl quarantine show N [--json] [--folder FOLDER | --config FILE]\n"
                           "       burstctl quarantine export N FILE [--folder FOLDER | --config FILE]\n"
                           "       burstctl quarantine clear [--command ENDPOINT | --config FILE]\n"
                           "\n"
                           "Inputs that burstd refused, byte for byte, the newest of them: list names them, oldest "
                           "first; show tells what was\n"
                           "wrong with number N and where; export writes its bytes to FILE (- is standard output); "
                           "clear has burstd remove all.\n"
                           "\n"
                           "  --json              what is known as JSON, one refusal per line\n"
                           "  --folder FOLDER     where they lie (default: the folder quarantine beside the database)\n"
                           "  --config FILE       take folder and socket from this burstd.yaml\n"
                           "  --command ENDPOINT  burstd's command socket\n";

struct options {
    const char *verb, *folder, *config, *command;
    const char *argument[2];
    int n_argument;
    bool json;
    char path[PATH_TEXT]; /* of the folder */
};

static const char *text_of(const json_t *side, const char *key)
{
    const char *text = json_string_value(json_object_get(side, key));
    return text ? text : "";
}

static long long int_of(const json_t *side, const char *key)
{
    return (long long)json_integer_value(json_object_get(side, key));
}

static enum burst_err path_of(const struct options *o, long number, const char *ending, char ret_path[PATH_TEXT],
                              struct burst_error *reterr)
{
    if (snprintf(ret_path, PATH_TEXT, "%s/%0*ld.%s", o->path, DIGITS, number, ending) < PATH_TEXT) return BURST_OK;
    return burst_fail(reterr, BURST_E_LIMIT, "path too long: %.200s...", o->path);
}

static enum burst_err read_side(const struct options *o, long number, json_t **ret_side, struct burst_error *reterr)
{
    char path[PATH_TEXT];
    uint8_t *bytes = NULL;
    size_t n = 0;
    json_error_t why;
    enum burst_err err = path_of(o, number, "json", path, reterr);
    if (!err && access(path, F_OK) < 0 && errno == ENOENT)
        return burst_fail(reterr, BURST_E_MISSING, "no refusal %ld in %s", number, o->path);
    if (!err) err = bytes_read_file(path, SIDE_MOST, &bytes, &n, reterr);
    if (err) return err;
    json_t *side = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &why);
    free(bytes);
    if (!json_is_object(side)) {
        json_decref(side);
        return burst_fail(reterr, BURST_E_FORMAT, "%s: no JSON object", path);
    }
    *ret_side = side;
    return BURST_OK;
}

/* The bytes, as long as they are what was put there. */
static enum burst_err read_bytes(const struct options *o, long number, const json_t *side, uint8_t **ret_bytes,
                                 size_t *ret_n, struct burst_error *reterr)
{
    char path[PATH_TEXT], hex[65];
    uint8_t *bytes = NULL, sha256[32];
    size_t n = 0;
    enum burst_err err = path_of(o, number, "bin", path, reterr);
    if (!err) err = bytes_read_file(path, BYTES_MOST, &bytes, &n, reterr);
    if (err) return err;
    hash_sha256(&(struct hash_piece){bytes, n}, 1, sha256);
    bytes_hex(sha256, sizeof sha256, hex);
    if (strcmp(hex, text_of(side, "sha256")) != 0) {
        free(bytes);
        return burst_fail(reterr, BURST_E_CONFLICT, "%s is not what burstd put there: its SHA-256 is %s", path, hex);
    }
    *ret_bytes = bytes;
    *ret_n = n;
    return BURST_OK;
}

/* ---- list ---- */

static int is_side(const struct dirent *e)
{
    return strspn(e->d_name, "0123456789") == DIGITS && strcmp(e->d_name + DIGITS, ".json") == 0;
}

static void put_json(const json_t *side)
{
    (void)json_dumpf(side, stdout, JSON_COMPACT); /* failures show in the flush */
    (void)putchar('\n');
}

static void put_line(const json_t *side)
{
    char what[64];
    (void)snprintf(what, sizeof what, "%.30s.%.20s", text_of(side, "kind"), text_of(side, "code"));
    (void)printf("%5lld %.19sZ %-22s %8lld %s  ", int_of(side, "number"), clean(text_of(side, "time")), clean(what),
                 int_of(side, "bytes"), clean(text_of(side, "topic")));
    (void)puts(clean(text_of(side, "text")));
}

static int list(const struct options *o)
{
    struct dirent **names = NULL;
    struct burst_error e;
    int n = scandir(o->path, &names, is_side, alphasort), n_told = 0; /* equal digits: the oldest first */
    if (n < 0) {
        (void)burst_fail(&e, BURST_E_IO, "%s: %s", o->path, strerror(errno));
        return tell_error("quarantine", &e);
    }
    for (int i = 0; i < n; i++) {
        json_t *side = NULL;
        enum burst_err err = read_side(o, strtol(names[i]->d_name, NULL, 10), &side, &e);
        free(names[i]);
        if (err) continue; /* burstd has removed it meanwhile */
        if (o->json)
            put_json(side);
        else
            put_line(side);
        json_decref(side);
        n_told++;
    }
    free(names);
    if (!n_told && !o->json) (void)puts("nothing in quarantine");
    return finish_output("quarantine");
}

/* ---- show ---- */

/* Where the sentence says the fault lies ("byte 8640"); 0 where it does not. */
static size_t place_of(const char *sentence, size_t n)
{
    const char *word = strstr(sentence, "byte ");
    size_t at = word && isdigit((unsigned char)word[5]) ? strtoul(word + 5, NULL, 10) : 0;
    return at < n ? at / ROW * ROW : 0;
}

static void put_bytes(const uint8_t *bytes, size_t n, size_t from)
{
    for (size_t row = from; row < n && row < from + SHOWN; row += ROW) {
        (void)printf("%10zu ", row);
        for (size_t i = row; i < row + ROW; i++)
            (void)(i < n ? printf(" %02x", bytes[i]) : printf("   "));
        (void)printf("  ");
        for (size_t i = row; i < row + ROW && i < n; i++)
            (void)putchar(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
        (void)putchar('\n');
    }
}

static void put_members(const json_t *side)
{
    static const char *const TEXTS[] = {"time", "kind", "code", "text", "topic", "gateway", "stream", "sha256"};
    static const char *const NUMBERS[] = {"seq", "bytes"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (text_of(side, TEXTS[i])[0]) (void)printf("%-8s %s\n", TEXTS[i], clean(text_of(side, TEXTS[i])));
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
        if (json_object_get(side, NUMBERS[i])) (void)printf("%-8s %lld\n", NUMBERS[i], int_of(side, NUMBERS[i]));
    const json_t *frames = json_object_get(side, "frames");
    if (json_array_size(frames)) (void)printf("frames  ");
    for (size_t i = 0; i < json_array_size(frames); i++)
        (void)printf(" %lld", (long long)json_integer_value(json_array_get(frames, i)));
    if (json_array_size(frames)) (void)putchar('\n');
}

static int show(const struct options *o, long number)
{
    json_t *side = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct burst_error e;
    enum burst_err err = read_side(o, number, &side, &e);
    if (!err && o->json) {
        put_json(side);
    } else if (!err && !(err = read_bytes(o, number, side, &bytes, &n, &e))) {
        put_members(side);
        (void)putchar('\n');
        put_bytes(bytes, n, place_of(text_of(side, "text"), n));
    }
    free(bytes);
    json_decref(side);
    return err ? tell_error("quarantine", &e) : finish_output("quarantine");
}

/* ---- export, clear ---- */

static int export(const struct options *o, long number, const char *path)
{
    json_t *side = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct burst_error e;
    enum burst_err err = read_side(o, number, &side, &e);
    if (!err) err = read_bytes(o, number, side, &bytes, &n, &e);
    if (!err && strcmp(path, "-") == 0)
        (void)fwrite(bytes, 1, n, stdout); /* failures show in the flush */
    else if (!err)
        err = bytes_write_file(path, bytes, n, &e);
    free(bytes);
    json_decref(side);
    return err ? tell_error("quarantine", &e) : finish_output("quarantine");
}

static int clear(const struct options *o, const struct burst_config *config)
{
    char endpoint[CONFIG_TEXT];
    struct burst_error e;
    json_t *answer = NULL;
    enum burst_err err = ask_endpoint(o->command, config, endpoint, sizeof endpoint, &e);
    if (!err)
        err = ask_daemon(endpoint, json_pack("{s:s, s:s}", "command", "quarantine", "action", "clear"), &answer, &e);
    if (err) return tell_error("quarantine", &e);
    (void)printf("%lld refused inputs removed\n", int_of(answer, "cleared"));
    json_decref(answer);
    return finish_output("quarantine");
}

/* ---- arguments ---- */

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"json", no_argument, NULL, 'j'},         {"folder", required_argument, NULL, 'f'},
        {"config", required_argument, NULL, 'c'}, {"command", required_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},         {0}};
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'j': o->json = true; break;
        case 'f': o->folder = optarg; break;
        case 'c': o->config = optarg; break;
        case 'e': o->command = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (optind == argc) return tell_usage("quarantine", "takes list, show, export or clear");
    o->verb = argv[optind++];
    for (; optind < argc && o->n_argument < 2; optind++)
        o->argument[o->n_argument++] = argv[optind];
    return optind < argc ? tell_usage("quarantine", "takes a verb, at most a number and a file") : -1;
}

static enum burst_err find_folder(struct options *o, const struct burst_config *config, struct burst_error *reterr)
{
    if (!o->folder) return config_quarantine_folder(config, o->path, sizeof o->path, reterr);
    if (snprintf(o->path, sizeof o->path, "%s", o->folder) < (int)sizeof o->path) return BURST_OK;
    return burst_fail(reterr, BURST_E_LIMIT, "folder name too long");
}

int burstctl_quarantine(int argc, char **argv)
{
    static struct options o;
    static struct burst_config config;
    struct burst_error e;
    long number = 0;
    int status = parse_options(argc, argv, &o);
    if (status >= 0) return status;
    if (read_config("quarantine", o.config, &config)) return EXIT_CONFIG;
    if (find_folder(&o, &config, &e)) return tell_error("quarantine", &e);
    bool numbered = o.n_argument && parse_int(o.argument[0], 1, 999999999999, &number);
    if (strcmp(o.verb, "list") == 0 && o.n_argument == 0) return list(&o);
    if (strcmp(o.verb, "show") == 0 && numbered && o.n_argument == 1) return show(&o, number);
    if (strcmp(o.verb, "export") == 0 && numbered && o.n_argument == 2) return export(&o, number, o.argument[1]);
    if (strcmp(o.verb, "clear") == 0 && o.n_argument == 0) return clear(&o, &config);
    return tell_usage("quarantine", "takes list, show N, export N FILE or clear");
}
