/* GECAM and SVOM/GRM event files: one EVENTSnn HDU per detector, two gains, flags per event. */
#include "base/bytes.h"
#include "ingest/chunk.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ends of GECAM's energy ladder, and how exactly a file must repeat them. Source: formats.md 2. */
static const double LADDER_LOW_KEV = 2.00, LADDER_LOW_SLACK = 0.01, LADDER_HIGH_KEV = 10053.5, LADDER_HIGH_SLACK = 1.0;
enum { FLAG_BAD = 2, TYPE_NORMAL = 1, GAIN_MOST = 1 };

struct gecam_columns {
    struct chunk_times time;
    const struct fits_column *pi, *gain, *type, *flag;
};

static enum burst_err check_ladder(const struct chunk *c)
{
    double low = (double)c->e_min_kev[0], high = (double)c->e_max_kev[c->n_channel - 1];
    bool gecam = c->fact->instrument == INSTRUMENT_GRD;
    bool good =
        gecam ? fabs(low - LADDER_LOW_KEV) <= LADDER_LOW_SLACK && fabs(high - LADDER_HIGH_KEV) <= LADDER_HIGH_SLACK
              : c->n_channel >= c->n_bound / 2; /* GRM: 259 rows, few of them past the ladder */
    if (good) return BURST_OK;
    return burst_fail(
        c->reterr, BURST_E_RANGE,
        "EBOUNDS: of %zu rows the first %zu are contiguous, %.6g to %.6g keV; %s expected (break at row %zu, byte %zu)",
        c->n_bound, c->n_channel, low, high, gecam ? "2.00 to 10053.5 keV" : "at least half of them", c->n_channel + 1,
        c->bound_at + c->n_channel * c->bound_bytes);
}

/* Every EVENTSnn must be a detector this instrument has. */
static enum burst_err check_names(const struct chunk *c)
{
    int found = 0;
    for (int i = 0; i < c->file->n_hdu; i++) {
        const struct fits_hdu *hdu = &c->file->hdu[i];
        if (strncmp(hdu->name, "EVENTS", 6) != 0) continue;
        const char *digits = hdu->name + 6;
        int number =
            strlen(digits) == 2 && strspn(digits, "0123456789") == 2 ? (digits[0] - '0') * 10 + digits[1] - '0' : 0;
        if (number < 1 || number > c->fact->n_detector)
            return burst_fail(c->reterr, BURST_E_LIMIT, "%s: %s has detectors EVENTS01 to EVENTS%02d (HDU at byte %zu)",
                              hdu->name, c->fact->mission_name, c->fact->n_detector, hdu->header_at);
        found++;
    }
    if (!found) return burst_fail(c->reterr, BURST_E_MISSING, "no EVENTSnn among the file's %d HDUs", c->file->n_hdu);
    return BURST_OK;
}

static enum burst_err find_columns(const struct chunk *c, const struct fits_table *t, struct gecam_columns *ret)
{
    enum burst_err err = chunk_time_column(c, t, "TIME", &ret->time);
    if (err || (err = chunk_int_column(c, t, "PI", 'I', &ret->pi)) ||
        (err = chunk_int_column(c, t, "GAIN_TYPE", 'B', &ret->gain)))
        return err;
    if ((err = chunk_int_column(c, t, "EVT_TYPE", 'B', &ret->type))) return err;
    return chunk_int_column(c, t, "FLAG", 'B', &ret->flag);
}

/* Out of range is refused even where the event would be dropped: such a row says that the file is not what it claims. */
static enum burst_err check_row(const struct chunk *c, const struct fits_table *t, const struct gecam_columns *k,
                                size_t row, int pi)
{
    int gain = *fits_cell(t, k->gain, row);
    if (gain > GAIN_MOST)
        return burst_fail(c->reterr, BURST_E_RANGE, "%s: row %zu: GAIN_TYPE is %d, 0 or 1 expected (byte %zu)",
                          t->hdu->name, row + 1, gain, fits_cell_at(t, k->gain, row));
    if (pi < 0 || pi >= (int)c->n_bound)
        return burst_fail(c->reterr, BURST_E_RANGE, "%s: row %zu: PI is %d, 0 to %zu expected (byte %zu)", t->hdu->name,
                          row + 1, pi, c->n_bound - 1, fits_cell_at(t, k->pi, row));
    return BURST_OK;
}

static enum burst_err read_rows(const struct chunk *c, const struct fits_table *t, struct event_list *list)
{
    struct gecam_columns k;
    int64_t *t_ns, met = 0;
    uint16_t *channel;
    enum burst_err err = find_columns(c, t, &k);
    if (err || (err = chunk_take_events(c, t->n_row, &t_ns, &channel))) return err;
    size_t n = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        int pi = (int16_t)bytes_get_u16(fits_cell(t, k.pi, i));
        if ((err = chunk_event_time(c, &k.time, i, &met))) return err;
        if (k.pi->has_null && pi == k.pi->null) continue;
        if ((err = check_row(c, t, &k, i, pi))) return err;
        bool recommended = *fits_cell(t, k.flag, i) < FLAG_BAD && *fits_cell(t, k.type, i) == TYPE_NORMAL;
        if (!recommended || pi >= (int)c->n_channel) continue;
        t_ns[n] = c->epoch_ns + met;
        channel[n++] = (uint16_t)pi;
    }
    list->t_ns = t_ns;
    list->channel = channel;
    list->n_event = n;
    list->n_dropped = t->n_row - n;
    return BURST_OK;
}

enum burst_err events_read_gecam(struct chunk *c, struct event_packet *packet)
{
    enum burst_err err = check_names(c);
    if (err || (err = chunk_read_bounds(c)) || (err = check_ladder(c)) || (err = chunk_read_good(c))) return err;
    for (int d = 0; d < c->fact->n_detector; d++) {
        char name[16];
        const struct fits_hdu *hdu = NULL;
        struct fits_table t;
        (void)snprintf(name, sizeof name, "EVENTS%02d", (d + 1) % 100);
        if (!fits_hdu_named(c->file, name)) continue;
        if ((err = chunk_hdu(c, name, &hdu)) || (err = fits_table_view(hdu, &t, c->reterr)) ||
            (err = chunk_check_epoch(c, hdu)))
            return err;
        if (!t.n_column && !t.n_row) continue; /* placeholder: no product of this detector, not zero counts */
        struct event_list *list = &packet->list[packet->n_list];
        list->detector = d;
        if ((err = read_rows(c, &t, list))) return err;
        packet->n_list++;
    }
    return BURST_OK;
}
