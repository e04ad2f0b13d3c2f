/* The backend `cuda` when the device, CUDA or cuDNN fail: each call of each kind in its turn, deadlines, kernels that break, and
 * engines of cuDNN that are missing, refuse or are wrong. Whatever happens, nothing is left behind. */
#include "tests/standin/standin.h"
#include "unit/cuda/parity.h"

enum { BATCH = 5, BINS = 33, ROW = 9 * BINS };

/* A unit of the light-curve network, small: a residual, an MSCFM of 64 channels, a head. */
static void make_net(struct maker *m)
{
    maker_input(m, "in", "N 9 33");
    maker_conv_relu(m, "in", "c1", 9, 64, "7", "strides=2, pads=3,3");
    (void)maker_conv(m, "c1.relu", "c2", 64, 64, "3", "pads=1,1");
    (void)maker_conv(m, "in", "sc", 9, 64, "1", "strides=2,");
    maker_node(m, "Add", "c2 sc", "sum", "");
    maker_node(m, "Relu", "sum", "x", "");
    maker_conv_relu(m, "x", "r", 64, 16, "1", "");
    maker_conv_relu(m, "r.relu", "s1", 16, 16, "3", "pads=1,1");
    maker_conv_relu(m, "s1.relu", "s2", 16, 16, "3", "pads=1,1");
    maker_conv_relu(m, "s2.relu", "s3", 16, 16, "3", "pads=1,1");
    maker_node(m, "Concat", "r.relu s1.relu s2.relu s3.relu", "cat", "axis=1");
    (void)maker_conv(m, "cat", "f", 64, 64, "1", "");
    maker_node(m, "Add", "x f", "last", "");
    maker_node(m, "Relu", "last", "out", "");
    maker_node(m, "GlobalAveragePool", "out", "pool", "");
    maker_node(m, "Flatten", "pool", "flat", "axis=1");
    maker_dense(m, "flat", "logits", 64, 2);
    maker_output(m, "logits", "N 2");
}

static struct pair open_net(enum cuda_precision precision)
{
    static const char *const KEEP[] = {"x"};
    struct maker m = {.seed = 3};
    struct setup s = {.precision = precision, .batch = BATCH, .keep = KEEP, .n_keep = 1};
    make_net(&m);
    return pair_open(&s, &m);
}

static int64_t soon(void)
{
    return clock_mono_ns() + 20 * CLOCK_NS_PER_S;
}

/* ---- a device that does not answer ---- */

TEST(a_deadline_that_is_missed_ends_the_engine)
{
    struct pair p = open_net(CUDA_FP32);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    struct cuda_entry *entry = NULL;
    struct burst_error error = {0};
    float x[ROW] = {0}, got[2] = {7, 7};
    if (!p.cuda) return;
    CHECK_INT(cuda_entry_new(net_code(p.cuda), NULL, -1, &entry, &error), BURST_OK);
    memset(cuda_entry_rows(entry), 0, ROW * sizeof(float));
    standin_fail("slow:cudaGraphLaunch:1=300");
    int64_t before_ns = clock_mono_ns();
    CHECK_REFUSED(cuda_entry_run(entry, 1, got, NULL, before_ns + CLOCK_NS_PER_S / 50, &error), BURST_E_TIMEOUT, error,
                  "not answered in time");
    CHECK(clock_mono_ns() - before_ns >= CLOCK_NS_PER_S / 50);
    CHECK(got[0] == 7 && got[1] == 7);
    CHECK(cuda_is_dead(p.engine));
    CHECK_REFUSED(cuda_entry_run(entry, 1, got, NULL, soon(), &error), BURST_E_STATE, error, "only a new one");
    CHECK_REFUSED(net_run(p.cuda, x, 1, got, &error), BURST_E_STATE, error, "only a new one");
    struct cuda_entry *other = NULL;
    CHECK_REFUSED(cuda_entry_new(net_code(p.cuda), NULL, -1, &other, &error), BURST_E_STATE, error, "only a new one");
    standin_fail(NULL);
    cuda_entry_free(entry);
    pair_close(&p);
    CHECK_INT(standin_live(NULL), 0);
    standin_heal();
}

