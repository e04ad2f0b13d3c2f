/* The unit tests' few words. Each case prints one line: `ok NAME`, `FAIL NAME: where: what` or `skip NAME: why`;
 * ./run-tests counts those lines. The exit status is the number of failed cases, at most 125. */
#ifndef BURST_TESTS_CHECK_H
#define BURST_TESTS_CHECK_H
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Whole networks cost minutes under a sanitizer and take no path that small ones do not: the plain build runs them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CHECK_SANITIZED = 1 };
#else
enum { CHECK_SANITIZED = 0 };
#endif

static int check_failed_cases;
static bool check_case_failed;
static const char *check_case_name;
static const char *check_skip_why;

#define TEST(name) static void name(void)
#define RUN(name)  check_run(#name, name)
#define SKIP(why)                                                                                                      \
    do {                                                                                                               \
        check_skip_why = (why);                                                                                        \
        return;                                                                                                        \
    } while (0)
#define CHECK_SAY(cond, ...)                                                                                           \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            check_case_failed = true;                                                                                  \
            printf("FAIL %s: %s:%d: ", check_case_name, __FILE__, __LINE__);                                           \
            printf(__VA_ARGS__);                                                                                       \
            printf("\n");                                                                                              \
        }                                                                                                              \
    } while (0)
#define CHECK(cond) CHECK_SAY(cond, "%s", #cond)
#define CHECK_INT(a, b)                                                                                                \
    CHECK_SAY((long long)(a) == (long long)(b), "%s is %lld, not %lld", #a, (long long)(a), (long long)(b))
#define CHECK_NEAR(a, b, tol)                                                                                          \
    CHECK_SAY(fabs((double)(a) - (double)(b)) <= (double)(tol), "%s is %.9g, not %.9g within %.3g", #a, (double)(a),   \
              (double)(b), (double)(tol))
#define CHECK_STR(a, b) CHECK_SAY(strcmp((a), (b)) == 0, "%s is \"%s\", not \"%s\"", #a, (a), (b))
/* The refusal must be this one, and its sentence must contain `part`. */
#define CHECK_REFUSED(call, want, reterr, part)                                                                        \
    do {                                                                                                               \
        enum burst_err got_ = (call);                                                                                  \
        CHECK_SAY(got_ == (want), "%s gave %s", #call, burst_err_name(got_));                                          \
        if (got_ == (want))                                                                                            \
            CHECK_SAY(strstr((reterr).text, (part)), "text \"%s\" lacks \"%s\"", (reterr).text, (part));               \
    } while (0)

static inline void check_run(const char *name, void (*test)(void))
{
    check_case_name = name;
    check_case_failed = false;
    check_skip_why = NULL;
    test();
    if (check_case_failed)
        check_failed_cases++;
    else if (check_skip_why)
        printf("skip %s: %s\n", name, check_skip_why);
    else
        printf("ok %s\n", name);
    (void)fflush(stdout);
}

static inline int check_report(void)
{
    return check_failed_cases > 125 ? 125 : check_failed_cases;
}
#endif
