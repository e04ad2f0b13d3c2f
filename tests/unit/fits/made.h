/* FITS bytes put together card by card, for tests of what reads them: no code under test has a hand in it. */
#ifndef BURST_TESTS_FITS_MADE_H
#define BURST_TESTS_FITS_MADE_H
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_BLOCK = 2880, MADE_CARD = 80, MADE_MOST = 512 * 1024 };

struct made {
    uint8_t bytes[MADE_MOST];
    size_t n;
};

static inline void made_bytes(struct made *m, const void *bytes, size_t n)
{
    if (n > MADE_MOST - m->n) abort();
    if (n) memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
}

/* One card; shorter text is filled with blanks. */
static inline void __attribute__((format(printf, 2, 3))) made_card(struct made *m, const char *format, ...)
{
    char card[2 * MADE_CARD];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(card, sizeof card, format, args);
    va_end(args);
    if (n < 0 || n > MADE_CARD) abort();
    memset(card + n, ' ', sizeof card - (size_t)n);
    made_bytes(m, card, MADE_CARD);
}

static inline void made_fill(struct made *m, uint8_t fill)
{
    while (m->n % MADE_BLOCK)
        made_bytes(m, &fill, 1);
}

static inline void made_end(struct made *m)
{
    made_card(m, "END");
    made_fill(m, ' ');
}

static inline void made_data(struct made *m, const void *bytes, size_t n)
{
    made_bytes(m, bytes, n);
    made_fill(m, 0);
}

/* A primary header without data, still open for cards. */
static inline void made_primary(struct made *m)
{
    m->n = 0;
    made_card(m, "SIMPLE  =                    T");
    made_card(m, "BITPIX  =                    8");
    made_card(m, "NAXIS   =                    0");
}

/* A table header up to TFIELDS, still open for cards. */
static inline void made_table(struct made *m, int row_bytes, int n_row, int n_column)
{
    made_card(m, "XTENSION= 'BINTABLE'");
    made_card(m, "BITPIX  =                    8");
    made_card(m, "NAXIS   =                    2");
    made_card(m, "NAXIS1  = %20d", row_bytes);
    made_card(m, "NAXIS2  = %20d", n_row);
    made_card(m, "PCOUNT  =                    0");
    made_card(m, "GCOUNT  =                    1");
    made_card(m, "TFIELDS = %20d", n_column);
}

static inline void made_column(struct made *m, int number, const char *name, const char *form)
{
    made_card(m, "TTYPE%-3d= '%-8s'", number, name);
    made_card(m, "TFORM%-3d= '%-8s'", number, form);
}
#endif