/* After an error that sticks the runtime gives nothing back; each thing must have been offered all the same. */
TEST(a_kernel_that_breaks_is_told_long_before_the_deadline)
{
    size_t device = standin_live("device"), host = standin_live("host"), descriptors = standin_live("descriptors");
    struct pair p = open_net(CUDA_FP32);
    struct burst_error error = {0};
    float x[ROW] = {0}, got[2] = {7, 7};
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    if (!p.cuda) return;
    standin_fail("kernel:head_answer_kernel:1");
    CHECK_REFUSED(net_run(p.cuda, x, 1, got, &error), BURST_E_DEVICE, error, "illegal memory access");
    CHECK(got[0] == 7 && got[1] == 7);
    CHECK(cuda_is_dead(p.engine));
    standin_fail(NULL);
    device = standin_live("device") - device; /* less what other tests have left */
    host = standin_live("host") - host;
    descriptors = standin_live("descriptors") - descriptors;
    pair_close(&p);
    CHECK_INT(standin_calls("cudaFree"), device);
    CHECK_INT(standin_calls("cudaFreeHost"), host);
    CHECK_INT(standin_calls("cudnnBackendDestroyDescriptor"), descriptors);
    standin_heal();
}

TEST(a_launch_that_is_refused_is_named)
{
    struct pair p = open_net(CUDA_FP32);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    struct burst_error error = {0};
    float *x = numbers(ROW), got[2];
    if (!p.cuda) return;
    memset(x, 0, ROW * sizeof *x);
    standin_fail("cudaGraphLaunch:1=2"); /* out of memory: the device is as it was */
    CHECK_REFUSED(net_run(p.cuda, x, 1, got, &error), BURST_E_DEVICE, error, "cudaGraphLaunch: out of memory (2)");
    CHECK(!cuda_is_dead(p.engine));
    CHECK_SAY(net_run(p.cuda, x, 1, got, &error) == BURST_OK, "%s", error.text);
    standin_fail(NULL);
    pair_close(&p);
    free(x);
}

TEST(an_engine_that_cannot_be_had_says_why)
{
    struct cuda_engine *engine = NULL;
    struct burst_error error = {0};
    struct cuda_settings settings = {.device = 99};
    CHECK_REFUSED(cuda_open(&settings, &engine, &error), BURST_E_UNSUPPORTED, error, "no GPU 99");
    settings = (struct cuda_settings){.precision = (enum cuda_precision)7};
    CHECK_REFUSED(cuda_open(&settings, &engine, &error), BURST_E_RANGE, error, "precision 7");
    standin_fail("cudaGetDeviceCount:1=35");
    CHECK_REFUSED(cuda_open(NULL, &engine, &error), BURST_E_UNSUPPORTED, error, "driver version is insufficient");
    standin_fail("cudaGetDeviceCount:1=100");
    CHECK_REFUSED(cuda_open(NULL, &engine, &error), BURST_E_UNSUPPORTED, error, "(100)");
    standin_fail(NULL);
    CHECK(engine == NULL);
    CHECK_INT(standin_live(NULL), 0);
}

