/* A layer between a process and its files that fails as told, and a clock that jumps: for LD_PRELOAD.

   Nothing happens before fault_arm() is called in the process (or FAULTS is set in its environment) with

       op,errno,path,first,times,kind

   op     which call: write, read, fsync, rename, unlink, open (mkdir, too), change (all that write), any; or clock
          (errno: seconds that it jumps by)
   errno  the number that is returned; 0 with kind "slow" or a kill
   path   only files below this folder (or this file); "" for any
   first  the first matching call that is met, from 1
   times  how many in a row; -1 for all that follow
   kind   error; torn (half is written, then the error); kill (SIGKILL to this process, before the call);
          torn-kill (half is written, then SIGKILL); slow (errno is microseconds)

   fault_calls() tells how many calls matched, fault_hits() how many were met. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 1, READ = 2, WRITE = 4, FSYNC = 8, RENAME = 16, CLOCK = 32, UNLINK = 64 };

static int armed, what, number, times, kind;
static long first;
static char below[PATH_MAX], counter[PATH_MAX];
static atomic_long calls, hits;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

long fault_calls(void) { return atomic_load(&calls); }
long fault_hits(void) { return atomic_load(&hits); }

static int kind_of(const char *text) {
    const char *names[] = {"error", "torn", "kill", "torn-kill", "slow", "count"};
    for (int i = 0; i < 6; i++) if (!strcmp(text, names[i])) return i;
    return 0;
}

void fault_arm(const char *text) {
    char held[2 * PATH_MAX], *at = held, *part[7] = {0};
    snprintf(held, sizeof held, "%s", text);
    for (int i = 0; i < 7 && at; i++) part[i] = strsep(&at, ",");
    if (!part[5]) return;
    what = !strcmp(part[0], "open") ? OPEN : !strcmp(part[0], "read") ? READ : !strcmp(part[0], "write") ? WRITE
         : !strcmp(part[0], "fsync") ? FSYNC : !strcmp(part[0], "rename") ? RENAME : !strcmp(part[0], "clock") ? CLOCK
         : !strcmp(part[0], "unlink") ? UNLINK : !strcmp(part[0], "change") ? OPEN | WRITE | RENAME | UNLINK
         : OPEN | READ | WRITE | FSYNC | RENAME | UNLINK;
    number = atoi(part[1]);
    snprintf(below, sizeof below, "%s", part[2]);
    first = atol(part[3]);
    times = atoi(part[4]);
    kind = kind_of(part[5]);
    snprintf(counter, sizeof counter, "%s", part[6] ? part[6] : "");
    atomic_store(&calls, 0);
    atomic_store(&hits, 0);
    armed = 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FAULTS");
    if (text) fault_arm(text);
}

/* Tell in a file that a call was met: whoever looks on needs to know, also of a process that was killed. */
static void tell(const char *name, const char *path) {
    if (!counter[0]) return;
    REAL(open);
    int handle = real(counter, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (handle < 0) return;
    char line[PATH_MAX + 64];
    int size = snprintf(line, sizeof line, "%s %s\n", name, path);
    static ssize_t (*put)(int, const void *, size_t);
    if (!put) put = dlsym(RTLD_NEXT, "write");
    put(handle, line, (size_t)size);
    close(handle);
}

static int is_below(const char *path) {
    size_t n = strlen(below);
    if (!n) return 1;
    return !strncmp(path, below, n) && (path[n] == 0 || path[n] == '/' || below[n - 1] == '/');
}

static void absolute(int folder, const char *path, char *out) {
    char base[PATH_MAX] = "";
    if (path[0] == '/') { snprintf(out, PATH_MAX, "%s", path); return; }
    if (folder == AT_FDCWD) { if (!getcwd(base, sizeof base)) base[0] = 0; }
    else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, base, sizeof base - 1);
        base[n > 0 ? n : 0] = 0;
    }
    snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, path);
}

/* Whether this call is met: 0 no, 1 yes. */
static int meet(int op, const char *name, const char *path) {
    if (!armed || !(what & op) || !is_below(path)) return 0;
    long now = atomic_fetch_add(&calls, 1) + 1;
    if (kind == 5) { tell(name, path); return 0; }
    if (now < first || (times >= 0 && now >= first + times)) return 0;
    long met = atomic_fetch_add(&hits, 1);
    if (met < 1000) tell(name, path);
    if (kind == 2) kill(getpid(), SIGKILL);
    if (kind == 4) { usleep((useconds_t)number); return 0; }
    return 1;
}

