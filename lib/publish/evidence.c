/* Evidence files. The arithmetic here is only bands from atoms and a Grad-CAM stretched over the bins it stands for. */
#include "publish/evidence.h"
#include "base/clock.h"
#include "fits/write.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keywords ---- */

static enum burst_err put_time(struct fits_writer *w, const char *key, int64_t tt_ns, const char *comment,
                               struct burst_error *reterr)
{
    char text[CLOCK_UTC_TEXT];
    clock_utc_text(tt_ns, text);
    text[strlen(text) - 1] = 0; /* FITS dates carry no Z */
    return fits_put_text(w, key, text, comment, reterr);
}

/* What file and revision this is: the primary header of both kinds. */
static enum burst_err put_identity(struct fits_writer *w, const struct verdict *v, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(v->source.mission, v->source.instrument);
    if (!fact)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "no instrument %d of mission %d", (int)v->source.instrument,
                          (int)v->source.mission);
    enum burst_err err = fits_put_text(w, "TELESCOP", fact->fits_telescope, "mission", reterr);
    if (!err) err = fits_put_text(w, "INSTRUME", fact->fits_instrument, "instrument", reterr);
    if (!err) err = fits_put_text(w, "CREATOR", "burstd " BURST_VERSION, NULL, reterr);
    if (!err) err = fits_put_text(w, "EVENT_ID", v->id, "event, the verdict's id", reterr);
    if (!err) err = fits_put_int(w, "RECORD", v->record_number, "the verdict's record_number", reterr);
    if (!err) err = fits_put_text(w, "REALM", source_realm_prefix(v->source.realm), "burst: real", reterr);
    if (!err && VERDICT_CALL_WORD[v->call]) err = fits_put_text(w, "VERDICT", VERDICT_CALL_WORD[v->call], NULL, reterr);
    if (!err && isfinite(v->p_true)) err = fits_put_real(w, "P_TRUE", v->p_true, "calibrated probability", reterr);
    if (!err) err = put_time(w, "DATE-TRG", v->trigger_ns, "UTC of the trigger", reterr);
    return err;
}

static enum burst_err put_model(struct fits_writer *w, const struct verdict *v, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; i < v->n_model && !err; i++) {
        char key[32], text[MODEL_NAME_TEXT + 20];
        (void)snprintf(key, sizeof key, "MODEL%d", i + 1);
        (void)snprintf(text, sizeof text, "%s %s", v->model[i].name, v->model[i].version);
        err = fits_put_text(w, key, text, "network and version", reterr);
    }
    return err;
}

/* ---- light curves ---- */

/* Time scale words of OGIP/93-003, so that tools know what TIME is. */
static enum burst_err put_time_scale(struct fits_writer *w, const struct lightcurve_window *win,
                                     struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(win->source.mission, win->source.instrument);
    if (!fact) return burst_fail(reterr, BURST_E_UNSUPPORTED, "a window of no instrument");
    int64_t start = (win->k_end - WINDOW_BINS) * BIN_NS, stop = win->k_end * BIN_NS;
    enum burst_err err = fits_put_text(w, "TIMESYS", "TT", "time system", reterr);
    if (!err) err = fits_put_text(w, "TIMEUNIT", "s", NULL, reterr);
    if (!err) err = fits_put_int(w, "MJDREFI", fact->epoch_mjd_i, "mission elapsed time zero, days", reterr);
    if (!err) err = fits_put_real(w, "MJDREFF", fact->epoch_mjd_f, "and fraction", reterr);
    if (!err) err = fits_put_ns(w, "TSTART", start, "start of the window", reterr);
    if (!err) err = fits_put_ns(w, "TSTOP", stop, "end of the window", reterr);
    if (!err) err = fits_put_ns(w, "TIMEDEL", BIN_NS, "bin width", reterr);
    if (!err) err = put_time(w, "DATE-OBS", win->epoch_ns + start, "UTC", reterr);
    if (!err) err = put_time(w, "DATE-END", win->epoch_ns + stop, "UTC", reterr);
    return err;
}

