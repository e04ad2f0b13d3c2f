/* Any bytes as a geometry file: taken or refused, never a crash or a hang; what is taken keeps the promises of spacecraft.h. */
#include "sim/spacecraft.h"
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct spacecraft craft;
    if (spacecraft_parse("fuzz", (const char *)bytes, n, &craft, NULL) != BURST_OK) return 0;
    if (craft.n_detector < 1 || craft.n_detector > SPACECRAFT_DETECTOR_MAX) abort();
    if (craft.n_search < 1 || craft.n_search > craft.n_detector) abort();
    for (int d = 0; d < craft.n_detector; d++) {
        if (!craft.detector[d].kind || craft.detector[d].kind->search != (d < craft.n_search)) abort();
        if (!isfinite(craft.detector[d].axis.azimuth_deg) || !isfinite(craft.detector[d].axis.zenith_deg)) abort();
    }
    return 0;
}
