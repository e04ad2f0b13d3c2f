/* Sheets of ECLAIRs sub-images: S/N in one fixed scale of colours, and what the mask says of the pixels. */
#include "base/datadir.h"
#include "commands.h"
#include "gallery.h"
#include "prepare/subimage.h"
#include "sim/eclairs.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 6 };
static const double PAGE_WIDTH = 595.0, PAGE_HEIGHT = 842.0, LEFT = 46.0, PITCH = 89.0, SIDE = 70.0;
static const double HEAD = 15.0, CAPTION = 17.0, FOOT = 15.0; /* of a row: above and below its images */
static const double SCALE_LOW = -5.0, SCALE_HIGH = 12.0;      /* sigma, for every image of every sheet */
static const double SKY_PIXEL_DEG = 0.56;                     /* on the axis: science.md B.1 */
static const struct colour KNOWN = {0.20, 0.85, 0.95}, TRIGGER = {0.45, 1.00, 0.45}, PAPER = {0.90, 0.90, 0.91},
                           GREEN = {0.05, 0.45, 0.15};

/* What to look for, by the family's word; a family without a line has its word alone. */
static const char *const HINT[][2] = {
    {"true", "a new source: one compact, round peak on fine-grained noise"},
    {"outburst", "a known source in outburst: the same peak, on or beside the square of a known source"},
    {"setting", "a new source that sets behind the Earth's limb within the exposure"},
    {"badsub",
     "a known source badly subtracted: a peak with a dip beside it, or a peak on the square of a known source"},
    {"saa", "particles near the South Atlantic Anomaly: broad bands and blobs"},
    {"column", "noisy columns or rows of the detector: stripes, dark beside bright"},
    {"xrdpix", "modules of another efficiency, long exposures: blotches of 5 to 10 pixels"},
    {"hotpix", "pixels that count by themselves: an image of the mask"},
    {"artefact", "a bright source modelled wrongly: woven coding noise"},
    {"noise", "a peak of noise near the threshold among strong sources"},
    {"moon", "the Moon in the light of a solar flare: its disc is marked as a known source"},
    {"lost", "a new source whose trigger pixel was lost on the way: no network is asked"},
    {"unclear", "two more sources beside it, or a background as bad as those of false alerts"},
};

static const char *find_hint(const char *word)
{
    for (size_t i = 0; i < sizeof HINT / sizeof HINT[0]; i++)
        if (strcmp(HINT[i][0], word) == 0) return HINT[i][1];
    return "";
}

/* Dark for low, bright for high, of steadily rising lightness, so that it also reads in grey. */
static struct colour scale_colour(double sigma)
{
    static const struct colour STOP[] = {{0.00, 0.00, 0.08}, {0.16, 0.05, 0.33}, {0.40, 0.09, 0.43},
                                         {0.63, 0.16, 0.38}, {0.83, 0.30, 0.25}, {0.96, 0.52, 0.08},
                                         {0.97, 0.79, 0.22}, {1.00, 1.00, 0.80}};
    enum { LAST = sizeof STOP / sizeof STOP[0] - 1 };
    double at = LAST * fmin(fmax((sigma - SCALE_LOW) / (SCALE_HIGH - SCALE_LOW), 0.0), 1.0);
    int i = at < LAST ? (int)at : LAST - 1;
    double f = at - i;
    return (struct colour){STOP[i].r + f * (STOP[i + 1].r - STOP[i].r), STOP[i].g + f * (STOP[i + 1].g - STOP[i].g),
                           STOP[i].b + f * (STOP[i + 1].b - STOP[i].b)};
}

static uint32_t pack(struct colour c)
{
    return (uint32_t)lround(255.0 * c.r) << 16 | (uint32_t)lround(255.0 * c.g) << 8 | (uint32_t)lround(255.0 * c.b);
}

