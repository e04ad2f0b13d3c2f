/* burst-sim gallery: what the simulators make, for eyes: a row for each family. */
#include "gallery.h"
#include "commands.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char USAGE[] =
    "usage: burst-sim gallery --out FILE.png|FILE.pdf [options]\n"
    "\n"
    "  --out FILE   a PDF of all pages, or PNG: FILE.png, or FILE-1.png, FILE-2.png ... where one page is not enough\n"
    "  --what WORD  lightcurves, images or all (default)\n"
    "  --seed S     default 1; the same seed gives the same pictures\n"
    "  --rows N     rows for each family, 1 (default) to 20\n";

enum { LIGHTCURVES, IMAGES, ALL };

struct request {
    const char *out;
    uint64_t seed, rows;
    int what;
};

/* EXIT_GOOD: go on; the request is filled. */
static int parse(int argc, char **argv, struct request *q)
{
    static const struct option OPTION[] = {{"out", required_argument, NULL, 'o'},
                                           {"what", required_argument, NULL, 'w'},
                                           {"seed", required_argument, NULL, 's'},
                                           {"rows", required_argument, NULL, 'r'},
                                           {NULL, 0, NULL, 0}};
    static const char *const WHAT[] = {"lightcurves", "images", "all"};
    int c;
    *q = (struct request){.seed = 1, .rows = 1, .what = ALL};
    while ((c = getopt_long(argc, argv, "", OPTION, NULL)) != -1) {
        int good = 0;
        if (c == 'o')
            good = (q->out = optarg) != NULL;
        else if (c == 'w')
            good = option_word("what", optarg, WHAT, 3, &q->what);
        else if (c == 's')
            good = option_count("seed", optarg, 0, UINT64_MAX, &q->seed);
        else if (c == 'r')
            good = option_count("rows", optarg, 1, 20, &q->rows);
        if (!good) return EXIT_USAGE;
    }
    if (q->out && optind == argc) return EXIT_GOOD;
    (void)fputs(USAGE, stderr);
    return EXIT_USAGE;
}

int command_gallery(int argc, char **argv)
{
    struct request q;
    struct sheet s = {0};
    struct burst_error err;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, &q);
    if (status != EXIT_GOOD) return status;
    if (sheet_open(q.out, &s, &err)) return fail_with(&err);
    enum burst_err bad = BURST_OK;
    if (q.what != IMAGES) bad = gallery_lightcurves(&s, q.seed, (int)q.rows, &err);
    if (q.what != LIGHTCURVES && !bad) bad = gallery_images(&s, q.seed, (int)q.rows, &err);
    enum burst_err bad_close = sheet_close(&s, bad ? NULL : &err);
    return bad || bad_close ? fail_with(&err) : EXIT_GOOD;
}
