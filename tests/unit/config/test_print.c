/* The configuration as text, as digest, and what a reload may change. */
#include "base/bytes.h"
#include "check.h"
#include "config/config.h"
#include <stdlib.h>

static struct burst_config now, next;
static struct config_faults faults;

static void parse(const char *text, struct burst_config *ret)
{
    CHECK_INT(config_parse((const uint8_t *)text, strlen(text), ret, &faults), BURST_OK);
}

TEST(the_committed_file_is_the_printed_defaults)
{
    static char printed[CONFIG_FILE_MAX];
    size_t n = config_print_defaults(printed, sizeof printed), n_file = 0;
    uint8_t *file = NULL;
    struct burst_error why;
    CHECK(n < sizeof printed);
    CHECK_INT(bytes_read_file(BURST_SOURCE_DIR "/config/burstd.yaml", CONFIG_FILE_MAX, &file, &n_file, &why), BURST_OK);
    CHECK_SAY(file && n == n_file && memcmp(file, printed, n) == 0,
              "config/burstd.yaml differs: rewrite it with burstd --print-defaults > config/burstd.yaml");
    free(file);
}

TEST(the_printed_defaults_read_back_as_the_defaults)
{
    static char printed[CONFIG_FILE_MAX];
    size_t n = config_print_defaults(printed, sizeof printed);
    struct burst_config defaults;
    config_defaults(&defaults);
    enum burst_err err = config_parse((const uint8_t *)printed, n, &now, &faults);
    CHECK_SAY(err == BURST_OK, "%d:%d %s", faults.fault[0].line, faults.fault[0].column, faults.fault[0].text);
    CHECK(memcmp(&now, &defaults, sizeof now) == 0);
}

TEST(the_printed_file_names_every_key_once)
{
    static char printed[CONFIG_FILE_MAX];
    (void)config_print_defaults(printed, sizeof printed);
    int n_key = 0;
#define COUNT(member, path, ...)                                                                                       \
    {                                                                                                                  \
        char line[64];                                                                                                 \
        (void)snprintf(line, sizeof line, "\n  %s: ", strchr(path, '.') + 1);                                          \
        CHECK_SAY(strstr(printed, line), "%s is not printed", path);                                                   \
        n_key++;                                                                                                       \
    }
    CONFIG_KEYS(COUNT, COUNT, COUNT, COUNT)
    int n_line = 0;
    for (const char *p = printed; (p = strstr(p, "\n  ")) != NULL; p++)
        n_line += p[3] >= 'a' && p[3] <= 'z';
    CHECK_INT(n_line, n_key);
}

TEST(a_short_buffer_gets_what_fits)
{
    char text[20];
    size_t n = config_print_defaults(text, sizeof text);
    CHECK(n > 2000);
    CHECK_INT(strlen(text), 19);
    CHECK_STR(text, "# burstd.yaml: ever");
    config_defaults(&now);
    CHECK(config_canonical(&now, text, sizeof text) > sizeof text);
    CHECK_STR(text, "lightcurve.lateness");
}

/* Written by hand from keys.h; the digest is `printf ... | sha256sum`. */
TEST(the_canonical_text_holds_the_core_keys)
{
    char text[CONFIG_CANONICAL_MAX], hex[65];
    uint8_t digest[32];
    config_defaults(&now);
    now.detect_open = 0.1; /* 0.1 has no exact double: all 17 digits must show */
    size_t n = config_canonical(&now, text, sizeof text);
    CHECK_INT(n, strlen(text));
    CHECK_STR(text, "lightcurve.lateness_s=2\n"
                    "lightcurve.silence_s=10\n"
                    "lightcurve.history_patience_s=2\n"
                    "detect.open=0.10000000000000001\n"
                    "detect.low=0.20000000000000001\n"
                    "detect.high=0.80000000000000004\n"
                    "detect.quiet_s=20\n"
                    "detect.merge_s=60\n"
                    "detect.min_revision_gap_s=5\n");
    config_digest(&now, digest);
    bytes_hex(digest, 32, hex);
    CHECK_STR(hex, "df8596ee86a9577810bfddfc83535e0cb113d68515a290b43a1b6805588e9558");
}

