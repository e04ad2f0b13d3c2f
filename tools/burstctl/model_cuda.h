/* A network that runs in burst-cuda, as a backend like the others: for `burstctl model --backend cuda`. */
#ifndef BURSTCTL_MODEL_CUDA_H
#define BURSTCTL_MODEL_CUDA_H
#include "model.h"
#include "net/worker.h"

struct model_worker;

/* Open a network on the backend that is asked for, the GPU's worker among them.
 *
 * Given     backend      used where options->cuda is not set
 *           batch        most samples of one run
 * Returned  *ret_worker  NULL for backends of this process; to be closed with the network
 * Errors    of net_open; BURST_E_DEVICE  no GPU can be used: the text says why */
enum burst_err model_open(const struct model_options *options, enum net_backend_id backend, int batch, struct net **ret,
                          struct model_worker **ret_worker, struct burst_error *reterr);
/* NULLs are accepted. */
void model_close(struct net *net, struct model_worker *worker);
/* What the worker says of its device; NULL without one. */
const struct worker_facts *model_facts(const struct model_worker *worker);
/* The name of its precision, and the tolerance that belongs to it. */
const char *model_precision(const struct model_worker *worker);
double model_tolerance(const struct model_worker *worker);
#endif
