/* Up from /proc/self/exe. */
#include "base/datadir.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGN "config/burstd.yaml" /* a folder that holds this is a data folder */

static enum burst_err copy_path(const char *path, char *ret_path, size_t size, struct burst_error *reterr)
{
    if (strlen(path) >= size)
        return burst_fail(reterr, BURST_E_LIMIT, "data folder of %zu characters, at most %zu", strlen(path), size - 1);
    (void)memcpy(ret_path, path, strlen(path) + 1);
    return BURST_OK;
}

static bool is_data_folder(const char *folder, const char *below, char ret_folder[PATH_MAX])
{
    char sign[PATH_MAX + sizeof SIGN];
    if (snprintf(ret_folder, PATH_MAX, "%s%s", folder, below) >= PATH_MAX) return false;
    (void)snprintf(sign, sizeof sign, "%s/" SIGN, ret_folder); /* fits */
    return access(sign, R_OK) == 0;
}

enum burst_err datadir_find(char *ret_path, size_t size, struct burst_error *reterr)
{
    const char *set = getenv("BURST_DATADIR");
    if (set && set[0]) return copy_path(set, ret_path, size, reterr);
    char at[PATH_MAX], found[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", at, sizeof at - 1);
    at[n > 0 ? n : 0] = 0;
    for (char *slash; (slash = strrchr(at, '/')) != NULL;) {
        *slash = 0;
        if (is_data_folder(at, "/share/burstd", found) || is_data_folder(at, "", found))
            return copy_path(found, ret_path, size, reterr);
    }
    return copy_path(BURST_DATADIR, ret_path, size, reterr);
}
