/* The gate: one pass over the headers, sizes checked before anything is believed. */
#include "fits/gate.h"
#include "fits/card.h"
#include "fits/table.h"
#include <stdio.h>
#include <string.h>

enum { COLUMN_MOST = FITS_COLUMN_MAX };

struct gate {
    const uint8_t *bytes;
    size_t n;
    struct burst_error *reterr;
};

/* ---- what is no FITS at all ---- */

static enum burst_err check_compressed(const struct gate *g)
{
    static const struct {
        const char *magic, *name;
        size_t n;
    } KNOWN[] = {{"\x1f\x8b", "gzip", 2},
                 {"BZh", "bzip2", 3},
                 {"\x1f\x9d", "compress", 2},
                 {"\xfd"
                  "7zXZ",
                  "xz", 5},
                 {"\x28\xb5\x2f\xfd", "zstd", 4},
                 {"PK\x03\x04", "zip", 4}};
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (g->n >= KNOWN[i].n && !memcmp(g->bytes, KNOWN[i].magic, KNOWN[i].n))
            return burst_fail(g->reterr, BURST_E_UNSUPPORTED, "the file is compressed with %s: unpack it first",
                              KNOWN[i].name);
    return BURST_OK;
}

static void printable(const uint8_t *bytes, size_t n, char *ret_text)
{
    for (size_t i = 0; i < n; i++)
        ret_text[i] = bytes[i] >= 0x20 && bytes[i] <= 0x7e ? (char)bytes[i] : '?';
    ret_text[n] = 0;
}

static enum burst_err check_start(const struct gate *g)
{
    char shown[17];
    enum burst_err err = check_compressed(g);
    if (err) return err;
    if (!g->n) return burst_fail(g->reterr, BURST_E_TRUNCATED, "the file is empty");
    size_t n = g->n < 16 ? g->n : 16;
    printable(g->bytes, n, shown);
    if (memcmp(g->bytes, "SIMPLE  =       ", n) != 0)
        return burst_fail(g->reterr, BURST_E_FORMAT, "the file begins with '%s', not with 'SIMPLE  =': no FITS", shown);
    return BURST_OK;
}

/* ---- the header ---- */

/* Cards of keywords that decide where bytes lie or what they mean: one of each at most. */
static bool is_structure(const uint8_t *card)
{
    static const char KEYS[][9] = {"SIMPLE  ", "XTENSION", "BITPIX  ", "PCOUNT  ", "GCOUNT  ", "GROUPS  ", "EXTEND  ",
                                   "TFIELDS ", "THEAP   ", "EXTNAME ", "BSCALE  ", "BZERO   ", "BLANK   "};
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        if (!memcmp(card, KEYS[i], 8)) return true;
    return !memcmp(card, "NAXIS", 5);
}

static enum burst_err check_forbidden(const struct gate *g, const struct fits_card *card, const char *name, size_t at)
{
    static const char *const COMPRESSED[] = {"ZIMAGE", "ZTABLE", "ZCMPTYPE", "ZTENSION"};
    for (size_t i = 0; card->key[0] == 'Z' && i < sizeof COMPRESSED / sizeof COMPRESSED[0]; i++)
        if (!strcmp(card->key, COMPRESSED[i]))
            return burst_fail(g->reterr, BURST_E_UNSUPPORTED,
                              "%s: %s: compressed images and tables are not taken (card at byte %zu)", name, card->key,
                              at);
    if (!strcmp(card->key, "GROUPS") && (card->type != FITS_VALUE_LOGICAL || card->value[0] == 'T'))
        return burst_fail(g->reterr, BURST_E_UNSUPPORTED, "%s: random groups are not taken (card at byte %zu)", name,
                          at);
    if (!strcmp(card->key, "THEAP"))
        return burst_fail(g->reterr, BURST_E_UNSUPPORTED, "%s: a table with a heap is not taken (card at byte %zu)",
                          name, at);
    return BURST_OK;
}

