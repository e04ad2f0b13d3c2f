/* Counts, fit and shadows against arithmetic done by hand. */
#include "check.h"
#include "sim/eclairs_decode.h"
#include "sim/eclairs_plane.h"

static struct coded_mask mask;
static struct plane_detector detector;
static struct plane_scene scene;
static struct plane_work work;
static struct exposure exposure;
static struct rng rng;

static double sum_of(const float *values)
{
    double sum = 0.0;
    for (int i = 0; i < PLANE_PIXELS; i++)
        sum += (double)values[i];
    return sum;
}

static struct plane_source source_at(double y, double z, double counts)
{
    return (struct plane_source){.y = y, .z = z, .end_y = y, .end_z = z, .counts = counts, .fit_y = y, .fit_z = z};
}

static void start(double exposure_s)
{
    rng_seed(&rng, 17, 1);
    plane_detector_draw(&rng, 1.0, &detector);
    plane_start(exposure_s, 0.53, &scene);
}

TEST(a_hundredth_of_the_pixels_is_dead_and_the_rest_differs_by_two_percent)
{
    double dead, spread = 0.0;
    start(20.48);
    dead = PLANE_PIXELS - sum_of(detector.alive);
    CHECK_NEAR(dead, 64.0, 32.0); /* 6,400 x 1 %: four deviations of 8 */
    for (int i = 0; i < PLANE_PIXELS; i++)
        spread += ((double)detector.gain[i] - 1.0) * ((double)detector.gain[i] - 1.0);
    CHECK_NEAR(sqrt(spread / PLANE_PIXELS), sqrt(0.02 * 0.02 + 0.01 * 0.01), 0.001);
    plane_detector_draw(&rng, 2.0, &detector);
    spread = 0.0;
    for (int i = 0; i < PLANE_PIXELS; i++)
        spread += ((double)detector.gain[i] - 1.0) * ((double)detector.gain[i] - 1.0);
    CHECK_NEAR(sqrt(spread / PLANE_PIXELS), 2.0 * sqrt(0.02 * 0.02 + 0.01 * 0.01), 0.002);
}

TEST(an_empty_plane_counts_rate_times_time_and_the_dome_is_brightest_in_the_middle)
{
    start(20.48);
    CHECK_NEAR(sum_of(scene.shape), PLANE_PIXELS, 3.0); /* its mean is 1: u^2 + v^2 has mean 2/3 */
    CHECK_NEAR(scene.shape[40 * PLANE_SIDE + 40] / scene.shape[0], 1.0 / (1.0 - 0.36 * 0.9875 * 0.9875), 0.001);
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    plane_expose(&detector, &scene, &work, &rng, &exposure);
    double want = 0.53 * 20.48 * sum_of(detector.alive);
    CHECK_NEAR(sum_of(exposure.counts), want, 5.0 * sqrt(want));
    for (int i = 0; i < PLANE_PIXELS; i++)
        if (detector.alive[i] < 0.5f) CHECK(exposure.counts[i] == 0.0f && exposure.residual[i] == 0.0f);
}

TEST(what_the_fit_leaves_holds_nothing_of_the_shapes_it_knows)
{
    start(163.84);
    scene.n_source = 2;
    scene.source[0] = source_at(99.0, 120.0, 20000.0);
    scene.source[1] = source_at(60.3, 88.7, 30000.0);
    scene.source[0].cleaned = scene.source[1].cleaned = true;
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    plane_expose(&detector, &scene, &work, &rng, &exposure);
    CHECK_INT(work.n_cleaned, 2);
    double total = sum_of(exposure.counts);
    for (int j = 0; j < PLANE_POLYNOMIALS + 2; j++) {
        const float *shape = j < PLANE_POLYNOMIALS ? detector.polynomial[j] : work.fitted[j - PLANE_POLYNOMIALS];
        double product = 0.0;
        for (int i = 0; i < PLANE_PIXELS; i++)
            product += (double)shape[i] * (double)exposure.residual[i];
        CHECK_NEAR(product / total, 0.0, 1e-5); /* normal equations; sums in single precision */
    }
}

