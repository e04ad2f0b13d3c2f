/* ECLAIRs sub-images, protocol.md 5. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "fits/card.h"
#include "fits/image.h"
#include "fits/sum.h"
#include "ingest/ingest.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const double SNR_MOST = 1e6;         /* sigma; the brightest sources reach a few thousand */
enum { SKY_MOST = 4096, ALERT_MOST = 255 }; /* Alert_MsgCount has 8 bits: formats.md 4.4 */

/* Sky coordinates that are no camera's: the side of the whole sky image on the tangent plane (ECLAIRs: 200 pixels of 0.56
 * degrees), and how far from square its pixels may be. */
static const double SKY_LEAST_DEG = 30, SKY_MOST_DEG = 300, CD_MOST_DEG = 10, SQUARE = 0.5;

/* Read the wrong way round, the exponent of a single comes from its last byte, which is anything: 42 % of the numbers are then
 * over 1e6 and 10 % under 1e-30; rounded ones, whose last byte is 0, are nearly all under. */
static const double SNR_TINY = 1e-30, SWAPPED_SHARE = 0.25;
/* Noise has 0.93 sigma from pixel to pixel, and half of that between neighbours (science.md B.2). */
static const double SAME_SIGMA = 0.01, SAME_SHARE = 0.75;
enum { PAIRS_LEAST = 16 };

/* ---- shape ---- */

static enum burst_err check_shape(const struct fits_file *file, struct burst_error *reterr)
{
    const struct fits_hdu *h = &file->hdu[0];
    if (h->bitpix != -32 || h->n_axis != 2)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "%s: BITPIX %d, NAXIS %d: a float32 image of 2 axes expected (card at byte %zu)", h->name,
                          h->bitpix, h->n_axis, fits_key_at(h, "BITPIX"));
    if (h->axis[0] < 1 || h->axis[0] > SUBIMAGE_SIDE || h->axis[1] < 1 || h->axis[1] > SUBIMAGE_SIDE)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "%s: the image has %lld x %lld pixels, 1 to %d a side expected (card at byte %zu)", h->name,
                          (long long)h->axis[0], (long long)h->axis[1], SUBIMAGE_SIDE, fits_key_at(h, "NAXIS1"));
    if (file->n_hdu > 1)
        return burst_fail(reterr, BURST_E_SHAPE, "%d HDUs, a sub-image has one (second at byte %zu)", file->n_hdu,
                          file->hdu[1].header_at);
    return BURST_OK;
}

/* ---- keywords ---- */

struct reading {
    const struct fits_hdu *hdu;
    struct burst_error *reterr;
    enum burst_err err; /* the first failure; later reads do nothing */
};

static int read_int(struct reading *r, const char *key, int64_t least, int64_t most)
{
    int64_t value = 0;
    if (!r->err) r->err = fits_key_int(r->hdu, key, least, most, &value, r->reterr);
    return (int)value;
}

static double read_real(struct reading *r, const char *key, double least, double most)
{
    double value = 0;
    if (!r->err) r->err = fits_key_real(r->hdu, key, least, most, &value, r->reterr);
    return value;
}

static void read_text(struct reading *r, const char *key, char *ret_text, size_t size)
{
    ret_text[0] = 0;
    if (!r->err) r->err = fits_key_text(r->hdu, key, ret_text, size, r->reterr);
    if (!r->err && !ret_text[0])
        r->err = burst_fail(r->reterr, BURST_E_MISSING, "%s: %s is empty (card at byte %zu)", r->hdu->name, key,
                            fits_key_at(r->hdu, key));
}

static int64_t read_utc(struct reading *r, const char *key)
{
    char text[FITS_TEXT_MAX], where[FITS_NAME_TEXT + 64];
    int64_t tt_ns = 0;
    read_text(r, key, text, sizeof text);
    if (!r->err && (r->err = clock_parse_utc(text, &tt_ns, r->reterr))) {
        (void)snprintf(where, sizeof where, "%s: %s (card at byte %zu)", r->hdu->name, key, fits_key_at(r->hdu, key));
        (void)burst_prefix(r->reterr, r->err, where);
    }
    return tt_ns;
}

/* One of the words, compared without case; the first spelling is what the record holds. */
static void read_word(struct reading *r, const char *key, const char *const *words, char *ret_text, size_t size)
{
    char text[FITS_TEXT_MAX];
    read_text(r, key, text, sizeof text);
    for (int i = 0; !r->err && words[i]; i++)
        if (!strcasecmp(text, words[i])) {
            (void)snprintf(ret_text, size, "%s", words[i]);
            return;
        }
    if (!r->err)
        r->err = burst_fail(r->reterr, BURST_E_FORMAT, "%s: %s is '%s', %s or %s expected (card at byte %zu)",
                            r->hdu->name, key, text, words[0], words[1], fits_key_at(r->hdu, key));
}