TEST(memory_can_be_taken_and_given_back)
{
    struct setup s = {0};
    struct cuda_engine *engine = engine_open(&s);
    struct burst_error error = {0};
    void *a = NULL, *b = NULL;
    float host[64];
    if (!engine) return;
    CHECK_INT(cuda_take(engine, 1000, &a, &error), BURST_OK);
    CHECK_INT(cuda_take(engine, 1000, &b, &error), BURST_OK);
    CHECK(a && b && a != b);
    cuda_give_back(engine, a);
    cuda_give_back(engine, a); /* what is not there is passed over */
    void *at = NULL;
    CHECK_INT(cuda_map(engine, host, sizeof host, &at, &error), BURST_OK);
    CHECK(at != NULL);
    cuda_unmap(engine, host);
    cuda_unmap(engine, host);
    CHECK_INT(standin_live("device"), 1);
    CHECK_INT(standin_live("registered"), 0);
    CHECK_REFUSED(cuda_take(engine, (size_t)1 << 46, &a, &error), BURST_E_DEVICE, error, "cudaMalloc: out of memory");
    CHECK(!cuda_is_dead(engine));
    CHECK_REFUSED(cuda_check(engine, 700, "a_kernel", &error), BURST_E_DEVICE, error,
                  "a_kernel: an illegal memory access was encountered (700)");
    CHECK(cuda_is_dead(engine));
    cuda_close(engine);
    CHECK_INT(standin_live(NULL), 0);
}

/* ---- engines of cuDNN ---- */

static void with_engines(const char *words, enum cuda_precision precision, const char *name, int n_named)
{
    CHECK_INT(setenv("BURST_STANDIN_ENGINES", words, 1), 0);
    struct pair p = open_net(precision);
    CHECK_SAY(p.cuda != NULL, "%s: %s", words, p.error.text);
    if (p.cuda) {
        (void)pair_run(&p, BATCH, 1); /* it has checked */
        pair_compare(&p, "x", BATCH);
        CHECK_SAY(operations(p.cuda, name) == n_named, "%s: %d of %s", words, operations(p.cuda, name), name);
    }
    pair_close(&p);
    CHECK_INT(unsetenv("BURST_STANDIN_ENGINES"), 0);
}

static bool has_pointwise(const struct net *net)
{
    const char *text;
    int step;
    for (int i = 0; net_operation(net, i, &step, &text); i++)
        if (strstr(text, "+ burst:pointwise")) return true;
    return false;
}

TEST(where_no_engine_fuses_the_rest_is_ours)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        CHECK_INT(setenv("BURST_STANDIN_ENGINES", "none_fused", 1), 0);
        struct pair p = open_net((enum cuda_precision)precision);
        CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
        if (p.cuda) {
            (void)pair_run(&p, BATCH, 1); /* it has checked */
            pair_compare(&p, "x", BATCH);
            CHECK(has_pointwise(p.cuda));
        }
        pair_close(&p);
        CHECK_INT(unsetenv("BURST_STANDIN_ENGINES"), 0);
    }
}

TEST(an_engine_that_refuses_when_it_is_planned_is_passed_over)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++)
        with_engines("first_refuses", (enum cuda_precision)precision, "cudnn:engine", 3);
}

/* ---- each call in its turn ---- */

/* What a worker does with a network: everything that can fail, once. Answers of the run in `ret`, if there are any. */
static enum burst_err life(const uint8_t *bytes, size_t n_byte, const float *x, float *ret, struct burst_error *reterr)
{
    static const char *const KEEP[] = {"x"};
    struct setup s = {.batch = 2, .keep = KEEP, .n_keep = 1};
    struct cuda_settings settings = {.engine_most = 2, .patience_ns = 5 * CLOCK_NS_PER_S};
    struct cuda_engine *engine = NULL;
    struct cuda_entry *entry = NULL;
    struct net *net = NULL;
    void *device;
    static float shared[1 << 14][16]; /* a new piece each time: one that could not be unmapped stays mapped */
    static int n_life;
    float map[2 * 64 * 17], cam[2 * 17];
    float *mine = shared[n_life++ % (1 << 14)];
    enum burst_err err = cuda_open(&settings, &engine, reterr);
    if (!err) err = cuda_net_open(engine, &s, bytes, n_byte, &net, reterr);
    if (!err) err = cuda_take(engine, 100, &device, reterr);
    if (!err) err = cuda_map(engine, mine, sizeof shared[0], &device, reterr);
    if (!err) err = cuda_entry_new(net_code(net), NULL, 1, &entry, reterr);
    if (!err) memcpy(cuda_entry_rows(entry), x, 2 * ROW * sizeof *x);
    if (!err) err = cuda_entry_run(entry, 2, ret, cam, soon(), reterr);
    if (!err) err = net_run(net, x, 2, ret, reterr);
    if (!err) err = net_read(net, "x", map, sizeof map / sizeof map[0], NULL, reterr);
    if (engine && err == BURST_E_STATE) CHECK_SAY(cuda_is_dead(engine), "%s", reterr->text);
    cuda_entry_free(entry);
    net_close(net);
    cuda_close(engine);
    return err;
}

