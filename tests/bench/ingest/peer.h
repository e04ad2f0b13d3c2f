/* The peer: cfitsio opens the file in memory and reads the columns, plain C bins them. No checks of what the rows say. */
#ifndef BURST_BENCH_INGEST_PEER_H
#define BURST_BENCH_INGEST_PEER_H
#include "load.h"
#include <fitsio.h>

enum { PEER_ROWS = 1 << 14 };

struct peer_columns {
    double time[PEER_ROWS];
    float dead_us[PEER_ROWS];
    short channel[PEER_ROWS];
    unsigned char gain[PEER_ROWS], type[PEER_ROWS], flag[PEER_ROWS];
};

struct peer_seen { /* the last recommended row */
    double time, dead_s;
    int gain, atom;
    size_t bin;
};

static inline void peer_check(int status)
{
    char text[FLEN_STATUS];
    if (!status) return;
    fits_get_errstatus(status, text);
    give_up(text, NULL);
}

static inline void peer_read(fitsfile *f, bool gains, long first, long n, struct peer_columns *c)
{
    int status = 0;
    fits_read_col(f, TDOUBLE, 1, first, 1, n, NULL, c->time, NULL, &status);
    fits_read_col(f, TSHORT, 2, first, 1, n, NULL, c->channel, NULL, &status);
    if (gains) {
        fits_read_col(f, TBYTE, 3, first, 1, n, NULL, c->gain, NULL, &status);
        fits_read_col(f, TFLOAT, 4, first, 1, n, NULL, c->dead_us, NULL, &status);
        fits_read_col(f, TBYTE, 5, first, 1, n, NULL, c->type, NULL, &status);
        fits_read_col(f, TBYTE, 7, first, 1, n, NULL, c->flag, NULL, &status);
    }
    peer_check(status);
}

static inline void peer_bin_plain(const struct load *l, int d, const struct peer_columns *c, long n)
{
    uint32_t *cell = histogram_row(l, l->histogram, d, 0), *dead = histogram_row(l, l->histogram, d, ROW_OF_DEAD);
    for (long i = 0; i < n; i++) {
        size_t bin = (size_t)((int64_t)(c->time[i] / 0.064) - l->k0);
        int atom = l->atom[c->channel[i]];
        dead[bin] += c->channel[i] == GBM_CHANNELS - 1 ? 100 : 26;
        if (atom >= 0) cell[(size_t)atom * l->n_bin + bin]++;
    }
}

/* One row of an instrument with two gains. */
static inline void peer_count(const struct load *l, uint32_t *cell, struct peer_seen *seen, struct peer_seen row)
{
    bool pair = seen->gain >= 0 && seen->gain != row.gain && row.time - seen->time <= seen->dead_s;
    if (pair && row.gain == 0) {
        seen->gain = -1;
        return;
    }
    if (pair && seen->atom >= 0) cell[(size_t)seen->atom * l->n_bin + seen->bin]--;
    if (row.atom >= 0) cell[(size_t)row.atom * l->n_bin + row.bin]++;
    *seen = row;
    if (pair) seen->gain = -1;
}

static inline void peer_bin_gains(const struct load *l, int d, const struct peer_columns *c, long n,
                                  struct peer_seen *seen)
{
    uint32_t *cell = histogram_row(l, l->histogram, d, 0), *dead = histogram_row(l, l->histogram, d, ROW_OF_DEAD);
    for (long i = 0; i < n; i++) {
        size_t bin = (size_t)((int64_t)(c->time[i] / 0.064) - l->k0);
        dead[bin] += (uint32_t)(c->dead_us[i] * 10.0f + 0.5f);
        if (c->type[i] != 1 || c->flag[i] >= 2) continue;
        peer_count(
            l, cell, seen,
            (struct peer_seen){c->time[i], (double)c->dead_us[i] * 1e-6, c->gain[i], l->atom[c->channel[i]], bin});
    }
}

static inline void peer_table(const struct load *l, fitsfile *f, int d, bool binning)
{
    static struct peer_columns columns;
    struct peer_seen seen = {.gain = -1};
    long n_row = 0;
    int status = 0;
    fits_get_num_rows(f, &n_row, &status);
    peer_check(status);
    for (long first = 1; first <= n_row; first += PEER_ROWS) {
        long n = n_row - first + 1 < PEER_ROWS ? n_row - first + 1 : PEER_ROWS;
        peer_read(f, l->kind->gains, first, n, &columns);
        if (!binning) continue;
        if (l->kind->gains)
            peer_bin_gains(l, d, &columns, n, &seen);
        else
            peer_bin_plain(l, d, &columns, n);
    }
}

static inline void peer_run(const struct load *l, bool binning)
{
    for (size_t i = 0; i < l->n_body; i++) {
        fitsfile *f = NULL;
        void *bytes = l->body[i].bytes;
        size_t size = l->body[i].n;
        int status = 0;
        fits_open_memfile(&f, "events", READONLY, &bytes, &size, 0, NULL, &status);
        peer_check(status);
        for (int d = 0; d < l->n_detector; d++) {
            char name[16] = "EVENTS";
            if (l->kind->gains) (void)snprintf(name, sizeof name, "EVENTS%02d", (d + 1) % 100);
            fits_movnam_hdu(f, BINARY_TBL, name, 0, &status);
            peer_check(status);
            peer_table(l, f, d, binning);
        }
        fits_close_file(f, &status);
        peer_check(status);
    }
}
#endif
