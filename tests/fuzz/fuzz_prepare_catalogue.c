/* Any bytes as a catalogue file, and as kept additions: taken or refused, never a crash or a leak. What is taken keeps the promises of
 * catalogue.h; additions that are read are written again as the same text once more. */
#include "prepare/overlay.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool good)
{
    if (!good) abort();
}

static void check_sources(const struct catalogue_source *source, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        must(source[i].ra_deg >= 0 && source[i].ra_deg < 360 && fabs(source[i].dec_deg) <= 90);
        must(memchr(source[i].name, 0, sizeof source[i].name) != NULL && source[i].name[0] != 0);
        must(source[i].name[0] != '=' && !strpbrk(source[i].name, "<>&'\"`$\\,;|\n\r\t"));
        must(catalogue_check(&source[i], NULL) == BURST_OK);
    }
}

/* Every source of the file once more by hand: taken or refused, with and without force. */
static void add_all(const struct catalogue *c)
{
    static struct overlay o;
    static char text[OVERLAY_TEXT], again[OVERLAY_TEXT];
    static struct overlay back;
    memset(&o, 0, sizeof o);
    const struct catalogue base = {c->n_source / 2, c->source};
    for (size_t i = 0; i < c->n_source; i++)
        (void)overlay_add(&o, &base, &c->source[i], i % 3 == 0, NULL); /* a refusal changes nothing */
    check_sources(o.source, o.n_source);
    size_t n = overlay_text(&o, text);
    must(overlay_parse(text, n, "text", &back, NULL) == BURST_OK && overlay_text(&back, again) == n);
    must(memcmp(text, again, n) == 0);
    struct catalogue all = {0};
    must(overlay_merge(&o, &base, &all, NULL) == BURST_OK && all.n_source <= base.n_source + o.n_source);
    catalogue_fini(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct overlay o;
    struct catalogue c = {0};
    struct burst_error why;
    if (catalogue_parse((const char *)bytes, n, "bytes", &c, &why) == BURST_OK) {
        must(c.n_source > 0 && c.n_source <= CATALOGUE_MAX);
        check_sources(c.source, c.n_source);
        if (c.n_source <= 64) add_all(&c);
        catalogue_fini(&c);
    }
    if (overlay_parse((const char *)bytes, n, "bytes", &o, &why) == BURST_OK) check_sources(o.source, o.n_source);
    return 0;
}
