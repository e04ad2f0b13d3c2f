/* The parts of an event file that every mission writes the same way. */
#include "ingest/chunk.h"
#include "base/bytes.h"
#include "base/clock.h"
#include <math.h>
#include <string.h>

/* Headers print the epoch's fraction with 8 to 17 digits, which move it by up to 3 us; another epoch is a second away at
 * the least (a leap second, or the 69.184 s of TT - UTC left out). */
static const double EPOCH_SLACK_S = 1e-3;
static const double MET_MOST_S = 4e9; /* clock.h; far below 2^63 ns, so that sums with the epoch cannot overflow */
static const int64_t MET_MOST_NS = INT64_C(4000000000) * CLOCK_NS_PER_S;

enum burst_err chunk_hdu(const struct chunk *c, const char *name, const struct fits_hdu **ret_hdu)
{
    const struct fits_hdu *found = NULL;
    for (int i = 0; i < c->file->n_hdu; i++) {
        const struct fits_hdu *hdu = &c->file->hdu[i];
        if (strcmp(hdu->name, name) != 0) continue;
        if (found)
            return burst_fail(c->reterr, BURST_E_FORMAT, "%s: two HDUs of that name (bytes %zu and %zu)", name,
                              found->header_at, hdu->header_at);
        found = hdu;
    }
    if (!found) return burst_fail(c->reterr, BURST_E_MISSING, "no HDU %s among the file's %d", name, c->file->n_hdu);
    *ret_hdu = found;
    return BURST_OK;
}

enum burst_err chunk_check_source(const struct fits_hdu *primary, const struct instrument_fact *fact,
                                  struct burst_error *reterr)
{
    enum burst_err err = fits_key_expect(primary, "TELESCOP", fact->fits_telescope, reterr);
    return err ? err : fits_key_expect(primary, "INSTRUME", fact->fits_instrument, reterr);
}

static enum burst_err check_mjd(const struct chunk *c, const struct fits_hdu *hdu, const char *key, double mjd_i,
                                double mjd_f)
{
    double off_s = ((mjd_i - c->fact->epoch_mjd_i) + (mjd_f - c->fact->epoch_mjd_f)) * 86400.0;
    if (fabs(off_s) <= EPOCH_SLACK_S) return BURST_OK;
    return burst_fail(c->reterr, BURST_E_TIME,
                      "%s: the epoch MJD %.0f + %.12f is %.6g s off %s's, MJD %d + %.12f (card at byte %zu)", hdu->name,
                      mjd_i, mjd_f, off_s, c->fact->mission_name, c->fact->epoch_mjd_i, c->fact->epoch_mjd_f,
                      fits_key_at(hdu, key));
}

enum burst_err chunk_check_epoch(const struct chunk *c, const struct fits_hdu *hdu)
{
    char system[FITS_TEXT_MAX];
    int64_t mjd_i = 0;
    double mjd_f = 0;
    enum burst_err err = BURST_OK;
    if (fits_key_has(hdu, "TIMESYS")) {
        if ((err = fits_key_text(hdu, "TIMESYS", system, sizeof system, c->reterr))) return err;
        if (strcmp(system, "TT") != 0)
            return burst_fail(c->reterr, BURST_E_TIME, "%s: TIMESYS is '%s', TT expected (card at byte %zu)", hdu->name,
                              system, fits_key_at(hdu, "TIMESYS"));
    }
    if (fits_key_has(hdu, "MJDREFI")) {
        if ((err = fits_key_int(hdu, "MJDREFI", 0, 100000, &mjd_i, c->reterr))) return err;
        if (fits_key_has(hdu, "MJDREFF") && (err = fits_key_real(hdu, "MJDREFF", -1, 1, &mjd_f, c->reterr))) return err;
        return check_mjd(c, hdu, "MJDREFI", (double)mjd_i, mjd_f);
    }
    if (!fits_key_has(hdu, "MJDREF")) return BURST_OK;
    if ((err = fits_key_real(hdu, "MJDREF", 0, 100000, &mjd_f, c->reterr))) return err;
    return check_mjd(c, hdu, "MJDREF", floor(mjd_f), mjd_f - floor(mjd_f));
}

/* ---- columns ---- */

