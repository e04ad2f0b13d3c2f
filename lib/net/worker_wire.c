/* The readers and writers of the worker's packets: see worker_wire.h. */
#include "net/worker_wire.h"
#include "net/net.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS_FIXED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define FLOATS_MOST (INT64_C(1) << 28)

void wire_begin(void *packet, size_t bytes, enum wire_kind kind, uint64_t sequence)
{
    struct wire_head head = {WIRE_MAGIC, WIRE_VERSION, (uint16_t)kind, (uint32_t)bytes, 0, sequence};
    memset(packet, 0, bytes);
    memcpy(packet, &head, sizeof head);
}

/* Bytes of a packet of that kind; 0: no such kind. */
static size_t packet_bytes(unsigned kind)
{
    switch (kind) {
    case WIRE_HELLO: return sizeof(struct wire_hello);
    case WIRE_LOAD: return sizeof(struct wire_load);
    case WIRE_JOB: return sizeof(struct wire_job);
    case WIRE_WELCOME: return sizeof(struct wire_welcome);
    case WIRE_LOADED: return sizeof(struct wire_loaded);
    case WIRE_FAILED: return sizeof(struct wire_failed);
    case WIRE_DONE: return sizeof(struct wire_done);
    default: return 0;
    }
}

/* The head of a packet of kinds [first, last]. */
static enum burst_err read_head(const void *bytes, size_t n, unsigned first, unsigned last, struct wire_head *ret,
                                struct burst_error *reterr)
{
    struct wire_head head;
    if (n < sizeof head)
        return burst_fail(reterr, BURST_E_TRUNCATED, "a packet of %zu bytes; its head alone has %zu", n, sizeof head);
    memcpy(&head, bytes, sizeof head);
    if (head.magic != WIRE_MAGIC) return burst_fail(reterr, BURST_E_FORMAT, "not a packet of burst-cuda");
    if (head.version != WIRE_VERSION)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "version %u of the worker's protocol; this program speaks %d",
                          (unsigned)head.version, WIRE_VERSION);
    if (head.kind < first || head.kind > last)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "a packet of kind %u from this end", (unsigned)head.kind);
    if (head.bytes != n || n != packet_bytes(head.kind))
        return burst_fail(reterr, BURST_E_FORMAT, "a packet of kind %u with %zu bytes that says %u; it has %zu",
                          (unsigned)head.kind, n, (unsigned)head.bytes, packet_bytes(head.kind));
    if (head.zero) return burst_fail(reterr, BURST_E_FORMAT, "a byte that must be 0 is not");
    if (!head.sequence) return burst_fail(reterr, BURST_E_RANGE, "sequence 0");
    *ret = head;
    return BURST_OK;
}

static enum burst_err out_of_range(struct burst_error *reterr, const char *what, long long value)
{
    return burst_fail(reterr, BURST_E_RANGE, "%s %lld is outside its range", what, value);
}

static bool all_zero(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++)
        if (b[i]) return false;
    return true;
}

/* Text closed by a 0 and zeros behind it. */
static bool is_text(const char *text, size_t n)
{
    size_t length = strnlen(text, n);
    return length < n && all_zero(text + length, n - length);
}

/* ---- requests ---- */

static bool is_area(uint64_t bytes)
{
    return bytes >= WIRE_PAGE && bytes <= WIRE_AREA_MOST && bytes % WIRE_PAGE == 0;
}

static enum burst_err check_hello(const struct wire_hello *p, struct burst_error *reterr)
{
    if (p->precision >= WORKER_PRECISION_N) return out_of_range(reterr, "precision", p->precision);
    if (p->background > 1) return out_of_range(reterr, "background", p->background);
    if (p->spin > 1) return out_of_range(reterr, "spin", p->spin);
    if (p->core < -1) return out_of_range(reterr, "core", p->core);
    if (!is_area(p->input_bytes)) return out_of_range(reterr, "input_bytes", (long long)p->input_bytes);
    if (!is_area(p->output_bytes)) return out_of_range(reterr, "output_bytes", (long long)p->output_bytes);
    if (!all_zero(p->zero, sizeof p->zero) || p->zero2)
        return burst_fail(reterr, BURST_E_FORMAT, "a byte of HELLO that must be 0 is not");
    return BURST_OK;
}

static enum burst_err check_bands(const struct wire_load *p, struct burst_error *reterr)
{
    if (p->cam_index < 0 || p->cam_index > 1 << 20) return out_of_range(reterr, "cam_index", p->cam_index);
    if (p->n_atom < 1 || p->n_atom > WORKER_ATOMS_MOST) return out_of_range(reterr, "n_atom", p->n_atom);
    if (p->n_band < 1 || p->n_band > WORKER_BANDS_MOST) return out_of_range(reterr, "n_band", p->n_band);
    for (int b = 0; b < p->n_band; b++)
        if (p->first[b] >= p->last[b] || p->last[b] > p->n_atom) return out_of_range(reterr, "atoms of band", b);
    return BURST_OK;
}

