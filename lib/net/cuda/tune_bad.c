/* Engines that broke the device. An engine that fails so ends the process, and a new process would time it again and end again:
 * so it is written down, in the file of choices, before that. Such a line is a choice for a shape that no convolution has,
 * "bad:SHAPE:FORM:ENGINE:KNOBS", KNOBS being a hash; `burst-cuda --tune` does not look at them. */
#include "net/cuda/code.h"
#include <inttypes.h>
#include <stdio.h>

/* FNV-1a over the numbers. */
static uint32_t knobs_hash(const struct conv_plan *plan)
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < plan->n_knob; i++) {
        const uint64_t number[2] = {(uint64_t)plan->knob[i].type, (uint64_t)plan->knob[i].value};
        for (size_t byte = 0; byte < sizeof number; byte++)
            hash = (hash ^ (uint32_t)(number[byte / 8] >> (8 * (byte % 8)) & 0xff)) * 16777619u;
    }
    return hash;
}

/* False: too long to be written. */
static bool bad_name(const struct conv_shape *s, const struct conv_plan *plan, char ret[CHOICE_SHAPE])
{
    char shape[CHOICE_SHAPE];
    conv_shape_text(s, shape);
    int n = snprintf(ret, CHOICE_SHAPE, "bad:%s:%d:%" PRId64 ":%08" PRIx32, shape, (int)plan->form, plan->engine,
                     knobs_hash(plan));
    return n > 0 && n < CHOICE_SHAPE;
}

bool tune_is_bad(const struct cuda_engine *engine, const struct conv_shape *s, const struct conv_plan *plan)
{
    char name[CHOICE_SHAPE];
    return !engine->tune && bad_name(s, plan, name) && choices_find(&engine->choices, name) != NULL;
}

void tune_mark_bad(struct cuda_engine *engine, const struct conv_shape *s, const struct conv_plan *plan)
{
    struct choice choice = {.engine = plan->engine, .form = (int)plan->form};
    struct burst_error ignored; /* what broke the device is told; that its mark is not kept costs another start */
    if (!engine->choices_file || !bad_name(s, plan, choice.shape)) return;
    if (choices_put(&engine->choices, &choice, &ignored) == BURST_OK)
        (void)choices_write(&engine->choices, engine->choices_file, &ignored);
}