static enum burst_err refuse_scale(const struct chunk *c, const struct fits_table *table,
                                   const struct fits_column *column, bool zero_allowed)
{
    if (column->scale == 1 && (zero_allowed ? column->has_zero_ns : column->zero == 0)) return BURST_OK;
    return burst_fail(c->reterr, BURST_E_FORMAT,
                      "%s: column %s has TSCAL %g and TZERO %g, %s expected (card at byte %zu)", table->hdu->name,
                      column->name, column->scale, column->zero, zero_allowed ? "1 and less than 4e9" : "1 and 0",
                      column->form_at);
}

enum burst_err chunk_time_column(const struct chunk *c, const struct fits_table *table, const char *name,
                                 struct chunk_times *ret_times)
{
    const struct fits_column *column = NULL;
    enum burst_err err = fits_table_column(table, name, 'D', &column, c->reterr);
    if (err || (err = refuse_scale(c, table, column, true))) return err;
    *ret_times = (struct chunk_times){table, column};
    return BURST_OK;
}

enum burst_err chunk_number_column(const struct chunk *c, const struct fits_table *table, const char *name, char form,
                                   const struct fits_column **ret_column)
{
    const struct fits_column *column = NULL;
    enum burst_err err = fits_table_column(table, name, form, &column, c->reterr);
    if (err || (err = refuse_scale(c, table, column, false))) return err;
    *ret_column = column;
    return BURST_OK;
}

static enum burst_err bad_time(const struct chunk *c, const struct chunk_times *t, size_t row, const char *why)
{
    return burst_fail(c->reterr, BURST_E_TIME, "%s: row %zu: %s is %.17g%s%.17g s, %s (byte %zu)", t->table->hdu->name,
                      row + 1, t->column->name, t->column->zero, " + ",
                      bytes_get_f64(fits_cell(t->table, t->column, row)), why, fits_cell_at(t->table, t->column, row));
}

enum burst_err chunk_time(const struct chunk *c, const struct chunk_times *times, size_t row, int64_t *ret_met_ns)
{
    double stored = bytes_get_f64(fits_cell(times->table, times->column, row));
    if (!(fabs(stored) < MET_MOST_S)) return bad_time(c, times, row, "less than 4e9 expected");
    double whole = floor(stored); /* apart, so that the product of the rest keeps its last digits */
    int64_t met = times->column->zero_ns + (int64_t)whole * CLOCK_NS_PER_S + (int64_t)((stored - whole) * 1e9 + 0.5);
    if (met < 0) return bad_time(c, times, row, "before the mission's epoch");
    if (met >= MET_MOST_NS) return bad_time(c, times, row, "less than 4e9 expected");
    *ret_met_ns = met;
    return BURST_OK;
}

enum burst_err chunk_event_time(const struct chunk *c, const struct chunk_times *times, size_t row, int64_t *ret_met_ns)
{
    int64_t met;
    enum burst_err err = chunk_time(c, times, row, &met);
    if (err) return err;
    if (met < c->least_ns || met > c->most_ns)
        return bad_time(c, times, row, "over 1 s outside the header's TSTART to TSTOP");
    *ret_met_ns = met;
    return BURST_OK;
}

/* ---- energy bounds ---- */

static enum burst_err check_bound(const struct chunk *c, const struct fits_table *t, const struct fits_column *channel,
                                  size_t row)
{
    int stored = (int16_t)bytes_get_u16(fits_cell(t, channel, row));
    float low = c->e_min_kev[row], high = c->e_max_kev[row];
    if (row < c->n_channel && stored != (int)row)
        return burst_fail(c->reterr, BURST_E_RANGE, "EBOUNDS: row %zu: CHANNEL is %d, %zu expected (byte %zu)", row + 1,
                          stored, row, fits_cell_at(t, channel, row));
    if (!isfinite(low) || !isfinite(high) || low < 0)
        return burst_fail(c->reterr, BURST_E_RANGE, "EBOUNDS: row %zu: E_MIN %g, E_MAX %g keV: no energies (byte %zu)",
                          row + 1, (double)low, (double)high, fits_cell_at(t, channel, row));
    if (row < c->n_channel && !(low < high))
        return burst_fail(c->reterr, BURST_E_RANGE, "EBOUNDS: row %zu: E_MIN %g is not below E_MAX %g keV (byte %zu)",
                          row + 1, (double)low, (double)high, fits_cell_at(t, channel, row));
    return BURST_OK;
}

