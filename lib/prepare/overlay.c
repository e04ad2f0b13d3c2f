/* See overlay.h. A few hundred sources are searched one after the other: changes are a person's, and few. */
#include "prepare/overlay.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER "name,ra_deg,dec_deg,bright\n"
static const double NEAR_DEG = 0.05;  /* a tenth of a pixel: nobody can tell them apart */
static const double SAME_DEG = 0.001; /* catalogue.h: one source entered twice */

static size_t find(const struct catalogue_source *source, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcasecmp(source[i].name, name) != 0)
        i++;
    return i;
}

/* A position as it will be read again from the text. */
static void round_position(struct catalogue_source *s)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.5f", s->ra_deg);
    s->ra_deg = strtod(text, NULL);
    if (s->ra_deg >= 360.0) s->ra_deg = 0.0;
    (void)snprintf(text, sizeof text, "%.5f", s->dec_deg);
    s->dec_deg = strtod(text, NULL);
}

/* Neighbours of another name; those of the same name are what `s` would stand for. */
static enum burst_err check_near(const struct catalogue_source *source, size_t n, const struct catalogue_source *s,
                                 double reach_deg, struct burst_error *reterr)
{
    for (size_t i = 0; i < n; i++) {
        double apart = catalogue_separation_deg(&source[i], s);
        if (apart >= reach_deg || strcasecmp(source[i].name, s->name) == 0) continue;
        return burst_fail(reterr, BURST_E_DUPLICATE, "%s lies %.4f degrees from %s", source[i].name, apart, s->name);
    }
    return BURST_OK;
}

static enum burst_err check_name(const struct catalogue_source *source, size_t n, const char *name,
                                 struct burst_error *reterr)
{
    size_t i = find(source, n, name);
    if (i == n) return BURST_OK;
    return burst_fail(reterr, BURST_E_DUPLICATE, "%s is known already, at %.5f %.5f", source[i].name, source[i].ra_deg,
                      source[i].dec_deg);
}

static enum burst_err check_room(const struct overlay *o, const struct catalogue *base, struct burst_error *reterr)
{
    if (o->n_source == OVERLAY_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%d sources have been added: the most there may be", OVERLAY_MAX);
    if (base->n_source + o->n_source >= CATALOGUE_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%d sources are known: the most there may be", CATALOGUE_MAX);
    return BURST_OK;
}

static void take_out(struct overlay *o, size_t at)
{
    o->n_source--;
    memmove(&o->source[at], &o->source[at + 1], (o->n_source - at) * sizeof o->source[0]);
    o->source[o->n_source] = (struct catalogue_source){0};
}

static void put_in(struct overlay *o, const struct catalogue_source *s)
{
    size_t at = o->n_source;
    for (; at > 0 && strcmp(o->source[at - 1].name, s->name) > 0; at--)
        o->source[at] = o->source[at - 1];
    o->source[at] = *s;
    o->n_source++;
}

enum burst_err overlay_add(struct overlay *o, const struct catalogue *base, const struct catalogue_source *s,
                           bool force, struct burst_error *reterr)
{
    double reach_deg = force ? SAME_DEG : NEAR_DEG;
    enum burst_err err = catalogue_check(s, reterr);
    if (!err && !force) err = check_name(o->source, o->n_source, s->name, reterr);
    if (!err && !force) err = check_name(base->source, base->n_source, s->name, reterr);
    if (err) return err;
    struct catalogue_source rounded = {.bright = s->bright, .ra_deg = s->ra_deg, .dec_deg = s->dec_deg};
    memcpy(rounded.name, s->name, strlen(s->name)); /* what is behind the name's end is no part of it */
    round_position(&rounded);
    err = check_near(o->source, o->n_source, &rounded, reach_deg, reterr);
    if (!err) err = check_near(base->source, base->n_source, &rounded, reach_deg, reterr);
    size_t old = find(o->source, o->n_source, s->name);
    if (!err && old == o->n_source) err = check_room(o, base, reterr);
    if (err) return err;
    if (old < o->n_source) take_out(o, old);
    put_in(o, &rounded);
    return BURST_OK;
}

enum burst_err overlay_remove(struct overlay *o, const struct catalogue *base, const char *name,
                              struct burst_error *reterr)
{
    size_t at = find(o->source, o->n_source, name);
    if (at < o->n_source) {
        take_out(o, at);
        return BURST_OK;
    }
    if (find(base->source, base->n_source, name) < base->n_source)
        return burst_fail(reterr, BURST_E_UNSUPPORTED,
                          "%.40s is of the catalogue file (image.catalogue): only what was added can be taken back",
                          name);
    return burst_fail(reterr, BURST_E_MISSING, "no known source of the name \"%.40s\"", name);
}

enum burst_err overlay_merge(const struct overlay *o, const struct catalogue *base, struct catalogue *ret_c,
                             struct burst_error *reterr)
{
    size_t n_base = base->n_source;
    if (n_base + o->n_source > CATALOGUE_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%zu sources of the file and %zu added ones, at most %d in all",
                          n_base, o->n_source, CATALOGUE_MAX);
    struct catalogue c = {.n_source = n_base};
    c.source = calloc(n_base + o->n_source + 1, sizeof *c.source);
    if (!c.source) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu sources", n_base + o->n_source);
    if (n_base) memcpy(c.source, base->source, n_base * sizeof *c.source);
    for (size_t i = 0; i < o->n_source; i++) {
        size_t at = find(base->source, n_base, o->source[i].name);
        c.source[at < n_base ? at : c.n_source++] = o->source[i];
    }
    *ret_c = c;
    return BURST_OK;
}

size_t overlay_text(const struct overlay *o, char ret_text[OVERLAY_TEXT])
{
    _Static_assert(sizeof HEADER + OVERLAY_MAX * (SOURCE_NAME_TEXT + 26) < OVERLAY_TEXT, "every source has its room");
    size_t n = (size_t)snprintf(ret_text, OVERLAY_TEXT, HEADER);
    for (size_t i = 0; i < o->n_source; i++)
        n += (size_t)snprintf(ret_text + n, OVERLAY_TEXT - n, "%s,%.5f,%.5f,%d\n", o->source[i].name,
                              o->source[i].ra_deg, o->source[i].dec_deg, o->source[i].bright);
    return n;
}

enum burst_err overlay_parse(const char *text, size_t n, const char *where, struct overlay *ret_o,
                             struct burst_error *reterr)
{
    struct catalogue c = {0};
    struct overlay o = {0};
    if (n == sizeof HEADER - 1 && memcmp(text, HEADER, n) == 0) {
        *ret_o = o;
        return BURST_OK;
    }
    enum burst_err err = catalogue_parse(text, n, where, &c, reterr);
    if (err) return err;
    if (c.n_source > OVERLAY_MAX)
        err = burst_fail(reterr, BURST_E_LIMIT, "%s: %zu sources, at most %d", where, c.n_source, OVERLAY_MAX);
    for (size_t i = 0; !err && i < c.n_source; i++)
        put_in(&o, &c.source[i]);
    catalogue_fini(&c);
    if (!err) *ret_o = o;
    return err;
}
