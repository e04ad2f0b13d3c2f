/* The quarantine: exact bytes, bounds that hold, what crashes and full disks leave behind. */
#include "base/bytes.h"
#include "check.h"
#include "daemon/quarantine.h"
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char parent[] = "/tmp/burst-quarantine-XXXXXX", folder[64];
static struct quarantine *q;
static struct burst_error e;

static const uint8_t STREAM[STREAM_UUID] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                            0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01};
static const struct quarantine_note NOTE = {.kind = "bad_events",
                                            .code = BURST_E_FORMAT,
                                            .text = "EVENTS: row 3: \n\x1b[2J is no time (byte 8640)",
                                            .topic = "burst.v1.fermi.gbm.events",
                                            .gateway = "gbm",
                                            .stream = STREAM,
                                            .seq = 77};

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Names in the folder, "." and ".." not counted; the folder is emptied and removed where `empty`. */
static int count_files(bool empty)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (entry->d_name[0] == '.') continue;
        n++;
        if (empty) (void)unlink(path_of(entry->d_name));
    }
    if (d) (void)closedir(d);
    if (empty) (void)rmdir(folder);
    return n;
}

static void begin(int64_t bytes_most, int64_t pairs_most)
{
    CHECK_INT(quarantine_open(&(struct quarantine_settings){folder, bytes_most, pairs_most}, &q, &e), BURST_OK);
}

/* Until all that was given has been written or lost; the first error. */
static enum burst_err write_all(void)
{
    enum burst_err first = BURST_OK;
    struct quarantine_counts c, before;
    do {
        quarantine_counts(q, &before);
        enum burst_err err = quarantine_step(q, first ? NULL : &e);
        if (!first) first = err;
        quarantine_counts(q, &c);
    } while (c.kept + c.again + c.lost != before.kept + before.again + before.lost);
    return first;
}

static void end(void)
{
    quarantine_close(q);
    q = NULL;
}

static void keep(const char *text)
{
    quarantine_keep(q, &NOTE, &(struct frame_bytes){text, strlen(text)}, 1);
}

static void check_content(const char *name, const char *want)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    CHECK_INT(bytes_read_file(path_of(name), 1 << 20, &bytes, &n, &e), BURST_OK);
    CHECK_SAY(bytes && n == strlen(want) && memcmp(bytes, want, n) == 0, "%s holds other bytes than %s", name, want);
    free(bytes);
}

static bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

