/* The oneDNN backend's own nouns, shared by backend_cpu*.c and nobody else.
 *
 * A plan becomes a program: a list of operations over *forms*. A form is one layout of one plan value: where oneDNN chose a
 * layout, the value's home form has it and stays in it from layer to layer; another form of the same value is made by a
 * reorder only when a step needs it. Every address that can be known is known when compiling ends; a run moves the caller's
 * input and the rows of the results only.
 *
 * What oneDNN 2.6.3 taught (each of these silently cost a factor of 2 to 700):
 * - Layouts are its own choice (format `any`): channels-last on AVX-512, channels in blocks of 8 on AVX2. Asking for blocks of
 *   16 by name is 6 % slower here, and makes a convolution of 9 channels fall to `ref`; with `any` 9 channels need no padding
 *   (57 us for the first layer of science.md A.10, against 100 us padded to 16).
 * - The addition of a residual is the post-op `sum`, written over the residual's own storage. The post-op `binary` would need
 *   no such sharing, but keeps brgconv away, and in channels-last falls to im2col (7 times slower).
 * - A concatenation is never written through a sub-memory (that is `ref`): in blocked layouts at N = 1 the parts are made where
 *   they belong; in channels-last, where parts interleave, rows are copied, which costs less than 1 % of the network.
 * - Batches run as a loop over samples: whole-batch execution is slower per window.
 * - A primitive that is missing, or is a reference implementation, is not used: the step then runs as in backend_plain. */
#ifndef BURST_NET_BACKEND_CPU_H
#define BURST_NET_BACKEND_CPU_H
#include "net/backend.h"
#include <oneapi/dnnl/dnnl.h>

enum { CPU_ARG_MAX = 6, CPU_IMPL_TEXT = 48, CPU_NO_FORM = -1, CPU_SCRATCHPAD = -2 };

enum cpu_place {
    CPU_AT_INPUT,    /* the caller's input `index`, at the sample's row */
    CPU_AT_CONSTANT, /* `constant` */
    CPU_AT_SCRATCH,  /* block + offset */
    CPU_AT_RESULT,   /* results + offset + row x bytes: a value somebody reads afterwards */
    CPU_INSIDE       /* while compiling: `offset` bytes into form `index` */
};

struct cpu_form {
    int value; /* the plan value (never a view) whose content this is */
    dnnl_memory_desc_t md;
    size_t bytes; /* of md, padding included, rounded up to 64 */
    enum cpu_place place;
    int index;
    size_t offset;
    const float *constant;
    int first, last; /* operations that touch it */
};

enum cpu_kind { CPU_PRIMITIVE, CPU_PLAIN, CPU_COPY };

struct cpu_op {
    enum cpu_kind kind;
    int step;                 /* of the plan */
    char impl[CPU_IMPL_TEXT]; /* "brgconv:avx512_core", "plain", "copy" */
    /* CPU_PRIMITIVE */
    dnnl_primitive_t primitive;
    int n_arg;
    dnnl_exec_arg_t arg[CPU_ARG_MAX];
    int form[CPU_ARG_MAX]; /* whose address the argument has; CPU_NO_FORM: fixed */
    unsigned moving;       /* bits: arguments whose address differs from sample to sample */
    /* CPU_COPY: n_row rows of row_bytes */
    int from, to;
    size_t n_row, row_bytes, from_step, to_step, to_offset;
};

/* Storage that goes with the code: weights in their final layout, the scratch block. */
struct cpu_block {
    struct cpu_block *next;
    void *bytes;
};

/* A value read after a run; several entries of plan->keep may be views of one. */
struct cpu_result {
    int value, form;
    size_t offset;            /* in results; rows follow each other at the form's bytes */
    dnnl_primitive_t reorder; /* to row-major; NULL where it is already */
    dnnl_memory_t from, to;
};

struct cpu_code {
    const struct net_plan *plan;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    int n_form, n_op, n_result;
    struct cpu_form *form;
    struct cpu_op *op;
    struct cpu_result *result; /* [plan->n_keep] at most */
    int *root, *home,
        *last_use; /* [n_value]: the value itself or what it is a view of; its home form; last step that reads it */
    int *result_of, *keep_result; /* [n_value] result of a root, -1 none; [n_keep] result of a keep */
    const float **at;             /* [n_value] for plain_step */
    int *plain_of;                /* [n_value] row-major form of a root, -1 none */
    struct cpu_block *blocks;
    size_t scratchpad_bytes;
    uint8_t *scratch, *results, *scratchpad;
    int step; /* being compiled */
};

/* A refusal in oneDNN's words for the step being compiled; BURST_E_NOMEM, BURST_E_UNSUPPORTED or BURST_E_INTERNAL. */
enum burst_err cpu_fail(const struct cpu_code *code, dnnl_status_t status, const char *what,
                        struct burst_error *reterr);

/* backend_cpu_form.c: layouts. All may add operations (reorders) to the program. Errors: those of cpu_fail. */
dnnl_memory_desc_t cpu_md_plain(int n_dim, const int64_t *dim);
dnnl_memory_desc_t cpu_md_any(int n_dim, const int64_t *dim);
/* Row-major bytes, whatever the descriptor calls it. */
bool cpu_md_is_plain(const dnnl_memory_desc_t *md);
/* Bytes that lie 64-byte aligned and go with the code. */
void *cpu_take(struct cpu_code *code, size_t bytes);
/* The layout a value was made in. */
enum burst_err cpu_home(struct cpu_code *code, int value, int *ret_form, struct burst_error *reterr);
/* Its row-major form. */
enum burst_err cpu_plain(struct cpu_code *code, int value, int *ret_form, struct burst_error *reterr);
/* Its form in layout md. */
enum burst_err cpu_want(struct cpu_code *code, int value, const dnnl_memory_desc_t *md, int *ret_form,
                        struct burst_error *reterr);
/* The form that the current step will write for its output. */
enum burst_err cpu_output(struct cpu_code *code, const dnnl_memory_desc_t *md, int *ret_form,
                          struct burst_error *reterr);
/* The form whose storage `form` lies in. */
int cpu_storage(const struct cpu_code *code, int form);

/* Append an operation for the current step; its arguments follow with cpu_arg. The operation owns the primitive at once. */
enum burst_err cpu_op_primitive(struct cpu_code *code, const_dnnl_primitive_desc_t pd, struct burst_error *reterr);
enum burst_err cpu_arg(struct cpu_code *code, int arg, const dnnl_memory_desc_t *md, int form, void *fixed,
                       struct burst_error *reterr);
enum burst_err cpu_op_reorder(struct cpu_code *code, int from, const dnnl_memory_desc_t *from_md, int to,
                              struct burst_error *reterr);
enum burst_err cpu_op_copy(struct cpu_code *code, struct cpu_op copy, struct burst_error *reterr);
/* The current step as backend_plain does it, over row-major forms. */
enum burst_err cpu_op_plain(struct cpu_code *code, struct burst_error *reterr);

/* backend_cpu_step.c: the operations of one step of the plan. */
enum burst_err cpu_step(struct cpu_code *code, int step, struct burst_error *reterr);
/* backend_cpu_concat.c: the current step, a concatenation. */
enum burst_err cpu_concat(struct cpu_code *code, struct burst_error *reterr);
#endif
