/* burst-sim lightcurves: labelled windows as counts per energy atom, for training and evaluation. */
#include "base/datadir.h"
#include "commands.h"
#include "set_output.h"
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: burst-sim lightcurves --n N --out DIR [options]\n"
    "\n"
    "  --n N             rows, 1 to 10000000; a multiple of the rows per sky with --detectors best3 and all\n"
    "  --out DIR         made when absent; gets atoms.npy (uint16 [N,5,1875] counts of 25-50-100-300-500-900 keV), "
    "valid.npy\n"
    "                    (uint8 [N,1875]), y.npy (int64 [N]), meta.csv, set.json\n"
    "  --seed S          default 1; skies of two seeds share no burst\n"
    "  --threads T       default as many as there are cores; the bytes do not depend on it\n"
    "  --mission WORD    a file of config/geometry (gecam-a gecam-b gecam-c fermi-gbm svom-grm insight-hxmt-he), or "
    "mix (default):\n"
    "                    the first five by chance\n"
    "  --detectors WORD  of each sky: one (default), best3 or all\n"
    "  --bin S           a multiple of 0.064 s up to 65.536, default 0.064\n"
    "  --bins K          16 to 20000, default 1875\n"
    "  --bands WORD      nine (default): five atoms; total: 8 to 900 keV and above in one\n"
    "  --rates WORD      training (default): half are bursts and each look-alike is frequent; real: as a spacecraft "
    "meets them\n"
    "  --only WORD       one family alone\n"
    "  --without WORDS   families left out, with commas between\n"
    "  --onset SHARE     of bursts: have only begun when the data end, default 0.15\n"
    "  --snr LO,HI       of bursts in the detector that sees them best, even in the logarithm; default as detectors "
    "trigger\n"
    "  --flux            brightness of bursts by their flux at the Earth, as an instrument without a trigger meets "
    "them\n"
    "  --shift WORD      one thing unlike training: batse bat level-half level-double gain-low gain-high layout; "
    "default none\n"
    "\n"
    "Families: burst quiet dropout, and the look-alikes of burst-sim(1).\n";

static int parse_family(const char *name, const char *text, int *ret_family)
{
    *ret_family = family_find(text);
    if (*ret_family >= 0) return 1;
    (void)fprintf(stderr, "burst-sim: --%s %s: not one of", name, text);
    for (int f = 0; f < FAMILY_N; f++)
        (void)fprintf(stderr, " %s", family_name((enum sky_family)f));
    (void)fprintf(stderr, "\n");
    return 0;
}

static int parse_without(const char *text, uint32_t *ret_bits)
{
    char word[32];
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        int family = -1;
        (void)snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : 31, text);
        if (!parse_family("without", word, &family)) return 0;
        *ret_bits |= 1u << family;
        text += n + (text[n] == ',');
    }
    return 1;
}

static int parse_snr(const char *text, struct sky_plan *plan)
{
    char *end = NULL, *last = NULL;
    double low = strtod(text, &end), high = *end == ',' ? strtod(end + 1, &last) : -1.0;
    if (last && *last == '\0' && low >= 0.5 && high >= low && high <= 1e4) {
        plan->snr_low = low;
        plan->snr_high = high;
        return 1;
    }
    (void)fprintf(stderr, "burst-sim: --snr %s: LO,HI with 0.5 <= LO <= HI <= 10000 is needed\n", text);
    return 0;
}

static int parse_shift(const char *text, enum sky_shift *ret_shift)
{
    const char *words[SHIFT_N];
    int shift = 0;
    for (int i = 0; i < SHIFT_N; i++)
        words[i] = sky_shift_name((enum sky_shift)i);
    if (!option_word("shift", text, words, SHIFT_N, &shift)) return 0;
    *ret_shift = (enum sky_shift)shift;
    return 1;
}

static int parse_bin(const char *text, struct sky_plan *plan)
{
    double bin_s, steps;
    if (!option_number("bin", text, 0.064, 65.536, &bin_s)) return 0;
    steps = rint(bin_s / 0.064);
    plan->bin_s = 0.064 * steps;
    if (fabs(bin_s - plan->bin_s) < 1e-6) return 1;
    (void)fprintf(stderr, "burst-sim: --bin %s: a multiple of 0.064 is needed\n", text);
    return 0;
}

enum {
    OPT_N = 1,
    OPT_OUT,
    OPT_SEED,
    OPT_THREADS,
    OPT_MISSION,
    OPT_DETECTORS,
    OPT_BIN,
    OPT_BINS,
    OPT_BANDS,
    OPT_RATES,
    OPT_ONLY,
    OPT_WITHOUT,
    OPT_ONSET,
    OPT_SNR,
    OPT_FLUX,
    OPT_SHIFT
};

