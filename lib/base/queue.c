/* Mutex and two conditions: at alert rates a lock costs nothing that could be measured. */
#include "base/queue.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_full, not_empty;
    size_t capacity, head, depth;
    bool closed;
    void *items[];
};

enum burst_err queue_new(size_t capacity, struct queue **ret_q, struct burst_error *reterr)
{
    if (!capacity || capacity > 1u << 20)
        return burst_fail(reterr, BURST_E_RANGE, "queue capacity %zu, 1 to 1048576 allowed", capacity);
    struct queue *q = calloc(1, sizeof *q + capacity * sizeof q->items[0]);
    if (!q) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a queue of %zu", capacity);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr); /* glibc: these four cannot fail with valid arguments */
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->not_full, &attr);
    (void)pthread_cond_init(&q->not_empty, &attr);
    (void)pthread_condattr_destroy(&attr);
    q->capacity = capacity;
    *ret_q = q;
    return BURST_OK;
}

void queue_free(struct queue *q)
{
    if (!q) return;
    (void)pthread_cond_destroy(&q->not_full);
    (void)pthread_cond_destroy(&q->not_empty);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

static struct timespec deadline_in(int timeout_ms)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* always there */
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

enum burst_err queue_put(struct queue *q, void *item, int timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    enum burst_err err = BURST_OK;
    (void)pthread_mutex_lock(&q->lock);
    while (!q->closed && q->depth == q->capacity)
        if (timeout_ms <= 0 || pthread_cond_timedwait(&q->not_full, &q->lock, &until) == ETIMEDOUT) break;
    if (q->closed)
        err = BURST_E_STATE;
    else if (q->depth == q->capacity)
        err = BURST_E_FULL;
    else {
        q->items[(q->head + q->depth++) % q->capacity] = item;
        (void)pthread_cond_signal(&q->not_empty);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return err;
}

enum burst_err queue_take(struct queue *q, void **ret_item, int timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    enum burst_err err = BURST_OK;
    (void)pthread_mutex_lock(&q->lock);
    while (!q->depth && !q->closed)
        if (timeout_ms <= 0 || pthread_cond_timedwait(&q->not_empty, &q->lock, &until) == ETIMEDOUT) break;
    if (q->depth) {
        *ret_item = q->items[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->depth--;
        (void)pthread_cond_signal(&q->not_full);
    } else
        err = q->closed ? BURST_E_STATE : BURST_E_TIMEOUT;
    (void)pthread_mutex_unlock(&q->lock);
    return err;
}

void queue_close(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->not_empty);
    (void)pthread_cond_broadcast(&q->not_full);
    (void)pthread_mutex_unlock(&q->lock);
}

size_t queue_depth(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    size_t depth = q->depth;
    (void)pthread_mutex_unlock(&q->lock);
    return depth;
}
