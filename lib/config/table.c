/* keys.h turned into arrays, and the search in them. */
#include "config/table.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_ROW(STRUCT, member_, path_, rule_, fallback_, flags_, help_)                                              \
    {.path = path_,                                                                                                    \
     .kind = CONFIG_KIND_TEXT,                                                                                         \
     .rule = rule_,                                                                                                    \
     .offset = offsetof(STRUCT, member_),                                                                              \
     .unit = "",                                                                                                       \
     .fallback = fallback_,                                                                                            \
     .flags = flags_,                                                                                                  \
     .help = help_},
#define NUMBER_ROW(kind_, member_, path_, unit_, least_, most_, fallback_, flags_, help_)                              \
    {.path = path_,                                                                                                    \
     .kind = kind_,                                                                                                    \
     .offset = offsetof(struct burst_config, member_),                                                                 \
     .unit = unit_,                                                                                                    \
     .least = least_,                                                                                                  \
     .most = most_,                                                                                                    \
     .fallback = fallback_,                                                                                            \
     .flags = flags_,                                                                                                  \
     .help = help_},
#define ROW_TEXT(...)       TEXT_ROW(struct burst_config, __VA_ARGS__)
#define ROW_INPUT_TEXT(...) TEXT_ROW(struct config_input, __VA_ARGS__)
#define ROW_INT(...)        NUMBER_ROW(CONFIG_KIND_INT, __VA_ARGS__)
#define ROW_REAL(...)       NUMBER_ROW(CONFIG_KIND_REAL, __VA_ARGS__)
#define ROW_WORD(member_, path_, words_, first_, fallback_, flags_, help_)                                             \
    {.path = path_,                                                                                                    \
     .kind = CONFIG_KIND_WORD,                                                                                         \
     .offset = offsetof(struct burst_config, member_),                                                                 \
     .unit = "",                                                                                                       \
     .least = first_,                                                                                                  \
     .words = words_,                                                                                                  \
     .fallback = fallback_,                                                                                            \
     .flags = flags_,                                                                                                  \
     .help = help_},

static const struct config_key KEYS[] = {CONFIG_KEYS(ROW_TEXT, ROW_INT, ROW_REAL, ROW_WORD)};
static const struct config_key INPUT_KEYS[] = {CONFIG_INPUT_KEYS(ROW_INPUT_TEXT)};
enum { N_KEY = sizeof KEYS / sizeof KEYS[0], N_INPUT_KEY = sizeof INPUT_KEYS / sizeof INPUT_KEYS[0] };

static const struct config_section SECTIONS[] = {
    {"site", "This installation."},
    {"inputs", "Gateways that bring data: a list, at most 8. Only loopback TCP and ipc:// are taken."},
    {"output", "The verdict stream. Only loopback TCP and ipc:// are taken."},
    {"command", "Where burstctl talks to burstd."},
    {"store", "The database."},
    {"quarantine", "Refused inputs, kept byte for byte: burstctl quarantine."},
    {"models", "Networks: folders with model.onnx and its golden vectors."},
    {"gpu", "The GPU, through its worker burst-cuda; burstd needs none of it to judge."},
    {"image", "ECLAIRs sub-images."},
    {"instruments", "Instruments that burstd was not built with."},
    {"lightcurve", "Closing of light-curve bins."},
    {"detect", "From scores to verdicts."},
    {"limits", "Memory and queues, all taken at start."},
    {"log", "Log lines on standard error."},
};
enum { N_SECTION = sizeof SECTIONS / sizeof SECTIONS[0] };

const char *const CONFIG_DEFAULT_TOPICS[CONFIG_N_DEFAULT_TOPIC] = {"burst.v1.", "burst-archive.v1.", "burst-test.v1."};

const struct config_key *config_keys(size_t *ret_n)
{
    *ret_n = N_KEY;
    return KEYS;
}

const struct config_key *config_input_keys(size_t *ret_n)
{
    *ret_n = N_INPUT_KEY;
    return INPUT_KEYS;
}

const struct config_section *config_sections(size_t *ret_n)
{
    *ret_n = N_SECTION;
    return SECTIONS;
}

const struct config_key *config_find_key(const char *path)
{
    for (size_t i = 0; i < N_KEY; i++)
        if (strcmp(KEYS[i].path, path) == 0) return &KEYS[i];
    for (size_t i = 0; i < N_INPUT_KEY; i++)
        if (strcmp(INPUT_KEYS[i].path, path) == 0) return &INPUT_KEYS[i];
    return NULL;
}

const struct config_section *config_find_section(const char *name)
{
    for (size_t i = 0; i < N_SECTION; i++)
        if (strcmp(SECTIONS[i].name, name) == 0) return &SECTIONS[i];
    return NULL;
}

static int least_of(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Optimal string alignment: three rows of the table are kept, the third for swaps. */
int config_distance(const char *a, const char *b)
{
    enum { MOST = 64 };
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > MOST || n_b > MOST) return INT_MAX;
    int rows[3][MOST + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n_b; j++)
        before[j] = last[j] = (int)j;
    for (size_t i = 1; i <= n_a; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= n_b; j++) {
            row[j] = least_of(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        int *spare = before;
        before = last, last = row, row = spare;
    }
    return last[n_b];
}

static void consider(const char *path, const char *candidate, int *best, const char **ret_best)
{
    const char *a = strrchr(path, '.'), *b = strrchr(candidate, '.');
    size_t n_section = a ? (size_t)(a - path) : 0;
    bool together = a && b && n_section == (size_t)(b - candidate) && strncmp(path, candidate, n_section) == 0;
    /* Inside one section only the last word was typed wrongly; elsewhere a key may have been put into the wrong section. */
    int distance = together ? config_distance(a, b) : config_distance(path, candidate);
    if (strcmp(a ? a + 1 : path, b ? b + 1 : candidate) == 0 && distance > 1) distance = 1;
    if (distance < *best) {
        *best = distance;
        *ret_best = candidate;
    }
}

const char *config_nearest_key(const char *path)
{
    const char *last = strrchr(path, '.');
    int best = 2 + (int)strlen(last ? last : path) / 4; /* about one slip in four letters is still the same word */
    const char *nearest = NULL;
    for (size_t i = 0; i < N_KEY; i++)
        consider(path, KEYS[i].path, &best, &nearest);
    for (size_t i = 0; i < N_INPUT_KEY; i++)
        consider(path, INPUT_KEYS[i].path, &best, &nearest);
    consider(path, "inputs[].topics", &best, &nearest);
    for (size_t i = 0; i < N_SECTION && !last; i++)
        consider(path, SECTIONS[i].name, &best, &nearest);
    return nearest;
}

void config_fault_add(struct config_faults *faults, int line, int column, const char *format, ...)
{
    if (!faults) return;
    faults->n_seen++;
    if (faults->n == CONFIG_FAULT_MAX) return;
    struct config_fault *fault = &faults->fault[faults->n++];
    fault->line = line;
    fault->column = column;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, args); /* a longer sentence is cut */
    va_end(args);
    for (char *c = fault->text; *c; c++) /* a sentence quotes the file, and goes to a terminal */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
}
