/* ECLAIRs sub-images as protocol.md 5 lays them out. */
#include "fits/write.h"

/* One keyword of the table below; exactly one of the pointers is set. */
struct keyword {
    const char *key;
    const char *text;
    const int *integer;
    const double *real;
    const char *comment;
};

static enum burst_err put_keyword(struct fits_writer *w, const struct keyword *k, struct burst_error *reterr)
{
    if (k->text) return fits_put_text(w, k->key, k->text, k->comment, reterr);
    if (k->integer) return fits_put_int(w, k->key, *k->integer, k->comment, reterr);
    return fits_put_real(w, k->key, *k->real, k->comment, reterr);
}

static enum burst_err put_keywords(struct fits_writer *w, const struct fits_subimage *s, struct burst_error *reterr)
{
    const struct keyword keys[] = {
        {"TELESCOP", "SVOM", NULL, NULL, "mission"},
        {"INSTRUME", "ECL", NULL, NULL, "instrument"},
        {"BUNIT", "sigma", NULL, NULL, "signal to noise"},
        {"BURST_ID", s->burst_id, NULL, NULL, "burst"},
        {"ALERTCNT", NULL, &s->alert_count, NULL, "message number in the alert sequence, from 0"},
        {"DATE-OBS", s->date_obs, NULL, NULL, "UTC, start of the exposure"},
        {"DATE-END", s->date_end, NULL, NULL, "UTC, end of the exposure"},
        {"E_MIN", NULL, NULL, &s->e_min_kev, "keV, energy strip"},
        {"E_MAX", NULL, NULL, &s->e_max_kev, "keV"},
        {"TIMESCAL", NULL, NULL, &s->timescale_s, "s, of the trigger"},
        {"TRIGTYPE", s->trigger_type, NULL, NULL, "CRT count rate, IMT image"},
        {"SNR", NULL, NULL, &s->snr_sigma, "sigma, of the trigger"},
        {"TRIGY", NULL, &s->trigger_y, NULL, "sky pixel that triggered, from 0"},
        {"TRIGZ", NULL, &s->trigger_z, NULL, NULL},
        {"SKYY0", NULL, &s->sky_y0, NULL, "sky pixel of FITS pixel (1,1), from 0"},
        {"SKYZ0", NULL, &s->sky_z0, NULL, NULL},
        {"SKYN", NULL, &s->sky_n, NULL, "side of the sky image, pixels"},
        {"SLEWSTAT", s->slew_status, NULL, NULL, NULL},
        {"DSTREAM", s->data_stream, NULL, NULL, "VHF, or XBAND which revises it"},
        {"CTYPE1", "RA---TAN", NULL, NULL, "gnomonic: exact for a coded mask"},
        {"CTYPE2", "DEC--TAN", NULL, NULL, NULL},
        {"CUNIT1", "deg", NULL, NULL, NULL},
        {"CUNIT2", "deg", NULL, NULL, NULL},
        {"CRPIX1", NULL, NULL, &s->crpix[0], NULL},
        {"CRPIX2", NULL, NULL, &s->crpix[1], NULL},
        {"CRVAL1", NULL, NULL, &s->crval_deg[0], NULL},
        {"CRVAL2", NULL, NULL, &s->crval_deg[1], NULL},
        {"CD1_1", NULL, NULL, &s->cd[0][0], NULL},
        {"CD1_2", NULL, NULL, &s->cd[0][1], NULL},
        {"CD2_1", NULL, NULL, &s->cd[1][0], NULL},
        {"CD2_2", NULL, NULL, &s->cd[1][1], NULL},
        {"RADESYS", "ICRS", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        enum burst_err err = put_keyword(w, &keys[i], reterr);
        if (err) return err;
    }
    return BURST_OK;
}

enum burst_err fits_write_subimage(const struct fits_subimage *image, uint8_t **ret_bytes, size_t *ret_n,
                                   struct burst_error *reterr)
{
    struct fits_writer *w = NULL;
    const int64_t axis[2] = {image->n_y, image->n_z};
    enum burst_err err = fits_writer_new(&w, reterr);
    if (err) return err;
    err = fits_put_image(w, NULL, FITS_F32, 2, axis, image->snr, reterr);
    if (!err) err = put_keywords(w, image, reterr);
    if (!err) err = fits_writer_finish(w, ret_bytes, ret_n, reterr);
    fits_writer_free(w);
    return err;
}
