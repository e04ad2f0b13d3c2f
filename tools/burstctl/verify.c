/* burstctl verify: read the whole database, beside a running burstd or without one, and prove the log. */
#include "base/bytes.h"
#include "burstctl.h"
#include "publish/store.h"
#include <getopt.h>
#include <string.h>

static const char HELP[] = "usage: burstctl verify [DATABASE] [--config FILE]\n"
                           "\n"
                           "Walks the log of verdicts as it is served: every number there once, every header in its "
                           "place, every seal's chain value\n"
                           "the BLAKE2b-256 of what came before. Reads only; burstd may be running.\n"
                           "\n"
                           "  DATABASE       the SQLite file (default: store.database of the configuration)\n"
                           "  --config FILE  burstd.yaml\n";

static enum burst_err verify(const char *path, struct store_verified *ret_verified, struct burst_error *reterr)
{
    struct store_reader *reader = NULL;
    enum burst_err err = store_reader_open(path, &reader, reterr);
    if (!err) err = store_verify(reader, ret_verified, reterr);
    store_reader_close(reader);
    return err;
}

int burstctl_verify(int argc, char **argv)
{
    static const struct option table[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    char path[4096], uuid[37];
    const char *config_path = NULL;
    struct burst_config config;
    struct burst_error e;
    struct store_verified v;
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'c': config_path = optarg; break;
        case 'h': return tell_help(HELP);
        default: return EXIT_USAGE; /* getopt has said which */
        }
    if (optind + 1 < argc) return tell_usage("verify", "takes one database");
    if (read_config("verify", config_path, &config)) return EXIT_CONFIG;
    enum burst_err err = BURST_OK;
    if (optind < argc)
        (void)snprintf(path, sizeof path, "%s", argv[optind]);
    else
        err = config_data_path(config.store_database, path, sizeof path, &e);
    if (!err) err = verify(path, &v, &e);
    if (err) return tell_error("verify", &e);
    bytes_uuid_text(v.stream, uuid);
    printf("%s: stream %s, %d topics, %llu messages: numbers dense, chain unbroken\n", path, uuid, v.n_topic,
           (unsigned long long)v.n_message);
    return finish_output("verify");
}
