/* GECAM and SVOM/GRM event files: one EVENTSnn HDU per detector, two gains, flags per event.
 *
 * GECAM's charged-particle detectors (CPD; products g[abc]c_evt, formats.md 2) are read in the same layout. That is inferred: no
 * public page or program describes their columns. A file that is laid out otherwise is refused, with the column's name. */
#include "ingest/rows.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ends of GECAM's energy ladder, and how exactly a file must repeat them. Source: formats.md 2. */
static const double LADDER_LOW_KEV = 2.00, LADDER_LOW_SLACK = 0.01, LADDER_HIGH_KEV = 10053.5, LADDER_HIGH_SLACK = 1.0;
enum { FLAG_BAD = 2, TYPE_NORMAL = 1 };

static enum burst_err check_ladder(const struct chunk *c)
{
    double low = (double)c->e_min_kev[0], high = (double)c->e_max_kev[c->n_channel - 1];
    bool gecam = c->fact->instrument == INSTRUMENT_GRD;
    bool good =
        gecam ? fabs(low - LADDER_LOW_KEV) <= LADDER_LOW_SLACK && fabs(high - LADDER_HIGH_KEV) <= LADDER_HIGH_SLACK
              : c->n_channel >= c->n_bound / 2; /* GRM: 259 rows, few of them past the ladder; CPD: not known */
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

static enum burst_err read_rows(const struct chunk *c, const struct fits_table *t, struct event_list *list)
{
    struct event_rows rows = {.table = t, .type_is = TYPE_NORMAL, .flag_below = FLAG_BAD, .n_channel = c->n_bound};
    enum burst_err err = chunk_time_column(c, t, "TIME", &rows.time);
    if (err || (err = chunk_number_column(c, t, "PI", 'I', &rows.channel)) ||
        (err = chunk_number_column(c, t, "GAIN_TYPE", 'B', &rows.gain)) ||
        (err = chunk_number_column(c, t, "DEAD_TIME", 'E', &rows.dead)) ||
        (err = chunk_number_column(c, t, "EVT_TYPE", 'B', &rows.type)) ||
        (err = chunk_number_column(c, t, "FLAG", 'B', &rows.flag)))
        return err;
    return rows_count(c, &rows, list);
}

enum burst_err events_read_gecam(struct chunk *c, struct event_packet *packet)
{
    enum burst_err err = check_names(c);
    if (err || (err = chunk_read_bounds(c)) || (err = check_ladder(c)) || (err = rows_atoms(c)) ||
        (err = chunk_read_good(c)))
        return err;
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