/* The first byte of [from, to) that is not `fill`, or `to`: in stretches, which nearly always are all good. */
static size_t first_other(const uint8_t *bytes, size_t from, size_t to, uint8_t fill)
{
    enum { STRETCH = 64 };
    for (; to - from >= STRETCH; from += STRETCH) {
        uint8_t other = 0;
        for (size_t i = 0; i < STRETCH; i++)
            other |= bytes[from + i] ^ fill;
        if (other) break;
    }
    while (from < to && bytes[from] == fill)
        from++;
    return from;
}

/* Blanks from the card after END to the end of its block. */
static enum burst_err check_padding(const struct gate *g, const struct fits_hdu *hdu)
{
    size_t i = first_other(g->bytes, hdu->header_at + (hdu->n_card + 1) * FITS_CARD, hdu->data_at, ' ');
    if (i == hdu->data_at) return BURST_OK;
    return burst_fail(g->reterr, BURST_E_FORMAT, "%s: byte 0x%02x after END, blanks expected (byte %zu)", hdu->name,
                      g->bytes[i], i);
}

/* Every card up to END by the grammar; sets n_card and data_at. */
static enum burst_err walk_cards(const struct gate *g, struct fits_hdu *hdu)
{
    for (size_t i = 0;; i++) {
        size_t at = hdu->header_at + i * FITS_CARD;
        const uint8_t *card = g->bytes + at;
        struct fits_card parsed;
        if (i == FITS_CARD_MAX)
            return burst_fail(g->reterr, BURST_E_LIMIT, "%s: more than %d cards in a header (byte %zu)", hdu->name,
                              FITS_CARD_MAX, at);
        if (g->n - at < FITS_CARD)
            return burst_fail(g->reterr, BURST_E_TRUNCATED,
                              "%s: the file ends at byte %zu inside the header that begins at byte %zu", hdu->name,
                              g->n, hdu->header_at);
        hdu->n_card = i;
        if (!memcmp(card, "END     ", 8)) {
            hdu->data_at = hdu->header_at + (i + FITS_BLOCK / FITS_CARD) / (FITS_BLOCK / FITS_CARD) * FITS_BLOCK;
            break;
        }
        enum burst_err err = fits_card_parse(card, hdu->name, at, &parsed, g->reterr);
        if (err || (err = check_forbidden(g, &parsed, hdu->name, at))) return err;
    }
    size_t at = hdu->header_at + hdu->n_card * FITS_CARD;
    for (size_t i = 8; i < FITS_CARD; i++)
        if (g->bytes[at + i] != ' ')
            return burst_fail(g->reterr, BURST_E_FORMAT, "%s: text after END (card at byte %zu)", hdu->name, at);
    if (hdu->data_at > g->n)
        return burst_fail(g->reterr, BURST_E_TRUNCATED,
                          "%s: the header's last block ends at byte %zu, the file at byte %zu", hdu->name, hdu->data_at,
                          g->n);
    return check_padding(g, hdu);
}

static enum burst_err check_single(const struct gate *g, const struct fits_hdu *hdu)
{
    for (size_t i = 0; i < hdu->n_card; i++) {
        const uint8_t *card = hdu->cards + i * FITS_CARD;
        if (!is_structure(card)) continue;
        for (size_t j = 0; j < i; j++) {
            size_t at = hdu->header_at + i * FITS_CARD;
            if (memcmp(hdu->cards + j * FITS_CARD, card, 8) != 0) continue;
            return burst_fail(g->reterr, BURST_E_FORMAT, "%s: %.*s comes twice (second card at byte %zu)", hdu->name,
                              (int)strcspn((const char *)card, " ="), (const char *)card, at);
        }
    }
    return BURST_OK;
}

