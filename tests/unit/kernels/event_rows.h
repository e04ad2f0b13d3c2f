/* Event rows for the tests of event_bin: the two layouts that missions send, rows written field by field, and every
 * implementation in turn. */
#ifndef BURST_TESTS_EVENT_ROWS_H
#define BURST_TESTS_EVENT_ROWS_H
#include "base/bytes.h"
#include "kernels/event_bin.h"
#include <stdlib.h>

enum { ROWS_MOST = 400, N_ATOM = 5, GBM_ROW = 10, GECAM_ROW = 18, N_CALL = 3 };
enum { N_CELL = (N_ATOM + 1) * EVENT_TILE_BINS, DEAD_ROW = N_ATOM };

/* Twelve channels: one below all energies, atoms 0 to 4 of two channels each, one above. */
static const int8_t atoms_of_12[12] = {EVENT_NO_ATOM, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, EVENT_NO_ATOM};

#define MET_MOST_NS INT64_C(4000000000000000000)

/* GBM: TIME D, PHA I. Dead time 2.6 us, 10 us in the last channel. Source: formats.md 3 */
static const struct event_layout gbm = {.row_bytes = GBM_ROW,
                                        .time_at = 0,
                                        .channel_at = 8,
                                        .channel_bytes = 2,
                                        .least_ns = 0,
                                        .most_ns = MET_MOST_NS,
                                        .type_at = -1,
                                        .flag_at = -1,
                                        .gain_at = -1,
                                        .dead_at = -1,
                                        .dead = 26,
                                        .dead_last = 100,
                                        .n_channel = 12,
                                        .atom = atoms_of_12,
                                        .n_atom = N_ATOM};

/* GECAM: TIME D, PI I, GAIN_TYPE B, DEAD_TIME E, EVT_TYPE B, EVT_PAIR B, FLAG B. Source: formats.md 2 */
static const struct event_layout gecam = {.row_bytes = GECAM_ROW,
                                          .time_at = 0,
                                          .channel_at = 8,
                                          .channel_bytes = 2,
                                          .least_ns = 0,
                                          .most_ns = MET_MOST_NS,
                                          .type_at = 15,
                                          .type_is = 1,
                                          .flag_at = 17,
                                          .flag_below = 2,
                                          .gain_at = 10,
                                          .dead_at = 11,
                                          .n_channel = 12,
                                          .atom = atoms_of_12,
                                          .n_atom = N_ATOM};

static inline void put_f64(uint8_t *at, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    bytes_put_u64(at, bits);
}

static inline void put_f32(uint8_t *at, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bytes_put_u32(at, bits);
}

static inline void put_gbm(uint8_t *row, double time_s, int channel)
{
    put_f64(row, time_s);
    bytes_put_u16(row + 8, (uint16_t)channel);
}

/* A recommended row; the caller spoils what it likes. */
static inline void put_gecam(uint8_t *row, double time_s, int channel, int gain, float dead_us)
{
    put_gbm(row, time_s, channel);
    row[10] = (uint8_t)gain;
    put_f32(row + 11, dead_us);
    row[15] = 1;
    row[16] = 0;
    row[17] = 0;
}

static inline struct event_tally tally_new(void)
{
    return (struct event_tally){.seen.gain = -1};
}

static uint8_t rows[ROWS_MOST * GECAM_ROW + 1];
static uint32_t counts[N_CELL];
static struct event_tally tally;

/* Every implementation that this processor has; NULL for others. */
static inline event_bin_call *call_of(int i)
{
    event_bin_call *calls[N_CALL] = {event_bin_portable(), event_bin_avx2(), event_bin_avx512()};
    return calls[i];
}

static inline uint32_t cell(int row, int place)
{
    return counts[row * EVENT_TILE_BINS + place];
}

/* The rows from a fresh tally and an empty tile that begins at k0. */
static inline enum event_row_fault bin(event_bin_call *call, const struct event_layout *l, size_t n, int64_t k0)
{
    memset(counts, 0, sizeof counts);
    tally = tally_new();
    return call(l, rows, n, &(struct event_tile){k0, counts}, &tally);
}

#define EACH_CALL(call)                                                                                                \
    for (int call##_i = 0; call##_i < N_CALL; call##_i++)                                                              \
        for (event_bin_call *call = call_of(call##_i); call; call = NULL)
#endif
