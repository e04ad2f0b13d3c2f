/* Which of cuDNN's engines runs a convolution: timed once, kept in a file, checked each time; and what a file that is damaged or
 * old does. The stand-in's engines 0 and 31 both do a fused convolution of floats, 6 and 0 one alone. */
#include "base/bytes.h"
#include "net/choices.h"
#include "tests/standin/standin.h"
#include "unit/cuda/parity.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/burst-engines-XXXXXX";

static void make_net(struct maker *m)
{
    maker_input(m, "in", "N 9 40");
    maker_conv_relu(m, "in", "a", 9, 32, "5", "pads=2,2");
    maker_conv_relu(m, "a.relu", "b", 32, 32, "3", "pads=1,1");
    maker_conv_relu(m, "b.relu", "c", 32, 32, "3", "pads=1,1"); /* the shape of b */
    maker_output(m, "c.relu", "N 32 40");
}

/* Open, run, and compare; the caller closes. */
static struct pair open_net(enum cuda_precision precision, const char *cache_folder)
{
    struct maker m = {.seed = 5};
    struct setup s = {.precision = precision, .batch = 2, .engine_most = 8, .cache_folder = cache_folder};
    make_net(&m);
    struct pair p = pair_open(&s, &m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    if (p.cuda) (void)pair_run(&p, 2, 1); /* it has checked */
    return p;
}

static void open_and_close(enum cuda_precision precision)
{
    struct pair p = open_net(precision, folder);
    pair_close(&p);
}

/* The one file in the folder; false: there is none, or another. */
static bool find_file(char ret_path[512])
{
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        (void)snprintf(ret_path, 512, "%s/%.255s", folder, e->d_name);
        n++;
    }
    if (d) (void)closedir(d);
    return n == 1;
}

static struct choices read_file(void)
{
    char path[512] = "";
    struct choices c;
    struct burst_error error = {0};
    uint8_t *bytes;
    size_t n;
    choices_init(&c, "");
    CHECK(find_file(path));
    if (bytes_read_file(path, 1 << 20, &bytes, &n, &error) != BURST_OK) return c;
    const char *second = strchr((char *)bytes, '\n'), *end = second ? strchr(second + 1, '\n') : NULL;
    CHECK(second && end);
    if (end) (void)snprintf(c.title, sizeof c.title, "%.*s", (int)(end - second - 1), second + 1);
    CHECK_SAY(choices_parse(&c, bytes, n, &error) == BURST_OK, "%s", error.text);
    free(bytes);
    return c;
}

static void write_file(const struct choices *c)
{
    char path[512];
    struct burst_error error = {0};
    CHECK(find_file(path));
    CHECK_SAY(choices_write(c, path, &error) == BURST_OK, "%s", error.text);
}

static void write_text(const char *text)
{
    char path[512];
    CHECK(find_file(path));
    CHECK_INT(bytes_write_file(path, (const uint8_t *)text, strlen(text), NULL), BURST_OK);
}

static void forget(void)
{
    char path[512];
    if (find_file(path)) (void)unlink(path);
}

/* ---- */

TEST(each_shape_is_timed_once_and_kept)
{
    open_and_close(CUDA_TF32);
    struct choices c = read_file();
    CHECK_INT(c.n, 2 * 2); /* two shapes, batches of 1 and 2 */
    CHECK(strstr(c.title, "tf32") && strstr(c.title, "cudnn 9"));
    for (int i = 0; i < c.n; i++)
        CHECK(c.item[i].us > 0);
    standin_fail(NULL);
    open_and_close(CUDA_TF32);
    /* Three convolutions: checked and captured alone for each size, run once before all captures, and captured for each size. */
    CHECK_INT(standin_calls("cudnnBackendExecute"), 2 * 3 * 2 + 3 + 3 * 2);
    choices_fini(&c);
    forget();
}

static void expect_engine(const char *name)
{
    struct pair p = open_net(CUDA_TF32, folder);
    if (p.cuda) CHECK_SAY(operations(p.cuda, name) == 3, "%d times %s", operations(p.cuda, name), name);
    pair_close(&p);
}

TEST(the_file_decides_while_it_fits)
{
    static const int64_t ENGINES[] = {0, 31, 0};
    open_and_close(CUDA_TF32);
    for (size_t k = 0; k < sizeof ENGINES / sizeof ENGINES[0]; k++) {
        struct choices c = read_file();
        for (int i = 0; i < c.n; i++) {
            c.item[i].engine = ENGINES[k];
            c.item[i].n_knob = 0;
        }
        write_file(&c);
        choices_fini(&c);
        char name[64];
        (void)snprintf(name, sizeof name, "cudnn:engine %lld", (long long)ENGINES[k]);
        expect_engine(name);
        c = read_file();
        CHECK(c.n == 4 && c.item[0].n_knob == 0); /* it was left as it is */
        choices_fini(&c);
    }
    forget();
}

