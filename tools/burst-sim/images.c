/* burst-sim images: labelled sub-images, prepared as burstd prepares them. burst-sim image: one sub-image as FITS. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/datadir.h"
#include "commands.h"
#include "fits/write.h"
#include "sim/eclairs_set.h"
#include "sim/npy.h"
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CATALOGUE "config/catalogues/known-sources.csv"

static const char USAGE_IMAGES[] =
    "usage: burst-sim images --n N --out DIR [options]\n"
    "\n"
    "  --n N             samples, 2 to 50000 (25 kB of memory each)\n"
    "  --out DIR         made when absent; gets x.npy (float32 [N,2,56,56]), y.npy (int64: 1 true, 0 false, -1 "
    "unclear),\n"
    "                    meta.csv, set.json\n"
    "  --seed S          default 1; samples of two seeds share no sky\n"
    "  --threads T       1 to 64, default as many as there are cores; the bytes do not depend on it\n"
    "  --only WORDS      these families alone, with commas between; unclear only by itself\n"
    "  --without WORDS   all but these; lost and unclear are left out unless --only names them\n"
    "  --shift WORDS     an instrument that was not trained on: mask (another pattern), background (1.5 times the "
    "rate),\n"
    "                    response (efficiencies and bad responses 1.67 times as wide), all\n"
    "  --mask-seed S     mask pattern, default 1\n"
    "  --catalogue FILE  known sources; default: " CATALOGUE " in the data folder\n"
    "                    ($BURST_DATADIR, else share/burstd beside the program)\n"
    "\n"
    "Families: true outburst setting (label 1); badsub saa column xrdpix hotpix artefact noise moon lost (label "
    "0);\n"
    "unclear (label -1: not for training).\n";

static const char USAGE_IMAGE[] =
    "usage: burst-sim image --family WORD --out FILE.fits [options]\n"
    "\n"
    "  --family WORD     true outburst setting (true alerts); badsub saa column xrdpix hotpix artefact noise limb "
    "moon\n"
    "                    lost (false ones); unclear\n"
    "  --out FILE        the sub-image as the mission sends it (a file that exists is replaced)\n"
    "  --snr X           of a true family: aimed at, met within 10 %\n"
    "  --lost            one to three of eight stripes, or a block, are missing\n"
    "  --seed S, --mask-seed S, --catalogue FILE  as in burst-sim images\n";

enum { SHIFT_MASK, SHIFT_BACKGROUND, SHIFT_RESPONSE, SHIFT_ALL, SHIFT_N };
static const char *const SHIFT_WORD[SHIFT_N] = {"mask", "background", "response", "all"};
static const struct eclairs_shift SHIFTED = {.background = 1.5, .response = 1.67}; /* 3 % of mismatch become 5 % */
enum { SHIFTED_MASK = 1000 };                                                      /* added to the mask's seed */

struct request {
    uint64_t n, seed, mask_seed, threads;
    int family;
    double snr;
    bool lost;
    uint32_t only, without, shift; /* bits: families, SHIFT_ */
    const char *out, *catalogue, *only_text, *without_text, *shift_text;
};

static const struct option OPTION[] = {{"n", required_argument, NULL, 'n'},
                                       {"out", required_argument, NULL, 'o'},
                                       {"seed", required_argument, NULL, 's'},
                                       {"threads", required_argument, NULL, 't'},
                                       {"only", required_argument, NULL, 'O'},
                                       {"without", required_argument, NULL, 'W'},
                                       {"shift", required_argument, NULL, 'S'},
                                       {"mask-seed", required_argument, NULL, 'm'},
                                       {"catalogue", required_argument, NULL, 'c'},
                                       {"family", required_argument, NULL, 'f'},
                                       {"snr", required_argument, NULL, 'r'},
                                       {"lost", no_argument, NULL, 'l'},
                                       {NULL, 0, NULL, 0}};

/* Words with commas between, as bits. */
static int parse_words(const char *name, const char *text, const char *const *words, int n_word, uint32_t *ret_bits)
{
    char word[32];
    for (;;) {
        size_t n = strcspn(text, ",");
        int index = -1;
        (void)snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : 31, text);
        if (!option_word(name, word, words, n_word, &index)) return 0;
        *ret_bits |= 1u << index;
        if (text[n] == '\0') return 1;
        text += n + 1;
    }
}

static int parse_families(const char *name, const char **text, uint32_t *ret_bits)
{
    *text = optarg;
    return parse_words(name, optarg, ECLAIRS_FAMILY_WORD, ECLAIRS_FAMILY_N, ret_bits);
}

