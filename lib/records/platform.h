/* platform: where a satellite was and how it stood, as the mission sent it (packet) and as it follows for one moment
 * (state).
 * Packets are made by ingest, states by prepare. All zeros is a state: nothing is known. */
#ifndef BURST_RECORDS_PLATFORM_H
#define BURST_RECORDS_PLATFORM_H
#include "records/source.h"

enum platform_saa { SAA_UNKNOWN, SAA_OUT, SAA_IN };
enum platform_attitude {
    ATTITUDE_UNKNOWN, /* nothing was said */
    ATTITUDE_INVALID, /* the mission says that it does not know (star tracker lost, or another cause) */
    ATTITUDE_VALID
};

/* One message of `burst.v1.<mission>.platform`. Source: protocol.md 3.
 *
 * TEME is the true equator and mean equinox of date, origin the centre of the Earth: the frame of SGP4 and two-line
 * elements.
 * The quaternion is [x, y, z, w], scalar last, length 1; it turns a direction from the spacecraft's frame into ICRS:
 * v_icrs = q v q*. q and -q are the same attitude. (The order of Fermi's QSJ_1..4 and GECAM's Q1..Q4; SVOM's Q0..Q3
 * starts with
 * the scalar and is for its gateway to turn round.) */
struct platform_packet {
    struct source source; /* realm and mission; instrument INSTRUMENT_NONE */
    int64_t t_ns;         /* TT */
    bool has_position;
    double position_km[3]; /* TEME; 6,500..50,000 km from the centre of the Earth */
    enum platform_attitude attitude;
    double quaternion[4]; /* where ATTITUDE_VALID */
    enum platform_saa saa;
};

enum platform_known {
    PLATFORM_ABSENT, /* the mission sent nothing that could be used */
    PLATFORM_STALE,  /* it did, but not near enough to this moment: no figures */
    PLATFORM_KNOWN   /* position, and what follows from it */
};
enum platform_saa_by { SAA_BY_NOBODY, SAA_BY_MISSION, SAA_BY_POLYGON };

/* Where the satellite was at t_ns, and what follows. Figures are 0 where the flag before them is false. Degrees are
 * ICRS unless
 * said otherwise; [2] is right ascension [0, 360), declination. */
struct platform_state {
    enum platform_known state;
    int64_t t_ns; /* the moment it is for, TT */
    double age_s; /* from that moment to the nearest sample, >= 0; PLATFORM_ABSENT: 0 */

    enum platform_saa saa; /* may be known where the position is not */
    enum platform_saa_by saa_by;

    bool has_position;              /* exactly where PLATFORM_KNOWN */
    double position_error_km;       /* bound on what interpolation adds */
    double position_icrs_km[3];     /* from the centre of the Earth, axes of ICRS: what sky_moon_from takes */
    double lat_deg, lon_deg;        /* geodetic, WGS 84; east [-180, 180) */
    double alt_km;                  /* above the ellipsoid */
    double b_nt;                    /* geomagnetic field here */
    double l_shell;                 /* McIlwain L, Earth radii; 0: the field line could not be followed */
    double earth_deg[2];            /* the centre of the Earth */
    double earth_radius_deg;        /* half its angular size */
    double sun_deg[2], moon_deg[2]; /* seen from the satellite */
    double sun_limb_deg;            /* Sun above the Earth's limb; negative: the Earth hides it */
    bool is_night;                  /* sun_limb_deg < 0 */

    enum platform_attitude attitude;
    bool has_pointing;                  /* ATTITUDE_VALID: the pointing axis is known */
    double axis_deg[2];                 /* the instrument's axis */
    double quaternion[4];               /* as above */
    double axis_sun_deg, axis_moon_deg; /* angles between; where has_position too */
    double axis_limb_deg;               /* axis above the Earth's limb; negative: it looks at the Earth */
};

/* Angle between two directions, degrees: right ascension and declination in, 0..180 out. */
double platform_separation_deg(const double a_deg[2], const double b_deg[2]);
/* How far a direction stands above the Earth's limb, degrees; negative: behind the Earth.
 * Given     s  has_position */
double platform_limb_deg(const struct platform_state *s, const double deg[2]);
#endif
