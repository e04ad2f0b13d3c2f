/* One card, one value; and the getters over a header. Numbers are read by their digits, never by a lenient scanner. */
#include "fits/card.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_AT = 10, SHOWN = 40, NUMBER_TEXT = 72 };

/* ---- one card ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const char *p, size_t i, size_t n)
{
    while (i < n && is_digit(p[i]))
        i++;
    return i;
}

static size_t skip_blanks(const char *card, size_t i)
{
    while (i < FITS_CARD && card[i] == ' ')
        i++;
    return i;
}

/* Length of the number at p[0..n), 0 if there is none: [+-] digits [. digits] [ED [+-] digits]. */
static size_t number_length(const char *p, size_t n, bool *ret_real)
{
    size_t i = n && (p[0] == '+' || p[0] == '-'), whole = i, end;
    *ret_real = false;
    i = skip_digits(p, i, n);
    size_t digits = i - whole;
    if (i < n && p[i] == '.') {
        *ret_real = true;
        end = skip_digits(p, i + 1, n);
        digits += end - i - 1;
        i = end;
    }
    if (!digits) return 0;
    if (i < n && (p[i] == 'E' || p[i] == 'D')) {
        size_t sign = i + 1 < n && (p[i + 1] == '+' || p[i + 1] == '-');
        end = skip_digits(p, i + 1 + sign, n);
        if (end == i + 1 + sign) return 0;
        *ret_real = true;
        i = end;
    }
    return i;
}

/* Length of the text up to its closing quote, -1 without one. */
static long text_length(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\'') continue;
        if (i + 1 < n && p[i + 1] == '\'')
            i++;
        else
            return (long)i;
    }
    return -1;
}

/* Whether all bytes are 0x20 to 0x7e, eight at a time: a byte below 0x80 gets its top bit from adding 0x60 if it is 0x20 or more,
 * from adding 1 if it is 0x7f. */
static bool is_printable(const uint8_t card[FITS_CARD])
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t bad = 0;
    for (size_t i = 0; i < FITS_CARD; i += 8) {
        uint64_t x;
        memcpy(&x, card + i, 8);
        bad |= x | (x + each) | ~(x + 0x60 * each);
    }
    return !(bad & 0x80 * each);
}

static enum burst_err check_bytes(const uint8_t *card, const char *name, size_t at, struct burst_error *reterr)
{
    size_t i = 0;
    if (is_printable(card)) return BURST_OK;
    while (card[i] >= 0x20 && card[i] <= 0x7e)
        i++;
    return burst_fail(reterr, BURST_E_FORMAT, "%s: byte 0x%02x in a header, printable ASCII expected (byte %zu)", name,
                      card[i], at + i);
}

static bool is_key_character(char c)
{
    return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-';
}

static enum burst_err check_key(const char *c, const char *name, size_t at, size_t *ret_n, struct burst_error *reterr)
{
    size_t n = 0;
    while (n < 8 && is_key_character(c[n]))
        n++;
    *ret_n = n;
    for (size_t i = n; i < 8; i++)
        if (c[i] != ' ')
            return burst_fail(reterr, BURST_E_FORMAT,
                              "%s: '%.8s' is no keyword: A-Z 0-9 _ - expected (card at byte %zu)", name, c, at);
    return BURST_OK;
}

static bool is_comment(const char *c)
{
    return !memcmp(c, "COMMENT ", 8) || !memcmp(c, "HISTORY ", 8) || !memcmp(c, "        ", 8);
}

static enum burst_err no_value(const char *c, const char *name, size_t at, struct burst_error *reterr)
{
    if (!memcmp(c, "CONTINUE", 8) || !memcmp(c, "HIERARCH", 8))
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s: %.8s cards are not taken (card at byte %zu)", name, c, at);
    return burst_fail(reterr, BURST_E_FORMAT, "%s: %.8s lacks '= ' in columns 9-10 (card at byte %zu)", name, c, at);
}

static enum burst_err check_number(const struct fits_card *card, const char *name, size_t at,
                                   struct burst_error *reterr)
{
    int64_t integer;
    double real;
    enum burst_err err = card->type == FITS_VALUE_INT ? fits_card_int(card, &integer) : fits_card_real(card, &real);
    if (!err) return BURST_OK;
    return burst_fail(reterr, BURST_E_RANGE, "%s: %s is %.*s, more than a 64-bit number holds (card at byte %zu)", name,
                      card->key, SHOWN, card->value, at);
}