static int parse_option(int c, struct request *q)
{
    switch (c) {
    case 'n': return option_count("n", optarg, 2, 50000, &q->n);
    case 'o': q->out = optarg; return 1;
    case 's': return option_count("seed", optarg, 0, INT64_MAX, &q->seed);
    case 't': return option_count("threads", optarg, 1, ECLAIRS_THREAD_MAX, &q->threads);
    case 'O': return parse_families("only", &q->only_text, &q->only);
    case 'W': return parse_families("without", &q->without_text, &q->without);
    case 'S': q->shift_text = optarg; return parse_words("shift", optarg, SHIFT_WORD, SHIFT_N, &q->shift);
    case 'm': return option_count("mask-seed", optarg, 0, INT64_MAX / 2, &q->mask_seed);
    case 'c':
        q->catalogue = optarg;
        if (strlen(optarg) >= 512) (void)fprintf(stderr, "burst-sim: --catalogue: the name is too long\n");
        return strlen(optarg) < 512;
    case 'f': return option_word("family", optarg, ECLAIRS_FAMILY_WORD, ECLAIRS_FAMILY_N, &q->family);
    case 'r': return option_number("snr", optarg, 5.5, 40.0, &q->snr);
    case 'l': q->lost = true; return 1;
    default: return 0;
    }
}

/* EXIT_GOOD: go on; the request is filled. */
static int parse(int argc, char **argv, const char *usage, struct request *q)
{
    int c;
    *q = (struct request){.seed = 1, .mask_seed = 1, .family = -1};
    while ((c = getopt_long(argc, argv, "", OPTION, NULL)) != -1)
        if (!parse_option(c, q)) return EXIT_USAGE;
    if (q->out && optind == argc) return EXIT_GOOD;
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}

/* The list burstd itself uses. */
static void find_catalogue(const struct request *q, char ret_path[512])
{
    char folder[400] = "";
    if (!q->catalogue)
        (void)datadir_find(folder, sizeof folder, NULL); /* too long a path: loading names what is missing */
    (void)snprintf(ret_path, 512, "%s%s%s", folder, q->catalogue ? "" : "/", q->catalogue ? q->catalogue : CATALOGUE);
}

static enum burst_err open_catalogue(const struct request *q, struct catalogue *ret_c, struct burst_error *reterr)
{
    char path[512];
    find_catalogue(q, path);
    return catalogue_load(path, ret_c, reterr);
}

/* ---- a labelled set ---- */

static void find_shift(const struct request *q, uint64_t *ret_mask_seed, struct eclairs_shift *ret_shift)
{
    uint32_t bits = q->shift & 1u << SHIFT_ALL ? ~0u : q->shift;
    *ret_mask_seed = q->mask_seed + (bits & 1u << SHIFT_MASK ? SHIFTED_MASK : 0);
    ret_shift->background = bits & 1u << SHIFT_BACKGROUND ? SHIFTED.background : 1.0;
    ret_shift->response = bits & 1u << SHIFT_RESPONSE ? SHIFTED.response : 1.0;
}

static void make_order(const struct request *q, struct eclairs_order *ret)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *ret = (struct eclairs_order){.seed = q->seed, .n = (size_t)q->n, .n_thread = (int)q->threads};
    if (ret->n_thread == 0)
        ret->n_thread = cores < 1 ? 1 : cores > ECLAIRS_THREAD_MAX ? ECLAIRS_THREAD_MAX : (int)cores;
    find_shift(q, &ret->mask_seed, &ret->shift);
    eclairs_usual_families(ret->family);
    for (int i = 0; i < ECLAIRS_FAMILY_N; i++) {
        if (q->only) ret->family[i] = q->only >> i & 1u;
        if (q->without >> i & 1u) ret->family[i] = false;
    }
}

/* Told in set.json. 1: ten families; 2: Moon, Earth, unclear, energy strips, equal exposures of both classes; 3: S/N as
 * in SVOM's notices, kinds of a family in fixed shares, and a background
 * as wide as a false one's for fewer true ones (4: shares and brightness re-tuned). */
enum { SET_VERSION = 4 };

