/* Fermi/GBM time-tagged events: one detector per file, named by DETNAM. */
#include "ingest/rows.h"
#include <string.h>

enum { N_NAI = 12, N_BGO = 2 };
/* Dead time of an event, and of one in the last (overflow) channel, where the header does not say: EVT_DEAD, EVTDEDHI of every file
 * seen (formats.md 3). */
static const double DEAD_S = 2.6e-6, DEAD_LAST_S = 1.0417e-5;

/* CSPEC, CTIME and TRIGDAT come from the same instrument; only TTE holds events. */
static enum burst_err check_type(const struct chunk *c, const struct fits_hdu *primary)
{
    char type[FITS_TEXT_MAX];
    if (!fits_key_has(primary, "DATATYPE")) return BURST_OK;
    enum burst_err err = fits_key_text(primary, "DATATYPE", type, sizeof type, c->reterr);
    if (err || !strcmp(type, "TTE")) return err;
    return burst_fail(c->reterr, BURST_E_UNSUPPORTED, "%s: DATATYPE is '%s': only TTE holds events (card at byte %zu)",
                      primary->name, type, fits_key_at(primary, "DATATYPE"));
}

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

static enum burst_err read_dead(const struct chunk *c, const struct fits_hdu *events, const char *key, double usual_s,
                                uint32_t *ret_dead)
{
    double dead_s = usual_s;
    enum burst_err err = fits_key_has(events, key) ? fits_key_real(events, key, 0, 1e-3, &dead_s, c->reterr) : BURST_OK;
    if (!err) *ret_dead = (uint32_t)(dead_s * 1e9 / EVENT_DEAD_NS + 0.5);
    return err;
}

static enum burst_err read_rows(const struct chunk *c, const struct fits_table *t, struct event_list *list)
{
    struct event_rows rows = {.table = t, .n_channel = c->n_channel};
    enum burst_err err = chunk_time_column(c, t, "TIME", &rows.time);
    if (err || (err = chunk_number_column(c, t, "PHA", 'I', &rows.channel)) ||
        (err = read_dead(c, t->hdu, "EVT_DEAD", DEAD_S, &rows.dead_each)) ||
        (err = read_dead(c, t->hdu, "EVTDEDHI", DEAD_LAST_S, &rows.dead_last)))
        return err;
    return rows_count(c, &rows, list);
}

enum burst_err events_read_gbm(struct chunk *c, struct event_packet *packet)
{
    const struct fits_hdu *primary = &c->file->hdu[0], *hdu = NULL;
    struct event_list *list = &packet->list[0];
    struct fits_table t;
    enum burst_err err = check_type(c, primary);
    if (err || (err = read_detector(c, primary, &list->detector)) || (err = chunk_hdu(c, "EVENTS", &hdu)) ||
        (err = check_agrees(c, primary, hdu)))
        return err;
    if ((err = chunk_read_bounds(c)) || (err = check_rising(c)) || (err = rows_atoms(c)) || (err = chunk_read_good(c)))
        return err;
    if ((err = fits_table_view(hdu, &t, c->reterr)) || (err = read_rows(c, &t, list))) return err;
    packet->n_list = 1;
    return BURST_OK;
}