/* Card number *index must be this keyword with an integer inside the limits. */
static enum burst_err next_int(const struct gate *g, const struct fits_hdu *hdu, size_t *index, const char *key,
                               int64_t least, int64_t most, enum burst_err outside, int64_t *ret_value)
{
    struct fits_card card = {0};
    size_t at = hdu->header_at + *index * FITS_CARD;
    if (*index < hdu->n_card) (void)fits_card_parse(hdu->cards + *index * FITS_CARD, hdu->name, at, &card, NULL);
    if (strcmp(card.key, key) != 0)
        return burst_fail(g->reterr, BURST_E_FORMAT, "%s: %s expected as card %zu, %s stands there (card at byte %zu)",
                          hdu->name, key, *index + 1, card.key[0] ? card.key : "nothing", at);
    int64_t value;
    if (card.type != FITS_VALUE_INT || fits_card_int(&card, &value))
        return burst_fail(g->reterr, BURST_E_FORMAT, "%s: %s is no integer (card at byte %zu)", hdu->name, key, at);
    if (value < least || value > most)
        return burst_fail(g->reterr, outside, "%s: %s = %lld, %lld to %lld expected (card at byte %zu)", hdu->name, key,
                          (long long)value, (long long)least, (long long)most, at);
    *ret_value = value;
    ++*index;
    return BURST_OK;
}

static enum burst_err read_bitpix(const struct gate *g, struct fits_hdu *hdu, size_t *index)
{
    int64_t value = 0;
    enum burst_err err = next_int(g, hdu, index, "BITPIX", -64, 64, BURST_E_FORMAT, &value);
    if (err) return err;
    bool known = value == 8 || value == 16 || value == 32 || value == 64 || value == -32 || value == -64;
    if (!known || (hdu->kind == FITS_TABLE && value != 8))
        return burst_fail(g->reterr, BURST_E_FORMAT, "%s: BITPIX = %lld is not allowed here (card at byte %zu)",
                          hdu->name, (long long)value, fits_key_at(hdu, "BITPIX"));
    hdu->bitpix = (int)value;
    return BURST_OK;
}

static enum burst_err read_axes(const struct gate *g, struct fits_hdu *hdu, size_t *index)
{
    int64_t n_axis = 0;
    enum burst_err err = next_int(g, hdu, index, "NAXIS", 0, 999, BURST_E_FORMAT, &n_axis);
    if (err) return err;
    if (hdu->kind == FITS_TABLE && n_axis != 2)
        return burst_fail(g->reterr, BURST_E_FORMAT, "%s: NAXIS = %d, a table has 2 (card at byte %zu)", hdu->name,
                          (int)n_axis, fits_key_at(hdu, "NAXIS"));
    if (n_axis > FITS_AXIS_MAX)
        return burst_fail(g->reterr, BURST_E_LIMIT, "%s: NAXIS = %d, at most %d are taken (card at byte %zu)",
                          hdu->name, (int)n_axis, FITS_AXIS_MAX, fits_key_at(hdu, "NAXIS"));
    hdu->n_axis = (int)n_axis;
    for (int i = 0; i < hdu->n_axis; i++) {
        char key[24];
        (void)snprintf(key, sizeof key, "NAXIS%d", i + 1);
        if ((err = next_int(g, hdu, index, key, 0, INT64_MAX, BURST_E_FORMAT, &hdu->axis[i]))) return err;
    }
    return BURST_OK;
}

static enum burst_err count_axis_cards(const struct gate *g, const struct fits_hdu *hdu)
{
    size_t found = 0;
    for (size_t i = 0; i < hdu->n_card; i++)
        found += !memcmp(hdu->cards + i * FITS_CARD, "NAXIS", 5);
    if (found != (size_t)hdu->n_axis + 1)
        return burst_fail(g->reterr, BURST_E_FORMAT, "%s: %zu NAXISn cards for NAXIS = %d (header at byte %zu)",
                          hdu->name, found - 1, hdu->n_axis, hdu->header_at);
    return BURST_OK;
}

