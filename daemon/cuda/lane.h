/* lane: one client's connection, served by one thread with one stream, its networks and its shared memory. Answers what it is
 * asked and believes nothing that it has not checked. A client that hangs up, or breaks the protocol, ends its lane and no other.
 * After an error that only a new process can cure it answers first and then ends the process: _exit(LANE_DEVICE_FAILED). */
#ifndef BURST_DAEMON_CUDA_LANE_H
#define BURST_DAEMON_CUDA_LANE_H
#include "daemon/cuda/front.h"
#include "net/net.h"
#include <pthread.h>
#include <stdatomic.h>

enum { LANE_DEVICE_FAILED = 70 };

/* A network in a slot, with the ways into it. */
struct lane_net {
    struct wire_load load;
    struct net *net; /* NULL: the slot is empty */
    union {
        struct front_window window;
        struct front_image image;
    } front;
    bool has_front;
    struct cuda_entry *entry, *cam; /* what jobs of the role run; cam may be NULL */
    int64_t n_cam;
    int last_n; /* samples of the last RUN */
};

struct lane {
    /* Set by who starts the lane. */
    int number, fd;
    int device;
    const char *cache_folder;
    int64_t patience_ns; /* for opening a network; opening the device and giving back have at most a minute of it */
    pthread_t thread;
    /* Read by who watches it. */
    atomic_bool ended;
    _Atomic int64_t busy_until_ns; /* what is under way must be done by then; 0: nothing is */
    _Atomic uint64_t n_job;
    /* The thread's own. */
    struct wire_hello hello;
    struct cuda_engine *engine;
    void *map;
    size_t map_bytes;
    struct wire_control *control;
    uint8_t *input, *output;
    const uint8_t *device_input; /* where the device sees `input` */
    struct lane_net net[WORKER_SLOTS];
};

/* ---- lane.c ---- */

/* Serve until the client is gone, as pthread_create wants it; `at` is a struct lane. The descriptor is shut, not closed. */
void *lane_serve(void *at);

/* ---- lane_net.c ---- */

/* Open a network in the slot that `load` names, in the place of what is there.
 * Given     bytes [load->n_bytes]  the file
 * Returned  *ret  what LOADED tells, its head left alone
 * Errors    those of net_open_bytes, cuda_entry_new and the fronts; the slot is then empty */
enum burst_err lane_net_open(struct lane *lane, const struct wire_load *load, const uint8_t *bytes,
                             struct wire_loaded *ret, struct burst_error *reterr);
void lane_net_close(struct lane *lane, struct lane_net *net);

/* ---- lane_job.c ---- */

/* Do one job, whose packet has been checked.
 * Returned  *ret_bytes  of the answer in the output area
 * Errors    BURST_E_STATE, BURST_E_SHAPE, BURST_E_RANGE, those of the network */
enum burst_err lane_job(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes, struct burst_error *reterr);
#endif
