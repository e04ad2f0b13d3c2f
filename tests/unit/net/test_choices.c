/* Choices of engines: written and read again, and what of a damaged file is used. */
#include "check.h"
#include "net/choices.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE "cudnn 91900, bf16, NVIDIA H200"
#define HEAD  "burst choices 1\n" TITLE "\n"

static struct choices parsed(const char *text, enum burst_err want)
{
    struct choices c;
    struct burst_error error = {0};
    choices_init(&c, TITLE);
    enum burst_err err = choices_parse(&c, (const uint8_t *)text, strlen(text), &error);
    CHECK_SAY(err == want, "%s: %s", burst_err_name(err), error.text);
    return c;
}

/* How many choices a text holds. */
static int count(const char *lines)
{
    char text[8192];
    (void)snprintf(text, sizeof text, HEAD "%s", lines);
    struct choices c = parsed(text, BURST_OK);
    int n = c.n;
    choices_fini(&c);
    return n;
}

TEST(a_line_is_read_as_it_stands)
{
    struct choices c = parsed(HEAD "8x1x938x128:128x1x5:s1x1:b-r 40 1 11.3 2=17,14=-4\n", BURST_OK);
    const struct choice *f = choices_find(&c, "8x1x938x128:128x1x5:s1x1:b-r");
    CHECK_INT(c.n, 1);
    CHECK(f != NULL);
    if (f) {
        CHECK_INT(f->engine, 40);
        CHECK_INT(f->form, 1);
        CHECK_NEAR(f->us, 11.3, 1e-12);
        CHECK_INT(f->n_knob, 2);
        CHECK_INT(f->knob[0].type, 2);
        CHECK_INT(f->knob[0].value, 17);
        CHECK_INT(f->knob[1].type, 14);
        CHECK_INT(f->knob[1].value, -4);
    }
    CHECK(choices_find(&c, "another") == NULL);
    choices_fini(&c);
}

TEST(knobs_may_be_none_and_the_last_line_without_end)
{
    CHECK_INT(count("a 1 0 2\nb 2 0 3.5"), 2);
    CHECK_INT(count("a 1 0 2 \n"), 1);
    CHECK_INT(count(""), 0);
}

TEST(lines_that_are_no_choice_are_passed_over)
{
    static const char *const BAD[] = {"",
                                      " ",
                                      "a",
                                      "a 1",
                                      "a 1 0",
                                      " a 1 0 2",
                                      "a  1 0 2",
                                      "a -1 0 2",
                                      "a +1 0 2",
                                      "a 1 100 2",
                                      "a 1 0 -2",
                                      "a 1 0 nan",
                                      "a 1 0 inf",
                                      "a 1 0 2x",
                                      "a 1 0 2 3",
                                      "a 1 0 2 3=",
                                      "a 1 0 2 3=4,",
                                      "a 1 0 2 3=4;5=6",
                                      "a 1 0 2 -3=4",
                                      "a 1 0 2 3=99999999999999999999",
                                      "a 9223372036854775808 0 2",
                                      "\x01 1 0 2"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        char lines[256];
        (void)snprintf(lines, sizeof lines, "%s\ngood 1 0 2\n", BAD[i]);
        CHECK_SAY(count(lines) == 1, "'%s' is taken", BAD[i]);
    }
}

TEST(a_shape_said_twice_is_the_first)
{
    struct choices c = parsed(HEAD "a 1 0 2\na 7 0 2\n", BURST_OK);
    CHECK_INT(c.n, 1);
    CHECK_INT(choices_find(&c, "a")->engine, 1);
    choices_fini(&c);
}

TEST(a_line_longer_than_its_parts_can_be_is_passed_over)
{
    char lines[6000] = "a 1 0 2 ";
    for (int i = 0; i < 65; i++) /* one knob too many */
        (void)snprintf(lines + strlen(lines), 16, "%s%d=1", i ? "," : "", i);
    CHECK_INT(count(lines), 0);
    memset(lines, 'x', 130);
    (void)snprintf(lines + 130, 16, " 1 0 2\n");
    CHECK_INT(count(lines), 0);
    memset(lines, 'x', 5000);
    (void)snprintf(lines + 5000, 32, "\na 1 0 2\n");
    CHECK_INT(count(lines), 1);
}

TEST(a_file_for_something_else_is_refused)
{
    struct burst_error error = {0};
    struct choices c;
    choices_init(&c, TITLE);
    static const char OTHER[] = "burst choices 1\ncudnn 91900, bf16, NVIDIA H100\na 1 0 2\n";
    CHECK_REFUSED(choices_parse(&c, (const uint8_t *)OTHER, sizeof OTHER - 1, &error), BURST_E_CONFLICT, error, "H100");
    CHECK_REFUSED(choices_parse(&c, (const uint8_t *)"", 0, &error), BURST_E_FORMAT, error, "no file of choices");
    CHECK_REFUSED(choices_parse(&c, (const uint8_t *)"burst choices 2\n", 16, &error), BURST_E_FORMAT, error,
                  "no file");
    CHECK_REFUSED(choices_parse(&c, (const uint8_t *)OTHER, (size_t)CHOICES_FILE_MOST + 1, &error), BURST_E_LIMIT,
                  error, "at most");
    CHECK_INT(c.n, 0);
    choices_fini(&c);
}

