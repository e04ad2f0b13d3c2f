/* The bytes of one piece. Headers keep their number of cards, so that every card stays where it is. */
#include "piece.h"
#include "fits/sum.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_AT = 10, FIXED_END = 30 }; /* FITS Standard 4.2: the value starts in column 11, numbers end in column 30 */

void piece_free(struct piece *p)
{
    free(p->bytes);
    *p = (struct piece){0};
}

enum burst_err piece_add(struct piece *p, const uint8_t *bytes, size_t n, struct burst_error *reterr)
{
    if (p->room - p->n < n) {
        size_t room = 2 * p->room > p->n + n ? 2 * p->room : p->n + n;
        uint8_t *more = realloc(p->bytes, room);
        if (!more) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a chunk of %zu bytes", room);
        p->bytes = more;
        p->room = room;
    }
    if (n) memcpy(p->bytes + p->n, bytes, n);
    p->n += n;
    return BURST_OK;
}

static char *find_card(uint8_t *header, size_t n, const char *key)
{
    char want[11];
    (void)snprintf(want, sizeof want, "%-8s= ", key);
    for (size_t at = 0; at + FITS_CARD <= n; at += FITS_CARD)
        if (memcmp(header + at, want, VALUE_AT) == 0) return (char *)header + at;
    return NULL;
}

/* Put a value in the card's fixed place; its comment stays where it began behind that. */
static void set_value(char *card, const char *value, size_t end)
{
    const char *slash = memchr(card + VALUE_AT, '/', FITS_CARD - VALUE_AT);
    size_t keep = slash && slash >= card + end + 1 ? (size_t)(slash - card) : FITS_CARD;
    memset(card + VALUE_AT, ' ', keep - VALUE_AT);
    memcpy(card + end - strlen(value), value, strlen(value));
}

static void set_number(uint8_t *header, size_t n, const char *key, const char *value)
{
    char *card = find_card(header, n, key);
    if (card) set_value(card, value, FIXED_END);
}

/* A quoted text starts in column 11. Slashes inside the old text do not matter: both sums are digits and letters. */
static void set_text(char *card, const char *text)
{
    char value[24];
    int n = snprintf(value, sizeof value, "'%s'", text);
    set_value(card, value, VALUE_AT + (size_t)n);
}

static void set_time(uint8_t *header, size_t n, const char *key, int64_t met_ns)
{
    char value[32];
    (void)snprintf(value, sizeof value, "%lld.%09lld", (long long)(met_ns / 1000000000),
                   (long long)(met_ns % 1000000000));
    set_number(header, n, key, value);
}

enum burst_err piece_begin(struct piece *p, const struct fits_hdu *hdu, int64_t n_row, int64_t start_ns,
                           int64_t stop_ns, struct burst_error *reterr)
{
    size_t at = p->n, n = hdu->data_at - hdu->header_at;
    enum burst_err err = piece_add(p, hdu->cards, n, reterr);
    if (err) return err;
    uint8_t *header = p->bytes + at;
    set_time(header, n, "TSTART", start_ns);
    set_time(header, n, "TSTOP", stop_ns);
    if (n_row >= 0) {
        char value[24];
        (void)snprintf(value, sizeof value, "%lld", (long long)n_row);
        set_number(header, n, "NAXIS2", value);
    }
    return BURST_OK;
}

/* The complement of a sum as 16 letters and digits. Source: FITS Standard 4.0, appendix J. */
static void encode_sum(uint32_t complement, char ret_text[17])
{
    char letter[16];
    for (int i = 0; i < 4; i++) {
        int byte = (int)(complement >> (24 - 8 * i) & 255), part[4];
        for (int j = 0; j < 4; j++)
            part[j] = byte / 4 + '0';
        part[0] += byte % 4;
        for (bool again = true; again;) { /* punctuation between digits and letters is stepped over, keeping the sum */
            again = false;
            for (int j = 0; j < 4; j += 2)
                for (int k = j; k < j + 2; k++)
                    if (!again && ((part[k] >= 0x3a && part[k] <= 0x40) || (part[k] >= 0x5b && part[k] <= 0x60))) {
                        part[j]++;
                        part[j + 1]--;
                        again = true;
                    }
        }
        for (int j = 0; j < 4; j++)
            letter[4 * j + i] = (char)part[j];
    }
    for (int i = 0; i < 16; i++)
        ret_text[i] = letter[(i + 15) % 16]; /* the text starts one byte before a word */
    ret_text[16] = 0;
}

enum burst_err piece_end(struct piece *p, size_t at, size_t header_bytes, struct burst_error *reterr)
{
    static const uint8_t zero[FITS_BLOCK];
    char text[24];
    size_t n_data = p->n - at - header_bytes;
    enum burst_err err = piece_add(p, zero, (FITS_BLOCK - n_data % FITS_BLOCK) % FITS_BLOCK, reterr);
    if (err) return err;
    uint8_t *header = p->bytes + at;
    char *data_card = find_card(header, header_bytes, "DATASUM"),
         *all_card = find_card(header, header_bytes, "CHECKSUM");
    uint32_t data = fits_sum(header + header_bytes, p->n - at - header_bytes, 0);
    if (data_card) {
        (void)snprintf(text, sizeof text, "%-10lu", (unsigned long)data);
        set_text(data_card, text);
    }
    if (!all_card) return BURST_OK;
    set_text(all_card, "0000000000000000");
    encode_sum(~fits_sum(header, header_bytes, data), text);
    memcpy(all_card + VALUE_AT + 1, text, 16);
    return BURST_OK;
}
