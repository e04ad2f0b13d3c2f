/* What NVIDIA's own cuDNN says of our convolutions, asked without a GPU: since 9.8 it takes a device in words. Every
 * convolution of the shipped networks, at the batches that matter and in every precision, must be a graph that it knows, and
 * have engines whose plans it can make for a Hopper card. `--table` prints what it offers, for docs/gpu.md. */
#include "check.h"
#include "net/cuda/conv.h"
#include "net/net.h"
#include <stdlib.h>

enum { OFFERS_MOST = 16, SHAPES_MOST = 64 };

/* An H200 as the CUDA runtime describes it (132 multiprocessors, 227 KiB of shared memory for a block, 60 MiB of L2).
 * Source  CUDA C programming guide, table of compute capabilities, 9.0; NVIDIA H200 datasheet. */
static const char H200[] =
    "{\"deviceName\":\"NVIDIA H200\",\"deviceVer\":900,\"driverVer\":13000,\"cudaDeviceId\":0,\"pciDeviceId\":0,"
    "\"multiProcessorCount\":132,\"warpSize\":32,\"regsPerBlock\":65536,\"maxRegistersPerSM\":65536,"
    "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":232448,\"reservedSharedMemoryPerBlock\":1024,"
    "\"maxCtasPerSM\":32,\"maxThreadsPerBlock\":1024,\"maxThreadsPerSM\":2048,\"maxGridSize\":[2147483647,65535,65535],"
    "\"maxBlockSize\":[1024,1024,64],\"isTccDriver\":0,\"supportCoopLaunch\":1,\"totalGlobalMem\":150754820096,"
    "\"smClockRateKHz\":1980000,\"memClockRateKHz\":3201000,\"l2CacheSize\":62914560}";

static const char *const PRECISION[] = {"fp32", "tf32", "bf16"};
static const char *const FORM[CONV_FORM_N] = {"bias first", "residual first", "alone"};
static const int BATCHES[] = {1, 25, 256};
static int n_batch = 2; /* the largest only in the table: asking takes its time */

static bool table;
static struct conv_shape shape[SHAPES_MOST];
static int n_shape;

/* ---- the convolutions of a network ---- */

static int64_t padded(int64_t n, bool bf16)
{
    int64_t to = bf16 ? 16 : 8; /* cuda.h: the layout of maps */
    return (n + to - 1) / to * to;
}

static void add_shape(const struct plan_step *s)
{
    struct conv_shape a = {
        .n = 1, .c = s->n_in, .k = s->n_out, .bias = s->bias != NULL, .add = s->add >= 0, .relu = s->relu};
    for (int i = 0; i < 2; i++) {
        a.in[i] = s->in_size[i];
        a.out[i] = s->out_size[i];
        a.kernel[i] = s->window.kernel[i];
        a.stride[i] = s->window.stride[i];
        a.dilation[i] = s->window.dilation[i];
        a.pad_begin[i] = s->window.pad_begin[i];
        a.pad_end[i] = s->window.pad_end[i];
    }
    for (int i = 0; i < n_shape; i++)
        if (memcmp(&shape[i], &a, sizeof a) == 0) return;
    if (n_shape < SHAPES_MOST) shape[n_shape++] = a;
}

/* A backend that only looks at the plan. */
static enum burst_err look(void *engine, const struct net_plan *plan, void **ret_code, struct burst_error *reterr)
{
    (void)engine, (void)reterr;
    for (int i = 0; i < plan->n_step; i++)
        if (plan->step[i].op == PLAN_CONV) add_shape(&plan->step[i]);
    *ret_code = NULL;
    return BURST_OK;
}

static enum burst_err run_nothing(void *code, const float *const *input, int n, struct burst_error *reterr)
{
    (void)code, (void)input, (void)n;
    return burst_fail(reterr, BURST_E_STATE, "this network only shows its plan");
}

static enum burst_err read_nothing(void *code, int keep, int n, float *ret, struct burst_error *reterr)
{
    (void)keep, (void)ret;
    return run_nothing(code, NULL, n, reterr);
}

static void release_nothing(void *code)
{
    (void)code;
}

static void read_shapes(const char *path)
{
    static const struct net_backend looker = {
        .name = "look", .compile = look, .run = run_nothing, .read = read_nothing, .release = release_nothing};
    const struct net_settings settings = {.with = &looker, .batch_most = 1};
    struct burst_error e = {0};
    struct net *net = NULL;
    CHECK_SAY(net_open(path, &settings, &net, &e) == BURST_OK, "%s: %s", path, e.text);
    net_close(net);
}

static void read_networks(void)
{
    n_shape = 0;
    read_shapes(BURST_SOURCE_DIR "/models/gecam-resnet-mscfm/1");
    read_shapes(BURST_SOURCE_DIR "/models/eclairs-cnn/1");
    CHECK(n_shape > 8);
}

/* ---- the device in words ---- */

