/* From keys to a worker's whereabouts. */
#include "science/gpu.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)

bool gpu_wanted(const struct burst_config *config)
{
    return config->models_backend == CONFIG_BACKEND_AUTO || config->models_backend == CONFIG_BACKEND_CUDA;
}

/* "" stays "". */
static enum burst_err path_of(const char *configured, char ret[GPU_PATH_TEXT], struct burst_error *reterr)
{
    ret[0] = 0;
    return configured[0] ? config_data_path(configured, ret, GPU_PATH_TEXT, reterr) : BURST_OK;
}

/* burst-cuda beside the running program; "" where there is none. */
static void program_beside(char ret[GPU_PATH_TEXT])
{
    static const char NAME[] = "burst-cuda";
    ssize_t n = readlink("/proc/self/exe", ret, GPU_PATH_TEXT - sizeof NAME - 1);
    while (n > 0 && ret[n - 1] != '/')
        n--;
    if (n > 0) memcpy(ret + n, NAME, sizeof NAME);
    if (n <= 0 || access(ret, X_OK) != 0) ret[0] = 0;
}

/* A service manager keeps burst-cuda, too: two that start the same process are one too many. INVOCATION_ID does not tell:
 * desktop terminals and CI runners, themselves services, hand it on to what is started by hand in them. */
static bool is_served(void)
{
    return getenv("NOTIFY_SOCKET") != NULL;
}

/* An absolute path: the first of a list, as systemd gives folders. */
static bool folder_of(const char *variable, const char *below, char ret[GPU_PATH_TEXT])
{
    const char *value = getenv(variable);
    if (!value || value[0] != '/') return false;
    int n = snprintf(ret, GPU_PATH_TEXT, "%.*s%s/burst-cuda", (int)strcspn(value, ":"), value, below);
    if (n < GPU_PATH_TEXT) return true;
    ret[0] = 0;
    return false;
}

/* A first start times every engine, which takes minutes: no site should pay for that twice. */
static enum burst_err cache_of(const struct burst_config *config, char ret[GPU_PATH_TEXT], struct burst_error *reterr)
{
    ret[0] = 0;
    if (config->gpu_cache[0]) return path_of(config->gpu_cache, ret, reterr);
    (void)(folder_of("CACHE_DIRECTORY", "", ret) || folder_of("STATE_DIRECTORY", "", ret) ||
           folder_of("XDG_CACHE_HOME", "", ret) || folder_of("HOME", "/.cache", ret));
    return BURST_OK;
}

static enum burst_err program_of(const struct burst_config *config, char ret[GPU_PATH_TEXT], struct burst_error *reterr)
{
    ret[0] = 0;
    if (is_served() || strcmp(config->gpu_program, "none") == 0) return BURST_OK;
    if (config->gpu_program[0]) return path_of(config->gpu_program, ret, reterr);
    program_beside(ret);
    return BURST_OK;
}

enum burst_err gpu_settings_of(const struct burst_config *config, struct gpu_settings *ret, struct burst_error *reterr)
{
    enum burst_err err = path_of(config->gpu_socket, ret->socket, reterr);
    if (!err) err = program_of(config, ret->program, reterr);
    if (!err) err = cache_of(config, ret->cache, reterr);
    if (err) return err;
    bool ours = ret->socket[0] || config->gpu_program[0];
    if (!ours && access(WORKER_SOCKET, W_OK) == 0) ret->program[0] = 0; /* one is kept on this machine already */
    ret->device = (struct device_settings){.socket = ret->socket[0] ? ret->socket : NULL,
                                           .program = ret->program[0] ? ret->program : NULL,
                                           .cache = ret->program[0] && ret->cache[0] ? ret->cache : NULL,
                                           .precision = (enum worker_precision)config->gpu_precision,
                                           .deadline_ns = config->gpu_deadline_ms * NS_PER_MS,
                                           .background_ns = config->gpu_background_ms * NS_PER_MS,
                                           .canary_ns = (int64_t)(config->gpu_canary_s * 1e9),
                                           .spin = config->gpu_spin == CONFIG_SPIN_ON,
                                           .core = (int)config->gpu_core};
    return BURST_OK;
}