/* Rows of the ladder: each begins where the one before ends. All rows where the mission keeps no overflow block. */
static size_t ladder_length(const struct chunk *c)
{
    size_t n = 1;
    while (n < c->n_bound && c->e_min_kev[n] == c->e_max_kev[n - 1] && c->e_max_kev[n] > c->e_min_kev[n])
        n++;
    return n;
}

enum burst_err chunk_read_bounds(struct chunk *c)
{
    const struct fits_hdu *hdu = NULL;
    const struct fits_column *channel = NULL, *low = NULL, *high = NULL;
    struct fits_table t;
    enum burst_err err = chunk_hdu(c, "EBOUNDS", &hdu);
    if (err || (err = fits_table_view(hdu, &t, c->reterr)) ||
        (err = chunk_number_column(c, &t, "CHANNEL", 'I', &channel)) ||
        (err = fits_table_column(&t, "E_MIN", 'E', &low, c->reterr)) || (err = refuse_scale(c, &t, low, false)) ||
        (err = fits_table_column(&t, "E_MAX", 'E', &high, c->reterr)) || (err = refuse_scale(c, &t, high, false)))
        return err;
    if (t.n_row < 2 || t.n_row > CHUNK_CHANNEL_MOST)
        return burst_fail(c->reterr, BURST_E_LIMIT, "EBOUNDS: %zu rows, 2 to %d expected (header at byte %zu)", t.n_row,
                          CHUNK_CHANNEL_MOST, hdu->header_at);
    c->n_bound = t.n_row;
    c->bound_at = hdu->data_at;
    c->bound_bytes = t.row_bytes;
    c->e_min_kev = arena_take(c->arena, t.n_row, sizeof *c->e_min_kev);
    c->e_max_kev = arena_take(c->arena, t.n_row, sizeof *c->e_max_kev);
    if (!c->e_min_kev || !c->e_max_kev) return burst_fail(c->reterr, BURST_E_NOMEM, "EBOUNDS does not fit the arena");
    for (size_t i = 0; i < t.n_row; i++) {
        c->e_min_kev[i] = bytes_get_f32(fits_cell(&t, low, i));
        c->e_max_kev[i] = bytes_get_f32(fits_cell(&t, high, i));
    }
    c->n_channel = c->fact->instrument == INSTRUMENT_GBM || c->fact->map ? c->n_bound : ladder_length(c);
    for (size_t i = 0; i < t.n_row; i++)
        if ((err = check_bound(c, &t, channel, i))) return err;
    return BURST_OK;
}

enum burst_err chunk_linear_bounds(struct chunk *c, int n_channel, double first_kev, double channel_kev)
{
    c->n_bound = c->n_channel = (size_t)n_channel;
    c->e_min_kev = arena_take(c->arena, c->n_bound, sizeof *c->e_min_kev);
    c->e_max_kev = arena_take(c->arena, c->n_bound, sizeof *c->e_max_kev);
    if (!c->e_min_kev || !c->e_max_kev) return burst_fail(c->reterr, BURST_E_NOMEM, "bounds do not fit the arena");
    for (int i = 0; i < n_channel; i++) {
        c->e_min_kev[i] = (float)(first_kev + i * channel_kev);
        c->e_max_kev[i] = (float)(first_kev + (i + 1) * channel_kev);
    }
    return BURST_OK;
}

/* ---- good time ---- */

static enum burst_err read_limits(struct chunk *c)
{
    const struct fits_hdu *primary = &c->file->hdu[0];
    int64_t start = c->span.start_ns - c->epoch_ns, stop = c->span.stop_ns - c->epoch_ns;
    if (fits_key_has(primary, "TSTART") && fits_key_has(primary, "TSTOP")) {
        int64_t first, last;
        enum burst_err err = fits_key_ns(primary, "TSTART", &first, c->reterr);
        if (err || (err = fits_key_ns(primary, "TSTOP", &last, c->reterr))) return err;
        if (last < first || first < 0)
            return burst_fail(c->reterr, BURST_E_TIME,
                              "PRIMARY: TSTART %.9f to TSTOP %.9f s is no span of mission time (byte %zu)",
                              (double)first * 1e-9, (double)last * 1e-9, fits_key_at(primary, "TSTART"));
        if (start < first - CHUNK_SLACK_NS || stop > last + CHUNK_SLACK_NS)
            return burst_fail(
                c->reterr, BURST_E_TIME,
                "GTI: %.9f to %.9f s is over 1 s outside TSTART %.9f to TSTOP %.9f s (rows from byte %zu)",
                (double)start * 1e-9, (double)stop * 1e-9, (double)first * 1e-9, (double)last * 1e-9, c->good_at);
        start = first;
        stop = last;
    }
    c->least_ns = start - CHUNK_SLACK_NS;
    c->most_ns = stop + CHUNK_SLACK_NS;
    return BURST_OK;
}

