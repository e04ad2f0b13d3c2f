/* The trace of windows: lines, order, what an old file keeps, refusals. */
#include "base/bytes.h"
#include "check.h"
#include "publish/trace.h"
#include <stdlib.h>
#include <unistd.h>

static struct lightcurve_window *window(int n_detector)
{
    struct lightcurve_window *w = NULL;
    (void)window_new(n_detector, &w, NULL);
    w->source = (struct source){REALM_TEST, MISSION_GECAM_B, INSTRUMENT_GRD};
    w->bands.n_atom = 5;
    w->k_end = 3200;
    w->n_detector = n_detector;
    for (int d = 0; d < n_detector; d++) {
        w->detector[d] = 2 * d + 1;
        w->n_valid[d] = 1875 - d;
    }
    return w;
}

static const char *temporary(void)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/burst-trace-%ld", (long)getpid());
    (void)unlink(path);
    return path;
}

static char *contents(const char *path)
{
    uint8_t *text = NULL;
    size_t n = 0;
    (void)bytes_read_file(path, 1 << 20, &text, &n, NULL);
    return (char *)text;
}

/* The digest of zeros is sha256 of 45,000 zero bytes (5 atoms and the validity, 1,875 numbers of 4 bytes each):
 * head -c 45000 /dev/zero | sha256sum */
TEST(a_window_is_a_line_for_each_detector)
{
    struct window_trace *t = NULL;
    struct lightcurve_window *w = window(2);
    const char *path = temporary();
    CHECK_INT(window_trace_open(path, &t, NULL), BURST_OK);
    CHECK_INT(window_trace_add(t, w, NULL), BURST_OK);
    char *text = contents(path);
    CHECK_STR(text, "burst-test.v1.gecam-b.grd.events,3200,1,1875,0,"
                    "1a301a7eae2868077e84e8969d0982bde217a372fd4b7e4e699f4247606503bf\n"
                    "burst-test.v1.gecam-b.grd.events,3200,3,1874,0,"
                    "1a301a7eae2868077e84e8969d0982bde217a372fd4b7e4e699f4247606503bf\n");
    free(text);
    window_trace_close(t);
    window_free(w);
    (void)unlink(path);
}

TEST(one_count_changes_its_line_and_no_other)
{
    struct window_trace *t = NULL;
    struct lightcurve_window *w = window(2);
    const char *path = temporary();
    CHECK_INT(window_trace_open(path, &t, NULL), BURST_OK);
    CHECK_INT(window_trace_add(t, w, NULL), BURST_OK);
    w->counts[5 * WINDOW_BINS + 7] = 1; /* of the second row */
    CHECK_INT(window_trace_add(t, w, NULL), BURST_OK);
    char *text = contents(path), *line[4] = {0};
    int n = 0;
    for (char *p = strtok(text, "\n"); p && n < 4; p = strtok(NULL, "\n"))
        line[n++] = p;
    CHECK_INT(n, 4);
    if (n == 4) CHECK_STR(line[0], line[2]);
    CHECK(n == 4 && strcmp(line[1], line[3]) != 0);
    free(text);
    window_trace_close(t);
    window_free(w);
    (void)unlink(path);
}

TEST(opening_again_adds_to_the_file_and_a_gap_is_said)
{
    struct window_trace *t = NULL;
    struct lightcurve_window *w = window(1);
    const char *path = temporary();
    for (int i = 0; i < 2; i++) {
        CHECK_INT(window_trace_open(path, &t, NULL), BURST_OK);
        w->incomplete = i == 1;
        CHECK_INT(window_trace_add(t, w, NULL), BURST_OK);
        window_trace_close(t);
    }
    char *text = contents(path);
    CHECK(strstr(text, ",3200,1,1875,0,") && strstr(text, ",3200,1,1875,1,"));
    free(text);
    window_free(w);
    (void)unlink(path);
}

TEST(after_a_torn_line_comes_a_new_one)
{
    struct window_trace *t = NULL;
    struct lightcurve_window *w = window(1);
    const char *path = temporary();
    FILE *torn = fopen(path, "w");
    CHECK(torn && fputs("burst.v1.gecam-b.grd.events,32", torn) >= 0 && fclose(torn) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(window_trace_open(path, &t, NULL), BURST_OK);
        CHECK_INT(window_trace_add(t, w, NULL), BURST_OK);
        window_trace_close(t);
    }
    char *text = contents(path);
    CHECK(strncmp(text, "burst.v1.gecam-b.grd.events,32\nburst", 36) == 0);
    CHECK(strstr(text, "\n\n") == NULL);
    free(text);
    window_free(w);
    (void)unlink(path);
}

TEST(a_file_that_cannot_be_made_is_refused)
{
    struct window_trace *t = NULL;
    struct burst_error e;
    CHECK_REFUSED(window_trace_open("/nowhere/at/all", &t, &e), BURST_E_IO, e, "/nowhere/at/all");
    CHECK(t == NULL);
    window_trace_close(t);
}

TEST(a_full_disk_and_an_unknown_instrument_are_told)
{
    struct window_trace *t = NULL;
    struct burst_error e;
    struct lightcurve_window *w = window(1);
    if (access("/dev/full", W_OK) != 0) SKIP("/dev/full is absent");
    CHECK_INT(window_trace_open("/dev/full", &t, NULL), BURST_OK);
    CHECK_REFUSED(window_trace_add(t, w, &e), BURST_E_IO, e, "No space left");
    w->source.instrument = INSTRUMENT_ECLAIRS;
    CHECK_REFUSED(window_trace_add(t, w, &e), BURST_E_UNSUPPORTED, e, "instrument");
    window_trace_close(t);
    window_free(w);
}

int main(void)
{
    RUN(a_window_is_a_line_for_each_detector);
    RUN(one_count_changes_its_line_and_no_other);
    RUN(opening_again_adds_to_the_file_and_a_gap_is_said);
    RUN(after_a_torn_line_comes_a_new_one);
    RUN(a_file_that_cannot_be_made_is_refused);
    RUN(a_full_disk_and_an_unknown_instrument_are_told);
    return check_report();
}