/* A rectangle of pixels on the paper, each a flat square. pixels [n_y][n_x], the first row at the top. */
static void paint_pixels(cairo_t *cr, double left, double top, double width, double height, int n_x, int n_y,
                         uint32_t *pixels)
{
    cairo_surface_t *image =
        cairo_image_surface_create_for_data((unsigned char *)pixels, CAIRO_FORMAT_RGB24, n_x, n_y, 4 * n_x);
    cairo_save(cr);
    cairo_translate(cr, left, top);
    cairo_scale(cr, width / n_x, height / n_y);
    cairo_set_source_surface(cr, image, 0.0, 0.0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    cairo_rectangle(cr, 0.0, 0.0, n_x, n_y);
    cairo_fill(cr);
    cairo_restore(cr);
    cairo_surface_finish(image); /* a PDF page has copied it by now */
    cairo_surface_destroy(image);
}

/* Ignored pixels are hatched: nothing was measured there, and no colour of the scale may stand for that. */
static void paint_sky(cairo_t *cr, const struct axes *a, const struct image_sample *s)
{
    uint32_t pixels[IMAGE_SIDE * IMAGE_SIDE];
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            bool ignored = s->mask[z][y] == MASK_IGNORE;
            struct colour c = ignored ? PAPER : scale_colour((double)s->snr[z][y]);
            if (ignored && (y + z) % 6 == 0) c = (struct colour){0.78, 0.78, 0.80};
            pixels[(IMAGE_SIDE - 1 - z) * IMAGE_SIDE + y] = pack(c);
        }
    paint_pixels(cr, a->left, a->top, a->width, a->height, IMAGE_SIDE, IMAGE_SIDE, pixels);
}

/* The border around pixels of known sources, not each pixel's: neighbours make one patch. */
static void outline_known(cairo_t *cr, const struct axes *a, const struct image_sample *s)
{
    static const int SIDES[4][2] = {{0, -1}, {0, 1}, {-1, 0}, {1, 0}}; /* z, y of the neighbour */
    double side = a->width / IMAGE_SIDE;
    sheet_colour(cr, KNOWN);
    cairo_set_line_width(cr, 0.6);
    for (int at = 0; at < IMAGE_SIDE * IMAGE_SIDE; at++) {
        int z = at / IMAGE_SIDE, y = at % IMAGE_SIDE;
        for (int i = 0; s->mask[z][y] == MASK_SOURCE && i < 4; i++) {
            int nz = z + SIDES[i][0], ny = y + SIDES[i][1];
            bool inside = nz >= 0 && nz < IMAGE_SIDE && ny >= 0 && ny < IMAGE_SIDE;
            if (inside && s->mask[nz][ny] == MASK_SOURCE) continue;
            double left = a->left + y * side, top = a->top + (IMAGE_SIDE - 1 - z) * side;
            double x = left + (SIDES[i][1] == 1) * side, base = top + (SIDES[i][0] == -1) * side;
            cairo_move_to(cr, x, base);
            cairo_line_to(cr, x + (i >= 2) * side, base + (i < 2) * side);
        }
    }
    cairo_stroke(cr);
}

/* A ring with four strokes, wider than the peak so that it hides none of it. */
static void ring_trigger(cairo_t *cr, double x, double y)
{
    const double radius = 5.5, stroke = 3.0;
    sheet_colour(cr, TRIGGER);
    cairo_set_line_width(cr, 0.6);
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, radius, 0.0, 4.0 * acos(0.0));
    for (int i = 0; i < 4; i++) {
        double dx = (i == 0) - (i == 1), dy = (i == 2) - (i == 3);
        cairo_move_to(cr, x + radius * dx, y + radius * dy);
        cairo_line_to(cr, x + (radius + stroke) * dx, y + (radius + stroke) * dy);
    }
    cairo_stroke(cr);
}

static struct axes image_axes(const struct subimage_packet *p, int column, double top)
{
    double y0 = p->trigger_y - IMAGE_CENTRE, z0 = p->trigger_z - IMAGE_CENTRE;
    return (struct axes){.left = LEFT + PITCH * column,
                         .top = top,
                         .width = SIDE,
                         .height = SIDE,
                         .x0 = y0,
                         .x1 = y0 + IMAGE_SIDE,
                         .y0 = z0,
                         .y1 = z0 + IMAGE_SIDE};
}

