/* One block of memory per unit of work: taken from, never given back piecewise, reset as a whole. */
#ifndef BURST_BASE_ARENA_H
#define BURST_BASE_ARENA_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *base;
    size_t size, used, high; /* bytes; `high` is the most ever used */
};

/* Allocate the block. BURST_E_NOMEM; the arena is then empty and safe to fini. */
enum burst_err arena_init(struct arena *a, size_t size, struct burst_error *reterr);
/* Free the block. Accepts an arena that is all zeros. */
void arena_fini(struct arena *a);
/* Forget everything taken; memory is kept. */
void arena_reset(struct arena *a);
/* `n` items of `size` bytes, 64-byte aligned, not cleared; NULL when full or when n * size overflows. n = 0 gives a
 * valid pointer. */
void *arena_take(struct arena *a, size_t n, size_t size);
#endif
