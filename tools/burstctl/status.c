/* burstctl status: one page about a running burstd. Shows what the answer holds, also members it does not know yet. */
#include "burstctl.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: burstctl status [--json] [--command ENDPOINT | --config FILE]\n"
    "\n"
    "What burstd is doing: mode, inputs with the age of their data, networks, queues, counters that are not zero.\n"
    "\n"
    "  --json              the answer as one JSON object\n"
    "  --command ENDPOINT  burstd's command socket (default ipc:///run/burstd/command.sock, else under "
    "XDG_RUNTIME_DIR)\n"
    "  --config FILE       take the socket from this burstd.yaml\n";

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? clean(text) : "-";
}

static void put_duration(json_int_t s)
{
    if (s >= 2 * 86400)
        printf("%lld d %lld h", (long long)s / 86400, (long long)s % 86400 / 3600);
    else if (s >= 2 * 3600)
        printf("%lld h %lld min", (long long)s / 3600, (long long)s % 3600 / 60);
    else if (s >= 120)
        printf("%lld min %lld s", (long long)s / 60, (long long)s % 60);
    else
        printf("%lld s", (long long)s);
}

static void put_value(const json_t *value)
{
    if (json_is_string(value))
        printf("%s", clean(json_string_value(value)));
    else if (json_is_integer(value))
        printf("%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        printf("%.4g", json_real_value(value));
    else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        printf("%s", text ? clean(text) : "?");
        free(text);
    }
}

static void put_inputs(const json_t *inputs)
{
    const char *topic;
    json_t *input;
    printf("\ninputs%*s%-27s  %-16s  %s\n", 34, "", "data up to", "heard", "messages");
    json_object_foreach((json_t *)inputs, topic, input)
    {
        printf("  %-36s  %-27s  ", clean(topic), text_of(input, "data_time"));
        if (json_is_integer(json_object_get(input, "age_s")))
            printf("%8lld s ago  ", (long long)json_integer_value(json_object_get(input, "age_s")));
        else
            printf("%16s", "");
        printf("  %lld", (long long)json_integer_value(json_object_get(input, "messages")));
        if (json_is_number(json_object_get(input, "particle_ratio")))
            printf("  particles at %.1f times their usual rate",
                   json_number_value(json_object_get(input, "particle_ratio")));
        printf("\n");
    }
    if (json_object_size(inputs) == 0) printf("  nothing heard yet\n");
}

static void put_gateways(const json_t *gateways)
{
    const char *name;
    json_t *g;
    printf("\ngateways%*s%-16s  %10s %10s %6s %11s %11s\n", 12, "", "heartbeat", "messages", "repaired", "lost",
           "reconnects", "unanswered");
    json_object_foreach((json_t *)gateways, name, g)
    {
        const json_t *age = json_object_get(g, "heartbeat_age_s");
        printf("  %-16s  ", clean(name));
        if (json_is_integer(age))
            printf("%8lld s ago  ", (long long)json_integer_value(age));
        else
            printf("%-16s", "never heard");
        printf("  %10lld %10lld %6lld %11lld %11lld\n", (long long)json_integer_value(json_object_get(g, "messages")),
               (long long)json_integer_value(json_object_get(g, "repaired")),
               (long long)json_integer_value(json_object_get(g, "lost")),
               (long long)json_integer_value(json_object_get(g, "reconnects")),
               (long long)json_integer_value(json_object_get(g, "unanswered")));
    }
}

static void put_models(const json_t *models)
{
    printf("\nmodels\n");
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *m = json_array_get(models, i);
        printf("  %-24s", text_of(m, "name"));
        printf("  %-10s", text_of(m, "version"));
        printf("  %-6s", text_of(m, "backend"));
        printf("  sha256 %.16s\n", text_of(m, "sha256"));
    }
    if (json_array_size(models) == 0) printf("  none\n");
}

static void put_lane(const json_t *gpu, const char *name)
{
    const json_t *lane = json_object_get(gpu, name);
    printf("  %-12s%s: ", name, text_of(lane, "state"));
    printf("%lld answered, %lld redone on the cpu, lost %lld times\n",
           (long long)json_integer_value(json_object_get(lane, "answered")),
           (long long)json_integer_value(json_object_get(lane, "redone_on_cpu")),
           (long long)json_integer_value(json_object_get(lane, "lost")));
    if (json_is_string(json_object_get(lane, "last_failure")))
        printf("  %-12slast failure: %s\n", "", text_of(lane, "last_failure"));
}

static void put_version(const char *what, json_int_t version, int unit)
{
    printf(", %s %lld.%lld", what, (long long)version / unit, (long long)version % unit / (unit / 100));
}

