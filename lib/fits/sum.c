/* Ones' complement sums. */
#include "fits/sum.h"
#include "base/bytes.h"
#include "fits/card.h"

/* A carry out of the top comes in again at the bottom. */
static inline uint64_t add_around(uint64_t sum, uint64_t word)
{
    bool carry = __builtin_add_overflow(sum, word, &sum);
    return sum + carry;
}

/* Words go in two at a time, in four sums at once: 2^32 and 2^64 are both 1 in ones' complement, so the order and the width do not
 * matter, and only a sum of nothing but zeros is 0. As fast as memory is. */
uint32_t fits_sum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    uint64_t part[4] = {sum, 0, 0, 0};
    size_t i = 0;
    for (; n - i >= 32; i += 32)
        for (size_t k = 0; k < 4; k++)
            part[k] = add_around(part[k], bytes_get_u64(bytes + i + 8 * k));
    for (; i < n; i += 4)
        part[0] = add_around(part[0], bytes_get_u32(bytes + i));
    uint64_t total = add_around(add_around(part[0], part[1]), add_around(part[2], part[3]));
    while (total >> 32)
        total = (total & UINT32_MAX) + (total >> 32);
    return (uint32_t)total;
}

static enum burst_err check_data_sum(const struct fits_hdu *hdu, uint32_t sum, struct burst_error *reterr)
{
    char text[FITS_TEXT_MAX];
    uint64_t want = 0;
    enum burst_err err = fits_key_text(hdu, "DATASUM", text, sizeof text, reterr);
    if (err) return err;
    const char *p = text + strspn(text, " "); /* GBM writes '         0' */
    size_t n = strspn(p, "0123456789");
    if (!n || n > 10 || p[n])
        return burst_fail(reterr, BURST_E_FORMAT, "%s: DATASUM = '%s' is no sum (card at byte %zu)", hdu->name, text,
                          fits_key_at(hdu, "DATASUM"));
    for (size_t i = 0; i < n; i++)
        want = want * 10 + (uint64_t)(p[i] - '0');
    if (want == sum) return BURST_OK;
    return burst_fail(reterr, BURST_E_CONFLICT,
                      "%s: DATASUM is %llu, the data sum to %lu: changed on the way (data at byte %zu)", hdu->name,
                      (unsigned long long)want, (unsigned long)sum, hdu->data_at);
}

static enum burst_err check_hdu(const struct fits_hdu *hdu, struct burst_error *reterr)
{
    bool has_data = fits_key_has(hdu, "DATASUM"), has_all = fits_key_has(hdu, "CHECKSUM");
    char text[FITS_TEXT_MAX];
    enum burst_err err = BURST_OK;
    if (!has_data && !has_all) return BURST_OK;
    size_t padded = hdu->n_data + (FITS_BLOCK - hdu->n_data % FITS_BLOCK) % FITS_BLOCK;
    uint32_t data = fits_sum(hdu->data, padded, 0);
    if (has_data) err = check_data_sum(hdu, data, reterr);
    if (err || !has_all || (err = fits_key_text(hdu, "CHECKSUM", text, sizeof text, reterr))) return err;
    uint32_t all = fits_sum(hdu->cards, hdu->data_at - hdu->header_at, data);
    if (all == 0 || all == UINT32_MAX || !text[0]) return BURST_OK; /* an empty CHECKSUM means: not computed */
    return burst_fail(reterr, BURST_E_CONFLICT,
                      "%s: CHECKSUM does not fit: the header was changed on the way (HDU at byte %zu)", hdu->name,
                      hdu->header_at);
}

enum burst_err fits_sums_check(const struct fits_file *file, struct burst_error *reterr)
{
    for (int i = 0; i < file->n_hdu; i++) {
        enum burst_err err = check_hdu(&file->hdu[i], reterr);
        if (err) return err;
    }
    return BURST_OK;
}
