/* burst-cuda: arguments and signals. The work is in server.c, lane.c, selftest.c and tune.c. */
#include "base/log.h"
#include "daemon/cuda/lane.h"
#include "daemon/cuda/selftest.h"
#include "daemon/cuda/server.h"
#include "daemon/cuda/tune.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* protocol.md 8, and sysexits.h's EX_UNAVAILABLE and EX_SOFTWARE, which the service manager tells apart. */
enum {
    EXIT_DONE = 0,
    EXIT_WRONG = 1,
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
    EXIT_IO = 4,
    EXIT_NO_DEVICE = 69,
    EXIT_DEVICE = LANE_DEVICE_FAILED
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static const char HELP[] =
    "usage: burst-cuda [--socket PATH] [--device N] [--cache FOLDER] [--patience S] [--once] [--foreground]\n"
    "       burst-cuda --selftest [--device N] [--cache FOLDER] [--most N] [--patience S] [MODEL...]\n"
    "       burst-cuda --tune [--device N] [--cache FOLDER] [--most N] [MODEL...]\n"
    "       burst-cuda --version | --help\n"
    "\n"
    "Runs networks on an NVIDIA GPU for burstd. Runs in the foreground; systemd keeps it running.\n"
    "\n"
    "  --socket PATH   where it listens (default " WORKER_SOCKET ")\n"
    "  --device N      which GPU (default 0)\n"
    "  --cache FOLDER  where the fastest cuDNN engines are remembered (default $CACHE_DIRECTORY, else nowhere)\n"
    "  --patience S    a network that takes longer to open counts as stuck: exit 70 (default 600 s); opening the\n"
    "                  device and giving back have at most 60 s of it;\n"
    "                  of the self-test: the same of an answer (default 60 s)\n"
    "  --once          for a program that starts it itself: end with the last client\n"
    "  --selftest      print the device, compare MODEL... (default: the shipped ones) with golden answers and plain C "
    "in\n"
    "                  every precision, time them, end\n"
    "  --tune          time every engine for MODEL... (default: the shipped ones) in every precision, which takes "
    "minutes,\n"
    "                  keep the fastest in the cache folder, end\n"
    "  --most N        of self-test and tuning: samples of the largest batch (default 256)\n"
    "  --foreground    log plain lines to standard error even under systemd\n"
    "  --version       version\n"
    "\n"
    "SIGTERM and SIGINT finish what is under way and end.\n"
    "Exit status: 0 done, 1 wrong or refused in self-test or tuning, 2 usage, 3 a model, 4 input/output, 69 no usable "
    "device,\n"
    "70 the device failed.\n";

struct options {
    struct server_settings server;
    bool selftest, tune, foreground;
    int most, patience_s; /* patience_s 0: the default of what is asked for */
};

static bool parse_number(const char *text, int least, int most, int *ret)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < least || n > most) return false;
    *ret = (int)n;
    return true;
}

static int usage(const char *what, const char *value)
{
    (void)fprintf(stderr, "burst-cuda: %s '%s'; try burst-cuda --help\n", what, value);
    return EXIT_USAGE;
}

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
    static const struct option table[] = {
        {"socket", required_argument, NULL, 's'},   {"device", required_argument, NULL, 'd'},
        {"cache", required_argument, NULL, 'c'},    {"once", no_argument, NULL, 'o'},
        {"patience", required_argument, NULL, 'p'}, {"selftest", no_argument, NULL, 't'},
        {"tune", no_argument, NULL, 'u'},           {"most", required_argument, NULL, 'm'},
        {"foreground", no_argument, NULL, 'f'},     {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},           {0}};
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 's': ret->server.socket = optarg; break;
        case 'd':
            if (!parse_number(optarg, 0, 255, &ret->server.device)) return usage("no number of a device:", optarg);
            break;
        case 'c': ret->server.cache_folder = optarg; break;
        case 'o': ret->server.once = true; break;
        case 'p':
            if (!parse_number(optarg, 1, 86400, &ret->patience_s)) return usage("no number of seconds:", optarg);
            break;
        case 't': ret->selftest = true; break;
        case 'u': ret->tune = true; break;
        case 'm':
            if (!parse_number(optarg, 1, WORKER_BATCH_MOST, &ret->most)) return usage("no size of a batch:", optarg);
            break;
        case 'f': ret->foreground = true; break;
        case 'v': return puts("burst-cuda " BURST_VERSION) < 0 ? EXIT_IO : EXIT_DONE;
        case 'h': return fputs(HELP, stdout) < 0 ? EXIT_IO : EXIT_DONE;
        default: (void)fputs("try burst-cuda --help\n", stderr); return EXIT_USAGE;
        }
    if (ret->tune && ret->selftest) return usage("one at a time:", "--selftest --tune");
    if (ret->tune && !ret->server.cache_folder)
        return usage("to be kept where? --cache FOLDER is missing beside", "--tune");
    if (optind < argc && !ret->selftest && !ret->tune) return usage("unexpected argument", argv[optind]);
    return -1;
}

