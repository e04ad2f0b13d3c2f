/* Networks of a lane: opened, with the ways into them that their role needs. */
#include "daemon/cuda/lane.h"
#include <string.h>

/* One input and one output, of the shape that the role's samples have. */
static enum burst_err check_role(const struct net *net, const struct wire_load *load, struct burst_error *reterr)
{
    int64_t want =
        load->role == WORKER_LIGHT_CURVE ? (int64_t)load->n_band * WORKER_WINDOW_BINS : 2 * WORKER_IMAGE_PIXELS;
    if (net_n_input(net) > WORKER_PORTS_MOST || net_n_output(net) > WORKER_PORTS_MOST)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "a network of %d inputs and %d outputs; at most %d each",
                          net_n_input(net), net_n_output(net), WORKER_PORTS_MOST);
    if (load->role == WORKER_PLAIN) return BURST_OK;
    if (net_n_input(net) != 1 || net_n_output(net) != 1 || net_input(net, 0)->n_element != want)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "a network of %d inputs, %d outputs and %lld floats in; samples have %lld", net_n_input(net),
                          net_n_output(net), (long long)net_input(net, 0)->n_element, (long long)want);
    if (load->role == WORKER_LIGHT_CURVE && load->cam_index >= net_output(net, 0)->n_element)
        return burst_fail(reterr, BURST_E_RANGE, "output %d of a network of %lld", load->cam_index,
                          (long long)net_output(net, 0)->n_element);
    return BURST_OK;
}

static enum burst_err open_window(struct lane *lane, struct lane_net *net, struct burst_error *reterr)
{
    enum burst_err err = front_window_init(lane->engine, &net->load, lane->device_input, &net->front.window, reterr);
    if (err) return err;
    net->has_front = true;
    struct net_head head;
    struct burst_error no_head;
    struct cuda_front front = {front_window_queue, &net->front.window};
    err = cuda_entry_new(net_code(net->net), &front, -1, &net->entry, reterr);
    if (err || net_head(net->net, &head, &no_head)) return err;
    err = cuda_entry_new(net_code(net->net), &front, net->load.cam_index, &net->cam, &no_head);
    if (err == BURST_E_UNSUPPORTED) return BURST_OK; /* it answers, and cannot say why */
    if (err) return burst_fail(reterr, err, "%s", no_head.text);
    net->n_cam = head.n_position;
    return BURST_OK;
}

static enum burst_err open_entries(struct lane *lane, struct lane_net *net, struct burst_error *reterr)
{
    if (net->load.role == WORKER_LIGHT_CURVE) return open_window(lane, net, reterr);
    if (net->load.role != WORKER_IMAGE) return BURST_OK;
    struct cuda_front front = {front_image_queue, &net->front.image};
    front_image_init(&net->load, lane->device_input, &net->front.image);
    return cuda_entry_new(net_code(net->net), &front, -1, &net->entry, reterr);
}

static void describe(const struct lane_net *net, struct wire_loaded *ret)
{
    ret->slot = net->load.slot;
    ret->batch = (uint32_t)net_batch(net->net);
    ret->n_input = (uint32_t)net_n_input(net->net);
    ret->n_output = (uint32_t)net_n_output(net->net);
    for (int i = 0; i < net_n_input(net->net); i++)
        ret->input_floats[i] = net_input(net->net, i)->n_element;
    for (int i = 0; i < net_n_output(net->net); i++)
        ret->output_floats[i] = net_output(net->net, i)->n_element;
    ret->n_cam = net->n_cam;
    ret->memory_bytes = net_memory(net->net);
    memcpy(ret->sha256, net_sha256(net->net), 65);
}

enum burst_err lane_net_open(struct lane *lane, const struct wire_load *load, const uint8_t *bytes,
                             struct wire_loaded *ret, struct burst_error *reterr)
{
    struct lane_net *net = &lane->net[load->slot]; /* where it stays: entries hold addresses in it */
    struct net_settings settings = {.batch_most = (int)load->batch,
                                    .keep_all = load->keep_all != 0,
                                    .memory_most = (size_t)8 << 30,
                                    .with = &net_backend_cuda,
                                    .engine = lane->engine};
    lane_net_close(lane, net);
    net->load = *load;
    enum burst_err err = net_open_bytes(bytes, load->n_bytes, &settings, &net->net, reterr);
    if (!err) err = check_role(net->net, load, reterr);
    if (!err) err = open_entries(lane, net, reterr);
    if (err)
        lane_net_close(lane, net);
    else
        describe(net, ret);
    return err;
}

void lane_net_close(struct lane *lane, struct lane_net *net)
{
    cuda_entry_free(net->cam);
    cuda_entry_free(net->entry);
    if (net->has_front) front_window_fini(lane->engine, &net->front.window);
    net_close(net->net);
    *net = (struct lane_net){0};
}
