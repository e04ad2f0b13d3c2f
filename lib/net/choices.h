/* choices: which of several ways to compute a shape was fastest on this device, kept in a small text file so that the next
 * process need not time them again. Knows nothing of cuDNN: an engine is a number, with numbers of its own (knobs).
 *
 *     burst choices 1
 *     cudnn 91900, bf16, NVIDIA H200
 *     8x1x938x128:128x1x5:s1x1:p0,2,0,2:d1x1:b-r 40 0 11.3 2=17,14=4
 *     ^ shape                                    | | ^ microseconds, for the reader
 *                                           engine form
 *
 * A file is outside bytes: another first or second line and nothing of it is used; a line that is no choice, or that
 * repeats a shape, is passed over. */
#ifndef BURST_NET_CHOICES_H
#define BURST_NET_CHOICES_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHOICES_TITLE = 256, /* characters, the closing 0 included */
    CHOICE_SHAPE = 128,
    CHOICE_KNOBS = 64,
    CHOICES_MOST = 4096,
    CHOICES_FILE_MOST = 1 << 20 /* bytes */
};

struct choice_knob {
    int type;
    int64_t value;
};

struct choice {
    char shape[CHOICE_SHAPE]; /* printable, no spaces */
    int64_t engine;
    int form; /* 0..99: of several ways to ask for the same */
    double us;
    int n_knob;
    struct choice_knob knob[CHOICE_KNOBS];
};

struct choices {
    char title[CHOICES_TITLE];
    int n, room;
    struct choice *item;
};

/* None yet. `title` is one line of printable characters and is cut to CHOICES_TITLE. */
void choices_init(struct choices *c, const char *title);
/* Leaves it all zeros; accepts that. */
void choices_fini(struct choices *c);
/* NULL where there is none. Valid until the next change. */
const struct choice *choices_find(const struct choices *c, const char *shape);
/* Add, or replace the one of that shape. BURST_E_LIMIT, BURST_E_NOMEM; c untouched. */
enum burst_err choices_put(struct choices *c, const struct choice *choice, struct burst_error *reterr);

/* Add the choices of a file's bytes to c, whose title they must bear.
 * Errors    BURST_E_FORMAT  another first line;  BURST_E_CONFLICT  another title;  BURST_E_LIMIT, BURST_E_NOMEM */
enum burst_err choices_parse(struct choices *c, const uint8_t *bytes, size_t n, struct burst_error *reterr);
/* The same from a file; BURST_E_IO too. */
enum burst_err choices_read(struct choices *c, const char *path, struct burst_error *reterr);
/* Write all of them, atomically. BURST_E_IO, BURST_E_NOMEM. */
enum burst_err choices_write(const struct choices *c, const char *path, struct burst_error *reterr);
/* A title as a file name: "cudnn-91900-bf16-NVIDIA-H200.txt". */
void choices_file_name(const char *title, char ret_name[CHOICES_TITLE]);
#endif
