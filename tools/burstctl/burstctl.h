/* burstctl: a person's window on burstd. One file per subcommand; each takes its own arguments, argv[0] being its name, and
 * returns the exit status (protocol.md 8). */
#ifndef BURSTCTL_H
#define BURSTCTL_H
#include "base/err.h"
#include "config/config.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_IO = 4 };

int burstctl_watch(int argc, char **argv);
int burstctl_status(int argc, char **argv);
int burstctl_alerts(int argc, char **argv);
int burstctl_show(int argc, char **argv);
int burstctl_verify(int argc, char **argv);
int burstctl_model(int argc, char **argv);
int burstctl_quarantine(int argc, char **argv);
int burstctl_catalog(int argc, char **argv);

/* ---- words.c: telling people ---- */

/* "burstctl NAME: sentence" on standard error, and the exit status that belongs to the code. */
int tell_error(const char *name, const struct burst_error *error);
/* "burstctl NAME: text; try burstctl NAME --help"; EXIT_USAGE. */
int tell_usage(const char *name, const char *text);
/* Help on standard output; EXIT_DONE, or EXIT_IO where it cannot be written. */
int tell_help(const char *help);
/* Flush standard output: EXIT_DONE, or EXIT_IO with the reason told. */
int finish_output(const char *name);
/* Text from outside for a terminal: control characters become '?'. Static storage, good for the next three calls. */
const char *clean(const char *text);
/* May standard output take colour: a terminal, NO_COLOR unset, TERM not "dumb". */
bool colour_wanted(void);
/* A whole number argument in [least, most]. False where it is none. */
bool parse_int(const char *text, long least, long most, long *ret_value);
/* Configuration: defaults, or what FILE says, faults told. EXIT_DONE or EXIT_CONFIG. */
int read_config(const char *name, const char *path, struct burst_config *ret_config);

/* ---- ask.c: the command socket ---- */

enum { ASK_TIMEOUT_MS = 5000 };

/* Where to ask: `command` of the command line, else that of the configuration, else the default places.
 * Errors  those of config_command_endpoint */
enum burst_err ask_endpoint(const char *command, const struct burst_config *config, char *ret_endpoint, size_t size,
                            struct burst_error *reterr);
/* Ask burstd and wait for its answer.
 * Given     request     given away
 * Returned  *ret_answer an object whose "ok" is true; the caller drops it
 * Errors    BURST_E_NET, BURST_E_TIMEOUT  nobody there; BURST_E_FORMAT  no JSON answer
 *           BURST_E_UNSUPPORTED           burstd refused; its sentence is quoted */
enum burst_err ask_daemon(const char *endpoint, json_t *request, json_t **ret_answer, struct burst_error *reterr);

/* ---- verdict_line.c: one verdict, one line ---- */

enum { VERDICT_LINE = 400 };
/* The line of console.md 3.3, without its end of line. `realm` is the topic's first word ("burst", "burst-archive", ...);
 * anything but "burst" is said first. Members that are missing or of another type leave their column empty. */
void verdict_line(const json_t *verdict, const char *realm, bool colour, char ret_line[VERDICT_LINE]);
/* The realm a verdict without topic belongs to, by its alert_tense. */
const char *verdict_realm(const json_t *verdict);

/* ---- picture.c: evidence on a terminal ---- */

/* Spark lines of a light-curve file, half-block picture of an image file.
 * Errors  those of the FITS readers: the file is not evidence; BURST_E_IO of `out` */
enum burst_err picture_evidence(FILE *out, const uint8_t *fits, size_t n, bool colour, struct burst_error *reterr);
#endif
