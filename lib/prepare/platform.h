/* Where a satellite is at any moment: a bounded history of what its mission sent, and the state that follows from it
 * for one moment.
 * That nothing is known is a state (records/platform.h), never an error.
 *
 *     platform_history_new(&h)
 *     for each message: platform_history_add(h, packet)
 *     platform_state_at(h, MISSION_SVOM, middle_of_the_exposure, &state)
 *     platform_history_free(h)
 *
 * What a history holds does not depend on the order in which its packets came: of every second the earliest sample, of
 * seconds PLATFORM_SECONDS apart the later. So a state depends on which packets have been added before it was asked
 * for, and on
 * nothing else: no clock of the host, no state asked for before. Whoever wants the same verdict from the same input
 * must add the same
 * packets before the same window (docs/decisions/0005-what-core-depends-on.md). */
#ifndef BURST_PREPARE_PLATFORM_H
#define BURST_PREPARE_PLATFORM_H
#include "records/platform.h"

enum { PLATFORM_SECONDS = 7200 }; /* a sub-image may come an hour late */
enum {
    PLATFORM_NEAR_S = 60,        /* a sample farther from the moment than this says nothing about it */
    PLATFORM_ALONE_S = 5,        /* the same where no second sample tells the velocity, and for an attitude held */
    PLATFORM_ATTITUDE_GAP_S = 60 /* the longest stretch an attitude is turned across */
};

struct platform_history;

/* Room for PLATFORM_SECONDS samples.
 * Errors    BURST_E_NOMEM; *ret_h untouched */
enum burst_err platform_history_new(struct platform_history **ret_h, struct burst_error *reterr);
/* NULL is accepted. */
void platform_history_free(struct platform_history *h);

/* Remember a packet; samples may come in any order.
 *
 * Errors    BURST_E_LATE      its place is taken by a sample of a later time
 *           BURST_E_CONFLICT  a sample of the same moment says something else; the first stays */
enum burst_err platform_history_add(struct platform_history *h, const struct platform_packet *p,
                                    struct burst_error *reterr);
/* Forget everything: a replay that goes back in time. */
void platform_history_forget(struct platform_history *h);
/* Time of the latest sample; false where there is none, *ret_t_ns is then untouched. */
bool platform_history_latest(const struct platform_history *h, int64_t *ret_t_ns);

/* The state at a moment.
 *
 * Given     h        lent
 *           mission  whose history it is: it has an instrument's axis and an SAA boundary
 * Returned  ret_state
 *           PLATFORM_KNOWN   a position. Between two samples at most 2 PLATFORM_NEAR_S apart: on the cubic through both
 *                            that has their accelerations (the Earth's gravity with J2). Past the last one, or before
 *                            the first, by its motion. Beside a lone sample: that one, at most PLATFORM_ALONE_S away.
 *                            position_error_km bounds what this adds: 0.1 km in a low orbit for samples 120 s apart,
 *                            1 m for 20 s, 60 km for a lone one
 *           PLATFORM_STALE   there are positions, none near enough; or two that no satellite could join (12 km/s)
 *           PLATFORM_ABSENT  there is no position at all
 *           saa              the mission's word nearest to the moment, at most PLATFORM_NEAR_S away; else, where the
 *                            position is known, whether it lies inside the boundary of prepare/saa.h
 *           attitude         between two valid ones at most PLATFORM_ATTITUDE_GAP_S apart: turned evenly (slerp). Else
 *                            the nearest, at most PLATFORM_ALONE_S away. ATTITUDE_INVALID where the nearest word on
 *                            either side, within PLATFORM_NEAR_S, is that
 *           axis             +Z of the spacecraft for Fermi and GECAM (the zenith their detectors' angles count from);
 *                            +X for SVOM, whose sky images span Y and Z of the line-of-sight frame
 * Notes     UT1 is taken as UTC and the pole as at rest: longitude is wrong by up to 0.004 degrees (0.9 s), the place on
 *           the map by up to 20 m; both cancel in ICRS. TEME to ICRS through ITRS: GMST 1982, then the IAU 2006/2000B
 *           matrices. Against astropy (tests/parity/test_platform.py): position 0.1 m, Moon 0.001, Sun 0.006 degrees. The
 *           Earth is a sphere of 6378.137 km without air: its poles lie 21 km lower, and hard X-rays are stopped up to
 *           100 km higher, 2 degrees above this limb from a low orbit. Takes about 0.3 ms.
 * Source    axis of SVOM: ECPI's page on array conventions, APC (axes y and z of ECLLos) */
void platform_state_at(const struct platform_history *h, enum burst_mission mission, int64_t t_ns,
                       struct platform_state *ret_state);
#endif
