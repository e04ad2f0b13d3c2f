/* The words of protocol.md 6. */
#include "records/verdict.h"
#include <math.h>

const char *const VERDICT_CALL_WORD[CALL_N] = {NULL, "true", "false", "unclear"};
const char *const VERDICT_STATE_WORD[STATE_N] = {"open", "confirmed", "rejected", "retracted", "expired"};
const char *const ALERT_TYPE_WORD[ALERT_N] = {"initial", "update", "retraction"};
const char *const ALERT_TENSE_WORD[TENSE_N] = {"current", "test", "injection", "archival"};
const char *const VERDICT_ACTION_WORD[ACTION_N] = {NULL, "follow_up", "review", "cancel"};
const char *const VERDICT_AWAIT_WORD[AWAIT_N] = {NULL, "subimage", "events"};
const char *const VERDICT_SAA_WORD[VERDICT_SAA_N] = {NULL, "outside", "inside"};
const char *const EVENT_CLASS_WORD[CLASS_N] = {"GRB",         "SGR",      "SolarFlare",   "TGF",
                                               "KnownSource", "Particle", "Instrumental", "Other"};
const char *const REASON_CODE_WORD[REASON_N] = {
    NULL,
    "BURST_LIKE",
    "POINT_SOURCE",
    "KNOWN_SOURCE",
    "SGR",
    "SOLAR_FLARE",
    "TGF",
    "PARTICLE",
    "SAA",
    "BAD_SUBTRACTION",
    "COLUMN_EFFECT",
    "XRDPIX_INHOMOGENEITY",
    "BRIGHT_SOURCE_ARTEFACT",
    "CODING_NOISE",
    "EARTH_LIMB",
    "MOON",
    "DETECTOR_NOISE",
    "TELEMETRY",
    "STAR_TRACKER",
    "NOISE",
    "LOW_CONFIDENCE",
    "PARTIAL_IMAGE",
    "OUT_OF_DISTRIBUTION",
    "INTERNAL",
    "OTHER",
    "DUPLICATE",
};
const char *const EVIDENCE_FLAG_WORD[EVIDENCE_FLAG_N] = {"incomplete",
                                                         "partial_image",
                                                         "trigger_without_data",
                                                         "short_window",
                                                         "no_wcs",
                                                         "bytes_swapped",
                                                         "no_noise",
                                                         "moon_geocentric",
                                                         "wcs_conflict",
                                                         "rate_100_times_ordinary",
                                                         "saturated",
                                                         "dead_time_over_10_percent"};

void verdict_platform_unknown(struct verdict_platform *ret)
{
    *ret = (struct verdict_platform){VERDICT_SAA_UNKNOWN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
}
