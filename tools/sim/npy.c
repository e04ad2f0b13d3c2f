/* Header of .npy format 1.0 (numpy.lib.format): magic, length, a Python dict, padded to 64 bytes. */
#include "sim/npy.h"
#include <errno.h>
#include <string.h>

static int shape_text(const size_t *shape, int n_dim, char *text, size_t size)
{
    int n = 0;
    for (int i = 0; i < n_dim; i++)
        n += snprintf(text + n, size - (size_t)n, "%zu,%s", shape[i], i + 1 < n_dim ? " " : "");
    return n;
}

enum burst_err npy_open(const char *path, const char *type, const size_t *shape, int n_dim, FILE **ret_file,
                        struct burst_error *reterr)
{
    char dims[96], header[128];
    if (n_dim < 1 || n_dim > 4) return burst_fail(reterr, BURST_E_SHAPE, "%d dimensions; 1 to 4 are written", n_dim);
    (void)shape_text(shape, n_dim, dims, sizeof dims);
    FILE *file = fopen(path, "wb");
    if (!file) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10); /* 0x76: 118 bytes follow these ten */
    int n = snprintf(header + 10, sizeof header - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type,
                     dims);
    header[10 + n] = ' ';
    header[sizeof header - 1] = '\n';
    if (fwrite(header, 1, sizeof header, file) != sizeof header) {
        (void)fclose(file);
        return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    }
    *ret_file = file;
    return BURST_OK;
}

enum burst_err npy_close(FILE *file, const char *path, struct burst_error *reterr)
{
    int bad = ferror(file);
    if (fclose(file) != 0 || bad) return burst_fail(reterr, BURST_E_IO, "%s could not be written whole", path);
    return BURST_OK;
}
