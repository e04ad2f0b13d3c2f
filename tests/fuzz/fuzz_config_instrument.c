/* Any bytes as the description of an instrument: taken or refused, never a crash, a leak or a hang; what is taken keeps the promises
 * of config/instrument.h. */
#include "config/instrument.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct config_instrument in;
    static struct config_faults faults;
    enum burst_err err = config_instrument_parse(bytes, n, &in, &faults);
    if ((err == BURST_OK) != (faults.n == 0)) abort(); /* a refusal without a reason, or a reason without a refusal */
    if (err != BURST_OK) return 0;
    if (in.detectors_count < 1 || in.detectors_count > 25 || in.detectors_open > in.detectors_count) abort();
    if (in.n_keep < 0 || in.n_keep > INSTRUMENT_KEEP_MAX || !in.rows_table[0] || !strchr(in.mission_topic, '.'))
        abort();
    for (int i = 0; i < in.n_keep; i++)
        if (!in.keep[i].column[0] || in.keep[i].least > in.keep[i].most) abort();
    return 0;
}
