/* The ONNX project's own tests on the backend `cuda`: what it takes it must answer, what it does not take is named. */
#include "base/clock.h"
#include "net/cuda/cuda.h"
#include "unit/net/onnx_nodes.h"

/* Sums of products in another order; of factors with 10 bits of mantissa, or 7. */
static const double TOLERANCE[CUDA_PRECISION_N] = {1e-5, 5e-3, 5e-2};

static struct cuda_engine *engine;
enum { ANSWERED = 137, WITHOUT_KERNEL = 35, REFUSED = 37 }; /* of 209 */
static int n_answered, n_without_kernel, n_refused;

static enum burst_err try_first_set(struct burst_error *reterr)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    Onnx__ModelProto *model = read_model(&bytes, &n);
    CHECK(model != NULL);
    if (!model) return BURST_E_IO;
    raise_opset(model, &bytes, &n);
    enum burst_err err = try_set(model, bytes, n, 0, reterr);
    onnx__model_proto__free_unpacked(model, NULL);
    free(bytes);
    return err;
}

/* Answered; or refused by this backend with the node's name; or refused before any backend is asked, as test_onnx_nodes has it. */
static void one_test(void)
{
    static struct burst_error error;
    error = (struct burst_error){0};
    enum burst_err err = try_first_set(&error);
    bool here = strncmp(error.text, "cuda: ", 6) == 0;
    if (!err) n_answered++;
    if (err && here) n_without_kernel++;
    if (err && !here) n_refused++;
    if (err && here)
        CHECK_SAY(err == BURST_E_UNSUPPORTED && strstr(error.text, "cuda: node '"), "%s: %s", burst_err_name(err),
                  error.text);
    if (err) check_skip_why = error.text;
}

static void on_cuda(const char *group, const char *name)
{
    static char label[600];
    struct cuda_device_facts facts;
    cuda_describe(engine, &facts);
    (void)snprintf(label, sizeof label, "%s.%s.%s", group, name, cuda_precision_name(facts.precision));
    check_run(label, one_test);
}

TEST(most_of_them_are_answered)
{
    if (access(DATA, F_OK) != 0) SKIP("no " DATA " (libonnx-testdata)");
    CHECK_SAY(n_answered == ANSWERED * CUDA_PRECISION_N, "%d are answered", n_answered);
    CHECK_SAY(n_without_kernel == WITHOUT_KERNEL * CUDA_PRECISION_N, "%d have no kernel", n_without_kernel);
    CHECK_SAY(n_refused == REFUSED * CUDA_PRECISION_N, "%d are refused by all", n_refused);
}

int main(void)
{
    for (int p = 0; p < CUDA_PRECISION_N; p++) {
        struct burst_error error = {0};
        struct cuda_settings settings = {
            .precision = (enum cuda_precision)p, .engine_most = 2, .patience_ns = 300 * CLOCK_NS_PER_S};
        enum burst_err err = cuda_open(&settings, &engine, &error);
        if (err == BURST_E_UNSUPPORTED) {
            printf("skip cuda_onnx: %s\n", error.text); /* a build for a card, and none here */
            return 0;
        }
        if (err) {
            printf("FAIL engine: %s\n", error.text);
            return 1;
        }
        nodes_settings = (struct net_settings){.with = &net_backend_cuda, .engine = engine, .batch_most = 4};
        nodes_tolerance = TOLERANCE[p];
        (void)run_all(on_cuda); /* how many there are, test_onnx_nodes knows */
        cuda_close(engine);
    }
    RUN(most_of_them_are_answered);
    return check_report();
}