/* Set type and value; returns the characters used, quotes included, or 0 where no value begins. */
static size_t parse_value(const char *p, size_t n, struct fits_card *card)
{
    bool real;
    card->value = p;
    if (n && *p == '\'') {
        long length = text_length(p + 1, n - 1);
        if (length < 0) return 0;
        card->type = FITS_VALUE_TEXT;
        card->value = p + 1;
        card->n_value = (size_t)length;
        return card->n_value + 2;
    }
    if (n && (*p == 'T' || *p == 'F')) {
        card->type = FITS_VALUE_LOGICAL;
        return card->n_value = 1;
    }
    card->n_value = number_length(p, n, &real);
    card->type = real ? FITS_VALUE_REAL : FITS_VALUE_INT;
    return card->n_value;
}

static enum burst_err not_a_value(const char *c, size_t i, const char *name, size_t at, struct burst_error *reterr)
{
    size_t n = FITS_CARD - i < SHOWN ? FITS_CARD - i : SHOWN;
    while (n && c[i + n - 1] == ' ')
        n--;
    return burst_fail(reterr, BURST_E_FORMAT, "%s: %.*s = %.*s is no value (card at byte %zu)", name,
                      (int)strcspn(c, " ="), c, (int)n, c + i, at);
}

enum burst_err fits_card_parse(const uint8_t card[FITS_CARD], const char *hdu_name, size_t at,
                               struct fits_card *ret_card, struct burst_error *reterr)
{
    char c[FITS_CARD + 1];
    struct fits_card out = {.type = FITS_VALUE_NONE};
    memcpy(c, card, FITS_CARD);
    c[FITS_CARD] = 0;
    enum burst_err err = check_bytes(card, hdu_name, at, reterr);
    size_t n_key;
    if (err || (err = check_key(c, hdu_name, at, &n_key, reterr))) return err;
    memcpy(out.key, c, n_key);
    if (is_comment(c))
        out.type = FITS_VALUE_COMMENT;
    else if (memcmp(c + 8, "= ", 2) != 0)
        return no_value(c, hdu_name, at, reterr);
    else {
        const char *text = (const char *)card;
        size_t i = skip_blanks(c, VALUE_AT), used = 0;
        if (i < FITS_CARD && c[i] != '/') {
            used = parse_value(text + i, FITS_CARD - i, &out);
            size_t next = skip_blanks(c, i + used);
            if (!used || (next < FITS_CARD && c[next] != '/')) return not_a_value(c, i, hdu_name, at, reterr);
            if (out.type >= FITS_VALUE_INT && (err = check_number(&out, hdu_name, at, reterr))) return err;
        }
    }
    *ret_card = out;
    return BURST_OK;
}

/* ---- values ---- */

void fits_card_text(const struct fits_card *card, char ret_text[FITS_TEXT_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < card->n_value && n + 1 < FITS_TEXT_MAX; i++) {
        ret_text[n++] = card->value[i];
        if (card->value[i] == '\'') i++;
    }
    while (n && ret_text[n - 1] == ' ')
        n--;
    ret_text[n] = 0;
}

enum burst_err fits_card_int(const struct fits_card *card, int64_t *ret_value)
{
    bool negative = card->value[0] == '-';
    int64_t value = 0;
    for (size_t i = negative || card->value[0] == '+'; i < card->n_value; i++) {
        int digit = card->value[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value)) return BURST_E_RANGE;
        if (__builtin_add_overflow(value, negative ? -digit : digit, &value)) return BURST_E_RANGE;
    }
    *ret_value = value;
    return BURST_OK;
}

enum burst_err fits_card_real(const struct fits_card *card, double *ret_value)
{
    char text[NUMBER_TEXT];
    size_t n = card->n_value < sizeof text - 1 ? card->n_value : sizeof text - 1;
    memcpy(text, card->value, n);
    text[n] = 0;
    char *d = strchr(text, 'D');
    if (d) *d = 'E';
    double value = strtod(text, NULL);
    if (!isfinite(value)) return BURST_E_RANGE;
    *ret_value = value;
    return BURST_OK;
}

/* The exponent after E or D; clamped, since beyond +-200 every time is out of range or zero. */
static int exponent_of(const char *p, size_t n)
{
    int value = 0;
    bool negative = n && p[0] == '-';
    for (size_t i = n && (p[0] == '-' || p[0] == '+'); i < n; i++)
        if (value < 200) value = value * 10 + (p[i] - '0');
    return negative ? -value : value;
}

/* Digits d1 d2 ... with the point after `point` of them, times 1e9, is an integer once digits up to point + 9 are taken;
 * the next digit rounds. */
