/* S/N by hand. */
#include "check.h"
#include "sim/lightcurve.h"

/* 9 counts in each of 4 bins over a background of 4: one bin 9/2 = 4.5, two 18/sqrt 8, four 36/4 = 9, eight 36/sqrt
 * 32. */
TEST(snr_is_that_of_the_best_length)
{
    double signal[64] = {0}, background[64];
    uint8_t valid[64];
    for (int i = 0; i < 64; i++)
        background[i] = 4.0;
    memset(valid, 1, sizeof valid);
    for (int i = 20; i < 24; i++)
        signal[i] = 9.0;
    CHECK_NEAR(lightcurve_snr(signal, background, valid, 64), 9.0, 1e-12);
    valid[22] = valid[23] = 0; /* half of it lost: 18 / sqrt(2 x 4) within two bins */
    CHECK_NEAR(lightcurve_snr(signal, background, valid, 64), 18.0 / sqrt(8.0), 1e-12);
    memset(valid, 0, sizeof valid);
    CHECK_NEAR(lightcurve_snr(signal, background, valid, 64), 0.0, 0.0);
}

int main(void)
{
    RUN(snr_is_that_of_the_best_length);
    return check_report();
}
