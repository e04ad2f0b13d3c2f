/* The note: one line of 71 characters, "burst-note 1 <32 hexadecimal digits> <20 decimal digits> end\n". */
#include "publish/store_note.h"
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { NOTE_TEXT = 71, PATH_TEXT = 1100 };

/* Anything but the exact line is no note: the caller then treats the file as restored, which is the safe side. */
static void note_parse(const char *line, struct store_note *note)
{
    char hex[33], digits[21], again[NOTE_TEXT + 1];
    if (sscanf(line, "burst-note 1 %32[0-9a-f] %20[0-9] end\n", hex, digits) != 2) return;
    uint8_t stream[16];
    int64_t commits;
    if (bytes_unhex(hex, 16, stream, NULL) || sscanf(digits, "%" SCNd64, &commits) != 1) return;
    (void)snprintf(again, sizeof again, "burst-note 1 %s %020" PRId64 " end\n", hex, commits);
    if (strcmp(line, again) != 0) return;
    memcpy(note->stream, stream, 16);
    note->commits = commits;
    note->known = true;
}

static enum burst_err note_fail(const char *path, const char *what, struct burst_error *reterr)
{
    if (errno == EWOULDBLOCK)
        return burst_fail(reterr, BURST_E_STATE, "%s: another process has this database open", path);
    return burst_fail(reterr, BURST_E_IO, "%s: %s: %s", path, what, strerror(errno));
}

enum burst_err store_note_open(const char *database, struct store_note *ret_note, struct burst_error *reterr)
{
    char path[PATH_TEXT], line[NOTE_TEXT + 1] = "";
    if (snprintf(path, sizeof path, "%s.note", database) >= (int)sizeof path)
        return burst_fail(reterr, BURST_E_LIMIT, "database path of %zu bytes is too long", strlen(database));
    struct store_note note = {.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640)};
    if (note.fd < 0) return note_fail(path, "open", reterr);
    enum burst_err err = BURST_OK;
    if (flock(note.fd, LOCK_EX | LOCK_NB)) err = note_fail(path, "lock", reterr);
    ssize_t n = err ? 0 : pread(note.fd, line, NOTE_TEXT, 0);
    if (n < 0) err = note_fail(path, "read", reterr);
    if (err) {
        (void)close(note.fd); /* nothing was written through it */
        return err;
    }
    line[n] = 0;
    note_parse(line, &note);
    *ret_note = note;
    return BURST_OK;
}

enum burst_err store_note_write(struct store_note *note, const uint8_t stream[16], int64_t commits,
                                struct burst_error *reterr)
{
    char hex[33], line[NOTE_TEXT + 1];
    bytes_hex(stream, 16, hex);
    int n = snprintf(line, sizeof line, "burst-note 1 %s %020" PRId64 " end\n", hex, commits);
    if (n != NOTE_TEXT || pwrite(note->fd, line, (size_t)n, 0) != n)
        return burst_fail(reterr, BURST_E_IO, "the note beside the database: write: %s", strerror(errno));
    return BURST_OK;
}

enum burst_err store_note_sync(struct store_note *note, struct burst_error *reterr)
{
    if (fsync(note->fd) == 0) return BURST_OK;
    return burst_fail(reterr, BURST_E_IO, "the note beside the database: sync: %s", strerror(errno));
}

void store_note_close(struct store_note *note)
{
    if (note->fd >= 0) (void)close(note->fd); /* synced before where it mattered */
    note->fd = -1;
}
