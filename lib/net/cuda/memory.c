#include "net/cuda/engine.h"
#include <stdlib.h>
#include <string.h>

static void free_piece(struct cuda_memory *m)
{
    /* Nothing can be done about a refusal: the device has failed, and the process ends soon. */
    if (m->kind == CUDA_ON_DEVICE) (void)cudaFree(m->device);
    if (m->kind == CUDA_ON_HOST) (void)cudaFreeHost(m->host);
    if (m->kind == CUDA_LENT) (void)cudaHostUnregister(m->host);
    (void)cudaGetLastError();
    free(m);
}

static enum burst_err take_on_device(struct cuda_engine *engine, size_t bytes, struct cuda_memory *m,
                                     struct burst_error *reterr)
{
    enum burst_err err = CUDA_TRY(cudaMalloc, &m->device, bytes);
    if (err) return err;
    err = CUDA_TRY(cudaMemsetAsync, m->device, 0, bytes, engine->stream);
    if (err) (void)cudaFree(m->device); /* the first failure is the one to tell */
    return err;
}

static enum burst_err take_on_host(struct cuda_engine *engine, size_t bytes, struct cuda_memory *m,
                                   struct burst_error *reterr)
{
    enum burst_err err = CUDA_TRY(cudaHostAlloc, &m->host, bytes, cudaHostAllocMapped);
    if (err) return err;
    memset(m->host, 0, bytes);
    err = CUDA_TRY(cudaHostGetDevicePointer, &m->device, m->host, 0);
    if (err) (void)cudaFreeHost(m->host); /* as above */
    return err;
}

static enum burst_err take_lent(struct cuda_engine *engine, size_t bytes, struct cuda_memory *m,
                                struct burst_error *reterr)
{
    enum burst_err err = CUDA_TRY(cudaHostRegister, m->host, bytes, cudaHostRegisterMapped);
    if (err) return err;
    err = CUDA_TRY(cudaHostGetDevicePointer, &m->device, m->host, 0);
    if (err) (void)cudaHostUnregister(m->host); /* as above */
    return err;
}

static enum burst_err memory_add(struct cuda_engine *engine, struct cuda_memory **list, struct cuda_memory piece,
                                 size_t bytes, struct cuda_memory **ret, struct burst_error *reterr)
{
    struct cuda_memory *m = malloc(sizeof *m);
    if (!m) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a list of memory");
    *m = piece;
    enum burst_err err = piece.kind == CUDA_ON_DEVICE ? take_on_device(engine, bytes, m, reterr)
                         : piece.kind == CUDA_ON_HOST ? take_on_host(engine, bytes, m, reterr)
                                                      : take_lent(engine, bytes, m, reterr);
    if (err) {
        free(m);
        return err;
    }
    m->next = *list;
    *list = m;
    *ret = m;
    return BURST_OK;
}

enum burst_err memory_take(struct cuda_engine *engine, struct cuda_memory **list, enum cuda_memory_kind kind,
                           size_t bytes, void **ret_device, void **ret_host, struct burst_error *reterr)
{
    struct cuda_memory *m = NULL;
    enum burst_err err = memory_add(engine, list, (struct cuda_memory){.kind = kind}, bytes, &m, reterr);
    if (err) return err;
    *ret_device = m->device;
    if (ret_host) *ret_host = m->host;
    return BURST_OK;
}

void memory_give_back(struct cuda_memory **list, const void *device)
{
    for (; *list; list = &(*list)->next) {
        struct cuda_memory *m = *list;
        if (m->device != device) continue;
        *list = m->next;
        free_piece(m);
        return;
    }
}

void memory_give_back_all(struct cuda_memory **list)
{
    while (*list) {
        struct cuda_memory *m = *list;
        *list = m->next;
        free_piece(m);
    }
}

enum burst_err cuda_take(struct cuda_engine *engine, size_t bytes, void **ret_device, struct burst_error *reterr)
{
    return memory_take(engine, &engine->memory, CUDA_ON_DEVICE, bytes, ret_device, NULL, reterr);
}

void cuda_give_back(struct cuda_engine *engine, void *device)
{
    memory_give_back(&engine->memory, device);
}

enum burst_err cuda_map(struct cuda_engine *engine, void *host, size_t bytes, void **ret_device,
                        struct burst_error *reterr)
{
    struct cuda_memory *m = NULL;
    struct cuda_memory piece = {.kind = CUDA_LENT, .host = host};
    enum burst_err err = memory_add(engine, &engine->memory, piece, bytes, &m, reterr);
    if (err) return err;
    *ret_device = m->device;
    return BURST_OK;
}

void cuda_unmap(struct cuda_engine *engine, void *host)
{
    for (struct cuda_memory *m = engine->memory; m; m = m->next)
        if (m->host == host && m->kind == CUDA_LENT) {
            memory_give_back(&engine->memory, m->device);
            return;
        }
}
