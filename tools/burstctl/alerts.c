/* burstctl alerts: the latest events, one line each, newest first. */
#include "burstctl.h"
#include <getopt.h>
#include <string.h>

static const char HELP[] =
    "usage: burstctl alerts [--limit N] [--topic PREFIX] [--json] [--command ENDPOINT | --config FILE]\n"
    "\n"
    "The newest revision of each of the latest events, newest first; unreal ones say so in their first word.\n"
    "\n"
    "  --limit N           at most N events, 1 to 1000 (default 20)\n"
    "  --topic PREFIX      only events of topics that start so, e.g. burst.v1. for the real ones\n"
    "  --json              one verdict per line\n"
    "  --command ENDPOINT  burstd's command socket (default ipc:///run/burstd/command.sock, else under "
    "XDG_RUNTIME_DIR)\n"
    "  --config FILE       take the socket from this burstd.yaml\n";

static void put_alerts(const json_t *alerts, bool json)
{
    char line[VERDICT_LINE];
    bool colour = colour_wanted();
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *v = json_array_get(alerts, i);
        if (json) {
            (void)json_dumpf(v, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)); /* failures show in the flush */
            (void)putchar('\n');
            continue;
        }
        verdict_line(v, verdict_realm(v), colour, line);
        (void)puts(line);
    }
    if (!json && json_array_size(alerts) == 0) (void)puts("no events");
}

int burstctl_alerts(int argc, char **argv)
{
    static const struct option table[] = {{"limit", required_argument, NULL, 'n'},
                                          {"topic", required_argument, NULL, 't'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"command", required_argument, NULL, 'e'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *command = NULL, *path = NULL, *prefix = "";
    char endpoint[CONFIG_TEXT];
    struct burst_config config;
    struct burst_error e;
    json_t *answer = NULL;
    bool json = false;
    long limit = 20;
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'n':
            if (!parse_int(optarg, 1, 1000, &limit)) return tell_usage("alerts", "--limit takes 1 to 1000");
            break;
        case 't': prefix = optarg; break;
        case 'j': json = true; break;
        case 'e': command = optarg; break;
        case 'c': path = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (optind < argc) return tell_usage("alerts", "takes options only");
    if (read_config("alerts", path, &config)) return EXIT_CONFIG;
    enum burst_err err = ask_endpoint(command, &config, endpoint, sizeof endpoint, &e);
    if (!err)
        err = ask_daemon(
            endpoint, json_pack("{s:s, s:I, s:s}", "command", "alerts", "limit", (json_int_t)limit, "prefix", prefix),
            &answer, &e);
    if (err) return tell_error("alerts", &e);
    put_alerts(json_object_get(answer, "alerts"), json);
    json_decref(answer);
    return finish_output("alerts");
}
