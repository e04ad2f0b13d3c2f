/* Any bytes as a notice in a classic packet; an accepted one keeps every promise of records/notice.h. */
#include "fuzz/notice_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    promise_any_mission(NOTICE_BINARY, data, size);
    return 0;
}
