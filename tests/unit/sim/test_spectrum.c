/* Spectra against hand calculation, folding against the real matrix's figures. */
#include "check.h"
#include "sim/spectrum.h"

/* science.md A.5: 1 photon / cm2 / s (50-300 keV) of Band(-1, -2.3, 200) through GBM n9's real matrix is 203 counts
 * / s in 25-900 keV, 34.4/33.5/29.7/1.8/0.5 % of them in the atoms. The 28-row table stands for the matrix: 4 % of
 * the rate and 1.5 points of the parts. */
TEST(a_usual_burst_gives_the_counts_of_the_real_matrix)
{
    const struct spectrum s = {SPECTRUM_BAND, -1.0, -2.3, 200.0};
    static const double PERCENT[SIM_ATOM] = {34.4, 33.5, 29.7, 1.8, 0.5};
    double rate[SIM_GROUP], sum = 0.0;
    spectrum_fold(&s, CRYSTAL_NAI, rate);
    for (int a = 0; a < SIM_ATOM; a++)
        sum += rate[a];
    CHECK_NEAR(sum, 203.0, 8.0);
    for (int a = 0; a < SIM_ATOM; a++)
        CHECK_NEAR(100.0 * rate[a] / sum, PERCENT[a], 1.5);
}

/* The same place: Ep = 400 keV gives 28.9/31.6/35.4/3.2/1.0 %. */
TEST(a_harder_burst_has_harder_counts)
{
    const struct spectrum s = {SPECTRUM_BAND, -1.0, -2.3, 400.0};
    static const double PERCENT[SIM_ATOM] = {28.9, 31.6, 35.4, 3.2, 1.0};
    double rate[SIM_GROUP], sum = 0.0;
    spectrum_fold(&s, CRYSTAL_NAI, rate);
    for (int a = 0; a < SIM_ATOM; a++)
        sum += rate[a];
    for (int a = 0; a < SIM_ATOM; a++)
        CHECK_NEAR(100.0 * rate[a] / sum, PERCENT[a], 1.5);
}

TEST(a_grd_counts_by_its_area_and_gains_above_300_kev)
{
    const struct spectrum s = {SPECTRUM_BAND, -1.0, -2.3, 200.0};
    double nai[SIM_GROUP], labr3[SIM_GROUP];
    spectrum_fold(&s, CRYSTAL_NAI, nai);
    spectrum_fold(&s, CRYSTAL_LABR3, labr3);
    CHECK_NEAR(labr3[0] / nai[0], 45.4 / 126.0, 1e-12);
    CHECK_NEAR(labr3[3] / nai[3], 1.1 * 45.4 / 126.0, 1e-12);
    CHECK_NEAR(labr3[4] / nai[4], 1.25 * 45.4 / 126.0, 1e-12);
}

/* Band(-1, -2.5, 150): E0 = 150, joint at 225 keV. At 100: exp(-2/3); at 225: 2.25^-1 exp(-1.5) from both sides;
 * at 450 the power law: that times 2^-2.5. */
TEST(band_function_is_whole_at_its_joint)
{
    const struct spectrum s = {SPECTRUM_BAND, -1.0, -2.5, 150.0};
    double joint = exp(-1.5) / 2.25;
    CHECK_NEAR(spectrum_density(&s, 100.0), exp(-2.0 / 3.0), 1e-12);
    CHECK_NEAR(spectrum_density(&s, 224.999999), joint, 1e-8);
    CHECK_NEAR(spectrum_density(&s, 225.000001), joint, 1e-8);
    CHECK_NEAR(spectrum_density(&s, 450.0), joint * pow(2.0, -2.5), 1e-12);
}

TEST(other_shapes_by_hand)
{
    const struct spectrum power = {SPECTRUM_POWER, -2.0, 0.0, 0.0}, thermal = {SPECTRUM_THERMAL, 0.0, 0.0, 50.0},
                          cutoff = {SPECTRUM_CUTOFF, -1.0, 0.0, 200.0};
    CHECK_NEAR(spectrum_density(&power, 50.0), 4.0, 1e-12);
    CHECK_NEAR(spectrum_density(&thermal, 200.0), 0.5 * exp(-4.0), 1e-12);
    CHECK_NEAR(spectrum_density(&cutoff, 200.0), 0.5 * exp(-1.0), 1e-12);
}

/* science.md A.5, table: measured means of the normal template, 50-300 keV; the fit is told to be good to a few
 * hundredths. */
TEST(angle_factor_follows_the_measured_tables)
{
    static const struct {
        double deg, normal, soft;
    } ROW[] = {{7.5, 0.97, 0.95}, {22.5, 0.92, 0.83}, {37.5, 0.81, 0.62}, {52.5, 0.64, 0.36}, {67.5, 0.41, 0.12}};
    for (int i = 0; i < 5; i++) {
        double c = cos(ROW[i].deg * M_PI / 180.0);
        CHECK_NEAR(spectrum_angle_factor(c, 1), ROW[i].normal, 0.06);
        CHECK_NEAR(spectrum_angle_factor(c, 0), ROW[i].soft, 0.05);
    }
    CHECK_NEAR(spectrum_angle_factor(-0.5, 0), 0.003, 1e-12);
    CHECK(spectrum_angle_factor(0.1, 4) > spectrum_angle_factor(0.1, 1));
}

/* Between the page's rows of 55 and 70 keV, linear in the logarithm: 104.25 cm2 into 50-100 keV at 63 keV (numpy). */
TEST(areas_at_one_energy)
{
    double area[SIM_GROUP];
    spectrum_area(63.0, CRYSTAL_NAI, area);
    CHECK_NEAR(area[1], 104.2526, 1e-3);
    spectrum_area(13.0, CRYSTAL_NAI, area);
    CHECK_NEAR(area[SIM_REST], 53.3654, 1e-3);
    spectrum_area(1.0, CRYSTAL_NAI, area);
    CHECK_NEAR(area[SIM_REST], 44.9, 1e-9);
    spectrum_area(900.0, CRYSTAL_LABR3, area);
    CHECK_NEAR(area[4], 12.7 * 1.25 * 45.4 / 126.0, 1e-9);
}

int main(void)
{
    RUN(areas_at_one_energy);
    RUN(a_usual_burst_gives_the_counts_of_the_real_matrix);
    RUN(a_harder_burst_has_harder_counts);
    RUN(a_grd_counts_by_its_area_and_gains_above_300_kev);
    RUN(band_function_is_whole_at_its_joint);
    RUN(other_shapes_by_hand);
    RUN(angle_factor_follows_the_measured_tables);
    return check_report();
}
