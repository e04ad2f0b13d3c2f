/* Standardising: numbers by hand. */
#include "check.h"
#include "kernels/standardise.h"

TEST(mean_and_population_deviation_are_of_valid_bins)
{
    /* Band of atoms 0 and 1: sums 2, 4, 4, 4, 5, 5, 7, 9 have mean 5 and population deviation 2; the ninth bin is missing. */
    static const uint32_t counts[2][9] = {{1, 2, 1, 4, 2, 3, 7, 0, 90}, {1, 2, 3, 0, 3, 2, 0, 9, 9}};
    static const uint8_t valid[9] = {1, 1, 1, 1, 1, 1, 1, 1, 0};
    static const float want[9] = {-1.5F, -0.5F, -0.5F, -0.5F, 0, 0, 1, 2, 0};
    float z[9];
    standardise_band(&counts[0][0], valid, 9, 0, 2, z);
    for (int t = 0; t < 9; t++)
        CHECK_NEAR(z[t], want[t], 0);
}

TEST(a_flat_band_becomes_zeros)
{
    static const uint32_t counts[4] = {1000000, 1000000, 1000000, 1000000};
    static const uint8_t valid[4] = {1, 1, 1, 1};
    float z[4] = {9, 9, 9, 9};
    standardise_band(counts, valid, 4, 0, 1, z);
    for (int t = 0; t < 4; t++)
        CHECK_NEAR(z[t], 0, 0);
}

TEST(a_band_without_valid_bins_becomes_zeros)
{
    static const uint32_t counts[3] = {1, 2, 3};
    static const uint8_t valid[3] = {0, 0, 0};
    float z[3] = {9, 9, 9};
    standardise_band(counts, valid, 3, 0, 1, z);
    for (int t = 0; t < 3; t++)
        CHECK_NEAR(z[t], 0, 0);
}

TEST(one_count_in_a_long_empty_band_is_its_own_deviation)
{
    /* One 1 in n bins: mean 1/n, variance (1/n)(1 - 1/n), so z of that bin is sqrt(n - 1). */
    static uint32_t counts[1875];
    static uint8_t valid[1875];
    static float z[1875];
    memset(valid, 1, sizeof valid);
    counts[700] = 1;
    standardise_band(counts, valid, 1875, 0, 1, z);
    CHECK_NEAR(z[700], sqrt(1874.0), 1e-5);
    CHECK_NEAR(z[0], -1 / sqrt(1874.0), 1e-8);
}

TEST(all_bands_lie_one_after_the_other)
{
    static const uint32_t counts[2][2] = {{1, 3}, {5, 1}};
    static const uint8_t valid[2] = {1, 1}, first[3] = {0, 1, 0}, last[3] = {1, 2, 2};
    static const float want[6] = {-1, 1, 1, -1, 1, -1}; /* sums 1 3, 5 1, 6 4 */
    float z[6];
    standardise_bands(&counts[0][0], valid, 2, first, last, 3, z);
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(z[i], want[i], 0);
}

int main(void)
{
    RUN(mean_and_population_deviation_are_of_valid_bins);
    RUN(a_flat_band_becomes_zeros);
    RUN(a_band_without_valid_bins_becomes_zeros);
    RUN(one_count_in_a_long_empty_band_is_its_own_deviation);
    RUN(all_bands_lie_one_after_the_other);
    return check_report();
}