static enum burst_err check_load(const struct wire_load *p, struct burst_error *reterr)
{
    if (p->slot >= WORKER_SLOTS) return out_of_range(reterr, "slot", p->slot);
    if (p->role >= WORKER_ROLE_N) return out_of_range(reterr, "role", p->role);
    if (p->n_bytes < 1 || p->n_bytes > NET_FILE_MOST) return out_of_range(reterr, "n_bytes", (long long)p->n_bytes);
    if (p->batch < 1 || p->batch > WORKER_BATCH_MOST) return out_of_range(reterr, "batch", p->batch);
    if (p->keep_all > 1) return out_of_range(reterr, "keep_all", p->keep_all);
    if (p->zero) return burst_fail(reterr, BURST_E_FORMAT, "a byte of LOAD that must be 0 is not");
    if (p->role == WORKER_LIGHT_CURVE) return check_bands(p, reterr);
    if (p->role == WORKER_IMAGE &&
        (!isfinite(p->scaling[0]) || !isfinite(p->scaling[1]) || !isfinite(p->scaling[2]) || !isfinite(p->scaling[3]) ||
         p->scaling[0] >= p->scaling[1] || p->scaling[2] <= 0 || p->scaling[3] <= 0))
        return burst_fail(reterr, BURST_E_RANGE, "a scaling of sub-images that is none");
    return BURST_OK;
}

/* Least and most of wire_job.n by kind. */
static const uint64_t JOB_N[WIRE_JOB_KIND_N][2] = {
    [WIRE_ECHO] = {0, WIRE_AREA_MOST},
    [WIRE_RUN] = {1, WORKER_BATCH_MOST},
    [WIRE_READ] = {0, 0},
    [WIRE_WINDOW] = {1, WORKER_ROWS_MOST},
    [WIRE_CAM] = {1, 1},
    [WIRE_IMAGE] = {1, WORKER_BATCH_MOST},
};

static enum burst_err check_job(const struct wire_job *p, struct burst_error *reterr)
{
    if (p->kind >= WIRE_JOB_KIND_N) return out_of_range(reterr, "kind of job", p->kind);
    if (p->slot >= WORKER_SLOTS) return out_of_range(reterr, "slot", p->slot);
    if (p->n < JOB_N[p->kind][0] || p->n > JOB_N[p->kind][1]) return out_of_range(reterr, "n", (long long)p->n);
    if (!is_text(p->name, sizeof p->name)) return burst_fail(reterr, BURST_E_FORMAT, "a name that is not closed");
    if ((p->kind == WIRE_READ) != (p->name[0] != 0))
        return burst_fail(reterr, BURST_E_FORMAT, p->name[0] ? "a name where none belongs" : "READ without a name");
    return BURST_OK;
}

enum burst_err wire_read_request(const void *bytes, size_t n, int n_fd, struct wire_request *ret,
                                 struct burst_error *reterr)
{
    struct wire_request r = {0};
    enum burst_err err = read_head(bytes, n, WIRE_HELLO, WIRE_JOB, &r.head, reterr);
    if (err) return err;
    r.kind = (enum wire_kind)r.head.kind;
    int want = r.kind == WIRE_JOB ? 0 : 1;
    if (n_fd != want)
        return burst_fail(reterr, n_fd < want ? BURST_E_MISSING : BURST_E_LIMIT,
                          "%d descriptors with a packet of kind %d, which has %d", n_fd, (int)r.kind, want);
    memcpy(&r.head, bytes, n); /* n is the size of that member of the union: read_head */
    switch (r.kind) {
    case WIRE_HELLO: err = check_hello(&r.hello, reterr); break;
    case WIRE_LOAD: err = check_load(&r.load, reterr); break;
    default: err = check_job(&r.job, reterr);
    }
    if (!err) *ret = r;
    return err;
}

/* ---- answers ---- */

static enum burst_err check_welcome(const struct wire_welcome *p, struct burst_error *reterr)
{
    if (p->pid < 1) return out_of_range(reterr, "pid", p->pid);
    if (p->sm < 0 || p->driver < 0 || p->runtime < 0 || p->cudnn < 0)
        return burst_fail(reterr, BURST_E_RANGE, "a version of the device's software below 0");
    if (!is_text(p->device, sizeof p->device))
        return burst_fail(reterr, BURST_E_FORMAT, "a device's name that is not closed");
    return BURST_OK;
}

static bool are_ports(const int64_t *floats, uint32_t n)
{
    if (n < 1 || n > WORKER_PORTS_MOST) return false;
    for (uint32_t i = 0; i < WORKER_PORTS_MOST; i++)
        if (i < n ? floats[i] < 1 || floats[i] > FLOATS_MOST : floats[i] != 0) return false;
    return true;
}