static void refuse_unless(struct reading *r, bool good, enum burst_err code, const char *key, const char *why)
{
    if (r->err || good) return;
    r->err =
        burst_fail(r->reterr, code, "%s: %s: %s (card at byte %zu)", r->hdu->name, key, why, fits_key_at(r->hdu, key));
}

static void read_burst(struct reading *r, struct subimage_packet *p)
{
    static const char *const TRIGGERS[] = {"CRT", "IMT", NULL}, *const STREAMS[] = {"VHF", "XBAND", NULL};
    read_text(r, "BURST_ID", p->burst_id, sizeof p->burst_id);
    const char *legal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    refuse_unless(r, p->burst_id[strspn(p->burst_id, legal)] == 0, BURST_E_FORMAT, "BURST_ID",
                  "letters, digits, '_', '.' and '-' expected");
    p->alert_count = read_int(r, "ALERTCNT", 0, ALERT_MOST);
    p->span.start_ns = read_utc(r, "DATE-OBS");
    p->span.stop_ns = read_utc(r, "DATE-END");
    refuse_unless(r, p->span.stop_ns > p->span.start_ns, BURST_E_TIME, "DATE-END", "not after DATE-OBS");
    p->e_min_kev = read_real(r, "E_MIN", 0, 1e4);
    p->e_max_kev = read_real(r, "E_MAX", 0, 1e4);
    refuse_unless(r, p->e_max_kev > p->e_min_kev, BURST_E_RANGE, "E_MAX", "not above E_MIN");
    p->timescale_s = read_real(r, "TIMESCAL", 0, 1e5);
    refuse_unless(r, p->timescale_s > 0, BURST_E_RANGE, "TIMESCAL", "not above 0 s");
    p->snr_sigma = read_real(r, "SNR", -SNR_MOST, SNR_MOST);
    read_word(r, "TRIGTYPE", TRIGGERS, p->trigger_type, sizeof p->trigger_type);
    read_text(r, "SLEWSTAT", p->slew_status, sizeof p->slew_status);
    read_word(r, "DSTREAM", STREAMS, p->data_stream, sizeof p->data_stream);
}

static void read_sky(struct reading *r, struct subimage_packet *p)
{
    p->sky_n = read_int(r, "SKYN", 1, SKY_MOST);
    p->sky_y0 = read_int(r, "SKYY0", 0, p->sky_n - 1);
    p->sky_z0 = read_int(r, "SKYZ0", 0, p->sky_n - 1);
    p->trigger_y = read_int(r, "TRIGY", 0, p->sky_n - 1);
    p->trigger_z = read_int(r, "TRIGZ", 0, p->sky_n - 1);
    refuse_unless(r, p->sky_y0 + p->n_y <= p->sky_n, BURST_E_RANGE, "SKYY0",
                  "the image leaves the sky of SKYN pixels a side");
    refuse_unless(r, p->sky_z0 + p->n_z <= p->sky_n, BURST_E_RANGE, "SKYZ0",
                  "the image leaves the sky of SKYN pixels a side");
}

/* ---- sky coordinates ---- */

static void expect_if_there(struct reading *r, const char *key, const char *want)
{
    if (!r->err && fits_key_has(r->hdu, key)) r->err = fits_key_expect(r->hdu, key, want, r->reterr);
}

/* Keywords that would turn or bend the projection away from what the record can say. */
static void refuse_other_projections(struct reading *r)
{
    static const char *const KEYS[] = {"PC1_1",  "PC1_2",   "PC2_1",   "PC2_2",  "CROTA1",
                                       "CROTA2", "A_ORDER", "B_ORDER", "LATPOLE"};
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        refuse_unless(r, !fits_key_has(r->hdu, KEYS[i]), BURST_E_UNSUPPORTED, KEYS[i],
                      "only CTYPE, CRPIX, CRVAL and CDi_j are taken");
    if (!r->err && fits_key_has(r->hdu, "LONPOLE")) (void)read_real(r, "LONPOLE", 180, 180);
    expect_if_there(r, "CUNIT1", "deg");
    expect_if_there(r, "CUNIT2", "deg");
}

