/* FILE.note beside the database: the lock of the one writer, and a lower bound of what the file must hold. Inside publish only. */
#ifndef BURST_PUBLISH_STORE_NOTE_H
#define BURST_PUBLISH_STORE_NOTE_H
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* fd holds an exclusive lock; `known` says whether the note could be read. */
struct store_note {
    int fd;
    bool known;
    uint8_t stream[16];
    int64_t commits;
};

/* Open or create `database`.note and lock it. BURST_E_STATE where another process has the lock, BURST_E_IO, BURST_E_LIMIT. */
enum burst_err store_note_open(const char *database, struct store_note *ret_note, struct burst_error *reterr);
/* Write without waiting for the disk: a note that is behind is still right, one that is ahead would not be. */
enum burst_err store_note_write(struct store_note *note, const uint8_t stream[16], int64_t commits,
                                struct burst_error *reterr);
/* Wait for the disk. */
enum burst_err store_note_sync(struct store_note *note, struct burst_error *reterr);
void store_note_close(struct store_note *note);
#endif
