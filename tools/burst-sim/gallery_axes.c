/* Frames, ticks and the way from data to paper. */
#include "gallery.h"
#include <math.h>
#include <stdio.h>

static const double TICK = 2.0;

double axes_x(const struct axes *a, double x)
{
    return a->left + a->width * (x - a->x0) / (a->x1 - a->x0);
}

double axes_y(const struct axes *a, double y)
{
    return a->top + a->height * (a->y1 - y) / (a->y1 - a->y0);
}

void axes_frame(cairo_t *cr, const struct axes *a)
{
    sheet_colour(cr, FAINT);
    cairo_set_line_width(cr, 0.5);
    cairo_rectangle(cr, a->left, a->top, a->width, a->height);
    cairo_stroke(cr);
}

double axes_step(double range, int most)
{
    double step = pow(10.0, floor(log10(range / most)));
    static const double FACTOR[] = {2.0, 2.5, 2.0};
    for (int i = 0; range / step > most; i = (i + 1) % 3) /* 1, 2, 5, 10 ... */
        step *= FACTOR[i];
    return step;
}

static void tick(cairo_t *cr, double x, double y, double dx, double dy)
{
    cairo_move_to(cr, x, y);
    cairo_line_to(cr, x + dx, y + dy);
    cairo_stroke(cr);
}

void axes_ticks_x(cairo_t *cr, const struct axes *a, double step, double size)
{
    char text[32];
    double bottom = a->top + a->height;
    sheet_colour(cr, FAINT);
    cairo_set_line_width(cr, 0.5);
    for (double x = ceil(a->x0 / step) * step; x <= a->x1; x += step) {
        tick(cr, axes_x(a, x), bottom, 0.0, TICK);
        (void)snprintf(text, sizeof text, "%g", x + 0.0); /* no -0 */
        (void)sheet_text(cr, axes_x(a, x), bottom + TICK + size, size, TEXT_MIDDLE, false, text);
    }
}

void axes_ticks_y(cairo_t *cr, const struct axes *a, double step, double size)
{
    char text[32];
    sheet_colour(cr, FAINT);
    cairo_set_line_width(cr, 0.5);
    for (double y = (floor(a->y0 / step) + 1.0) * step; y <= a->y1; y += step) {
        tick(cr, a->left, axes_y(a, y), -TICK, 0.0);
        (void)snprintf(text, sizeof text, "%g", y + 0.0);
        (void)sheet_text(cr, a->left - TICK - 1.0, axes_y(a, y) + 0.36 * size, size, TEXT_RIGHT, false, text);
    }
}