static void read_matrix(struct reading *r, struct tan_wcs *w)
{
    w->cd[0][0] = read_real(r, "CD1_1", -CD_MOST_DEG, CD_MOST_DEG);
    w->cd[0][1] = read_real(r, "CD1_2", -CD_MOST_DEG, CD_MOST_DEG);
    w->cd[1][0] = read_real(r, "CD2_1", -CD_MOST_DEG, CD_MOST_DEG);
    w->cd[1][1] = read_real(r, "CD2_2", -CD_MOST_DEG, CD_MOST_DEG);
}

/* Numbers that can be read but belong to no coded mask: its sky is a grid of square pixels around the axis it looks along. */
static void refuse_absurd(struct reading *r, const struct subimage_packet *p)
{
    const struct tan_wcs *w = &p->wcs;
    double row1 = hypot(w->cd[0][0], w->cd[0][1]), row2 = hypot(w->cd[1][0], w->cd[1][1]);
    double det = w->cd[0][0] * w->cd[1][1] - w->cd[0][1] * w->cd[1][0];
    double y = w->crpix[0] - 1 + p->sky_y0, z = w->crpix[1] - 1 + p->sky_z0;
    refuse_unless(r, fabs(det) > SQUARE * row1 * row2 && fmin(row1, row2) >= SQUARE * fmax(row1, row2), BURST_E_RANGE,
                  "CD1_1", "the CD matrix is singular, or its pixels are no squares");
    refuse_unless(r, row1 * p->sky_n >= SKY_LEAST_DEG && row1 * p->sky_n <= SKY_MOST_DEG, BURST_E_RANGE, "CD1_1",
                  "the sky of SKYN pixels is not 30 to 300 degrees wide");
    refuse_unless(r, fmin(y, z) >= -0.5 && fmax(y, z) <= p->sky_n - 0.5, BURST_E_RANGE, "CRPIX1",
                  "the axis lies outside the sky of SKYN pixels a side");
}

/* A sub-image that nobody can place on the sky is an alert all the same: docs/decisions/0008. */
static void read_wcs(const struct fits_hdu *hdu, struct subimage_packet *p)
{
    struct burst_error why;
    struct reading r = {hdu, &why, fits_key_expect(hdu, "CTYPE1", "RA---TAN", &why)};
    if (!r.err) r.err = fits_key_expect(hdu, "CTYPE2", "DEC--TAN", &why);
    refuse_other_projections(&r);
    p->wcs.crpix[0] = read_real(&r, "CRPIX1", -1e5, 1e5);
    p->wcs.crpix[1] = read_real(&r, "CRPIX2", -1e5, 1e5);
    p->wcs.crval_deg[0] = read_real(&r, "CRVAL1", -180, 360);
    p->wcs.crval_deg[1] = read_real(&r, "CRVAL2", -90, 90);
    read_matrix(&r, &p->wcs);
    refuse_absurd(&r, p);
    if (!r.err) return;
    p->faults |= SUBIMAGE_NO_WCS;
    p->wcs = (struct tan_wcs){0};
    (void)snprintf(p->wcs_fault, sizeof p->wcs_fault, "%.*s", FAULT_TEXT - 1, why.text);
}

/* ---- pixels ---- */

static float turned(float value)
{
    uint8_t b[4], back[4];
    memcpy(b, &value, sizeof b);
    for (int i = 0; i < 4; i++)
        back[i] = b[3 - i];
    memcpy(&value, back, sizeof value);
    return value;
}

/* No signal to noise of any sky: infinite, over SNR_MOST, or so small that only a wrong exponent makes it. */
static bool is_odd(float value)
{
    double size = fabs((double)value);
    return size > SNR_MOST || (size > 0 && size < SNR_TINY);
}

/* The statistics of bytes in the wrong order: many odd numbers as they stand, none when they are turned round. */
static bool is_swapped(const float *snr, size_t n)
{
    size_t n_odd = 0;
    for (size_t i = 0; i < n; i++) {
        n_odd += is_odd(snr[i]);
        if (is_odd(turned(snr[i]))) return false;
    }
    return n_odd > 0 && (double)n_odd >= SWAPPED_SHARE * (double)n;
}

