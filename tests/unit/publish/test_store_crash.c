/* Kill the writer at random moments, twenty times, and look at what it left: nothing told may be lost, no number used twice,
 * and what was staged with a message is there exactly when the message is. */
#include "store_fixture.h"

enum { KILLS = 20 };

/* Append for ever; after each append that returned good, say its number through the pipe. */
static void write_until_killed(int told)
{
    struct store_settings settings = {path, 7};
    if (store_open(&settings, &store, &new_stream, NULL)) _exit(1);
    log_ = store_log(store);
    for (;;) {
        char id[24];
        uint64_t seq;
        uint8_t h[STREAM_CHAIN];
        if (log_->head(log_->ctx, VERDICT, &seq, h, NULL)) _exit(2);
        seq++;
        (void)snprintf(id, sizeof id, "sb%llu", (unsigned long long)seq);
        struct store_record r = record_of(id, 1, 'c', seq % 2 == 0);
        if (store_stage_record(store, &r, NULL)) _exit(3);
        if (store_checkpoint_put(store, "input", (const uint8_t *)&seq, sizeof seq, NULL)) _exit(4);
        if (sample_append(log_, VERDICT, id, NOW_NS, NULL)) _exit(5);
        if (write(told, &seq, sizeof seq) != (ssize_t)sizeof seq) _exit(6);
        if (seq % 7 == 0 && log_->ack(log_->ctx, "north", VERDICT, seq - 1, h, NULL)) _exit(7);
    }
}

/* The last number a child killed after some time had told; 0 for none. */
static uint64_t run_and_kill(useconds_t wait_us)
{
    int ends[2];
    uint64_t last = 0, seq;
    if (pipe(ends)) return 0;
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        write_until_killed(ends[1]);
    }
    (void)close(ends[1]);
    if (wait_us % 2) { /* half of them: only once it is at work, so that the kill meets an append */
        if (read(ends[0], &seq, sizeof seq) == (ssize_t)sizeof seq) last = seq;
    }
    (void)usleep(wait_us);
    (void)kill(child, SIGKILL);
    while (read(ends[0], &seq, sizeof seq) == (ssize_t)sizeof seq)
        last = seq;
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_SAY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the writer ended by itself with %d",
              WEXITSTATUS(status));
    (void)close(ends[0]);
    return last;
}

static int64_t count_rows(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW);
    n = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return n;
}

static void look_after_kill(uint64_t told, uint64_t *most)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    uint64_t kept = 0;
    open_store();
    CHECK(!new_stream);
    uint64_t head = head_of(VERDICT);
    CHECK_SAY(head >= told && head >= *most, "head %llu after %llu was told (and %llu before)",
              (unsigned long long)head, (unsigned long long)told, (unsigned long long)*most);
    CHECK_INT(verified().n_message, head); /* dense, sealed, chained, all of them */
    CHECK_INT(count_rows("SELECT count(*) FROM record"), head);
    CHECK_INT(count_rows("SELECT count(*) FROM event"), head);
    if (head > 0) {
        CHECK_INT(store_checkpoint_get(store, "input", &bytes, &n, &error), BURST_OK);
        if (n == sizeof kept) memcpy(&kept, bytes, n);
        CHECK_INT(kept, head); /* the checkpoint of the last message that is there, not of one that is not */
        free(bytes);
    }
    *most = head;
    close_store();
}

TEST(twenty_kills_lose_nothing_told_and_leave_no_half)
{
    uint64_t most = 0;
    unsigned state = 20261120; /* the kill times: any spread will do, and the same one every time */
    begin();
    close_store();
    for (int i = 0; i < KILLS; i++) {
        state = state * 1664525u + 1013904223u; /* Numerical Recipes' quick generator */
        uint64_t told = run_and_kill((useconds_t)(state >> 17) % 24000);
        look_after_kill(told, &most);
    }
    CHECK_SAY(most >= KILLS / 2, "only %llu messages in %d runs: the kills met nothing", (unsigned long long)most,
              KILLS);
    end();
}

int main(void)
{
    RUN(twenty_kills_lose_nothing_told_and_leave_no_half);
    return check_report();
}
