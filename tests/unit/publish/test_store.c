/* The verdict log over SQLite: numbers, history, revisions, acknowledgements, checkpoints. */
#include "store_fixture.h"

/* ---- the log ---- */

TEST(numbers_are_dense_per_topic_and_read_back)
{
    begin();
    CHECK(new_stream);
    CHECK_INT(head_of(VERDICT), 0);
    put(VERDICT, "a", NOW_NS);
    put(VERDICT, "b", NOW_NS + 1);
    put(EVIDENCE, "x", NOW_NS + 2);
    put(VERDICT, "c", NOW_NS + 3);
    CHECK_INT(head_of(VERDICT), 3);
    CHECK_INT(head_of(EVIDENCE), 1);
    CHECK_INT(earliest_of(VERDICT), 1);
    CHECK_INT(earliest_of("burst.v1.fermi.verdict"), 1);
    CHECK_STR(read_from(VERDICT, 1, 10, 4).text, "a:1,b:2,c:3");
    CHECK_STR(read_from(VERDICT, 2, 1, 3).text, "b:2");
    CHECK_STR(read_from(VERDICT, 4, 10, 4).text, "");
    CHECK_STR(read_from("burst.v1.fermi.verdict", 1, 10, 1).text, "");
    CHECK_INT(verified().n_message, 4);
    CHECK_INT(store_counts(store).appended, 4);
    end();
}

TEST(an_empty_body_is_a_message)
{
    begin();
    put(VERDICT, "", NOW_NS);
    CHECK_STR(read_from(VERDICT, 1, 1, 2).text, ":1");
    CHECK_INT(verified().n_message, 1);
    end();
}

TEST(a_visitor_that_has_had_enough_stops_the_reading)
{
    begin();
    for (int i = 0; i < 5; i++)
        put(VERDICT, "m", NOW_NS);
    struct seen seen = {.stop_at = 2};
    uint64_t next = 0;
    CHECK_INT(log_->read(log_->ctx, VERDICT, 1, 10, note_body, &seen, &next, &error), BURST_OK);
    CHECK_INT(next, 3);
    CHECK_INT(seen.n, 2);
    CHECK_STR(read_from(VERDICT, 3, 1, 4).text, "m:3"); /* the statement is ready again */
    end();
}

TEST(a_number_that_does_not_follow_is_refused_and_stays_free)
{
    begin();
    struct sample_item s;
    put(VERDICT, "a", NOW_NS);
    CHECK_INT(sample_next(log_, VERDICT, "b", NOW_NS, &s, &error), BURST_OK);
    s.item.seq = 3;
    CHECK_REFUSED(log_->append(log_->ctx, &s.item, &error), BURST_E_CONFLICT, error, "3 does not follow 1");
    s.item.seq = 1;
    CHECK_REFUSED(log_->append(log_->ctx, &s.item, &error), BURST_E_CONFLICT, error, "1 does not follow 1");
    s.item.seq = 2;
    s.item.seal = NULL;
    CHECK_REFUSED(log_->append(log_->ctx, &s.item, &error), BURST_E_MISSING, error, "no seal");
    s.item.seal = s.seal;
    CHECK_INT(log_->append(log_->ctx, &s.item, &error), BURST_OK);
    CHECK_INT(verified().n_message, 2);
    end();
}

TEST(last_gives_the_newest_of_each_topic_under_a_prefix)
{
    begin();
    put(VERDICT, "v1", NOW_NS);
    put("burst.v1.fermi.verdict", "f1", NOW_NS);
    put(VERDICT, "v2", NOW_NS);
    put("burst-test.v1.svom.verdict", "t1", NOW_NS);
    struct seen seen = {0};
    CHECK_INT(log_->last(log_->ctx, "burst.v1.", note_body, &seen, &error), BURST_OK);
    CHECK_STR(seen.text, "f1:1,v2:2"); /* rising topic order */
    seen = (struct seen){0};
    CHECK_INT(log_->last(log_->ctx, "", note_body, &seen, &error), BURST_OK);
    CHECK_STR(seen.text, "t1:1,f1:1,v2:2"); /* '-' sorts before '.' */
    seen = (struct seen){0};
    CHECK_INT(log_->last(log_->ctx, "burst.v1.svom.verdict.", note_body, &seen, &error), BURST_OK);
    CHECK_INT(seen.n, 0);
    end();
}

/* ---- revisions ---- */

TEST(a_told_revision_is_recognised_also_after_a_restart)
{
    begin();
    CHECK_INT(seen_as("sb1", 1, 'a'), STORE_ABSENT);
    tell("sb1", 1, "a", true, NOW_NS);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(seen_as("sb1", 1, 'a'), STORE_SAME);
        CHECK_INT(seen_as("sb1", 1, 'b'), STORE_DIFFERENT);
        CHECK_INT(store_counts(store).conflicts, 1);
        CHECK_INT(seen_as("sb1", 2, 'a'), STORE_ABSENT);
        CHECK_INT(seen_as("sb2", 1, 'a'), STORE_ABSENT);
        close_store();
        open_store();
        CHECK(!new_stream);
    }
    end();
}

