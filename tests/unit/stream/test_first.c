/* Topics that go first: history gives them before others. */
#include "rig.h"

enum { N = 150 };
static const char *const PLATFORM = "burst.v1.fermi.platform";

/* Where in the order of coming the last platform message and the first message of events stood. */
static void take_all(struct rig *r, int *ret_last_platform, int *ret_first_event)
{
    struct subscriber_event ev;
    int n[2] = {0, 0};
    *ret_first_event = -1;
    for (int i = 0; i < 2 * N && rig_next(r, &ev); i++) {
        if (ev.kind == SUBSCRIBER_STREAM) {
            i--;
            continue;
        }
        CHECK_INT(ev.kind, SUBSCRIBER_MESSAGE);
        bool platform = strcmp(ev.topic, PLATFORM) == 0;
        CHECK_INT(ev.item.seq, ++n[platform]);
        if (platform) *ret_last_platform = i;
        if (!platform && *ret_first_event < 0) *ret_first_event = i;
    }
    CHECK_INT(n[0], N);
    CHECK_INT(n[1], N);
}

static void late(const char *first, int *ret_last_platform, int *ret_first_event)
{
    struct rig r;
    rig_open(&r);
    for (int i = 0; i < N; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "message %d", i);
        rig_send_text(&r, RIG_TOPIC, text);
        rig_send_text(&r, PLATFORM, text);
    }
    r.set.first = first;
    r.set.batch = 10;
    rig_subscribe(&r);
    take_all(&r, ret_last_platform, ret_first_event);
    rig_close(&r);
}

TEST(a_topic_that_goes_first_has_come_whole_before_any_other)
{
    int last_platform, first_event;
    late(".platform", &last_platform, &first_event);
    CHECK_SAY(last_platform < first_event, "platform up to %d, events from %d", last_platform, first_event);
}

TEST(without_it_topics_take_turns)
{
    int last_platform, first_event;
    late(NULL, &last_platform, &first_event);
    CHECK_SAY(first_event < last_platform, "platform up to %d, events from %d", last_platform, first_event);
}

int main(void)
{
    RUN(a_topic_that_goes_first_has_come_whole_before_any_other);
    RUN(without_it_topics_take_turns);
    return check_report();
}
