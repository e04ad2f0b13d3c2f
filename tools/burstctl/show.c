/* burstctl show ID: one event as burstd told it, and the data behind it. */
#include "base/bytes.h"
#include "burstctl.h"
#include <getopt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: burstctl show ID [--record N] [--json] [--fits FILE] [--command ENDPOINT | --config FILE]\n"
    "\n"
    "The newest revision of an event: every field, then light curves as spark lines or the sub-image in half blocks.\n"
    "\n"
    "  --record N          revision N instead of the newest\n"
    "  --json              the verdict's JSON only\n"
    "  --fits FILE         also write the evidence, for ds9 or TOPCAT\n"
    "  --command ENDPOINT  burstd's command socket (default ipc:///run/burstd/command.sock, else under "
    "XDG_RUNTIME_DIR)\n"
    "  --config FILE       take the socket from this burstd.yaml\n";

struct show {
    const char *id, *fits, *command, *config;
    long record;
    bool json;
};

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct show *s)
{
    static const struct option table[] = {{"record", required_argument, NULL, 'r'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"fits", required_argument, NULL, 'f'},
                                          {"command", required_argument, NULL, 'e'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'r':
            if (!parse_int(optarg, 1, 1000000, &s->record)) return tell_usage("show", "--record takes a number from 1");
            break;
        case 'j': s->json = true; break;
        case 'f': s->fits = optarg; break;
        case 'e': s->command = optarg; break;
        case 'c': s->config = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (argc - optind != 1) return tell_usage("show", "takes one event id");
    s->id = argv[optind];
    return -1;
}

static void put_scalar(const json_t *value)
{
    char *text =
        json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    printf("%s", clean(text ? text : json_is_string(value) ? json_string_value(value) : "?"));
    free(text);
}

/* "key value" of the plain members, on one line. */
static void put_members(const json_t *object)
{
    const char *key, *before = "";
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "input_sha256") == 0 || strcmp(key, "sha256") == 0 ||
            (json_is_array(value) && json_array_size(value) == 0))
            continue;
        if (json_is_number(value) && json_number_value(value) == 0) continue;
        printf("%s%s ", before, clean(key));
        put_scalar(value);
        before = ", ";
    }
}

static void put_verdict(const json_t *verdict)
{
    const char *key;
    json_t *value;
    char line[VERDICT_LINE];
    verdict_line(verdict, verdict_realm(verdict), colour_wanted(), line);
    printf("%s\n\n", line);
    json_object_foreach((json_t *)verdict, key, value)
    {
        if (json_is_array(value) && json_array_size(value) == 0) continue; /* an empty list has nothing to show */
        if (json_is_array(value) && !json_is_number(json_array_get(value, 0)))
            for (size_t i = 0; i < json_array_size(value); i++) {
                const json_t *item = json_array_get(value, i);
                printf("  %-24s  ", i ? "" : clean(key));
                if (json_is_object(item))
                    put_members(item);
                else
                    put_scalar(item);
                printf("\n");
            }
        else {
            printf("  %-24s  ", clean(key));
            if (json_is_object(value))
                put_members(value);
            else
                put_scalar(value);
            printf("\n");
        }
    }
}

/* *ret_fits malloc'd, NULL where the answer has no evidence. */
static enum burst_err decode_evidence(const json_t *answer, uint8_t **ret_fits, size_t *ret_n,
                                      struct burst_error *reterr)
{
    const char *text = json_string_value(json_object_get(answer, "evidence_base64"));
    size_t most = text ? strlen(text) / 4 * 3 + 3 : 0;
    uint8_t *bytes = text ? malloc(most) : NULL;
    *ret_fits = NULL;
    *ret_n = 0;
    if (!text) return BURST_OK;
    if (!bytes) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu bytes of evidence", most);
    if (sodium_base642bin(bytes, most, text, strlen(text), NULL, ret_n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
        free(bytes);
        return burst_fail(reterr, BURST_E_FORMAT, "the evidence is no base64");
    }
    *ret_fits = bytes;
    return BURST_OK;
}

static enum burst_err show_evidence(const struct show *s, const json_t *answer, struct burst_error *reterr)
{
    uint8_t *fits = NULL;
    size_t n = 0;
    enum burst_err err = decode_evidence(answer, &fits, &n, reterr);
    if (!err && s->fits && !fits)
        err = burst_fail(reterr, BURST_E_MISSING, "no evidence is kept of '%s'", s->id);
    else if (!err && s->fits)
        err = bytes_write_file(s->fits, fits, n, reterr);
    if (!err && !s->json) {
        (void)putchar('\n'); /* a failure shows in the flush */
        if (fits)
            err = picture_evidence(stdout, fits, n, colour_wanted(), reterr);
        else
            (void)puts("no evidence is kept of this revision");
    }
    free(fits);
    return err;
}

int burstctl_show(int argc, char **argv)
{
    struct show s = {0};
    char endpoint[CONFIG_TEXT];
    struct burst_config config;
    struct burst_error e;
    json_t *answer = NULL;
    int status = parse_options(argc, argv, &s);
    if (status >= 0) return status;
    if (read_config("show", s.config, &config)) return EXIT_CONFIG;
    json_t *request = json_pack("{s:s, s:s}", "command", "show", "id", s.id);
    if (s.record) (void)json_object_set_new(request, "record_number", json_integer(s.record));
    enum burst_err err = request ? ask_endpoint(s.command, &config, endpoint, sizeof endpoint, &e)
                                 : burst_fail(&e, BURST_E_FORMAT, "the id is not UTF-8");
    if (err)
        json_decref(request);
    else
        err = ask_daemon(endpoint, request, &answer, &e);
    if (err) return tell_error("show", &e);
    const json_t *verdict = json_object_get(answer, "verdict");
    if (s.json) {
        (void)json_dumpf(verdict, stdout,
                         JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)); /* a failure shows in the flush */
        (void)putchar('\n');
    } else
        put_verdict(verdict);
    err = show_evidence(&s, answer, &e);
    json_decref(answer);
    if (err) return tell_error("show", &e);
    return finish_output("show");
}
