/* Evidence on a terminal: spark lines per band, or the sub-image with two pixels per character. Reads through the strict gate:
 * a file from a network is a file from outside. */
#include "burstctl.h"
#include "fits/card.h"
#include "fits/gate.h"
#include "fits/image.h"
#include "fits/table.h"
#include "records/sample.h"
#include <math.h>
#include <string.h>

/* ---- light curves ---- */

enum { COLUMNS = 75, BINS_PER_COLUMN = WINDOW_BINS / COLUMNS };
static const char *const SPARK[8] = {"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};

/* Sums over detectors of the good bins under each character. */
struct curves {
    int n_band, n_detector;
    double lo_kev[BAND_MAX], hi_kev[BAND_MAX];
    double counts[BAND_MAX][COLUMNS], bins[COLUMNS]; /* bins: mean number of detectors' good bins */
    double cam[COLUMNS];
    bool has_cam;
};

static enum burst_err read_bands(const struct fits_hdu *hdu, struct curves *c, struct burst_error *reterr)
{
    int64_t n = 0;
    enum burst_err err = fits_key_int(hdu, "N_BAND", 1, BAND_MAX, &n, reterr);
    if (!err && c->n_band && c->n_band != (int)n)
        err = burst_fail(reterr, BURST_E_FORMAT, "%s: %d bands, the table before has %d", hdu->name, (int)n, c->n_band);
    for (int b = 0; b < n && !err; b++) {
        char key[32];
        (void)snprintf(key, sizeof key, "E_LO%d", b + 1);
        err = fits_key_real(hdu, key, 0, 1e6, &c->lo_kev[b], reterr);
        (void)snprintf(key, sizeof key, "E_HI%d", b + 1);
        if (!err) err = fits_key_real(hdu, key, 0, 1e6, &c->hi_kev[b], reterr);
    }
    if (!err) c->n_band = (int)n;
    return err;
}

static void add_row(struct curves *c, const struct fits_table *t, const struct fits_column *counts,
                    const struct fits_column *valid, const struct fits_column *cam, size_t row)
{
    size_t at = row / BINS_PER_COLUMN;
    if (cam) c->cam[at] += fits_cell_real(t, cam, row, 0);
    if (!(fits_cell_real(t, valid, row, 0) > 0)) return;
    c->bins[at] += 1;
    for (int b = 0; b < c->n_band; b++)
        c->counts[b][at] += fits_cell_real(t, counts, row, b);
}

static enum burst_err add_table(struct curves *c, const struct fits_hdu *hdu, struct burst_error *reterr)
{
    struct fits_table t;
    const struct fits_column *counts, *valid, *cam = NULL;
    enum burst_err err = fits_table_view(hdu, &t, reterr);
    if (!err) err = read_bands(hdu, c, reterr);
    if (!err) err = fits_table_column(&t, "COUNTS", 0, &counts, reterr);
    if (!err) err = fits_table_column(&t, "VALID", 'B', &valid, reterr);
    if (err) return err;
    if (t.n_row != WINDOW_BINS || counts->n_item != c->n_band)
        return burst_fail(reterr, BURST_E_SHAPE, "%s: %zu rows of %lld counts, not %d of %d", hdu->name, t.n_row,
                          (long long)counts->n_item, WINDOW_BINS, c->n_band);
    if (fits_table_column(&t, "CAM", 'E', &cam, NULL)) cam = NULL; /* detectors without an explanation have none */
    c->has_cam = c->has_cam || cam;
    for (size_t row = 0; row < t.n_row; row++)
        add_row(c, &t, counts, valid, cam, row);
    c->n_detector++;
    return BURST_OK;
}

/* Characters between the lowest and the highest value; NaN is a blank. */
static void put_spark(FILE *out, const double value[COLUMNS], double *ret_lo, double *ret_hi)
{
    double lo = NAN, hi = NAN;
    for (int i = 0; i < COLUMNS; i++) {
        if (isnan(value[i])) continue;
        if (!(value[i] >= lo)) lo = value[i];
        if (!(value[i] <= hi)) hi = value[i];
    }
    for (int i = 0; i < COLUMNS; i++) {
        int level = hi > lo ? (int)(7.999 * (value[i] - lo) / (hi - lo)) : 0;
        (void)fputs(isnan(value[i]) ? " " : SPARK[level < 0 || level > 7 ? 0 : level],
                    out); /* failures show at the end */
    }
    *ret_lo = lo;
    *ret_hi = hi;
}

static void put_trigger(FILE *out, const struct fits_hdu *primary)
{
    int64_t start_ns, trigger_ns;
    if (fits_key_ns(primary, "TSTART", &start_ns, NULL) || fits_key_ns(primary, "TRIGTIME", &trigger_ns, NULL)) return;
    int64_t at = (trigger_ns - start_ns) / (BINS_PER_COLUMN * BIN_NS);
    if (trigger_ns < start_ns || at >= COLUMNS) return;
    (void)fprintf(out, "%16s%*s^ trigger\n", "", (int)at, ""); /* failures show at the end */
}

static enum burst_err picture_curves(FILE *out, const struct fits_file *file, struct burst_error *reterr)
{
    struct curves c = {0};
    double lo, hi, rate[COLUMNS];
    for (int i = 1; i < file->n_hdu; i++) {
        enum burst_err err =
            strncmp(file->hdu[i].name, "LC_", 3) == 0 ? add_table(&c, &file->hdu[i], reterr) : BURST_OK;
        if (err) return err;
    }
    if (c.n_detector == 0) return burst_fail(reterr, BURST_E_MISSING, "neither light curves nor an image in this file");
    (void)fprintf(out, "%d detector%s, 120 s, %.1f s per character, counts/s per detector\n", c.n_detector,
                  c.n_detector == 1 ? "" : "s", BINS_PER_COLUMN * 0.064);
    for (int b = 0; b < c.n_band; b++) {
        for (int i = 0; i < COLUMNS; i++)
            rate[i] = c.bins[i] > 0 ? c.counts[b][i] / c.bins[i] / 0.064 : NAN;
        (void)fprintf(out, "%5.4g-%4.4g keV  ", c.lo_kev[b], c.hi_kev[b]);
        put_spark(out, rate, &lo, &hi);
        (void)fprintf(out, "  %.4g to %.4g\n", lo, hi);
    }
    if (c.has_cam) {
        (void)fprintf(out, "%-14s  ", "looked at");
        put_spark(out, c.cam, &lo, &hi);
        (void)fprintf(out, "  (Grad-CAM)\n");
    }
    put_trigger(out, &file->hdu[0]);
    return BURST_OK;
}

/* ---- images ---- */

struct picture {
    int width, height;
    double snr[IMAGE_SIDE][IMAGE_SIDE];
    int mask[IMAGE_SIDE][IMAGE_SIDE];
    double lo, hi;
};

static enum burst_err view_square(const struct fits_hdu *hdu, struct fits_image *ret_image, struct burst_error *reterr)
{
    if (hdu->n_axis != 2 || hdu->axis[0] != IMAGE_SIDE || hdu->axis[1] != IMAGE_SIDE)
        return burst_fail(reterr, BURST_E_SHAPE, "%s is not %d x %d pixels", hdu->name, IMAGE_SIDE, IMAGE_SIDE);
    return fits_image_view(hdu, ret_image, reterr);
}

static enum burst_err read_picture(const struct fits_hdu *snr_hdu, const struct fits_hdu *mask_hdu, struct picture *p,
                                   struct burst_error *reterr)
{
    struct fits_image snr, mask;
    enum burst_err err = view_square(snr_hdu, &snr, reterr);
    if (!err) err = view_square(mask_hdu, &mask, reterr);
    if (err) return err;
    p->lo = p->hi = NAN;
    for (size_t i = 0; i < (size_t)IMAGE_SIDE * IMAGE_SIDE; i++) {
        double value = fits_image_pixel(&snr, i);
        p->snr[i / IMAGE_SIDE][i % IMAGE_SIDE] = value;
        p->mask[i / IMAGE_SIDE][i % IMAGE_SIDE] = (int)fits_image_pixel(&mask, i);
        if (isnan(value)) continue;
        if (!(value >= p->lo)) p->lo = value;
        if (!(value <= p->hi)) p->hi = value;
    }
    return BURST_OK;
}

static double level(const struct picture *p, int z, int y)
{
    if (isnan(p->snr[z][y])) return NAN;
    return p->hi > p->lo ? (p->snr[z][y] - p->lo) / (p->hi - p->lo) : 0;
}

/* Red: trigger. Blue: catalogued source. Grey: the sky. Dark blue-grey: no data. */
static void pixel_rgb(const struct picture *p, int z, int y, int rgb[3])
{
    double x = level(p, z, y);
    int grey = isnan(x) ? 0 : 20 + (int)(x * 235);
    rgb[0] = rgb[1] = rgb[2] = grey;
    if (isnan(x)) rgb[2] = 40;
    if (p->mask[z][y] == MASK_TRIGGER) rgb[1] = rgb[2] = grey / 4;
    if (p->mask[z][y] == MASK_SOURCE) {
        rgb[0] = grey / 3;
        rgb[2] = 255;
    }
}

static void put_colour_row(FILE *out, const struct picture *p, int z)
{
    int upper[3], lower[3];
    for (int y = 0; y < IMAGE_SIDE; y++) {
        pixel_rgb(p, z, y, upper);
        pixel_rgb(p, z - 1, y, lower);
        (void)fprintf(out, "\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm\u2580", upper[0], upper[1], upper[2], lower[0],
                      lower[1], lower[2]);
    }
    (void)fprintf(out, "\033[0m\n");
}

/* Without colour a half block is on or off: on from the middle of the scale up. */
static void put_plain_row(FILE *out, const struct picture *p, int z)
{
    static const char *const HALF[4] = {" ", "\u2584", "\u2580", "\u2588"};
    for (int y = 0; y < IMAGE_SIDE; y++)
        (void)fputs(HALF[2 * (level(p, z, y) > 0.5) + (level(p, z - 1, y) > 0.5)], out);
    (void)fputc('\n', out);
}

static void count_mask(const struct picture *p, int ret_n[4])
{
    memset(ret_n, 0, 4 * sizeof *ret_n);
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++)
            if (p->mask[z][y] >= 0 && p->mask[z][y] < 4) ret_n[p->mask[z][y]]++;
}

