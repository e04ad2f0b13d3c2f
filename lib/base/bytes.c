/* Hexadecimal text and whole files. */
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void bytes_hex(const uint8_t *bytes, size_t n, char *ret_text)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret_text[2 * i] = digit[bytes[i] >> 4];
        ret_text[2 * i + 1] = digit[bytes[i] & 15];
    }
    ret_text[2 * n] = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum burst_err bytes_unhex(const char *text, size_t n, uint8_t *ret_bytes, struct burst_error *reterr)
{
    if (strlen(text) != 2 * n)
        return burst_fail(reterr, BURST_E_FORMAT, "%zu hexadecimal digits, %zu expected", strlen(text), 2 * n);
    for (size_t i = 0; i < 2 * n; i++)
        if (hex_value(text[i]) < 0)
            return burst_fail(reterr, BURST_E_FORMAT, "character %zu of the hexadecimal text is no digit", i + 1);
    for (size_t i = 0; i < n; i++)
        ret_bytes[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return BURST_OK;
}

void bytes_uuid_text(const uint8_t uuid[16], char ret_text[37])
{
    char hex[33];
    bytes_hex(uuid, 16, hex);
    (void)snprintf(ret_text, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static enum burst_err read_all(int fd, const char *path, uint8_t *bytes, size_t n, struct burst_error *reterr)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = read(fd, bytes + done, n - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return burst_fail(reterr, BURST_E_IO, "%s: %s", path, strerror(errno));
        if (got == 0) return burst_fail(reterr, BURST_E_IO, "%s: became shorter while being read", path);
        done += (size_t)got;
    }
    return BURST_OK;
}

enum burst_err bytes_read_file(const char *path, size_t most, uint8_t **ret_bytes, size_t *ret_n,
                               struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    uint8_t *bytes = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return burst_fail(reterr, BURST_E_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        err = burst_fail(reterr, BURST_E_IO, "%s: not a regular file", path);
        goto out;
    }
    if ((uint64_t)st.st_size > most) {
        err = burst_fail(reterr, BURST_E_LIMIT, "%s: %lld bytes, at most %zu are read", path, (long long)st.st_size,
                         most);
        goto out;
    }
    bytes = malloc((size_t)st.st_size + 1);
    if (!bytes) {
        err = burst_fail(reterr, BURST_E_NOMEM, "%s: no memory for %lld bytes", path, (long long)st.st_size);
        goto out;
    }
    err = read_all(fd, path, bytes, (size_t)st.st_size, reterr);
    if (err) goto out;
    bytes[st.st_size] = 0;
    *ret_bytes = bytes;
    *ret_n = (size_t)st.st_size;
    bytes = NULL;
out:
    free(bytes);
    (void)close(fd); /* opened for reading: nothing to lose */
    return err;
}

static enum burst_err write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n) {
        ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return BURST_E_IO;
        bytes += put;
        n -= (size_t)put;
    }
    return fsync(fd) < 0 ? BURST_E_IO : BURST_OK;
}

enum burst_err bytes_write_file(const char *path, const uint8_t *bytes, size_t n, struct burst_error *reterr)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s.part%ld", path, (long)getpid()) >= (int)sizeof part)
        return burst_fail(reterr, BURST_E_LIMIT, "%.200s...: path too long", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return burst_fail(reterr, BURST_E_IO, "%s: %s", part, strerror(errno));
    enum burst_err err = write_all(fd, bytes, n);
    if (close(fd) < 0) err = BURST_E_IO;
    if (!err && rename(part, path) < 0) err = BURST_E_IO;
    if (err) {
        err = burst_fail(reterr, BURST_E_IO, "%s: %s", path, strerror(errno));
        (void)unlink(part); /* the failure is already told */
    }
    return err;
}
