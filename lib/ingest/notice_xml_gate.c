/* What is judged of an XML body before libxml2 sees it: the encoding, so that the bytes mean what they look like, and the
 * attributes of one tag, which libxml2 2.9 compares each with each (30,000 of them in a body of 256 KiB took 1.1 s). */
#include "ingest/notice_inside.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ATTRIBUTE_MOST = 64 }; /* of one tag; the root of a VOEvent has about six */

/* Where the bytes of `mark` stand at or after `at`, or n. */
static size_t find(const char *text, size_t n, size_t at, const char *mark)
{
    const char *found = at < n ? memmem(text + at, n - at, mark, strlen(mark)) : NULL;
    return found ? (size_t)(found - text) : n;
}

/* "encoding" in the XML declaration; encodings in which ASCII characters are other bytes would hide tags from us. */
static enum burst_err check_encoding(const char *text, size_t n, struct burst_error *reterr)
{
    static const char *const KNOWN[] = {"UTF-8",      "UTF8",        "US-ASCII",    "ASCII",
                                        "ISO-8859-1", "ISO-8859-15", "windows-1252"};
    if (n < 5 || memcmp(text, "<?xml", 5) != 0) return BURST_OK;
    size_t end = find(text, n, 0, "?>"), at = find(text, end, 0, "encoding");
    if (at == end) return BURST_OK;
    char word[24] = "";
    at += strlen("encoding");
    while (at < end && (isspace((unsigned char)text[at]) || text[at] == '=' || text[at] == '"' || text[at] == '\''))
        at++;
    for (size_t i = 0; i + 1 < sizeof word && at < end && (isalnum((unsigned char)text[at]) || strchr("-_", text[at]));)
        word[i++] = text[at++], word[i] = 0;
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (!strcasecmp(word, KNOWN[i])) return BURST_OK;
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "XML, line 1: encoding '%s': UTF-8 expected", word);
}

static int count_lines(const char *text, size_t n)
{
    int lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

/* One tag from its '<': its attributes counted, and where it ends. Quoted '>' and '=' are values. */
static size_t skip_tag(const char *text, size_t n, size_t at, int *ret_n_attribute)
{
    char quote = 0;
    *ret_n_attribute = 0;
    for (; at < n && (quote || text[at] != '>'); at++) {
        if (quote)
            quote = text[at] == quote ? 0 : quote;
        else if (text[at] == '"' || text[at] == '\'')
            quote = text[at];
        else if (text[at] == '=')
            ++*ret_n_attribute;
    }
    return at;
}

enum burst_err notice_gate_xml(const char *text, size_t n, struct burst_error *reterr)
{
    int n_attribute = 0;
    enum burst_err err = check_encoding(text, n, reterr);
    for (size_t at = find(text, n, 0, "<"); !err && at < n; at = find(text, n, at, "<")) {
        size_t begin = at;
        if (n - at >= 4 && !memcmp(text + at, "<!--", 4))
            at = find(text, n, at + 4, "-->");
        else if (n - at >= 9 && !memcmp(text + at, "<![CDATA[", 9))
            at = find(text, n, at + 9, "]]>");
        else if (n - at >= 2 && text[at + 1] == '?')
            at = find(text, n, at, "?>");
        else
            at = skip_tag(text, n, at + 1, &n_attribute);
        if (n_attribute > ATTRIBUTE_MOST)
            err = burst_fail(reterr, BURST_E_LIMIT, "XML, line %d: a tag with more than %d attributes",
                             count_lines(text, begin), ATTRIBUTE_MOST);
    }
    return err;
}