/* The lanes to the GPU's worker, and how long its canaries take. */
static void put_gpu(const json_t *gpu)
{
    const json_t *canary = json_object_get(gpu, "canary");
    if (!json_is_object(gpu)) return;
    printf("\ngpu\n  %-12s%s\n", "answers", text_of(gpu, "status"));
    put_lane(gpu, "alert");
    put_lane(gpu, "background");
    printf("  %-12s%lld asked, p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n", "canary",
           (long long)json_integer_value(json_object_get(canary, "n")),
           json_number_value(json_object_get(canary, "p50_us")), json_number_value(json_object_get(canary, "p99_us")),
           json_number_value(json_object_get(canary, "p999_us")));
    printf("  %-12s%lld\n", "alarms", (long long)json_integer_value(json_object_get(gpu, "alarms")));
    if (!json_object_get(gpu, "device")) return;
    printf("  %-12s%s", "device", text_of(gpu, "device"));
    printf(", compute capability %s", text_of(gpu, "compute_capability"));
    put_version("driver", json_integer_value(json_object_get(gpu, "driver")), 1000);
    put_version("CUDA", json_integer_value(json_object_get(gpu, "runtime")), 1000);
    put_version("cuDNN", json_integer_value(json_object_get(gpu, "cudnn")), 10000);
    printf(", worker %lld\n", (long long)json_integer_value(json_object_get(gpu, "worker_pid")));
}

static void put_angle(const json_t *one, const char *key)
{
    const json_t *value = json_object_get(one, key);
    if (json_is_number(value))
        printf("%8.1f", json_number_value(value));
    else
        printf("%8s", "-");
}

/* Where the satellites are; angles of their instruments' axes in degrees. */
static void put_platforms(const json_t *platforms)
{
    const char *topic;
    json_t *one;
    if (json_object_size(platforms) == 0) return;
    printf("\nsatellites%*s%-8s  %-27s  %-7s     lat     lon       L    limb     sun    moon\n", 30, "", "position",
           "at", "SAA");
    json_object_foreach((json_t *)platforms, topic, one)
    {
        static const char *const angle[] = {"latitude",         "longitude", "mcilwain_l",
                                            "earth_limb_angle", "sun_angle", "moon_angle"};
        printf("  %-36s  ", clean(topic));
        printf("%-8s  ", text_of(one, "state"));
        printf("%-27s  ", text_of(one, "time"));
        printf("%-7s", text_of(one, "saa"));
        for (size_t i = 0; i < sizeof angle / sizeof angle[0]; i++)
            put_angle(one, angle[i]);
        printf("\n");
    }
}

/* An object of plain values, one per line; `zeros` false leaves out integers that are 0. */
static void put_table(const char *title, const json_t *object, bool zeros)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) return;
    printf("\n%s\n", title);
    size_t shown = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!zeros && json_is_integer(value) && json_integer_value(value) == 0) continue;
        printf("  %-36s  ", clean(key));
        put_value(value);
        printf("\n");
        shown++;
    }
    if (shown == 0) printf("  all zero\n");
}

static bool is_known(const char *key)
{
    static const char *const known[] = {"version",  "site",   "stream",   "mode",     "uptime_s", "inputs",
                                        "gateways", "models", "platform", "counters", "gpu"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], key) == 0) return true;
    return false;
}

static void put_page(const json_t *status)
{
    const char *key;
    json_t *value;
    printf("burstd %s", text_of(status, "version"));
    if (json_object_get(status, "site")) printf("  site %s", text_of(status, "site"));
    printf("  mode %s  up ", text_of(status, "mode"));
    put_duration(json_integer_value(json_object_get(status, "uptime_s")));
    printf("\nstream %s\n", text_of(status, "stream"));
    put_gateways(json_object_get(status, "gateways"));
    put_inputs(json_object_get(status, "inputs"));
    put_models(json_object_get(status, "models"));
    put_gpu(json_object_get(status, "gpu"));
    put_platforms(json_object_get(status, "platform"));
    json_object_foreach((json_t *)status, key, value)
    {
        if (!is_known(key)) put_table(clean(key), value, true);
    }
    put_table("counters (zeros left out)", json_object_get(status, "counters"), false);
}

int burstctl_status(int argc, char **argv)
{
    static const struct option table[] = {{"json", no_argument, NULL, 'j'},
                                          {"command", required_argument, NULL, 'e'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *command = NULL, *path = NULL;
    char endpoint[CONFIG_TEXT];
    struct burst_config config;
    struct burst_error e;
    json_t *answer = NULL;
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'j': json = true; break;
        case 'e': command = optarg; break;
        case 'c': path = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (optind < argc) return tell_usage("status", "takes options only");
    if (read_config("status", path, &config)) return EXIT_CONFIG;
    enum burst_err err = ask_endpoint(command, &config, endpoint, sizeof endpoint, &e);
    if (!err) err = ask_daemon(endpoint, json_pack("{s:s}", "command", "status"), &answer, &e);
    if (err) return tell_error("status", &e);
    const json_t *status = json_object_get(answer, "status");
    if (json) {
        (void)json_dumpf(status, stdout, JSON_COMPACT | JSON_ENCODE_ANY); /* a failure shows in the flush */
        (void)putchar('\n');
    } else
        put_page(status);
    json_decref(answer);
    return finish_output("status");
}
