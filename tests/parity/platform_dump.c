/* What our platform history makes of messages, as JSON lines, for comparison with astropy.
 *
 *   platform_dump MISSION      (0 GECAM-A .. 4 Fermi, enum burst_mission)
 *
 * Standard input, line by line: a platform message (JSON) is remembered; "? T" prints the state at T (TT ns since 1970);
 * "!" forgets everything. A refused message prints its error. */
#include "ingest/platform.h"
#include "prepare/platform.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 4096 };

static void put(const char *name, const double *v, int n)
{
    printf(",\"%s\":", name);
    if (n > 1) printf("[");
    for (int i = 0; i < n; i++)
        printf("%s%.17g", i ? "," : "", v[i]);
    if (n > 1) printf("]");
}

static void put_state(const struct platform_state *s)
{
    printf("{\"state\":%d,\"saa\":%d,\"saa_by\":%d,\"attitude\":%d,\"night\":%d", (int)s->state, (int)s->saa,
           (int)s->saa_by, (int)s->attitude, s->is_night);
    put("age_s", &s->age_s, 1);
    put("error_km", &s->position_error_km, 1);
    put("icrs_km", s->position_icrs_km, 3);
    put("lat", &s->lat_deg, 1);
    put("lon", &s->lon_deg, 1);
    put("alt", &s->alt_km, 1);
    put("b", &s->b_nt, 1);
    put("l", &s->l_shell, 1);
    put("earth", s->earth_deg, 2);
    put("earth_radius", &s->earth_radius_deg, 1);
    put("sun", s->sun_deg, 2);
    put("moon", s->moon_deg, 2);
    put("sun_limb", &s->sun_limb_deg, 1);
    put("axis", s->axis_deg, 2);
    put("axis_sun", &s->axis_sun_deg, 1);
    put("axis_moon", &s->axis_moon_deg, 1);
    put("axis_limb", &s->axis_limb_deg, 1);
    printf("}\n");
}

static void remember(struct platform_history *h, struct source source, const char *line)
{
    struct platform_packet packet;
    struct burst_error why;
    enum burst_err err = ingest_platform(source, (const uint8_t *)line, strlen(line), &packet, &why);
    if (!err) err = platform_history_add(h, &packet, &why);
    if (err) printf("{\"error\":\"%s\"}\n", burst_err_name(err));
}

int main(int argc, char **argv)
{
    static char line[LINE_MOST];
    struct platform_history *h;
    struct platform_state state;
    if (argc != 2) return 2;
    struct source source = {REALM_TEST, (enum burst_mission)atoi(argv[1]), INSTRUMENT_NONE};
    if (platform_history_new(&h, NULL)) return 4;
    while (fgets(line, sizeof line, stdin)) {
        if (line[0] == '!') {
            platform_history_forget(h);
        } else if (line[0] == '?') {
            platform_state_at(h, source.mission, strtoll(line + 1, NULL, 10), &state);
            put_state(&state);
        } else
            remember(h, source, line);
    }
    platform_history_free(h);
    return 0;
}