static enum burst_err read_groups(const struct gate *g, struct fits_hdu *hdu, size_t *index)
{
    int64_t value;
    enum burst_err err = BURST_OK;
    if (hdu->kind == FITS_PRIMARY) { /* allowed anywhere, but they must say nothing */
        if (fits_key_has(hdu, "PCOUNT")) err = fits_key_int(hdu, "PCOUNT", 0, 0, &value, g->reterr);
        if (!err && fits_key_has(hdu, "GCOUNT")) err = fits_key_int(hdu, "GCOUNT", 1, 1, &value, g->reterr);
        return err;
    }
    if ((err = next_int(g, hdu, index, "PCOUNT", 0, INT64_MAX, BURST_E_FORMAT, &value))) return err;
    if (value)
        return burst_fail(g->reterr, BURST_E_UNSUPPORTED, "%s: PCOUNT = %lld: a heap is not taken (card at byte %zu)",
                          hdu->name, (long long)value, fits_key_at(hdu, "PCOUNT"));
    if ((err = next_int(g, hdu, index, "GCOUNT", 1, 1, BURST_E_FORMAT, &value))) return err;
    if (hdu->kind != FITS_TABLE) return BURST_OK;
    if ((err = next_int(g, hdu, index, "TFIELDS", 0, 999, BURST_E_FORMAT, &value))) return err;
    if (value > COLUMN_MOST)
        return burst_fail(g->reterr, BURST_E_LIMIT,
                          "%s: TFIELDS = %lld, at most %d columns are taken (card at byte %zu)", hdu->name,
                          (long long)value, COLUMN_MOST, fits_key_at(hdu, "TFIELDS"));
    hdu->n_column = (int)value;
    return BURST_OK;
}

/* First card: SIMPLE = T, or XTENSION with a kind that is taken. */
static enum burst_err read_kind(const struct gate *g, struct fits_hdu *hdu)
{
    struct fits_card card = {0};
    char text[FITS_TEXT_MAX] = "";
    enum burst_err err = fits_card_parse(hdu->cards, hdu->name, hdu->header_at, &card, g->reterr);
    if (err) return err;
    if (hdu->kind == FITS_PRIMARY) {
        if (strcmp(card.key, "SIMPLE") != 0 || card.type != FITS_VALUE_LOGICAL)
            return burst_fail(g->reterr, BURST_E_FORMAT, "%s: SIMPLE = T expected (card at byte 0)", hdu->name);
        if (card.value[0] == 'T') return BURST_OK;
        return burst_fail(g->reterr, BURST_E_UNSUPPORTED, "%s: SIMPLE = F: not standard FITS (card at byte 0)",
                          hdu->name);
    }
    if (strcmp(card.key, "XTENSION") != 0 || card.type != FITS_VALUE_TEXT)
        return burst_fail(g->reterr, BURST_E_FORMAT, "%s: XTENSION expected (card at byte %zu)", hdu->name,
                          hdu->header_at);
    fits_card_text(&card, text);
    hdu->kind = !strcmp(text, "BINTABLE") ? FITS_TABLE : FITS_IMAGE;
    if (hdu->kind == FITS_TABLE || !strcmp(text, "IMAGE")) return BURST_OK;
    return burst_fail(g->reterr, BURST_E_UNSUPPORTED,
                      "%s: XTENSION = '%s', IMAGE and BINTABLE are taken (card at byte %zu)", hdu->name, text,
                      hdu->header_at);
}

static enum burst_err read_name(const struct gate *g, struct fits_hdu *hdu)
{
    char text[FITS_TEXT_MAX] = "";
    if (hdu->kind == FITS_PRIMARY || !fits_key_has(hdu, "EXTNAME")) return BURST_OK;
    enum burst_err err = fits_key_text(hdu, "EXTNAME", text, sizeof text, g->reterr);
    if (err) return err;
    if (text[0]) (void)snprintf(hdu->name, sizeof hdu->name, "%.*s", FITS_NAME_TEXT - 1, text);
    return BURST_OK;
}

