/* Golden vectors beside a model: right, wrong, misshapen, absent. */
#include "base/bytes.h"
#include "check.h"
#include "net/net.h"
#include "net/tensor_file.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOLDEN BURST_SOURCE_DIR "/tests/golden/net/"

static struct burst_error error;
static char folder[64];
static struct net *net;
static struct net_tensor input, output;

/* A model folder of our own in /tmp with the image network's golden vectors, to be spoiled. */
static void begin(void)
{
    struct net_settings settings = {.backend = NET_BACKEND_PLAIN};
    char path[128];
    (void)snprintf(folder, sizeof folder, "/tmp/burst-check-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/test_data_set_0", folder);
    CHECK(mkdir(path, 0700) == 0);
    CHECK_INT(net_open(GOLDEN "image", &settings, &net, &error), BURST_OK);
    CHECK_INT(tensor_read(GOLDEN "image/test_data_set_0/input_0.pb", &input, &error), BURST_OK);
    CHECK_INT(tensor_read(GOLDEN "image/test_data_set_0/output_0.pb", &output, &error), BURST_OK);
}

static void put(const char *name, const struct net_tensor *t)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/test_data_set_0/%s", folder, name);
    CHECK_INT(tensor_write(path, t, &error), BURST_OK);
}

static void end(void)
{
    static const char *const names[] = {"/test_data_set_0/input_0.pb", "/test_data_set_0/output_0.pb",
                                        "/test_data_set_0", ""};
    char path[128];
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s%s", folder, names[i]);
        (void)remove(path); /* some were never made */
    }
    tensor_fini(&input);
    tensor_fini(&output);
    net_close(net);
    net = NULL;
}

static void check_refused(enum burst_err code, const char *words)
{
    int n_set = -1;
    double worst = -1;
    CHECK_REFUSED(net_check(net, folder, 1e-4, &n_set, &worst, &error), code, error, words);
    CHECK(code == BURST_E_MODEL ? n_set == 1 && worst > 1e-4 : n_set == -1 && worst == -1);
}

TEST(right_answers_pass_and_the_error_is_told)
{
    int n_set = 0;
    double worst = -1;
    begin();
    put("input_0.pb", &input);
    put("output_0.pb", &output);
    CHECK_INT(net_check(net, folder, 1e-4, &n_set, &worst, &error), BURST_OK);
    CHECK_INT(n_set, 1);
    CHECK(worst >= 0 && worst < 1e-5);
    end();
}

TEST(a_wrong_answer_is_shown)
{
    begin();
    put("input_0.pb", &input);
    ((float *)output.f32)[1] += 0.001F;
    put("output_0.pb", &output);
    check_refused(BURST_E_MODEL, "test_data_set_0: output 0, element 1 is");
    ((float *)output.f32)[1] = NAN;
    put("output_0.pb", &output);
    int n_set = 0;
    double worst = 0;
    CHECK_REFUSED(net_check(net, folder, 1e-4, &n_set, &worst, &error), BURST_E_MODEL, error, "golden nan");
    CHECK(isnan(worst));
    end();
}

TEST(misshapen_vectors_are_refused)
{
    begin();
    put("output_0.pb", &output);
    input.dims.dim[1] = 1;
    put("input_0.pb", &input);
    check_refused(BURST_E_SHAPE, "input_0.pb: FLOAT [N, 2, 12, 12] is needed");
    input.dims.dim[1] = 2;
    input.dims.dim[0] = 1;
    put("input_0.pb", &input);
    check_refused(BURST_E_SHAPE,
                  "output_0.pb: FLOAT [N, 1] is needed, for as many samples as the others; it is [2, 1]");
    input.dims.dim[0] = 0;
    put("input_0.pb", &input);
    check_refused(BURST_E_SHAPE, "input_0.pb");
    end();
}

TEST(absent_vectors_are_refused)
{
    begin();
    check_refused(BURST_E_IO, "input_0.pb");
    char path[128];
    (void)snprintf(path, sizeof path, "%s/test_data_set_0", folder);
    CHECK(rmdir(path) == 0);
    check_refused(BURST_E_MISSING, "no folder test_data_set_0");
    end();
}

int main(void)
{
    RUN(right_answers_pass_and_the_error_is_told);
    RUN(a_wrong_answer_is_shown);
    RUN(misshapen_vectors_are_refused);
    RUN(absent_vectors_are_refused);
    return check_report();
}
