/* Maps of many samples, against PyTorch's autograd. */
#include "check.h"
#include "net/tensor_file.h"
#include "train/explain.h"
#include <math.h>
#include <stdlib.h>

#define GOLDEN  BURST_SOURCE_DIR "/tests/golden/infer"
#define NETWORK GOLDEN "/small-light-curve/3/model.onnx"
enum { BANDS = 9, BINS = 1875, N_IN = BANDS * BINS, ROWS = 2, POSITIONS = 118 };

/* Bands as sums of atoms [first, last): protocol.md 10. */
static const int FIRST[BANDS] = {0, 1, 1, 2, 2, 2, 3, 3, 4}, LAST[BANDS] = {1, 2, 3, 3, 4, 5, 4, 5, 5};

/* Row r of the input that tests/golden/infer/make.py describes, standardised in double. */
static void row_fill(int r, float *x)
{
    for (int b = 0; b < BANDS; b++) {
        double sum = 0, square = 0, n = 0, band[BINS];
        for (int t = 0; t < BINS; t++) {
            band[t] = 0;
            for (int a = FIRST[b]; a < LAST[b]; a++)
                band[t] += (7 * r + 3 * a + t * t) % 11 + (t >= 900 && t < 1000 ? 10 * (r + 1) : 0);
            if (t % 10 == r) continue;
            n++;
            sum += band[t];
            square += band[t] * band[t];
        }
        const double mean = sum / n, deviation = sqrt(square / n - mean * mean);
        for (int t = 0; t < BINS; t++)
            x[b * BINS + t] = t % 10 == r ? 0.0F : (float)((band[t] - mean) / deviation);
    }
}

static struct explainer *open_golden(struct explainer_shape *shape)
{
    struct explainer *x = NULL;
    struct burst_error error = {0};
    CHECK_SAY(explainer_open(NETWORK, &x, shape, &error) == BURST_OK, "%s", error.text);
    return x;
}

TEST(answers_and_maps_are_pytorchs)
{
    struct explainer_shape shape;
    struct net_tensor output = {0}, map = {0};
    float *x = malloc((size_t)ROWS * N_IN * sizeof *x), y[ROWS * 2], cam[ROWS * POSITIONS];
    struct explainer *e = open_golden(&shape);
    CHECK_INT(tensor_read(GOLDEN "/lightcurve_out.pb", &output, NULL), BURST_OK);
    CHECK_INT(tensor_read(GOLDEN "/lightcurve_cam.pb", &map, NULL), BURST_OK);
    CHECK(x && e);
    if (x && e) {
        CHECK_INT(shape.n_in, N_IN);
        CHECK_INT(shape.n_out, 2);
        CHECK_INT(shape.n_position, POSITIONS);
        row_fill(0, x);
        row_fill(1, x + N_IN);
        CHECK_INT(explainer_run(e, x, ROWS, 1, y, cam, NULL), BURST_OK);
        for (int i = 0; i < ROWS * 2; i++)
            CHECK_NEAR(y[i], output.f32[i], 1e-4);
        float most = 0;
        for (int t = 0; t < POSITIONS; t++) {
            most = fmaxf(most, map.f32[t]);
            CHECK_NEAR(cam[POSITIONS + t], map.f32[t], 1e-5);
        }
        CHECK(most > 1e-3F); /* the golden map is not empty */
    }
    explainer_close(e);
    tensor_fini(&output);
    tensor_fini(&map);
    free(x);
}

TEST(the_other_answers_map_is_another)
{
    struct explainer_shape shape;
    float *x = malloc(N_IN * sizeof *x), y[2], one[POSITIONS], other[POSITIONS];
    struct explainer *e = open_golden(&shape);
    int n_differ = 0;
    CHECK(x && e);
    if (x && e) {
        row_fill(1, x);
        CHECK_INT(explainer_run(e, x, 1, 1, y, one, NULL), BURST_OK);
        CHECK_INT(explainer_run(e, x, 1, 0, y, other, NULL), BURST_OK);
        for (int t = 0; t < POSITIONS; t++)
            n_differ += one[t] != other[t];
        CHECK(n_differ > 0);
        CHECK_INT(explainer_run(e, NULL, 0, 1, NULL, NULL, NULL), BURST_OK);
    }
    explainer_close(e);
    free(x);
}

TEST(refusals_name_their_reason)
{
    struct explainer_shape shape = {7, 7, 7};
    struct explainer *e = NULL, *good;
    struct burst_error error;
    float x[1] = {0}, y[2], cam[POSITIONS];
    CHECK_REFUSED(explainer_open(NULL, &e, &shape, &error), BURST_E_MISSING, error, "path");
    CHECK_REFUSED(explainer_open(GOLDEN "/none.onnx", &e, &shape, &error), BURST_E_IO, error, "none.onnx");
    CHECK_REFUSED(explainer_open(GOLDEN "/small-flat/3/model.onnx", &e, &shape, &error), BURST_E_UNSUPPORTED, error,
                  "pool");
    CHECK(e == NULL && shape.n_in == 7);
    good = open_golden(&shape);
    CHECK_REFUSED(explainer_run(good, x, 1, 2, y, cam, &error), BURST_E_RANGE, error, "2");
    CHECK_REFUSED(explainer_run(good, x, 1, -1, y, cam, &error), BURST_E_RANGE, error, "-1");
    CHECK_REFUSED(explainer_run(good, NULL, 1, 1, y, cam, &error), BURST_E_MISSING, error, "input");
    CHECK_REFUSED(explainer_run(NULL, x, 1, 1, y, cam, &error), BURST_E_MISSING, error, "network");
    explainer_close(good);
    explainer_close(NULL);
}

int main(void)
{
    RUN(answers_and_maps_are_pytorchs);
    RUN(the_other_answers_map_is_another);
    RUN(refusals_name_their_reason);
    return check_report();
}
