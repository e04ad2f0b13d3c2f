/* Painted bursts: areas by integrals, places, colours, energies. */
#include "check.h"
#include "sim/paint.h"

enum { N = 4000 };
static float rate[SIM_GROUP * N];
static float part[COLOUR_PEAKS][SIM_GROUP];
static struct burst b;

/* Grid of a test. */
static const struct sim_grid *grid_of(double bin_s, size_t n_bin)
{
    static struct sim_grid grid;
    grid = (struct sim_grid){0.0, bin_s, n_bin};
    return &grid;
}

/* A burst of one pulse, widths alike in all groups. */
static void one_pulse(struct pulse p)
{
    memset(&b, 0, sizeof b);
    b.n_pulse = 1;
    b.pulse[0] = p;
    b.spectrum = (struct spectrum){SPECTRUM_BAND, -1.0, -2.3, 200.0};
    b.change = CHANGE_TRACKING;
}

static void paint(const struct sim_grid *grid, double start_s)
{
    static struct colour_table table;
    spacecraft_colour_table(RESPONSE_NAI, &table);
    spacecraft_colours(&table, &b.spectrum, part);
    memset(rate, 0, sizeof rate);
    burst_paint(&b, part, grid, start_s, rate);
}

static double atoms(const struct sim_grid *grid, size_t bin)
{
    double sum = 0.0;
    for (size_t a = 0; a < SIM_ATOM; a++)
        sum += (double)rate[a * grid->n_bin + bin] * grid->bin_s;
    return sum;
}

static double total(const struct sim_grid *grid)
{
    double sum = 0.0;
    for (size_t i = 0; i < grid->n_bin; i++)
        sum += atoms(grid, i);
    return sum;
}

/* Rise exp(-(t / r)^2): r sqrt(pi) / 2; decay exp(-t / d): d. Amplitude 3, r 1, d 2: 3 (0.886227 + 2) = 8.658681. */
TEST(an_avalanche_pulse_has_its_area_in_bins_of_any_length)
{
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 1.0, 2.0, 3.0, 1.0});
    static const double BIN[] = {0.016, 0.064, 2.048};
    static const size_t BINS[] = {4000, 1200, 40};
    for (int i = 0; i < 3; i++) {
        const struct sim_grid *grid = grid_of(BIN[i], BINS[i]);
        paint(grid, 20.0);
        CHECK_NEAR(total(grid), 8.658681, 8.658681 * 2e-3);
    }
}

/* Integral of exp(2 mu - tau1 / t - t / tau2) with tau1 4, tau2 1: exp(4) 4 K1(4) = 54.59815 x 4 x 0.0124835 =
 * 2.72632. */
TEST(a_norris_pulse_has_its_area)
{
    one_pulse((struct pulse){PULSE_NORRIS, 0.0, 4.0, 1.0, 1.0, 1.0});
    const struct sim_grid *grid = grid_of(0.064, 1200);
    paint(grid, 10.0);
    CHECK_NEAR(total(grid), 2.72632, 2.72632 * 2e-3);
}

TEST(a_pulse_shorter_than_a_bin_loses_nothing)
{
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 1e-3, 2e-3, 1.0, 1.0});
    const struct sim_grid *grid = grid_of(0.064, 1000);
    paint(grid, 10.03);
    CHECK_NEAR(total(grid), 1e-3 * 0.886227 + 2e-3, 1e-5);
    CHECK_NEAR(atoms(grid, 156), total(grid), 1e-6); /* 10.03 / 0.064 = 156.7 */
}

/* The old way adds up pulse_value at many points of each bin. */
TEST(painting_agrees_with_adding_point_by_point)
{
    static double slow[SIM_GROUP * N];
    static const double ONE[SIM_GROUP] = {1, 1, 1, 1, 1, 1};
    one_pulse((struct pulse){PULSE_NORRIS, 3.0, 4.0, 1.5, 1.0, 1.0});
    b.width_index = -0.36;
    b.lag_s = 0.1;
    const struct sim_grid *grid = grid_of(0.064, 1000);
    paint(grid, 10.0);
    memset(slow, 0, sizeof slow);
    burst_add(&b, CRYSTAL_NAI, ONE, grid, 10.0, slow);
    double most = 0.0, apart = 0.0;
    for (size_t i = 0; i < SIM_GROUP * grid->n_bin; i++) {
        most = fmax(most, slow[i]);
        apart = fmax(apart, fabs((double)rate[i] - slow[i]));
    }
    CHECK_SAY(apart < 0.02 * most, "apart by %g of %g", apart, most);
}

