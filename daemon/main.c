/* burstd: arguments, signals, watchdog. The work is in pipeline.c. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/control.h"
#include "daemon/gpu.h"
#include "daemon/pipeline.h"
#include "daemon/service.h"
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_IO = 4 }; /* protocol.md 8 */
enum { SERVE_MS = 100 };
static const int64_t GPU_WAIT_NS = 240 * CLOCK_NS_PER_S; /* --check-config: loading may time every engine */
static const int64_t STUCK_NS = 8 * CLOCK_NS_PER_S;      /* a batch of 25 detectors in plain C takes about 2 s */

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int number)
{
    if (number == SIGHUP)
        reload_asked = 1;
    else
        stop_asked = 1;
}

static const char HELP[] =
    "usage: burstd [--config FILE] [--foreground]\n"
    "       burstd [--config FILE] --check-config\n"
    "       burstd --print-defaults | --version | --help\n"
    "\n"
    "Subscribes to event data and sub-images, publishes verdicts. Runs in the foreground; systemd keeps it running.\n"
    "\n"
    "  --config FILE     configuration (default /etc/burstd/burstd.yaml; absent: every key at its default)\n"
    "  --check-config    read the configuration, load the models and the catalogue, say what is wrong, exit\n"
    "  --print-defaults  write a complete commented burstd.yaml to standard output\n"
    "  --foreground      log plain lines to standard error even under systemd\n"
    "  --version         version\n"
    "\n"
    "SIGTERM and SIGINT finish what is under way and end; SIGHUP reads the keys again that may change live.\n"
    "Exit status: 0 done, 2 usage, 3 configuration or model, 4 input/output.\n";

