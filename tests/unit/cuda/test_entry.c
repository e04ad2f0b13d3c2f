/* Entries: other fronts and the Grad-CAM on the same network. */
#include "kernels/cam.h"
#include "kernels/layout_cuda.h"
#include "parity.h"

enum { BATCH = 5, CHANNELS = 9, BINS = 33, ROW = CHANNELS * BINS, POSITIONS = 17 };

/* 9 x 33 -> 64 x 17 -> 2, with two dense layers. */
static void make_net(struct maker *m)
{
    maker_input(m, "in", "N 9 33");
    maker_conv_relu(m, "in", "c1", CHANNELS, 64, "7", "strides=2, pads=3,3");
    maker_conv_relu(m, "c1.relu", "c2", 64, 64, "3", "pads=1,1");
    maker_node(m, "GlobalAveragePool", "c2.relu", "pool", "");
    maker_node(m, "Flatten", "pool", "flat", "axis=1");
    maker_dense(m, "flat", "fc1", 64, 12);
    maker_node(m, "Relu", "fc1", "fc1.relu", "");
    maker_dense(m, "fc1.relu", "logits", 12, 2);
    maker_output(m, "logits", "N 2");
}

static struct pair open_net(enum cuda_precision precision)
{
    struct maker m = {.seed = 3};
    struct setup s = {.precision = precision, .batch = BATCH, .engine_most = 1};
    make_net(&m);
    struct pair p = pair_open(&s, &m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    return p;
}

static void random_rows(float *x, int n, uint64_t seed)
{
    struct maker random = {.seed = seed};
    for (int i = 0; i < n * ROW; i++)
        x[i] = 2 * maker_random(&random);
}

static int64_t soon(void)
{
    return clock_mono_ns() + 20 * CLOCK_NS_PER_S;
}

/* ---- a front that packs the caller's own memory ---- */

struct test_front {
    const float *rows; /* where kernels see them */
    int n_call, fail_at;
    struct cuda_tensor last;
    int sizes[16];
};

static enum burst_err queue_rows(void *context, const struct cuda_tensor *to, int n, void *stream,
                                 struct burst_error *reterr)
{
    struct test_front *f = context;
    struct layout as = {to->size[0] * to->size[1], to->n_channel, to->n_padded, to->bf16};
    struct layout_pack_job job = {.as = as, .x = f->rows, .ret = to->at, .n_sample = n};
    f->last = *to;
    f->sizes[f->n_call++] = n;
    if (f->n_call == f->fail_at) return burst_fail(reterr, BURST_E_LATE, "the front's own error");
    return layout_pack_cuda(&job, stream) == 0 ? BURST_OK : burst_fail(reterr, BURST_E_DEVICE, "pack");
}

static void front_is_as_net_run(enum cuda_precision precision)
{
    struct pair p = open_net(precision);
    if (!p.cuda) return;
    struct burst_error error = {0};
    float *x = numbers(BATCH * ROW), want[BATCH * 2], got[BATCH * 2 + 1];
    struct test_front f = {0};
    struct cuda_front front = {queue_rows, &f};
    struct cuda_entry *entry = NULL;
    void *rows = NULL;
    CHECK_SAY(cuda_map(p.engine, x, BATCH * ROW * sizeof *x, &rows, &error) == BURST_OK, "%s", error.text);
    f.rows = rows;
    CHECK_SAY(cuda_entry_new(net_code(p.cuda), &front, -1, &entry, &error) == BURST_OK, "%s", error.text);
    if (entry) {
        CHECK_INT(f.n_call, 4); /* 1, 2, 4, and the batch */
        CHECK_INT(f.sizes[2], 4);
        CHECK_INT(f.sizes[3], BATCH);
        CHECK_INT(f.last.n_channel, CHANNELS);
        CHECK_INT(f.last.n_padded, 16);
        CHECK_INT(f.last.size[0], 1);
        CHECK_INT(f.last.size[1], BINS);
        CHECK_INT(f.last.bf16, precision == CUDA_BF16);
        CHECK(cuda_entry_rows(entry) == NULL);
    }
    for (int n = BATCH; entry && n > 0; n--) {
        random_rows(x, n, 100 + (uint64_t)n);
        got[2 * n] = 7;
        CHECK_SAY(cuda_entry_run(entry, n, got, NULL, soon(), &error) == BURST_OK, "%s", error.text);
        CHECK(got[2 * n] == 7);
        CHECK_INT(net_run(p.cuda, x, n, want, &error), BURST_OK);
        CHECK(memcmp(got, want, (size_t)n * 2 * sizeof *got) == 0);
    }
    CHECK_INT(f.n_call, entry ? 4 : 0); /* running queues nothing anew */
    cuda_entry_free(entry);
    cuda_unmap(p.engine, x);
    pair_close(&p);
    free(x);
}

TEST(another_front_gives_the_same_bits)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++)
        front_is_as_net_run((enum cuda_precision)precision);
}

