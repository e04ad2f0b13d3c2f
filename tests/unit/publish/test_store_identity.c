/* The verdict log over time: retention, restored and damaged files, a disk that refuses. */
#include "store_fixture.h"

/* ---- retention ---- */

TEST(old_messages_go_but_the_newest_and_the_newest_revisions_stay)
{
    begin();
    tell("sb1", 1, "1a", true, NOW_NS - 9 * DAY_NS);
    tell("sb1", 2, "1b", true, NOW_NS - 8 * DAY_NS); /* the newest revision of sb1 */
    put(VERDICT, "old", NOW_NS - 8 * DAY_NS);
    put(VERDICT, "young", NOW_NS - 6 * DAY_NS);
    put(EVIDENCE, "old", NOW_NS - 9 * DAY_NS);
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(store_counts(store).pruned, 2);
    CHECK_INT(earliest_of(VERDICT), 4);
    CHECK_STR(read_from(VERDICT, 4, 9, 5).text, "young:4");
    struct seen seen = {0};
    uint64_t next = 77;
    CHECK_REFUSED(log_->read(log_->ctx, VERDICT, 3, 9, note_body, &seen, &next, &error), BURST_E_GONE, error,
                  "the oldest is 4");
    CHECK_INT(next, 77);
    CHECK_INT(log_->open_events(log_->ctx, "burst", 0, note_body, &seen, &error), BURST_OK);
    CHECK_STR(seen.text, "1b:2");
    CHECK_INT(earliest_of(EVIDENCE), 1); /* its only one */
    CHECK_INT(verified().n_message, 2);  /* the chain is whole from the first served one on */
    uint8_t h[STREAM_CHAIN] = {1};
    CHECK_INT(log_->ack(log_->ctx, "late", VERDICT, 1, h, &error), BURST_OK); /* gone: cannot be compared */
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(store_counts(store).pruned, 2);
    put(VERDICT, "next", NOW_NS);
    CHECK_INT(verified().n_message, 3);
    close_store();
    open_store();
    CHECK(!new_stream);
    end();
}

TEST(of_a_topic_that_is_all_old_the_newest_stays)
{
    begin();
    for (int i = 0; i < 3; i++)
        put(VERDICT, "old", NOW_NS - 9 * DAY_NS);
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(earliest_of(VERDICT), 3);
    CHECK_INT(head_of(VERDICT), 3);
    CHECK_INT(store_counts(store).pruned, 2);
    CHECK_INT(verified().n_message, 1);
    end();
}

TEST(much_that_is_old_goes_a_piece_at_a_time)
{
    begin();
    for (int i = 0; i < 100; i++)
        put(VERDICT, "old", NOW_NS - 9 * DAY_NS);
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(earliest_of(VERDICT), 65);
    CHECK_INT(store_counts(store).pruned, 64);
    CHECK_INT(verified().n_message, 36); /* whole at every step */
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(earliest_of(VERDICT), 100);
    CHECK_INT(verified().n_message, 1);
    end();
}

TEST(the_retention_can_be_changed_while_running)
{
    begin();
    put(VERDICT, "a", NOW_NS - 3 * DAY_NS);
    put(VERDICT, "b", NOW_NS);
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(earliest_of(VERDICT), 1); /* seven days */
    CHECK_REFUSED(store_set_retention(store, 0, &error), BURST_E_RANGE, error, "retention of 0 days");
    CHECK_INT(store_set_retention(store, 2, &error), BURST_OK);
    CHECK_INT(store_prune(store, NOW_NS, &error), BURST_OK);
    CHECK_INT(earliest_of(VERDICT), 2);
    end();
}

/* ---- identity ---- */

static void stream_id(uint8_t ret_uuid[16])
{
    store_stream(store, ret_uuid);
}

static void copy_file(const char *from, const char *to)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    CHECK_INT(bytes_read_file(from, 1u << 26, &bytes, &n, &error), BURST_OK);
    CHECK_INT(bytes_write_file(to, bytes, n, &error), BURST_OK);
    free(bytes);
}

