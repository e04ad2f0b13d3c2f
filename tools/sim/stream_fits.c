/* Cards and tables of a GECAM event file. Source: formats.md 2; FITS standard 4.0. */
#include "sim/stream_fits.h"
#include "base/bytes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 2880, CARD = 80, OVERFLOW_ROWS = 50, NAXIS2_CARD = 4 };
static const double OVERFLOW_MIN_KEV[2] = {300.0, 5500.0}, OVERFLOW_MAX_KEV = 20000.0; /* high gain, low gain */

uint8_t *fits_out_take(struct fits_out *o, size_t n)
{
    if (o->failed) return NULL;
    if (o->n + n > o->room) {
        size_t room = (o->n + n) + (o->n + n) / 2;
        uint8_t *more = realloc(o->byte, room);
        o->failed = !more;
        if (!more) return NULL;
        o->byte = more;
        o->room = room;
    }
    o->n += n;
    return o->byte + o->n - n;
}

void fits_out_cut(struct fits_out *o, size_t n)
{
    o->n -= n;
}

static void pad(struct fits_out *o, int value)
{
    size_t n = (BLOCK - o->n % BLOCK) % BLOCK;
    uint8_t *p = fits_out_take(o, n);
    if (p && n) memset(p, value, n);
}

__attribute__((format(printf, 2, 3))) static void card(struct fits_out *o, const char *format, ...)
{
    char text[CARD + 1];
    va_list args;
    uint8_t *p = fits_out_take(o, CARD);
    if (!p) return;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    n = n < 0 ? 0 : n > CARD ? CARD : n;
    memcpy(p, text, (size_t)n);
    memset(p + n, ' ', (size_t)(CARD - n));
}

static void end_header(struct fits_out *o)
{
    card(o, "END");
    pad(o, ' ');
}

static void common_cards(struct fits_out *o, const struct instrument_fact *fact, const struct stream_good *hull)
{
    card(o, "TELESCOP= '%-8s'           / mission", fact->fits_telescope);
    card(o, "INSTRUME= '%-8s'           / instrument", fact->fits_instrument);
    card(o, "TIMESYS = 'TT      '           / time system of the time keywords");
    card(o, "TIMEUNIT= 's       '");
    card(o, "MJDREFI = %20d / mission epoch, whole days", fact->epoch_mjd_i);
    card(o, "MJDREFF = %20.16f / mission epoch, fraction of a day", fact->epoch_mjd_f);
    card(o, "TSTART  = %20.6f / mission elapsed time", hull->start_s);
    card(o, "TSTOP   = %20.6f / mission elapsed time", hull->stop_s);
}

struct column {
    const char *name, *form, *unit;
};

/* Up to where columns are told; the answer is the header's place. */
static size_t begin_table(struct fits_out *o, const char *name, size_t n_row, size_t row_bytes,
                          const struct column *column, int n)
{
    size_t at = o->n;
    card(o, "XTENSION= 'BINTABLE'           / binary table");
    card(o, "BITPIX  =                    8");
    card(o, "NAXIS   =                    2");
    card(o, "NAXIS1  = %20zu / bytes a row", row_bytes);
    card(o, "NAXIS2  = %20zu / rows", n_row);
    card(o, "PCOUNT  =                    0");
    card(o, "GCOUNT  =                    1");
    card(o, "TFIELDS = %20d / columns", n);
    for (int i = 0; i < n; i++) {
        card(o, "TTYPE%-3d= '%-8s'", i + 1, column[i].name);
        card(o, "TFORM%-3d= '%-8s'", i + 1, column[i].form);
        if (column[i].unit) card(o, "TUNIT%-3d= '%-8s'", i + 1, column[i].unit);
    }
    card(o, "EXTNAME = '%-8s'", name);
    return at;
}

static void put_f32(uint8_t *p, float value)
{
    uint32_t x;
    memcpy(&x, &value, 4);
    bytes_put_u32(p, x);
}