static int exit_status(enum burst_err err)
{
    switch (err) {
    case BURST_OK: return EXIT_DONE;
    case BURST_E_UNSUPPORTED: return EXIT_NO_DEVICE;
    case BURST_E_DEVICE:
    case BURST_E_TIMEOUT: return EXIT_DEVICE;
    case BURST_E_IO:
    case BURST_E_CONFLICT:
    case BURST_E_NOMEM:
    case BURST_E_LIMIT: return EXIT_IO;
    default: return EXIT_CONFIG;
    }
}

/* Signals that end us are blocked in every thread, and let in only while the main thread waits. */
static void catch_signals(sigset_t *ret_waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;
    (void)sigaction(SIGTERM, &action, NULL); /* valid numbers and sets: cannot fail */
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ours, ret_waiting);
    (void)sigdelset(ret_waiting, SIGTERM);
    (void)sigdelset(ret_waiting, SIGINT);
}

/* What selftest and tuning end with. A dead engine is still open: the process ends without asking the device for anything. */
static int end_with(enum burst_err err, int n_bad, const struct burst_error *e)
{
    if (err) (void)fprintf(stderr, "burst-cuda: %s\n", e->text);
    int status = err ? exit_status(err) : n_bad ? EXIT_WRONG : EXIT_DONE;
    if (status != EXIT_DEVICE) return status;
    (void)fflush(stdout);
    _exit(status);
}

static int run_selftest(const struct options *options, char *const *model, int n_model)
{
    struct selftest_settings settings = {.device = options->server.device,
                                         .cache_folder = options->server.cache_folder,
                                         .model = (const char *const *)model,
                                         .n_model = n_model,
                                         .most = options->most,
                                         .patience_ns = options->patience_s * INT64_C(1000000000)};
    struct burst_error e = {0};
    int n_wrong = 0;
    enum burst_err err = selftest_run(&settings, stdout, &n_wrong, &e);
    return end_with(err, n_wrong, &e);
}

static int run_tune(const struct options *options, char *const *model, int n_model)
{
    struct tune_settings settings = {.device = options->server.device,
                                     .cache_folder = options->server.cache_folder,
                                     .model = (const char *const *)model,
                                     .n_model = n_model,
                                     .most = options->most};
    struct burst_error e = {0};
    int n_refused = 0;
    enum burst_err err = tune_run(&settings, stdout, &n_refused, &e);
    return end_with(err, n_refused, &e);
}

int main(int argc, char **argv)
{
    struct options options = {
        .server.socket = WORKER_SOCKET, .server.cache_folder = getenv("CACHE_DIRECTORY"), .most = WORKER_BATCH_MOST};
    struct burst_error e = {0};
    sigset_t waiting;
    int status = parse_options(argc, argv, &options);
    if (status >= 0) return status;
    log_setup(LOG_LEVEL_INFO, !options.foreground && getenv("JOURNAL_STREAM") != NULL);
    if (options.selftest) return run_selftest(&options, argv + optind, argc - optind);
    if (options.tune) return run_tune(&options, argv + optind, argc - optind);
    options.server.patience_ns = (options.patience_s ? options.patience_s : 600) * INT64_C(1000000000);
    catch_signals(&waiting);
    enum burst_err err = server_run(&options.server, &stop_asked, &waiting, &e);
    if (err) log_line(LOG_LEVEL_ERROR, "ends error=%s what=\"%s\"", burst_err_name(err), e.text);
    return exit_status(err);
}
