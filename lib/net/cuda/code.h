/* A network compiled for the GPU, for the files of this folder.
 *
 * As in backend_cpu.h a plan becomes operations over *forms*: a form is one layout of one plan value. There are two kinds:
 * maps, channels-last with padded channels, which convolutions and pools take; and rows, the plan's own row-major floats.
 * A value is made in one form, its home; another is made by packing or unpacking where a step needs it. All n samples of a
 * run are computed at once, and every form has its place for the largest batch, so that each size of batch is the same list
 * of operations over the same addresses. */
#ifndef BURST_NET_CUDA_CODE_H
#define BURST_NET_CUDA_CODE_H
#include "kernels/cam_cuda.h"
#include "kernels/conv1d_cuda.h"
#include "kernels/dense_cuda.h"
#include "kernels/finish_cuda.h"
#include "kernels/head_cuda.h"
#include "kernels/layout_cuda.h"
#include "kernels/mscfm_cuda.h"
#include "kernels/pointwise_cuda.h"
#include "kernels/pool_cuda.h"
#include "net/cuda/conv.h"

enum { CODE_SIZES = 16, CODE_NONE = -1, CODE_REMARK = 200, OP_NAME = 64, OP_INPUTS = CONCAT_MOST };

enum form_place {
    FORM_SCRATCH, /* device memory, shared over time */
    FORM_ROWS,    /* the caller's input `index`, in pinned memory */
    FORM_RESULT,  /* output `index`, row-major, in pinned memory: kernels write it straight there */
    FORM_CONSTANT /* `at`, written once, a copy for each sample */
};

struct cuda_form {
    int root; /* the plan value (never a view) whose content this is */
    bool map; /* else rows: as = {1, k, k, false} */
    struct layout as;
    int64_t n_image; /* maps in one sample */
    enum form_place place;
    int index;
    int first, last; /* operations that touch it */
    size_t bytes;    /* of the whole batch, a multiple of 256 */
    void *at;        /* where kernels see it */
};

enum op_kind {
    OP_PACK,
    OP_UNPACK,
    OP_COPY, /* same form, another place */
    OP_CONV,
    OP_POINTWISE,
    OP_POOL,
    OP_CONCAT,
    OP_SOFTMAX,
    OP_DENSE,
    OP_HEAD,
    OP_MSCFM
};

struct op_conv {
    struct conv_shape shape;           /* of one sample: n is n_image */
    void *w;                           /* [k][r][s][c] */
    float *bias;                       /* [k]; NULL: none */
    void *bias_stored;                 /* the same in the engine's elements */
    bool add, relu;                    /* what the step asks for beside the convolution */
    struct conv_plan plan[CODE_SIZES]; /* its `form` says what is left to do */
    struct conv_graph graph[CODE_SIZES];
    struct conv1d_shape ours; /* for our own kernel */
    void *ours_weights;       /* NULL: it does not fit */
};

/* One thing to queue. The step's jobs are filled but for addresses and the number of samples. */
struct cuda_op {
    enum op_kind kind;
    int step; /* of the plan */
    char name[OP_NAME];
    int n_in, in[OP_INPUTS], out; /* forms; of OP_CONV and OP_DENSE `in[1]` is the residual where n_in is 2 */
    union {
        struct op_conv *conv;
        struct pointwise_job pointwise;
        struct pool_job pool;
        struct concat_job concat;
        struct softmax_job softmax;
        struct dense_job dense;
        struct head_job head;
        struct {
            struct mscfm_job job;
            int tile[CODE_SIZES];
        } mscfm;
    };
};

/* The same weights are wanted by several steps, and by the Grad-CAM: device copies by the host's address. */
struct code_constant {
    const void *host;
    void *device;
};

struct cuda_entry;

struct cuda_code {
    struct cuda_engine *engine;
    const struct net_plan *plan;
    struct cuda_memory *memory;
    int n_size, size[CODE_SIZES]; /* of batch, rising; the last is plan->batch */
    int n_form, n_op, n_constant;
    struct cuda_form *form;
    struct cuda_op *op;
    struct code_constant *constant;
    int *root, *home; /* [n_value] as in backend_cpu.h */
    int *keep;        /* [plan->n_keep] form to be read */
    float **rows;     /* [plan->n_input] pinned, what the host writes */
    void **rows_at;   /* the same where kernels see it */
    float **results;  /* [plan->n_output] pinned, what the host reads */
    void **results_at;
    void *scratch, *workspace;
    size_t workspace_bytes;
    float *window; /* pinned: what net_read looks through */
    void *window_at;
    size_t window_bytes;
    uint32_t *sequence, *sequence_at; /* pinned: [0] of the run wanted, [1] of the run done */
    uint32_t *counter;                /* the head's own, on the device */
    struct cuda_entry *entry;         /* what net_run runs */
    int step;                         /* being compiled */
    bool choices_changed;
    int n_remark, n_remark_room;
    char (*remark)[CODE_REMARK];
    struct head head;          /* the whole end of the network with weights on the device, for the Grad-CAM */
    int head_feature;          /* form; CODE_NONE: it has none */
    char no_head[CODE_REMARK]; /* why */
};

