/* Instruments that burstd was not built with: from the files of a folder into the table of instruments (records/source.h). */
#ifndef BURST_SCIENCE_INSTRUMENTS_H
#define BURST_SCIENCE_INSTRUMENTS_H
#include "config/config.h"

/* Read every *.yaml of config->instruments_folder, in the order of their names, with the geometry each one names, and add the
 * instruments.
 *
 * Errors    BURST_E_CONFIG    a file is refused: the text is its first fault, "PATH:LINE:COLUMN: what", and how many more there are;
 *                             or a geometry that is not one row per detector
 *           BURST_E_CONFLICT  two files, or a file and burstd itself, describe the same topic or the same TELESCOP and INSTRUME
 *           BURST_E_LIMIT     more instruments or files than there is room for
 *           BURST_E_IO        a folder or file cannot be read
 * Notes     Only before other threads run. Instruments added before a fault stay added: the caller gives up then. An empty
 *           folder name reads nothing. */
enum burst_err instruments_open(const struct burst_config *config, struct burst_error *reterr);
#endif
