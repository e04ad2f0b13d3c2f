/* A network on the backend `cuda` beside the same network on `plain`. What a test wants of the device is in struct setup. */
#ifndef BURST_TESTS_CUDA_PARITY_H
#define BURST_TESTS_CUDA_PARITY_H
#include "base/clock.h"
#include "check.h"
#include "net/cuda/cuda.h"
#include "net/net.h"
#include "unit/net/architectures.h"

/* Sums of float32 products in another order through some tens of layers; factors rounded to 10 bits of mantissa; factors and
 * the results of every layer rounded to 7. Of the largest number of the tensor where that is over 1. */
static const double TOLERANCE[CUDA_PRECISION_N] = {1e-4, 2e-3, 6e-2};

struct setup {
    enum cuda_precision precision;
    int batch, engine_most;  /* 0: 1, 2 */
    const char *const *keep; /* [n_keep]; n_keep -1: everything */
    int n_keep;
    const char *cache_folder;
    bool tune;
};

struct pair {
    struct cuda_engine *engine;
    struct net *cuda, *plain;
    enum cuda_precision precision;
    struct burst_error error; /* why there is no cuda */
};

/* Where there is none, a program built for a card has nothing to test, and says so: one `skip` line. The stand-in is always there. */
static inline bool no_device(const char *program)
{
    struct burst_error error = {0};
    struct cuda_engine *engine = NULL;
    bool none = cuda_open(NULL, &engine, &error) == BURST_E_UNSUPPORTED;
    cuda_close(engine);
    if (none) printf("skip %s: %s\n", program, error.text);
    return none;
}

static inline struct cuda_engine *engine_open(const struct setup *s)
{
    struct burst_error error = {0};
    struct cuda_engine *engine = NULL;
    struct cuda_settings settings = {.precision = s->precision,
                                     .cache_folder = s->cache_folder,
                                     .tune = s->tune,
                                     .patience_ns = 300 * CLOCK_NS_PER_S, /* on a machine that does much else */
                                     .engine_most = s->engine_most ? s->engine_most : 2};
    CHECK_SAY(cuda_open(&settings, &engine, &error) == BURST_OK, "%s", error.text);
    return engine;
}

static inline enum burst_err cuda_net_open(struct cuda_engine *engine, const struct setup *s, const uint8_t *bytes,
                                           size_t n, struct net **ret, struct burst_error *reterr)
{
    struct net_settings settings = {.with = &net_backend_cuda,
                                    .engine = engine,
                                    .batch_most = s->batch ? s->batch : 1,
                                    .keep = s->keep,
                                    .n_keep = s->n_keep < 0 ? 0 : s->n_keep,
                                    .keep_all = s->n_keep < 0};
    return net_open_bytes(bytes, n, &settings, ret, reterr);
}

/* Both networks from the maker, which is empty afterwards. Without `cuda` where that was refused. */
static inline struct pair pair_open(const struct setup *s, struct maker *m)
{
    struct pair p = {.precision = s->precision};
    uint8_t *bytes;
    size_t n;
    maker_finish(m, &bytes, &n);
    p.engine = engine_open(s);
    if (p.engine) (void)cuda_net_open(p.engine, s, bytes, n, &p.cuda, &p.error); /* its error is looked at */
    struct net_settings plain = {.backend = NET_BACKEND_PLAIN,
                                 .batch_most = s->batch ? s->batch : 1,
                                 .keep = s->keep,
                                 .n_keep = s->n_keep < 0 ? 0 : s->n_keep,
                                 .keep_all = s->n_keep < 0};
    struct burst_error error = {0};
    CHECK_SAY(net_open_bytes(bytes, n, &plain, &p.plain, &error) == BURST_OK, "%s", error.text);
    free(bytes);
    return p;
}

static inline void pair_close(struct pair *p)
{
    net_close(p->cuda);
    net_close(p->plain);
    cuda_close(p->engine);
}

static inline double worst_of(const float *a, const float *b, int64_t n)
{
    double worst = 0, largest = 1;
    for (int64_t i = 0; i < n; i++) {
        double error = fabs((double)a[i] - (double)b[i]);
        if (!(error <= worst)) worst = error; /* NaN too */
        largest = fmax(largest, fabs((double)b[i]));
    }
    return worst / largest;
}

static inline float *numbers(size_t n)
{
    float *x = malloc((n + 1) * sizeof *x);
    if (!x) abort();
    return x;
}

/* Compare one tensor of the last run of both. */
static inline void pair_compare(const struct pair *p, const char *name, int n)
{
    struct net_port port;
    struct burst_error error = {0};
    const size_t room = 1 << 23;
    float *a = numbers(room), *b = numbers(room);
    CHECK_SAY(net_read(p->cuda, name, a, room, &port, &error) == BURST_OK, "%s", error.text);
    CHECK_SAY(net_read(p->plain, name, b, room, &port, &error) == BURST_OK, "%s", error.text);
    double worst = worst_of(a, b, port.n_element * n);
    CHECK_SAY(worst <= TOLERANCE[p->precision], "%s differs by %g", name, worst);
    free(a);
    free(b);
}

/* Run both on n random samples and compare the outputs. Returns the worst difference. */
static inline double pair_run(struct pair *p, int n, uint64_t seed)
{
    struct maker random = {.seed = seed};
    struct burst_error error = {0};
    size_t in = (size_t)net_input(p->plain, 0)->n_element * (size_t)n;
    size_t out = (size_t)net_output(p->plain, 0)->n_element * (size_t)n;
    float *x = numbers(in), *a = numbers(out), *b = numbers(out);
    for (size_t i = 0; i < in; i++)
        x[i] = 2 * maker_random(&random);
    a[out] = 7; /* no number more than asked for */
    CHECK_SAY(net_run(p->cuda, x, n, a, &error) == BURST_OK, "%s", error.text);
    CHECK_SAY(net_run(p->plain, x, n, b, &error) == BURST_OK, "%s", error.text);
    double worst = worst_of(a, b, (int64_t)out);
    CHECK_SAY(worst <= TOLERANCE[p->precision], "the output of %d samples differs by %g", n, worst);
    CHECK(a[out] == 7);
    free(x);
    free(a);
    free(b);
    return worst;
}

/* The usual test: open, run twice, compare all that is kept by name. */
static inline struct pair pair_check(const struct setup *s, struct maker *m)
{
    struct pair p = pair_open(s, m);
    CHECK_SAY(p.cuda != NULL, "%s", p.error.text);
    if (!p.cuda || !p.plain) return p;
    int n = s->batch ? s->batch : 1;
    for (uint64_t round = 1; round <= 2; round++) { /* twice: nothing of the first run may shine through */
        (void)pair_run(&p, n, round);               /* it has checked */
        for (int i = 0; i < s->n_keep; i++)
            pair_compare(&p, s->keep[i], n);
    }
    return p;
}

static inline void pair_check_close(const struct setup *s, struct maker *m)
{
    struct pair p = pair_check(s, m);
    pair_close(&p);
}

/* How many operations have a name that begins so; NULL: all. */
static inline int operations(const struct net *net, const char *name)
{
    const char *text;
    int step, n = 0;
    for (int i = 0; net_operation(net, i, &step, &text); i++)
        n += !name || strncmp(text, name, strlen(name)) == 0;
    return n;
}
#endif
