/* The rows of keys.h as data, and the few operations every user of a row needs. Private to lib/config. */
#ifndef BURST_CONFIG_TABLE_H
#define BURST_CONFIG_TABLE_H
#include "config/config.h"
#include <stdbool.h>

enum config_kind { CONFIG_KIND_TEXT, CONFIG_KIND_INT, CONFIG_KIND_REAL, CONFIG_KIND_WORD };
enum config_rule {
    CONFIG_NAME,
    CONFIG_NAME_OR_NONE,
    CONFIG_PATH,
    CONFIG_PATH_OR_NONE,
    CONFIG_ENDPOINT,
    CONFIG_ENDPOINT_OR_NONE,
    CONFIG_TOPIC
};

struct config_key {
    const char *path; /* "section.key", or "inputs[].key" */
    enum config_kind kind;
    enum config_rule rule; /* of texts */
    size_t offset;         /* of the member in struct burst_config, or in struct config_input */
    const char *unit;
    double least, most;
    const char *words; /* of words: separated by blanks, the first has the value (int)least */
    const char *fallback, *help;
    unsigned flags;
};

struct config_section {
    const char *name, *help;
};

/* A scalar as it stands in the file. */
struct config_scalar {
    const char *text;
    size_t n;
    bool quoted;
};

extern const char *const CONFIG_DEFAULT_TOPICS[];
enum { CONFIG_N_DEFAULT_TOPIC = 3 };

/* All rows, sections in the order of the printed file; `inputs` is one of the sections. */
const struct config_key *config_keys(size_t *ret_n);
const struct config_key *config_input_keys(size_t *ret_n);
const struct config_section *config_sections(size_t *ret_n);

/* The row with this path, the section with this name, or NULL. */
const struct config_key *config_find_key(const char *path);
const struct config_section *config_find_section(const char *name);

/* The known key or section nearest to a misspelt path, or NULL when none is near. Static storage. */
const char *config_nearest_key(const char *path);
/* Edits (insert, delete, replace, swap of neighbours) from a to b; texts over 64 characters count as far away. */
int config_distance(const char *a, const char *b);

/* Check a scalar against its row and store it in `base` (struct burst_config or struct config_input).
 * Errors  BURST_E_CONFIG  with a sentence that starts with the path; the member is untouched */
enum burst_err config_set(const struct config_key *key, void *base, struct config_scalar scalar,
                          struct burst_error *reterr);
/* A text by its rule. Errors as config_set; the sentence starts with `what`. */
enum burst_err config_check_text(const char *what, enum config_rule rule, struct config_scalar scalar, size_t size,
                                 struct burst_error *reterr);
/* Plain decimal, at most 15 digits, no leading zero, no exponent. False otherwise; ret_value is then untouched. */
bool config_parse_decimal(struct config_scalar scalar, bool whole, double *ret_value);
/* The value of a row in canonical form: text as it is, numbers %.17g, the word. Returns the length as snprintf does. */
int config_value_text(const struct config_key *key, const void *base, char *ret_text, size_t size);

/* A whole file of at most CONFIG_FILE_MAX bytes; one byte more is read of a longer one, and its length told.
 * Returned  *ret_bytes  malloc'd, the caller frees. Errors as config_read, without those of its content */
enum burst_err config_read_bytes(const char *path, uint8_t **ret_bytes, size_t *ret_n,
                                 struct config_faults *ret_faults);

/* Add a fault; printf-like. `faults` may be NULL. */
void config_fault_add(struct config_faults *faults, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#endif
