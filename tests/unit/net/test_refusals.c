/* Every file of tests/golden/net/refused.tsv is refused with its code and its words; the small good ones run. */
#include "base/bytes.h"
#include "check.h"
#include "net/net.h"
#include <stdlib.h>

#define SEEDS BURST_SOURCE_DIR "/tests/fuzz/corpus/net_onnx/"

static char line[1024];

/* "cut_in_half<tab>truncated<tab>cut short" as one case of that name. */
static void one_refusal(void)
{
    char path[1200], words[1024];
    char *code = strchr(line, '\t'), *part = code ? strchr(code + 1, '\t') : NULL;
    struct burst_error error = {0};
    struct net *net = NULL, *const untouched = net;
    CHECK(part != NULL);
    if (!part) return;
    *code++ = *part++ = 0;
    (void)snprintf(words, sizeof words, "%s", part);
    (void)snprintf(path, sizeof path, SEEDS "%s.onnx", line);
    enum burst_err err = net_open(path, NULL, &net, &error);
    CHECK_STR(burst_err_name(err), code);
    CHECK(error.code == err);
    CHECK_SAY(strstr(error.text, words), "text \"%s\" lacks \"%s\"", error.text, words);
    CHECK(net == untouched);
    net_close(net == untouched ? NULL : net);
}

/* A refusal without anywhere to say why is a refusal all the same. */
static void one_refusal_without_text(void)
{
    char path[1200];
    struct net *net = NULL;
    (void)snprintf(path, sizeof path, SEEDS "%s.onnx", line);
    CHECK(net_open(path, NULL, &net, NULL) != BURST_OK);
    CHECK(net == NULL);
}

static void run_list(void)
{
    static char name[64];
    FILE *list = fopen(BURST_SOURCE_DIR "/tests/golden/net/refused.tsv", "r");
    CHECK(list != NULL);
    int n = 0;
    while (list && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        (void)snprintf(name, sizeof name, "refuses_%.*s", tab ? (int)(tab - line) : 0, line);
        check_run(name, one_refusal);
        check_run("and_without_a_text", one_refusal_without_text);
        n++;
    }
    if (list) (void)fclose(list);
    check_case_name = "the_list_is_whole";
    check_case_failed = false;
    CHECK(n > 100);
    if (check_case_failed)
        check_failed_cases++;
    else
        printf("ok the_list_is_whole\n");
}

TEST(small_good_files_open_and_run)
{
    static const char *const names[] = {"taken_conv", "taken_plane", "taken_rows", "taken_unit"};
    static const float zeros[4 * 84];
    for (int i = 0; i < 4; i++) {
        char path[1200];
        struct burst_error error = {0};
        struct net_settings settings = {.backend = NET_BACKEND_PLAIN, .batch_most = 4};
        struct net *net = NULL;
        float out[512];
        (void)snprintf(path, sizeof path, SEEDS "%s.onnx", names[i]);
        CHECK_SAY(net_open(path, &settings, &net, &error) == BURST_OK, "%s", error.text);
        if (!net) continue;
        CHECK(net_input(net, 0)->n_element <= 84 && net_output(net, 0)->n_element <= 128);
        CHECK_INT(net_run(net, zeros, 4, out, &error), BURST_OK);
        net_close(net);
    }
}

TEST(a_file_cut_anywhere_is_refused)
{
    uint8_t *bytes;
    size_t n;
    struct burst_error error = {0};
    CHECK_INT(bytes_read_file(SEEDS "taken_unit.onnx", 1 << 20, &bytes, &n, &error), BURST_OK);
    int taken = 0;
    for (size_t cut = 0; cut < n; cut++) {
        struct net *net = NULL;
        if (net_open_bytes(bytes, cut, NULL, &net, &error) == BURST_OK) taken++;
        net_close(net);
    }
    CHECK_INT(taken, 0);
    free(bytes);
}

TEST(a_file_with_any_bit_changed_is_taken_or_refused_and_nothing_else)
{
    uint8_t *bytes;
    size_t n;
    struct burst_error error = {0};
    CHECK_INT(bytes_read_file(SEEDS "taken_plane.onnx", 1 << 20, &bytes, &n, &error), BURST_OK);
    struct net_settings settings = {.backend = NET_BACKEND_PLAIN, .memory_most = 1 << 24};
    for (size_t bit = 0; bit < 8 * n; bit++) {
        struct net *net = NULL;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        error.text[0] = 0;
        if (net_open_bytes(bytes, n, &settings, &net, &error) != BURST_OK) CHECK(error.text[0] != 0);
        net_close(net);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
}

int main(void)
{
    run_list();
    RUN(small_good_files_open_and_run);
    RUN(a_file_cut_anywhere_is_refused);
    RUN(a_file_with_any_bit_changed_is_taken_or_refused_and_nothing_else);
    return check_report();
}