TEST(a_line_that_fits_no_more_is_timed_anew)
{
    open_and_close(CUDA_TF32);
    struct choices c = read_file();
    CHECK_INT(c.n, 4);
    if (c.n == 4) {
        c.item[0].engine = 12345; /* no such engine */
        c.item[1].n_knob = 1;     /* no such knob */
        c.item[1].knob[0] = (struct choice_knob){60, 1};
        c.item[2].form = 77;   /* no such form */
        c.item[3].engine = 22; /* it halves what it multiplies, which this precision forbids */
        write_file(&c);
    }
    choices_fini(&c);
    open_and_close(CUDA_TF32);
    c = read_file();
    CHECK_INT(c.n, 4);
    for (int i = 0; i < c.n; i++)
        CHECK_SAY((c.item[i].engine == 0 || c.item[i].engine == 31) && c.item[i].form < 3, "%s is engine %lld",
                  c.item[i].shape, (long long)c.item[i].engine);
    choices_fini(&c);
    forget();
}

TEST(a_damaged_file_is_written_anew)
{
    static const char *const BAD[] = {"", "rubbish", "burst choices 1\nanother device\na 1 0 2\n", "burst choices 1\n",
                                      "\x01\x02\x03"};
    open_and_close(CUDA_BF16);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        write_text(BAD[i]);
        open_and_close(CUDA_BF16);
        struct choices c = read_file();
        CHECK_INT(c.n, 4);
        choices_fini(&c);
    }
    forget();
}

TEST(each_precision_has_its_own_file)
{
    char path[512];
    open_and_close(CUDA_TF32);
    CHECK(find_file(path));
    open_and_close(CUDA_BF16);
    char other[512];
    CHECK(!find_file(other)); /* there are two */
    (void)unlink(path);
    CHECK(find_file(other) && strstr(other, "bf16"));
    (void)unlink(other);
}

TEST(a_file_that_cannot_be_written_is_said_and_no_more)
{
    struct pair p = open_net(CUDA_FP32, "/no/such/folder");
    if (p.cuda) {
        const char *remark = cuda_remark(net_code(p.cuda), 0);
        CHECK_SAY(remark && strstr(remark, "not kept"), "%s", remark ? remark : "no remark");
        CHECK(cuda_remark(net_code(p.cuda), 1) == NULL);
        CHECK(cuda_remark(net_code(p.cuda), -1) == NULL);
    }
    pair_close(&p);
}

/* ---- our own kernel beside cuDNN's ---- */

static void with_engines(const char *words, enum cuda_precision precision, bool tune, const char *name, int n_named)
{
    struct maker m = {.seed = 6};
    struct setup s = {.precision = precision, .batch = 2, .tune = tune};
    maker_input(&m, "in", "N 9 40");
    maker_conv_relu(&m, "in", "a", 9, 32, "5", "strides=2, pads=2,2");
    maker_conv_relu(&m, "a.relu", "b", 32, 24, "3", "pads=1,1");
    (void)maker_conv(&m, "b.relu", "c", 24, 32, "1", "");
    maker_node(&m, "Add", "c a.relu", "out", "");
    maker_output(&m, "out", "N 32 20");
    CHECK_INT(setenv("BURST_STANDIN_ENGINES", words, 1), 0);
    struct pair p = pair_check(&s, &m);
    if (p.cuda && name) CHECK_SAY(operations(p.cuda, name) == n_named, "%d of %s", operations(p.cuda, name), name);
    pair_close(&p);
    CHECK_INT(unsetenv("BURST_STANDIN_ENGINES"), 0);
}

TEST(where_cudnn_has_nothing_our_own_kernel_runs)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        with_engines("none", (enum cuda_precision)precision, false, "burst:conv1d", 3);
        with_engines("all_refuse", (enum cuda_precision)precision, false, "burst:conv1d", 3);
        with_engines("", (enum cuda_precision)precision, false, "cudnn:engine", 3);
    }
}

TEST(where_nobody_has_anything_the_step_is_named)
{
    struct maker m = {.seed = 7};
    struct setup s = {.batch = 2};
    maker_input(&m, "in", "N 4 9 9");
    (void)maker_conv(&m, "in", "picture", 4, 8, "3 3", "");
    maker_output(&m, "picture", "N 8 7 7");
    CHECK_INT(setenv("BURST_STANDIN_ENGINES", "none", 1), 0);
    struct pair p = pair_open(&s, &m);
    CHECK_INT(unsetenv("BURST_STANDIN_ENGINES"), 0);
    CHECK(p.cuda == NULL);
    CHECK_INT(p.error.code, BURST_E_UNSUPPORTED);
    CHECK_SAY(strstr(p.error.text, "'picture' (Conv): no engine"), "%s", p.error.text);
    pair_close(&p);
}