static void draw_image(cairo_t *cr, const struct eclairs_alert *alert, const struct image_sample *s, int column,
                       double top)
{
    struct axes a = image_axes(&alert->packet, column, top + CAPTION);
    char text[80];
    paint_sky(cr, &a, s);
    outline_known(cr, &a, s);
    ring_trigger(cr, axes_x(&a, alert->packet.trigger_y + 0.5), axes_y(&a, alert->packet.trigger_z + 0.5));
    axes_frame(cr, &a);
    axes_ticks_x(cr, &a, 20.0, 5.0);
    axes_ticks_y(cr, &a, 20.0, 5.0);
    sheet_colour(cr, INK);
    (void)snprintf(text, sizeof text, "S/N %.1f", alert->snr);
    (void)sheet_text(cr, a.left, a.top - 9.5, 6.5, TEXT_LEFT, true, text);
    (void)snprintf(text, sizeof text, "%.0f s", alert->exposure_s);
    (void)sheet_text(cr, a.left + SIDE, a.top - 9.5, 6.0, TEXT_RIGHT, false, text);
    sheet_colour(cr, FAINT);
    (void)snprintf(text, sizeof text, "deviation of the sky %.2f", alert->spread);
    (void)sheet_text(cr, a.left, a.top - 2.5, 5.5, TEXT_LEFT, false, text);
}

/* The scale of colours and the signs, once per page below its title. */
static void draw_legend(struct sheet *s)
{
    enum { STEPS = 170 };
    uint32_t pixels[STEPS];
    cairo_t *cr = s->cr;
    struct axes a = {.left = LEFT, .top = s->y + 2.0, .width = 150.0, .height = 8.0, .x0 = SCALE_LOW, .x1 = SCALE_HIGH};
    for (int i = 0; i < STEPS; i++)
        pixels[i] = pack(scale_colour(SCALE_LOW + (i + 0.5) * (SCALE_HIGH - SCALE_LOW) / STEPS));
    paint_pixels(cr, a.left, a.top, a.width, a.height, STEPS, 1, pixels);
    axes_ticks_x(cr, &a, 2.0, 6.0);
    double base = a.top + 7.0, x = a.left + a.width + 8.0;
    sheet_colour(cr, INK);
    x += sheet_text(cr, x, base, 7.0, TEXT_LEFT, false, "sigma (beyond the ends: their colour)") + 14.0;
    cairo_rectangle(cr, x - 4.0, a.top - 1.0, 100.0, 11.0);
    sheet_colour(cr, scale_colour(-1.0));
    cairo_fill(cr);
    sheet_colour(cr, KNOWN);
    cairo_set_line_width(cr, 0.8);
    cairo_rectangle(cr, x, a.top + 2.5, 4.0, 4.0);
    cairo_stroke(cr);
    (void)sheet_text(cr, x + 8.0, base - 0.5, 6.5, TEXT_LEFT, false, "known source");
    ring_trigger(cr, x + 67.0, a.top + 4.5);
    (void)sheet_text(cr, x + 77.0, base - 0.5, 6.5, TEXT_LEFT, false, "peak");
    sheet_colour(cr, PAPER);
    cairo_rectangle(cr, x + 108.0, a.top, 10.0, 9.0);
    cairo_fill(cr);
    sheet_colour(cr, INK);
    (void)sheet_text(cr, x + 122.0, base, 7.0, TEXT_LEFT, false, "no data");
    s->y += 30.0;
}

static void head_row(struct sheet *s, enum eclairs_family family)
{
    const char *word = ECLAIRS_FAMILY_WORD[family];
    double base = s->y + 9.0, x = LEFT - 18.0;
    sheet_colour(s->cr, INK);
    x += sheet_text(s->cr, x, base, 9.0, TEXT_LEFT, true, word) + 8.0;
    int label = eclairs_label(family);
    sheet_colour(s->cr, label > 0 ? GREEN : label < 0 ? FAINT : ACCENT);
    x += sheet_text(s->cr, x, base, 8.0, TEXT_LEFT, false,
                    label > 0   ? "true alert"
                    : label < 0 ? "no label"
                                : "false alert") +
         8.0;
    sheet_colour(s->cr, FAINT);
    (void)sheet_text(s->cr, x, base, 7.0, TEXT_LEFT, false, find_hint(word));
}