/* Colours of Band(-1, -2.3, 200) at the top: 34.4, 33.5, 29.7, 1.8, 0.5 % (science.md A.5). */
TEST(colours_are_those_of_the_real_matrix)
{
    static const double PERCENT[SIM_ATOM] = {34.4, 33.5, 29.7, 1.8, 0.5};
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 50.0, 1e-3, 1.0, 1.0});
    b.spectrum.peak_kev = 200.0;
    const struct sim_grid *grid = grid_of(0.064, 1000);
    paint(grid, 32.0);
    double sum = atoms(grid, 499); /* the last 64 ms before the top */
    for (size_t a = 0; a < SIM_ATOM; a++)
        CHECK_NEAR(100.0 * (double)rate[a * grid->n_bin + 499] * 0.064 / sum, PERCENT[a], 0.6);
}

/* Mean time of a group's counts. */
static double centroid(const struct sim_grid *grid, size_t group)
{
    double sum = 0.0, moment = 0.0;
    for (size_t i = 0; i < grid->n_bin; i++) {
        sum += (double)rate[group * grid->n_bin + i];
        moment += (double)rate[group * grid->n_bin + i] * ((double)i + 0.5) * grid->bin_s;
    }
    return moment / sum;
}

TEST(soft_counts_come_later_by_the_lag)
{
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 0.5, 0.5, 1.0, 1.0});
    b.lag_s = 1.0;
    const struct sim_grid *grid = grid_of(0.016, 3000);
    paint(grid, 20.0);
    double late = centroid(grid, 0) - centroid(grid, 2);
    b.lag_s = 0.0;
    paint(grid, 20.0);
    CHECK_NEAR(late - (centroid(grid, 0) - centroid(grid, 2)), 1.0, 0.02);
}

/* (35.4 / 173.2)^-0.4 = 1.887: how much wider a pulse is at 25-50 keV than at 100-300. */
TEST(pulses_are_wider_at_low_energies)
{
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 1e-3, 2.0, 1.0, 1.0});
    b.width_index = -0.4;
    const struct sim_grid *grid = grid_of(0.016, 4000);
    for (int i = 0; i < COLOUR_PEAKS; i++) /* one colour, so that only widths differ */
        for (int g = 0; g < SIM_GROUP; g++)
            part[i][g] = 1.0f;
    memset(rate, 0, sizeof rate);
    burst_paint(&b, part, grid, 10.0, rate);
    CHECK_NEAR((centroid(grid, 0) - 10.0) / (centroid(grid, 2) - 10.0), 1.887, 0.02);
}

TEST(pulses_outside_the_grid_leave_it_alone)
{
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 0.5, 0.5, 1.0, 1.0});
    const struct sim_grid *grid = grid_of(0.064, 100);
    paint(grid, 100.0);
    CHECK_NEAR(total(grid), 0.0, 0.0);
    paint(grid, -100.0);
    CHECK_NEAR(total(grid), 0.0, 0.0);
}

/* Of exp(-t / d) 5 % and 95 % lie ln 19 d = 2.9444 d apart. */
TEST(t90_of_an_exponential)
{
    one_pulse((struct pulse){PULSE_AVALANCHE, 0.0, 1e-4, 3.0, 1.0, 1.0});
    CHECK_NEAR(burst_paint_t90(&b), 3.0 * 2.9444, 0.06);
}

int main(void)
{
    RUN(an_avalanche_pulse_has_its_area_in_bins_of_any_length);
    RUN(a_norris_pulse_has_its_area);
    RUN(a_pulse_shorter_than_a_bin_loses_nothing);
    RUN(painting_agrees_with_adding_point_by_point);
    RUN(colours_are_those_of_the_real_matrix);
    RUN(soft_counts_come_later_by_the_lag);
    RUN(pulses_are_wider_at_low_energies);
    RUN(pulses_outside_the_grid_leave_it_alone);
    RUN(t90_of_an_exponential);
    return check_report();
}
