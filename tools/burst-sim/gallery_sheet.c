/* Pages and files. PDFs carry a fixed date: the same gallery is the same bytes. */
#include "gallery.h"
#include <cairo-pdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double MARGIN = 28.0, DOTS_PER_POINT = 150.0 / 72.0;
const struct colour INK = {0.10, 0.10, 0.13}, FAINT = {0.45, 0.46, 0.50}, ACCENT = {0.85, 0.33, 0.05};

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

enum burst_err sheet_open(const char *path, struct sheet *ret_s, struct burst_error *reterr)
{
    struct sheet s = {.pdf = ends_with(path, ".pdf")};
    if (!s.pdf && !ends_with(path, ".png"))
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s ends neither in .png nor in .pdf", path);
    if (strlen(path) >= sizeof s.path - 12) /* room for a page's number */
        return burst_fail(reterr, BURST_E_LIMIT, "the file's name is too long");
    (void)snprintf(s.path, sizeof s.path, "%s", path);
    if (s.pdf) {
        s.surface = cairo_pdf_surface_create(path, 595.0, 842.0);
        cairo_status_t status = cairo_surface_status(s.surface);
        if (status != CAIRO_STATUS_SUCCESS) {
            cairo_surface_destroy(s.surface);
            return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, cairo_status_to_string(status));
        }
        cairo_pdf_surface_set_metadata(s.surface, CAIRO_PDF_METADATA_TITLE, "burst-sim gallery");
        cairo_pdf_surface_set_metadata(s.surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    }
    *ret_s = s;
    return BURST_OK;
}

/* Of page 1 when it is the only one. */
static void png_path(const struct sheet *s, bool numbered, char ret_path[SHEET_PATH + 16])
{
    int stem = (int)strlen(s->path) - 4;
    if (numbered)
        (void)snprintf(ret_path, SHEET_PATH + 16, "%.*s-%d.png", stem, s->path, s->page);
    else
        (void)snprintf(ret_path, SHEET_PATH + 16, "%s", s->path);
}

static enum burst_err page_end(struct sheet *s, bool numbered, struct burst_error *reterr)
{
    char path[SHEET_PATH + 16];
    if (!s->cr) return BURST_OK;
    png_path(s, numbered, path);
    cairo_show_page(s->cr);
    cairo_status_t status = cairo_status(s->cr);
    cairo_destroy(s->cr);
    s->cr = NULL;
    if (!s->pdf) {
        if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_write_to_png(s->surface, path);
        cairo_surface_destroy(s->surface);
        s->surface = NULL;
    }
    if (status == CAIRO_STATUS_SUCCESS) return BURST_OK;
    return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, cairo_status_to_string(status));
}

enum burst_err sheet_close(struct sheet *s, struct burst_error *reterr)
{
    enum burst_err err = page_end(s, s->page > 1, reterr);
    if (s->pdf && s->surface) {
        cairo_surface_finish(s->surface);
        cairo_status_t status = cairo_surface_status(s->surface);
        if (status != CAIRO_STATUS_SUCCESS && !err)
            err = burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", s->path, cairo_status_to_string(status));
    }
    if (s->surface) cairo_surface_destroy(s->surface);
    s->surface = NULL;
    return err;
}

static void page_head(struct sheet *s)
{
    char text[32];
    (void)snprintf(text, sizeof text, "page %d", s->page);
    sheet_colour(s->cr, INK);
    (void)sheet_text(s->cr, MARGIN, MARGIN + 8.0, 11.0, TEXT_LEFT, true, s->title);
    sheet_colour(s->cr, FAINT);
    (void)sheet_text(s->cr, s->width - MARGIN, MARGIN + 8.0, 8.0, TEXT_RIGHT, false, text);
    s->y = MARGIN + 18.0;
}

enum burst_err sheet_page(struct sheet *s, double width, double height, const char *title, struct burst_error *reterr)
{
    char kept[SHEET_TITLE];
    enum burst_err err = page_end(s, true, reterr);
    if (err) return err;
    s->page++;
    s->width = width;
    s->height = height;
    if (s->pdf)
        cairo_pdf_surface_set_size(s->surface, width, height);
    else
        s->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(width * DOTS_PER_POINT),
                                                (int)lround(height * DOTS_PER_POINT));
    s->cr = cairo_create(s->surface);
    if (cairo_status(s->cr) != CAIRO_STATUS_SUCCESS)
        return burst_fail(reterr, BURST_E_NOMEM, "no page of %g x %g points: %s", width, height,
                          cairo_status_to_string(cairo_status(s->cr)));
    if (!s->pdf) cairo_scale(s->cr, DOTS_PER_POINT, DOTS_PER_POINT);
    cairo_set_source_rgb(s->cr, 1.0, 1.0, 1.0);
    cairo_paint(s->cr);
    (void)snprintf(kept, sizeof kept, "%s", title); /* `title` may be s->title */
    memcpy(s->title, kept, sizeof kept);
    page_head(s);
    return BURST_OK;
}

enum burst_err sheet_row(struct sheet *s, double height, struct burst_error *reterr)
{
    if (s->y + height <= s->height - MARGIN) return BURST_OK;
    return sheet_page(s, s->width, s->height, s->title, reterr);
}

void sheet_colour(cairo_t *cr, struct colour c)
{
    cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

static void set_font(cairo_t *cr, double size, bool bold)
{
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

double sheet_text(cairo_t *cr, double x, double y, double size, enum text_place place, bool bold, const char *text)
{
    cairo_text_extents_t extents;
    set_font(cr, size, bold);
    cairo_text_extents(cr, text, &extents);
    cairo_move_to(cr, x - extents.x_advance * (place == TEXT_LEFT ? 0.0 : place == TEXT_MIDDLE ? 0.5 : 1.0), y);
    cairo_show_text(cr, text);
    return extents.x_advance;
}

void sheet_text_up(cairo_t *cr, double x, double y, double size, const char *text)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, -acos(0.0));
    (void)sheet_text(cr, 0.0, 0.0, size, TEXT_MIDDLE, false, text);
    cairo_restore(cr);
}
