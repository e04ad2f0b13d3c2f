/* burst-sim: simulated data, the same bytes for the same seed. Picks the command; each lives in a file of its own. */
#include "commands.h"
#include <stdio.h>
#include <string.h>

static const char USAGE[] =
    "usage: burst-sim COMMAND [options]      (burst-sim COMMAND --help tells the options)\n"
    "\n"
    "  lightcurves  labelled windows of single detectors, prepared as burstd prepares them, for training\n"
    "  events       a FITS event file as the mission writes it: GECAM-B (25 detectors) or Fermi/GBM (12 files)\n"
    "  stream       a day in orbit as GECAM-B event chunks, any stretch of it alone\n"
    "  days         whole days of counts, with all that happens in orbit, to measure false alarms on\n"
    "  images       labelled ECLAIRs sub-images, prepared as burstd prepares them, for training\n"
    "  image        one ECLAIRs sub-image as the FITS file the mission sends\n"
    "  gallery      pictures of every family, light curves and sub-images, as PNG or PDF\n";

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } COMMAND[] = {{"lightcurves", command_lightcurves}, {"events", command_events},
                   {"stream", command_stream},           {"days", command_days},
                   {"images", command_images},           {"image", command_image},
                   {"gallery", command_gallery}};
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        (void)puts("burst-sim " BURST_VERSION);
        return EXIT_GOOD;
    }
    for (size_t i = 0; argc > 1 && i < sizeof COMMAND / sizeof COMMAND[0]; i++)
        if (strcmp(argv[1], COMMAND[i].name) == 0) return COMMAND[i].run(argc - 1, argv + 1);
    if (argc > 1) (void)fprintf(stderr, "burst-sim: no command %s\n", argv[1]);
    (void)fputs(USAGE, stderr);
    return EXIT_USAGE;
}
