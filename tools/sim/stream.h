/* A mission's data as they come down for a day or a week: any stretch of them can be made alone, and the same stretch
 * is the same events however it is cut. GECAM-B's form (formats.md 2). */
#ifndef BURST_SIM_STREAM_H
#define BURST_SIM_STREAM_H
#include "records/source.h"
#include "sim/events.h"

/* Cuts fall on sixteenths of a second. Four microseconds after each are free of events, as the detector is for as long
 * after an event: so no pair of events that belong together lies across a cut. */
enum { STREAM_CELL_PER_S = 16, STREAM_ROW_BYTES = 18 };

struct sim_stream;

struct sim_stream_settings {
    uint64_t seed;
    double duration_s; /* of the whole scene, 60 to 604800: another duration is another scene */
    double every_s;    /* between happenings, 120 or more */
    double
        rate; /* 1: 1,780 rows a second in each of 25 detectors, formats.md 2; S/N of bursts does not change with it */
    int64_t start_tt_ns; /* a whole second of mission elapsed time, 0..2^29 */
};

/* Draw the scene.
 * Errors    BURST_E_TIME (start), BURST_E_RANGE, BURST_E_NOMEM; *ret_s untouched */
enum burst_err sim_stream_new(const struct sim_stream_settings *settings, struct sim_stream **ret_s,
                              struct burst_error *reterr);
/* NULL is accepted. */
void sim_stream_free(struct sim_stream *s);

/* What is true of it: items and outages. */
const struct scene *sim_stream_scene(const struct sim_stream *s);

/* A stretch as a FITS event file: PRIMARY EBOUNDS (448 channels and the overflow block of 50) GTI EVENTS01..25. Of
 * every hundred rows six are no recommended events (overflow, over-width, bad flags), and one photon in four from 100
 * to 300 keV is there twice, once in each gain.
 *
 * Given     from, to      cells since the start, from < to, at most an hour; to: inside the scene
 *           detectors     bit d: detector d; the others are empty placeholders
 * Returned  ret_bytes     lent until the next call; [*ret_n], 0 where the detectors are off all the time
 *           ret_n_row     rows in all tables
 * Errors    BURST_E_RANGE, BURST_E_NOMEM; outputs untouched */
enum burst_err sim_stream_chunk(struct sim_stream *s, int64_t from, int64_t to, uint32_t detectors,
                                const uint8_t **ret_bytes, size_t *ret_n, size_t *ret_n_row,
                                struct burst_error *reterr);
#endif