TEST(a_staged_revision_belongs_to_the_next_append_only)
{
    begin();
    struct store_record r = record_of("sb1", 1, 'a', true);
    CHECK_INT(store_stage_record(store, &r, &error), BURST_OK);
    store_unstage(store);
    put(VERDICT, "a", NOW_NS);
    CHECK_INT(seen_as("sb1", 1, 'a'), STORE_ABSENT);
    tell("sb1", 1, "a", true, NOW_NS);
    put(VERDICT, "other", NOW_NS);
    CHECK_INT(seen_as("sb1", 1, 'a'), STORE_SAME);
    r.id = "";
    CHECK_REFUSED(store_stage_record(store, &r, &error), BURST_E_RANGE, error, "cannot stage");
    r = record_of("sb1", 0, 'a', true);
    CHECK_REFUSED(store_stage_record(store, &r, &error), BURST_E_RANGE, error, "revision 0");
    CHECK_REFUSED(store_stage_evidence(store, VERDICT, "sb1", -1, &error), BURST_E_RANGE, error, "revision -1");
    end();
}

TEST(evidence_is_known_with_its_revision)
{
    begin();
    bool has = true;
    tell("sb1", 1, "a", true, NOW_NS);
    CHECK_INT(store_has_evidence(store, VERDICT, "sb1", 1, &has, &error), BURST_OK);
    CHECK(!has);
    CHECK_INT(store_stage_evidence(store, VERDICT, "sb1", 1, &error), BURST_OK);
    put(EVIDENCE, "FITS", NOW_NS);
    CHECK_INT(store_has_evidence(store, VERDICT, "sb1", 1, &has, &error), BURST_OK);
    CHECK(has);
    CHECK_INT(store_has_evidence(store, VERDICT, "sb1", 2, &has, &error), BURST_OK);
    CHECK(!has);
    end();
}

TEST(open_gives_the_newest_revision_of_events_not_closed_before)
{
    begin();
    tell("sb1", 1, "1a", true, NOW_NS);
    tell("sb2", 1, "2a", true, NOW_NS + 1);
    tell("sb1", 2, "1b", true, NOW_NS + 2);
    tell("sb3", 1, "3a", false, NOW_NS + 3);
    tell("sb2", 2, "2b", false, NOW_NS + 10);
    put(EVIDENCE, "x", NOW_NS);
    struct seen seen = {0};
    CHECK_INT(log_->open_events(log_->ctx, "burst.v1.", NOW_NS + 10, note_body, &seen, &error), BURST_OK);
    CHECK_STR(seen.text, "1b:3,2b:5");
    seen = (struct seen){0};
    CHECK_INT(log_->open_events(log_->ctx, VERDICT, NOW_NS + 11, note_body, &seen, &error), BURST_OK);
    CHECK_STR(seen.text, "1b:3");
    seen = (struct seen){0};
    CHECK_INT(log_->open_events(log_->ctx, "burst-test.", 0, note_body, &seen, &error), BURST_OK);
    CHECK_INT(seen.n, 0);
    end();
}

/* ---- acknowledgements ---- */

TEST(an_ack_of_our_own_chain_is_taken_and_another_is_a_fork)
{
    begin();
    uint8_t h1[STREAM_CHAIN], h2[STREAM_CHAIN], zero[STREAM_CHAIN] = {0};
    uint64_t seq;
    put(VERDICT, "a", NOW_NS);
    CHECK_INT(log_->head(log_->ctx, VERDICT, &seq, h1, &error), BURST_OK);
    put(VERDICT, "b", NOW_NS);
    CHECK_INT(log_->head(log_->ctx, VERDICT, &seq, h2, &error), BURST_OK);
    CHECK_INT(log_->ack(log_->ctx, "north", VERDICT, 2, h2, &error), BURST_OK);
    CHECK_INT(log_->ack(log_->ctx, "north", VERDICT, 1, h1, &error), BURST_OK); /* late: the mark only rises */
    CHECK_REFUSED(log_->ack(log_->ctx, "north", VERDICT, 1, h2, &error), BURST_E_CONFLICT, error,
                  "chain value differs");
    CHECK_REFUSED(log_->ack(log_->ctx, "north", VERDICT, 3, h2, &error), BURST_E_CONFLICT, error, "never reached");
    CHECK_REFUSED(log_->ack(log_->ctx, "north", "burst.v1.x.verdict", 1, h2, &error), BURST_E_CONFLICT, error,
                  "never reached");
    CHECK_INT(log_->ack(log_->ctx, "north", "burst.v1.x.verdict", 0, zero, &error), BURST_OK);
    CHECK_INT(store_counts(store).forks, 3);
    close_store();
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "SELECT name, seq FROM consumer", -1, &st, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(st) == SQLITE_ROW);
    CHECK_STR((const char *)sqlite3_column_text(st, 0), "north");
    CHECK_INT(sqlite3_column_int64(st, 1), 2);
    CHECK(sqlite3_step(st) == SQLITE_DONE);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    end();
}

