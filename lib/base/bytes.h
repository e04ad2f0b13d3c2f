/* Bytes: network-order integers, hexadecimal text, whole files. Refuses nothing but what the system refuses. */
#ifndef BURST_BASE_BYTES_H
#define BURST_BASE_BYTES_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t bytes_get_u32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, 4);
    return __builtin_bswap32(x);
}
static inline uint64_t bytes_get_u64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return __builtin_bswap64(x);
}
static inline double bytes_get_f64(const uint8_t *p)
{
    uint64_t x = bytes_get_u64(p);
    double d;
    memcpy(&d, &x, 8);
    return d;
}
static inline float bytes_get_f32(const uint8_t *p)
{
    uint32_t x = bytes_get_u32(p);
    float f;
    memcpy(&f, &x, 4);
    return f;
}
static inline void bytes_put_u16(uint8_t *p, uint16_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}
static inline void bytes_put_u32(uint8_t *p, uint32_t x)
{
    x = __builtin_bswap32(x);
    memcpy(p, &x, 4);
}
static inline void bytes_put_u64(uint8_t *p, uint64_t x)
{
    x = __builtin_bswap64(x);
    memcpy(p, &x, 8);
}

/* Lower-case hexadecimal of `n` bytes into `ret_text` (2 n + 1 characters, with the closing 0). */
void bytes_hex(const uint8_t *bytes, size_t n, char *ret_text);

/* Exactly 2 n hexadecimal digits back to n bytes. BURST_E_FORMAT otherwise; ret_bytes is then untouched. */
enum burst_err bytes_unhex(const char *text, size_t n, uint8_t *ret_bytes, struct burst_error *reterr);

/* UUID text, 8-4-4-4-12, of 16 bytes. */
void bytes_uuid_text(const uint8_t uuid[16], char ret_text[37]);

/* Read a whole file of at most `most` bytes.
 * Returned  *ret_bytes  malloc'd, freed by the caller; one 0 byte follows the content
 * Errors    BURST_E_IO, BURST_E_LIMIT (longer than most), BURST_E_NOMEM; outputs untouched */
enum burst_err bytes_read_file(const char *path, size_t most, uint8_t **ret_bytes, size_t *ret_n,
                               struct burst_error *reterr);

/* Write a whole file through a temporary one beside it and rename, so that a reader sees the old or the new.
 * Errors    BURST_E_IO; the old file is then untouched */
enum burst_err bytes_write_file(const char *path, const uint8_t *bytes, size_t n, struct burst_error *reterr);
#endif