/* The stand-in's engines with tensor cores answer wrongly; engine 0 has none. */
TEST(an_engine_that_is_wrong_is_named_and_not_used)
{
    CHECK_INT(setenv("BURST_STANDIN_ENGINES", "cores_wrong", 1), 0);
    struct pair p = open_net(CUDA_TF32, NULL);
    if (p.cuda) {
        CHECK_INT(operations(p.cuda, "cudnn:engine 0"), 3);
        const char *remark = cuda_remark(net_code(p.cuda), 0);
        CHECK_SAY(remark && strstr(remark, "a: cuDNN engine 31 gives") && strstr(remark, "not used"), "%s",
                  remark ? remark : "no remark");
    }
    pair_close(&p);
    CHECK_INT(unsetenv("BURST_STANDIN_ENGINES"), 0);
}

/* A choice of an earlier day whose engine has become wrong, too. */
TEST(a_choice_that_is_wrong_is_timed_anew)
{
    open_and_close(CUDA_TF32);
    struct choices c = read_file();
    for (int i = 0; i < c.n; i++) {
        c.item[i].engine = 31;
        c.item[i].n_knob = 0;
    }
    write_file(&c);
    choices_fini(&c);
    expect_engine("cudnn:engine 31");
    CHECK_INT(setenv("BURST_STANDIN_ENGINES", "cores_wrong", 1), 0);
    expect_engine("cudnn:engine 0");
    CHECK_INT(unsetenv("BURST_STANDIN_ENGINES"), 0);
    forget();
}

/* It ends the process; the next one must not end by it again. */
TEST(an_engine_that_broke_the_device_is_not_tried_again)
{
    struct maker m = {.seed = 5};
    struct setup s = {.precision = CUDA_TF32, .batch = 2, .engine_most = 8, .cache_folder = folder};
    make_net(&m);
    standin_fail("cudnnBackendExecute:1=CUDNN_STATUS_EXECUTION_FAILED");
    struct pair p = pair_open(&s, &m);
    CHECK(p.cuda == NULL);
    CHECK_INT(p.error.code, BURST_E_DEVICE);
    pair_close(&p);
    standin_fail(NULL);
    standin_heal();
    struct choices c = read_file();
    CHECK_INT(c.n, 1);
    CHECK_SAY(c.n == 1 && strncmp(c.item[0].shape, "bad:", 4) == 0, "%s", c.n ? c.item[0].shape : "nothing");
    choices_fini(&c);
    p = open_net(CUDA_TF32, folder);
    const char *remark = p.cuda ? cuda_remark(net_code(p.cuda), 0) : NULL;
    CHECK_SAY(remark && strstr(remark, "broke the device before"), "%s", remark ? remark : "no remark");
    pair_close(&p);
    forget();
}

TEST(tuning_times_everything)
{
    for (int precision = 0; precision < CUDA_PRECISION_N; precision++) {
        standin_fail(NULL);
        with_engines("", (enum cuda_precision)precision, false, NULL, 0);
        CHECK_INT(standin_calls("kernel:conv1d"), 0);
        with_engines("", (enum cuda_precision)precision, true, NULL, 0);
        CHECK(standin_calls("kernel:conv1d") >= 3 * 2); /* three convolutions, two sizes of batch */
        with_engines("none", (enum cuda_precision)precision, true, "burst:conv1d", 3);
    }
}

TEST(tuning_forgets_what_was_chosen)
{
    open_and_close(CUDA_TF32);
    struct choices c = read_file();
    for (int i = 0; i < c.n; i++)
        c.item[i].us = 98765432;
    write_file(&c);
    choices_fini(&c);
    struct maker m = {.seed = 5};
    struct setup s = {.precision = CUDA_TF32, .batch = 2, .cache_folder = folder, .tune = true};
    make_net(&m);
    pair_check_close(&s, &m);
    c = read_file();
    CHECK_INT(c.n, 4);
    for (int i = 0; i < c.n; i++)
        CHECK(c.item[i].us < 90000000);
    choices_fini(&c);
    forget();
}

int main(void)
{
    if (!mkdtemp(folder)) return 125;
    RUN(each_shape_is_timed_once_and_kept);
    RUN(the_file_decides_while_it_fits);
    RUN(a_line_that_fits_no_more_is_timed_anew);
    RUN(a_damaged_file_is_written_anew);
    RUN(each_precision_has_its_own_file);
    RUN(a_file_that_cannot_be_written_is_said_and_no_more);
    RUN(where_cudnn_has_nothing_our_own_kernel_runs);
    RUN(where_nobody_has_anything_the_step_is_named);
    RUN(an_engine_that_is_wrong_is_named_and_not_used);
    RUN(a_choice_that_is_wrong_is_timed_anew);
    RUN(an_engine_that_broke_the_device_is_not_tried_again);
    RUN(tuning_times_everything);
    RUN(tuning_forgets_what_was_chosen);
    (void)rmdir(folder);
    return check_report();
}
