/* Position and attitude as a mission's gateway sends them: JSON to a checked record. What is absent or null stays
 * unknown; what is
 * there must be right, or the whole message is refused. Keeps no state. */
#ifndef BURST_INGEST_PLATFORM_H
#define BURST_INGEST_PLATFORM_H
#include "records/platform.h"

enum { INGEST_PLATFORM_MOST = 16 * 1024 }; /* bytes of one message */

/* Read one message of `burst.v1.<mission>.platform`:
 *
 *     {"time": "2026-11-20T11:30:00.000Z",           UTC; the only member that must be there
 *      "position_km": [-5824.1, 3370.2, 1532.8],     TEME, 6,500..50,000 km from the centre of the Earth
 *      "quaternion": [0.1, -0.2, 0.3, 0.9273618],    [x, y, z, w], scalar last: spacecraft's frame to ICRS
 *      (records/platform.h)
 *      "saa": false,                                 inside the South Atlantic Anomaly
 *      "attitude_valid": true}                       the quaternion can be trusted; absent: yes where there is one
 *
 * Given     source     of the topic: realm and mission are copied
 *           body [n]   lent for the call
 * Returned  ret_packet quaternion divided by its length. `attitude_valid` false gives ATTITUDE_INVALID whatever the
 *           quaternion
 *                      holds, but one that is there is checked all the same
 * Errors    BURST_E_LIMIT    more than INGEST_PLATFORM_MOST bytes
 *           BURST_E_FORMAT   no JSON object, a member twice, a member of another type or length
 *           BURST_E_MISSING  no "time"; "attitude_valid" true without a quaternion
 *           BURST_E_TIME     "time" is no UTC
 *           BURST_E_RANGE    a position outside the shell, or a quaternion whose length is not 1 within 1e-3
 *           ret_packet is untouched on every error
 * Notes     Members with other names are let through: a later version may bring them.
 * Source    protocol.md 3 */
enum burst_err ingest_platform(struct source source, const uint8_t *body, size_t n, struct platform_packet *ret_packet,
                               struct burst_error *reterr);
#endif
