/* The known sources in force: durable before they are, seen by the ingest thread at once, and the same after a restart. */
#include "base/clock.h"
#include "check.h"
#include "daemon/known.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static struct burst_error error;
static char folder[64], path[96];
static struct science science;
static struct store *store;
static struct known *known;
static float pixels[SUBIMAGE_SIDE * SUBIMAGE_SIDE];

/* 56 x 56 pixels of 0.56 degrees whose trigger pixel looks to RA 100, Dec 0. */
static struct subimage_packet packet = {.n_y = 56,
                                        .n_z = 56,
                                        .sky_y0 = 72,
                                        .sky_z0 = 72,
                                        .sky_n = 200,
                                        .trigger_y = 100,
                                        .trigger_z = 100,
                                        .snr = pixels,
                                        .wcs = {{29, 29}, {100, 0}, {{-0.56, 0}, {0, 0.56}}}};

static void open_all(void)
{
    struct store_settings settings = {path, 7};
    bool new_stream;
    enum burst_err err = store_open(&settings, &store, &new_stream, &error);
    if (!err) err = known_open(&science, store, &known, &error);
    CHECK_SAY(!err, "%s", error.text);
}

static void close_all(void)
{
    known_close(known);
    known = NULL;
    CHECK_INT(store_close(store, &error), BURST_OK);
    store = NULL;
}

static void begin(void)
{
    static const char LIST[] = "name,ra_deg,dec_deg,bright\nFar,280,10,0\n";
    (void)snprintf(folder, sizeof folder, "/tmp/known-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/burst.db", folder);
    science = (struct science){0};
    science.decide.config_sha256[0] = 9;
    CHECK_INT(catalogue_parse(LIST, sizeof LIST - 1, "list", &science.catalogue, &error), BURST_OK);
    packet.span.start_ns = INT64_C(1770170469184000000);
    packet.span.stop_ns = packet.span.start_ns + 20 * CLOCK_NS_PER_S;
    open_all();
}