static bool describe(struct cuda_engine *engine)
{
    cudnnBackendDescriptor_t d = NULL;
    if (cudnnGetVersion() < 90800) return false;
    cudnnStatus_t status = cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d);
    if (status == CUDNN_STATUS_SUCCESS)
        status =
            cudnnBackendSetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, sizeof H200, H200);
    if (status == CUDNN_STATUS_SUCCESS) status = cudnnBackendFinalize(d);
    CHECK_SAY(status == CUDNN_STATUS_SUCCESS, "cuDNN does not take the device: %s", cudnnGetErrorString(status));
    engine->described = d;
    return status == CUDNN_STATUS_SUCCESS;
}

static struct conv_shape shape_at(const struct conv_shape *s, int precision, int batch)
{
    struct conv_shape a = *s;
    a.bf16 = precision == CUDA_BF16;
    a.n = batch;
    a.c = padded(s->c, a.bf16);
    a.k = padded(s->k, a.bf16);
    return a;
}

/* How many plans cuDNN makes for one form; its first engines go to the table. */
static int offers(struct cuda_engine *engine, const struct conv_shape *s, enum conv_form form)
{
    static struct conv_plan plan[OFFERS_MOST];
    struct conv_graph g;
    struct burst_error e = {0};
    char text[CHOICE_SHAPE];
    int n = 0;
    conv_shape_text(s, text);
    enum burst_err err = conv_graph_make(engine, s, form, &g, &e);
    CHECK_SAY(err == BURST_OK || err == BURST_E_UNSUPPORTED, "%s %s: %s", text, FORM[form], e.text);
    if (err) return 0;
    err = conv_plans_offered(engine, &g, OFFERS_MOST, plan, &n, &e);
    CHECK_SAY(err == BURST_OK, "%s %s: %s", text, FORM[form], e.text);
    if (table) printf("| `%s` | %s | %s | %d |", text, PRECISION[engine->precision], FORM[form], n);
    for (int i = 0; table && i < n && i < 6; i++)
        printf(" %lld", (long long)plan[i].engine);
    if (table) printf(" |\n");
    for (int i = 0; i < n; i++)
        conv_plan_free(&plan[i]);
    conv_graph_free(&g);
    return n;
}

static void ask_all(int precision, int *ret_fused)
{
    struct cuda_engine engine = {.precision = (enum cuda_precision)precision};
    if (!describe(&engine)) return;
    for (int i = 0; i < n_shape; i++)
        for (size_t b = 0; b < (size_t)n_batch; b++) {
            struct conv_shape s = shape_at(&shape[i], precision, BATCHES[b]);
            char text[CHOICE_SHAPE];
            conv_shape_text(&s, text);
            int fused = offers(&engine, &s, CONV_ADD_FIRST);
            CHECK_SAY(fused + offers(&engine, &s, CONV_ALONE) > 0, "%s %s: cuDNN has no engine", PRECISION[precision],
                      text);
            *ret_fused += fused > 0;
        }
    (void)cudnnBackendDestroyDescriptor(engine.described); /* cannot fail on what was made */
}

TEST(cudnn_has_engines_for_every_convolution_we_ship)
{
    if (cudnnGetVersion() < 90800) SKIP("this cuDNN takes no device in words");
    read_networks();
    for (int precision = 0; precision < 3; precision++) {
        int fused = 0, n = n_shape * n_batch;
        ask_all(precision, &fused);
        printf("%s: %d of %d convolutions have ready-made engines with bias, residual and ReLU\n", PRECISION[precision],
               fused, n);
        CHECK_SAY(fused == n, "%s: only %d of %d are fused", PRECISION[precision], fused, n);
    }
}

/* The right refusal, in words, of what is wrong: so that the above proves something. */
TEST(cudnn_refuses_a_shape_that_cannot_be)
{
    struct cuda_engine engine = {.precision = CUDA_FP32};
    struct burst_error e = {0};
    struct conv_graph g;
    if (cudnnGetVersion() < 90800) SKIP("this cuDNN takes no device in words");
    if (!describe(&engine)) return;
    struct conv_shape s = {.n = 1,
                           .c = 8,
                           .k = 8,
                           .in = {1, 20},
                           .out = {1, 19},
                           .kernel = {1, 3},
                           .stride = {1, 1},
                           .pad_begin = {0, 1},
                           .pad_end = {0, 1},
                           .dilation = {1, 1}};
    enum burst_err err = conv_graph_make(&engine, &s, CONV_ALONE, &g, &e); /* 20 bins give 20, not 19 */
    CHECK_SAY(err != BURST_OK, "it was taken");
    CHECK_SAY(strstr(e.text, "cudnnBackendFinalize"), "\"%s\" does not name the call", e.text);
    (void)cudnnBackendDestroyDescriptor(engine.described);
}

int main(int argc, char **argv)
{
    table = argc == 2 && strcmp(argv[1], "--table") == 0;
    if (table) n_batch = sizeof BATCHES / sizeof BATCHES[0];
    RUN(cudnn_has_engines_for_every_convolution_we_ship);
    RUN(cudnn_refuses_a_shape_that_cannot_be);
    return check_report();
}
