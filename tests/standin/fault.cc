/* Which call fails, how often each was made, what is left at the end. */
#include "tests/standin/fault.h"
#include "tests/standin/standin.h"
#include <chrono>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

struct item {
    std::string kind;
    unsigned long n; /* 0: every call */
    struct standin_fault fault;
};

enum { LINE = 64, LINES = 256 }; /* of the file of counts */

struct ledger {
    std::mutex lock;
    std::map<std::string, unsigned long> calls;
    std::map<std::string, size_t> line; /* of a kind in the file of counts */
    std::map<std::string, long> live;
    std::vector<struct item> items;
    char *file; /* [LINES][LINE], mapped */
};

static void tell_leaks(void);
static void read_items(struct ledger *l, const char *list);
static void open_counts(struct ledger *l, const char *path);

/* Made at the first use and never freed: threads of the device may outlive main. */
static struct ledger *the_ledger(void)
{
    static struct ledger *one = [] {
        struct ledger *l = new struct ledger();
        const char *fail = getenv("BURST_STANDIN_FAIL"), *path = getenv("BURST_STANDIN_COUNT");
        if (fail) read_items(l, fail);
        if (path) open_counts(l, path);
        if (getenv("BURST_STANDIN_LEAKS")) (void)atexit(tell_leaks);
        return l;
    }();
    return one;
}

__attribute__((noreturn)) static void refuse(const std::string &text, const char *why)
{
    fprintf(stderr, "stand-in: cannot read the failure \"%s\": %s\n", text.c_str(), why);
    abort();
}

static bool take(std::string *text, const char *prefix)
{
    if (text->compare(0, strlen(prefix), prefix)) return false;
    text->erase(0, strlen(prefix));
    return true;
}

static int number_of(const std::string &text, const std::string &whole)
{
    int status = 0;
    char *end = nullptr;
    long value = strtol(text.c_str(), &end, 10);
    if (!text.empty() && !*end && value > 0) return (int)value;
    if (!standin_status_of(text.c_str(), &status)) refuse(whole, "no such status");
    return status;
}

static struct item read_item(const std::string &whole)
{
    std::string text = whole;
    struct item item = {};
    item.fault.how = take(&text, "hang:") ? STANDIN_HANGS : take(&text, "slow:") ? STANDIN_SLOW : STANDIN_FAILS;
    size_t equals = text.find('=');
    if (equals != std::string::npos) {
        item.fault.status = number_of(text.substr(equals + 1), whole);
        text.erase(equals);
    }
    if (item.fault.how == STANDIN_SLOW && !item.fault.status) refuse(whole, "slow by how many milliseconds?");
    size_t colon = text.rfind(':');
    if (colon == std::string::npos || !colon) refuse(whole, "KIND:N is wanted");
    item.kind = text.substr(0, colon);
    std::string n = text.substr(colon + 1);
    if (n != "*" && !(item.n = strtoul(n.c_str(), nullptr, 10))) refuse(whole, "N counts from 1, or is *");
    return item;
}

static void read_items(struct ledger *l, const char *list)
{
    std::string all = list ? list : "";
    l->items.clear();
    for (size_t at = 0; at < all.size();) {
        size_t end = std::min(all.find(',', at), all.size());
        if (end > at) l->items.push_back(read_item(all.substr(at, end - at)));
        at = end + 1;
    }
}

static void open_counts(struct ledger *l, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    void *map = MAP_FAILED;
    if (fd >= 0 && !ftruncate(fd, LINE * LINES)) map = mmap(nullptr, LINE * LINES, PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        fprintf(stderr, "stand-in: cannot write counts to %s\n", path);
        abort();
    }
    (void)close(fd);
    l->file = static_cast<char *>(map);
    memset(l->file, '\n', LINE * LINES);
}

static void write_count(struct ledger *l, const std::string &kind, unsigned long n)
{
    if (!l->file) return;
    size_t line = l->line.emplace(kind, l->line.size()).first->second;
    char text[LINE + 1];
    if (line < LINES) {
        (void)snprintf(text, sizeof text, "%-48.48s %14lu\n", kind.c_str(), n);
        memcpy(l->file + line * LINE, text, LINE);
    }
}

/* Only the first of several processes fails, where a file remembers. */
static bool still_to_come(void)
{
    const char *path = getenv("BURST_STANDIN_ONCE");
    if (!path) return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0) (void)close(fd);
    return fd >= 0;
}

struct standin_fault standin_called(const std::string &kind)
{
    struct ledger *l = the_ledger();
    std::lock_guard<std::mutex> hold(l->lock);
    unsigned long n = ++l->calls[kind];
    write_count(l, kind, n);
    for (const struct item &item : l->items)
        if (item.kind == kind && (!item.n || item.n == n) && still_to_come()) return item.fault;
    return {STANDIN_WELL, 0};
}

void standin_linger(struct standin_fault fault)
{
    if (fault.how == STANDIN_SLOW) std::this_thread::sleep_for(std::chrono::milliseconds(fault.status));
    while (fault.how == STANDIN_HANGS)
        std::this_thread::sleep_for(std::chrono::hours(1));
}

void standin_count(const char *what, int by)
{
    struct ledger *l = the_ledger();
    std::lock_guard<std::mutex> hold(l->lock);
    l->live[what] += by;
}

void standin_fail(const char *list)
{
    struct ledger *l = the_ledger();
    std::lock_guard<std::mutex> hold(l->lock);
    l->calls.clear();
    read_items(l, list);
}

unsigned long standin_calls(const char *kind)
{
    struct ledger *l = the_ledger();
    std::lock_guard<std::mutex> hold(l->lock);
    auto at = l->calls.find(kind);
    return at == l->calls.end() ? 0 : at->second;
}

size_t standin_live(const char *what)
{
    struct ledger *l = the_ledger();
    std::lock_guard<std::mutex> hold(l->lock);
    long n = 0;
    for (const auto &one : l->live)
        if (!what || one.first == what) n += one.second;
    return (size_t)n;
}

static void tell_leaks(void)
{
    struct ledger *l = the_ledger();
    l->lock.lock();
    bool any = false;
    fprintf(stderr, "stand-in: left at the exit:");
    for (const auto &one : l->live)
        if (one.second) fprintf(stderr, " %ld %s", one.second, one.first.c_str()), any = true;
    fprintf(stderr, any ? "\n" : " nothing\n");
    l->lock.unlock();
    if (any) _exit(86);
}
