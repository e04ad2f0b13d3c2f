/* An instrument that burstd was not built with, described by a YAML file: whose it is, where its columns are, what its channels
 * mean. Read as strictly as burstd.yaml: all faults of a file at once, each with line and column. Keys and limits are rows of
 * instrument.c; config/instruments/ has a file to begin from, docs/inputs.md explains it. */
#ifndef BURST_CONFIG_INSTRUMENT_H
#define BURST_CONFIG_INSTRUMENT_H
#include "config/config.h"

enum { INSTRUMENT_KEEP_MAX = 8 };
enum instrument_tables { INSTRUMENT_ONE_TABLE, INSTRUMENT_TABLE_EACH };
enum instrument_energies { INSTRUMENT_EBOUNDS, INSTRUMENT_LINEAR };
enum instrument_good { INSTRUMENT_GTI, INSTRUMENT_HEADER };

/* A row counts where the column's value lies in [least, most]; of a column of bits (X) the number of those set. */
struct instrument_keep {
    char column[CONFIG_TEXT];
    int64_t least, most;
};

struct config_instrument {
    char mission_name[CONFIG_TEXT], mission_instrument[CONFIG_TEXT];
    char mission_topic[CONFIG_TEXT]; /* "mission.instrument", lower case */
    char mission_telescope[CONFIG_TEXT], mission_instrume[CONFIG_TEXT];
    int64_t mission_epoch_mjd;
    double mission_epoch_s;
    char detectors_geometry[CONFIG_TEXT];
    int64_t detectors_count, detectors_open;
    double detectors_rate_hz;
    char rows_table[CONFIG_TEXT], rows_time[CONFIG_TEXT], rows_channel[CONFIG_TEXT], rows_detector[CONFIG_TEXT];
    int rows_tables; /* enum instrument_tables */
    int64_t rows_first_detector;
    double rows_dead_us;
    int rows_good;   /* enum instrument_good */
    int energy_from; /* enum instrument_energies */
    int64_t energy_channels;
    double energy_first_kev, energy_channel_kev;
    int n_keep;
    struct instrument_keep keep[INSTRUMENT_KEEP_MAX];
};

/* Read a description from memory.
 * Errors    BURST_E_CONFIG  ret_faults (may be NULL) then lists the faults in the order of the text; ret_instrument untouched
 *           BURST_E_LIMIT   more than CONFIG_FILE_MAX bytes; likewise. BURST_E_NOMEM */
enum burst_err config_instrument_parse(const uint8_t *bytes, size_t n, struct config_instrument *ret_instrument,
                                       struct config_faults *ret_faults);

/* The same from a file. Errors as config_read. */
enum burst_err config_instrument_read(const char *path, struct config_instrument *ret_instrument,
                                      struct config_faults *ret_faults);
#endif