/* Every kind that the life calls, and all that a later change may make it call. */
static const char *const KINDS[] = {
    "cudaGetDeviceCount",
    "cudaSetDevice",
    "cudaGetDeviceProperties",
    "cudaDriverGetVersion",
    "cudaRuntimeGetVersion",
    "cudaDeviceGetStreamPriorityRange",
    "cudaStreamCreateWithPriority",
    "cudaStreamDestroy",
    "cudaStreamQuery",
    "cudaStreamBeginCapture",
    "cudaStreamEndCapture",
    "cudaEventCreate",
    "cudaEventRecord",
    "cudaEventElapsedTime",
    "cudaEventDestroy",
    "cudaMalloc",
    "cudaFree",
    "cudaHostAlloc",
    "cudaFreeHost",
    "cudaHostGetDevicePointer",
    "cudaHostRegister",
    "cudaHostUnregister",
    "cudaMemsetAsync",
    "cudaMemcpyAsync",
    "cudaMemcpy",
    "cudaLaunchKernel",
    "cudaGraphInstantiate",
    "cudaGraphUpload",
    "cudaGraphLaunch",
    "cudaGraphDestroy",
    "cudaGraphExecDestroy",
    "cudnnCreate",
    "cudnnDestroy",
    "cudnnSetStream",
    "cudnnBackendCreateDescriptor",
    "cudnnBackendDestroyDescriptor",
    "cudnnBackendSetAttribute",
    "cudnnBackendGetAttribute",
    "cudnnBackendFinalize",
    "cudnnBackendExecute",
};
enum { KIND_N = sizeof KINDS / sizeof KINDS[0], EACH = CHECK_SANITIZED ? 4 : 14, ENDS = (EACH - 2) / 2 };

/* The i-th call to fail of n: all where they are few; else the first, the last, and some between. */
static unsigned long call_of(int i, unsigned long n)
{
    if (n <= EACH || i < ENDS) return (unsigned long)i + 1;
    if (i >= EACH - ENDS) return n - (unsigned long)(EACH - 1 - i);
    return ENDS + (n - 2 * ENDS) * (unsigned long)(i - ENDS + 1) / (EACH - 2 * ENDS);
}

struct sweep {
    uint8_t *bytes;
    size_t n_byte;
    float x[2 * ROW], want[4];
    int n_failed, n_well;
};

/* What a call that gives something back leaves where it fails: that thing, and nothing can be done about it. */
static bool gives_back(const char *kind)
{
    return strstr(kind, "Destroy") || strstr(kind, "Free") || strstr(kind, "Unregister");
}

static void check_life(struct sweep *s, const char *kind, const char *fault)
{
    struct burst_error error = {0};
    float got[4] = {7, 7, 7, 7};
    size_t before = standin_live(NULL);
    standin_fail(fault);
    enum burst_err err = life(s->bytes, s->n_byte, s->x, got, &error);
    size_t may = !gives_back(kind) ? 0 : strchr(fault, '*') ? standin_calls(kind) : 1;
    standin_fail(NULL);
    standin_heal();
    size_t left = standin_live(NULL) - before;
    CHECK_SAY(left == may, "%s (%s): %zu things are left", fault, error.text, left);
    if (err) {
        s->n_failed++;
        CHECK_SAY(error.code == err && error.text[0], "%s: %s without a word", fault, burst_err_name(err));
        CHECK_SAY(err == BURST_E_DEVICE || err == BURST_E_UNSUPPORTED || err == BURST_E_STATE || err == BURST_E_TIMEOUT,
                  "%s: %s: %s", fault, burst_err_name(err), error.text);
        return;
    }
    s->n_well++; /* another engine was taken, or it was a call whose failure says nothing of the answer */
    CHECK_SAY(worst_of(got, s->want, 4) <= TOLERANCE[CUDA_FP32], "%s: another answer", fault);
}

