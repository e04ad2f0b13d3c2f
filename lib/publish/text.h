/* Text that grows in the caller's storage and remembers when it did not fit. Inside publish only. */
#ifndef BURST_PUBLISH_TEXT_H
#define BURST_PUBLISH_TEXT_H
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *at;       /* [size], always closed with 0 where size > 0 */
    size_t size, n; /* n characters so far */
    bool full;      /* something did not fit: the text is cut and of no use */
};

struct text text_on(char *storage, size_t size);
void text_put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In quotation marks, with the two characters escaped that JSON wants escaped in text without control characters. */
void text_quote(struct text *t, const char *s);
#endif
