/* Any bytes as a request to the catalog command: read or refused, never a crash or a leak; what is read is bounded text without control
 * characters, and what is then added is a source. */
#include "daemon/catalog.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool good)
{
    if (!good) abort();
}

static void check_text(const char *text, size_t size)
{
    must(memchr(text, 0, size) != NULL);
    for (const char *at = text; *at; at++)
        must((unsigned char)*at >= 0x20 && *at != 0x7f);
}

static void check_request(const struct catalog_request *r)
{
    static struct overlay o;
    const struct known_change *c = &r->change;
    const struct catalogue nothing = {0, NULL};
    check_text(c->source.name, sizeof c->source.name);
    check_text(c->who, sizeof c->who);
    check_text(c->why, sizeof c->why);
    must(c->remove == (r->action == CATALOG_REMOVE));
    if (r->action == CATALOG_ADD || r->action == CATALOG_REMOVE) must(c->who[0] && c->why[0] && c->source.name[0]);
    if (r->action != CATALOG_ADD) return;
    memset(&o, 0, sizeof o);
    if (overlay_add(&o, &nothing, &c->source, c->force, NULL) == BURST_OK)
        must(o.n_source == 1 && catalogue_check(&o.source[0], NULL) == BURST_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct catalog_request r;
    struct burst_error why;
    json_t *request = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
    if (catalog_read(request, &r, &why) == BURST_OK)
        check_request(&r);
    else
        must(why.code != BURST_OK && why.text[0]);
    json_decref(request);
    return 0;
}
