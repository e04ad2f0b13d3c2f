/* worker_wire: the bytes between burstd and burst-cuda. Both ends run on one machine and were built from one tree, so numbers are
 * in the machine's order and the version must be equal; but either end may be another program, or ill, so each checks all that the
 * other says. The readers here are pure: bytes in, a checked struct or a refusal out.
 *
 * An AF_UNIX SOCK_SEQPACKET socket, one connection for each lane. Every packet is one of the structs below, of its exact length:
 *
 *   client                              worker
 *   HELLO + shared memory        ->
 *                                <-     WELCOME
 *   LOAD + the network's bytes   ->                     (for each slot; may come at any time between jobs)
 *                                <-     LOADED | FAILED  (with LOAD's sequence; after minutes where engines are timed)
 *   JOB                          ->                     (one at a time)
 *                                <-     DONE             (with JOB's sequence)
 *   hang-up                      ->     the lane ends
 *
 * Sequences are the client's: 1 for HELLO, then rising by 1. Descriptors travel with HELLO and LOAD alone, one each: a memfd sealed
 * against shrinking and growing (SHRINK | GROW | SEAL), LOAD's against writing, too.
 *
 * Shared memory: a page `struct wire_control`, then input_bytes for what a job needs, then output_bytes for what it answers.
 * A job's input:
 *   ECHO         n bytes. Output: the same
 *   RUN          for each input port [n][floats of one sample]. Output: for each output port likewise
 *   READ         nothing; the tensor's name is in the packet. Output: floats
 *   WINDOW, CAM  struct wire_window with n windows; CAM has one. Output: [n][floats of one sample]; CAM: [n_cam]
 *   IMAGE        struct wire_image with n samples of one image. Output: [n][floats of one sample]
 * The kernels read wire_window and wire_image where they lie, and keep to their limits whatever is written there meanwhile.
 *
 * With `spin` JOB and DONE do not travel: the client writes the packet to control.job and then its sequence to control.bell; the
 * worker writes its packet to control.done and then the sequence to control.answer. The socket is then for LOAD and hang-ups. */
#ifndef BURST_NET_WORKER_WIRE_H
#define BURST_NET_WORKER_WIRE_H
#include "net/worker.h"
#include <stdatomic.h>

enum { WIRE_MAGIC = 0x62776b72, WIRE_VERSION = 1, WIRE_PAGE = 4096, WIRE_PACKET_MOST = 1024 };
#define WIRE_AREA_MOST ((uint64_t)256 << 20) /* bytes of input, and of output */

enum wire_kind { WIRE_HELLO = 1, WIRE_LOAD, WIRE_JOB, WIRE_WELCOME = 17, WIRE_LOADED, WIRE_FAILED, WIRE_DONE };

struct wire_head {
    uint32_t magic;
    uint16_t version, kind;
    uint32_t bytes; /* of the packet, this included */
    uint32_t zero;
    uint64_t sequence;
};

struct wire_hello {
    struct wire_head head;
    uint32_t precision; /* enum worker_precision */
    uint8_t background, spin, zero[2];
    int32_t core; /* processor for the lane's thread; -1: none */
    uint32_t zero2;
    uint64_t input_bytes, output_bytes; /* multiples of WIRE_PAGE, 1 .. WIRE_AREA_MOST */
};

struct wire_load {
    struct wire_head head;
    uint32_t slot, role; /* enum worker_role */
    uint64_t n_bytes;    /* 1..NET_FILE_MOST, the memfd's size */
    uint32_t batch;      /* 1..WORKER_BATCH_MOST */
    uint32_t keep_all;   /* 0 or 1 */
    int32_t cam_index, n_atom, n_band;
    uint8_t first[WORKER_BANDS_MOST], last[WORKER_BANDS_MOST];
    float scaling[4]; /* clip_lo, clip_hi, image_scale, mask_scale */
    uint32_t zero;
};

enum wire_job_kind { WIRE_ECHO, WIRE_RUN, WIRE_READ, WIRE_WINDOW, WIRE_CAM, WIRE_IMAGE, WIRE_JOB_KIND_N };

struct wire_job {
    struct wire_head head;
    uint32_t kind, slot;         /* enum wire_job_kind */
    uint64_t n;                  /* bytes of ECHO, samples of RUN and IMAGE, windows of WINDOW, 1 of CAM; 0 of READ */
    int64_t deadline_ns;         /* CLOCK_MONOTONIC */
    char name[WORKER_NAME_TEXT]; /* READ; closed by a 0, zeros behind; else all zeros */
};