TEST(an_entry_without_front_takes_pinned_rows)
{
    struct pair p = open_net(CUDA_FP32);
    struct cuda_entry *entry = NULL;
    struct burst_error error = {0};
    float x[2 * ROW], want[4], got[4];
    if (!p.cuda) return;
    CHECK_SAY(cuda_entry_new(net_code(p.cuda), NULL, -1, &entry, &error) == BURST_OK, "%s", error.text);
    random_rows(x, 2, 7);
    CHECK_INT(net_run(p.cuda, x, 2, want, &error), BURST_OK);
    random_rows(x, 2, 8);
    CHECK_INT(net_run(p.cuda, x, 2, got, &error), BURST_OK);
    random_rows(x, 2, 7);
    if (entry) {
        memcpy(cuda_entry_rows(entry), x, sizeof x);
        CHECK_SAY(cuda_entry_run(entry, 2, got, NULL, soon(), &error) == BURST_OK, "%s", error.text);
        CHECK(memcmp(got, want, sizeof got) == 0);
        CHECK_REFUSED(cuda_entry_run(entry, BATCH + 1, got, NULL, soon(), &error), BURST_E_SHAPE, error, "1 to 5");
        CHECK_REFUSED(cuda_entry_run(entry, 0, got, NULL, soon(), &error), BURST_E_SHAPE, error, "1 to 5");
    }
    cuda_entry_free(entry);
    cuda_entry_free(NULL);
    pair_close(&p);
}

/* ---- the Grad-CAM ---- */

/* cam.h's own answer over the feature map that the network has left. */
static void expected_cam(struct pair *p, int n, int index, float *ret)
{
    struct net_head h;
    struct burst_error error = {0};
    float feature[BATCH * 64 * POSITIONS];
    CHECK_INT(net_head(p->plain, &h, &error), BURST_OK);
    CHECK_INT(net_read(p->cuda, h.name, feature, sizeof feature / sizeof feature[0], NULL, &error), BURST_OK);
    struct head head = {.n_layer = h.n_layer};
    for (int i = 0; i < h.n_layer; i++)
        head.layer[i] =
            (struct head_layer){h.layer[i].n_in, h.layer[i].n_out, h.layer[i].weight, h.layer[i].bias, h.layer[i].relu};
    for (int i = 0; i < n; i++)
        cam_plane(&head, 64, POSITIONS, feature + i * 64 * POSITIONS, index, ret + i * POSITIONS);
}

TEST(the_grad_cam_comes_with_the_answers)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision += CUDA_BF16)
        for (int index = 0; index < 2; index++) {
            struct pair p = open_net((enum cuda_precision)precision);
            struct cuda_entry *entry = NULL;
            struct burst_error error = {0};
            float x[3 * ROW], got[6], want[6], cam[3 * POSITIONS], plane[3 * POSITIONS];
            if (!p.cuda) return;
            CHECK_SAY(cuda_entry_new(net_code(p.cuda), NULL, index, &entry, &error) == BURST_OK, "%s", error.text);
            if (entry) {
                random_rows(x, 3, 9);
                memcpy(cuda_entry_rows(entry), x, sizeof x);
                CHECK_SAY(cuda_entry_run(entry, 3, got, cam, soon(), &error) == BURST_OK, "%s", error.text);
                CHECK_INT(net_run(p.cuda, x, 3, want, &error), BURST_OK);
                CHECK(memcmp(got, want, sizeof got) == 0);
                expected_cam(&p, 3, index, plane);
                CHECK(memcmp(cam, plane, sizeof cam) == 0); /* equal to the last bit, says cam_cuda.h */
                float sum = 0;
                for (int i = 0; i < 3 * POSITIONS; i++)
                    sum += cam[i];
                CHECK(sum > 0);
                CHECK_SAY(cuda_entry_run(entry, 1, got, NULL, soon(), &error) == BURST_OK, "%s", error.text);
            }
            cuda_entry_free(entry);
            pair_close(&p);
        }
}

