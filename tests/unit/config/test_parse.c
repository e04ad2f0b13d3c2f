/* Reading burstd.yaml: what is taken, and every refusal with its place. Classes C2..C12 are those of the bad-input corpus. */
#include "check.h"
#include "config/config.h"
#include <stdlib.h>

static struct burst_config config;
static struct config_faults faults;

static enum burst_err parse(const char *text)
{
    return config_parse((const uint8_t *)text, strlen(text), &config, &faults);
}

/* The text is refused with exactly one fault, at that place, whose sentence has `part`; the configuration stays as it was. */
static void refused_at(const char *text, int line, int column, const char *part)
{
    memset(&config, 0x5a, sizeof config);
    struct burst_config before = config;
    enum burst_err err = parse(text);
    CHECK_SAY(err == BURST_E_CONFIG, "\"%.60s\" gave %s", text, burst_err_name(err));
    CHECK(memcmp(&config, &before, sizeof config) == 0);
    CHECK_SAY(faults.n == 1, "\"%.60s\" has %d faults: %s | %s", text, faults.n, faults.fault[0].text,
              faults.fault[1].text);
    CHECK_SAY(faults.fault[0].line == line && faults.fault[0].column == column,
              "\"%.60s\": place %d:%d, not %d:%d (%s)", text, faults.fault[0].line, faults.fault[0].column, line,
              column, faults.fault[0].text);
    CHECK_SAY(strstr(faults.fault[0].text, part), "\"%s\" lacks \"%s\"", faults.fault[0].text, part);
}

TEST(an_empty_mapping_gives_every_default)
{
    CHECK_INT(parse("{}\n"), BURST_OK);
    CHECK_INT(faults.n_seen, 0);
    CHECK_STR(config.site_name, "burstd");
    CHECK_STR(config.output_live, "tcp://127.0.0.1:5556");
    CHECK_STR(config.output_history, "tcp://127.0.0.1:5557");
    CHECK_INT(config.output_retain_days, 7);
    CHECK_STR(config.store_database, "/var/lib/burstd/burst.db");
    CHECK_STR(config.command_socket, "");
    CHECK_INT(config.models_backend, CONFIG_BACKEND_AUTO);
    CHECK_NEAR(config.lightcurve_lateness_s, 2, 0);
    CHECK_NEAR(config.lightcurve_silence_s, 10, 0);
    CHECK_NEAR(config.detect_open, 0.5, 0);
    CHECK_NEAR(config.detect_low, 0.2, 0);
    CHECK_NEAR(config.detect_high, 0.8, 0);
    CHECK_NEAR(config.detect_quiet_s, 20, 0);
    CHECK_NEAR(config.detect_merge_s, 60, 0);
    CHECK_NEAR(config.detect_min_revision_gap_s, 5, 0);
    CHECK_INT(config.log_level, LOG_LEVEL_INFO);
    CHECK_INT(config.n_input, 1);
    CHECK_STR(config.input[0].name, "gateway1");
    CHECK_STR(config.input[0].live, "tcp://127.0.0.1:5550");
    CHECK_STR(config.input[0].history, "tcp://127.0.0.1:5551");
    CHECK_INT(config.input[0].n_topic, 3);
    CHECK_STR(config.input[0].topic[1], "burst-archive.v1.");
}

TEST(defaults_are_what_an_empty_mapping_gives)
{
    struct burst_config defaults;
    memset(&defaults, 0x11, sizeof defaults);
    config_defaults(&defaults);
    CHECK_INT(parse("{}"), BURST_OK);
    CHECK(memcmp(&defaults, &config, sizeof config) == 0);
}

TEST(written_keys_take_their_values_and_others_their_defaults)
{
    CHECK_INT(parse("site: {name: Xinglong_2.16}\n"
                    "detect:\n  low: 0.05\n  high: 0.95\n"
                    "output: {retain_days: 3650}\n"
                    "models:\n  backend: cpu\n  image: \"\"\n  light_curve: /opt/m x/1\n"
                    "log: {level: debug}\n"),
              BURST_OK);
    CHECK_STR(config.site_name, "Xinglong_2.16");
    CHECK_NEAR(config.detect_low, 0.05, 0);
    CHECK_NEAR(config.detect_high, 0.95, 0);
    CHECK_NEAR(config.detect_open, 0.5, 0);
    CHECK_INT(config.output_retain_days, 3650);
    CHECK_INT(config.models_backend, CONFIG_BACKEND_CPU);
    CHECK_STR(config.models_image, "");
    CHECK_STR(config.models_light_curve, "/opt/m x/1");
    CHECK_INT(config.log_level, LOG_LEVEL_DEBUG);
}

