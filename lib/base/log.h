/* Log lines: message first, then key=value; one line per event, to standard error (the journal reads it). Used by
 * programs, never by the libraries of the stages. */
#ifndef BURST_BASE_LOG_H
#define BURST_BASE_LOG_H

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Lines above `level` are not written. Under systemd ("journal" true) each line starts with its <priority>. */
void log_setup(enum log_level level, int journal);
/* Control characters in the text become '?', so that bytes from outside cannot forge a second line. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif
