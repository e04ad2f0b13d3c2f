/* Any bytes as a notice in a VOEvent; an accepted one keeps every promise of records/notice.h. */
#include "fuzz/notice_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    promise_any_mission(NOTICE_XML, data, size);
    return 0;
}