TEST(inputs_are_a_list_with_names_and_topics)
{
    CHECK_INT(parse("inputs:\n"
                    "  - {live: 'tcp://127.0.0.1:7000', history: 'tcp://[::1]:7001', name: gecam}\n"
                    "  - live: ipc:///run/gw/live\n    history: ipc:///run/gw/history\n    topics: "
                    "[burst-test.v1.fermi.gbm]\n"),
              BURST_OK);
    CHECK_INT(config.n_input, 2);
    CHECK_STR(config.input[0].name, "gecam");
    CHECK_STR(config.input[0].history, "tcp://[::1]:7001");
    CHECK_INT(config.input[0].n_topic, 3);
    CHECK_STR(config.input[1].name, "gateway2");
    CHECK_INT(config.input[1].n_topic, 1);
    CHECK_STR(config.input[1].topic[0], "burst-test.v1.fermi.gbm");
}

TEST(eight_inputs_are_taken_and_nine_refused)
{
    char text[2048] = "inputs:\n";
    for (int i = 0; i < 9; i++) {
        size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, "- {live: 'tcp://127.0.0.1:%d', history: 'tcp://127.0.0.1:%d'}\n",
                       6000 + 2 * i, 6001 + 2 * i);
        if (i == 7) CHECK_INT(parse(text), BURST_OK);
    }
    CHECK_INT(config.n_input, 8);
    refused_at(text, 10, 3, "inputs: more than 8");
}

TEST(all_faults_are_told_at_once_in_the_order_of_the_text)
{
    CHECK_INT(parse("detect:\n  hihg: 0.9\n  low: yes\noutput:\n  retain_days: 9999\nsite: 3\n"), BURST_E_CONFIG);
    CHECK_INT(faults.n, 4);
    CHECK_INT(faults.fault[0].line, 2);
    CHECK_INT(faults.fault[1].line, 3);
    CHECK_INT(faults.fault[2].line, 5);
    CHECK_INT(faults.fault[3].line, 6);
    CHECK_STR(faults.fault[0].text, "unknown key detect.hihg; did you mean detect.high?");
    CHECK_STR(faults.fault[2].text, "output.retain_days: 9999 is outside 1 to 3650 days");
    CHECK_STR(faults.fault[3].text, "site: is a value, must be a section");
}

TEST(more_faults_than_places_are_counted)
{
    char text[4096] = "";
    for (int i = 0; i < 40; i++) {
        size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, "wrong%d: 1\n", i);
    }
    CHECK_INT(parse(text), BURST_E_CONFIG);
    CHECK_INT(faults.n, CONFIG_FAULT_MAX);
    CHECK_INT(faults.n_seen, 40);
}

TEST(faults_may_be_left_out)
{
    CHECK_INT(config_parse((const uint8_t *)"x: 1", 4, &config, NULL), BURST_E_CONFIG);
    CHECK_INT(config_parse((const uint8_t *)"{}", 2, &config, NULL), BURST_OK);
}

TEST(c1_an_empty_text_is_refused)
{
    refused_at("", 0, 0, "empty");
    refused_at("# only a comment\n", 0, 0, "empty");
}

TEST(c2_more_than_64_kib_is_refused)
{
    char *text = malloc(CONFIG_FILE_MAX + 1);
    if (!text) SKIP("no memory");
    memset(text, ' ', CONFIG_FILE_MAX + 1);
    text[0] = '{';
    text[CONFIG_FILE_MAX - 1] = '}';
    CHECK_INT(config_parse((const uint8_t *)text, CONFIG_FILE_MAX, &config, &faults), BURST_OK);
    CHECK_INT(config_parse((const uint8_t *)text, CONFIG_FILE_MAX + 1, &config, &faults), BURST_E_LIMIT);
    CHECK_STR(faults.fault[0].text, "65537 bytes, at most 65536");
    free(text);
}