TEST(a_refusal_is_its_bytes_and_a_side_file)
{
    struct quarantine_counts c;
    begin(1 << 20, 10);
    keep("SIMPLE  = F");
    CHECK_INT(count_files(false), 0); /* giving alone touches no disk */
    CHECK_INT(write_all(), BURST_OK);
    check_content("000000000001.bin", "SIMPLE  = F");
    json_t *side = json_load_file(path_of("000000000001.json"), JSON_REJECT_DUPLICATES, NULL);
    const char *const want[][2] = {{"kind", "bad_events"},
                                   {"code", "format"},
                                   {"text", "EVENTS: row 3: ??[2J is no time (byte 8640)"},
                                   {"topic", "burst.v1.fermi.gbm.events"},
                                   {"gateway", "gbm"},
                                   {"stream", "11223344-5566-7788-99aa-bbccddeeff01"},
                                   /* printf 'SIMPLE  = F' | sha256sum */
                                   {"sha256", "fa509d9bca4f819062f111dcce65f41c3370dfc8db6e3b4032f3e730a9f069fe"}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        CHECK_STR(json_string_value(json_object_get(side, want[i][0])), want[i][1]);
    CHECK_INT(json_integer_value(json_object_get(side, "seq")), 77);
    CHECK_INT(json_integer_value(json_object_get(side, "bytes")), 11);
    CHECK_INT(json_integer_value(json_object_get(side, "number")), 1);
    CHECK(!json_object_get(side, "frames"));
    json_decref(side);
    struct stat st;
    CHECK_INT(stat(path_of("000000000001.bin"), &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK_INT(stat(path_of("000000000001.json"), &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK_INT(stat(folder, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0700);
    quarantine_counts(q, &c);
    CHECK(c.kept == 1 && c.pairs == 1 && c.lost == 0 && c.bytes > 11);
    end();
}

TEST(frames_are_kept_one_after_the_other_with_their_sizes)
{
    struct quarantine_note note = NOTE;
    const struct frame_bytes frames[] = {{"topic", 5}, {"", 0}, {"body", 4}};
    note.is_frames = true;
    note.stream = NULL;
    note.seq = 0;
    begin(1 << 20, 10);
    quarantine_keep(q, &note, frames, 3);
    CHECK_INT(write_all(), BURST_OK);
    check_content("000000000001.bin", "topicbody");
    json_t *side = json_load_file(path_of("000000000001.json"), JSON_REJECT_DUPLICATES, NULL);
    json_t *sizes = json_object_get(side, "frames");
    CHECK_INT(json_array_size(sizes), 3);
    CHECK_INT(json_integer_value(json_array_get(sizes, 0)), 5);
    CHECK_INT(json_integer_value(json_array_get(sizes, 1)), 0);
    CHECK_INT(json_integer_value(json_array_get(sizes, 2)), 4);
    CHECK(!json_object_get(side, "stream") && !json_object_get(side, "seq"));
    json_decref(side);
    end();
}

TEST(the_same_bytes_are_kept_once)
{
    struct quarantine_counts c;
    begin(1 << 20, 10);
    for (int i = 0; i < 5; i++)
        keep("same");
    CHECK_INT(write_all(), BURST_OK);
    quarantine_counts(q, &c);
    CHECK(c.kept == 1 && c.again == 4 && c.pairs == 1);
    CHECK_INT(count_files(false), 2);
    end();
}

TEST(the_oldest_make_room_by_number_of_files)
{
    char text[32];
    struct quarantine_counts c;
    begin(1 << 20, 3);
    for (int i = 1; i <= 7; i++) {
        (void)snprintf(text, sizeof text, "refusal %d", i);
        keep(text);
        CHECK_INT(write_all(), BURST_OK);
        CHECK(count_files(false) <= 6);
    }
    CHECK(!is_there("000000000004.bin") && !is_there("000000000004.json"));
    check_content("000000000005.bin", "refusal 5");
    check_content("000000000007.bin", "refusal 7");
    quarantine_counts(q, &c);
    CHECK(c.kept == 7 && c.removed == 4 && c.pairs == 3);
    end();
}

TEST(the_oldest_make_room_by_bytes_side_files_included)
{
    static char big[3000];
    struct quarantine_counts c;
    begin(8192, 100);
    for (int i = 0; i < 10; i++) {
        memset(big, 'a' + i, sizeof big - 1);
        keep(big);
        CHECK_INT(write_all(), BURST_OK);
        int64_t total = 0;
        for (int k = 1; k <= 10; k++) {
            char name[32];
            struct stat st;
            for (int kind = 0; kind < 2; kind++) {
                (void)snprintf(name, sizeof name, "%012d.%s", k, kind ? "json" : "bin");
                if (stat(path_of(name), &st) == 0) total += st.st_size;
            }
        }
        quarantine_counts(q, &c);
        CHECK_INT(c.bytes, total);
        CHECK(total <= 8192);
    }
    CHECK_INT(c.pairs, 2);
    end();
}

TEST(a_refusal_larger_than_the_ring_is_lost_and_told_once)
{
    static char big[9000];
    struct quarantine_counts c;
    memset(big, 'x', sizeof big - 1);
    begin(8192, 100);
    keep("small");
    CHECK_INT(write_all(), BURST_OK);
    keep(big);
    CHECK_REFUSED(write_all(), BURST_E_IO, e, "room for 8192");
    big[0] = 'y';
    keep(big);
    CHECK_INT(write_all(), BURST_OK); /* told already */
    check_content("000000000001.bin", "small");
    keep("small again"); /* a success */
    CHECK_INT(write_all(), BURST_OK);
    big[0] = 'z';
    keep(big);
    CHECK_REFUSED(write_all(), BURST_E_IO, e, "room for 8192");
    quarantine_counts(q, &c);
    CHECK(c.lost == 3 && c.kept == 2);
    end();
}

TEST(more_than_can_wait_is_lost_not_waited_for)
{
    struct quarantine_counts c;
    char text[16];
    begin(1 << 20, 1000);
    for (int i = 0; i < QUARANTINE_PENDING_MOST + 10; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        keep(text);
    }
    CHECK_INT(write_all(), BURST_OK);
    quarantine_counts(q, &c);
    CHECK(c.kept == QUARANTINE_PENDING_MOST && c.lost == 10);
    uint8_t *huge = malloc(QUARANTINE_PENDING_BYTES + 1);
    if (!huge) SKIP("no 48 MiB of memory");
    quarantine_keep(q, &NOTE, &(struct frame_bytes){huge, QUARANTINE_PENDING_BYTES + 1}, 1);
    free(huge);
    quarantine_counts(q, &c);
    CHECK_INT(c.lost, 11);
    keep("after it");
    CHECK_INT(write_all(), BURST_OK);
    quarantine_counts(q, &c);
    CHECK_INT(c.kept, QUARANTINE_PENDING_MOST + 1);
    end();
}

TEST(the_ring_goes_on_after_a_restart)
{
    struct quarantine_counts c;
    begin(1 << 20, 10);
    keep("one");
    keep("two"); /* written by the close */
    end();
    begin(1 << 20, 10);
    quarantine_counts(q, &c);
    CHECK_INT(c.pairs, 2);
    keep("two"); /* known from before */
    keep("three");
    CHECK_INT(write_all(), BURST_OK);
    check_content("000000000002.bin", "two");
    check_content("000000000003.bin", "three");
    CHECK(!is_there("000000000004.bin"));
    end();
    begin(1 << 20, 2); /* a smaller bound now */
    quarantine_counts(q, &c);
    CHECK(c.pairs == 2 && c.removed == 1);
    CHECK(!is_there("000000000001.bin") && is_there("000000000002.json"));
    end();
}

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    CHECK(f != NULL);
    if (!f) return;
    CHECK(fputs(text, f) >= 0);
    CHECK(fclose(f) == 0);
}

TEST(what_a_crash_left_half_done_is_removed_and_foreign_files_are_not)
{
    struct quarantine_counts c;
    begin(1 << 20, 10);
    keep("whole");
    keep("will be cut");
    keep("will lose its bytes");
    keep("will lose its side");
    end();
    CHECK_INT(truncate(path_of("000000000002.bin"), 4), 0);
    CHECK_INT(unlink(path_of("000000000003.bin")), 0);
    CHECK_INT(unlink(path_of("000000000004.json")), 0);
    put_file("000000000009.bin.tmp", "never renamed");
    put_file("000000000008.json", "{\"bytes\": 3");
    put_file("000000000008.bin", "abc");
    put_file("notes.txt", "mine");
    put_file("0000000000010.bin", "13 digits");
    begin(1 << 20, 10);
    quarantine_counts(q, &c);
    CHECK_INT(c.pairs, 1);
    CHECK_INT(count_files(false), 4); /* the whole pair, two files of somebody else's */
    CHECK(is_there("notes.txt") && is_there("0000000000010.bin"));
    keep("next");
    CHECK_INT(write_all(), BURST_OK);
    check_content("000000000010.bin", "next"); /* a number that was ever seen is not used again */
    end();
}

TEST(a_link_in_place_of_a_file_is_not_followed)
{
    char victim[96];
    (void)snprintf(victim, sizeof victim, "%s/victim", parent);
    begin(1 << 20, 10);
    CHECK_INT(symlink(victim, path_of("000000000001.bin.tmp")), 0);
    keep("text");
    CHECK_REFUSED(write_all(), BURST_E_IO, e, "000000000001.bin.tmp");
    CHECK(access(victim, F_OK) != 0);
    end();
}

TEST(a_disk_that_refuses_is_counted_and_told_once_and_leaves_nothing_half)
{
    struct quarantine_counts c;
    struct rlimit old, small = {.rlim_cur = 20};
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    begin(1 << 20, 10);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    keep("longer than the twenty bytes a file may have");
    enum burst_err first = write_all();
    keep("once more longer than the twenty bytes a file may have");
    enum burst_err second = quarantine_step(q, NULL);
    keep("short"); /* fits, but its side file does not */
    enum burst_err third = quarantine_step(q, NULL);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0);
    CHECK_INT(first, BURST_E_IO);
    CHECK_SAY(strstr(e.text, strerror(EFBIG)), "text \"%s\"", e.text);
    CHECK(second == BURST_OK && third == BURST_OK);
    CHECK_INT(count_files(false), 0);
    keep("now it goes");
    CHECK_INT(write_all(), BURST_OK);
    quarantine_counts(q, &c);
    CHECK(c.lost == 3 && c.kept == 1 && c.pairs == 1);
    CHECK_INT(count_files(false), 2);
    end();
}

TEST(clearing_removes_every_pair_and_goes_on_counting)
{
    struct quarantine_counts c;
    int64_t n = -1;
    begin(1 << 20, 10);
    keep("one");
    keep("two");
    CHECK_INT(write_all(), BURST_OK);
    quarantine_clear(q, &n);
    CHECK_INT(n, 2);
    CHECK_INT(count_files(false), 0);
    keep("one");
    CHECK_INT(write_all(), BURST_OK);
    check_content("000000000003.bin", "one");
    quarantine_counts(q, &c);
    CHECK(c.pairs == 1 && c.kept == 3);
    end();
}

TEST(bounds_of_nothing_keep_nothing_and_touch_no_disk)
{
    struct quarantine_counts c;
    CHECK_INT(quarantine_open(&(struct quarantine_settings){"/nowhere/at/all", 0, 10}, &q, &e), BURST_OK);
    keep("text");
    CHECK_INT(write_all(), BURST_OK);
    quarantine_counts(q, &c);
    CHECK(c.kept == 0 && c.lost == 0);
    end();
    quarantine_keep(NULL, &NOTE, NULL, 0);
    CHECK_INT(quarantine_step(NULL, &e), BURST_OK);
    quarantine_counts(NULL, &c);
    CHECK_INT(c.kept, 0);
    quarantine_close(NULL);
}

TEST(a_folder_that_cannot_be_is_refused)
{
    struct quarantine *none = NULL;
    CHECK_REFUSED(quarantine_open(&(struct quarantine_settings){"/nowhere/at/all", 1, 1}, &none, &e), BURST_E_IO, e,
                  "/nowhere/at/all");
    CHECK_REFUSED(quarantine_open(&(struct quarantine_settings){"/proc/self/exe", 1, 1}, &none, &e), BURST_E_IO, e,
                  "/proc/self/exe");
    CHECK_REFUSED(quarantine_open(&(struct quarantine_settings){folder, -1, 1}, &none, &e), BURST_E_RANGE, e, "-1");
    CHECK_REFUSED(quarantine_open(&(struct quarantine_settings){folder, 1, 100001}, &none, &e), BURST_E_RANGE, e,
                  "100001");
    CHECK(!none);
}

static void run(const char *name, void (*test)(void))
{
    check_run(name, test);
    (void)count_files(true);
}

int main(void)
{
    if (!mkdtemp(parent)) return 1;
    (void)snprintf(folder, sizeof folder, "%s/ring", parent);
#define RUN_EMPTY(name) run(#name, name)
    RUN_EMPTY(a_refusal_is_its_bytes_and_a_side_file);
    RUN_EMPTY(frames_are_kept_one_after_the_other_with_their_sizes);
    RUN_EMPTY(the_same_bytes_are_kept_once);
    RUN_EMPTY(the_oldest_make_room_by_number_of_files);
    RUN_EMPTY(the_oldest_make_room_by_bytes_side_files_included);
    RUN_EMPTY(a_refusal_larger_than_the_ring_is_lost_and_told_once);
    RUN_EMPTY(more_than_can_wait_is_lost_not_waited_for);
    RUN_EMPTY(the_ring_goes_on_after_a_restart);
    RUN_EMPTY(what_a_crash_left_half_done_is_removed_and_foreign_files_are_not);
    RUN_EMPTY(a_link_in_place_of_a_file_is_not_followed);
    RUN_EMPTY(a_disk_that_refuses_is_counted_and_told_once_and_leaves_nothing_half);
    RUN_EMPTY(clearing_removes_every_pair_and_goes_on_counting);
    RUN_EMPTY(bounds_of_nothing_keep_nothing_and_touch_no_disk);
    RUN_EMPTY(a_folder_that_cannot_be_is_refused);
    (void)rmdir(parent);
    return check_report();
}