/* What the set is, for those who train on it. */
static enum burst_err write_about(const struct request *q, const struct eclairs_order *order,
                                  const struct eclairs_row *rows, struct burst_error *reterr)
{
    char path[512], catalogue[512];
    (void)snprintf(path, sizeof path, "%s/set.json", q->out);
    find_catalogue(q, catalogue);
    json_t *count = json_object();
    json_t *about =
        json_pack("{s:s, s:i, s:I, s:I, s:[s,s,i,i], s:o, s:{s:I, s:s, s:s, s:s, s:f, s:f}, s:s}", "what", "images",
                  "version", SET_VERSION, "n", (json_int_t)q->n, "seed", (json_int_t)q->seed, "shape", "n",
                  "image,mask", IMAGE_SIDE, IMAGE_SIDE, "families", count, "options", "mask_seed",
                  (json_int_t)order->mask_seed, "only", q->only_text ? q->only_text : "", "without",
                  q->without_text ? q->without_text : "", "shift", q->shift_text ? q->shift_text : "", "background",
                  order->shift.background, "response", order->shift.response, "burst_sim", BURST_VERSION);
    for (int i = 0; about && i < ECLAIRS_FAMILY_N; i++) {
        json_int_t n = 0;
        for (uint64_t k = 0; k < q->n; k++)
            n += rows[k].family == (enum eclairs_family)i;
        if (n > 0) (void)json_object_set_new(count, ECLAIRS_FAMILY_WORD[i], json_integer(n));
    }
    int status = about ? json_dump_file(about, path, JSON_INDENT(2)) : -1;
    json_decref(about);
    return status == 0 ? BURST_OK : burst_fail(reterr, BURST_E_IO, "cannot write %s", path);
}

static void show(size_t done, size_t total)
{
    progress_show("images", done, total);
}

static enum burst_err write_arrays(const struct request *q, const struct eclairs_row *rows, struct burst_error *reterr)
{
    const size_t shape[4] = {(size_t)q->n, 2, IMAGE_SIDE, IMAGE_SIDE};
    char path[2][512];
    FILE *file = NULL;
    (void)snprintf(path[0], sizeof path[0], "%s/x.npy", q->out);
    (void)snprintf(path[1], sizeof path[1], "%s/y.npy", q->out);
    enum burst_err err = npy_open(path[0], "<f4", shape, 4, &file, reterr);
    if (err) return err;
    for (uint64_t i = 0; i < q->n; i++)
        (void)fwrite(rows[i].input, sizeof rows[i].input, 1, file); /* npy_close asks ferror */
    err = npy_close(file, path[0], reterr);
    if (!err) err = npy_open(path[1], "<i8", shape, 1, &file, reterr);
    if (err) return err;
    for (uint64_t i = 0; i < q->n; i++) {
        int64_t label = eclairs_label(rows[i].family);
        (void)fwrite(&label, sizeof label, 1, file);
    }
    return npy_close(file, path[1], reterr);
}

static enum burst_err write_facts(const struct request *q, const struct eclairs_row *rows, struct burst_error *reterr)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/meta.csv", q->out);
    FILE *file = fopen(path, "w");
    if (!file) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    (void)fputs(
        "index,seed,burst_id,label,family,snr,sd,frame_sd,exposure_s,nearest_px,n_missing,n_try,coded,e_min_kev,"
        "e_max_kev,low_threshold,has_platform,sky_y,sky_z\n",
        file);
    for (uint64_t i = 0; i < q->n; i++) {
        const struct eclairs_row *row = &rows[i];
        (void)fprintf(file, "%llu,%llu,%s,%d,%s,%.4f,%.4f,%.4f,%.2f,%.3f,%d,%d,%.4f,%g,%g,%d,%d,%d,%d\n",
                      (unsigned long long)i, (unsigned long long)q->seed, row->burst_id, eclairs_label(row->family),
                      ECLAIRS_FAMILY_WORD[row->family], row->snr, row->spread, row->frame_sd, row->exposure_s,
                      row->nearest_px, row->n_missing, row->n_try, row->coded, row->e_min_kev, row->e_max_kev,
                      row->low_threshold, row->has_platform, row->sky_y, row->sky_z);
    }
    return npy_close(file, path, reterr);
}

/* The facts last, set.json at the very end: a folder with it is whole. */
static enum burst_err write_set(const struct request *q, const struct eclairs_order *order,
                                const struct eclairs_row *rows, struct burst_error *reterr)
{
    enum burst_err err = write_arrays(q, rows, reterr);
    if (!err) err = write_facts(q, rows, reterr);
    return err ? err : write_about(q, order, rows, reterr);
}

static enum burst_err make_set(const struct request *q, struct burst_error *reterr)
{
    struct catalogue c = {0};
    struct eclairs_order order;
    if (strlen(q->out) > 480) return burst_fail(reterr, BURST_E_LIMIT, "the folder's name is too long");
    if (mkdir(q->out, 0777) != 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", q->out, strerror(errno));
    enum burst_err err = open_catalogue(q, &c, reterr);
    if (err) return err;
    make_order(q, &order);
    struct eclairs_row *rows = calloc(q->n, sizeof *rows);
    if (!rows) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for %llu samples", (unsigned long long)q->n);
    if (!err) err = eclairs_set_make(&c, &order, show, rows, reterr);
    if (!err) err = write_set(q, &order, rows, reterr);
    free(rows);
    catalogue_fini(&c);
    return err;
}

/* Unclear ones have no label to be mixed with others under. */
static bool mixes_unclear(const struct request *q)
{
    const uint32_t unclear = 1u << ECLAIRS_UNCLEAR;
    return q->only & unclear && q->only != unclear;
}

int command_images(int argc, char **argv)
{
    struct request q;
    struct burst_error err;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE_IMAGES, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, USAGE_IMAGES, &q);
    if (status != EXIT_GOOD) return status;
    /* --n is needed; --family, --snr and --lost belong to `image` */
    if (q.n == 0 || q.family >= 0 || q.snr > 0.0 || q.lost || mixes_unclear(&q)) {
        (void)fputs(USAGE_IMAGES, stderr);
        return EXIT_USAGE;
    }
    return make_set(&q, &err) ? fail_with(&err) : EXIT_GOOD;
}

/* ---- one file ---- */

static void describe(const struct subimage_packet *p, char date[2][CLOCK_UTC_TEXT], struct fits_subimage *ret_image)
{
    clock_utc_text(p->span.start_ns, date[0]);
    clock_utc_text(p->span.stop_ns, date[1]);
    for (int i = 0; i < 2; i++)
        date[i][strlen(date[i]) - 1] = 0; /* FITS dates carry no Z */
    *ret_image = (struct fits_subimage){
        .burst_id = p->burst_id,
        .alert_count = p->alert_count,
        .date_obs = date[0],
        .date_end = date[1],
        .e_min_kev = p->e_min_kev,
        .e_max_kev = p->e_max_kev,
        .timescale_s = p->timescale_s,
        .snr_sigma = p->snr_sigma,
        .trigger_type = p->trigger_type,
        .slew_status = p->slew_status,
        .data_stream = p->data_stream,
        .n_y = p->n_y,
        .n_z = p->n_z,
        .sky_y0 = p->sky_y0,
        .sky_z0 = p->sky_z0,
        .sky_n = p->sky_n,
        .trigger_y = p->trigger_y,
        .trigger_z = p->trigger_z,
        .snr = p->snr,
    };
    memcpy(ret_image->crpix, p->wcs.crpix, sizeof ret_image->crpix);
    memcpy(ret_image->crval_deg, p->wcs.crval_deg, sizeof ret_image->crval_deg);
    memcpy(ret_image->cd, p->wcs.cd, sizeof ret_image->cd);
}

static enum burst_err write_image(const struct request *q, const struct eclairs_alert *a, struct burst_error *reterr)
{
    struct fits_subimage image;
    char date[2][CLOCK_UTC_TEXT];
    uint8_t *bytes;
    size_t n;
    describe(&a->packet, date, &image);
    enum burst_err err = fits_write_subimage(&image, &bytes, &n, reterr);
    if (err) return err;
    err = bytes_write_file(q->out, bytes, n, reterr);
    free(bytes);
    return err;
}

static enum burst_err make_image(const struct request *q, struct burst_error *reterr)
{
    struct catalogue c = {0};
    struct eclairs *e = NULL;
    struct eclairs_alert a;
    struct eclairs_wish wish = {.family = (enum eclairs_family)q->family, .snr = q->snr, .lose_packets = q->lost};
    wish.low_threshold = wish.family == ECLAIRS_NOISE;
    enum burst_err err = open_catalogue(q, &c, reterr);
    if (err) return err;
    err = eclairs_new(q->mask_seed, &c, &e, reterr);
    if (!err) err = eclairs_alert(e, q->seed, 0, &wish, &a, reterr);
    if (!err) err = write_image(q, &a, reterr);
    eclairs_free(e);
    catalogue_fini(&c);
    return err;
}

int command_image(int argc, char **argv)
{
    struct request q;
    struct burst_error err;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE_IMAGE, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, USAGE_IMAGE, &q);
    if (status != EXIT_GOOD) return status;
    if (q.family < 0 || q.n > 0 || q.threads > 0 || q.only || q.without || q.shift) {
        (void)fputs(USAGE_IMAGE, stderr);
        return EXIT_USAGE;
    }
    if (q.snr > 0.0 && eclairs_label((enum eclairs_family)q.family) != 1) {
        (void)fprintf(stderr, "burst-sim: --snr is for the true families\n");
        return EXIT_USAGE;
    }
    return make_image(&q, &err) ? fail_with(&err) : EXIT_GOOD;
}