TEST(c3_deep_nesting_is_refused_at_the_seventeenth_level)
{
    refused_at("unknown: [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]", 1, 1, "unknown key"); /* 16 levels with the mapping */
    CHECK_INT(parse("unknown: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), BURST_E_CONFIG);
    CHECK_INT(faults.n, 2);
    CHECK_STR(faults.fault[1].text, "nested deeper than 16 levels");
    CHECK_INT(faults.fault[1].column, 25);
    char *deep = malloc(60001);
    if (!deep) SKIP("no memory");
    memset(deep, '[', 60000);
    deep[60000] = 0;
    CHECK_INT(parse(deep), BURST_E_CONFIG);
    CHECK_STR(faults.fault[faults.n - 1].text, "nested deeper than 16 levels");
    free(deep);
}

TEST(c4_anchors_aliases_tags_and_merge_keys_are_refused)
{
    refused_at("site: &a {name: x}", 1, 7, "anchor &a");
    refused_at("site: {name: &b x}", 1, 14, "anchor &b");
    refused_at("site: {name: !!str x}", 1, 14, "tag tag:yaml.org,2002:str");
    refused_at("site: !x {name: x}", 1, 7, "tag !x");
    refused_at("site: {name: *none}", 1, 14, "alias *none");
    refused_at("site: *none", 1, 7, "alias *none");
    refused_at("site: {<<: {name: x}}", 1, 8, "unknown key site.<<");
    refused_at("*none : x", 1, 1, "alias *none");
    refused_at("%YAML 1.1\n---\nsite: {name: x}\n", 1, 1, "%YAML and %TAG");
}

TEST(c5_duplicate_keys_are_refused_with_the_first_line)
{
    refused_at("detect:\n  low: 0.1\n  low: 0.1\n", 3, 3, "detect.low: given twice, first on line 2");
    refused_at("log: {level: info}\nlog: {level: info}\n", 2, 1, "log: given twice, first on line 1");
    refused_at("inputs:\n- live: ipc:///a\n  history: ipc:///b\n  live: ipc:///c\n", 4, 3,
               "inputs[].live: given twice");
}

TEST(c6_unknown_keys_are_refused_with_the_nearest_right_one)
{
    refused_at("detect: {hig: 0.9}", 1, 10, "unknown key detect.hig; did you mean detect.high?");
    refused_at("lightcurve: {latness_s: 1}", 1, 14, "did you mean lightcurve.lateness_s?");
    refused_at("lightcurve: {laetness_s: 1}", 1, 14, "did you mean lightcurve.lateness_s?");
    refused_at("detekt: {high: 0.9}", 1, 1, "unknown key detekt; did you mean detect?");
    refused_at("site: {level: debug}", 1, 8, "did you mean log.level?");
    refused_at("retain_days: 4", 1, 1, "did you mean output.retain_days?");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///b', topcis: [x]}]", 1, 50,
               "did you mean inputs[].topics?");
    CHECK_INT(parse("qqqqqqqqqq: 1"), BURST_E_CONFIG);
    CHECK_STR(faults.fault[0].text, "unknown key qqqqqqqqqq");
    refused_at("? [a, b]\n: c\n", 1, 3, "a key is a list");
}

TEST(control_characters_of_a_key_do_not_reach_the_terminal)
{
    refused_at("\"\\e[31m\": 1", 1, 1, "unknown key ?[31m");
    refused_at("{\"a\\0b\": 1}", 1, 2, "a key holds a zero byte");
}

TEST(c7_numbers_are_plain_decimals)
{
    static const char *const WRONG_WHOLE[] = {"010",    "1e3",   "yes", "0x10", "1_000", "9223372036854775808",
                                              "+7",     "7.0",   "~",   "''",   "'7'",   "\"7\"",
                                              "7 days", "1,000", "-",   "٣"};
    for (size_t i = 0; i < sizeof WRONG_WHOLE / sizeof WRONG_WHOLE[0]; i++) {
        char text[80];
        (void)snprintf(text, sizeof text, "output: {retain_days: %s}", WRONG_WHOLE[i]);
        if (strchr(WRONG_WHOLE[i], ','))
            (void)snprintf(text, sizeof text, "output: \n  retain_days: %s", WRONG_WHOLE[i]);
        bool block = strchr(text, '\n') != NULL;
        refused_at(text, block ? 2 : 1, block ? 16 : 23, "is no whole number");
    }
    refused_at("output: {retain_days: [7]}", 1, 23, "is a list, must be a value");
    refused_at("output: {retain_days: {a: 7}}", 1, 23, "is a section, must be a value");
    refused_at("output: [1]", 1, 9, "output: is a list, must be a section");
    refused_at("- 1\n- 2\n", 1, 1, "the file is a list");
    refused_at("text", 1, 1, "the file is a value");
}

TEST(c8_thresholds_outside_their_range_are_refused)
{
    static const char *const WRONG[] = {"0", "-0.1", "1.1", "1", "-0"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        char text[80];
        (void)snprintf(text, sizeof text, "detect:\n  open: %s\n", WRONG[i]);
        refused_at(text, 2, 9, "is outside 0.001 to 0.999");
    }
    refused_at("detect: {open: .nan}", 1, 16, "is no decimal number");
    refused_at("detect: {open: nan}", 1, 16, "is no decimal number");
    refused_at("detect: {open: .5}", 1, 16, "is no decimal number");
    refused_at("detect: {open: 0.}", 1, 16, "is no decimal number");
    refused_at("detect: {open: 00.5}", 1, 16, "is no decimal number");
    refused_at("detect: {open: 0.1234567890123456}", 1, 16, "is no decimal number");
    refused_at("\ndetect: {low: 0.8}", 2, 1, "detect.low 0.8 is not below detect.high 0.8");
    refused_at("lightcurve: {lateness_s: 60.001}", 1, 26, "is outside 0 to 60 s");
    CHECK_INT(parse("detect: {low: 0.001, high: 0.999}\nlightcurve: {lateness_s: 0}"), BURST_OK);
}

TEST(decimals_are_read_to_the_nearest_double)
{
    CHECK_INT(parse("detect: {open: 0.1}"), BURST_OK);
    CHECK(config.detect_open == 0.1);
    CHECK_INT(parse("detect: {open: 0.12345678901234}"), BURST_OK);
    CHECK(config.detect_open == 0.12345678901234);
}

TEST(c9_bytes_that_are_no_plain_utf8_text_are_refused)
{
    refused_at("\xef\xbb\xbfsite: {name: x}\n", 1, 1, "byte-order mark");
    refused_at("site: {name: x}\r\n", 1, 16, "CR LF");
    refused_at("site: {name: \"\xff\"}", 1, 1, "not YAML");
    refused_at("site:\n  name: a\x07z\n", 2, 10, "control character (byte 0x07)");
    CHECK_INT(config_parse((const uint8_t *)"{}\0x: 1", 7, &config, &faults), BURST_E_CONFIG);
    CHECK_STR(faults.fault[0].text, "control character (byte 0x00)");
    CHECK_INT(faults.fault[0].column, 3);
    refused_at("store: {database: \"/a\\nb\"}", 1, 19, "control character (byte 0x0a)");
}

TEST(c10_a_second_document_is_refused)
{
    refused_at("{}\n---\n{}\n", 2, 1, "a second document");
    CHECK_INT(parse("---\nsite: {name: x}\n...\n"), BURST_OK);
}

TEST(c11_endpoints_are_loopback_and_differ)
{
    refused_at("output: {live: 'tcp://*:5556'}", 1, 16, "no loopback address");
    refused_at("output: {live: 'tcp://10.0.0.1:5556'}", 1, 16, "no loopback address");
    refused_at("output: {live: 'tcp://127.0.0.1.example.org:5556'}", 1, 16, "no loopback address");
    refused_at("output: {live: 'tcp://127.0.0.1:0'}", 1, 16, "no port of 1 to 65535");
    refused_at("output: {live: 'tcp://127.0.0.1:65536'}", 1, 16, "no port");
    refused_at("output: {live: 'tcp://127.0.0.1'}", 1, 16, "is not tcp://HOST:PORT");
    refused_at("output: {live: 'tcp://'}", 1, 16, "is not tcp://HOST:PORT");
    refused_at("output: {live: 'udp://127.0.0.1:1'}", 1, 16, "starts neither with");
    refused_at("output: {live: 'ipc://relative'}", 1, 16, "absolute path");
    refused_at("output: {live: ''}", 1, 16, "starts neither");
    refused_at("\noutput: {live: 'tcp://127.0.0.1:5557'}", 2, 1, "two sockets have the endpoint tcp://127.0.0.1:5557");
    refused_at("inputs: [{live: 'tcp://127.0.0.1:5556', history: 'tcp://127.0.0.1:5551'}]", 1, 10, "two sockets");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///a'}]", 1, 10, "two sockets");
    CHECK_INT(parse("output: {live: 'tcp://localhost:1', history: 'tcp://127.1.2.3:65535'}"), BURST_OK);
    char text[200] = "output: {live: ipc:///", rest[110];
    memset(rest, 'p', 107);
    rest[107] = 0;
    (void)snprintf(text, sizeof text, "output: {live: ipc:///%s}", rest);
    refused_at(text, 1, 16, "107 bytes");
}

TEST(c12_paths_do_not_lead_upward)
{
    refused_at("store: {database: ../burst.db}", 1, 19, "leads upward");
    refused_at("store: {database: /var/../etc/burst.db}", 1, 19, "leads upward");
    refused_at("store: {database: /var/lib/..}", 1, 19, "leads upward");
    refused_at("command: {socket: ipc:///run/../x}", 1, 19, "leads upward");
    CHECK_INT(parse("store: {database: /var/a..b/..c/d../x.db}"), BURST_OK);
}

TEST(texts_keep_their_rules)
{
    refused_at("site: {name: two words}", 1, 14, "letters, digits");
    refused_at("site: {name: ''}", 1, 14, "1 to 47");
    refused_at("site: {name: a2345678901234567890123456789012345678901234567b}", 1, 14, "1 to 47");
    refused_at("site: {name: }", 1, 14, "has no value");
    refused_at("site: {name: ~}", 1, 14, "is not text");
    refused_at("site: {signing_key: no}", 1, 21, "is not text");
    refused_at("store: {database: ''}", 1, 19, "is empty");
    refused_at("log: {level: loud}", 1, 14, "is none of: error warning notice info debug");
    refused_at("models: {backend: gpu}", 1, 19, "is none of: auto cuda cpu plain");
    CHECK_INT(parse("site: {name: 'no', signing_key: ''}"), BURST_OK);
    char text[400], path[301];
    memset(path, 'p', 300);
    path[300] = 0;
    (void)snprintf(text, sizeof text, "store: {database: /%s}", path);
    refused_at(text, 1, 19, "301 characters, at most 255");
}

TEST(inputs_keep_their_rules)
{
    refused_at("inputs: []", 0, 0, "would receive nothing");
    refused_at("inputs: x", 1, 9, "inputs: is a value, must be a list");
    refused_at("inputs: [x]", 1, 10, "an item is a value");
    refused_at("inputs: [{live: 'ipc:///a'}]", 1, 10, "inputs[].history: is missing");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///b', topics: []}]", 1, 58, "is empty");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///b', topics: [brust.v1.]}]", 1, 59, "does not start with");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///b', topics: [burst.v1.Fermi]}]", 1, 59, "more than a-z");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///b', topics: [burst.v1., burst.v1.]}]", 1, 70,
               "given twice");
    refused_at("inputs: [{live: 'ipc:///a', history: 'ipc:///b', topics: [[burst.v1.]]}]", 1, 59, "is a list");
    refused_at("inputs:\n- {live: 'ipc:///a', history: 'ipc:///b', name: g}\n- {live: 'ipc:///c', history: 'ipc:///d', "
               "name: g}",
               3, 3, "g is given twice");
}

