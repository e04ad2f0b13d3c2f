/* The file and the folders around it. */
#include "base/datadir.h"
#include "config/table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fill `bytes` until the end of the file or `size`; -1 with errno set when the system refuses. */
static ssize_t read_all(int fd, uint8_t *bytes, size_t size)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, bytes + n, size - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read an open file; one fault is noted on failure. */
static enum burst_err read_open(int fd, uint8_t *bytes, size_t size, size_t *ret_n, struct config_faults *faults)
{
    struct stat before, after;
    if (fstat(fd, &before) != 0) {
        config_fault_add(faults, 0, 0, "%s", strerror(errno));
        return BURST_E_IO;
    }
    if (!S_ISREG(before.st_mode)) {
        config_fault_add(faults, 0, 0, "is a %s, not a file", S_ISDIR(before.st_mode) ? "folder" : "device or pipe");
        return BURST_E_UNSUPPORTED;
    }
    if (before.st_mode & S_IWOTH) {
        config_fault_add(faults, 0, 0, "everybody may write it (mode %04o): chmod o-w",
                         (unsigned)(before.st_mode & 07777));
        return BURST_E_AUTH;
    }
    ssize_t n = read_all(fd, bytes, size);
    if (n < 0 || fstat(fd, &after) != 0) {
        config_fault_add(faults, 0, 0, "%s", strerror(errno));
        return BURST_E_IO;
    }
    if (!is_same(&before, &after) || (n < after.st_size && (size_t)n < size)) {
        config_fault_add(faults, 0, 0, "changed while it was read: try again");
        return BURST_E_TRUNCATED;
    }
    *ret_n = (size_t)n;
    return BURST_OK;
}

enum burst_err config_read_bytes(const char *path, uint8_t **ret_bytes, size_t *ret_n, struct config_faults *ret_faults)
{
    if (ret_faults) memset(ret_faults, 0, sizeof *ret_faults);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not hold the start up */
    if (fd < 0) {
        config_fault_add(ret_faults, 0, 0, "%s", strerror(errno));
        return BURST_E_IO;
    }
    uint8_t *bytes = malloc(CONFIG_FILE_MAX + 1); /* one more than allowed shows a longer file */
    enum burst_err err = BURST_E_NOMEM;
    if (bytes) err = read_open(fd, bytes, CONFIG_FILE_MAX + 1, ret_n, ret_faults);
    (void)close(fd); /* read only: nothing can be lost */
    if (err)
        free(bytes);
    else
        *ret_bytes = bytes;
    return err;
}

enum burst_err config_read(const char *path, struct burst_config *ret_config, struct config_faults *ret_faults)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    enum burst_err err = config_read_bytes(path, &bytes, &n, ret_faults);
    if (err) return err;
    err = config_parse(bytes, n, ret_config, ret_faults);
    free(bytes);
    return err;
}

void config_fault_text(const char *name, const struct config_fault *fault, char *ret_text, size_t size)
{
    if (fault->line > 0)
        (void)snprintf(ret_text, size, "%s:%d:%d: %s", name, fault->line, fault->column, fault->text);
    else
        (void)snprintf(ret_text, size, "%s: %s", name, fault->text);
}

enum burst_err config_data_path(const char *path, char *ret_path, size_t size, struct burst_error *reterr)
{
    if (!path[0]) return burst_fail(reterr, BURST_E_MISSING, "the path is empty");
    bool absolute = path[0] == '/';
    char folder[4096] = "";
    enum burst_err err = absolute ? BURST_OK : datadir_find(folder, sizeof folder, reterr);
    if (err) return err;
    size_t n = strlen(path) + (absolute ? 0 : strlen(folder) + 1);
    if (n >= size)
        return burst_fail(reterr, BURST_E_LIMIT, "path of %zu characters, at most %zu: %.200s", n, size - 1, path);
    (void)snprintf(ret_path, size, "%s%s%s", absolute ? "" : folder, absolute ? "" : "/", path);
    return BURST_OK;
}

enum burst_err config_quarantine_folder(const struct burst_config *config, char *ret_path, size_t size,
                                        struct burst_error *reterr)
{
    char beside[CONFIG_TEXT + 16];
    if (config->quarantine_folder[0]) return config_data_path(config->quarantine_folder, ret_path, size, reterr);
    const char *slash = strrchr(config->store_database, '/');
    int n_folder = slash ? (int)(slash - config->store_database) + 1 : 0;
    (void)snprintf(beside, sizeof beside, "%.*squarantine", n_folder, config->store_database);
    return config_data_path(beside, ret_path, size, reterr);
}

enum burst_err config_command_endpoint(const char *configured, char *ret_endpoint, size_t size,
                                       struct burst_error *reterr)
{
    char found[CONFIG_TEXT + 32];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat folder;
    int n;
    if (configured[0])
        n = snprintf(found, sizeof found, "%s", configured);
    else if (stat("/run/burstd", &folder) == 0 && S_ISDIR(folder.st_mode))
        n = snprintf(found, sizeof found, "ipc:///run/burstd/command.sock");
    else if (runtime && runtime[0])
        n = snprintf(found, sizeof found, "ipc://%s/burstd/command.sock", runtime);
    else
        return burst_fail(
            reterr, BURST_E_MISSING,
            "no command socket: command.socket is empty, /run/burstd is absent and XDG_RUNTIME_DIR is not set");
    if (n < 0 || (size_t)n >= sizeof found || (size_t)n >= size)
        return burst_fail(reterr, BURST_E_LIMIT, "command endpoint of %d characters, at most %zu", n, size - 1);
    memcpy(ret_endpoint, found, (size_t)n + 1);
    return BURST_OK;
}
