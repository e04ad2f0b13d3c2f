/* A convolution: its filter and bias in the layout cuDNN takes, and what the step asks for beside it. */
#include "net/cuda/code.h"
#include <stdio.h>
#include <stdlib.h>

static struct conv_shape shape_of(const struct cuda_code *c, const struct plan_step *s, const struct cuda_form *in,
                                  const struct cuda_form *out)
{
    struct conv_shape shape = {.n = in->n_image,
                               .c = in->as.n_padded,
                               .k = out->as.n_padded,
                               .bias = s->bias != NULL,
                               .add = s->add >= 0,
                               .relu = s->relu,
                               .bf16 = c->engine->precision == CUDA_BF16};
    for (int i = 0; i < 2; i++) {
        shape.in[i] = s->in_size[i];
        shape.out[i] = s->out_size[i];
        shape.kernel[i] = s->window.kernel[i];
        shape.stride[i] = s->window.stride[i];
        shape.dilation[i] = s->window.dilation[i];
        shape.pad_begin[i] = s->window.pad_begin[i];
        shape.pad_end[i] = s->window.pad_end[i];
    }
    return shape;
}

enum burst_err step_conv(struct cuda_code *c, const struct plan_step *s, struct burst_error *reterr)
{
    struct cuda_op op = {.kind = OP_CONV, .n_in = 1, .name = "cudnn"};
    if (s->group != 1) return code_refuse(c, BURST_E_UNSUPPORTED, reterr, "groups have no kernel");
    enum burst_err err = form_map(c, s->input[0], &op.in[0], reterr);
    if (!err && s->add >= 0) err = form_map(c, s->add, &op.in[op.n_in++], reterr);
    if (!err) err = form_output(c, s->output, true, &op.out, reterr);
    if (err) return err;
    struct op_conv *conv = calloc(1, sizeof *conv);
    if (!conv) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a convolution");
    conv->shape = shape_of(c, s, &c->form[op.in[0]], &c->form[op.out]);
    op.conv = conv;
    err = constant_filter(c, s, conv->shape.k, conv->shape.c, &conv->w, reterr);
    if (!err && s->bias) err = constant_padded(c, s->bias, s->n_out, conv->shape.k, &conv->bias, reterr);
    if (!err && s->bias) err = constant_stored(c, s->bias, s->n_out, conv->shape.k, &conv->bias_stored, reterr);
    if (!err) err = ours_prepare(c, s, conv, reterr);
    if (!err) err = form_op(c, &op, reterr); /* from here on the network's */
    if (err) free(conv);
    return err;
}
