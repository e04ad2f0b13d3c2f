#include "daemon/quarantine_ring.h"
#include "base/bytes.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { NAME_TEXT = 32, DIGITS = 12, SIDE_MOST = 64 * 1024 };
/* Space on the disk that is left to the database: a refused input must not be what keeps a verdict from being written. */
static const uint64_t RESERVE_BYTES = (uint64_t)64 << 20;

/* ---- names ---- */

static void name_of(uint64_t number, const char *ending, char ret_name[NAME_TEXT])
{
    (void)snprintf(ret_name, NAME_TEXT, "%012" PRIu64 ".%s", number, ending);
}

/* The number in a name of ours and what follows it; NULL where it is no name of ours. */
static const char *number_of(const char *name, uint64_t *ret_number)
{
    static const char *const ENDINGS[] = {".bin", ".json", ".bin.tmp", ".json.tmp"};
    if (strspn(name, "0123456789") != DIGITS) return NULL;
    *ret_number = strtoull(name, NULL, 10);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++)
        if (strcmp(name + DIGITS, ENDINGS[i]) == 0) return name + DIGITS;
    return NULL;
}

/* ---- the disk ---- */

static bool write_all(int fd, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* A whole file under its name, or nothing. It is not forced to the disk: a power cut may take the newest ones away, which the
 * next start sees by their size. */
static enum burst_err write_file(struct quarantine_ring *r, uint64_t number, const char *ending, const void *bytes,
                                 size_t n, struct burst_error *reterr)
{
    char name[NAME_TEXT], temporary[NAME_TEXT + 8];
    name_of(number, ending, name);
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", name);
    int fd = openat(r->dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return burst_fail(reterr, BURST_E_IO, "quarantine: %s: %s", temporary, strerror(errno));
    bool good = write_all(fd, bytes, n);
    int why = errno;
    if (close(fd) < 0 && good) {
        good = false;
        why = errno;
    }
    if (good && renameat(r->dir, temporary, r->dir, name) < 0) {
        good = false;
        why = errno;
    }
    if (good) return BURST_OK;
    (void)unlinkat(r->dir, temporary, 0); /* the failure is told below */
    return burst_fail(reterr, BURST_E_IO, "quarantine: %s: %s", name, strerror(why));
}

/* The side file first: a .bin alone is no pair. What somebody has taken away already is gone all the same. */
static void remove_files(struct quarantine_ring *r, uint64_t number)
{
    char name[NAME_TEXT];
    name_of(number, "json", name);
    (void)unlinkat(r->dir, name, 0);
    name_of(number, "bin", name);
    (void)unlinkat(r->dir, name, 0);
}

void ring_remove_oldest(struct quarantine_ring *r)
{
    remove_files(r, r->pairs[r->oldest].number);
    r->bytes -= r->pairs[r->oldest].bytes;
    r->oldest = (r->oldest + 1) % r->room;
    r->n--;
}

static void add_pair(struct quarantine_ring *r, const struct ring_pair *pair)
{
    r->pairs[(r->oldest + r->n++) % r->room] = *pair;
    r->bytes += pair->bytes;
}

/* ---- what lies there at the start ---- */

struct names {
    uint64_t *number;
    size_t n, room;
};

static bool names_add(struct names *names, uint64_t number)
{
    if (names->n == names->room) {
        size_t room = names->room ? 2 * names->room : 256;
        uint64_t *more = realloc(names->number, room * sizeof *more);
        if (!more) return false;
        names->number = more;
        names->room = room;
    }
    names->number[names->n++] = number;
    return true;
}

static int compare_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The folder as if for the first time; NULL with errno. */
static DIR *read_folder(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder && fd >= 0) (void)close(fd); /* nothing was written */
    return folder;
}

static enum burst_err list_numbers(struct quarantine_ring *r, struct names *ret_names, struct burst_error *reterr)
{
    DIR *folder = read_folder(r->dir);
    if (!folder) return burst_fail(reterr, BURST_E_IO, "quarantine: the folder cannot be read: %s", strerror(errno));
    bool good = true;
    for (struct dirent *e; good && (e = readdir(folder));) {
        uint64_t number;
        const char *ending = number_of(e->d_name, &number);
        if (!ending) continue;
        if (number >= r->next) r->next = number + 1;
        if (strcmp(ending, ".json") == 0) good = names_add(ret_names, number);
    }
    (void)closedir(folder);
    if (!good) return burst_fail(reterr, BURST_E_NOMEM, "quarantine: no memory for %zu names", ret_names->n);
    if (ret_names->n) qsort(ret_names->number, ret_names->n, sizeof *ret_names->number, compare_number);
    return BURST_OK;
}

/* Side file and bytes as written together; false for half a pair, or one that a power cut has shortened. */
static bool read_pair(struct quarantine_ring *r, uint64_t number, struct ring_pair *ret_pair)
{
    char name[NAME_TEXT], text[SIDE_MOST];
    struct stat bin;
    name_of(number, "bin", name);
    if (fstatat(r->dir, name, &bin, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(bin.st_mode)) return false;
    name_of(number, "json", name);
    int fd = openat(r->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0) (void)close(fd); /* read only */
    json_t *side = n > 0 && n < SIDE_MOST ? json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *sha256 = json_string_value(json_object_get(side, "sha256"));
    bool good = sha256 && json_integer_value(json_object_get(side, "bytes")) == bin.st_size &&
                bytes_unhex(sha256, 32, ret_pair->sha256, NULL) == BURST_OK;
    json_decref(side);
    ret_pair->number = number;
    ret_pair->bytes = bin.st_size + n;
    return good;
}

static bool is_kept(const struct quarantine_ring *r, uint64_t number)
{
    size_t low = 0, high = r->n; /* at the start the pairs lie in rising order from 0 */
    while (low < high) {
        size_t middle = (low + high) / 2;
        uint64_t there = r->pairs[(r->oldest + middle) % r->room].number;
        if (there == number) return true;
        if (there < number)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Files of ours that belong to no pair: a crash came between. */
static void remove_halves(struct quarantine_ring *r)
{
    DIR *folder = read_folder(r->dir);
    if (!folder) return;
    for (struct dirent *e; (e = readdir(folder));) {
        uint64_t number;
        const char *ending = number_of(e->d_name, &number);
        if (ending && (strstr(ending, ".tmp") || !is_kept(r, number))) (void)unlinkat(r->dir, e->d_name, 0);
    }
    (void)closedir(folder);
}

static enum burst_err take_up(struct quarantine_ring *r, struct burst_error *reterr)
{
    struct names names = {0};
    enum burst_err err = list_numbers(r, &names, reterr);
    for (size_t i = 0; !err && i < names.n; i++) {
        struct ring_pair pair;
        if (!read_pair(r, names.number[i], &pair)) continue;
        if (r->n == r->room) {
            ring_remove_oldest(r);
            r->removed++;
        }
        add_pair(r, &pair);
    }
    free(names.number);
    if (err) return err;
    for (; r->n && r->bytes > r->bytes_most; r->removed++)
        ring_remove_oldest(r);
    remove_halves(r);
    return BURST_OK;
}

static enum burst_err open_folder(const char *path, int *ret_dir, struct burst_error *reterr)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "quarantine: %s: %s", path, strerror(errno));
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) return burst_fail(reterr, BURST_E_IO, "quarantine: %s: %s", path, strerror(errno));
    *ret_dir = dir;
    return BURST_OK;
}

enum burst_err ring_open(struct quarantine_ring *r, const char *folder, int64_t bytes_most, size_t room,
                         struct burst_error *reterr)
{
    *r = (struct quarantine_ring){.dir = -1, .bytes_most = bytes_most, .room = room, .next = 1};
    r->pairs = calloc(room, sizeof *r->pairs);
    if (!r->pairs) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a quarantine of %zu refusals", room);
    enum burst_err err = open_folder(folder, &r->dir, reterr);
    return err ? err : take_up(r, reterr);
}

void ring_close(struct quarantine_ring *r)
{
    if (r->dir >= 0) (void)close(r->dir); /* a folder: nothing to lose */
    free(r->pairs);
    *r = (struct quarantine_ring){.dir = -1};
}

/* ---- adding ---- */

bool ring_has(const struct quarantine_ring *r, const uint8_t sha256[32])
{
    for (size_t i = 0; i < r->n; i++)
        if (memcmp(r->pairs[(r->oldest + i) % r->room].sha256, sha256, 32) == 0) return true;
    return false;
}

static enum burst_err check_space(struct quarantine_ring *r, size_t n, struct burst_error *reterr)
{
    struct statvfs disk;
    if (fstatvfs(r->dir, &disk) < 0) return burst_fail(reterr, BURST_E_IO, "quarantine: %s", strerror(errno));
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes >= n + RESERVE_BYTES) return BURST_OK;
    return burst_fail(reterr, BURST_E_IO,
                      "quarantine: %" PRIu64 " bytes are free on the disk, the last %" PRIu64
                      " are left to the database",
                      free_bytes, RESERVE_BYTES);
}

enum burst_err ring_add(struct quarantine_ring *r, const uint8_t sha256[32], const uint8_t *bytes, size_t n,
                        const char *side, struct burst_error *reterr)
{
    struct ring_pair pair = {.number = r->next, .bytes = (int64_t)(n + strlen(side))};
    memcpy(pair.sha256, sha256, sizeof pair.sha256);
    if (pair.bytes > r->bytes_most)
        return burst_fail(reterr, BURST_E_IO, "quarantine: a refusal of %" PRId64 " bytes, room for %" PRId64,
                          pair.bytes, r->bytes_most);
    enum burst_err err = check_space(r, n, reterr);
    if (err) return err;
    for (; r->n == r->room || r->bytes + pair.bytes > r->bytes_most; r->removed++)
        ring_remove_oldest(r);
    r->next++;
    err = write_file(r, pair.number, "bin", bytes, n, reterr);
    if (!err) err = write_file(r, pair.number, "json", side, strlen(side), reterr);
    if (err)
        remove_files(r, pair.number);
    else
        add_pair(r, &pair);
    return err;
}
