/* Fermi/GBM time-tagged events: one detector per file, named by DETNAM. */
#include "base/bytes.h"
#include "ingest/chunk.h"
#include <string.h>

enum { N_NAI = 12, N_BGO = 2 };

static enum burst_err read_detector(const struct chunk *c, const struct fits_hdu *primary, int *ret_detector)
{
    char name[FITS_TEXT_MAX];
    enum burst_err err = fits_key_text(primary, "DETNAM", name, sizeof name, c->reterr);
    if (err) return err;
    bool shaped = strlen(name) == 6 && strspn(name + 4, "0123456789") == 2;
    int number = shaped ? (name[4] - '0') * 10 + name[5] - '0' : -1;
    if (shaped && !memcmp(name, "NAI_", 4) && number < N_NAI)
        *ret_detector = number;
    else if (shaped && !memcmp(name, "BGO_", 4) && number < N_BGO)
        *ret_detector = N_NAI + number;
    else
        return burst_fail(c->reterr, BURST_E_UNSUPPORTED,
                          "%s: DETNAM '%s' is none of NAI_00..NAI_11, BGO_00, BGO_01 (card at byte %zu)", primary->name,
                          name, fits_key_at(primary, "DETNAM"));
    return BURST_OK;
}

/* EVENTS must speak of the same detector and clock as the primary header. */
static enum burst_err check_agrees(const struct chunk *c, const struct fits_hdu *primary, const struct fits_hdu *events)
{
    char name[FITS_TEXT_MAX];
    enum burst_err err = fits_key_text(primary, "DETNAM", name, sizeof name, c->reterr);
    if (err || (err = chunk_check_epoch(c, events))) return err;
    return fits_key_has(events, "DETNAM") ? fits_key_expect(events, "DETNAM", name, c->reterr) : BURST_OK;
}

static enum burst_err check_rising(const struct chunk *c)
{
    for (size_t i = 1; i < c->n_channel; i++)
        if (!(c->e_min_kev[i] > c->e_min_kev[i - 1] && c->e_max_kev[i] > c->e_max_kev[i - 1]))
            return burst_fail(c->reterr, BURST_E_RANGE,
                              "EBOUNDS: row %zu: %g-%g keV is not above row %zu, %g-%g keV (byte %zu)", i + 1,
                              (double)c->e_min_kev[i], (double)c->e_max_kev[i], i, (double)c->e_min_kev[i - 1],
                              (double)c->e_max_kev[i - 1], c->bound_at + i * c->bound_bytes);
    return BURST_OK;
}

static enum burst_err read_rows(const struct chunk *c, const struct fits_table *t, struct event_list *list)
{
    struct chunk_times times;
    const struct fits_column *pha = NULL;
    int64_t *t_ns, met = 0;
    uint16_t *channel;
    enum burst_err err = chunk_time_column(c, t, "TIME", &times);
    if (err || (err = chunk_int_column(c, t, "PHA", 'I', &pha)) ||
        (err = chunk_take_events(c, t->n_row, &t_ns, &channel)))
        return err;
    size_t n = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        int stored = (int16_t)bytes_get_u16(fits_cell(t, pha, i));
        if ((err = chunk_event_time(c, &times, i, &met))) return err;
        if (pha->has_null && stored == pha->null) continue;
        if (stored < 0 || stored >= (int)c->n_channel)
            return burst_fail(c->reterr, BURST_E_RANGE, "%s: row %zu: PHA is %d, 0 to %zu expected (byte %zu)",
                              t->hdu->name, i + 1, stored, c->n_channel - 1, fits_cell_at(t, pha, i));
        t_ns[n] = c->epoch_ns + met;
        channel[n++] = (uint16_t)stored;
    }
    list->t_ns = t_ns;
    list->channel = channel;
    list->n_event = n;
    list->n_dropped = t->n_row - n;
    return BURST_OK;
}

enum burst_err events_read_gbm(struct chunk *c, struct event_packet *packet)
{
    const struct fits_hdu *primary = &c->file->hdu[0], *hdu = NULL;
    struct event_list *list = &packet->list[0];
    struct fits_table t;
    enum burst_err err = read_detector(c, primary, &list->detector);
    if (err || (err = chunk_hdu(c, "EVENTS", &hdu)) || (err = check_agrees(c, primary, hdu))) return err;
    if ((err = chunk_read_bounds(c)) || (err = check_rising(c)) || (err = chunk_read_good(c))) return err;
    if ((err = fits_table_view(hdu, &t, c->reterr)) || (err = read_rows(c, &t, list))) return err;
    packet->n_list = 1;
    return BURST_OK;
}
