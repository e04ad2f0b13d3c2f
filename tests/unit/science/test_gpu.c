/* Where the GPU's worker is looked for, and who starts it. */
#include "check.h"
#include "science/gpu.h"
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct burst_config config;
static struct gpu_settings gpu;

static enum burst_err settings(struct burst_error *reterr)
{
    return gpu_settings_of(&config, &gpu, reterr);
}

/* By hand, with every key at its default. */
static void begin(void)
{
    config_defaults(&config);
    (void)unsetenv("INVOCATION_ID");
    (void)unsetenv("NOTIFY_SOCKET");
    (void)setenv("BURST_DATADIR", "/data", 1);
}

TEST(auto_and_cuda_want_a_gpu)
{
    begin();
    CHECK(gpu_wanted(&config));
    config.models_backend = CONFIG_BACKEND_CUDA;
    CHECK(gpu_wanted(&config));
    config.models_backend = CONFIG_BACKEND_CPU;
    CHECK(!gpu_wanted(&config));
    config.models_backend = CONFIG_BACKEND_PLAIN;
    CHECK(!gpu_wanted(&config));
}

TEST(keys_become_settings)
{
    begin();
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK_INT(gpu.device.precision, WORKER_FP32);
    CHECK_INT(gpu.device.deadline_ns, 50000000);
    CHECK_INT(gpu.device.background_ns, 1000000000);
    CHECK_INT(gpu.device.canary_ns, 5000000000);
    CHECK(!gpu.device.spin && gpu.device.core == -1 && !gpu.device.socket && !gpu.device.cache);
    config.gpu_precision = CONFIG_PRECISION_BF16;
    config.gpu_canary_s = 0;
    config.gpu_spin = CONFIG_SPIN_ON;
    config.gpu_core = 3;
    (void)snprintf(config.gpu_socket, sizeof config.gpu_socket, "run/sock");
    (void)snprintf(config.gpu_program, sizeof config.gpu_program, "/opt/burst-cuda");
    (void)snprintf(config.gpu_cache, sizeof config.gpu_cache, "/var/cache/x");
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK_INT(gpu.device.precision, WORKER_BF16);
    CHECK_INT(gpu.device.canary_ns, 0);
    CHECK(gpu.device.spin && gpu.device.core == 3);
    CHECK_STR(gpu.device.socket, "/data/run/sock"); /* relative: in the data folder */
    CHECK_STR(gpu.device.program, "/opt/burst-cuda");
    CHECK_STR(gpu.device.cache, "/var/cache/x");
}

static const char *const FOLDER[] = {"CACHE_DIRECTORY", "STATE_DIRECTORY", "XDG_CACHE_HOME", "HOME"};

TEST(engines_are_remembered_where_no_key_says_so)
{
    static const char *const want[] = {"/var/cache/burstd/burst-cuda", "/var/lib/burstd/burst-cuda",
                                       "/home/a/xdg/burst-cuda", "/home/a/.cache/burst-cuda"};
    begin();
    (void)snprintf(config.gpu_program, sizeof config.gpu_program, "/opt/burst-cuda");
    CHECK_INT(setenv(FOLDER[0], "/var/cache/burstd:/var/cache/other", 1), 0);
    CHECK_INT(setenv(FOLDER[1], "/var/lib/burstd", 1), 0);
    CHECK_INT(setenv(FOLDER[2], "/home/a/xdg", 1), 0);
    CHECK_INT(setenv(FOLDER[3], "/home/a", 1), 0);
    for (int i = 0; i < 4; i++) { /* the first that there is */
        CHECK_INT(settings(NULL), BURST_OK);
        CHECK_STR(gpu.device.cache ? gpu.device.cache : "", want[i]);
        CHECK_INT(setenv(FOLDER[i], "not/absolute", 1), 0);
    }
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK(!gpu.device.cache);
}

TEST(a_service_manager_or_the_word_none_starts_nothing)
{
    begin();
    (void)snprintf(config.gpu_program, sizeof config.gpu_program, "/opt/burst-cuda");
    CHECK_INT(setenv("INVOCATION_ID", "x", 1), 0); /* terminals and CI runners hand it on */
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK_STR(gpu.device.program ? gpu.device.program : "", "/opt/burst-cuda");
    CHECK_INT(setenv("NOTIFY_SOCKET", "x", 1), 0);
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK(!gpu.device.program && !gpu.device.cache && !gpu.device.socket);
    begin();
    (void)snprintf(config.gpu_program, sizeof config.gpu_program, "none");
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK(!gpu.device.program);
}

TEST(burst_cuda_beside_the_program_is_found)
{
    char path[PATH_MAX];
    begin();
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    while (n > 0 && path[n - 1] != '/')
        n--;
    (void)snprintf(path + n, 16, "burst-cuda");
    if (access(WORKER_SOCKET, F_OK) == 0) SKIP("a worker is kept on this machine");
    if (access(path, F_OK) == 0) SKIP("a burst-cuda lies beside the tests");
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK(!gpu.device.program);
    FILE *file = fopen(path, "w");
    CHECK(file && fclose(file) == 0 && chmod(path, 0755) == 0);
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK_STR(gpu.device.program ? gpu.device.program : "", path);
    CHECK(!gpu.device.socket);                     /* a private one */
    CHECK_INT(setenv("INVOCATION_ID", "x", 1), 0); /* a terminal of a desktop */
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK_STR(gpu.device.program ? gpu.device.program : "", path);
    CHECK_INT(setenv("NOTIFY_SOCKET", "x", 1), 0);
    CHECK_INT(settings(NULL), BURST_OK);
    CHECK(!gpu.device.program && !gpu.device.cache); /* it keeps burst-cuda itself */
    begin();
    CHECK_INT(chmod(path, 0644), 0);
    CHECK_INT(settings(NULL), BURST_OK);
    if (geteuid() != 0) CHECK(!gpu.device.program); /* no program */
    (void)unlink(path);
}

TEST(a_path_that_is_too_long_is_refused)
{
    char folder[GPU_PATH_TEXT + 1];
    struct burst_error e;
    begin();
    memset(folder, 'x', sizeof folder);
    folder[0] = '/';
    folder[sizeof folder - 1] = 0;
    (void)setenv("BURST_DATADIR", folder, 1);
    (void)snprintf(config.gpu_socket, sizeof config.gpu_socket, "sock");
    CHECK_INT(settings(&e), BURST_E_LIMIT);
}

int main(void)
{
    RUN(auto_and_cuda_want_a_gpu);
    RUN(keys_become_settings);
    RUN(engines_are_remembered_where_no_key_says_so);
    RUN(a_service_manager_or_the_word_none_starts_nothing);
    RUN(burst_cuda_beside_the_program_is_found);
    RUN(a_path_that_is_too_long_is_refused);
    return check_report();
}
