/* burst-cuda --selftest, --tune and its other words on a command line: what they print, and the exit status that scripts rely on. */
#include "worker_scene.h"
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/burst-selftest-XXXXXX", output[16384];

/* Run it with these arguments; returns the exit status, what it printed is in `output`. */
static int run(const char *environment, const char *arguments)
{
    char command[5000];
    (void)snprintf(command, sizeof command, "%s %s %s 2>&1", environment, program, arguments);
    FILE *f = popen(command, "r");
    if (!f) return -1;
    size_t n = fread(output, 1, sizeof output - 1, f);
    output[n] = 0;
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int count(const char *what)
{
    int n = 0;
    for (const char *at = output; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void write_file(const char *name, const void *bytes, size_t n)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

/* A tensor as ONNX's test_data_set_N holds it. */
static void write_tensor(const char *name, const char *dims, const float *x, size_t n)
{
    struct wire t = {0};
    for (const char *p = dims; *p; p += strcspn(p, " "), p += *p == ' ')
        wire_int(&t, 1, strtol(p, NULL, 10));
    wire_int(&t, 2, 1); /* FLOAT */
    wire_bytes(&t, 9, x, n * sizeof *x);
    write_file(name, t.bytes, t.n);
    free(t.bytes);
}

/* A model with one golden answer, moved by `off`. */
static void make_model(float off)
{
    static float x[BANDS * BINS];
    float y[OUT];
    char path[200];
    for (int i = 0; i < BANDS * BINS; i++)
        x[i] = (float)(i * 7919 % 1000) / 250 - 2;
    CHECK_INT(net_run(curve_own.plain, x, 1, y, &e), BURST_OK);
    y[1] += off;
    (void)snprintf(path, sizeof path, "%s/test_data_set_0", folder);
    (void)mkdir(path, 0700); /* it is there the second time */
    write_file("model.onnx", curve_own.bytes, curve_own.n);
    write_tensor("test_data_set_0/input_0.pb", "1 3 1875", x, BANDS * BINS);
    write_tensor("test_data_set_0/output_0.pb", "1 2", y, OUT);
}

static char *with(const char *options)
{
    static char text[300];
    (void)snprintf(text, sizeof text, "--selftest %s %s", options, folder);
    return text;
}

TEST(a_card_that_answers_right_is_all_right)
{
    make_model(0);
    CHECK_INT(run("", with("--most 2")), 0);
    CHECK_SAY(count("  right\n") == 3 && count("\nall right\n") == 1 && count("fp32") == 1 && count("bf16") == 1, "%s",
              output);
    CHECK(strstr(output, "compute capability") && strstr(output, "cuDNN 9."));
    if (CHECK_SANITIZED) return;
    CHECK_INT(run("", with("")), 0);
    CHECK_SAY(count(" - ") == 0, "%s", output); /* every batch was timed */
}

TEST(a_golden_answer_that_is_not_reached_is_told_by_1)
{
    make_model(0.001F); /* too much for fp32, about what the others may be off by */
    CHECK_INT(run("", with("--most 1")), 1);
    CHECK_SAY(count("WRONG") >= 1 && count("do not use this device") == 1, "%s", output);
    make_model(1);
    CHECK_INT(run("", with("--most 1")), 1);
    CHECK_SAY(count("WRONG: ") == 3, "%s", output);
}

TEST(no_device_is_told_by_69_and_a_failing_one_by_70)
{
    make_model(0);
    CHECK_INT(run("BURST_STANDIN_NO_DEVICE=1", with("--most 1")), 69);
    CHECK_INT(run("BURST_STANDIN_NO_DEVICE=1", "--socket /tmp/burst-nobody"), 69);
    CHECK_INT(run("BURST_STANDIN_FAIL=cudaGraphLaunch:1", with("--most 1")), 70);
    CHECK_SAY(strstr(output, "cudaGraphLaunch") != NULL, "%s", output);
}

TEST(no_answer_is_not_called_a_wrong_one)
{
    make_model(0);
    CHECK_INT(run("BURST_STANDIN_FAIL=hang:kernel:head_answer_kernel:5", with("--most 1 --patience 1")), 70);
    CHECK_SAY(count("NO ANSWER within 1 s\n") == 1 && count("no answer within 1 s") == 1 && count("WRONG") == 0, "%s",
              output);
}

TEST(models_that_are_none_are_told_by_3_and_4)
{
    make_model(0);
    write_file("model.onnx", "hello", 5);
    CHECK_INT(run("", with("--most 1")), 3);
    CHECK_INT(run("", "--selftest /nowhere"), 4);
    CHECK_SAY(strstr(output, "/nowhere") != NULL, "%s", output);
}

/* The choices in `folder` for one precision: how many, and their text after the two lines of the head. Removes the file. */
static int take_choices(const char *precision, char *ret_text, size_t room)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/cudnn-91900-%s-stand-in-device.txt", folder, precision);
    FILE *f = fopen(path, "rb");
    if (!f) return -1;
    size_t n = fread(ret_text, 1, room - 1, f);
    ret_text[n] = 0;
    (void)fclose(f); /* was only read */
    (void)remove(path);
    int lines = 0;
    for (const char *at = ret_text; (at = strchr(at, '\n')); at++)
        lines++;
    return lines - 2;
}

TEST(what_is_fastest_is_kept_for_every_precision_and_size)
{
    static char text[16384];
    make_model(0);
    char words[300];
    (void)snprintf(words, sizeof words, "--tune --cache %s --most 2 %s", folder, folder);
    const char before[] = "burst choices 1\ncudnn 91900, fp32, stand-in device\nanother:shape 7 0 11.3\n";
    write_file("cudnn-91900-fp32-stand-in-device.txt", before, sizeof before - 1);
    CHECK_INT(run("", words), 0);
    CHECK_SAY(count(" s\n") == 3 && count("fp32") == 1 && count("REFUSED") == 0 && count("\r") == 0, "%s", output);
    /* one convolution, batches of 1 and 2 */
    CHECK_INT(take_choices("fp32", text, sizeof text), 3);
    CHECK_SAY(strstr(text, "another:shape 7 0 11.3\n") != NULL, "%s", text);
    CHECK_INT(take_choices("tf32", text, sizeof text), 2);
    CHECK_INT(take_choices("bf16", text, sizeof text), 2);
}

TEST(a_tuning_that_cannot_be_kept_is_told)
{
    char words[300];
    make_model(0);
    CHECK_INT(run("CACHE_DIRECTORY=", "--tune --cache /nowhere/at/all"), 4);
    CHECK_SAY(strstr(output, "/nowhere/at/all") != NULL, "%s", output);
    CHECK_INT(run("env -u CACHE_DIRECTORY", "--tune"), 2);
    CHECK_INT(run("", "--tune --selftest --cache /tmp"), 2);
    (void)snprintf(words, sizeof words, "--tune --cache %s %s", folder, folder);
    CHECK_INT(run("BURST_STANDIN_NO_DEVICE=1", words), 69);
}

TEST(what_is_no_option_is_told_by_2)
{
    CHECK_INT(run("", "--nonsense"), 2);
    CHECK_INT(run("", "--device x"), 2);
    CHECK_INT(run("", "--selftest --most 257"), 2);
    CHECK_INT(run("", "model"), 2);
    CHECK_INT(run("",
                  "--socket "
                  "/tmp/a-path-that-no-socket-can-have-since-it-has-more-than-one-hundred-and-seven-characters-in-it/"
                  "and-then-some"),
              4);
    CHECK_INT(run("", "--socket /nowhere/at/all"), 4);
    CHECK_INT(run("", "--version"), 0);
    CHECK(strncmp(output, "burst-cuda ", 11) == 0);
    CHECK_INT(run("", "--help"), 0);
    CHECK(strstr(output, "--selftest") != NULL);
}

int main(void)
{
    if (!find_program()) {
        printf("skip worker_selftest: %s was not built\n", program);
        return 0;
    }
    if (on_a_card()) {
        printf("skip worker_selftest: it makes the stand-in device fail\n");
        return 0;
    }
    if (!mkdtemp(folder)) return 1;
    scene_open();
    RUN(a_card_that_answers_right_is_all_right);
    RUN(a_golden_answer_that_is_not_reached_is_told_by_1);
    RUN(no_device_is_told_by_69_and_a_failing_one_by_70);
    RUN(no_answer_is_not_called_a_wrong_one);
    RUN(models_that_are_none_are_told_by_3_and_4);
    RUN(what_is_fastest_is_kept_for_every_precision_and_size);
    RUN(a_tuning_that_cannot_be_kept_is_told);
    RUN(what_is_no_option_is_told_by_2);
    scene_close();
    static const char *const LEFT[5] = {"model.onnx", "test_data_set_0/input_0.pb", "test_data_set_0/output_0.pb",
                                        "test_data_set_0", ""};
    for (int i = 0; i < 5; i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s/%s", folder, LEFT[i]);
        (void)remove(path);
    }
    return check_report();
}
