/* A bump allocator. */
#include "base/arena.h"
#include <stdlib.h>

enum { ALIGN = 64 }; /* a cache line, and what AVX-512 loads like */

enum burst_err arena_init(struct arena *a, size_t size, struct burst_error *reterr)
{
    *a = (struct arena){0};
    size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    a->base = aligned_alloc(ALIGN, rounded ? rounded : ALIGN);
    if (!a->base) return burst_fail(reterr, BURST_E_NOMEM, "no memory for an arena of %zu bytes", size);
    a->size = rounded;
    return BURST_OK;
}

void arena_fini(struct arena *a)
{
    free(a->base);
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    a->used = 0;
}

void *arena_take(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - ALIGN) return NULL;
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > a->size - a->used) return NULL;
    void *p = a->base + a->used;
    a->used += bytes;
    if (a->used > a->high) a->high = a->used;
    return p;
}