/* Whatever `harm` does to the closed file, the next start has a new stream that begins at 1. */
static void harmed(void (*harm)(void), const char *what)
{
    uint8_t before[16], after[16];
    begin();
    stream_id(before);
    tell("sb1", 1, "a", true, NOW_NS);
    put(VERDICT, "b", NOW_NS);
    close_store();
    open_store();
    stream_id(after);
    CHECK_SAY(!new_stream && memcmp(before, after, 16) == 0, "%s: an untouched file changed its stream", what);
    close_store();
    harm();
    open_store();
    if (!store) return;
    stream_id(after);
    CHECK_SAY(new_stream && memcmp(before, after, 16) != 0, "%s was not noticed", what);
    CHECK_INT(head_of(VERDICT), 0);
    CHECK_INT(seen_as("sb1", 1, 'a'), STORE_SAME); /* told is told, also in another stream */
    put(VERDICT, "again", NOW_NS);
    CHECK_STR(read_from(VERDICT, 1, 9, 2).text, "again:1");
    CHECK_INT(verified().n_message, 1);
    close_store();
    open_store();
    CHECK_SAY(!new_stream, "%s: noticed twice", what);
    end();
}

static void truncate_log(void)
{
    meddle("DELETE FROM item WHERE seq = 2");
}
static void change_head(void)
{
    meddle("UPDATE topic SET h = zeroblob(32)");
}
static void forget_commit(void)
{
    meddle("UPDATE log SET commits = commits - 1");
}
static void lose_note(void)
{
    char note[300];
    (void)snprintf(note, sizeof note, "%s.note", path);
    CHECK_INT(unlink(note), 0);
}
static void spoil_note(void)
{
    char note[300];
    (void)snprintf(note, sizeof note, "%s.note", path);
    CHECK_INT(bytes_write_file(note, (const uint8_t *)"nonsense", 8, &error), BURST_OK);
}
/* As an operator would: an older copy of the database put back, the note left as it was. */
static void restore_older(void)
{
    char copy[300];
    (void)snprintf(copy, sizeof copy, "%s.copy", path);
    copy_file(path, copy);
    open_store();
    put(VERDICT, "c", NOW_NS);
    close_store();
    copy_file(copy, path);
}

TEST(a_restored_or_truncated_log_is_a_new_stream)
{
    harmed(truncate_log, "a missing newest message");
    harmed(change_head, "another head");
    harmed(forget_commit, "one commit less than the note says");
    harmed(lose_note, "a missing note");
    harmed(spoil_note, "a note that is none");
    harmed(restore_older, "an older copy put back");
}

TEST(a_lost_file_with_its_note_still_there_is_a_new_stream)
{
    uint8_t before[16], after[16];
    begin();
    stream_id(before);
    put(VERDICT, "a", NOW_NS);
    close_store();
    CHECK_INT(unlink(path), 0);
    open_store();
    stream_id(after);
    CHECK(new_stream && memcmp(before, after, 16) != 0);
    CHECK_INT(head_of(VERDICT), 0);
    end();
}

TEST(verify_names_the_first_message_that_was_changed)
{
    begin();
    for (int i = 0; i < 4; i++)
        put(VERDICT, "abcd", NOW_NS);
    close_store();
    meddle("UPDATE item SET body = CAST('abce' AS BLOB) WHERE seq = 3");
    struct store_reader *reader = NULL;
    struct store_verified v = {.n_message = 77};
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_REFUSED(store_verify(reader, &v, &error), BURST_E_CONFLICT, error, VERDICT " 3: the chain is broken");
    CHECK_INT(v.n_message, 77);
    store_reader_close(reader);
    meddle("DELETE FROM item WHERE seq = 2");
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_REFUSED(store_verify(reader, &v, &error), BURST_E_CONFLICT, error, "3 where 2 belongs");
    store_reader_close(reader);
    meddle("DELETE FROM item WHERE seq > 1");
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_REFUSED(store_verify(reader, &v, &error), BURST_E_CONFLICT, error, "ends at 1");
    store_reader_close(reader);
    meddle("UPDATE item SET header = zeroblob(40)");
    CHECK_INT(store_reader_open(path, &reader, &error), BURST_OK);
    CHECK_REFUSED(store_verify(reader, &v, &error), BURST_E_IO, error, "breaks the rules of the wire");
    store_reader_close(reader);
    end();
}

/* ---- opening ---- */