TEST(broken_yaml_is_refused_with_its_place)
{
    refused_at("site: {name: x\n", 2, 1, "not YAML");
    refused_at("site:\n\tname: x\n", 2, 1, "not YAML");
    CHECK_INT(parse("detect: {hihg: 1}\nsite: [\n"), BURST_E_CONFIG);
    CHECK_SAY(faults.n >= 2, "only %d faults", faults.n); /* what came before the break is told too */
}

int main(void)
{
    RUN(an_empty_mapping_gives_every_default);
    RUN(defaults_are_what_an_empty_mapping_gives);
    RUN(written_keys_take_their_values_and_others_their_defaults);
    RUN(inputs_are_a_list_with_names_and_topics);
    RUN(eight_inputs_are_taken_and_nine_refused);
    RUN(all_faults_are_told_at_once_in_the_order_of_the_text);
    RUN(more_faults_than_places_are_counted);
    RUN(faults_may_be_left_out);
    RUN(c1_an_empty_text_is_refused);
    RUN(c2_more_than_64_kib_is_refused);
    RUN(c3_deep_nesting_is_refused_at_the_seventeenth_level);
    RUN(c4_anchors_aliases_tags_and_merge_keys_are_refused);
    RUN(c5_duplicate_keys_are_refused_with_the_first_line);
    RUN(c6_unknown_keys_are_refused_with_the_nearest_right_one);
    RUN(control_characters_of_a_key_do_not_reach_the_terminal);
    RUN(c7_numbers_are_plain_decimals);
    RUN(c8_thresholds_outside_their_range_are_refused);
    RUN(decimals_are_read_to_the_nearest_double);
    RUN(c9_bytes_that_are_no_plain_utf8_text_are_refused);
    RUN(c10_a_second_document_is_refused);
    RUN(c11_endpoints_are_loopback_and_differ);
    RUN(c12_paths_do_not_lead_upward);
    RUN(texts_keep_their_rules);
    RUN(inputs_keep_their_rules);
    RUN(broken_yaml_is_refused_with_its_place);
    return check_report();
}