static int parse_option(int c, struct set_request *q)
{
    static const char *const VIEW[] = {"one", "best3", "all"}, *const BANDS[] = {"nine", "total"},
                             *const RATES[] = {"training", "real"};
    uint64_t n = 0;
    int word = 0, good = 0;
    switch (c) {
    case OPT_N: return option_count("n", optarg, 1, 10000000, &q->n);
    case OPT_OUT: return (q->folder = optarg) != NULL;
    case OPT_SEED: return option_count("seed", optarg, 0, UINT64_MAX, &q->seed);
    case OPT_THREADS:
        good = option_count("threads", optarg, 1, 64, &n);
        if (good) q->n_thread = (int)n;
        return good;
    case OPT_MISSION: return (q->mission = optarg) != NULL;
    case OPT_DETECTORS:
        good = option_word("detectors", optarg, VIEW, 3, &word);
        q->plan.view = (enum sky_view)word;
        return good;
    case OPT_BIN: return parse_bin(optarg, &q->plan);
    case OPT_BINS:
        good = option_count("bins", optarg, 16, 20000, &n);
        if (good) q->plan.n_bin = n;
        return good;
    case OPT_BANDS:
        good = option_word("bands", optarg, BANDS, 2, &word);
        q->plan.n_atom = word ? 1 : SIM_ATOM;
        return good;
    case OPT_RATES:
        good = option_word("rates", optarg, RATES, 2, &word);
        q->plan.rates = (enum family_rates)word;
        return good;
    case OPT_ONLY: return parse_family("only", optarg, &q->plan.only);
    case OPT_WITHOUT: return parse_without(optarg, &q->plan.without);
    case OPT_ONSET: return option_number("onset", optarg, 0.0, 1.0, &q->plan.onset);
    case OPT_SNR: return parse_snr(optarg, &q->plan);
    case OPT_FLUX: return q->plan.by_flux = true;
    case OPT_SHIFT: return parse_shift(optarg, &q->shift);
    default: return 0;
    }
}

/* EXIT_GOOD: go on; the request is filled but for the spacecraft. */
static int parse(int argc, char **argv, struct set_request *q)
{
    static const struct option OPTION[] = {{"n", required_argument, NULL, OPT_N},
                                           {"out", required_argument, NULL, OPT_OUT},
                                           {"seed", required_argument, NULL, OPT_SEED},
                                           {"threads", required_argument, NULL, OPT_THREADS},
                                           {"mission", required_argument, NULL, OPT_MISSION},
                                           {"detectors", required_argument, NULL, OPT_DETECTORS},
                                           {"bin", required_argument, NULL, OPT_BIN},
                                           {"bins", required_argument, NULL, OPT_BINS},
                                           {"bands", required_argument, NULL, OPT_BANDS},
                                           {"rates", required_argument, NULL, OPT_RATES},
                                           {"only", required_argument, NULL, OPT_ONLY},
                                           {"without", required_argument, NULL, OPT_WITHOUT},
                                           {"onset", required_argument, NULL, OPT_ONSET},
                                           {"snr", required_argument, NULL, OPT_SNR},
                                           {"flux", no_argument, NULL, OPT_FLUX},
                                           {"shift", required_argument, NULL, OPT_SHIFT},
                                           {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", OPTION, NULL)) != -1)
        if (!parse_option(c, q)) return EXIT_USAGE;
    if (q->n > 0 && q->folder && optind == argc) return EXIT_GOOD;
    (void)fputs(USAGE, stderr);
    return EXIT_USAGE;
}

/* The geometry file of each spacecraft the mission's word stands for. */
static enum burst_err read_craft(struct set_request *q, struct burst_error *reterr)
{
    static const char *const MIX[] = {"gecam-a", "gecam-b", "gecam-c", "fermi-gbm", "svom-grm"};
    char folder[512];
    enum burst_err err = datadir_find(folder, sizeof folder - 17, reterr);
    if (err) return err;
    (void)strcat(folder, "/config/geometry");
    if (strcmp(q->mission, "mix") != 0) {
        q->plan.n_craft = 1;
        return spacecraft_read(folder, q->mission, &q->plan.craft[0], reterr);
    }
    for (size_t i = 0; i < sizeof MIX / sizeof MIX[0] && !err; i++)
        err = spacecraft_read(folder, MIX[i], &q->plan.craft[q->plan.n_craft++], reterr);
    return err;
}

/* EXIT_GOOD: rows of skies fill the set. */
static int check_rows(const struct set_request *q)
{
    int n = sky_rows(&q->plan);
    if (n > 0 && q->n % (uint64_t)n == 0) return EXIT_GOOD;
    if (n == 0)
        (void)fprintf(stderr, "burst-sim: --detectors all needs one --mission: the spacecraft of a mix differ\n");
    else
        (void)fprintf(stderr, "burst-sim: --n %llu: a multiple of %d is needed, the rows of a sky\n",
                      (unsigned long long)q->n, n);
    return EXIT_USAGE;
}

int command_lightcurves(int argc, char **argv)
{
    struct burst_error err;
    struct set_request *q = calloc(1, sizeof *q);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        free(q);
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    if (!q) {
        (void)burst_fail(&err, BURST_E_NOMEM, "no memory");
        return fail_with(&err);
    }
    q->seed = 1;
    q->mission = "mix";
    q->n_thread = (int)sysconf(_SC_NPROCESSORS_ONLN);
    sky_plan_default(&q->plan);
    int status = parse(argc, argv, q);
    enum burst_err bad = status == EXIT_GOOD ? read_craft(q, &err) : BURST_OK;
    if (status == EXIT_GOOD && !bad) sky_shift_apply(q->shift, &q->plan);
    if (status == EXIT_GOOD && !bad) status = check_rows(q);
    if (status == EXIT_GOOD && !bad) bad = set_write(q, &err);
    free(q);
    return status != EXIT_GOOD ? status : bad ? fail_with(&err) : EXIT_GOOD;
}