TEST(strangers_cannot_fill_the_ledger)
{
    begin();
    uint8_t h[STREAM_CHAIN];
    uint64_t seq;
    char name[32];
    put(VERDICT, "a", NOW_NS);
    CHECK_INT(log_->head(log_->ctx, VERDICT, &seq, h, &error), BURST_OK);
    for (int i = 0; i < STORE_CONSUMER_MAX; i++) {
        (void)snprintf(name, sizeof name, "c%d", i);
        CHECK_INT(log_->ack(log_->ctx, name, VERDICT, 1, h, &error), BURST_OK);
    }
    CHECK_REFUSED(log_->ack(log_->ctx, "one-more", VERDICT, 1, h, &error), BURST_E_LIMIT, error,
                  "no room for consumer 'one-more'");
    CHECK_INT(log_->ack(log_->ctx, "c7", VERDICT, 1, h, &error), BURST_OK);
    put(VERDICT, "b", NOW_NS); /* and the log goes on */
    end();
}

/* ---- checkpoints ---- */

TEST(checkpoints_travel_with_the_next_append)
{
    begin();
    uint8_t *bytes = NULL;
    size_t n = 0;
    CHECK_REFUSED(store_checkpoint_get(store, "input", &bytes, &n, &error), BURST_E_MISSING, error,
                  "no checkpoint 'input'");
    CHECK(bytes == NULL);
    CHECK_INT(store_checkpoint_put(store, "input", (const uint8_t *)"one", 3, &error), BURST_OK);
    CHECK_INT(store_checkpoint_put(store, "input", (const uint8_t *)"two", 3, &error), BURST_OK);
    CHECK_INT(store_checkpoint_put(store, "empty", NULL, 0, &error), BURST_OK);
    CHECK_INT(store_checkpoint_get(store, "input", &bytes, &n, &error), BURST_OK);
    CHECK(n == 3 && memcmp(bytes, "two", 3) == 0);
    free(bytes);
    put(VERDICT, "a", NOW_NS);
    close_store();
    open_store();
    bytes = NULL;
    CHECK_INT(store_checkpoint_get(store, "input", &bytes, &n, &error), BURST_OK);
    CHECK(n == 3 && bytes && memcmp(bytes, "two", 3) == 0);
    free(bytes);
    bytes = NULL;
    CHECK_INT(store_checkpoint_get(store, "empty", &bytes, &n, &error), BURST_OK);
    CHECK_INT(n, 0);
    free(bytes);
    char key[STORE_KEY_TEXT + 1];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = 0;
    CHECK_REFUSED(store_checkpoint_put(store, key, (const uint8_t *)"x", 1, &error), BURST_E_LIMIT, error,
                  "checkpoint");
    CHECK_REFUSED(store_checkpoint_put(store, "k", (const uint8_t *)key, STORE_CHECKPOINT_MAX + 1, &error),
                  BURST_E_LIMIT, error, "1048577 bytes");
    end();
}

/* In a child that dies without closing: what append or flush covered is there, what came later is not. */
TEST(a_checkpoint_that_was_not_flushed_dies_with_the_process)
{
    begin();
    close_store();
    pid_t child = fork();
    if (child == 0) {
        open_store();
        enum burst_err err = store_checkpoint_put(store, "k", (const uint8_t *)"kept", 4, NULL);
        if (!err) err = store_flush(store, NULL);
        if (!err) err = store_checkpoint_put(store, "k", (const uint8_t *)"lost", 4, NULL);
        (void)raise(err ? SIGTERM : SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGKILL);
    open_store();
    uint8_t *bytes = NULL;
    size_t n = 0;
    CHECK(!new_stream);
    CHECK_INT(store_checkpoint_get(store, "k", &bytes, &n, &error), BURST_OK);
    CHECK(n == 4 && bytes && memcmp(bytes, "kept", 4) == 0);
    free(bytes);
    end();
}

int main(void)
{
    RUN(numbers_are_dense_per_topic_and_read_back);
    RUN(an_empty_body_is_a_message);
    RUN(a_visitor_that_has_had_enough_stops_the_reading);
    RUN(a_number_that_does_not_follow_is_refused_and_stays_free);
    RUN(last_gives_the_newest_of_each_topic_under_a_prefix);
    RUN(a_told_revision_is_recognised_also_after_a_restart);
    RUN(a_staged_revision_belongs_to_the_next_append_only);
    RUN(evidence_is_known_with_its_revision);
    RUN(open_gives_the_newest_revision_of_events_not_closed_before);
    RUN(an_ack_of_our_own_chain_is_taken_and_another_is_a_fork);
    RUN(strangers_cannot_fill_the_ledger);
    RUN(checkpoints_travel_with_the_next_append);
    RUN(a_checkpoint_that_was_not_flushed_dies_with_the_process);
    return check_report();
}