/* Neighbours that are all alike: a constant image, zeros around one peak. Pairs with a NaN count on neither side. */
static bool is_without_noise(const float *snr, int n_y, int n_z)
{
    int n_pair = 0, n_same = 0;
    for (int i = 0; i < n_y * n_z; i++) {
        double right = i % n_y + 1 < n_y ? (double)snr[i + 1] : (double)NAN;
        double up = i / n_y + 1 < n_z ? (double)snr[i + n_y] : (double)NAN, here = (double)snr[i];
        n_pair += !isnan(right - here) + !isnan(up - here);
        n_same += (fabs(right - here) < SAME_SIGMA) + (fabs(up - here) < SAME_SIGMA);
    }
    return n_pair >= PAIRS_LEAST && n_same >= SAME_SHARE * n_pair;
}

/* Infinity is what a division by no variance leaves: no data came for that pixel. */
static enum burst_err judge_pixels(const struct fits_image *image, struct subimage_packet *p, float *snr,
                                   struct burst_error *reterr)
{
    const struct fits_hdu *hdu = image->hdu;
    size_t n_data = 0;
    bool swapped = is_swapped(snr, image->n_pixel);
    if (swapped) p->faults |= SUBIMAGE_SWAPPED;
    for (size_t i = 0; i < image->n_pixel; i++) {
        if (swapped) snr[i] = turned(snr[i]);
        if (isinf(snr[i])) snr[i] = NAN;
        if (fabs((double)snr[i]) > SNR_MOST)
            return burst_fail(reterr, BURST_E_RANGE, "%s: pixel (%zu, %zu) is %g sigma, at most %g expected (byte %zu)",
                              hdu->name, i % (size_t)p->n_y + 1, i / (size_t)p->n_y + 1, (double)snr[i], SNR_MOST,
                              fits_image_pixel_at(image, i));
        n_data += isnan(snr[i]) ? 0 : 1;
    }
    if (!n_data)
        return burst_fail(reterr, BURST_E_RANGE, "%s: none of the %zu pixels has data (data at byte %zu)", hdu->name,
                          image->n_pixel, hdu->data_at);
    if (is_without_noise(snr, p->n_y, p->n_z)) p->faults |= SUBIMAGE_NO_NOISE;
    return BURST_OK;
}

static enum burst_err read_pixels(const struct fits_hdu *hdu, struct subimage_packet *p, float *snr,
                                  struct burst_error *reterr)
{
    struct fits_image image;
    enum burst_err err = fits_image_view(hdu, &image, reterr);
    if (err) return err;
    if (image.scale != 1 || image.zero != 0)
        return burst_fail(reterr, BURST_E_FORMAT,
                          "%s: BSCALE %g, BZERO %g: pixels are SNR as they stand, 1 and 0 expected (card at byte %zu)",
                          hdu->name, image.scale, image.zero, fits_key_at(hdu, image.scale != 1 ? "BSCALE" : "BZERO"));
    for (size_t i = 0; i < image.n_pixel; i++)
        snr[i] = bytes_get_f32(hdu->data + 4 * i);
    return judge_pixels(&image, p, snr, reterr);
}

static enum burst_err read_keywords(const struct fits_hdu *hdu, const struct instrument_fact *fact,
                                    struct subimage_packet *p, struct burst_error *reterr)
{
    struct reading r = {hdu, reterr, fits_key_expect(hdu, "TELESCOP", fact->fits_telescope, reterr)};
    if (!r.err) r.err = fits_key_expect(hdu, "INSTRUME", fact->fits_instrument, reterr);
    read_burst(&r, p);
    read_sky(&r, p);
    if (!r.err) read_wcs(hdu, p);
    return r.err;
}

enum burst_err ingest_subimage(struct source source, const uint8_t *body, size_t n, struct arena *arena,
                               struct subimage_packet *ret_packet, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    struct fits_file file;
    struct subimage_packet p = {.source = source};
    if (!fact || fact->n_detector)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no sub-images", fact ? fact->topic : "this source");
    enum burst_err err = fits_gate(body, n, &file, reterr);
    if (err || (err = fits_sums_check(&file, reterr)) || (err = check_shape(&file, reterr))) return err;
    p.n_y = (int)file.hdu[0].axis[0];
    p.n_z = (int)file.hdu[0].axis[1];
    if ((err = read_keywords(&file.hdu[0], fact, &p, reterr))) return err;
    float *snr = arena_take(arena, (size_t)p.n_y * (size_t)p.n_z, sizeof *snr);
    if (!snr) return burst_fail(reterr, BURST_E_NOMEM, "%d x %d pixels do not fit the arena", p.n_y, p.n_z);
    if ((err = read_pixels(&file.hdu[0], &p, snr, reterr))) return err;
    p.snr = snr;
    hash_sha256(&(struct hash_piece){body, n}, 1, p.sha256);
    *ret_packet = p;
    return BURST_OK;
}