static enum burst_err read_interval(struct chunk *c, const struct chunk_times *from, const struct chunk_times *to,
                                    size_t row)
{
    int64_t start, stop, last = c->n_good ? c->good[c->n_good - 1].stop_ns - c->epoch_ns : 0;
    enum burst_err err = chunk_time(c, from, row, &start);
    if (err || (err = chunk_time(c, to, row, &stop))) return err;
    if (stop < start)
        return burst_fail(c->reterr, BURST_E_TIME, "GTI: row %zu: STOP %.9f is before START %.9f s (byte %zu)", row + 1,
                          (double)stop * 1e-9, (double)start * 1e-9, fits_cell_at(to->table, to->column, row));
    if (start < last)
        return burst_fail(c->reterr, BURST_E_TIME, "GTI: row %zu: START %.9f is before the last STOP %.9f s (byte %zu)",
                          row + 1, (double)start * 1e-9, (double)last * 1e-9,
                          fits_cell_at(from->table, from->column, row));
    if (stop > start) c->good[c->n_good++] = (struct time_span){c->epoch_ns + start, c->epoch_ns + stop};
    return BURST_OK;
}

enum burst_err chunk_read_good(struct chunk *c)
{
    const struct fits_hdu *hdu = NULL;
    struct fits_table t;
    struct chunk_times from, to;
    enum burst_err err = chunk_hdu(c, "GTI", &hdu);
    if (err || (err = fits_table_view(hdu, &t, c->reterr)) || (err = chunk_time_column(c, &t, "START", &from)) ||
        (err = chunk_time_column(c, &t, "STOP", &to)) || (err = chunk_check_epoch(c, hdu)))
        return err;
    if (t.n_row > CHUNK_GOOD_MOST)
        return burst_fail(c->reterr, BURST_E_LIMIT, "GTI: %zu rows, at most %d expected (header at byte %zu)", t.n_row,
                          CHUNK_GOOD_MOST, hdu->header_at);
    c->good_at = hdu->data_at;
    c->good = arena_take(c->arena, t.n_row, sizeof *c->good);
    if (!c->good) return burst_fail(c->reterr, BURST_E_NOMEM, "GTI: %zu rows do not fit the arena", t.n_row);
    for (size_t i = 0; i < t.n_row; i++)
        if ((err = read_interval(c, &from, &to, i))) return err;
    if (!c->n_good)
        return burst_fail(c->reterr, BURST_E_MISSING, "GTI: no good time in %zu rows (header at byte %zu)", t.n_row,
                          hdu->header_at);
    c->span = (struct time_span){c->good[0].start_ns, c->good[c->n_good - 1].stop_ns};
    return read_limits(c);
}

enum burst_err chunk_read_good_in_header(struct chunk *c, const struct fits_hdu *hdu)
{
    int64_t start, stop;
    enum burst_err err = fits_key_ns(hdu, "TSTART", &start, c->reterr);
    if (err || (err = fits_key_ns(hdu, "TSTOP", &stop, c->reterr))) return err;
    if (start < 0 || stop <= start || stop >= MET_MOST_NS)
        return burst_fail(c->reterr, BURST_E_TIME,
                          "%s: TSTART %.9f to TSTOP %.9f s is no span of mission time (byte %zu)", hdu->name,
                          (double)start * 1e-9, (double)stop * 1e-9, fits_key_at(hdu, "TSTART"));
    c->good = arena_take(c->arena, 1, sizeof *c->good);
    if (!c->good) return burst_fail(c->reterr, BURST_E_NOMEM, "good time does not fit the arena");
    c->n_good = 1;
    c->good[0] = c->span = (struct time_span){c->epoch_ns + start, c->epoch_ns + stop};
    c->least_ns = start - CHUNK_SLACK_NS;
    c->most_ns = stop + CHUNK_SLACK_NS;
    return BURST_OK;
}
