/* Event chunks in the two layouts burstd reads. */
#include "base/clock.h"
#include "fits/write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DETECTOR_MOST = 60 }; /* EVENTSnn HDUs beside PRIMARY, EBOUNDS, GTI: what the gate's HDU limit leaves */
static const float DEAD_TIME_US = 4.0F; /* formats.md 2: about 4 us per event */

struct chunk_writer {
    struct fits_writer *w;
    const struct fits_event_chunk *chunk;
    struct burst_error *reterr;
    enum burst_err err; /* the first failure; later calls do nothing */
};

static void text(struct chunk_writer *c, const char *key, const char *value, const char *comment)
{
    if (!c->err) c->err = fits_put_text(c->w, key, value, comment, c->reterr);
}

static void integer(struct chunk_writer *c, const char *key, int64_t value, const char *comment)
{
    if (!c->err) c->err = fits_put_int(c->w, key, value, comment, c->reterr);
}

static void nanoseconds(struct chunk_writer *c, const char *key, int64_t ns, const char *comment)
{
    if (!c->err) c->err = fits_put_ns(c->w, key, ns, comment, c->reterr);
}

static void table(struct chunk_writer *c, const char *name, size_t n_row, const struct fits_put_column *columns, int n)
{
    if (!c->err) c->err = fits_put_table(c->w, name, n_row, columns, n, c->reterr);
}

/* Seconds of whole nanoseconds, correctly rounded to a double: the whole part is exact, the fraction rounds once. */
static double seconds(int64_t ns)
{
    return (double)(ns / CLOCK_NS_PER_S) + (double)(ns % CLOCK_NS_PER_S) / 1e9;
}

static void *chunk_take(struct chunk_writer *c, size_t n, size_t size)
{
    void *p = c->err ? NULL : calloc(n ? n : 1, size);
    if (!p && !c->err) c->err = burst_fail(c->reterr, BURST_E_NOMEM, "no memory for %zu events to write", n);
    return p;
}

static void detector_name(int detector, char ret_text[8])
{
    bool nai = detector < 12;
    (void)snprintf(ret_text, 8, "%s_%02d", nai ? "NAI" : "BGO", (nai ? detector : detector - 12) % 100);
}

/* The keywords every HDU of a mission file repeats. */
static void common_keys(struct chunk_writer *c)
{
    const struct fits_event_chunk *k = c->chunk;
    char name[8];
    text(c, "TELESCOP", k->telescope, "mission");
    text(c, "INSTRUME", k->instrument, "instrument");
    detector_name(k->list[0].detector, name);
    if (k->layout == FITS_GBM_TTE) text(c, "DETNAM", name, "detector");
    text(c, "TIMESYS", "TT", "time system of the time keywords");
    text(c, "TIMEUNIT", "s", NULL);
    integer(c, "MJDREFI", k->mjdref_i, "mission epoch, whole days");
    if (!c->err) c->err = fits_put_real(c->w, "MJDREFF", k->mjdref_f, "mission epoch, fraction of a day", c->reterr);
    if (k->n_good) {
        nanoseconds(c, "TSTART", k->good[0].start_ns, "mission elapsed time");
        nanoseconds(c, "TSTOP", k->good[k->n_good - 1].stop_ns, "mission elapsed time");
    }
    if (k->zero_ns) nanoseconds(c, "TRIGTIME", k->zero_ns, "mission elapsed time");
}

static void put_primary(struct chunk_writer *c)
{
    if (!c->err) c->err = fits_put_image(c->w, NULL, FITS_U8, 0, NULL, NULL, c->reterr);
    common_keys(c);
    if (c->chunk->layout == FITS_GBM_TTE) {
        text(c, "FILETYPE", "GBM PHOTON LIST", NULL);
        text(c, "DATATYPE", "TTE", NULL);
    }
}

static void put_ebounds(struct chunk_writer *c)
{
    const struct fits_event_chunk *k = c->chunk;
    int16_t *channel = chunk_take(c, k->n_channel, sizeof *channel);
    for (size_t i = 0; channel && i < k->n_channel; i++)
        channel[i] = (int16_t)i;
    struct fits_put_column columns[] = {{"CHANNEL", "1I", NULL, channel, 0},
                                        {"E_MIN", "1E", "keV", k->e_min_kev, 0},
                                        {"E_MAX", "1E", "keV", k->e_max_kev, 0}};
    table(c, "EBOUNDS", k->n_channel, columns, 3);
    common_keys(c);
    integer(c, "DETCHANS", (int64_t)k->n_channel, "channels");
    free(channel);
}

static void put_gti(struct chunk_writer *c)
{
    const struct fits_event_chunk *k = c->chunk;
    double *start = chunk_take(c, k->n_good, sizeof *start), *stop = chunk_take(c, k->n_good, sizeof *stop);
    for (size_t i = 0; start && stop && i < k->n_good; i++) {
        start[i] = seconds(k->good[i].start_ns - k->zero_ns);
        stop[i] = seconds(k->good[i].stop_ns - k->zero_ns);
    }
    struct fits_put_column columns[] = {{"START", "1D", "s", start, k->zero_ns}, {"STOP", "1D", "s", stop, k->zero_ns}};
    table(c, "GTI", k->n_good, columns, 2);
    common_keys(c);
    free(start);
    free(stop);
}

/* Column values that are the same for every event where the caller gave none. */
static const uint8_t *filled(struct chunk_writer *c, const uint8_t *given, size_t n, uint8_t value, uint8_t **ret_own)
{
    *ret_own = NULL;
    if (given) return given;
    *ret_own = chunk_take(c, n, 1);
    if (*ret_own && n) memset(*ret_own, value, n);
    return *ret_own;
}