/* ---- the data unit ---- */

static enum burst_err read_data(const struct gate *g, struct fits_hdu *hdu, size_t *ret_end)
{
    size_t n = hdu->n_axis ? (size_t)(hdu->bitpix < 0 ? -hdu->bitpix : hdu->bitpix) / 8 : 0;
    for (int i = 0; i < hdu->n_axis; i++)
        if (__builtin_mul_overflow(n, (size_t)hdu->axis[i], &n) || n > INT64_MAX)
            return burst_fail(g->reterr, BURST_E_LIMIT,
                              "%s: the axes multiply to more than 2^63 bytes (header at byte %zu)", hdu->name,
                              hdu->header_at);
    size_t padded = n + (FITS_BLOCK - n % FITS_BLOCK) % FITS_BLOCK, left = g->n - hdu->data_at;
    if (padded > left)
        return burst_fail(g->reterr, BURST_E_TRUNCATED,
                          "%s: the header declares %zu bytes of data (%zu with padding), %zu follow byte %zu",
                          hdu->name, n, padded, left, hdu->data_at);
    hdu->data = g->bytes + hdu->data_at;
    hdu->n_data = n;
    size_t i = first_other(hdu->data, n, padded, 0);
    if (i < padded)
        return burst_fail(g->reterr, BURST_E_FORMAT,
                          "%s: byte 0x%02x in the padding after the data, zero expected (byte %zu)", hdu->name,
                          hdu->data[i], hdu->data_at + i);
    *ret_end = hdu->data_at + padded;
    return BURST_OK;
}

static enum burst_err read_hdu(const struct gate *g, int number, size_t at, struct fits_hdu *hdu, size_t *ret_end)
{
    struct fits_table table;
    size_t index = 1;
    *hdu = (struct fits_hdu){.kind = number ? FITS_IMAGE : FITS_PRIMARY, .cards = g->bytes + at, .header_at = at};
    (void)snprintf(hdu->name, sizeof hdu->name, number ? "HDU %d" : "PRIMARY", number);
    enum burst_err err = walk_cards(g, hdu);
    if (err || (err = read_kind(g, hdu)) || (err = check_single(g, hdu)) || (err = read_name(g, hdu))) return err;
    if ((err = read_bitpix(g, hdu, &index)) || (err = read_axes(g, hdu, &index)) || (err = count_axis_cards(g, hdu)))
        return err;
    if ((err = read_groups(g, hdu, &index)) || (err = read_data(g, hdu, ret_end))) return err;
    return hdu->kind == FITS_TABLE ? fits_table_view(hdu, &table, g->reterr) : BURST_OK;
}

enum burst_err fits_gate(const uint8_t *bytes, size_t n, struct fits_file *ret_file, struct burst_error *reterr)
{
    struct gate g = {bytes, n, reterr};
    struct fits_file file = {0};
    enum burst_err err = check_start(&g);
    for (size_t at = 0; !err && at < n;) {
        if (file.n_hdu == FITS_HDU_MAX)
            return burst_fail(reterr, BURST_E_LIMIT, "more than %d HDUs (byte %zu)", FITS_HDU_MAX, at);
        if (at && (n - at < FITS_CARD || memcmp(bytes + at, "XTENSION=", 9) != 0))
            return burst_fail(reterr, BURST_E_FORMAT, "%zu bytes after the last HDU are no further HDU (byte %zu)",
                              n - at, at);
        err = read_hdu(&g, file.n_hdu, at, &file.hdu[file.n_hdu], &at);
        file.n_hdu++;
    }
    if (!err) *ret_file = file;
    return err;
}

const struct fits_hdu *fits_hdu_named(const struct fits_file *file, const char *name)
{
    for (int i = 0; i < file->n_hdu; i++)
        if (!strcmp(file->hdu[i].name, name)) return &file->hdu[i];
    return NULL;
}
