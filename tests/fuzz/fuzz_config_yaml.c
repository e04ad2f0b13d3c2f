/* Any bytes as burstd.yaml: taken or refused, never a crash, a leak or a hang; what is taken has a digest and reloads onto
 * itself. Start with -max_len=65537 and the seeds in tests/fuzz/corpus/config_yaml. */
#include "config/config.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct burst_config config;
    static struct config_faults faults;
    uint8_t digest[32];
    enum burst_err err = config_parse(bytes, n, &config, &faults);
    if ((err == BURST_OK) != (faults.n == 0)) abort(); /* a refusal without a reason, or a reason without a refusal */
    if (err != BURST_OK) return 0;
    config_digest(&config, digest);
    if (config_reload(&config, &config, &faults) != BURST_OK) abort();
    return 0;
}
