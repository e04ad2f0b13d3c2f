/* The table of backends: a new one adds one line. */
#include "net/backend.h"
#include <string.h>

static const struct net_backend *const backends[NET_BACKEND_N] = {
    [NET_BACKEND_PLAIN] = &net_backend_plain,
    [NET_BACKEND_CPU] = &net_backend_cpu,
};

/* Fastest first. */
static const enum net_backend_id order[] = {NET_BACKEND_CPU, NET_BACKEND_PLAIN};

const struct net_backend *backend_of(enum net_backend_id id)
{
    if ((unsigned)id >= NET_BACKEND_N) return NULL;
    if (id != NET_BACKEND_AUTO) return backends[id];
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (backends[order[i]]) return backends[order[i]];
    return NULL;
}

enum burst_err backend_parse(const char *word, enum net_backend_id *ret, struct burst_error *reterr)
{
    static const char *const words[NET_BACKEND_N] = {"auto", "plain", "cpu"};
    for (int i = 0; i < NET_BACKEND_N; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *ret = (enum net_backend_id)i;
        return BURST_OK;
    }
    return burst_fail(reterr, BURST_E_RANGE, "backend '%.40s' is none of auto, plain, cpu", word);
}
