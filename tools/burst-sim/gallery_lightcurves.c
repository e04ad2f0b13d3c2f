/* Sheets of light curves: the five atoms of one detector over 120 s, counts as drawn and the rate they were drawn from. */
#include "base/datadir.h"
#include "commands.h"
#include "gallery.h"
#include "records/sample.h"
#include "sim/skyset.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 3, MERGED = 16 }; /* bins per point of the dark line: 1.024 s */
static const double PAGE_WIDTH = 842.0, PAGE_HEIGHT = 595.0, LEFT = 62.0, PITCH = 263.0, WIDTH = 224.0;
static const double HEAD = 17.0, CAPTION = 12.0, STRIP = 23.0, GAP = 1.5, FOOT = 21.0; /* of a row, from the top */
static const double BIN_S = 0.064;
static const struct colour PALE = {0.74, 0.78, 0.86}, DARK = {0.10, 0.22, 0.48}, MISSING = {0.93, 0.91, 0.86};
static const char *const ATOM[SIM_ATOM] = {"25-50 keV", "50-100 keV", "100-300 keV", "300-500 keV", "500-900 keV"};
/* A row shows one detector of each: different crystals, levels and orbits. */
static const char *const CRAFT[COLUMNS] = {"fermi-gbm", "gecam-b", "svom-grm"};

/* What to look for, by the family's word; a family without a line has its word alone. */
static const char *const HINT[][2] = {
    {"burst", "a gamma-ray burst: pulses that rise faster than they fall, hardest at their start"},
    {"quiet", "nothing but background: slow trends, now and then a little red noise"},
    {"dropout", "lost packets inside good time: all counts of a stretch, or a part of them"},
    {"hump", "particles on the way into or out of the belts: smooth, tens of seconds wide, in all detectors"},
    {"particles", "distant particles: faster and softer"},
    {"precipitation", "particles in a train of mini-pulses"},
    {"flare", "solar flare: slow and very soft, in the detectors that face the Sun"},
    {"magnetar", "bursts of a soft gamma repeater: a tenth of a second, hardly anything above 100 keV"},
    {"flash", "terrestrial gamma-ray flash: inside one bin, hard"},
    {"beam", "terrestrial electron beam and its mirror pulse"},
    {"step", "a bright source rises or sets behind the Earth: the level changes within seconds"},
    {"galactic", "a binary flares for seconds to a minute, soft"},
    {"pulsar", "a slow pulsar: a soft wave of minutes"},
    {"spike", "phosphorescence after a heavy nucleus: one detector, soft, gone within a second"},
    {"bit", "electronics: one bin of one energy group"},
    {"hot", "electronics: one energy group at a constant extra rate for a while"},
    {"saturation", "more counts than the electronics pass: a flat top, then a pause"},
    {"ramp", "the edge of the South Atlantic Anomaly: an exponential up to the moment data stop"},
    {"slew", "the spacecraft turns: the X-ray background is shared out anew, soft atoms most"},
};

static const char *find_hint(const char *word)
{
    for (size_t i = 0; i < sizeof HINT / sizeof HINT[0]; i++)
        if (strcmp(HINT[i][0], word) == 0) return HINT[i][1];
    return "";
}

/* One strip: an atom of a row. */
struct strip {
    const uint16_t *counts; /* [WINDOW_BINS] */
    const float *expected;  /* [WINDOW_BINS] */
    const uint8_t *valid;
};

static double rate_top(const struct strip *s)
{
    double top = 1.0 / BIN_S;
    for (size_t i = 0; i < WINDOW_BINS; i++)
        if (s->valid[i]) top = fmax(top, fmax(s->counts[i], (double)s->expected[i]) / BIN_S);
    return 1.08 * top;
}

static void shade_missing(cairo_t *cr, const struct axes *a, const uint8_t *valid)
{
    sheet_colour(cr, MISSING);
    for (size_t i = 0; i < WINDOW_BINS;) {
        size_t first = i;
        while (i < WINDOW_BINS && !valid[i])
            i++;
        double left = axes_x(a, (double)first * BIN_S);
        if (i > first) cairo_rectangle(cr, left, a->top, axes_x(a, (double)i * BIN_S) - left, a->height);
        i += i == first;
    }
    cairo_fill(cr);
}

/* Every bin of 64 ms as a vertical hair from its neighbour: nothing is averaged away, a single bright bin stands out. */
static void trace_bins(cairo_t *cr, const struct axes *a, const struct strip *s)
{
    sheet_colour(cr, PALE);
    cairo_set_line_width(cr, 0.25);
    for (size_t i = 0; i < WINDOW_BINS; i++) {
        double x = axes_x(a, ((double)i + 0.5) * BIN_S), y = axes_y(a, s->counts[i] / BIN_S);
        if (!s->valid[i]) continue;
        if (i > 0 && s->valid[i - 1])
            cairo_line_to(cr, x, y);
        else
            cairo_move_to(cr, x, y);
    }
    cairo_stroke(cr);
}

