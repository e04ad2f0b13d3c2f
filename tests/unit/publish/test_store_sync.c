/* What reaches the disk and when. This program's own fdatasync and fsync stand before the C library's: libsqlite3 calls them. */
#include "store_fixture.h"
#include <sys/syscall.h>

static int n_sync;
static bool refuse_sync;

static int count_sync(long number, int fd)
{
    n_sync++;
    if (refuse_sync) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fdatasync(int fd)
{
    return count_sync(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return count_sync(SYS_fsync, fd);
}

TEST(an_append_is_on_the_disk_when_it_returns)
{
    begin();
    put(VERDICT, "first", NOW_NS); /* the first one also writes the WAL's header */
    for (int i = 0; i < 3; i++) {
        n_sync = 0;
        put(VERDICT, "m", NOW_NS);
        CHECK_SAY(n_sync >= 1, "append %d returned without a sync", i);
    }
    end();
}

TEST(an_acknowledgement_does_not_wait_for_the_disk_and_the_next_append_does)
{
    begin();
    uint8_t h[STREAM_CHAIN];
    uint64_t seq;
    put(VERDICT, "a", NOW_NS);
    CHECK_INT(log_->head(log_->ctx, VERDICT, &seq, h, &error), BURST_OK);
    n_sync = 0;
    CHECK_INT(log_->ack(log_->ctx, "north", VERDICT, 1, h, &error), BURST_OK);
    CHECK_INT(n_sync, 0);
    put(VERDICT, "b", NOW_NS);
    CHECK(n_sync >= 1);
    end();
}

TEST(a_checkpoint_waits_for_the_flush)
{
    begin();
    put(VERDICT, "a", NOW_NS);
    n_sync = 0;
    CHECK_INT(store_checkpoint_put(store, "k", (const uint8_t *)"x", 1, &error), BURST_OK);
    CHECK_INT(n_sync, 0);
    CHECK_INT(store_flush(store, &error), BURST_OK);
    CHECK(n_sync >= 1);
    n_sync = 0;
    CHECK_INT(store_flush(store, &error), BURST_OK); /* nothing staged, nothing to wait for */
    CHECK_INT(n_sync, 0);
    end();
}

TEST(a_sync_that_fails_breaks_the_store_for_good)
{
    begin();
    put(VERDICT, "a", NOW_NS);
    refuse_sync = true;
    CHECK_REFUSED(sample_append(log_, VERDICT, "b", NOW_NS, &error), BURST_E_IO, error, "COMMIT");
    refuse_sync = false;
    CHECK_REFUSED(sample_append(log_, VERDICT, "c", NOW_NS, &error), BURST_E_STATE, error, "gave up after");
    close_store();
    open_store(); /* the ambiguous message is there or not, but the log is whole either way */
    CHECK(!new_stream);
    uint64_t head = head_of(VERDICT);
    CHECK(head == 1 || head == 2);
    CHECK_INT(verified().n_message, head);
    put(VERDICT, "next", NOW_NS);
    CHECK_INT(head_of(VERDICT), head + 1);
    end();
}

int main(void)
{
    RUN(an_append_is_on_the_disk_when_it_returns);
    RUN(an_acknowledgement_does_not_wait_for_the_disk_and_the_next_append_does);
    RUN(a_checkpoint_waits_for_the_flush);
    RUN(a_sync_that_fails_breaks_the_store_for_good);
    return check_report();
}