static enum burst_err digits_to_ns(const char *digits, int n, int point, int64_t *ret_ns)
{
    int64_t ns = 0;
    for (int i = 0; i < point + 9; i++) {
        if (__builtin_mul_overflow(ns, 10, &ns) || __builtin_add_overflow(ns, i < n ? digits[i] - '0' : 0, &ns))
            return BURST_E_RANGE;
    }
    int next = point + 9;
    if (next >= 0 && next < n && digits[next] >= '5') ns++;
    if (ns >= INT64_C(4000000000) * 1000000000) return BURST_E_RANGE;
    *ret_ns = ns;
    return BURST_OK;
}

enum burst_err fits_card_ns(const struct fits_card *card, int64_t *ret_ns)
{
    char digits[NUMBER_TEXT];
    int n = 0, point = -1, exponent = 0;
    const char *p = card->value;
    for (size_t i = p[0] == '-' || p[0] == '+'; i < card->n_value; i++) {
        if (p[i] == '.')
            point = n;
        else if (is_digit(p[i]))
            digits[n++] = p[i];
        else {
            exponent = exponent_of(p + i + 1, card->n_value - i - 1);
            break;
        }
    }
    if (point < 0) point = n;
    int zeros = 0;
    while (zeros < n && digits[zeros] == '0')
        zeros++;
    int64_t ns = 0;
    if (zeros < n && digits_to_ns(digits + zeros, n - zeros, point - zeros + exponent, &ns)) return BURST_E_RANGE;
    *ret_ns = p[0] == '-' ? -ns : ns;
    return BURST_OK;
}

/* ---- a header ---- */

static size_t find_card(const struct fits_hdu *hdu, const char *key, size_t *ret_index)
{
    char padded[9] = "        ";
    size_t found = 0;
    for (size_t i = 0; i < 8 && key[i]; i++)
        padded[i] = key[i];
    for (size_t i = 0; i < hdu->n_card; i++)
        if (!memcmp(hdu->cards + i * FITS_CARD, padded, 8) && !found++) *ret_index = i;
    return found;
}

bool fits_key_has(const struct fits_hdu *hdu, const char *key)
{
    size_t index;
    return find_card(hdu, key, &index) > 0;
}

size_t fits_key_at(const struct fits_hdu *hdu, const char *key)
{
    size_t index = 0;
    (void)find_card(hdu, key, &index); /* absent: the header itself is the place to look at */
    return hdu->header_at + index * FITS_CARD;
}

/* A keyword that comes again: as it was (a blunder), or with another value (two of them, and nobody can tell which is meant). */
static enum burst_err fail_twice(const struct fits_hdu *hdu, const char *key, size_t first, size_t found,
                                 struct burst_error *reterr)
{
    const uint8_t *card = hdu->cards + first * FITS_CARD;
    enum burst_err err = BURST_E_FORMAT;
    for (size_t i = first + 1; i < hdu->n_card; i++) {
        const uint8_t *other = hdu->cards + i * FITS_CARD;
        if (!memcmp(other, card, 8) && memcmp(other, card, FITS_CARD) != 0) err = BURST_E_CONFLICT;
    }
    return burst_fail(reterr, err, "%s: %s stands %zu times%s (first card at byte %zu)", hdu->name, key, found,
                      err == BURST_E_CONFLICT ? " with other values" : "", hdu->header_at + first * FITS_CARD);
}

static enum burst_err get_card(const struct fits_hdu *hdu, const char *key, struct fits_card *ret_card,
                               struct burst_error *reterr)
{
    size_t index = 0, found = find_card(hdu, key, &index), at = hdu->header_at + index * FITS_CARD;
    if (!found) return burst_fail(reterr, BURST_E_MISSING, "%s: no %s (header at byte %zu)", hdu->name, key, at);
    if (found > 1) return fail_twice(hdu, key, index, found, reterr);
    struct fits_card card;
    enum burst_err err = fits_card_parse(hdu->cards + index * FITS_CARD, hdu->name, at, &card, reterr);
    if (err) return err;
    if (card.type == FITS_VALUE_NONE)
        return burst_fail(reterr, BURST_E_MISSING, "%s: %s has no value (card at byte %zu)", hdu->name, key, at);
    *ret_card = card;
    return BURST_OK;
}

static enum burst_err wrong_type(const struct fits_hdu *hdu, const struct fits_card *card, const char *expected,
                                 struct burst_error *reterr)
{
    static const char *const words[] = {[FITS_VALUE_COMMENT] = "a comment",
                                        [FITS_VALUE_TEXT] = "the string",
                                        [FITS_VALUE_LOGICAL] = "the logical",
                                        [FITS_VALUE_INT] = "the integer",
                                        [FITS_VALUE_REAL] = "the real"};
    int n = card->type == FITS_VALUE_COMMENT ? 0 : (int)card->n_value;
    const char *quote = card->type == FITS_VALUE_TEXT ? "'" : "";
    return burst_fail(reterr, BURST_E_FORMAT, "%s: %s is %s %s%.*s%s%s, %s expected (card at byte %zu)", hdu->name,
                      card->key, words[card->type], quote, n < SHOWN ? n : SHOWN, card->value, n > SHOWN ? "..." : "",
                      quote, expected, fits_key_at(hdu, card->key));
}

