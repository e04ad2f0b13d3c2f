#include "base/bytes.h"
#include "check.h"
#include "fits/sum.h"
#include "unit/fits/made.h"

static struct made file;
static struct burst_error why;
static struct fits_file seen;

/* By hand: the end-around carry brings what leaves at the top back in at the bottom. */
TEST(words_add_with_the_carry_coming_back)
{
    CHECK_INT(fits_sum((const uint8_t *)"\x00\x00\x00\x01\x00\x00\x00\x02", 8, 0), 3);
    CHECK_INT(fits_sum((const uint8_t *)"\xff\xff\xff\xff\x00\x00\x00\x02", 8, 0), 2);
    CHECK_INT(fits_sum((const uint8_t *)"\x80\x00\x00\x00\x80\x00\x00\x00", 8, 5), 6);
    CHECK_INT(fits_sum(NULL, 0, 9), 9);
}

/* Word by word, as the standard writes it (appendix J). */
static uint32_t sum_of_words(const uint8_t *bytes, size_t n, uint32_t sum)
{
    uint64_t total = sum;
    for (size_t i = 0; i < n; i += 4)
        total += (uint64_t)bytes[i] << 24 | (uint64_t)bytes[i + 1] << 16 | (uint64_t)bytes[i + 2] << 8 | bytes[i + 3];
    while (total >> 32)
        total = (total & UINT32_MAX) + (total >> 32);
    return (uint32_t)total;
}

TEST(data_of_every_length_sum_word_by_word)
{
    uint8_t bytes[400];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        x = x * 1664525 + 1013904223; /* Numerical Recipes' generator; high words, so that sums carry */
        bytes[i] = i % 4 ? (uint8_t)(x >> 24) : 0xff;
    }
    for (size_t n = 0; n <= sizeof bytes; n += 4) {
        CHECK_INT(fits_sum(bytes, n, 0), sum_of_words(bytes, n, 0));
        CHECK_INT(fits_sum(bytes, n, UINT32_MAX), sum_of_words(bytes, n, UINT32_MAX));
    }
    memset(bytes, 0xff, sizeof bytes);
    CHECK_INT(fits_sum(bytes, sizeof bytes, 0), UINT32_MAX);
    memset(bytes, 0, sizeof bytes);
    CHECK_INT(fits_sum(bytes, sizeof bytes, 0), 0);
}

static enum burst_err check(const char *card, const char *data)
{
    made_primary(&file);
    made_end(&file);
    made_table(&file, 4, 1, 1);
    made_column(&file, 1, "X", "1J");
    made_card(&file, "%s", card);
    made_end(&file);
    made_data(&file, data, 4);
    enum burst_err err = fits_gate(file.bytes, file.n, &seen, &why);
    return err ? err : fits_sums_check(&seen, &why);
}

TEST(data_sums_are_compared)
{
    CHECK_INT(check("DATASUM = '16909060'", "\x01\x02\x03\x04"), BURST_OK); /* 0x01020304 */
    CHECK_INT(check("DATASUM = '  16909060'", "\x01\x02\x03\x04"), BURST_OK);
    CHECK_INT(check("COMMENT no sum at all", "\x01\x02\x03\x04"), BURST_OK);
    CHECK_REFUSED(check("DATASUM = '16909060'", "\x01\x02\x03\x05"), BURST_E_CONFLICT, why,
                  "DATASUM is 16909060, the data sum to 16909061: changed on the way (data at byte 5760)");
    CHECK_REFUSED(check("DATASUM = 'x'", "\x01\x02\x03\x04"), BURST_E_FORMAT, why, "'x' is no sum");
    CHECK_REFUSED(check("DATASUM = 16909060", "\x01\x02\x03\x04"), BURST_E_FORMAT, why, "a string expected");
}

/* One changed byte anywhere in a file that carries both sums, as the mission wrote them. */
TEST(a_changed_byte_of_a_real_file_is_noticed)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (bytes_read_file(BURST_SOURCE_DIR "/../shared/data/fermi-gbm/bn110721200/glg_trigdat_all_bn110721200_v01.fit",
                        1 << 24, &bytes, &n, &why))
        SKIP("../shared/data is not there");
    CHECK_INT(fits_gate(bytes, n, &seen, &why), BURST_OK);
    CHECK_INT(fits_sums_check(&seen, &why), BURST_OK);
    bytes[seen.hdu[1].data_at + 3] ^= 0x10;
    CHECK_REFUSED(fits_sums_check(&seen, &why), BURST_E_CONFLICT, why, "TRIGRATE: DATASUM is 3152348014");
    bytes[seen.hdu[1].data_at + 3] ^= 0x10;
    bytes[seen.hdu[2].header_at + 8 * 80 + 35] ^= 0x01; /* in a comment: only CHECKSUM sees it */
    CHECK_REFUSED(fits_sums_check(&seen, &why), BURST_E_CONFLICT, why, "BCKRATES: CHECKSUM does not fit");
    free(bytes);
}

int main(void)
{
    RUN(words_add_with_the_carry_coming_back);
    RUN(data_of_every_length_sum_word_by_word);
    RUN(data_sums_are_compared);
    RUN(a_changed_byte_of_a_real_file_is_noticed);
    return check_report();
}