struct options {
    const char *config;
    bool check, foreground;
};

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
    static const struct option table[] = {{"config", required_argument, NULL, 'c'},
                                          {"check-config", no_argument, NULL, 'k'},
                                          {"print-defaults", no_argument, NULL, 'p'},
                                          {"foreground", no_argument, NULL, 'f'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    static char defaults[CONFIG_FILE_MAX];
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;)
        switch (c) {
        case 'c': ret->config = optarg; break;
        case 'k': ret->check = true; break;
        case 'f': ret->foreground = true; break;
        case 'p':
            (void)config_print_defaults(defaults, sizeof defaults);
            return fputs(defaults, stdout) < 0 ? EXIT_IO : EXIT_DONE;
        case 'v': return puts("burstd " BURST_VERSION) < 0 ? EXIT_IO : EXIT_DONE;
        case 'h': return fputs(HELP, stdout) < 0 ? EXIT_IO : EXIT_DONE;
        default: (void)fputs("try burstd --help\n", stderr); return EXIT_USAGE;
        }
    if (optind < argc) {
        (void)fprintf(stderr, "burstd: unexpected argument '%s'; try burstd --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static enum burst_err read_config(const char *path, struct burst_config *ret_config)
{
    static struct config_faults faults;
    char line[1024];
    const char *name = path ? path : "/etc/burstd/burstd.yaml";
    config_defaults(ret_config);
    if (!path && access(name, F_OK) != 0) return BURST_OK;
    enum burst_err err = config_read(name, ret_config, &faults);
    for (int i = 0; err && i < faults.n; i++) {
        config_fault_text(name, &faults.fault[i], line, sizeof line);
        (void)fprintf(stderr, "burstd: %s\n", line);
    }
    if (err && faults.n_seen > faults.n)
        (void)fprintf(stderr, "burstd: %s: and %d more\n", name, faults.n_seen - faults.n);
    return err;
}

static void set_log(const struct options *options, const struct burst_config *config)
{
    log_setup((enum log_level)config->log_level, !options->foreground && getenv("JOURNAL_STREAM") != NULL);
}

static void reload(struct pipeline *p, const struct options *options)
{
    static struct config_faults faults;
    struct burst_config next;
    service_reloading();
    enum burst_err err = read_config(options->config, &next);
    if (!err) err = config_reload(&p->config, &next, &faults);
    if (err)
        log_line(LOG_LEVEL_ERROR, "reload refused, the old configuration stays error=%s what=\"%s\"",
                 burst_err_name(err), err == BURST_E_STATE && faults.n ? faults.fault[0].text : "see above");
    else {
        pipeline_reconfigure(p, &next);
        set_log(options, &next);
        log_line(LOG_LEVEL_NOTICE, "configuration reloaded path=%s", options->config ? options->config : "default");
    }
    service_ready("running");
}

static void tell_status(struct pipeline *p)
{
    char text[GPU_LINE_TEXT + 256], gpu[GPU_LINE_TEXT];
    int64_t p50, p99;
    uint64_t n;
    health_latency_quantiles(p->health, &p50, &p99, &n);
    gpu_line(p, gpu);
    (void)snprintf(text, sizeof text,
                   "%s; %llu messages, %llu windows, %llu images, %llu verdicts; packet to verdict p99 %.1f ms", gpu,
                   (unsigned long long)health_get(p->health, COUNT_MESSAGES),
                   (unsigned long long)health_get(p->health, COUNT_WINDOWS),
                   (unsigned long long)health_get(p->health, COUNT_IMAGES),
                   (unsigned long long)health_get(p->health, COUNT_VERDICTS), (double)p99 * 1e-6);
    service_status(text);
}

/* Until a signal or a failure that must end the process. The watchdog is fed only while every thread makes progress. */
static enum burst_err run(struct pipeline *p, struct control *control, const struct options *options,
                          struct burst_error *reterr)
{
    int64_t ping_ns = service_watchdog_ns() / 3, pinged = 0, told = 0;
    while (!stop_asked) {
        control_serve(control, SERVE_MS);
        pipeline_keep_quarantine(p);
        health_progress(p->health, THREAD_MAIN);
        enum health_thread stuck;
        int64_t now = clock_mono_ns();
        bool alive = health_alive(p->health, STUCK_NS, &stuck);
        if (health_is_fatal(p->health, reterr)) return reterr->code;
        if (alive && ping_ns && now - pinged > ping_ns) {
            service_alive();
            pinged = now;
        }
        if (!alive && now - told > CLOCK_NS_PER_S)
            log_line(LOG_LEVEL_ERROR, "no progress, the watchdog is not fed thread=%s", health_thread_name(stuck));
        if (now - told > CLOCK_NS_PER_S) {
            tell_status(p);
            told = now;
        }
        if (reload_asked) {
            reload_asked = 0;
            reload(p, options);
        }
    }
    log_line(LOG_LEVEL_NOTICE, "stopping: finishing what is under way");
    return BURST_OK;
}

static int exit_status(enum burst_err err)
{
    switch (err) {
    case BURST_OK: return EXIT_DONE;
    case BURST_E_IO:
    case BURST_E_NET:
    case BURST_E_STATE: return EXIT_IO;
    default: return EXIT_CONFIG;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL); /* valid numbers: cannot fail */
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigaction(SIGXFSZ, &action, NULL); /* a file that may not grow is a failed write, not the end */
}

static enum burst_err serve(const struct options *options, const struct burst_config *config, struct health *health,
                            struct burst_error *reterr)
{
    struct pipeline *p = NULL;
    struct control *control = NULL;
    struct burst_error close_error;
    enum burst_err err = pipeline_open(config, health, &p, reterr);
    if (err) return err;
    err = control_open(p, &control, reterr);
    if (!err) err = pipeline_start(p, reterr);
    if (!err) {
        log_line(LOG_LEVEL_NOTICE, "ready version=%s live=%s history=%s", BURST_VERSION, publisher_live(p->publisher),
                 publisher_history(p->publisher));
        service_ready("running");
        err = run(p, control, options, reterr);
    }
    service_stopping();
    pipeline_drain(p);
    if (!err && health_is_fatal(health, reterr)) err = reterr->code; /* it failed in what was still under way */
    control_close(control);
    if (pipeline_close(p, &close_error) && !err) err = burst_fail(reterr, close_error.code, "%s", close_error.text);
    return err;
}

/* A GPU that was asked for by name and is not there is no reason not to start, but one to say so. */
static void check_gpu(const struct burst_config *config, struct infer *infer)
{
    struct device_status s;
    char line[GPU_LINE_TEXT];
    if (config->models_backend != CONFIG_BACKEND_CUDA || !infer_gpu_status(infer, &s)) return;
    bool good = infer_gpu_wait(infer, GPU_WAIT_NS);
    (void)infer_gpu_status(infer, &s);
    (void)device_status_text(&s, clock_mono_ns(), line, sizeof line);
    if (good)
        (void)printf("%s: its golden answers are right\n", line);
    else
        (void)fprintf(
            stderr, "burstd: WARNING models.backend is cuda, and no GPU can be used. burstd will judge on %s\n", line);
}

static enum burst_err check_only(const struct burst_config *config, struct burst_error *reterr)
{
    struct science science = {0};
    enum burst_err err = science_open(config, &science, reterr);
    if (!err) check_gpu(config, science.infer);
    science_close(&science);
    if (!err) (void)puts("configuration, models and catalogue are good");
    return err;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct burst_config config;
    struct burst_error e = {0};
    struct health *health = NULL;
    int status = parse_options(argc, argv, &options);
    if (status >= 0) return status;
    if (read_config(options.config, &config)) return EXIT_CONFIG;
    set_log(&options, &config);
    if (sodium_init() < 0) return EXIT_IO;
    catch_signals();
    enum burst_err err = health_new(&health, &e);
    if (!err) err = options.check ? check_only(&config, &e) : serve(&options, &config, health, &e);
    if (err) log_line(LOG_LEVEL_ERROR, "ends error=%s what=\"%s\"", burst_err_name(err), e.text);
    health_free(health);
    return exit_status(err);
}
