/* A good file made by the writer, then changed in one place: its sums become comments, so that what is judged is the change. */
#ifndef BURST_TESTS_INGEST_CHANGED_H
#define BURST_TESTS_INGEST_CHANGED_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct changed {
    uint8_t *bytes;
    size_t n;
};

static inline void changed_drop(struct changed *f)
{
    free(f->bytes);
    *f = (struct changed){0};
}

/* The first card that begins so at or after byte `from`; the test is wrong if there is none. */
static inline uint8_t *changed_find(const struct changed *f, size_t from, const char *begin)
{
    for (size_t at = from; at + 80 <= f->n; at += 80)
        if (!memcmp(f->bytes + at, begin, strlen(begin))) return f->bytes + at;
    abort();
}

static inline void changed_unsum(struct changed *f)
{
    for (size_t at = 0; at + 80 <= f->n; at += 80)
        if (!memcmp(f->bytes + at, "CHECKSUM=", 9) || !memcmp(f->bytes + at, "DATASUM =", 9))
            memcpy(f->bytes + at, "COMMENT  ", 9);
}

/* Where the header of the named extension begins. */
static inline size_t changed_hdu(const struct changed *f, const char *name)
{
    char card[32];
    (void)snprintf(card, sizeof card, "EXTNAME = '%-8s'", name);
    size_t at = (size_t)(changed_find(f, 0, card) - f->bytes);
    while (memcmp(f->bytes + at, "XTENSION=", 9) != 0)
        at -= 80;
    return at;
}

/* Put `with` over the first card that begins with `begin`, in the named extension (NULL: the primary). */
static inline void changed_card(struct changed *f, const char *name, const char *begin, const char *with)
{
    char card[81];
    (void)snprintf(card, sizeof card, "%-80s", with);
    memcpy(changed_find(f, name ? changed_hdu(f, name) : 0, begin), card, 80);
}

/* First byte of the named extension's data. */
static inline uint8_t *changed_data(struct changed *f, const char *name)
{
    size_t at = (size_t)(changed_find(f, changed_hdu(f, name), "END     ") - f->bytes);
    return f->bytes + (at / 2880 + 1) * 2880;
}

/* Write a double as FITS holds it. */
static inline void changed_f64(uint8_t *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(bits >> (56 - 8 * i));
}
#endif
