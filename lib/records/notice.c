/* The empty notice and the words of its enums. */
#include "records/notice.h"
#include <math.h>

const char *const NOTICE_KIND_WORD[NOTICE_KIND_N] = {"trigger",   "update",     "catalogue_source", "slew",
                                                     "follow_up", "retraction", "information"};
const char *const NOTICE_CITE_WORD[CITE_N] = {"followup", "supersedes", "retraction"};
const char *const NOTICE_TRIGGER_TYPE_WORD[TRIGGER_TYPE_N] = {"", "rate", "image"};
const char *const NOTICE_SLEW_WORD[SLEW_N] = {"", "not_requested", "requested", "accepted", "rejected"};
const char *const NOTICE_FLAG_WORD[NOTICE_FLAG_N] = {"not_a_grb",    "in_catalogue", "ground",     "human",
                                                     "delayed",      "lost_lock",    "time_match", "place_match",
                                                     "out_of_range", "short",        "long"};

void notice_clear(struct notice *n)
{
    *n = (struct notice){.kind = NOTICE_INFORMATION, .event_class = CLASS_N};
    n->source.instrument = INSTRUMENT_NONE;
    double *const absent[] = {
        &n->trigger_digit_s,
        &n->trigger_error_s,
        &n->timescale_s,
        &n->e_min_kev,
        &n->e_max_kev,
        &n->snr_sigma,
        &n->duration_s,
        &n->intensity,
        &n->hardness,
        &n->ra_deg,
        &n->dec_deg,
        &n->error_deg,
        &n->containment,
        &n->phi_deg,
        &n->theta_deg,
        &n->sun_angle_deg,
        &n->moon_angle_deg,
        &n->class_p,
        &n->second_p,
        &n->p_astro,
        &n->far_hz,
        &n->inference_p,
        &n->attitude_ra_deg,
        &n->attitude_dec_deg,
        &n->attitude_roll_deg,
        &n->sat_longitude_deg,
        &n->sat_latitude_deg,
        &n->sat_altitude_km,
        &n->quaternion[0],
        &n->quaternion[1],
        &n->quaternion[2],
        &n->quaternion[3],
    };
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        *absent[i] = NAN;
}