static void put_gecam_rows(struct chunk_writer *c, const char *name, const struct fits_detector_events *e,
                           const double *time, const int16_t *channel)
{
    uint8_t *own[4] = {0};
    const uint8_t *gain = filled(c, e->gain, e->n_event, 0, &own[0]),
                  *type = filled(c, e->type, e->n_event, 1, &own[1]),
                  *flag = filled(c, e->flag, e->n_event, 0, &own[2]), *pair = filled(c, NULL, e->n_event, 0, &own[3]);
    float *dead = chunk_take(c, e->n_event, sizeof *dead);
    for (size_t i = 0; dead && i < e->n_event; i++)
        dead[i] = DEAD_TIME_US;
    struct fits_put_column columns[] = {
        {"TIME", "1D", "s", time, 0},       {"PI", "1I", NULL, channel, 0},    {"GAIN_TYPE", "1B", NULL, gain, 0},
        {"DEAD_TIME", "1E", "us", dead, 0}, {"EVT_TYPE", "1B", NULL, type, 0}, {"EVT_PAIR", "1B", NULL, pair, 0},
        {"FLAG", "1B", NULL, flag, 0},
    };
    table(c, name, e->n_event, columns, 7);
    free(dead);
    for (int i = 0; i < 4; i++)
        free(own[i]);
}

static void put_events(struct chunk_writer *c, const char *name, const struct fits_detector_events *e)
{
    double *time = chunk_take(c, e->n_event, sizeof *time);
    int16_t *channel = chunk_take(c, e->n_event, sizeof *channel);
    for (size_t i = 0; time && channel && i < e->n_event; i++) {
        time[i] = seconds(e->met_ns[i] - c->chunk->zero_ns);
        channel[i] = (int16_t)e->channel[i];
    }
    struct fits_put_column columns[] = {{"TIME", "1D", "s", time, c->chunk->zero_ns}, {"PHA", "1I", NULL, channel, 0}};
    if (c->chunk->layout == FITS_GBM_TTE)
        table(c, name, e->n_event, columns, 2);
    else
        put_gecam_rows(c, name, e, time, channel);
    common_keys(c);
    free(time);
    free(channel);
}

static void put_gecam_detectors(struct chunk_writer *c)
{
    const struct fits_event_chunk *k = c->chunk;
    int next = 0;
    for (int i = 0; i < k->n_list; i++)
        for (; next <= k->list[i].detector; next++) {
            char name[24];
            (void)snprintf(name, sizeof name, "EVENTS%02d", next + 1);
            if (next == k->list[i].detector)
                put_events(c, name, &k->list[i]);
            else
                table(c, name, 0, NULL, 0);
        }
}

static enum burst_err check_good(const struct fits_event_chunk *k, struct burst_error *reterr)
{
    int64_t last = 0;
    for (size_t i = 0; i < k->n_good; i++) {
        if (k->good[i].start_ns < last || k->good[i].stop_ns < k->good[i].start_ns)
            return burst_fail(reterr, BURST_E_RANGE, "good time %zu is negative or does not rise", i);
        last = k->good[i].stop_ns;
    }
    return BURST_OK;
}

static enum burst_err check_chunk(const struct fits_event_chunk *k, struct burst_error *reterr)
{
    int last = -1, most = k->layout == FITS_GBM_TTE ? 14 : DETECTOR_MOST;
    if (k->n_channel < 1 || k->n_channel > 32767)
        return burst_fail(reterr, BURST_E_SHAPE, "%zu channels", k->n_channel);
    if (k->n_list < 1 || (k->layout == FITS_GBM_TTE ? k->n_list != 1 : k->zero_ns != 0))
        return burst_fail(reterr, BURST_E_SHAPE, "%d detectors, zero at %lld ns: not this layout", k->n_list,
                          (long long)k->zero_ns);
    for (int i = 0; i < k->n_list; last = k->list[i++].detector)
        if (k->list[i].detector <= last || k->list[i].detector >= most)
            return burst_fail(reterr, BURST_E_SHAPE, "detector %d after %d", k->list[i].detector, last);
    for (int i = 0; i < k->n_list; i++)
        for (size_t j = 0; j < k->list[i].n_event; j++)
            if (k->list[i].met_ns[j] < 0 || k->list[i].channel[j] >= k->n_channel)
                return burst_fail(reterr, BURST_E_RANGE, "detector %d, event %zu: time %lld ns, channel %d",
                                  k->list[i].detector, j, (long long)k->list[i].met_ns[j], k->list[i].channel[j]);
    return check_good(k, reterr);
}

enum burst_err fits_write_events(const struct fits_event_chunk *chunk, uint8_t **ret_bytes, size_t *ret_n,
                                 struct burst_error *reterr)
{
    struct chunk_writer c = {NULL, chunk, reterr, check_chunk(chunk, reterr)};
    if (c.err) return c.err;
    if ((c.err = fits_writer_new(&c.w, reterr))) return c.err;
    put_primary(&c);
    put_ebounds(&c);
    if (chunk->layout == FITS_GBM_TTE) {
        put_events(&c, "EVENTS", &chunk->list[0]);
        put_gti(&c);
    } else {
        put_gti(&c);
        put_gecam_detectors(&c);
    }
    if (!c.err) c.err = fits_writer_finish(c.w, ret_bytes, ret_n, reterr);
    fits_writer_free(c.w);
    return c.err;
}