static int meet_handle(int op, const char *name, int handle) {
    if (!armed || !(what & op)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0 || path[0] != '/') return 0;
    path[n] = 0;
    return meet(op, name, path);
}

ssize_t write(int handle, const void *data, size_t size) {
    REAL(write);
    if (meet_handle(WRITE, "write", handle)) {
        if ((kind == 1 || kind == 3) && size > 1) {
            real(handle, data, size / 2);
            if (kind == 3) kill(getpid(), SIGKILL);
        } else if (kind == 3) kill(getpid(), SIGKILL);
        errno = number;
        return -1;
    }
    return real(handle, data, size);
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    if (meet_handle(WRITE, "write", handle)) { errno = number; return -1; }
    return real(handle, data, size, at);
}

ssize_t read(int handle, void *data, size_t size) {
    REAL(read);
    if (meet_handle(READ, "read", handle)) { errno = number; return -1; }
    return real(handle, data, size);
}

ssize_t pread64(int handle, void *data, size_t size, off64_t at) {
    REAL(pread64);
    if (meet_handle(READ, "read", handle)) { errno = number; return -1; }
    return real(handle, data, size, at);
}

int fsync(int handle) {
    REAL(fsync);
    if (meet_handle(FSYNC, "fsync", handle)) { errno = number; return -1; }
    return real(handle);
}

static int to_rename(int from, const char *old, int to, const char *new) {
    char path[PATH_MAX];
    (void)from; (void)old;
    absolute(to, new, path);
    return meet(RENAME, "rename", path);
}

int rename(const char *old, const char *new) {
    REAL(rename);
    if (armed && to_rename(AT_FDCWD, old, AT_FDCWD, new)) { errno = number; return -1; }
    return real(old, new);
}

int renameat(int from, const char *old, int to, const char *new) {
    REAL(renameat);
    if (armed && to_rename(from, old, to, new)) { errno = number; return -1; }
    return real(from, old, to, new);
}

int unlink(const char *path) {
    REAL(unlink);
    char whole[PATH_MAX];
    if (armed) absolute(AT_FDCWD, path, whole);
    if (armed && meet(UNLINK, "unlink", whole)) { errno = number; return -1; }
    return real(path);
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    char whole[PATH_MAX];
    if (armed) absolute(folder, path, whole);
    if (armed && meet(UNLINK, "unlink", whole)) { errno = number; return -1; }
    return real(folder, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    char whole[PATH_MAX];
    if (armed) absolute(AT_FDCWD, path, whole);
    if (armed && meet(OPEN, "open", whole)) { errno = number; return -1; }
    return real(path, mode);
}

static int met_open(int folder, const char *path, int flags) {
    if (!armed || !(what & OPEN)) return 0;
    char whole[PATH_MAX];
    absolute(folder, path, whole);
    if ((number == EROFS || number == ENOSPC || number == EDQUOT) && !(flags & (O_WRONLY | O_RDWR | O_CREAT))) return 0;
    return meet(OPEN, "open", whole);
}

#define MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) {
    REAL(open); MODE
    if (met_open(AT_FDCWD, path, flags)) { errno = number; return -1; }
    return real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(open64); MODE
    if (met_open(AT_FDCWD, path, flags)) { errno = number; return -1; }
    return real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    REAL(openat); MODE
    if (met_open(folder, path, flags)) { errno = number; return -1; }
    return real(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    REAL(openat64); MODE
    if (met_open(folder, path, flags)) { errno = number; return -1; }
    return real(folder, path, flags, mode);
}

/* The wall clock jumps by `number` seconds at the first-th look at it, and stays there. Files keep the kernel's time. */
static long jumped(void) {
    if (!armed || what != CLOCK) return 0;
    long now = atomic_fetch_add(&calls, 1) + 1;
    if (now < first) return 0;
    if (!atomic_fetch_add(&hits, 1)) tell("clock", "");
    return number;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(clock_gettime);
    int found = real(which, now);
    if (!found && which == CLOCK_REALTIME) now->tv_sec += jumped();
    return found;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec held;
    clock_gettime(CLOCK_REALTIME, &held);
    now->tv_sec = held.tv_sec;
    now->tv_usec = held.tv_nsec / 1000;
    return 0;
}