static struct sweep *sweep_new(void)
{
    struct sweep *s = calloc(1, sizeof *s);
    struct maker m = {.seed = 3};
    struct burst_error error = {0};
    if (!s) abort();
    make_net(&m);
    maker_finish(&m, &s->bytes, &s->n_byte);
    for (int i = 0; i < 2 * ROW; i++)
        s->x[i] = maker_random(&m);
    standin_fail(NULL);
    size_t before = standin_live(NULL);
    CHECK_SAY(life(s->bytes, s->n_byte, s->x, s->want, &error) == BURST_OK, "%s", error.text);
    CHECK_INT(standin_live(NULL), before);
    return s;
}

static void sweep_free(struct sweep *s)
{
    free(s->bytes);
    free(s);
}

TEST(whichever_call_fails_is_named_and_nothing_is_left)
{
    struct sweep *s = sweep_new();
    unsigned long calls[KIND_N];
    for (int k = 0; k < KIND_N; k++)
        calls[k] = standin_calls(KINDS[k]);
    for (int k = 0; k < KIND_N; k++) {
        CHECK_SAY(calls[k] > 0, "%s is never called", KINDS[k]);
        for (int i = 0; i < EACH && (unsigned long)i < calls[k]; i++) {
            char fault[96];
            (void)snprintf(fault, sizeof fault, "%s:%lu", KINDS[k], call_of(i, calls[k]));
            check_life(s, KINDS[k], fault);
        }
    }
    CHECK_SAY(s->n_failed > (CHECK_SANITIZED ? 60 : 100), "%d of %d faults were seen", s->n_failed,
              s->n_failed + s->n_well);
    sweep_free(s);
}

TEST(whichever_call_goes_on_failing_is_named_and_nothing_is_left)
{
    struct sweep *s = sweep_new();
    for (int k = 0; k < KIND_N; k++) {
        char fault[96];
        (void)snprintf(fault, sizeof fault, "%s:*", KINDS[k]);
        check_life(s, KINDS[k], fault);
    }
    CHECK(s->n_failed > KIND_N / 2);
    sweep_free(s);
}

/* Memory that is short is told as such, and is no end of the process. */
TEST(memory_that_is_short_is_no_end)
{
    struct sweep *s = sweep_new();
    check_life(s, "cudaMalloc", "cudaMalloc:2=2");
    check_life(s, "cudaMalloc", "cudaMalloc:*=2");
    check_life(s, "cudaHostAlloc", "cudaHostAlloc:1=2");
    CHECK_INT(s->n_failed, 3);
    sweep_free(s);
}

int main(void)
{
    RUN(a_deadline_that_is_missed_ends_the_engine);
    RUN(a_launch_that_is_refused_is_named);
    RUN(an_engine_that_cannot_be_had_says_why);
    RUN(memory_can_be_taken_and_given_back);
    RUN(where_no_engine_fuses_the_rest_is_ours);
    RUN(an_engine_that_refuses_when_it_is_planned_is_passed_over);
    RUN(whichever_call_fails_is_named_and_nothing_is_left);
    RUN(whichever_call_goes_on_failing_is_named_and_nothing_is_left);
    RUN(memory_that_is_short_is_no_end);
    RUN(a_kernel_that_breaks_is_told_long_before_the_deadline); /* last: what it leaves stays */
    return check_report();
}
