/* What the stand-in does for a program that knows nothing of it: this one, started again as a stranger. */
#include "check.h"
#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;

/* The stranger: two allocations, one of them kept where `what` is "keeps". Exit status 3 where a call failed. */
static int stranger(const char *what)
{
    void *a = NULL, *b = NULL;
    if (cudaMalloc(&a, 64) || cudaMalloc(&b, 64)) return 3;
    if (cudaFree(a) || (strcmp(what, "keeps") && cudaFree(b))) return 3;
    return 0;
}

static int status_of(const char *what, const char *variable, const char *value, const char *fail)
{
    pid_t child = fork();
    if (!child) {
        if (setenv(variable, value, 1) || (fail && setenv("BURST_STANDIN_FAIL", fail, 1))) _exit(126);
        (void)close(2);
        (void)execl(self, self, what, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(what_is_left_at_the_exit_is_an_error)
{
    CHECK_INT(status_of("frees", "BURST_STANDIN_LEAKS", "1", NULL), 0);
    CHECK_INT(status_of("keeps", "BURST_STANDIN_LEAKS", "1", NULL), 86);
}

TEST(the_environment_says_what_fails)
{
    CHECK_INT(status_of("frees", "BURST_STANDIN_FAIL", "cudaMalloc:2", NULL), 3);
    CHECK_INT(status_of("frees", "BURST_STANDIN_FAIL", "cudaMalloc:3", NULL), 0);
    CHECK_INT(status_of("frees", "BURST_STANDIN_NO_DEVICE", "1", NULL), 3);
    CHECK_INT(status_of("frees", "BURST_STANDIN_MEMORY", "1000", NULL), 3);
    CHECK_INT(status_of("frees", "BURST_STANDIN_FAIL", "cudaMalloc:soon", NULL), 128 + 6); /* abort: not understood */
    CHECK_INT(status_of("frees", "BURST_STANDIN_FAIL", "cudaMalloc:1=cudaErrorMisspelt", NULL), 128 + 6);
}

TEST(only_the_first_process_fails_where_a_file_remembers)
{
    char path[] = "/tmp/burst-standin-once-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && !close(fd) && !unlink(path));
    CHECK_INT(status_of("frees", "BURST_STANDIN_ONCE", path, "cudaMalloc:1"), 3);
    CHECK_INT(status_of("frees", "BURST_STANDIN_ONCE", path, "cudaMalloc:1"), 0);
    (void)unlink(path);
}

TEST(calls_are_counted_in_a_file)
{
    char path[] = "/tmp/burst-standin-count-XXXXXX", name[64];
    int fd = mkstemp(path);
    unsigned long n, n_malloc = 0, n_free = 0;
    CHECK(fd >= 0 && !close(fd));
    CHECK_INT(status_of("frees", "BURST_STANDIN_COUNT", path, NULL), 0);
    FILE *f = fopen(path, "r");
    while (f && fscanf(f, "%63s %lu", name, &n) == 2) {
        if (!strcmp(name, "cudaMalloc")) n_malloc = n;
        if (!strcmp(name, "cudaFree")) n_free = n;
    }
    if (f) (void)fclose(f);
    CHECK_INT(n_malloc, 2);
    CHECK_INT(n_free, 2);
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1) return stranger(argv[1]);
    RUN(what_is_left_at_the_exit_is_an_error);
    RUN(the_environment_says_what_fails);
    RUN(only_the_first_process_fails_where_a_file_remembers);
    RUN(calls_are_counted_in_a_file);
    return check_report();
}
