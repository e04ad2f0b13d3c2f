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
    "  --out DIR         made when absent; gets x.npy (float32 [N,2,56,56]), y.npy (int64), meta.csv\n"
    "  --seed S          default 1; samples of two seeds share no sky\n"
    "  --mask-seed S     mask pattern, default 1\n"
    "  --catalogue FILE  known sources; default: " CATALOGUE " in the data folder\n"
    "                    ($BURST_DATADIR, else share/burstd beside the program)\n";

static const char USAGE_IMAGE[] =
    "usage: burst-sim image --family WORD --out FILE.fits [options]\n"
    "\n"
    "  --family WORD     true outburst setting (true alerts); badsub saa column xrdpix hotpix artefact noise\n"
    "  --out FILE        the sub-image as the mission sends it (a file that exists is replaced)\n"
    "  --snr X           of a true family: aimed at, met within 10 %\n"
    "  --lost            one to three of eight stripes, or a block, are missing\n"
    "  --seed S, --mask-seed S, --catalogue FILE  as in burst-sim images\n";

struct request {
    uint64_t n, seed, mask_seed;
    int family;
    double snr;
    bool lost;
    const char *out, *catalogue;
};

static const struct option OPTION[] = {{"n", required_argument, NULL, 'n'},
                                       {"out", required_argument, NULL, 'o'},
                                       {"seed", required_argument, NULL, 's'},
                                       {"mask-seed", required_argument, NULL, 'm'},
                                       {"catalogue", required_argument, NULL, 'c'},
                                       {"family", required_argument, NULL, 'f'},
                                       {"snr", required_argument, NULL, 'r'},
                                       {"lost", no_argument, NULL, 'l'},
                                       {NULL, 0, NULL, 0}};

static int parse_option(int c, struct request *q)
{
    switch (c) {
    case 'n': return option_count("n", optarg, 2, 50000, &q->n);
    case 'o': q->out = optarg; return 1;
    case 's': return option_count("seed", optarg, 0, UINT64_MAX, &q->seed);
    case 'm': return option_count("mask-seed", optarg, 0, UINT64_MAX, &q->mask_seed);
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

static enum burst_err open_simulator(const struct request *q, struct catalogue *c, struct eclairs **ret_e,
                                     struct burst_error *reterr)
{
    char path[512];
    find_catalogue(q, path);
    enum burst_err err = catalogue_load(path, c, reterr);
    if (err) return err;
    err = eclairs_new(q->mask_seed, c, ret_e, reterr);
    if (err) catalogue_fini(c);
    return err;
}

/* ---- a labelled set ---- */

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
    (void)fputs("index,seed,burst_id,label,family,snr,sd,frame_sd,exposure_s,nearest_px,n_missing,n_try\n", file);
    for (uint64_t i = 0; i < q->n; i++)
        (void)fprintf(file, "%llu,%llu,%s,%d,%s,%.4f,%.4f,%.4f,%.2f,%.3f,%d,%d\n", (unsigned long long)i,
                      (unsigned long long)q->seed, rows[i].burst_id, eclairs_label(rows[i].family),
                      ECLAIRS_FAMILY_WORD[rows[i].family], rows[i].snr, rows[i].spread, rows[i].frame_sd,
                      rows[i].exposure_s, rows[i].nearest_px, rows[i].n_missing, rows[i].n_try);
    return npy_close(file, path, reterr);
}

static enum burst_err make_set(const struct request *q, struct burst_error *reterr)
{
    struct catalogue c = {0};
    struct eclairs *e = NULL;
    if (strlen(q->out) > 480) return burst_fail(reterr, BURST_E_LIMIT, "the folder's name is too long");
    if (mkdir(q->out, 0777) != 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", q->out, strerror(errno));
    enum burst_err err = open_simulator(q, &c, &e, reterr);
    if (err) return err;
    struct eclairs_row *rows = calloc(q->n, sizeof *rows);
    if (!rows) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for %llu samples", (unsigned long long)q->n);
    if (!err) err = eclairs_set_make(e, &c, q->seed, q->n, show, rows, reterr);
    if (!err) err = write_arrays(q, rows, reterr);
    if (!err) err = write_facts(q, rows, reterr);
    free(rows);
    eclairs_free(e);
    catalogue_fini(&c);
    return err;
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
    if (q.n == 0 || q.family >= 0 || q.snr > 0.0 || q.lost) { /* --n is needed; the rest belongs to `image` */
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
    enum burst_err err = open_simulator(q, &c, &e, reterr);
    if (err) return err;
    err = eclairs_alert(e, q->seed, 0, &wish, &a, reterr);
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
    if (q.family < 0 || q.n > 0) {
        (void)fputs(USAGE_IMAGE, stderr);
        return EXIT_USAGE;
    }
    if (q.snr > 0.0 && !eclairs_label((enum eclairs_family)q.family)) {
        (void)fprintf(stderr, "burst-sim: --snr is for the true families\n");
        return EXIT_USAGE;
    }
    return make_image(&q, &err) ? fail_with(&err) : EXIT_GOOD;
}
