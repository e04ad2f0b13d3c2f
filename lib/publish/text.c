/* Bounded text building. */
#include "publish/text.h"
#include <stdarg.h>
#include <stdio.h>

struct text text_on(char *storage, size_t size)
{
    if (size > 0) storage[0] = 0;
    return (struct text){storage, size, 0, size == 0};
}

void text_put(struct text *t, const char *format, ...)
{
    if (t->full) return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->n, t->size - t->n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->size - t->n)
        t->full = true;
    else
        t->n += (size_t)n;
}

static void put_char(struct text *t, char c)
{
    if (t->full || t->n + 1 >= t->size) {
        t->full = true;
        return;
    }
    t->at[t->n++] = c;
    t->at[t->n] = 0;
}

void text_quote(struct text *t, const char *s)
{
    put_char(t, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') put_char(t, '\\');
        put_char(t, *s);
    }
    put_char(t, '"');
}