static enum burst_err put_bands(struct fits_writer *w, const struct band_set *bands, struct burst_error *reterr)
{
    enum burst_err err = fits_put_int(w, "N_BAND", bands->n_band, "columns of COUNTS", reterr);
    for (int b = 0; b < bands->n_band && !err; b++) {
        char key[32];
        (void)snprintf(key, sizeof key, "E_LO%d", b + 1);
        err = fits_put_real(w, key, bands->edge_kev[bands->first[b]], "keV", reterr);
        (void)snprintf(key, sizeof key, "E_HI%d", b + 1);
        if (!err) err = fits_put_real(w, key, bands->edge_kev[bands->last[b]], "keV", reterr);
    }
    return err;
}

/* Storage of one detector's columns; made once, refilled per detector. */
struct curve_columns {
    double time_s[WINDOW_BINS];
    float cam[WINDOW_BINS];
    int32_t counts[WINDOW_BINS * BAND_MAX];
};

static void fill_bands(const struct lightcurve_window *win, int row, int32_t *ret_counts)
{
    const struct band_set *bands = &win->bands;
    const uint32_t *atoms = win->counts + (size_t)row * (size_t)bands->n_atom * WINDOW_BINS;
    for (int t = 0; t < WINDOW_BINS; t++)
        for (int b = 0; b < bands->n_band; b++) {
            int64_t sum = 0;
            for (int a = bands->first[b]; a < bands->last[b]; a++)
                sum += atoms[(size_t)a * WINDOW_BINS + (size_t)t];
            ret_counts[t * bands->n_band + b] = sum > INT32_MAX ? INT32_MAX : (int32_t)sum;
        }
}

/* Feature j stands for bins around (j + 1/2) x 1875 / n_cam: linear between those centres, level outside. */
static void stretch_cam(const struct window_explanation *x, float ret_cam[WINDOW_BINS])
{
    double width = (double)WINDOW_BINS / x->n_cam;
    for (int t = 0; t < WINDOW_BINS; t++) {
        double at = (t + 0.5) / width - 0.5;
        if (at < 0) at = 0;
        if (at > x->n_cam - 1) at = x->n_cam - 1;
        int j = (int)at;
        int next = j + 1 < x->n_cam ? j + 1 : j;
        ret_cam[t] = (float)(x->cam[j] + (at - j) * (x->cam[next] - x->cam[j]));
    }
}

static const struct window_explanation *explanation_of(int detector, const struct window_explanation *x, int n)
{
    for (int i = 0; i < n; i++)
        if (x[i].detector == detector && x[i].n_cam > 0 && x[i].n_cam <= CAM_MAX) return &x[i];
    return NULL;
}

static enum burst_err put_curve(struct fits_writer *w, const struct lightcurve_window *win, int row,
                                const struct window_explanation *x, struct curve_columns *c, struct burst_error *reterr)
{
    char form[8], detector[8], name[16];
    source_detector_name(win->source.instrument, win->detector[row], detector);
    (void)snprintf(name, sizeof name, "LC_%s", detector);
    (void)snprintf(form, sizeof form, "%dJ", win->bands.n_band);
    fill_bands(win, row, c->counts);
    if (x) stretch_cam(x, c->cam);
    const struct fits_put_column columns[] = {
        {"TIME", "1D", "s", c->time_s, 0},
        {"COUNTS", form, "count", c->counts, 0},
        {"VALID", "1B", NULL, win->valid + (size_t)row * WINDOW_BINS, 0},
        {"CAM", "1E", NULL, c->cam, 0},
    };
    enum burst_err err = fits_put_table(w, name, WINDOW_BINS, columns, x ? 4 : 3, reterr);
    if (!err) err = fits_put_text(w, "DETNAM", detector, "detector", reterr);
    if (!err) err = fits_put_int(w, "N_VALID", win->n_valid[row], "bins inside good time", reterr);
    if (!err) err = fits_put_logical(w, "SCORED", win->scored[row], "went through the network", reterr);
    if (!err) err = put_time_scale(w, win, reterr);
    if (!err) err = put_bands(w, &win->bands, reterr);
    return err;
}

