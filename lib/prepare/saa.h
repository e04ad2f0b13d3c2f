/* The South Atlantic Anomaly on the map, for missions that do not say themselves when they are in it. */
#ifndef BURST_PREPARE_SAA_H
#define BURST_PREPARE_SAA_H
#include "records/source.h"

/* Whether a place lies inside the boundary.
 *
 * Given     mission    Fermi has its own, by date; the others take the wider of the two
 *           t_ns       TT
 *           lat_deg    geodetic; south of -30, where both boundaries are cut off, -30 is taken: orbits of 29 and 30
 *           degrees end there
 *           lon_deg    east, -180..180
 * Notes     GECAM and SVOM publish no boundary. They fly 40 to 100 km above Fermi, where the Anomaly is a little wider;
 *           Fermi's
 *           first boundary (until 2024-07-23) has that margin: the second one, cut back to what is needed at 520 km,
 *           lies inside it.
 *           A threshold of field strength instead would follow the drift of the Anomaly (0.3 degrees a year), but no
 *           mission states
 *           one, and the boundary is known to switch real detectors off.
 * Source    Fermi GBM SAA polygons, USRA-STI/gdt-fermi, gbm/saa.py */
bool saa_inside(enum burst_mission mission, int64_t t_ns, double lat_deg, double lon_deg);
#endif
