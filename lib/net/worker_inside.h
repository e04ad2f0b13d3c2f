/* The inside of struct worker, for worker*.c. */
#ifndef BURST_NET_WORKER_INSIDE_H
#define BURST_NET_WORKER_INSIDE_H
#include "net/worker_rings.h"
#include "net/worker_wire.h"
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { WORKER_GRAVES = 8, WORKER_PATH = 512 };

/* The worker's process, where this lane starts it. A killed one that has not ended yet (it hangs in the driver) stays in a grave. */
struct worker_child {
    char program[WORKER_PATH], cache[WORKER_PATH];            /* program "": never started */
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* private, made by us; "": none */
    int device;
    pid_t pid; /* 0: none */
    pid_t grave[WORKER_GRAVES];
};

struct worker_net {
    bool used;
    bool to_send;       /* the worker has not been told of this content */
    uint64_t in_flight; /* sequence of the LOAD that waits for an answer; 0: none */
    struct wire_load load;
    int fd; /* the sealed bytes */
    struct worker_slot slot;
    struct worker_rings *rings; /* LIGHT_CURVE */
};

struct worker {
    struct sockaddr_un address;
    uint32_t precision;
    bool background, spin;
    int core;
    size_t input_bytes, output_bytes, map_bytes;
    int64_t start_limit_ns, load_limit_ns;

    enum worker_state state;
    int fd;           /* -1: none */
    int64_t since_ns; /* when this state began */
    uint64_t sequence;
    struct wire_control *control; /* the shared memory; NULL: none */
    uint8_t *input, *output;
    struct worker_facts facts;
    int64_t device_ns;
    struct worker_net net[WORKER_SLOTS];
    struct worker_child child;
    char why[512];
};

/* ---- worker_child.c ---- */

/* Start the program, listening at `path`. BURST_E_IO with the system's words; BURST_E_LIMIT where every grave is taken. */
enum burst_err child_start(struct worker_child *child, const char *path, struct burst_error *reterr);
/* Take the status of killed ones that have ended, so that none stays behind as a zombie. Never waits. */
void child_bury(struct worker_child *child);
/* The same, and true, with how in words, where the living one has ended. */
bool child_ended(struct worker_child *child, char *ret_how, size_t size);
/* Its socket goes, then SIGKILL, and into a grave. */
void child_kill(struct worker_child *child, const char *path);
/* SIGTERM, 2 s of patience, SIGKILL; then the folder goes. */
void child_fini(struct worker_child *child, const char *path);
/* Make the private folder and put the socket's path in it. BURST_E_IO, BURST_E_LIMIT. */
enum burst_err child_folder(struct worker_child *child, struct sockaddr_un *ret_address, struct burst_error *reterr);

/* ---- worker_lane.c ---- */

/* Give the lane up and remember why; returns `code` with the same words. */
enum burst_err lane_give_up(struct worker *w, enum burst_err code, struct burst_error *reterr, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Send a packet, with a descriptor (-1: none), without waiting. False: not now, or never; errno says. */
bool lane_send(struct worker *w, const void *packet, size_t bytes, int fd);
/* Read one packet without waiting. BURST_E_GONE: there is none; otherwise the lane was given up. */
enum burst_err lane_read(struct worker *w, struct wire_answer *ret, struct burst_error *reterr);
#endif
