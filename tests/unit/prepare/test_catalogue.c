/* The catalogue reader: the shipped file, and one refusal per rule. */
#include "check.h"
#include "prepare/catalogue.h"
#include <stdlib.h>

#define HEAD "name,ra_deg,dec_deg,bright\n"
static struct burst_error error;

/* Parse, expect the refusal, and expect the output untouched. */
static void refused(const char *text, enum burst_err want, const char *part)
{
    struct catalogue c = {.n_source = 77};
    CHECK_REFUSED(catalogue_parse(text, strlen(text), "list.csv", &c, &error), want, error, part);
    CHECK_INT(c.n_source, 77);
}

TEST(the_shipped_list_has_the_bat_sources_always_cleaned)
{
    struct catalogue c;
    enum burst_err err = catalogue_load(BURST_SOURCE_DIR "/config/catalogues/known-sources.csv", &c, &error);
    CHECK_SAY(!err, "%s", error.text);
    if (err) return;
    CHECK_INT(c.n_source, 140); /* grep -c ' T *$' bat_survey6b_2.txt */
    size_t n_bright = 0;
    for (size_t i = 0; i < c.n_source; i++)
        n_bright += c.source[i].bright;
    CHECK_INT(n_bright, 20); /* the names of science.md B.1, with both EXO sources */
    CHECK_STR(c.source[0].name, "Crab Nebula/Pulsar");
    CHECK_NEAR(c.source[0].ra_deg, 83.6332, 1e-9);
    CHECK_NEAR(c.source[0].dec_deg, 22.0145, 1e-9);
    catalogue_fini(&c);
    CHECK_INT(c.n_source, 0);
    catalogue_fini(&c);
}

TEST(comments_and_empty_lines_are_skipped_and_the_last_line_needs_no_end)
{
    struct catalogue c;
    const char *text = "# where from\n\n" HEAD "# half\nA 1,0,-90,1\n\nB+2,359.99999,+90.0,0";
    CHECK_INT(catalogue_parse(text, strlen(text), "list.csv", &c, &error), BURST_OK);
    CHECK_INT(c.n_source, 2);
    CHECK_STR(c.source[1].name, "B+2");
    CHECK_NEAR(c.source[1].ra_deg, 359.99999, 1e-12);
    CHECK(c.source[0].bright && !c.source[1].bright);
    catalogue_fini(&c);
}

TEST(a_wrong_line_is_refused_with_its_number)
{
    refused("name,ra,dec,bright\nA,1,2,0\n", BURST_E_FORMAT, "list.csv:1");
    refused(HEAD "A,1,2\n", BURST_E_FORMAT, "list.csv:2: not four columns");
    refused(HEAD "A,1,2,0,5\n", BURST_E_FORMAT, "not four columns");
    refused(HEAD "A,1,2,0\nB,1e1,2,0\n", BURST_E_FORMAT, "list.csv:3: not a decimal number");
    refused(HEAD "A,,2,0\n", BURST_E_FORMAT, "not a decimal number");
    refused(HEAD "A,nan,2,0\n", BURST_E_FORMAT, "not a decimal number");
    refused(HEAD "A,1-1,2,0\n", BURST_E_FORMAT, "not a decimal number");
    refused(HEAD "A,1,2,yes\n", BURST_E_FORMAT, "bright");
    refused(HEAD ",1,2,0\n", BURST_E_FORMAT, "not a name");
    refused(HEAD " A,1,2,0\n", BURST_E_FORMAT, "not a name");
    refused(HEAD "A\tB,1,2,0\n", BURST_E_FORMAT, "not a name");
    refused(HEAD "123456789.123456789.123456789.12,1,2,0\n", BURST_E_FORMAT, "not a name");
    refused(HEAD "A,1,2,0\n=cmd(),1,9,0\n", BURST_E_FORMAT, "list.csv:3: not a name");
    refused(HEAD "<b>,1,2,0\n", BURST_E_FORMAT, "not a name");
    refused(HEAD "A\xe2\x80\xae,1,2,0\n", BURST_E_FORMAT, "not a name"); /* right-to-left override */
    refused(HEAD "moon,1,2,0\n", BURST_E_FORMAT, "not Moon or Sun");
    refused(HEAD "A,360,2,0\n", BURST_E_RANGE, "right ascension");
    refused(HEAD "A,-0.1,2,0\n", BURST_E_RANGE, "right ascension");
    refused(HEAD "A,1,90.01,0\n", BURST_E_RANGE, "declination");
}