TEST(what_has_no_such_entry_says_so)
{
    struct pair p = open_net(CUDA_FP32);
    struct cuda_entry *entry = NULL;
    struct burst_error error = {0};
    if (!p.cuda) return;
    CHECK_REFUSED(cuda_entry_new(net_code(p.cuda), NULL, 2, &entry, &error), BURST_E_RANGE, error, "no class 2");
    struct test_front f = {.rows = NULL, .fail_at = 2};
    struct cuda_front front = {queue_rows, &f};
    CHECK_REFUSED(cuda_entry_new(net_code(p.cuda), &front, -1, &entry, &error), BURST_E_LATE, error, "front's own");
    CHECK(!cuda_is_dead(p.engine));
    CHECK(entry == NULL);
    (void)pair_run(&p, 2, 5); /* a capture that broke off does no harm */
    pair_close(&p);
}

TEST(networks_that_do_not_fit_have_no_front_and_no_cam)
{
    struct maker m = {.seed = 8};
    struct setup s = {.batch = 2};
    struct cuda_entry *entry = NULL;
    struct burst_error error = {0};
    struct test_front f = {0};
    struct cuda_front front = {queue_rows, &f};
    maker_input(&m, "in", "N 12");
    maker_dense(&m, "in", "out", 12, 3);
    maker_output(&m, "out", "N 3");
    struct pair p = pair_check(&s, &m);
    if (p.cuda) {
        CHECK_REFUSED(cuda_entry_new(net_code(p.cuda), &front, -1, &entry, &error), BURST_E_UNSUPPORTED, error,
                      "no image or sequence");
        CHECK_REFUSED(cuda_entry_new(net_code(p.cuda), NULL, 0, &entry, &error), BURST_E_UNSUPPORTED, error,
                      "no Grad-CAM");
    }
    pair_close(&p);
    maker_input(&m, "a", "N 4 8");
    maker_input(&m, "b", "N 4 8");
    maker_node(&m, "Add", "a b", "out", "");
    maker_output(&m, "out", "N 4 8");
    p = pair_open(&s, &m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    if (p.cuda)
        CHECK_REFUSED(cuda_entry_new(net_code(p.cuda), NULL, -1, &entry, &error), BURST_E_UNSUPPORTED, error,
                      "not 2 and 1");
    pair_close(&p);
    CHECK_INT(f.n_call, 0);
}

/* ---- engines ---- */

TEST(an_engine_knows_its_device)
{
    struct setup s = {.precision = CUDA_TF32};
    struct cuda_engine *engine = engine_open(&s);
    struct cuda_device_facts f = {0};
    if (!engine) return;
    cuda_describe(engine, &f);
    CHECK(f.name[0] && f.sm >= 80 && f.driver > 0 && f.runtime > 0 && f.cudnn >= 90000);
    CHECK(f.n_multiprocessor > 0 && f.memory_bytes > 0);
    CHECK_INT(f.precision, CUDA_TF32);
    CHECK(cuda_stream(engine) != NULL);
    CHECK(!cuda_is_dead(engine));
    cuda_close(engine);
    cuda_close(NULL);
}

TEST(precisions_have_names)
{
    struct burst_error error = {0};
    enum cuda_precision p = CUDA_FP32;
    CHECK_INT(cuda_precision_parse("bf16", &p, &error), BURST_OK);
    CHECK_INT(p, CUDA_BF16);
    CHECK_STR(cuda_precision_name(CUDA_TF32), "tf32");
    CHECK_REFUSED(cuda_precision_parse("fp16", &p, &error), BURST_E_RANGE, error, "fp32, tf32, bf16");
    CHECK_INT(p, CUDA_BF16);
}

int main(void)
{
    if (no_device("cuda_entry")) return 0;
    RUN(another_front_gives_the_same_bits);
    RUN(an_entry_without_front_takes_pinned_rows);
    RUN(the_grad_cam_comes_with_the_answers);
    RUN(what_has_no_such_entry_says_so);
    RUN(networks_that_do_not_fit_have_no_front_and_no_cam);
    RUN(an_engine_knows_its_device);
    RUN(precisions_have_names);
    return check_report();
}
