/* Networks for Python, against what PyTorch answered. */
#include "check.h"
#include "net/tensor_file.h"
#include "train/net.h"
#include <stdlib.h>

#define GOLDEN BURST_SOURCE_DIR "/tests/golden/net/light_curve"
enum { N_IN = 9 * 75, N_OUT = 2 };

/* Sums of up to a few hundred float32 products of order 1, in another order than PyTorch's. */
static const double TOLERANCE = 1e-5;

static struct evaluator *open_golden(const char *backend, int batch, int n_thread)
{
    struct evaluator *e = NULL;
    struct burst_error error = {0};
    CHECK_SAY(evaluator_open(GOLDEN, backend, batch, n_thread, &e, &error) == BURST_OK, "%s", error.text);
    return e;
}

TEST(answers_are_pytorchs_whatever_the_batch_and_threads)
{
    static const struct {
        const char *backend;
        int batch, n_thread;
    } cases[] = {{"plain", 1, 1}, {"plain", 3, 2}, {"cpu", 4, 1}, {"cpu", 2, 3}, {"auto", 64, 1}};
    struct net_tensor input = {0}, output = {0};
    struct burst_error error = {0};
    CHECK_INT(tensor_read(GOLDEN "/test_data_set_0/input_0.pb", &input, &error), BURST_OK);
    CHECK_INT(tensor_read(GOLDEN "/test_data_set_0/output_0.pb", &output, &error), BURST_OK);
    const size_t n_golden = (size_t)(dims_count(&input.dims) / N_IN), n = 7;
    float *x = malloc(n * N_IN * sizeof *x), y[7 * N_OUT];
    CHECK(x && n_golden > 0 && dims_count(&output.dims) == (int64_t)n_golden * N_OUT);
    for (size_t i = 0; x && i < n; i++)
        memcpy(x + i * N_IN, input.f32 + i % n_golden * N_IN, N_IN * sizeof *x);
    for (size_t k = 0; x && k < sizeof cases / sizeof cases[0]; k++) {
        struct evaluator *e = open_golden(cases[k].backend, cases[k].batch, cases[k].n_thread);
        if (!e) continue;
        CHECK_INT(evaluator_run(e, x, n, N_IN, y, N_OUT, &error), BURST_OK);
        for (size_t i = 0; i < n * N_OUT; i++) {
            double want = (double)output.f32[i % (n_golden * N_OUT)];
            CHECK_NEAR(y[i], want, TOLERANCE * fmax(1, fabs(want)));
        }
        CHECK_INT(evaluator_run(e, NULL, 0, N_IN, NULL, N_OUT, &error), BURST_OK); /* nothing is no work */
        evaluator_close(e);
    }
    free(x);
    tensor_fini(&input);
    tensor_fini(&output);
}

TEST(the_file_tells_its_shapes_and_metadata)
{
    struct evaluator *e = open_golden("cpu", 2, 1);
    int n_dim = -1;
    int64_t dim[EVALUATOR_DIMS];
    if (!e) return;
    CHECK_INT(evaluator_input(e, &n_dim, dim, NULL), BURST_OK);
    CHECK(n_dim == 2 && dim[0] == 9 && dim[1] == 75);
    CHECK_INT(evaluator_output(e, &n_dim, dim, NULL), BURST_OK);
    CHECK(n_dim == 1 && dim[0] == 2);
    CHECK_STR(evaluator_meta_key(e, 0), "burst.kind");
    CHECK_STR(evaluator_meta(e, "burst.kind"), "\"light_curve\"");
    CHECK(!evaluator_meta(e, "burst.nothing"));
    CHECK(!evaluator_meta_key(e, -1));
    CHECK(!evaluator_meta_key(e, 1000));
    CHECK_STR(evaluator_backend(e), "cpu");
    CHECK_INT(strlen(evaluator_sha256(e)), 64);
    CHECK(evaluator_n_parameter(e) > 1000);
    evaluator_close(e);
}

TEST(files_and_numbers_that_will_not_do_are_refused)
{
    struct evaluator *e = NULL;
    struct burst_error error;
    CHECK_REFUSED(evaluator_open("/nowhere/model.onnx", "cpu", 1, 1, &e, &error), BURST_E_IO, error,
                  "/nowhere/model.onnx");
    CHECK_REFUSED(evaluator_open(GOLDEN, "tpu", 1, 1, &e, &error), BURST_E_RANGE, error, "'tpu'");
    CHECK_REFUSED(evaluator_open(GOLDEN, "cpu", 0, 1, &e, &error), BURST_E_RANGE, error, "batch of 0");
    CHECK_REFUSED(evaluator_open(GOLDEN, "cpu", 1025, 1, &e, &error), BURST_E_RANGE, error, "batch of 1025");
    CHECK_REFUSED(evaluator_open(GOLDEN, "cpu", 1, 0, &e, &error), BURST_E_RANGE, error, "0 threads");
    CHECK_REFUSED(evaluator_open(GOLDEN, "cpu", 1, 65, &e, &error), BURST_E_RANGE, error, "65 threads");
    CHECK_REFUSED(evaluator_open(NULL, "cpu", 1, 1, &e, &error), BURST_E_MISSING, error, "no path");
    CHECK_REFUSED(evaluator_open(GOLDEN, NULL, 1, 1, &e, &error), BURST_E_MISSING, error, "backend");
    CHECK_REFUSED(evaluator_open(GOLDEN, "cpu", 1, 1, NULL, &error), BURST_E_MISSING, error, "place");
    CHECK(!e);
    evaluator_close(NULL);
}

TEST(samples_of_another_size_are_refused)
{
    struct evaluator *e = open_golden("plain", 2, 1);
    struct burst_error error;
    float x[N_IN] = {0}, y[N_OUT] = {77, 77};
    int n_dim = 77;
    int64_t dim[EVALUATOR_DIMS];
    CHECK_REFUSED(evaluator_run(e, x, 1, N_IN - 1, y, N_OUT, &error), BURST_E_SHAPE, error, "674 values to 2");
    CHECK_REFUSED(evaluator_run(e, x, 1, N_IN, y, 3, &error), BURST_E_SHAPE, error, "to 3");
    CHECK_REFUSED(evaluator_run(e, NULL, 1, N_IN, y, N_OUT, &error), BURST_E_MISSING, error, "no input");
    CHECK_REFUSED(evaluator_run(e, x, 1, N_IN, NULL, N_OUT, &error), BURST_E_MISSING, error, "nowhere");
    CHECK_REFUSED(evaluator_run(NULL, x, 1, N_IN, y, N_OUT, &error), BURST_E_MISSING, error, "no network");
    CHECK_REFUSED(evaluator_input(NULL, &n_dim, dim, &error), BURST_E_MISSING, error, "no network");
    CHECK_REFUSED(evaluator_input(e, NULL, dim, &error), BURST_E_MISSING, error, "nowhere");
    CHECK_REFUSED(evaluator_output(e, &n_dim, NULL, &error), BURST_E_MISSING, error, "nowhere");
    CHECK(y[0] == 77 && n_dim == 77);
    CHECK(!evaluator_meta(NULL, "x") && !evaluator_meta(e, NULL) && !evaluator_meta_key(NULL, 0));
    evaluator_close(e);
}

int main(void)
{
    RUN(answers_are_pytorchs_whatever_the_batch_and_threads);
    RUN(the_file_tells_its_shapes_and_metadata);
    RUN(files_and_numbers_that_will_not_do_are_refused);
    RUN(samples_of_another_size_are_refused);
    return check_report();
}