TEST(a_source_entered_twice_is_refused)
{
    refused(HEAD "A,10,20,0\nA,50,20,0\n", BURST_E_DUPLICATE, "list.csv:3: A");
    /* 0.0010 degrees in right ascension is 0.00094 degrees on the sky at declination 20 */
    refused(HEAD "A,10,20,0\nB,10.001,20,0\n", BURST_E_DUPLICATE, "list.csv:3: A");
    refused(HEAD "A,0.0001,0,0\nB,359.9999,0,0\n", BURST_E_DUPLICATE, "list.csv:3: A");
    const char *text = HEAD "A,10,20,0\nB,10.0012,20,0\n"; /* 0.00113 degrees */
    struct catalogue c;
    CHECK_INT(catalogue_parse(text, strlen(text), "list.csv", &c, &error), BURST_OK);
    catalogue_fini(&c);
}

TEST(an_empty_list_is_refused)
{
    refused("", BURST_E_MISSING, "no source");
    refused(HEAD, BURST_E_MISSING, "no source");
}

TEST(a_long_line_or_a_zero_byte_is_refused)
{
    char line[400];
    memset(line, 'A', sizeof line - 1);
    line[sizeof line - 1] = 0;
    refused(line, BURST_E_FORMAT, "a line of 399 bytes");
    struct catalogue c;
    CHECK_REFUSED(catalogue_parse("# \0\n", 4, "list.csv", &c, &error), BURST_E_FORMAT, error, "zero byte");
}

TEST(a_list_past_the_limits_is_refused)
{
    size_t n_source = CATALOGUE_MAX + 1, at = sizeof HEAD - 1;
    char *text = malloc(n_source * 40 + CATALOGUE_BYTES_MAX);
    struct catalogue c = {.n_source = 77};
    CHECK(text != NULL);
    if (!text) return;
    memcpy(text, HEAD, at);
    for (size_t i = 0; i < n_source; i++)
        at += (size_t)sprintf(text + at, "S%zu,%.3f,%.3f,0\n", i, (double)(i % 100), (double)(i / 100));
    CHECK_REFUSED(catalogue_parse(text, at, "list.csv", &c, &error), BURST_E_LIMIT, error, "list.csv:4098");
    memset(text, '#', CATALOGUE_BYTES_MAX + 1);
    CHECK_REFUSED(catalogue_parse(text, CATALOGUE_BYTES_MAX + 1, "list.csv", &c, &error), BURST_E_LIMIT, error,
                  "1048577");
    CHECK_INT(c.n_source, 77);
    free(text);
}

TEST(an_absent_file_is_an_io_error)
{
    struct catalogue c = {.n_source = 77};
    CHECK_REFUSED(catalogue_load("/nonexistent/list.csv", &c, &error), BURST_E_IO, error, "/nonexistent/list.csv");
    CHECK_INT(c.n_source, 77);
}

int main(void)
{
    RUN(the_shipped_list_has_the_bat_sources_always_cleaned);
    RUN(comments_and_empty_lines_are_skipped_and_the_last_line_needs_no_end);
    RUN(a_wrong_line_is_refused_with_its_number);
    RUN(a_source_entered_twice_is_refused);
    RUN(an_empty_list_is_refused);
    RUN(a_long_line_or_a_zero_byte_is_refused);
    RUN(a_list_past_the_limits_is_refused);
    RUN(an_absent_file_is_an_io_error);
    return check_report();
}
