/* Where the GPU's worker is looked for, and whether it is started from here. */
#ifndef BURST_SCIENCE_GPU_H
#define BURST_SCIENCE_GPU_H
#include "config/config.h"
#include "infer/infer.h"

enum { GPU_PATH_TEXT = 4096 };

/* What device_open is told; the texts lie beside it. */
struct gpu_settings {
    struct device_settings device;
    char socket[GPU_PATH_TEXT], program[GPU_PATH_TEXT], cache[GPU_PATH_TEXT];
};

/* Is a GPU asked for: models.backend auto or cuda? */
bool gpu_wanted(const struct burst_config *config);

/* From the keys gpu.*.
 *
 * Returned  ret  device.program NULL where a service manager runs this process (NOTIFY_SOCKET is set), where
 *                gpu.program is "none", or where it is empty and no burst-cuda lies beside this program
 *                device.socket NULL where gpu.socket is empty
 *                device.cache NULL without a program; where gpu.cache is empty, burst-cuda in $CACHE_DIRECTORY or
 *                $STATE_DIRECTORY (systemd's), in $XDG_CACHE_HOME or in ~/.cache; NULL where there is none of them
 * Errors    of config_data_path */
enum burst_err gpu_settings_of(const struct burst_config *config, struct gpu_settings *ret, struct burst_error *reterr);
#endif