static void end(void)
{
    char name[128];
    close_all();
    catalogue_fini(&science.catalogue);
    static const char *const END[] = {"", ".note", "-wal", "-shm"};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, END[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

static struct known_change change_of(const char *name, double ra_deg, bool remove)
{
    struct known_change c = {.remove = remove, .source = {.ra_deg = ra_deg}, .who = "jo", .why = "a test"};
    (void)snprintf(c.source.name, sizeof c.source.name, "%s", name);
    return c;
}

static struct known_outcome changed(const char *name, double ra_deg, bool remove)
{
    struct known_change c = change_of(name, ra_deg, remove);
    struct known_outcome o = {.err = BURST_E_STATE};
    enum burst_err err = known_begin(known, &c, &error);
    CHECK_SAY(!err, "%s", error.text);
    CHECK(known_under_way(known) && !known_end(known, &o)); /* nobody has written it */
    CHECK_INT(known_commit(known, store, &error), BURST_OK);
    CHECK(known_end(known, &o) && !known_under_way(known));
    CHECK_INT(o.err, BURST_OK);
    return o;
}

static struct image_sample masked(void)
{
    struct image_sample s;
    CHECK_INT(known_prepare(known, &packet, NULL, &s, &error), BURST_OK);
    return s;
}

TEST(a_change_is_in_force_after_it_is_written_and_not_before)
{
    begin();
    CHECK_STR(masked().nearest_name, "");
    CHECK_INT(masked().config_sha256[0], 9);
    struct known_change c = change_of("Here", 100.4, false);
    struct known_outcome o;
    CHECK_INT(known_begin(known, &c, &error), BURST_OK);
    CHECK_STR(masked().nearest_name, "");
    CHECK_INT(known_commit(known, store, &error), BURST_OK);
    CHECK_STR(masked().nearest_name, "");
    CHECK(known_end(known, &o));
    struct image_sample s = masked();
    CHECK_STR(s.nearest_name, "Here");
    CHECK_NEAR(s.nearest_px, 0.4 / 0.56, 1e-4);
    CHECK_INT(s.mask[28][27], MASK_SOURCE); /* east is to the left */
    uint8_t digest[32];
    known_sha256(known, digest);
    CHECK(memcmp(s.config_sha256, digest, 32) == 0 && memcmp(digest, science.decide.config_sha256, 32) != 0);
    CHECK_INT(o.audit_number, 1);
    CHECK_INT(known_catalogue(known)->n_source, 2);
    end();
}

TEST(what_was_added_is_there_after_a_restart_until_it_is_removed)
{
    begin();
    uint8_t before[32], after[32];
    (void)changed("Here", 100, false);
    (void)changed("There", 110, false);
    known_sha256(known, before);
    close_all();
    open_all();
    known_sha256(known, after);
    CHECK(memcmp(before, after, 32) == 0);
    CHECK_STR(masked().nearest_name, "Here");
    CHECK_INT(changed("here", 0, true).audit_number, 3);
    struct known_outcome o = changed("THERE", 0, true);
    CHECK_STR(o.change.source.name, "There");
    CHECK_NEAR(o.change.source.ra_deg, 110, 0);
    close_all();
    open_all();
    known_sha256(known, after);
    CHECK(memcmp(after, science.decide.config_sha256, 32) == 0);
    CHECK_STR(masked().nearest_name, "");
    end();
}

TEST(a_refused_change_leaves_everything_and_one_at_a_time_is_taken)
{
    begin();
    struct known_change bad = change_of("Here", 400, false), known_one = change_of("far", 10, false);
    struct known_change one = change_of("Here", 100, false), two = change_of("There", 110, false);
    struct known_change file = change_of("Far", 0, true);
    struct known_outcome o;
    CHECK_REFUSED(known_begin(known, &bad, &error), BURST_E_RANGE, error, "right ascension");
    CHECK_REFUSED(known_begin(known, &known_one, &error), BURST_E_DUPLICATE, error, "Far is known already");
    CHECK_REFUSED(known_begin(known, &file, &error), BURST_E_UNSUPPORTED, error, "catalogue file");
    CHECK(!known_under_way(known) && !known_end(known, &o));
    CHECK_INT(known_commit(known, store, &error), BURST_OK); /* there is nothing to write */
    CHECK_INT(known_begin(known, &one, &error), BURST_OK);
    CHECK_REFUSED(known_begin(known, &two, &error), BURST_E_FULL, error, "another change");
    CHECK_INT(known_commit(known, store, &error), BURST_OK);
    CHECK_REFUSED(known_begin(known, &two, &error), BURST_E_FULL, error, "another change");
    CHECK(known_end(known, &o));
    CHECK_INT(known_overlay(known)->n_source, 1);
    end();
}

TEST(a_change_under_way_at_the_end_is_let_go)
{
    begin();
    struct known_change one = change_of("Here", 100, false);
    CHECK_INT(known_begin(known, &one, &error), BURST_OK);
    end();
}

TEST(additions_that_cannot_be_read_keep_it_from_starting)
{
    begin();
    (void)changed("Here", 100, false);
    known_close(known);
    known = NULL;
    CHECK_INT(store_checkpoint_put(store, "known-sources", (const uint8_t *)"junk", 4, &error), BURST_OK);
    struct known *k = NULL;
    CHECK_REFUSED(known_open(&science, store, &k, &error), BURST_E_FORMAT, error,
                  "added known sources in the database");
    CHECK(k == NULL);
    end();
}

static atomic_bool stop;
static atomic_int n_masked;

static void *mask_all_the_time(void *arg)
{
    struct image_sample s;
    struct burst_error e;
    (void)arg;
    while (!atomic_load(&stop))
        if (known_prepare(known, &packet, NULL, &s, &e) == BURST_OK) atomic_fetch_add(&n_masked, 1);
    return NULL;
}

static void *write_all_the_time(void *arg)
{
    struct burst_error e;
    (void)arg;
    while (!atomic_load(&stop))
        if (known_commit(known, store, &e)) return NULL;
    return NULL;
}

/* For the thread sanitizer: the three threads of the daemon. */
TEST(three_threads_may_meet_here)
{
    begin();
    pthread_t mask, write;
    struct known_outcome o;
    atomic_store(&stop, false);
    CHECK_INT(pthread_create(&mask, NULL, mask_all_the_time, NULL), 0);
    CHECK_INT(pthread_create(&write, NULL, write_all_the_time, NULL), 0);
    for (int i = 0; i < 20; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "N %d", i / 2);
        struct known_change c = change_of(name, 100 + i / 2, i % 2);
        CHECK_INT(known_begin(known, &c, &error), BURST_OK);
        while (!known_end(known, &o))
            (void)usleep(100);
        CHECK_INT(o.err, BURST_OK);
        CHECK_INT(o.audit_number, i + 1);
    }
    while (atomic_load(&n_masked) < 10)
        (void)usleep(100);
    atomic_store(&stop, true);
    CHECK_INT(pthread_join(mask, NULL), 0);
    CHECK_INT(pthread_join(write, NULL), 0);
    CHECK_INT(known_overlay(known)->n_source, 0);
    end();
}

int main(void)
{
    RUN(a_change_is_in_force_after_it_is_written_and_not_before);
    RUN(what_was_added_is_there_after_a_restart_until_it_is_removed);
    RUN(a_refused_change_leaves_everything_and_one_at_a_time_is_taken);
    RUN(a_change_under_way_at_the_end_is_let_go);
    RUN(additions_that_cannot_be_read_keep_it_from_starting);
    RUN(three_threads_may_meet_here);
    return check_report();
}
