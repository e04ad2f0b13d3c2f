/* Concatenation in the oneDNN backend. Where the parts lie one behind the other in the result, each part is made in its place
 * and nothing runs at all; where they interleave (channels last), rows are copied; anything else goes through row-major. */
#include "net/backend_cpu.h"
#include <assert.h>
#include <string.h>

enum layout { LAYOUT_PLAIN, LAYOUT_CHANNELS_LAST, LAYOUT_BLOCK8, LAYOUT_BLOCK16, LAYOUT_OTHER };

static const dnnl_format_tag_t TAGS[LAYOUT_OTHER][3] = {
    /* by rank 3, 4, 5 */
    [LAYOUT_PLAIN] = {dnnl_abc, dnnl_abcd, dnnl_abcde},
    [LAYOUT_CHANNELS_LAST] = {dnnl_acb, dnnl_acdb, dnnl_acdeb},
    [LAYOUT_BLOCK8] = {dnnl_aBc8b, dnnl_aBcd8b, dnnl_aBcde8b},
    [LAYOUT_BLOCK16] = {dnnl_aBc16b, dnnl_aBcd16b, dnnl_aBcde16b},
};

static dnnl_memory_desc_t md_in(enum layout layout, int rank, const int64_t *dim)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims = {0};
    memcpy(dims, dim, (size_t)rank * sizeof dims[0]);
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&md, rank, dims, dnnl_f32, TAGS[layout][rank - 3]);
    assert(status == dnnl_success); /* the plan checked rank and sizes */
    (void)status;
    return md;
}

static enum layout layout_of(const dnnl_memory_desc_t *md)
{
    if (cpu_md_is_plain(md)) return LAYOUT_PLAIN;
    if (md->ndims < 3 || md->ndims > 5) return LAYOUT_OTHER;
    for (enum layout l = LAYOUT_CHANNELS_LAST; l < LAYOUT_OTHER; l++) {
        dnnl_memory_desc_t candidate = md_in(l, md->ndims, md->dims);
        if (dnnl_memory_desc_equal(md, &candidate)) return l;
    }
    return LAYOUT_OTHER;
}

static int64_t channels_of(const struct cpu_code *code, int value)
{
    const struct plan_step *s = &code->plan->step[code->step];
    return code->plan->value[value].n_element / (s->outer * s->inner);
}

/* The layout all parts share, in which the step can be done part by part; LAYOUT_OTHER when there is none. */
static enum burst_err common_layout(struct cpu_code *code, enum layout *ret_layout, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const struct net_dims *out = &code->plan->value[s->output].dims;
    int64_t spatial = 1;
    for (int i = 2; i < out->rank; i++)
        spatial *= out->dim[i];
    bool by_channel = out->rank >= 3 && out->rank <= 5 && s->outer == out->dim[0] && s->inner == spatial;
    enum layout common = LAYOUT_OTHER;
    for (int i = 0; i < s->n_input; i++) {
        int home;
        enum burst_err err = cpu_home(code, s->input[i], &home, reterr);
        if (err != BURST_OK) return err;
        const dnnl_memory_desc_t *md = &code->form[home].md;
        const struct net_dims *in = &code->plan->value[s->input[i]].dims;
        enum layout l = layout_of(md);
        bool view = md->ndims != in->rank || memcmp(md->dims, in->dim, (size_t)in->rank * sizeof in->dim[0]) != 0;
        if (l == LAYOUT_PLAIN ? s->outer != 1 : view || !by_channel) l = LAYOUT_OTHER;
        if (l == LAYOUT_BLOCK8 && (s->outer != 1 || channels_of(code, s->input[i]) % 8)) l = LAYOUT_OTHER;
        if (l == LAYOUT_BLOCK16 && (s->outer != 1 || channels_of(code, s->input[i]) % 16)) l = LAYOUT_OTHER;
        if (i > 0 && l != common) l = LAYOUT_OTHER;
        common = l;
    }
    *ret_layout = common;
    return BURST_OK;
}

/* One part, `before` channels into the result whose form is `out`. */
static enum burst_err place_part(struct cpu_code *code, int value, int out, enum layout layout, int64_t before,
                                 struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    size_t channels = (size_t)channels_of(code, value), whole = (size_t)s->axis, inner = (size_t)s->inner;
    int home = code->home[code->root[value]];
    struct cpu_op copy = {.from = home, .to = out};
    if (layout == LAYOUT_CHANNELS_LAST) {
        copy.n_row = (size_t)s->outer * inner;
        copy.from_step = copy.row_bytes = channels * sizeof(float);
        copy.to_step = whole * sizeof(float);
        copy.to_offset = (size_t)before * sizeof(float);
        return cpu_op_copy(code, copy, reterr);
    }
    copy.to_offset = (size_t)before * inner * sizeof(float);
    if (code->form[home].place == CPU_AT_SCRATCH && copy.to_offset % 64 == 0) {
        code->form[home].place = CPU_INSIDE;
        code->form[home].index = out;
        code->form[home].offset = copy.to_offset;
        /* Who overwrites the result must wait for the readers of its parts too. */
        int *last = &code->last_use[s->output];
        if (code->last_use[code->root[value]] > *last) *last = code->last_use[code->root[value]];
        return BURST_OK;
    }
    copy.n_row = 1;
    copy.row_bytes = channels * inner * sizeof(float);
    return cpu_op_copy(code, copy, reterr);
}

enum burst_err cpu_concat(struct cpu_code *code, struct burst_error *reterr)
{
    const struct plan_step *s = &code->plan->step[code->step];
    const struct net_dims *d = &code->plan->value[s->output].dims;
    enum layout layout;
    int out;
    enum burst_err err = common_layout(code, &layout, reterr);
    if (err != BURST_OK) return err;
    if (layout == LAYOUT_OTHER || s->relu || s->add >= 0) return cpu_op_plain(code, reterr);
    dnnl_memory_desc_t md = layout == LAYOUT_PLAIN ? cpu_md_plain(d->rank, d->dim) : md_in(layout, d->rank, d->dim);
    err = cpu_output(code, &md, &out, reterr);
    int64_t before = 0;
    for (int i = 0; i < s->n_input && err == BURST_OK; i++) {
        err = place_part(code, s->input[i], out, layout, before, reterr);
        before += channels_of(code, s->input[i]);
    }
    return err;
}