static void put_f64(uint8_t *p, double value)
{
    uint64_t x;
    memcpy(&x, &value, 8);
    bytes_put_u64(p, x);
}

static void put_bounds(struct fits_out *o, const struct instrument_fact *fact, const struct ladder *ladder,
                       const struct stream_good *hull)
{
    static const struct column COLUMN[] = {{"CHANNEL", "1I", NULL}, {"E_MIN", "1E", "keV"}, {"E_MAX", "1E", "keV"}};
    size_t n = ladder->n_channel + OVERFLOW_ROWS;
    (void)begin_table(o, "EBOUNDS", n, 10, COLUMN, 3);
    common_cards(o, fact, hull);
    end_header(o);
    uint8_t *p = fits_out_take(o, 10 * n);
    for (size_t i = 0; p && i < n; i++, p += 10) {
        bool over = i >= ladder->n_channel;
        bytes_put_u16(p, (uint16_t)i);
        put_f32(p + 2, over ? (float)OVERFLOW_MIN_KEV[(i - ladder->n_channel) % 2] : ladder->e_min_kev[i]);
        put_f32(p + 6, over ? (float)OVERFLOW_MAX_KEV : ladder->e_max_kev[i]);
    }
    pad(o, 0);
}

static void put_good(struct fits_out *o, const struct instrument_fact *fact, const struct stream_good *good, int n,
                     const struct stream_good *hull)
{
    static const struct column COLUMN[] = {{"START", "1D", "s"}, {"STOP", "1D", "s"}};
    (void)begin_table(o, "GTI", (size_t)n, 16, COLUMN, 2);
    common_cards(o, fact, hull);
    end_header(o);
    uint8_t *p = fits_out_take(o, 16 * (size_t)n);
    for (int i = 0; p && i < n; i++, p += 16) {
        put_f64(p, good[i].start_s);
        put_f64(p + 8, good[i].stop_s);
    }
    pad(o, 0);
}

void stream_fits_begin(struct fits_out *o, const struct instrument_fact *fact, const struct ladder *ladder,
                       const struct stream_good *good, int n_good)
{
    struct stream_good hull = {good[0].start_s, good[n_good - 1].stop_s};
    card(o, "SIMPLE  =                    T / simulated by burst-sim");
    card(o, "BITPIX  =                    8");
    card(o, "NAXIS   =                    0");
    card(o, "EXTEND  =                    T");
    common_cards(o, fact, &hull);
    end_header(o);
    put_bounds(o, fact, ladder, &hull);
    put_good(o, fact, good, n_good, &hull);
}

size_t stream_fits_begin_events(struct fits_out *o, const struct instrument_fact *fact, int detector,
                                const struct stream_good *hull)
{
    static const struct column COLUMN[] = {
        {"TIME", "1D", "s"},      {"PI", "1I", NULL},       {"GAIN_TYPE", "1B", NULL}, {"DEAD_TIME", "1E", "us"},
        {"EVT_TYPE", "1B", NULL}, {"EVT_PAIR", "1B", NULL}, {"FLAG", "1B", NULL}};
    char name[24];
    (void)snprintf(name, sizeof name, "EVENTS%02d", detector + 1);
    size_t at = begin_table(o, name, 0, STREAM_ROW_BYTES, COLUMN, 7);
    common_cards(o, fact, hull);
    end_header(o);
    return at;
}

void stream_fits_end_table(struct fits_out *o, size_t header_at, size_t n_row)
{
    char text[24];
    pad(o, 0);
    if (o->failed) return;
    (void)snprintf(text, sizeof text, "%20zu", n_row);
    memcpy(o->byte + header_at + NAXIS2_CARD * CARD + 10, text, 20);
}

void stream_fits_placeholder(struct fits_out *o, int detector)
{
    char name[24];
    (void)snprintf(name, sizeof name, "EVENTS%02d", detector + 1);
    (void)begin_table(o, name, 0, 0, NULL, 0);
    end_header(o);
}
