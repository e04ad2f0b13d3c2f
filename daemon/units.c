/* The pools. */
#include "daemon/units.h"
#include "prepare/window.h"
#include <stdlib.h>

static enum burst_err fill_work(struct units *u, size_t image_arena, struct burst_error *reterr)
{
    for (int i = 0; i < u->n_work; i++) {
        struct work_unit *unit = &u->work_unit[i];
        enum burst_err err = window_new(DETECTOR_MAX, &unit->window, reterr);
        if (!err) err = arena_init(&unit->arena, image_arena, reterr);
        if (!err) err = queue_put(u->free_work, unit, 0);
        if (err) return err;
    }
    return BURST_OK;
}

enum burst_err units_init(struct units *u, int n_work, int n_publish, size_t image_arena, struct burst_error *reterr)
{
    *u = (struct units){.n_work = n_work, .n_publish = n_publish};
    u->work_unit = calloc((size_t)n_work, sizeof *u->work_unit);
    u->publish_unit = calloc((size_t)n_publish, sizeof *u->publish_unit);
    if (!u->work_unit || !u->publish_unit)
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for %d + %d units", n_work, n_publish);
    enum burst_err err = queue_new((size_t)n_work, &u->free_work, reterr);
    if (!err) err = queue_new((size_t)n_work, &u->work, reterr);
    if (!err) err = queue_new((size_t)n_publish, &u->free_publish, reterr);
    if (!err) err = queue_new((size_t)n_publish, &u->publish, reterr);
    if (!err) err = fill_work(u, image_arena, reterr);
    for (int i = 0; !err && i < n_publish; i++)
        err = queue_put(u->free_publish, &u->publish_unit[i], 0);
    return err;
}

void units_fini(struct units *u)
{
    for (int i = 0; u->work_unit && i < u->n_work; i++) {
        window_free(u->work_unit[i].window);
        arena_fini(&u->work_unit[i].arena);
    }
    for (int i = 0; u->publish_unit && i < u->n_publish; i++)
        free(u->publish_unit[i].fits);
    free(u->work_unit);
    free(u->publish_unit);
    queue_free(u->free_work);
    queue_free(u->work);
    queue_free(u->free_publish);
    queue_free(u->publish);
    *u = (struct units){0};
}
