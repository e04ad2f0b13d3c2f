/* What the files of augment share. */
#ifndef BURST_TRAIN_AUGMENT_INSIDE_H
#define BURST_TRAIN_AUGMENT_INSIDE_H
#include "train/augment.h"
#include "train/binomial.h"
#include <stdbool.h>

/* Kinds of draw: each has streams of its own, so one seed may serve them all. */
enum draw_kind {
    DRAW_KEPT = 1,
    DRAW_THIN,
    DRAW_PRINTED,
    DRAW_TURN,
    DRAW_SWAP,
    DRAW_GAIN,
    DRAW_RATE,
    DRAW_SLIDE,
    DRAW_CUT
};

/* The stream of row i. */
static inline struct rng draw_start(struct draw draw, enum draw_kind kind, size_t i)
{
    struct rng r;
    rng_seed(&r, draw.seed ^ (uint64_t)kind * UINT64_C(0x9E3779B97F4A7C15), draw.index ? draw.index[i] : i);
    return r;
}

/* One call: all that its rows need. */
struct augment_job {
    const struct curves *c, *quiet;
    const double *number; /* [n] */
    const int32_t *bins;  /* [n] */
    const double *edge_kev;
    double index;
    struct draw draw;
    uint16_t *ret_atoms;
    uint8_t *ret_valid;
    float *ret_background;
    double *ret_number;
};

static inline uint16_t count_of(uint32_t n)
{
    return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

/* Where row i, atom a begins. */
static inline size_t atom_at(const struct curves *c, size_t i, size_t a)
{
    return (i * c->n_atom + a) * c->n_bin;
}

static inline bool bin_valid(const struct curves *c, size_t i, size_t t)
{
    return !c->valid || c->valid[i * c->n_bin + t];
}

/* Refuse numbers outside low..high, naming the row and what they are. */
enum burst_err augment_check_numbers(const double *number, size_t n, double low, double high, const char *what,
                                     struct burst_error *reterr);
#endif
