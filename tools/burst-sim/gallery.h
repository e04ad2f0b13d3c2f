/* What the gallery's files share: sheets of paper, text on them, axes. Lengths are points (1/72 inch), y downwards. */
#ifndef BURST_SIM_GALLERY_H
#define BURST_SIM_GALLERY_H
#include "base/err.h"
#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHEET_PATH = 512, SHEET_TITLE = 160 };

enum text_place { TEXT_LEFT, TEXT_MIDDLE, TEXT_RIGHT };

struct colour {
    double r, g, b;
};
extern const struct colour INK, FAINT, ACCENT;

/* The pages of one gallery: all pages of a PDF, or a PNG for each (150 dots per inch). */
struct sheet {
    char path[SHEET_PATH]; /* as asked for */
    char title[SHEET_TITLE];
    bool pdf;
    int page; /* from 1; 0: none yet */
    double width, height;
    double y; /* where the next row may begin */
    cairo_surface_t *surface;
    cairo_t *cr; /* of the page that is being drawn; NULL between pages */
};

/* Where a graph lies on the page and what its corners mean. */
struct axes {
    double left, top, width, height;
    double x0, x1, y0, y1; /* data values at left, right, bottom, top */
};

/* Given     path  ends in .png or .pdf
 * Errors    BURST_E_UNSUPPORTED  another ending; BURST_E_LIMIT  too long; BURST_E_IO  a PDF cannot be written;
 *           ret_s is untouched */
enum burst_err sheet_open(const char *path, struct sheet *ret_s, struct burst_error *reterr);
/* Finish the page at hand. A sheet of one page is FILE.png; of more, FILE-1.png, FILE-2.png and so on.
 * Errors    BURST_E_IO naming the file. The sheet is closed in any case; a closed or zeroed one is accepted */
enum burst_err sheet_close(struct sheet *s, struct burst_error *reterr);
/* Begin a page with a title; finishes the one before.
 * Errors    BURST_E_IO, BURST_E_NOMEM */
enum burst_err sheet_page(struct sheet *s, double width, double height, const char *title, struct burst_error *reterr);
/* Room for a row of this height: on this page or, where it ends, on a next one of the same title.
 * Errors    those of sheet_page */
enum burst_err sheet_row(struct sheet *s, double height, struct burst_error *reterr);

void sheet_colour(cairo_t *cr, struct colour c);
/* Text with its baseline at y; returns its width. */
double sheet_text(cairo_t *cr, double x, double y, double size, enum text_place place, bool bold, const char *text);
/* Text that reads upwards, centred on y. */
void sheet_text_up(cairo_t *cr, double x, double y, double size, const char *text);

double axes_x(const struct axes *a, double x);
double axes_y(const struct axes *a, double y);
void axes_frame(cairo_t *cr, const struct axes *a);
/* Ticks at multiples of `step`, numbers below (x) or left of the graph (y; none at the lower edge, where graphs on top of each other
 * meet). */
void axes_ticks_x(cairo_t *cr, const struct axes *a, double step, double size);
void axes_ticks_y(cairo_t *cr, const struct axes *a, double step, double size);
/* 1, 2 or 5 times a power of ten that cuts `range` (> 0) into no more than `most` parts. */
double axes_step(double range, int most);

/* Sheets of every family: `n_row` rows each.
 * Errors    those of the sheet and of the simulator */
enum burst_err gallery_lightcurves(struct sheet *s, uint64_t seed, int n_row, struct burst_error *reterr);
enum burst_err gallery_images(struct sheet *s, uint64_t seed, int n_row, struct burst_error *reterr);
#endif