static void name_axes(cairo_t *cr, double top)
{
    sheet_colour(cr, FAINT);
    sheet_text_up(cr, LEFT - 17.0, top + CAPTION + 0.5 * SIDE, 5.5, "Z (sky pixel)");
    (void)sheet_text(cr, LEFT + 0.5 * SIDE, top + CAPTION + SIDE + 14.0, 5.5, TEXT_MIDDLE, false, "Y (sky pixel)");
}

/* Room for a family's row; a new page gets its legend. */
static enum burst_err begin_row(struct sheet *s, double height, struct burst_error *reterr)
{
    int page = s->page;
    enum burst_err err = sheet_row(s, height, reterr);
    if (!err && s->page != page) draw_legend(s);
    return err;
}

static enum burst_err draw_cell(struct sheet *s, struct eclairs *e, const struct catalogue *c, uint64_t seed,
                                enum eclairs_family family, int cell, struct burst_error *reterr)
{
    struct eclairs_alert alert;
    struct image_sample sample;
    struct eclairs_wish wish = {.family = family, .lose_packets = cell % COLUMNS == COLUMNS - 1};
    uint64_t index = (uint64_t)family * 1000 + (uint64_t)cell;
    wish.low_threshold = strcmp(ECLAIRS_FAMILY_WORD[family], "noise") == 0;
    enum burst_err err = eclairs_alert(e, seed, index, &wish, &alert, reterr);
    if (err == BURST_E_LIMIT) { /* rare families need not trigger on every sky: the cell says so */
        sheet_colour(s->cr, FAINT);
        (void)sheet_text(s->cr, LEFT + PITCH * (cell % COLUMNS) + 0.5 * SIDE, s->y + HEAD + CAPTION + 0.5 * SIDE, 6.0,
                         TEXT_MIDDLE, false, "no trigger");
        return BURST_OK;
    }
    struct platform_state platform = {.state = PLATFORM_KNOWN,
                                      .has_position = true}; /* so that the Moon is in its place */
    if (!err) memcpy(platform.position_icrs_km, alert.observer_km, sizeof platform.position_icrs_km);
    if (!err) err = subimage_prepare(&alert.packet, c, &platform, &sample, reterr);
    if (!err) draw_image(s->cr, &alert, &sample, cell % COLUMNS, s->y + HEAD);
    return err;
}

static enum burst_err draw_rows(struct sheet *s, struct eclairs *e, const struct catalogue *c, uint64_t seed, int n_row,
                                struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    size_t total = (size_t)ECLAIRS_FAMILY_N * (size_t)n_row;
    for (size_t row = 0; row < total && !err; row++) {
        enum eclairs_family family = (enum eclairs_family)(row / (size_t)n_row);
        err = begin_row(s, HEAD + CAPTION + SIDE + FOOT, reterr);
        if (err) return err;
        head_row(s, family);
        for (int column = 0; column < COLUMNS && !err; column++)
            err = draw_cell(s, e, c, seed, family, (int)(row % (size_t)n_row) * COLUMNS + column, reterr);
        name_axes(s->cr, s->y + HEAD);
        s->y += HEAD + CAPTION + SIDE + FOOT;
        progress_show("images", row + 1, total);
    }
    return err;
}

enum burst_err gallery_images(struct sheet *s, uint64_t seed, int n_row, struct burst_error *reterr)
{
    char path[SHEET_PATH], title[SHEET_TITLE];
    struct catalogue c = {0};
    struct eclairs *e = NULL;
    enum burst_err err = datadir_find(path, sizeof path - 64, reterr);
    if (err) return err;
    (void)snprintf(path + strlen(path), 64, "/config/catalogues/known-sources.csv");
    err = catalogue_load(path, &c, reterr);
    if (err) return err;
    err = eclairs_new(1, &c, &e, reterr);
    (void)snprintf(title, sizeof title,
                   "Simulated ECLAIRs sub-images, seed %llu; a sky pixel is %.2f degrees on the axis",
                   (unsigned long long)seed, SKY_PIXEL_DEG);
    if (!err) err = sheet_page(s, PAGE_WIDTH, PAGE_HEIGHT, title, reterr);
    if (!err) {
        draw_legend(s);
        err = draw_rows(s, e, &c, seed, n_row, reterr);
    }
    eclairs_free(e);
    catalogue_fini(&c);
    return err;
}
