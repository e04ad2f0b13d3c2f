/* The worker's process, where burstd is run by hand and no service manager keeps one. */
#include "base/clock.h"
#include "net/worker_inside.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const int64_t PATIENCE_NS = 2 * CLOCK_NS_PER_S;

/* What a service manager says to burstd is not meant for its child. */
static bool is_ours(const char *variable)
{
    static const char *const NOT[] = {"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_"};
    for (size_t i = 0; i < sizeof NOT / sizeof *NOT; i++)
        if (strncmp(variable, NOT[i], strlen(NOT[i])) == 0) return false;
    return true;
}

static char **child_environment(void)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **e = malloc((n + 1) * sizeof *e);
    if (!e) return NULL;
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (is_ours(environ[i])) e[m++] = environ[i];
    e[m] = NULL;
    return e;
}

/* Signals as a new process has them, a group of its own (a terminal's Ctrl-C is for burstd), no descriptor but the first three. */
static int spawn(const char *program, char *const *argv, char *const *envp, pid_t *ret)
{
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t files;
    sigset_t none, all;
    (void)sigemptyset(&none); /* cannot fail */
    (void)sigfillset(&all);
    int bad = posix_spawnattr_init(&attr);
    if (bad) return bad;
    bad = posix_spawn_file_actions_init(&files);
    if (bad) {
        (void)posix_spawnattr_destroy(&attr);
        return bad;
    }
    bad = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if (!bad) bad = posix_spawnattr_setsigmask(&attr, &none);
    if (!bad) bad = posix_spawnattr_setsigdefault(&attr, &all);
    if (!bad) bad = posix_spawnattr_setpgroup(&attr, 0);
    if (!bad) bad = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", 0, 0);
    if (!bad) bad = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    if (!bad) bad = posix_spawn(ret, program, &files, &attr, argv, envp);
    (void)posix_spawn_file_actions_destroy(&files); /* memory only */
    (void)posix_spawnattr_destroy(&attr);
    return bad;
}

/* A cache that cannot be made costs time alone: the worker chooses anew. */
static void make_cache(const char *path)
{
    char parent[WORKER_PATH];
    if (!path[0] || mkdir(path, 0700) == 0 || errno != ENOENT) return;
    const char *end = strrchr(path, '/');
    if (!end || end == path) return;
    (void)snprintf(parent, sizeof parent, "%.*s", (int)(end - path), path); /* ~/.cache on a new account */
    if (mkdir(parent, 0700) == 0) (void)mkdir(path, 0700);
}

enum burst_err child_start(struct worker_child *child, const char *path, struct burst_error *reterr)
{
    char device[16], how[64];
    (void)child_ended(child, how, sizeof how);
    int n_dead = 0;
    for (int i = 0; i < WORKER_GRAVES; i++)
        n_dead += child->grave[i] != 0;
    if (n_dead == WORKER_GRAVES)
        return burst_fail(reterr, BURST_E_LIMIT, "%d workers were killed and do not end; no other is started", n_dead);
    char **envp = child_environment();
    if (!envp) return burst_fail(reterr, BURST_E_NOMEM, "no memory for an environment");
    (void)snprintf(device, sizeof device, "%d", child->device);
    char *argv[] = {child->program, (char *)"--once",  (char *)"--socket", (char *)path, (char *)"--device",
                    device,         (char *)"--cache", child->cache,       NULL};
    if (!child->cache[0]) argv[6] = NULL;
    make_cache(child->cache);
    (void)unlink(path); /* of one that was killed; a new one makes its own */
    int bad = spawn(child->program, argv, envp, &child->pid);
    free(envp);
    if (!bad) return BURST_OK;
    child->pid = 0;
    return burst_fail(reterr, BURST_E_IO, "%s: %s", child->program, strerror(bad));
}

static void describe_end(int status, char *ret_how, size_t size)
{
    if (WIFSIGNALED(status))
        (void)snprintf(ret_how, size, "was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else {
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        (void)snprintf(ret_how, size, "ended with status %d%s", code,
                       code == 69   ? " (no usable device)"
                       : code == 70 ? " (the device failed)"
                                    : "");
    }
}

void child_bury(struct worker_child *child)
{
    for (int i = 0; i < WORKER_GRAVES; i++)
        if (child->grave[i] && waitpid(child->grave[i], NULL, WNOHANG) != 0) child->grave[i] = 0;
}

bool child_ended(struct worker_child *child, char *ret_how, size_t size)
{
    int status = 0;
    child_bury(child);
    if (!child->pid) return false;
    pid_t pid = waitpid(child->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) return false;
    if (pid < 0)
        (void)snprintf(ret_how, size, "is gone"); /* somebody else took its status */
    else
        describe_end(status, ret_how, size);
    child->pid = 0;
    return true;
}

void child_kill(struct worker_child *child, const char *path)
{
    char how[64];
    if (!child->pid) return;
    (void)unlink(path); /* a dying process still takes connections */
    if (child_ended(child, how, sizeof how)) return;
    (void)kill(child->pid, SIGKILL); /* it is our child and was not waited for, so the number is its own */
    int free_grave = 0;
    while (free_grave < WORKER_GRAVES - 1 && child->grave[free_grave])
        free_grave++; /* child_start keeps one free */
    child->grave[free_grave] = child->pid;
    child->pid = 0;
}

void child_fini(struct worker_child *child, const char *path)
{
    char how[64];
    int64_t until = clock_mono_ns() + PATIENCE_NS;
    if (child->pid) {
        (void)kill(child->pid, SIGTERM);
        while (!child_ended(child, how, sizeof how) && clock_mono_ns() < until)
            (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        child_kill(child, path);
        (void)unlink(path);
    }
    if (child->folder[0]) {
        (void)unlink(path);
        (void)rmdir(child->folder); /* another lane's worker may still hold it: then it stays */
    }
}

enum burst_err child_folder(struct worker_child *child, struct sockaddr_un *ret_address, struct burst_error *reterr)
{
    const char *parent = getenv("RUNTIME_DIRECTORY");
    if (!parent || !*parent) parent = getenv("XDG_RUNTIME_DIR");
    if (!parent || !*parent) parent = "/tmp";
    char folder[sizeof child->folder];
    int n = snprintf(folder, sizeof folder, "%s/burst-cuda-XXXXXX", parent);
    if (n < 0 || (size_t)n + sizeof "/sock" > sizeof folder)
        return burst_fail(reterr, BURST_E_LIMIT, "%s is too long for a socket's folder", parent);
    if (!mkdtemp(folder)) return burst_fail(reterr, BURST_E_IO, "a folder in %s: %s", parent, strerror(errno));
    memcpy(child->folder, folder, sizeof folder);
    (void)snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%.*s/sock", (int)sizeof folder - 8, folder);
    return BURST_OK;
}
