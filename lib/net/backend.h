/* backend: six functions that turn a plan into answers. A port fills one `struct net_backend` and adds one line to the table
 * in backend.c; net.c is the only caller. */
#ifndef BURST_NET_BACKEND_H
#define BURST_NET_BACKEND_H
#include "kernels/window.h"
#include "net/plan.h"

struct net_backend {
    const char *name; /* "plain", "cpu": what settings and records say */

    /* Optional (NULL: there is no engine). What all networks of a process share: a library handle, a device.
     * Errors    BURST_E_UNSUPPORTED  this machine cannot; BURST_E_NOMEM; *ret_engine untouched */
    enum burst_err (*open)(void **ret_engine, struct burst_error *reterr);

    /* Required. Prepare everything for plan->batch samples: weights in the layout wanted, all memory taken.
     * Given     plan  lent until release
     * Errors    BURST_E_UNSUPPORTED  a step it cannot do, named; BURST_E_NOMEM; *ret_code untouched */
    enum burst_err (*compile)(void *engine, const struct net_plan *plan, void **ret_code, struct burst_error *reterr);

    /* Required. Run n samples, 1 <= n <= plan->batch (the caller has checked), without taking memory.
     * Given     input [plan->n_input]  each [n][elements of one sample], row-major
     * Notes     When it returns, every value in plan->keep can be read for rows 0..n-1. One thread at a time per code. */
    enum burst_err (*run)(void *code, const float *const *input, int n, struct burst_error *reterr);

    /* Required. Rows 0..n-1 of plan->keep[keep] of the last run, in plain row-major order whatever the layout inside.
     * Given     keep  0 <= keep < plan->n_keep, n <= that run's n (the caller has checked)
     * Returned  ret   [n][elements of one sample] */
    enum burst_err (*read)(void *code, int keep, int n, float *ret, struct burst_error *reterr);

    /* Required. Free what compile made; NULL is accepted. */
    void (*release)(void *code);

    /* Optional (NULL where open is). Free what open made, after every code was released; NULL is accepted. */
    void (*close)(void *engine);

    /* Optional (NULL: each step is one kernel of backend_plain). What runs, in order: the plan's step that operation i serves,
     * and the library's name for it ("brgconv:avx512_core", "plain"; reorders and copies stand before the step they serve).
     * False, outputs untouched, past the last. Names live as long as code. */
    bool (*operation)(void *code, int i, int *ret_step, const char **ret_name);
};

extern const struct net_backend net_backend_plain; /* C17, no dependency: the truth the others are compared with */
extern const struct net_backend net_backend_cpu;   /* oneDNN */

enum net_backend_id { NET_BACKEND_AUTO, NET_BACKEND_PLAIN, NET_BACKEND_CPU, NET_BACKEND_N };

/* The backend of that id; AUTO is the fastest one built in. NULL where it is not built in. */
const struct net_backend *backend_of(enum net_backend_id id);
/* "auto", "plain", "cpu" to its id. BURST_E_RANGE names the words allowed; *ret untouched. */
enum burst_err backend_parse(const char *word, enum net_backend_id *ret, struct burst_error *reterr);

/* For other backends: the window of a convolution or pooling as kernels take it. */
struct window_shape plain_window(const struct plan_step *step);
/* For other backends: run one step as `plain` does.
 * Given     at   [plan->n_value] address of each value of this sample, row-major; only the step's inputs and `add` are read
 * Returned  ret  the step's output; shares no byte with what is read
 * Notes     Takes no memory. Any thread. */
void plain_step(const struct plan_step *step, const struct plan_value *value, const float *const *at, float *ret);
#endif