static enum burst_err check_window(const struct lightcurve_window *win, struct burst_error *reterr)
{
    const struct band_set *bands = &win->bands;
    if (win->n_detector < 1 || win->n_detector > DETECTOR_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "a window of %d detectors, 1 to %d", win->n_detector, DETECTOR_MAX);
    if (bands->n_band < 1 || bands->n_band > BAND_MAX || bands->n_atom < 1 || bands->n_atom > ATOM_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "a window of %d bands and %d atoms", bands->n_band, bands->n_atom);
    for (int b = 0; b < bands->n_band; b++)
        if (bands->first[b] >= bands->last[b] || bands->last[b] > bands->n_atom)
            return burst_fail(reterr, BURST_E_SHAPE, "band %d is atoms [%d, %d) of %d", b, bands->first[b],
                              bands->last[b], bands->n_atom);
    return BURST_OK;
}

static enum burst_err put_curves(struct fits_writer *w, const struct verdict *v, const struct lightcurve_window *win,
                                 const struct window_explanation *x, int n_x, struct curve_columns *c,
                                 struct burst_error *reterr)
{
    for (int t = 0; t < WINDOW_BINS; t++)
        c->time_s[t] = (double)(win->k_end - WINDOW_BINS + t) * (double)BIN_NS / 1e9;
    enum burst_err err = fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, reterr);
    if (!err) err = put_identity(w, v, reterr);
    if (!err) err = put_time_scale(w, win, reterr);
    if (!err) err = fits_put_ns(w, "TRIGTIME", v->trigger_ns - win->epoch_ns, "mission elapsed time", reterr);
    if (!err) err = fits_put_logical(w, "GAPS", win->incomplete, "a gap in the stream was not repaired", reterr);
    if (!err) err = put_model(w, v, reterr);
    for (int row = 0; row < win->n_detector && !err; row++)
        err = put_curve(w, win, row, explanation_of(win->detector[row], x, n_x), c, reterr);
    return err;
}

enum burst_err evidence_lightcurves(const struct verdict *v, const struct lightcurve_window *w,
                                    const struct window_explanation *explanations, int n_explanation,
                                    uint8_t **ret_bytes, size_t *ret_n, struct burst_error *reterr)
{
    struct fits_writer *writer = NULL;
    enum burst_err err = check_window(w, reterr);
    if (err) return err;
    struct curve_columns *columns = malloc(sizeof *columns);
    if (!columns) return burst_fail(reterr, BURST_E_NOMEM, "no memory for evidence columns");
    err = fits_writer_new(&writer, reterr);
    if (!err) err = put_curves(writer, v, w, explanations, n_explanation, columns, reterr);
    if (!err) err = fits_writer_finish(writer, ret_bytes, ret_n, reterr);
    fits_writer_free(writer);
    free(columns);
    return err;
}

/* ---- images ---- */