static enum burst_err check_loaded(const struct wire_loaded *p, struct burst_error *reterr)
{
    if (p->slot >= WORKER_SLOTS) return out_of_range(reterr, "slot", p->slot);
    if (p->batch < 1 || p->batch > WORKER_BATCH_MOST) return out_of_range(reterr, "batch", p->batch);
    if (!are_ports(p->input_floats, p->n_input) || !are_ports(p->output_floats, p->n_output))
        return burst_fail(reterr, BURST_E_RANGE, "a network with %u inputs and %u outputs, or of sizes that are none",
                          p->n_input, p->n_output);
    if (p->n_cam < 0 || p->n_cam > FLOATS_MOST) return out_of_range(reterr, "n_cam", p->n_cam);
    if (!is_text(p->sha256, sizeof p->sha256) || strlen(p->sha256) != 64 || strspn(p->sha256, "0123456789abcdef") != 64)
        return burst_fail(reterr, BURST_E_FORMAT, "a SHA-256 that is none");
    return BURST_OK;
}

static enum burst_err check_failed(const struct wire_failed *p, struct burst_error *reterr)
{
    if (p->slot >= WORKER_SLOTS) return out_of_range(reterr, "slot", p->slot);
    if (p->code == BURST_OK || p->code >= BURST_E_N) return out_of_range(reterr, "code", p->code);
    if (!is_text(p->text, sizeof p->text)) return burst_fail(reterr, BURST_E_FORMAT, "a reason that is not closed");
    return BURST_OK;
}

static enum burst_err check_done(const struct wire_done *p, struct burst_error *reterr)
{
    if (p->code >= BURST_E_N) return out_of_range(reterr, "code", p->code);
    if (p->zero) return burst_fail(reterr, BURST_E_FORMAT, "a byte of DONE that must be 0 is not");
    if (p->n_bytes > (p->code ? 0 : WIRE_AREA_MOST)) return out_of_range(reterr, "n_bytes", (long long)p->n_bytes);
    if (p->device_ns < 0) return out_of_range(reterr, "device_ns", p->device_ns);
    if (!is_text(p->text, sizeof p->text)) return burst_fail(reterr, BURST_E_FORMAT, "a reason that is not closed");
    return BURST_OK;
}

enum burst_err wire_read_answer(const void *bytes, size_t n, struct wire_answer *ret, struct burst_error *reterr)
{
    struct wire_answer a = {0};
    enum burst_err err = read_head(bytes, n, WIRE_WELCOME, WIRE_DONE, &a.head, reterr);
    if (err) return err;
    a.kind = (enum wire_kind)a.head.kind;
    memcpy(&a.head, bytes, n); /* n is the size of that member of the union: read_head */
    switch (a.kind) {
    case WIRE_WELCOME: err = check_welcome(&a.welcome, reterr); break;
    case WIRE_LOADED: err = check_loaded(&a.loaded, reterr); break;
    case WIRE_FAILED: err = check_failed(&a.failed, reterr); break;
    default: err = check_done(&a.done, reterr);
    }
    if (!err) *ret = a;
    return err;
}

/* ---- memory ---- */

enum burst_err wire_check_memory(int fd, uint64_t bytes, bool read_only, struct burst_error *reterr)
{
    struct stat st;
    int want = SEALS_FIXED | (read_only ? F_SEAL_WRITE : 0);
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0) return burst_fail(reterr, BURST_E_FORMAT, "a descriptor that is no memory");
    if ((seals & want) != want)
        return burst_fail(reterr, BURST_E_FORMAT, "memory with seals %#x, without %#x", (unsigned)seals,
                          (unsigned)(want & ~seals));
    if (!read_only && (seals & F_SEAL_WRITE))
        return burst_fail(reterr, BURST_E_FORMAT, "memory that cannot be written");
    if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size != bytes)
        return burst_fail(reterr, BURST_E_SHAPE, "memory of %lld bytes, not %llu", (long long)st.st_size,
                          (unsigned long long)bytes);
    return BURST_OK;
}

static bool write_all(int fd, const void *content, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        ssize_t n = write(fd, (const uint8_t *)content + done, bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (uint64_t)n;
    }
    return true;
}

enum burst_err wire_make_memory(uint64_t bytes, const void *content, int *ret_fd, struct burst_error *reterr)
{
    int fd = memfd_create("burst-cuda", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool good = fd >= 0 && (content ? write_all(fd, content, bytes) : ftruncate(fd, (off_t)bytes) == 0) &&
                fcntl(fd, F_ADD_SEALS, SEALS_FIXED | (content ? F_SEAL_WRITE : 0)) == 0;
    if (good) {
        *ret_fd = fd;
        return BURST_OK;
    }
    enum burst_err err =
        burst_fail(reterr, BURST_E_IO, "memory of %llu bytes to share: %s", (unsigned long long)bytes, strerror(errno));
    if (fd >= 0) (void)close(fd);
    return err;
}
