/* Any bytes as a platform message; an accepted packet keeps every promise of records/platform.h, and a refusal says why. */
#include "ingest/platform.h"
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static double length_of(const double *v, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

static void check_packet(const struct platform_packet *p)
{
    double r = length_of(p->position_km, 3);
    must(p->has_position ? r >= 6499.999 && r <= 50000.001 : r == 0.0);
    if (p->attitude == ATTITUDE_VALID) must(fabs(length_of(p->quaternion, 4) - 1.0) < 1e-9);
    must(p->attitude == ATTITUDE_VALID || length_of(p->quaternion, 4) == 0.0);
    must(p->saa == SAA_UNKNOWN || p->saa == SAA_OUT || p->saa == SAA_IN);
    must(p->t_ns > 0 && p->source.instrument == INSTRUMENT_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source source = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_NONE};
    struct platform_packet packet;
    struct burst_error why = {.code = BURST_OK};
    enum burst_err err = ingest_platform(source, data, size, &packet, &why);
    if (err)
        must(why.code == err && why.text[0]);
    else
        check_packet(&packet);
    return 0;
}
