/* Arguments of burst-replay. */
#include "options.h"
#include "stream/frame.h"
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: burst-replay [options] FILE...\n"
    "\n"
    "Publishes FITS files as a gateway would: event files (Fermi/GBM TTE, GECAM, SVOM/GRM) cut into chunks of their "
    "own\n"
    "time, files of one instrument side by side; ECLAIRs sub-images whole, at their DATE-END.\n"
    "\n"
    "  --speed N|max        times the data's own pace (default 1); max: as fast as subscribers take it\n"
    "  --live ENDPOINT      where live messages are published (default tcp://127.0.0.1:5550)\n"
    "  --history ENDPOINT   where REPLAY is answered (default tcp://127.0.0.1:5551)\n"
    "  --topic TOPIC        instead of the one that follows from mission, instrument and realm\n"
    "  --realm NAME         live, test or archive (default archive: topics burst-archive.v1...., flag 4)\n"
    "  --chunk S            seconds of data per message (default 1)\n"
    "  --gap S              data gaps longer than that are not waited for (default 60)\n"
    "  --wait S             before the first message, for subscribers to connect (default 1)\n"
    "  --linger S           go on answering history for so long after the last message (default: until a signal)\n"
    "  --keep MIB           memory for history; the oldest messages are forgotten beyond it (default 2048)\n"
    "\n"
    "Exit status: 0 done; 1 a file was refused; 2 usage; 3 an endpoint that is not allowed; 4 input/output; 130 "
    "stopped by\n"
    "a signal before the last message.\n";

static int complain(const char *option, const char *text, const char *want)
{
    (void)fprintf(stderr, "burst-replay: --%s %s: %s\n", option, text, want);
    return EXIT_USAGE;
}

static int take_number(const char *option, const char *text, double least, double most, double *ret_value)
{
    char *end, want[80];
    double value = strtod(text, &end);
    if (end != text && !*end && value >= least && value <= most) {
        *ret_value = value;
        return -1;
    }
    (void)snprintf(want, sizeof want, "a number from %g to %g is needed", least, most);
    return complain(option, text, want);
}

static int take_speed(const char *text, double *ret_speed)
{
    if (strcmp(text, "max") != 0) return take_number("speed", text, 1e-3, 1e6, ret_speed);
    *ret_speed = 0;
    return -1;
}

static int take_realm(const char *text, enum burst_realm *ret_realm)
{
    static const char *const words[REALM_N] = {
        [REALM_LIVE] = "live", [REALM_TEST] = "test", [REALM_ARCHIVE] = "archive"};
    for (int i = 0; i < REALM_N; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_realm = (enum burst_realm)i;
            return -1;
        }
    return complain("realm", text, "live, test or archive");
}

/* A topic says by its prefix which realm it belongs to: that decides the flags. */
static int take_topic(const char *text, struct options *o)
{
    struct burst_error why;
    if (frame_check_topic(text, strlen(text), &why)) return complain("topic", text, why.text);
    if (strcmp(text, STREAM_HEARTBEAT) == 0 || strncmp(text, "burst-provisional.", 18) == 0)
        return complain("topic", text, "this topic has no numbers");
    o->topic = text;
    for (int i = 0; i < REALM_N; i++) {
        const char *prefix = source_realm_prefix((enum burst_realm)i);
        if (strncmp(text, prefix, strlen(prefix)) == 0 && text[strlen(prefix)] == '.') o->realm = (enum burst_realm)i;
    }
    return -1;
}

static int take_option(int c, const char *text, struct options *o)
{
    switch (c) {
    case 's': return take_speed(text, &o->speed);
    case 'l': o->live = text; return -1;
    case 'y': o->history = text; return -1;
    case 't': return take_topic(text, o);
    case 'r': return take_realm(text, &o->realm);
    case 'c': return take_number("chunk", text, 0.001, 86400, &o->chunk_s);
    case 'g': return take_number("gap", text, 0, 1e9, &o->gap_s);
    case 'w': return take_number("wait", text, 0, 86400, &o->wait_s);
    case 'i': return take_number("linger", text, 0, 1e9, &o->linger_s);
    case 'k': return take_number("keep", text, 1, 1 << 20, &o->keep_mib);
    case 'v': return puts("burst-replay " BURST_VERSION) < 0 ? EXIT_IO : EXIT_DONE;
    case 'h': return fputs(HELP, stdout) < 0 ? EXIT_IO : EXIT_DONE;
    default: (void)fputs("try burst-replay --help\n", stderr); return EXIT_USAGE;
    }
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    static const struct option table[] = {{"speed", required_argument, NULL, 's'},
                                          {"live", required_argument, NULL, 'l'},
                                          {"history", required_argument, NULL, 'y'},
                                          {"topic", required_argument, NULL, 't'},
                                          {"realm", required_argument, NULL, 'r'},
                                          {"chunk", required_argument, NULL, 'c'},
                                          {"gap", required_argument, NULL, 'g'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {"linger", required_argument, NULL, 'i'},
                                          {"keep", required_argument, NULL, 'k'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct options o = {.live = "tcp://127.0.0.1:5550",
                        .history = "tcp://127.0.0.1:5551",
                        .realm = REALM_ARCHIVE,
                        .speed = 1,
                        .chunk_s = 1,
                        .wait_s = 1,
                        .gap_s = 60,
                        .linger_s = -1,
                        .keep_mib = 2048};
    for (int c, status; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        if ((status = take_option(c, optarg, &o)) >= 0) return status;
    o.n_file = argc - optind;
    o.file = argv + optind;
    if (!o.n_file) {
        (void)fputs("burst-replay: no files; try burst-replay --help\n", stderr);
        return EXIT_USAGE;
    }
    *ret_options = o;
    return -1;
}
