/* burstd.yaml: YAML of at most 64 KiB and 16 levels, read into one typed struct. All faults of a file are told at once, each
 * with line and column. Refused: anchors, aliases, tags, several documents, duplicate and unknown keys, numbers in any form
 * but plain decimal, values outside their range. Nothing here opens what a value names: who uses a path checks it. */
#ifndef BURST_CONFIG_CONFIG_H
#define BURST_CONFIG_CONFIG_H
#include "base/err.h"
#include "base/log.h"
#include "config/keys.h"
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_TEXT = 256, CONFIG_TOPIC_TEXT = 96, CONFIG_INPUT_MAX = 8, CONFIG_TOPIC_MAX = 16 };
enum { CONFIG_FILE_MAX = 64 * 1024, CONFIG_DEPTH_MAX = 16, CONFIG_FAULT_MAX = 32, CONFIG_CANONICAL_MAX = 16 * 1024 };
enum { CONFIG_CORE = 1, CONFIG_LIVE = 2, CONFIG_NEEDED = 4 };
enum config_backend { CONFIG_BACKEND_AUTO, CONFIG_BACKEND_CUDA, CONFIG_BACKEND_CPU, CONFIG_BACKEND_PLAIN };
enum config_precision { CONFIG_PRECISION_FP32, CONFIG_PRECISION_TF32, CONFIG_PRECISION_BF16 };
enum config_cross_check { CONFIG_CROSS_OFF, CONFIG_CROSS_TRIGGERS, CONFIG_CROSS_ALL };
enum config_spin { CONFIG_SPIN_OFF, CONFIG_SPIN_ON };

#define CONFIG_TEXT_MEMBER(member, ...) char member[CONFIG_TEXT];
#define CONFIG_INT_MEMBER(member, ...)  int64_t member;
#define CONFIG_REAL_MEMBER(member, ...) double member;
#define CONFIG_WORD_MEMBER(member, ...) int member;

/* A gateway to listen to; messages of a topic are taken when it starts with one of the prefixes. */
struct config_input {
    CONFIG_INPUT_KEYS(CONFIG_TEXT_MEMBER)
    int n_topic;
    char topic[CONFIG_TOPIC_MAX][CONFIG_TOPIC_TEXT];
};

/* Members are those of keys.h: site_name, output_live, detect_high ... Plain data: copy it, keep it, nothing to free. */
struct burst_config {
    CONFIG_KEYS(CONFIG_TEXT_MEMBER, CONFIG_INT_MEMBER, CONFIG_REAL_MEMBER, CONFIG_WORD_MEMBER)
    int n_input;
    struct config_input input[CONFIG_INPUT_MAX];
};

/* line and column count from 1; both 0 when the fault has no place in the text. */
struct config_fault {
    int line, column;
    char text[256];
};

/* n of the n_seen faults are kept. */
struct config_faults {
    int n, n_seen;
    struct config_fault fault[CONFIG_FAULT_MAX];
};

/* Every key at its default: what an absent key means, and one gateway at tcp://127.0.0.1:5550 and 5551. */
void config_defaults(struct burst_config *ret_config);

/* Read a configuration from memory; keys that are absent take their defaults.
 *
 * Given     bytes [n]   YAML, UTF-8, lines ended by LF
 * Returned  ret_config  every key
 * Errors    BURST_E_CONFIG  ret_faults (may be NULL) then lists up to CONFIG_FAULT_MAX faults in the order of the text;
 *                           ret_config is untouched
 *           BURST_E_LIMIT   more than CONFIG_FILE_MAX bytes; likewise
 * Notes     ret_faults is emptied first. An empty text is a fault: write {} for a file of defaults. */
enum burst_err config_parse(const uint8_t *bytes, size_t n, struct burst_config *ret_config,
                            struct config_faults *ret_faults);

/* The same from a file.
 *
 * Errors    as config_parse, and BURST_E_IO (absent, unreadable), BURST_E_UNSUPPORTED (no regular file), BURST_E_AUTH (others
 *           may write it), BURST_E_TRUNCATED (it changed while being read); each as one fault without a place */
enum burst_err config_read(const char *path, struct burst_config *ret_config, struct config_faults *ret_faults);

/* One fault as "NAME:LINE:COLUMN: text" or "NAME: text"; cut to `size`. */
void config_fault_text(const char *name, const struct config_fault *fault, char *ret_text, size_t size);

/* The complete commented burstd.yaml of the defaults (`burstd --print-defaults`, config/burstd.yaml).
 *
 * Returned  the length without the closing 0; ret_text holds what fits in `size` */
size_t config_print_defaults(char *ret_text, size_t size);

/* The core keys (keys.h CONFIG_CORE), one "path=value\n" each in the order of the table, as verdict ids hash them. Numbers as
 * %.17g, so that equal values give equal text. The inputs are not core: a verdict does not depend on who brought the data.
 *
 * Returned  as config_print_defaults; always shorter than CONFIG_CANONICAL_MAX */
size_t config_canonical(const struct burst_config *config, char *ret_text, size_t size);

/* SHA-256 of config_canonical. Source: protocol.md 6, verdict_id. */
void config_digest(const struct burst_config *config, uint8_t ret_digest[32]);

/* May a running daemon go over from `now` to `next`?
 *
 * Errors    BURST_E_STATE  a key that is not CONFIG_LIVE differs; ret_faults (may be NULL) names each one */
enum burst_err config_reload(const struct burst_config *now, const struct burst_config *next,
                             struct config_faults *ret_faults);

/* Where a path of the configuration lies: an absolute one is itself, a relative one is inside the data folder
 * (base/datadir.h).
 *
 * Errors    BURST_E_LIMIT    longer than `size`
 *           BURST_E_MISSING  the path is empty */
enum burst_err config_data_path(const char *path, char *ret_path, size_t size, struct burst_error *reterr);

/* The folder of refused inputs: quarantine.folder, or when that is empty the folder "quarantine" beside store.database.
 *
 * Errors    as config_data_path */
enum burst_err config_quarantine_folder(const struct burst_config *config, char *ret_path, size_t size,
                                        struct burst_error *reterr);

/* The command endpoint: the configured one, or when that is empty ipc:///run/burstd/command.sock if the folder /run/burstd
 * exists, else ipc://$XDG_RUNTIME_DIR/burstd/command.sock. Source: protocol.md 8.
 *
 * Given     configured  command_socket, or "" for a program without a configuration
 * Errors    BURST_E_MISSING  neither folder is there
 *           BURST_E_LIMIT    longer than `size` */
enum burst_err config_command_endpoint(const char *configured, char *ret_endpoint, size_t size,
                                       struct burst_error *reterr);

#undef CONFIG_TEXT_MEMBER
#undef CONFIG_INT_MEMBER
#undef CONFIG_REAL_MEMBER
#undef CONFIG_WORD_MEMBER
#endif