TEST(opening_what_is_no_store_is_refused)
{
    struct store_settings settings = {path, 0};
    struct store *other = NULL;
    bool fresh = false;
    begin();
    CHECK_REFUSED(store_open(&settings, &other, &fresh, &error), BURST_E_RANGE, error, "retention of 0 days");
    settings.retention_days = 7;
    CHECK_REFUSED(store_open(&settings, &other, &fresh, &error), BURST_E_STATE, error, "another process");
    close_store();
    meddle("PRAGMA user_version = 2");
    CHECK_REFUSED(store_open(&settings, &other, &fresh, &error), BURST_E_UNSUPPORTED, error, "version 2");
    struct store_reader *reader = NULL;
    CHECK_REFUSED(store_reader_open(path, &reader, &error), BURST_E_UNSUPPORTED, error, "version 2");
    meddle("PRAGMA application_id = 5");
    CHECK_REFUSED(store_open(&settings, &other, &fresh, &error), BURST_E_FORMAT, error, "none of burstd's");
    CHECK_REFUSED(store_reader_open(path, &reader, &error), BURST_E_FORMAT, error, "none of burstd's");
    CHECK_INT(bytes_write_file(path, (const uint8_t *)"This is no database at all, but a text.", 39, &error), BURST_OK);
    CHECK_REFUSED(store_open(&settings, &other, &fresh, &error), BURST_E_IO, error, "not a database");
    settings.path = "/nonexistent/burst.db";
    CHECK_REFUSED(store_open(&settings, &other, &fresh, &error), BURST_E_IO, error, "/nonexistent/burst.db");
    CHECK_REFUSED(store_reader_open(settings.path, &reader, &error), BURST_E_IO, error, "/nonexistent/burst.db");
    CHECK(other == NULL && reader == NULL && !fresh);
    CHECK_INT(store_close(NULL, NULL), BURST_OK);
    store_reader_close(NULL);
    end();
}

TEST(a_damaged_file_is_refused_by_the_check_at_start)
{
    begin();
    for (int i = 0; i < 200; i++)
        put(VERDICT, "a body that fills a few pages of the file, again and again and again", NOW_NS);
    close_store();
    int fd = open(path, O_RDWR);
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    off_t size = lseek(fd, 0, SEEK_END);
    CHECK(fd >= 0 && pwrite(fd, junk, sizeof junk, size - 2 * (off_t)sizeof junk) == (ssize_t)sizeof junk);
    (void)close(fd);
    struct store_settings settings = {path, 7};
    bool fresh = false;
    CHECK_REFUSED(store_open(&settings, &store, &fresh, &error), BURST_E_FORMAT, error, "is damaged");
    end();
}

/* ---- a disk that does not take it ---- */

/* The file may not grow past its present size: what a full disk does to a write. In a child, because it is for life. */
static int append_until_refused(void)
{
    struct rlimit limit = {0};
    char body[20000];
    memset(body, 'z', sizeof body - 1);
    body[sizeof body - 1] = 0;
    (void)signal(SIGXFSZ, SIG_IGN);
    open_store();
    if (sample_append(log_, VERDICT, "first", NOW_NS, &error)) return 10;
    limit.rlim_cur = limit.rlim_max = 65536;
    if (setrlimit(RLIMIT_FSIZE, &limit)) return 11;
    enum burst_err err = BURST_OK;
    int n = 0;
    while (!err && n < 20) {
        err = sample_append(log_, VERDICT, body, NOW_NS, &error);
        if (!err) n++;
    }
    if (err != BURST_E_IO) return 12;
    if (sample_append(log_, VERDICT, "small", NOW_NS, &error) != BURST_E_STATE ||
        !strstr(error.text, "gave up after: database"))
        return 13;
    if (store_checkpoint_put(store, "k", (const uint8_t *)"x", 1, &error) != BURST_E_STATE) return 14;
    if (store_flush(store, &error) != BURST_E_STATE || store_prune(store, NOW_NS, &error) != BURST_E_STATE) return 15;
    if (store_close(store, &error)) return 16; /* closing a broken store writes nothing */
    return n;
}

TEST(a_failed_commit_breaks_the_store_and_loses_nothing_told)
{
    begin();
    close_store();
    pid_t child = fork();
    if (child == 0) _exit(append_until_refused());
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    int n = WEXITSTATUS(status);
    CHECK_SAY(n > 0 && n < 10, "child ended with %d", n);
    open_store();
    CHECK(!new_stream);
    CHECK_INT(head_of(VERDICT), n + 1);
    CHECK_INT(verified().n_message, n + 1);
    end();
}

int main(void)
{
    RUN(old_messages_go_but_the_newest_and_the_newest_revisions_stay);
    RUN(of_a_topic_that_is_all_old_the_newest_stays);
    RUN(much_that_is_old_goes_a_piece_at_a_time);
    RUN(the_retention_can_be_changed_while_running);
    RUN(a_restored_or_truncated_log_is_a_new_stream);
    RUN(a_lost_file_with_its_note_still_there_is_a_new_stream);
    RUN(verify_names_the_first_message_that_was_changed);
    RUN(opening_what_is_no_store_is_refused);
    RUN(a_damaged_file_is_refused_by_the_check_at_start);
    RUN(a_failed_commit_breaks_the_store_and_loses_nothing_told);
    return check_report();
}