TEST(bytes_that_are_no_text_do_no_harm)
{
    uint8_t bytes[sizeof HEAD + 600];
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, HEAD, sizeof HEAD - 1);
    for (size_t i = 0; i < 600; i++)
        bytes[sizeof HEAD - 1 + i] = (uint8_t)(i * 37);
    struct choices c;
    choices_init(&c, TITLE);
    CHECK_INT(choices_parse(&c, bytes, sizeof bytes, NULL), BURST_OK);
    CHECK_INT(c.n, 0);
    choices_fini(&c);
}

TEST(what_is_put_replaces_what_was_there)
{
    struct choices c;
    choices_init(&c, TITLE);
    struct choice a = {.shape = "a", .engine = 1}, b = {.shape = "a", .engine = 2};
    CHECK_INT(choices_put(&c, &a, NULL), BURST_OK);
    CHECK_INT(choices_put(&c, &b, NULL), BURST_OK);
    CHECK_INT(c.n, 1);
    CHECK_INT(choices_find(&c, "a")->engine, 2);
    choices_fini(&c);
    choices_fini(&c);
}

TEST(no_more_than_the_maximum_is_kept)
{
    struct choices c;
    struct burst_error error = {0};
    choices_init(&c, TITLE);
    struct choice a = {.engine = 1};
    for (int i = 0; i < CHOICES_MOST; i++) {
        (void)snprintf(a.shape, sizeof a.shape, "s%d", i);
        CHECK_INT(choices_put(&c, &a, NULL), BURST_OK);
    }
    (void)snprintf(a.shape, sizeof a.shape, "one more");
    CHECK_REFUSED(choices_put(&c, &a, &error), BURST_E_LIMIT, error, "4096");
    CHECK_INT(c.n, CHOICES_MOST);
    choices_fini(&c);
}

/* ---- files ---- */

static char folder[] = "/tmp/burst-choices-XXXXXX";

TEST(what_is_written_is_read_again)
{
    char path[64];
    struct choices c, d;
    struct burst_error error = {0};
    (void)snprintf(path, sizeof path, "%s/c.txt", folder);
    choices_init(&c, TITLE);
    choices_init(&d, TITLE);
    struct choice a = {.shape = "a", .engine = INT64_MAX, .form = 99, .us = 1234567, .n_knob = 1};
    a.knob[0] = (struct choice_knob){3, INT64_MIN};
    struct choice b = {.shape = "b", .engine = 0, .us = 0.25};
    CHECK_INT(choices_put(&c, &a, NULL), BURST_OK);
    CHECK_INT(choices_put(&c, &b, NULL), BURST_OK);
    CHECK_SAY(choices_write(&c, path, &error) == BURST_OK, "%s", error.text);
    CHECK_SAY(choices_read(&d, path, &error) == BURST_OK, "%s", error.text);
    CHECK_INT(d.n, 2);
    const struct choice *f = choices_find(&d, "a");
    CHECK(f && f->engine == INT64_MAX && f->form == 99 && f->n_knob == 1 && f->knob[0].type == 3);
    CHECK(f && f->knob[0].value == INT64_MIN);
    CHECK_NEAR(f ? f->us : 0, 1234567, 5000); /* three digits are kept */
    f = choices_find(&d, "b");
    CHECK(f && f->engine == 0 && f->form == 0 && f->n_knob == 0 && f->us == 0.25);
    choices_fini(&c);
    choices_fini(&d);
    (void)unlink(path);
}

TEST(a_file_that_is_not_there_or_cannot_be_written_says_so)
{
    struct choices c;
    struct burst_error error = {0};
    choices_init(&c, TITLE);
    CHECK_REFUSED(choices_read(&c, "/no/such/file", &error), BURST_E_IO, error, "/no/such/file");
    CHECK_REFUSED(choices_write(&c, "/no/such/file", &error), BURST_E_IO, error, "/no/such");
    choices_fini(&c);
}

TEST(a_title_becomes_a_file_name)
{
    char name[CHOICES_TITLE];
    choices_file_name("cudnn 91900, bf16, NVIDIA H200", name);
    CHECK_STR(name, "cudnn-91900-bf16-NVIDIA-H200.txt");
    choices_file_name("../../etc/passwd", name);
    CHECK_STR(name, "etc-passwd.txt");
}

int main(void)
{
    if (!mkdtemp(folder)) return 125;
    RUN(a_line_is_read_as_it_stands);
    RUN(knobs_may_be_none_and_the_last_line_without_end);
    RUN(lines_that_are_no_choice_are_passed_over);
    RUN(a_shape_said_twice_is_the_first);
    RUN(a_line_longer_than_its_parts_can_be_is_passed_over);
    RUN(a_file_for_something_else_is_refused);
    RUN(bytes_that_are_no_text_do_no_harm);
    RUN(what_is_put_replaces_what_was_there);
    RUN(no_more_than_the_maximum_is_kept);
    RUN(what_is_written_is_read_again);
    RUN(a_file_that_is_not_there_or_cannot_be_written_says_so);
    RUN(a_title_becomes_a_file_name);
    (void)rmdir(folder);
    return check_report();
}