TEST(the_digest_follows_core_keys_only)
{
    uint8_t a[32], b[32], c[32];
    parse("detect: {low: 0.20}", &now);
    parse("{log: {level: debug}, output: {retain_days: 9}, site: {name: x}, models: {backend: plain}}", &next);
    config_digest(&now, a);
    config_digest(&next, b);
    CHECK(memcmp(a, b, 32) == 0);
    parse("detect: {low: 0.21}", &next);
    config_digest(&next, c);
    CHECK(memcmp(a, c, 32) != 0);
}

TEST(a_reload_may_change_live_keys)
{
    parse("{}", &now);
    parse("{log: {level: error}, output: {retain_days: 30}}", &next);
    CHECK_INT(config_reload(&now, &next, &faults), BURST_OK);
    CHECK_INT(faults.n, 0);
    CHECK_INT(config_reload(&now, &now, NULL), BURST_OK);
}

TEST(a_reload_that_needs_a_restart_names_every_key)
{
    parse("{}", &now);
    parse("{log: {level: error}, detect: {low: 0.25}, store: {database: /x.db}, limits: {work_queue: 8}, models: "
          "{backend: cpu},"
          " inputs: [{live: 'ipc:///a', history: 'ipc:///b'}]}",
          &next);
    CHECK_INT(config_reload(&now, &next, &faults), BURST_E_STATE);
    CHECK_INT(faults.n, 5);
    CHECK_STR(faults.fault[0].text, "store.database: from \"/var/lib/burstd/burst.db\" to \"/x.db\" needs a restart");
    CHECK_STR(faults.fault[1].text, "models.backend: from \"auto\" to \"cpu\" needs a restart");
    CHECK_STR(faults.fault[2].text, "detect.low: from \"0.20000000000000001\" to \"0.25\" needs a restart");
    CHECK_STR(faults.fault[3].text, "limits.work_queue: from \"32\" to \"8\" needs a restart");
    CHECK_STR(faults.fault[4].text, "inputs: a change needs a restart");
}

TEST(any_change_of_an_input_needs_a_restart)
{
    static const char *const CHANGED[] = {"name: h, live: 'ipc:///a', history: 'ipc:///b', topics: [burst.v1.]",
                                          "name: g, live: 'ipc:///c', history: 'ipc:///b', topics: [burst.v1.]",
                                          "name: g, live: 'ipc:///a', history: 'ipc:///c', topics: [burst.v1.]",
                                          "name: g, live: 'ipc:///a', history: 'ipc:///b', topics: [burst.v1.svom]",
                                          "name: g, live: 'ipc:///a', history: 'ipc:///b'"};
    parse("inputs: [{name: g, live: 'ipc:///a', history: 'ipc:///b', topics: [burst.v1.]}]", &now);
    for (size_t i = 0; i < sizeof CHANGED / sizeof CHANGED[0]; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "inputs: [{%s}]", CHANGED[i]);
        parse(text, &next);
        CHECK_SAY(config_reload(&now, &next, NULL) == BURST_E_STATE, "%s", CHANGED[i]);
    }
}

int main(void)
{
    RUN(the_committed_file_is_the_printed_defaults);
    RUN(the_printed_defaults_read_back_as_the_defaults);
    RUN(the_printed_file_names_every_key_once);
    RUN(a_short_buffer_gets_what_fits);
    RUN(the_canonical_text_holds_the_core_keys);
    RUN(the_digest_follows_core_keys_only);
    RUN(a_reload_may_change_live_keys);
    RUN(a_reload_that_needs_a_restart_names_every_key);
    RUN(any_change_of_an_input_needs_a_restart);
    return check_report();
}