/* Error with the step being compiled before it: "node 'conv1' (Conv+Relu): ...". */
enum burst_err code_refuse(const struct cuda_code *c, enum burst_err code, struct burst_error *reterr, const char *why);
/* Something the log should have. Lost where memory is. */
void code_remark(struct cuda_code *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- form.c ---- */

/* The root that a value is or is a view of, found for all values; and the last step that reads it.
 * Errors  BURST_E_INTERNAL, BURST_E_NOMEM */
enum burst_err form_find_roots(struct cuda_code *c, struct burst_error *reterr);
/* How many steps read a root. */
int form_readers(const struct cuda_code *c, int root);
bool form_is_kept(const struct cuda_code *c, int root);
/* The form that the current step writes its output in.
 * Errors  BURST_E_UNSUPPORTED  a map of a value that is not of rank 3 or 4 */
enum burst_err form_output(struct cuda_code *c, int value, bool map, int *ret, struct burst_error *reterr);
/* A form of the value to read, packed or unpacked by an operation of its own where there is none yet. */
enum burst_err form_map(struct cuda_code *c, int value, int *ret, struct burst_error *reterr);
enum burst_err form_rows(struct cuda_code *c, int value, int *ret, struct burst_error *reterr);
/* Was it made as the map that its dimensions say? */
bool form_lies_as_map(const struct cuda_code *c, int value);
/* Append an operation of the current step, which touches its forms. */
enum burst_err form_op(struct cuda_code *c, const struct cuda_op *op, struct burst_error *reterr);
/* After the last step: outputs to where the host reads them, and where each of plan->keep is read. */
enum burst_err form_results(struct cuda_code *c, struct burst_error *reterr);
/* Places for all forms. */
enum burst_err form_arrange(struct cuda_code *c, struct burst_error *reterr);

/* ---- constant.c ---- */

/* `bytes` of the host's in device memory, once for each host address. */
enum burst_err constant_share(struct cuda_code *c, const void *host, size_t bytes, void **ret,
                              struct burst_error *reterr);
/* The same for something made for the occasion. */
enum burst_err constant_put(struct cuda_code *c, const void *host, size_t bytes, void **ret,
                            struct burst_error *reterr);
/* Weights [n_out][n_in][kernel] to [k][kernel][c] of the engine's elements, zeros where padded. */
enum burst_err constant_filter(struct cuda_code *c, const struct plan_step *s, int64_t k, int64_t n_c, void **ret,
                               struct burst_error *reterr);
/* n floats, followed by zeros up to `padded`. */
enum burst_err constant_padded(struct cuda_code *c, const float *x, int64_t n, int64_t padded, float **ret,
                               struct burst_error *reterr);
/* The same in the engine's elements. */
enum burst_err constant_stored(struct cuda_code *c, const float *x, int64_t n, int64_t padded, void **ret,
                               struct burst_error *reterr);

/* ---- step.c, step_fused.c, step_conv.c ---- */

/* The operations of step i. *ret_used: how many steps they serve (several where they are fused). */
enum burst_err step_compile(struct cuda_code *c, int i, int *ret_used, struct burst_error *reterr);
/* The steps from i on as one MSCFM, or as mean and dense layers; *ret_used 0 where they are not. */
enum burst_err step_mscfm(struct cuda_code *c, int i, int *ret_used, struct burst_error *reterr);
enum burst_err step_head(struct cuda_code *c, int i, int *ret_used, struct burst_error *reterr);
enum burst_err step_conv(struct cuda_code *c, const struct plan_step *s, struct burst_error *reterr);
/* The end of the network for the Grad-CAM: c->head and c->head_feature. */
enum burst_err step_whole_head(struct cuda_code *c, struct burst_error *reterr);

/* ---- conv_ours.c ---- */

/* Weights for our own kernel, where it fits. */
enum burst_err ours_prepare(struct cuda_code *c, const struct plan_step *s, struct op_conv *conv,
                            struct burst_error *reterr);
/* Its tiles for a convolution that it fits. */
int ours_tiles(const struct cuda_code *c, const struct op_conv *conv, int ret_tile[CONV1D_TILE_N]);
/* Queue it for n samples. Returned  the cudaError_t. */
int ours_queue(const struct cuda_code *c, const struct cuda_op *op, int tile, int n);

/* ---- tune.c, tune_all.c: once every form has its place ---- */

/* Choose what runs a convolution for size[which]: checked against numbers computed here, and the fastest of those offered.
 * Errors  BURST_E_UNSUPPORTED  nothing does, with the step's name */
enum burst_err tune_conv(struct cuda_code *c, struct cuda_op *op, int which, struct burst_error *reterr);
/* Bind a plan of the operation to its addresses and the workspace, which is made larger where it has to be: plans that were
 * bound before must then be bound again. */
enum burst_err tune_bind(struct cuda_code *c, const struct cuda_op *op, struct conv_plan *plan,
                         struct burst_error *reterr);
/* tune_bad.c: did this plan break the device when it was tried before? And: it has, now. */
bool tune_is_bad(const struct cuda_engine *engine, const struct conv_shape *s, const struct conv_plan *plan);
void tune_mark_bad(struct cuda_engine *engine, const struct conv_shape *s, const struct conv_plan *plan);
/* All convolutions and MSCFMs for all sizes; new choices go to the engine's file. */
enum burst_err tune_all(struct cuda_code *c, struct burst_error *reterr);

/* ---- queue.c ---- */

/* Put operation i for size[which] samples on the engine's stream; `finish`: it is the last one and tells the host. */
enum burst_err queue_op(struct cuda_code *c, int i, int which, bool finish, struct burst_error *reterr);
#endif