static enum burst_err picture_image(FILE *out, const struct fits_hdu *snr, const struct fits_hdu *mask, bool colour,
                                    struct burst_error *reterr)
{
    struct picture p;
    int n[4];
    enum burst_err err = read_picture(snr, mask, &p, reterr);
    if (err) return err;
    for (int z = IMAGE_SIDE - 1; z > 0; z -= 2) { /* FITS counts rows from below */
        if (colour)
            put_colour_row(out, &p, z);
        else
            put_plain_row(out, &p, z);
    }
    count_mask(&p, n);
    (void)fprintf(out,
                  "SNR %.1f to %.1f sigma%s; %d pixels of catalogued sources, %d without data; trigger in the middle\n",
                  p.lo, p.hi, colour ? " (red: trigger, blue: catalogued source)" : ", filled from the middle up",
                  n[MASK_SOURCE], n[MASK_IGNORE]);
    return BURST_OK;
}

enum burst_err picture_evidence(FILE *out, const uint8_t *fits, size_t n, bool colour, struct burst_error *reterr)
{
    static struct fits_file file; /* some kilobytes of headers; one picture at a time */
    enum burst_err err = fits_gate(fits, n, &file, reterr);
    if (err) return err;
    const struct fits_hdu *mask = fits_hdu_named(&file, "MASK");
    err = mask ? picture_image(out, &file.hdu[0], mask, colour, reterr) : picture_curves(out, &file, reterr);
    if (!err && ferror(out)) err = burst_fail(reterr, BURST_E_IO, "the picture cannot be written");
    return err;
}
