/* The digest of a window's row, against Python's hashlib on the same numbers. */
#include "base/bytes.h"
#include "check.h"
#include "records/sample.h"

static uint32_t counts[2 * 5 * WINDOW_BINS];
static uint8_t valid[2 * WINDOW_BINS];

TEST(a_row_is_hashed_as_little_endian_counts_then_validity)
{
    struct lightcurve_window w = {.n_detector = 2, .counts = counts, .valid = valid};
    w.bands.n_atom = 5;
    for (int r = 0; r < 2; r++)
        for (int t = 0; t < WINDOW_BINS; t++) {
            valid[r * WINDOW_BINS + t] = t % 10 != r;
            for (int a = 0; a < 5; a++)
                counts[(r * 5 + a) * WINDOW_BINS + t] = (uint32_t)((r * 7 + a * 3 + t * t) % 11);
        }
    uint8_t sha[32];
    char text[65];
    window_row_sha256(&w, 0, sha);
    bytes_hex(sha, 32, text);
    CHECK_STR(text, "a6475c0b7cba6bbb0b73ebc612af22ca099e6626d0dcb83847721521a7caa26c");
    window_row_sha256(&w, 1, sha);
    bytes_hex(sha, 32, text);
    CHECK_STR(text, "7fb63348327705be2cbd3c9dbd662bb4ec278e10f5c71c8c0176e654578ccd27");
    valid[WINDOW_BINS]++;
    uint8_t other[32];
    window_row_sha256(&w, 1, other);
    CHECK(memcmp(sha, other, 32) != 0);
}

int main(void)
{
    RUN(a_row_is_hashed_as_little_endian_counts_then_validity);
    return check_report();
}