TEST(a_tenth_left_over_is_a_tenth_of_the_source)
{
    static float open[PLANE_PIXELS];
    double dot = 0.0, square = 0.0, mean = 0.0;
    start(163.84);
    scene.n_source = 1;
    scene.source[0] = source_at(99.0, 99.0, 1e6);
    scene.source[0].cleaned = true;
    scene.source[0].left_over = 0.1;
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    plane_expose(&detector, &scene, &work, &rng, &exposure);
    mask_shadow(&mask, 99.0, 99.0, open);
    for (int i = 0; i < PLANE_PIXELS; i++)
        mean += (double)(open[i] * detector.alive[i]) / sum_of(detector.alive);
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double shape = ((double)open[i] - mean) * (double)detector.alive[i];
        dot += shape * (double)exposure.residual[i];
        square += shape * shape;
    }
    CHECK_NEAR(dot / square * 0.4 * PLANE_PIXELS, 1e5, 3e3); /* 1e6 counts on 0.4 x 6,400 pixels' worth of openness */
}

TEST(a_mismatched_response_spreads_and_halves_some_pixels)
{
    static float open[PLANE_PIXELS];
    int n = 0, n_low = 0;
    start(20.48);
    scene.n_source = 1;
    scene.source[0] = source_at(99.0, 99.0, 1.0);
    scene.source[0].mismatch = 0.03;
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    mask_shadow(&mask, 99.0, 99.0, open);
    for (int i = 0; i < PLANE_PIXELS; i++) {
        if (open[i] < 0.5f) continue;
        n++;
        n_low += work.shadow[0][i] * 0.4f * PLANE_PIXELS / open[i] < 0.75f;
    }
    CHECK_NEAR(n_low, 0.03 * n, 5.0 * sqrt(0.03 * n)); /* B.3: 3 % at half transmission */
}

TEST(a_moving_disc_throws_the_mean_of_its_points_shadows)
{
    static float one[PLANE_PIXELS], mean[PLANE_PIXELS];
    start(20.48);
    scene.n_source = 1;
    scene.source[0] = source_at(99.0, 99.0, 1.0);
    scene.source[0].end_y = 99.4; /* two steps of 0.25 pixels: at a quarter and at three quarters of the way */
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    for (int k = 0; k < 2; k++) {
        mask_shadow(&mask, 99.1 + 0.2 * k, 99.0, one);
        for (int i = 0; i < PLANE_PIXELS; i++)
            mean[i] += 0.5f * one[i] / (0.4f * PLANE_PIXELS);
    }
    for (int i = 0; i < PLANE_PIXELS; i++)
        CHECK_NEAR(work.shadow[0][i], mean[i], 1e-9);
    scene.source[0] = source_at(99.0, 99.0, 1.0);
    scene.source[0].radius_px = 0.46;
    double point = sum_of(mean);
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    CHECK_NEAR(sum_of(work.shadow[0]) / point, 1.0, 0.01); /* a disc loses nothing */
}

TEST(a_sky_of_one_pixel_projects_to_its_shadow)
{
    static float weight[SKY_SIDE * SKY_SIDE], plane[PLANE_PIXELS], open[PLANE_PIXELS];
    struct decoder *d = NULL;
    struct burst_error error;
    CHECK_INT(decoder_new(&mask, &d, &error), BURST_OK);
    if (!d) return;
    weight[130 * SKY_SIDE + 70] = 1.0f; /* [z][y] */
    weight[20 * SKY_SIDE + 180] = 2.0f;
    project_sky(d, weight, plane);
    mask_shadow(&mask, 70.0, 130.0, open);
    for (int i = 0; i < PLANE_PIXELS; i++)
        plane[i] -= open[i];
    mask_shadow(&mask, 180.0, 20.0, open);
    for (int i = 0; i < PLANE_PIXELS; i++)
        CHECK_NEAR(plane[i], 2.0f * open[i], 1e-4); /* single-precision transforms */
    decoder_free(d);
    decoder_free(NULL);
}

int main(void)
{
    mask_make(1, &mask);
    RUN(a_hundredth_of_the_pixels_is_dead_and_the_rest_differs_by_two_percent);
    RUN(an_empty_plane_counts_rate_times_time_and_the_dome_is_brightest_in_the_middle);
    RUN(what_the_fit_leaves_holds_nothing_of_the_shapes_it_knows);
    RUN(a_tenth_left_over_is_a_tenth_of_the_source);
    RUN(a_mismatched_response_spreads_and_halves_some_pixels);
    RUN(a_moving_disc_throws_the_mean_of_its_points_shadows);
    RUN(a_sky_of_one_pixel_projects_to_its_shadow);
    return check_report();
}