enum burst_err fits_key_text(const struct fits_hdu *hdu, const char *key, char *ret_text, size_t size,
                             struct burst_error *reterr)
{
    struct fits_card card;
    char text[FITS_TEXT_MAX];
    enum burst_err err = get_card(hdu, key, &card, reterr);
    if (err) return err;
    if (card.type != FITS_VALUE_TEXT) return wrong_type(hdu, &card, "a string", reterr);
    fits_card_text(&card, text);
    if (strlen(text) >= size)
        return burst_fail(reterr, BURST_E_LIMIT, "%s: %s has %zu characters, at most %zu are taken (card at byte %zu)",
                          hdu->name, key, strlen(text), size - 1, fits_key_at(hdu, key));
    memcpy(ret_text, text, strlen(text) + 1);
    return BURST_OK;
}

enum burst_err fits_key_int(const struct fits_hdu *hdu, const char *key, int64_t least, int64_t most,
                            int64_t *ret_value, struct burst_error *reterr)
{
    struct fits_card card;
    int64_t value = 0;
    enum burst_err err = get_card(hdu, key, &card, reterr);
    if (err) return err;
    if (card.type != FITS_VALUE_INT) return wrong_type(hdu, &card, "an integer", reterr);
    if (fits_card_int(&card, &value) || value < least || value > most)
        return burst_fail(reterr, BURST_E_RANGE, "%s: %s is %.*s, %lld to %lld expected (card at byte %zu)", hdu->name,
                          key, (int)card.n_value, card.value, (long long)least, (long long)most, fits_key_at(hdu, key));
    *ret_value = value;
    return BURST_OK;
}

enum burst_err fits_key_real(const struct fits_hdu *hdu, const char *key, double least, double most, double *ret_value,
                             struct burst_error *reterr)
{
    struct fits_card card;
    double value = 0;
    enum burst_err err = get_card(hdu, key, &card, reterr);
    if (err) return err;
    if (card.type != FITS_VALUE_INT && card.type != FITS_VALUE_REAL) return wrong_type(hdu, &card, "a number", reterr);
    if (fits_card_real(&card, &value) || value < least || value > most)
        return burst_fail(reterr, BURST_E_RANGE, "%s: %s is %.*s, %g to %g expected (card at byte %zu)", hdu->name, key,
                          (int)card.n_value, card.value, least, most, fits_key_at(hdu, key));
    *ret_value = value;
    return BURST_OK;
}

enum burst_err fits_key_logical(const struct fits_hdu *hdu, const char *key, bool *ret_value,
                                struct burst_error *reterr)
{
    struct fits_card card;
    enum burst_err err = get_card(hdu, key, &card, reterr);
    if (err) return err;
    if (card.type != FITS_VALUE_LOGICAL) return wrong_type(hdu, &card, "T or F", reterr);
    *ret_value = card.value[0] == 'T';
    return BURST_OK;
}

enum burst_err fits_key_ns(const struct fits_hdu *hdu, const char *key, int64_t *ret_ns, struct burst_error *reterr)
{
    struct fits_card card;
    enum burst_err err = get_card(hdu, key, &card, reterr);
    if (err) return err;
    if (card.type != FITS_VALUE_INT && card.type != FITS_VALUE_REAL) return wrong_type(hdu, &card, "a number", reterr);
    if (fits_card_ns(&card, ret_ns))
        return burst_fail(reterr, BURST_E_RANGE, "%s: %s is %.*s s, less than 4e9 expected (card at byte %zu)",
                          hdu->name, key, (int)card.n_value, card.value, fits_key_at(hdu, key));
    return BURST_OK;
}

enum burst_err fits_key_expect(const struct fits_hdu *hdu, const char *key, const char *want,
                               struct burst_error *reterr)
{
    char text[FITS_TEXT_MAX];
    enum burst_err err = fits_key_text(hdu, key, text, sizeof text, reterr);
    if (err) return err;
    if (strcmp(text, want) != 0)
        return burst_fail(reterr, BURST_E_FORMAT, "%s: %s is '%s', '%s' expected (card at byte %zu)", hdu->name, key,
                          text, want, fits_key_at(hdu, key));
    return BURST_OK;
}