/* Steps of 1.024 s, over the valid bins alone. */
static void trace_merged(cairo_t *cr, const struct axes *a, const struct strip *s)
{
    bool down = false;
    sheet_colour(cr, DARK);
    cairo_set_line_width(cr, 0.6);
    for (size_t first = 0; first < WINDOW_BINS; first += MERGED) {
        size_t last = first + MERGED < WINDOW_BINS ? first + MERGED : WINDOW_BINS;
        double n = 0.0, sum = 0.0;
        for (size_t i = first; i < last; i++)
            n += s->valid[i], sum += s->valid[i] * s->counts[i];
        double y = axes_y(a, n > 0.0 ? sum / n / BIN_S : 0.0);
        if (n > 0.0 && down)
            cairo_line_to(cr, axes_x(a, (double)first * BIN_S), y);
        else if (n > 0.0)
            cairo_move_to(cr, axes_x(a, (double)first * BIN_S), y);
        if (n > 0.0) cairo_line_to(cr, axes_x(a, (double)last * BIN_S), y);
        down = n > 0.0;
    }
    cairo_stroke(cr);
}

static void trace_expected(cairo_t *cr, const struct axes *a, const struct strip *s)
{
    sheet_colour(cr, ACCENT);
    cairo_set_line_width(cr, 0.6);
    for (size_t i = 0; i < WINDOW_BINS; i++) {
        double x = axes_x(a, ((double)i + 0.5) * BIN_S), y = axes_y(a, (double)s->expected[i] / BIN_S);
        if (!s->valid[i]) continue;
        if (i > 0 && s->valid[i - 1])
            cairo_line_to(cr, x, y);
        else
            cairo_move_to(cr, x, y);
    }
    cairo_stroke(cr);
}

static void draw_strip(cairo_t *cr, const struct axes *a, const struct strip *s, const char *atom)
{
    shade_missing(cr, a, s->valid);
    trace_bins(cr, a, s);
    trace_merged(cr, a, s);
    trace_expected(cr, a, s);
    axes_frame(cr, a);
    axes_ticks_y(cr, a, axes_step(a->y1, 3), 5.0);
    cairo_set_source_rgba(cr, 1.0, 1.0, 1.0, 0.8); /* the name stays legible over the hairs */
    cairo_rectangle(cr, a->left + 1.0, a->top + 0.7, 39.0, 6.6);
    cairo_fill(cr);
    sheet_colour(cr, INK);
    (void)sheet_text(cr, a->left + 2.5, a->top + 6.0, 5.5, TEXT_LEFT, false, atom);
}

static void caption(cairo_t *cr, const struct sky_row *row, const struct spacecraft *craft, double left, double base)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%s %s", craft->name, craft->detector[row->detector].name);
    sheet_colour(cr, INK);
    double x = left + sheet_text(cr, left, base, 6.5, TEXT_LEFT, true, text) + 6.0;
    n = snprintf(text, sizeof text, row->snr > 0.0 ? "S/N %.1f" : "no S/N", row->snr);
    if (row->t90_s > 0.0) (void)snprintf(text + n, sizeof text - (size_t)n, ", T90 %.3g s", row->t90_s);
    (void)sheet_text(cr, x, base, 6.5, TEXT_LEFT, false, row->snr > 0.0 ? text : "");
    sheet_colour(cr, row->label ? (struct colour){0.05, 0.45, 0.15} : FAINT);
    (void)sheet_text(cr, left + WIDTH, base, 6.5, TEXT_RIGHT, false, row->label ? "label 1" : "label 0");
}

/* The softest atom lowest, as energy rises. */
static void draw_row(cairo_t *cr, const struct sky_work *work, const struct spacecraft *craft, int column, double top)
{
    struct axes a = {.left = LEFT + PITCH * column, .width = WIDTH, .height = STRIP - GAP, .x1 = WINDOW_BINS * BIN_S};
    caption(cr, sky_row(work, 0), craft, a.left, top + CAPTION - 3.5);
    for (int atom = 0; atom < SIM_ATOM; atom++) {
        struct strip s = {sky_atoms(work, 0) + (size_t)atom * WINDOW_BINS,
                          sky_expected(work) + (size_t)atom * WINDOW_BINS, sky_valid(work, 0)};
        a.top = top + CAPTION + STRIP * (SIM_ATOM - 1 - atom);
        a.y1 = rate_top(&s);
        draw_strip(cr, &a, &s, ATOM[atom]);
    }
    a.top = top + CAPTION + STRIP * (SIM_ATOM - 1);
    axes_ticks_x(cr, &a, 20.0, 5.5);
    sheet_colour(cr, FAINT);
    (void)sheet_text(cr, a.left + 0.5 * WIDTH, top + CAPTION + STRIP * SIM_ATOM + 14.0, 5.5, TEXT_MIDDLE, false,
                     "time in the window (s)");
    sheet_text_up(cr, a.left - 25.0, top + CAPTION + 0.5 * STRIP * SIM_ATOM, 5.5, "counts per second");
}

