/* See platform.h. */
#include "ingest/platform.h"
#include "base/clock.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

static const double RADIUS_LEAST_KM = 6500.0, RADIUS_MOST_KM = 50000.0;
static const double LENGTH_SLACK = 1e-3; /* of a quaternion: four digits, as telemetry may round them */

/* A member, NULL where it is absent or null: both mean that it is not known. */
static const json_t *member(const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, name);
    return json_is_null(value) ? NULL : value;
}

static enum burst_err read_numbers(const json_t *value, const char *name, size_t n, double *ret_numbers,
                                   struct burst_error *reterr)
{
    if (!json_is_array(value) || json_array_size(value) != n)
        return burst_fail(reterr, BURST_E_FORMAT, "\"%s\" is no array of %zu numbers", name, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *number = json_array_get(value, i);
        if (!json_is_number(number)) return burst_fail(reterr, BURST_E_FORMAT, "\"%s\"[%zu] is no number", name, i);
        ret_numbers[i] = json_number_value(number);
    }
    return BURST_OK;
}

static enum burst_err read_flag(const json_t *root, const char *name, bool *ret_known, bool *ret_flag,
                                struct burst_error *reterr)
{
    const json_t *value = member(root, name);
    if (value && !json_is_boolean(value))
        return burst_fail(reterr, BURST_E_FORMAT, "\"%s\" is neither true, false nor null", name);
    *ret_known = value != NULL;
    *ret_flag = json_is_true(value);
    return BURST_OK;
}

static enum burst_err read_time(const json_t *root, int64_t *ret_t_ns, struct burst_error *reterr)
{
    const json_t *value = member(root, "time");
    if (!value) return burst_fail(reterr, BURST_E_MISSING, "\"time\" is absent");
    if (!json_is_string(value)) return burst_fail(reterr, BURST_E_FORMAT, "\"time\" is no text");
    enum burst_err err = clock_parse_utc(json_string_value(value), ret_t_ns, reterr);
    return err ? burst_prefix(reterr, err, "\"time\"") : BURST_OK;
}

static enum burst_err read_position(const json_t *root, struct platform_packet *p, struct burst_error *reterr)
{
    const json_t *value = member(root, "position_km");
    if (!value) return BURST_OK;
    double *r = p->position_km;
    enum burst_err err = read_numbers(value, "position_km", 3, r, reterr);
    if (err) return err;
    double radius = hypot(hypot(r[0], r[1]), r[2]);
    if (!(radius >= RADIUS_LEAST_KM && radius <= RADIUS_MOST_KM))
        return burst_fail(reterr, BURST_E_RANGE,
                          "\"position_km\" lies %.6g km from the centre of the Earth, %.0f to %.0f are taken", radius,
                          RADIUS_LEAST_KM, RADIUS_MOST_KM);
    p->has_position = true;
    return BURST_OK;
}

/* The quaternion, of length 1; *ret_given false where there is none. */
static enum burst_err read_quaternion(const json_t *root, double q[4], bool *ret_given, struct burst_error *reterr)
{
    const json_t *value = member(root, "quaternion");
    *ret_given = value != NULL;
    if (!value) return BURST_OK;
    enum burst_err err = read_numbers(value, "quaternion", 4, q, reterr);
    if (err) return err;
    double length = hypot(hypot(q[0], q[1]), hypot(q[2], q[3]));
    if (!(fabs(length - 1.0) <= LENGTH_SLACK))
        return burst_fail(reterr, BURST_E_RANGE, "\"quaternion\" has length %.6g, 1 within %g is taken", length,
                          LENGTH_SLACK);
    for (int i = 0; i < 4; i++)
        q[i] /= length;
    return BURST_OK;
}

static enum burst_err read_attitude(const json_t *root, struct platform_packet *p, struct burst_error *reterr)
{
    double q[4] = {0.0};
    bool given = false, said = false, valid = false;
    enum burst_err err = read_quaternion(root, q, &given, reterr);
    if (!err) err = read_flag(root, "attitude_valid", &said, &valid, reterr);
    if (err) return err;
    if (valid && !given)
        return burst_fail(reterr, BURST_E_MISSING, "\"attitude_valid\" is true, but there is no \"quaternion\"");
    if (said && !valid) {
        p->attitude = ATTITUDE_INVALID;
    } else if (given) {
        p->attitude = ATTITUDE_VALID;
        memcpy(p->quaternion, q, sizeof p->quaternion);
    }
    return BURST_OK;
}

static enum burst_err read_members(const json_t *root, struct platform_packet *p, struct burst_error *reterr)
{
    bool known = false, inside = false;
    enum burst_err err = read_time(root, &p->t_ns, reterr);
    if (!err) err = read_position(root, p, reterr);
    if (!err) err = read_attitude(root, p, reterr);
    if (!err) err = read_flag(root, "saa", &known, &inside, reterr);
    if (!err && known) p->saa = inside ? SAA_IN : SAA_OUT;
    return err;
}

enum burst_err ingest_platform(struct source source, const uint8_t *body, size_t n, struct platform_packet *ret_packet,
                               struct burst_error *reterr)
{
    struct platform_packet p = {.source = {source.realm, source.mission, INSTRUMENT_NONE}};
    json_error_t why;
    if (n > INGEST_PLATFORM_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "a platform message of %zu bytes, limit %d", n, INGEST_PLATFORM_MOST);
    json_t *root = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, &why);
    enum burst_err err = json_is_object(root) ? read_members(root, &p, reterr)
                                              : burst_fail(reterr, BURST_E_FORMAT, "no JSON object: %s (byte %d)",
                                                           root ? "another type" : why.text, root ? 0 : why.position);
    json_decref(root);
    if (!err) *ret_packet = p;
    return err;
}
