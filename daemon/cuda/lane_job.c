/* Jobs of a lane: from the input area through a network to the output area. */
#include "daemon/cuda/lane.h"
#include <string.h>

static enum burst_err net_for(struct lane *lane, const struct wire_job *job, bool any_role, enum worker_role role,
                              struct lane_net **ret, struct burst_error *reterr)
{
    struct lane_net *net = &lane->net[job->slot];
    if (!net->net) return burst_fail(reterr, BURST_E_STATE, "no network is in slot %u", job->slot);
    if (!any_role && net->load.role != (uint32_t)role)
        return burst_fail(reterr, BURST_E_STATE, "the network of slot %u has another role", job->slot);
    *ret = net;
    return BURST_OK;
}

static enum burst_err check_room(const struct lane *lane, uint64_t in_bytes, uint64_t out_bytes,
                                 struct burst_error *reterr)
{
    if (in_bytes > lane->hello.input_bytes || out_bytes > lane->hello.output_bytes)
        return burst_fail(reterr, BURST_E_SHAPE, "a job of %llu bytes and an answer of %llu on a lane of %llu and %llu",
                          (unsigned long long)in_bytes, (unsigned long long)out_bytes,
                          (unsigned long long)lane->hello.input_bytes, (unsigned long long)lane->hello.output_bytes);
    return BURST_OK;
}

static enum burst_err check_batch(const struct lane_net *net, uint64_t n, struct burst_error *reterr)
{
    if (n > (uint64_t)net_batch(net->net))
        return burst_fail(reterr, BURST_E_SHAPE, "%llu samples; that network takes %d", (unsigned long long)n,
                          net_batch(net->net));
    return BURST_OK;
}

static enum burst_err do_echo(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes,
                              struct burst_error *reterr)
{
    enum burst_err err = check_room(lane, job->n, job->n, reterr);
    if (err) return err;
    memcpy(lane->output, lane->input, job->n);
    *ret_bytes = job->n;
    return BURST_OK;
}

static enum burst_err do_run(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes,
                             struct burst_error *reterr)
{
    struct lane_net *net = NULL;
    const float *input[WORKER_PORTS_MOST];
    float *output[WORKER_PORTS_MOST];
    uint64_t in_bytes = 0, out_bytes = 0;
    enum burst_err err = net_for(lane, job, true, WORKER_PLAIN, &net, reterr);
    if (!err) err = check_batch(net, job->n, reterr);
    if (err) return err;
    for (int i = 0; i < net_n_input(net->net); i++) {
        input[i] = (const float *)(const void *)(lane->input + in_bytes);
        in_bytes += (uint64_t)net_input(net->net, i)->n_element * job->n * sizeof(float);
    }
    for (int i = 0; i < net_n_output(net->net); i++) {
        output[i] = (float *)(void *)(lane->output + out_bytes);
        out_bytes += (uint64_t)net_output(net->net, i)->n_element * job->n * sizeof(float);
    }
    err = check_room(lane, in_bytes, out_bytes, reterr);
    if (!err) err = net_run_ports(net->net, input, (int)job->n, output, reterr);
    if (err) return err;
    net->last_n = (int)job->n;
    *ret_bytes = out_bytes;
    return BURST_OK;
}

static enum burst_err do_read(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes,
                              struct burst_error *reterr)
{
    struct lane_net *net = NULL;
    struct net_port port;
    enum burst_err err = net_for(lane, job, true, WORKER_PLAIN, &net, reterr);
    if (err) return err;
    if (!net->last_n) return burst_fail(reterr, BURST_E_STATE, "nothing was run whose tensors could be read");
    size_t room = lane->hello.output_bytes / sizeof(float);
    err = net_read(net->net, job->name, (float *)(void *)lane->output, room, &port, reterr);
    if (!err) *ret_bytes = (uint64_t)port.n_element * (uint64_t)net->last_n * sizeof(float);
    return err;
}

/* WINDOW, CAM and IMAGE: the front reads the input area, the entry writes the output area. */
static enum burst_err do_entry(struct lane *lane, const struct wire_job *job, struct lane_net *net, uint64_t in_bytes,
                               uint64_t *ret_bytes, struct burst_error *reterr)
{
    bool with_cam = job->kind == WIRE_CAM;
    uint64_t answer = job->n * (uint64_t)net_output(net->net, 0)->n_element * sizeof(float);
    uint64_t cam = job->n * (uint64_t)net->n_cam * sizeof(float);
    float *output = (float *)(void *)lane->output;
    enum burst_err err = check_batch(net, job->n, reterr);
    if (!err) err = check_room(lane, in_bytes, with_cam ? answer + cam : answer, reterr);
    if (err) return err;
    net->last_n = 0; /* entries use the same buffers */
    /* A map goes first, so that it lies where answers do; the logits behind it are not sent. */
    float *logits = (float *)(void *)(lane->output + (with_cam ? cam : 0));
    err = cuda_entry_run(with_cam ? net->cam : net->entry, (int)job->n, logits, with_cam ? output : NULL,
                         job->deadline_ns, reterr);
    if (!err) *ret_bytes = with_cam ? cam : answer;
    return err;
}

static enum burst_err do_window(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes,
                                struct burst_error *reterr)
{
    struct lane_net *net = NULL;
    enum burst_err err = net_for(lane, job, false, WORKER_LIGHT_CURVE, &net, reterr);
    if (!err) err = check_room(lane, sizeof(struct wire_window), 0, reterr);
    if (!err) err = front_window_check(&net->front.window, (const void *)lane->input, job->n, reterr);
    if (!err && job->kind == WIRE_CAM && !net->cam)
        err = burst_fail(reterr, BURST_E_STATE, "the network of slot %u has no map", job->slot);
    return err ? err : do_entry(lane, job, net, sizeof(struct wire_window), ret_bytes, reterr);
}

static enum burst_err do_image(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes,
                               struct burst_error *reterr)
{
    struct lane_net *net = NULL;
    enum burst_err err = net_for(lane, job, false, WORKER_IMAGE, &net, reterr);
    if (!err) err = check_room(lane, sizeof(struct wire_image), 0, reterr);
    if (!err) err = front_image_check((const void *)lane->input, job->n, reterr);
    return err ? err : do_entry(lane, job, net, sizeof(struct wire_image), ret_bytes, reterr);
}

enum burst_err lane_job(struct lane *lane, const struct wire_job *job, uint64_t *ret_bytes, struct burst_error *reterr)
{
    switch (job->kind) {
    case WIRE_ECHO: return do_echo(lane, job, ret_bytes, reterr);
    case WIRE_RUN: return do_run(lane, job, ret_bytes, reterr);
    case WIRE_READ: return do_read(lane, job, ret_bytes, reterr);
    case WIRE_WINDOW:
    case WIRE_CAM: return do_window(lane, job, ret_bytes, reterr);
    default: return do_image(lane, job, ret_bytes, reterr);
    }
}
