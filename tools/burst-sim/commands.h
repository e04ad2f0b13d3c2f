/* What burst-sim's commands share: one function per command, progress on a terminal. */
#ifndef BURST_SIM_COMMANDS_H
#define BURST_SIM_COMMANDS_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Each takes the arguments behind `burst-sim`, its own name first, and returns the program's exit status. */
int command_lightcurves(int argc, char **argv);
int command_events(int argc, char **argv);
int command_stream(int argc, char **argv);
int command_days(int argc, char **argv);
int command_images(int argc, char **argv);
int command_image(int argc, char **argv);
int command_gallery(int argc, char **argv);

/* A bar on standard error while it is a terminal, else nothing. Call with done == total to end the line. */
void progress_show(const char *what, size_t done, size_t total);

/* "burst-sim: <sentence>" on standard error; returns EXIT_FAILED. */
int fail_with(const struct burst_error *err);

/* Value of an option; 0 after a sentence on standard error. Whole number, least..most. */
int option_count(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *ret_value);
/* Real number, least..most. */
int option_number(const char *name, const char *text, double least, double most, double *ret_value);
/* Index of `text` among the words; an unknown word is told with the list. */
int option_word(const char *name, const char *text, const char *const *words, int n_word, int *ret_index);
#endif
