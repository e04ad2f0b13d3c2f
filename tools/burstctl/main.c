/* burstctl: which subcommand. */
#include "burstctl.h"
#include <string.h>

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct subcommand SUBCOMMANDS[] = {
    {"watch", burstctl_watch, "follow the verdicts as they come, one line each"},
    {"status", burstctl_status, "what burstd is doing: inputs, counters, queues, models"},
    {"alerts", burstctl_alerts, "the latest events"},
    {"show", burstctl_show, "one event whole: verdict, light curves, sub-image"},
    {"verify", burstctl_verify, "prove that the log of verdicts is dense and its chain unbroken"},
    {"quarantine", burstctl_quarantine, "inputs that were refused: list, show, export, clear"},
    {"catalog", burstctl_catalog, "known sources that mask sub-images: list, show, add, remove"},
    {"model", burstctl_model, "info, check or run an ONNX model"},
};
enum { N_SUBCOMMAND = sizeof SUBCOMMANDS / sizeof SUBCOMMANDS[0] };

static int help(FILE *out)
{
    (void)fprintf(out, "usage: burstctl SUBCOMMAND [ARGUMENTS]\n\n"); /* a failure shows in finish_output */
    for (int i = 0; i < N_SUBCOMMAND; i++)
        (void)fprintf(out, "  %-10s %s\n", SUBCOMMANDS[i].name, SUBCOMMANDS[i].summary);
    (void)fprintf(
        out, "\nburstctl SUBCOMMAND --help tells its arguments; man burstctl tells all.\n"
             "Exit status: 0 done, 1 refused, 2 usage, 3 configuration or model, 4 input/output or nobody there.\n");
    return out == stdout ? finish_output("help") : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return help(stdout);
    if (strcmp(word, "--version") == 0) return puts("burstctl " BURST_VERSION) < 0 ? EXIT_IO : EXIT_DONE;
    for (int i = 0; i < N_SUBCOMMAND; i++)
        if (strcmp(word, SUBCOMMANDS[i].name) == 0) return SUBCOMMANDS[i].run(argc - 1, argv + 1);
    if (*word) (void)fprintf(stderr, "burstctl: no subcommand '%s'\n", clean(word));
    return help(stderr);
}