static double key(cairo_t *cr, double x, double y, double width, struct colour c, const char *text)
{
    sheet_colour(cr, c);
    cairo_set_line_width(cr, width);
    cairo_move_to(cr, x, y - 2.5);
    cairo_line_to(cr, x + 16.0, y - 2.5);
    cairo_stroke(cr);
    sheet_colour(cr, INK);
    return x + 20.0 + sheet_text(cr, x + 20.0, y, 7.0, TEXT_LEFT, false, text) + 16.0;
}

static void draw_legend(struct sheet *s)
{
    double y = s->y + 8.0, x = key(s->cr, LEFT - 24.0, y, 1.0, PALE, "counts in bins of 64 ms");
    x = key(s->cr, x, y, 1.2, DARK, "their mean over 1.024 s");
    x = key(s->cr, x, y, 1.2, ACCENT, "the expected rate they were drawn from");
    (void)key(s->cr, x, y, 7.0, MISSING, "no data");
    s->y += 14.0;
}

static void head_row(struct sheet *s, enum sky_family family)
{
    double base = s->y + 11.0, x = LEFT - 24.0;
    sheet_colour(s->cr, INK);
    x += sheet_text(s->cr, x, base, 9.5, TEXT_LEFT, true, family_name(family)) + 8.0;
    sheet_colour(s->cr, FAINT);
    (void)sheet_text(s->cr, x, base, 7.5, TEXT_LEFT, false, find_hint(family_name(family)));
}

static enum burst_err begin_row(struct sheet *s, double height, struct burst_error *reterr)
{
    int page = s->page;
    enum burst_err err = sheet_row(s, height, reterr);
    if (!err && s->page != page) draw_legend(s);
    return err;
}

/* Bursts of a sheet grow fainter from left to right, so that the eye finds in the last what it learned from the first. */
static void wish(struct sky_plan *plan, enum sky_family family, const struct spacecraft *craft, int column)
{
    static const double SNR[COLUMNS] = {60.0, 20.0, 8.0};
    sky_plan_default(plan);
    plan->n_craft = 1;
    plan->only = (int)family;
    plan->onset = 0.0;
    plan->snr_low = plan->snr_high = SNR[column];
    plan->craft[0] = *craft;
}

static enum burst_err draw_cell(struct sheet *s, uint64_t seed, uint64_t sky, enum sky_family family,
                                const struct spacecraft *craft, int column, struct burst_error *reterr)
{
    struct sky_plan plan;
    struct sky_work *work = NULL;
    wish(&plan, family, craft, column);
    enum burst_err err = sky_work_new(&plan, &work, reterr);
    if (err) return err;
    sky_draw(work, seed, sky);
    draw_row(s->cr, work, craft, column, s->y + HEAD);
    sky_work_free(work);
    return BURST_OK;
}

static enum burst_err draw_rows(struct sheet *s, uint64_t seed, int n_row, const struct spacecraft *craft,
                                struct burst_error *reterr)
{
    const double height = HEAD + CAPTION + STRIP * SIM_ATOM + FOOT;
    enum burst_err err = BURST_OK;
    size_t total = (size_t)FAMILY_N * (size_t)n_row;
    for (size_t row = 0; row < total && !err; row++) {
        enum sky_family family = (enum sky_family)(row / (size_t)n_row);
        err = begin_row(s, height, reterr);
        if (err) return err;
        head_row(s, family);
        for (int column = 0; column < COLUMNS && !err; column++)
            err = draw_cell(s, seed, row * COLUMNS + (size_t)column, family, &craft[column], column, reterr);
        s->y += height;
        progress_show("lightcurves", row + 1, total);
    }
    return err;
}

enum burst_err gallery_lightcurves(struct sheet *s, uint64_t seed, int n_row, struct burst_error *reterr)
{
    static struct spacecraft craft[COLUMNS];
    char folder[SHEET_PATH], title[SHEET_TITLE];
    enum burst_err err = datadir_find(folder, sizeof folder - 32, reterr);
    if (err) return err;
    (void)snprintf(folder + strlen(folder), 32, "/config/geometry");
    for (int i = 0; i < COLUMNS && !err; i++)
        err = spacecraft_read(folder, CRAFT[i], &craft[i], reterr);
    (void)snprintf(title, sizeof title, "Simulated light curves, seed %llu: one detector each, five energy atoms",
                   (unsigned long long)seed);
    if (!err) err = sheet_page(s, PAGE_WIDTH, PAGE_HEIGHT, title, reterr);
    if (err) return err;
    draw_legend(s);
    return draw_rows(s, seed, n_row, craft, reterr);
}