/* The sub-image's sky coordinates, moved with the trigger pixel to the centre: FITS pixel (29, 29). */
static enum burst_err put_wcs(struct fits_writer *w, const struct subimage_packet *p, struct burst_error *reterr)
{
    const struct tan_wcs *wcs = &p->wcs;
    const double pixel[2] = {wcs->crpix[0] + IMAGE_CENTRE - (p->trigger_y - p->sky_y0),
                             wcs->crpix[1] + IMAGE_CENTRE - (p->trigger_z - p->sky_z0)};
    enum burst_err err = fits_put_text(w, "CTYPE1", "RA---TAN", NULL, reterr);
    if (!err) err = fits_put_text(w, "CTYPE2", "DEC--TAN", NULL, reterr);
    if (!err) err = fits_put_text(w, "RADESYS", "ICRS", NULL, reterr);
    for (int i = 0; i < 2 && !err; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "CUNIT%d", i + 1);
        err = fits_put_text(w, key, "deg", NULL, reterr);
        (void)snprintf(key, sizeof key, "CRPIX%d", i + 1);
        if (!err) err = fits_put_real(w, key, pixel[i], NULL, reterr);
        (void)snprintf(key, sizeof key, "CRVAL%d", i + 1);
        if (!err) err = fits_put_real(w, key, wcs->crval_deg[i], "degrees", reterr);
        for (int k = 0; k < 2 && !err; k++) {
            (void)snprintf(key, sizeof key, "CD%d_%d", i + 1, k + 1);
            err = fits_put_real(w, key, wcs->cd[i][k], "degrees per pixel", reterr);
        }
    }
    return err;
}

static enum burst_err put_subimage_words(struct fits_writer *w, const struct subimage_packet *p,
                                         struct burst_error *reterr)
{
    enum burst_err err = put_time(w, "DATE-OBS", p->span.start_ns, "UTC", reterr);
    if (!err) err = put_time(w, "DATE-END", p->span.stop_ns, "UTC", reterr);
    if (!err) err = fits_put_real(w, "E_MIN", p->e_min_kev, "keV", reterr);
    if (!err) err = fits_put_real(w, "E_MAX", p->e_max_kev, "keV", reterr);
    if (!err) err = fits_put_real(w, "TIMESCAL", p->timescale_s, "s", reterr);
    if (!err) err = fits_put_real(w, "SNR", p->snr_sigma, "sigma, of the trigger", reterr);
    return err;
}

static enum burst_err put_pixels(struct fits_writer *w, const char *name, enum fits_pixel type, const void *pixels,
                                 const char *unit, const struct subimage_packet *p, struct burst_error *reterr)
{
    const int64_t axis[2] = {IMAGE_SIDE, IMAGE_SIDE};
    enum burst_err err = fits_put_image(w, name, type, 2, axis, pixels, reterr);
    if (!err && unit) err = fits_put_text(w, "BUNIT", unit, NULL, reterr);
    return err || p->faults & SUBIMAGE_NO_WCS ? err : put_wcs(w, p, reterr);
}

static enum burst_err put_images(struct fits_writer *w, const struct verdict *v, const struct image_sample *s,
                                 const struct image_explanation *x, struct burst_error *reterr)
{
    float snr[IMAGE_SIDE][IMAGE_SIDE];
    for (int z = 0; z < IMAGE_SIDE; z++) /* the network's zero is not a measured zero: no data are shown as none */
        for (int y = 0; y < IMAGE_SIDE; y++)
            snr[z][y] = s->mask[z][y] == MASK_IGNORE ? NAN : s->snr[z][y];
    enum burst_err err = put_pixels(w, "SNR", FITS_F32, snr, "sigma", s->packet, reterr);
    if (!err) err = put_identity(w, v, reterr);
    if (!err) err = put_subimage_words(w, s->packet, reterr);
    if (!err) err = put_model(w, v, reterr);
    if (!err) err = put_pixels(w, "MASK", FITS_U8, s->mask, NULL, s->packet, reterr);
    if (!err && x) err = put_pixels(w, "OCCLUDE", FITS_F32, x->drop, "logit", s->packet, reterr);
    return err;
}

enum burst_err evidence_image(const struct verdict *v, const struct image_sample *image,
                              const struct image_explanation *explanation, uint8_t **ret_bytes, size_t *ret_n,
                              struct burst_error *reterr)
{
    struct fits_writer *writer = NULL;
    enum burst_err err = fits_writer_new(&writer, reterr);
    if (!err) err = put_images(writer, v, image, explanation, reterr);
    if (!err) err = fits_writer_finish(writer, ret_bytes, ret_n, reterr);
    fits_writer_free(writer);
    return err;
}