struct wire_welcome {
    struct wire_head head;
    int32_t pid, sm, driver, runtime;
    int64_t cudnn;
    uint64_t memory_bytes;
    char device[96];
};

struct wire_loaded {
    struct wire_head head;
    uint32_t slot, batch;
    uint32_t n_input, n_output;                                                /* 1..WORKER_PORTS_MOST */
    int64_t input_floats[WORKER_PORTS_MOST], output_floats[WORKER_PORTS_MOST]; /* 1..2^28 each; 0 past the ports */
    int64_t n_cam;
    uint64_t memory_bytes;
    char sha256[72];
};

/* LOAD was refused; WELCOME's place where the lane is refused. */
struct wire_failed {
    struct wire_head head;
    uint32_t slot, code; /* enum burst_err, not 0 */
    char text[WORKER_TEXT];
};

struct wire_done {
    struct wire_head head;
    uint32_t code; /* enum burst_err */
    uint32_t zero;
    uint64_t n_bytes; /* of the answer in the output area; 0 where code is not 0 */
    int64_t device_ns;
    char text[WORKER_TEXT]; /* empty where code is 0 */
};

/* The first page of shared memory. */
struct wire_control {
    _Alignas(64) _Atomic uint64_t bell;
    _Alignas(64) _Atomic uint64_t answer;
    _Alignas(64) uint8_t job[sizeof(struct wire_job)];
    _Alignas(64) uint8_t done[sizeof(struct wire_done)];
};
_Static_assert(sizeof(struct wire_control) <= WIRE_PAGE, "one page");

/* ---- job inputs ---- */

enum { WIRE_COUNTS_MOST = WORKER_ROWS_MOST * WORKER_ATOMS_MOST * WORKER_WINDOW_BINS };
enum { WIRE_VALID_MOST = WORKER_ROWS_MOST * WORKER_WINDOW_BINS };

struct wire_window {
    _Alignas(64) struct ring_job job;
    _Alignas(64) uint32_t counts[WIRE_COUNTS_MOST];
    _Alignas(64) uint8_t valid[WIRE_VALID_MOST];
};

struct wire_image {
    _Alignas(64) struct image_job job;
    _Alignas(64) float snr[WORKER_IMAGE_PIXELS];
    _Alignas(64) uint8_t mask[WORKER_IMAGE_PIXELS];
};

/* ---- writing ---- */

/* Zero a packet and fill its head. `packet` is one of the structs above, `bytes` its size. */
void wire_begin(void *packet, size_t bytes, enum wire_kind kind, uint64_t sequence);

/* ---- reading ---- */

struct wire_request {
    enum wire_kind kind;
    union {
        struct wire_head head;
        struct wire_hello hello;
        struct wire_load load;
        struct wire_job job;
    };
};

struct wire_answer {
    enum wire_kind kind;
    union {
        struct wire_head head;
        struct wire_welcome welcome;
        struct wire_loaded loaded;
        struct wire_failed failed;
        struct wire_done done;
    };
};

/* What the worker reads: any bytes to a request whose every field lies in its stated range.
 *
 * Given     bytes [n]  a packet as it came
 *           n_fd       descriptors that came with it
 * Errors    BURST_E_TRUNCATED    shorter than a head;  BURST_E_FORMAT  magic, length or a byte that must be 0
 *           BURST_E_UNSUPPORTED  another version, a kind that a client does not send
 *           BURST_E_RANGE        a field outside its range, named;  BURST_E_MISSING, BURST_E_LIMIT  too few or too many descriptors
 *           *ret untouched
 * Notes     Whether the slot holds a network of that role, and whether areas are large enough, is for who knows them. */
enum burst_err wire_read_request(const void *bytes, size_t n, int n_fd, struct wire_request *ret,
                                 struct burst_error *reterr);

/* What the client reads, with the same errors. Texts come closed by a 0. */
enum burst_err wire_read_answer(const void *bytes, size_t n, struct wire_answer *ret, struct burst_error *reterr);

/* Is this descriptor memory of exactly that size, sealed so that it stays so?
 * Given     read_only  sealed against writing, too
 * Errors    BURST_E_FORMAT  not a sealable memory, or seals are missing;  BURST_E_SHAPE  another size */
enum burst_err wire_check_memory(int fd, uint64_t bytes, bool read_only, struct burst_error *reterr);
/* Make such memory: `bytes` zeros, or a copy of `content` (then read-only).
 * Returned  *ret_fd  close-on-exec, the caller's
 * Errors    BURST_E_IO with the system's words; *ret_fd untouched */
enum burst_err wire_make_memory(uint64_t bytes, const void *content, int *ret_fd, struct burst_error *reterr);
#endif
