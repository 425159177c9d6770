/* Loaded before the C library (LD_PRELOAD): one change to files below a folder is killed at, or refused.

FAULT_ROOT     the folder, without a slash at its end
FAULT_COUNTER  a file of 8 bytes that all processes of a try share: the number of changes so far
FAULT_AT       the number of the change, from 1 on; 0: none, they are counted alone
FAULT_ERROR    what it is refused with, a number of errno; 0: the process is killed there, after half of a write
FAULT_LOG      where each change is noted, a line each; may be missing
FAULT_CLOCK    from the start of a process on so many seconds later, the time of day is FAULT_SHIFT seconds off
FAULT_SHIFT    see there
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char root[PATH_MAX];
static size_t root_length;
static volatile int64_t *counter;
static int64_t at;
static int refused_with, log_to = -1;
static double clock_after = -1, clock_shift;
static struct timespec began;

static void configure(void) {
    const char *value;
    root_length = 0;
    if ((value = getenv("FAULT_ROOT")) != NULL && *value != 0 && strlen(value) < sizeof root) {
        strcpy(root, value);
        root_length = strlen(value);
    }
    at = (value = getenv("FAULT_AT")) ? atoll(value) : 0;
    refused_with = (value = getenv("FAULT_ERROR")) ? atoi(value) : 0;
    clock_after = (value = getenv("FAULT_CLOCK")) && *value ? atof(value) : -1;
    clock_shift = (value = getenv("FAULT_SHIFT")) ? atof(value) : 0;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &began);
    counter = NULL;
    if ((value = getenv("FAULT_COUNTER")) != NULL && *value != 0) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, value, O_RDWR | O_CLOEXEC, 0);
        if (file >= 0) {
            void *mapped = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            counter = mapped == MAP_FAILED ? NULL : mapped;
            syscall(SYS_close, file);
        }
    }
    log_to = -1;
    if ((value = getenv("FAULT_LOG")) != NULL && *value != 0)
        log_to = (int)syscall(SYS_openat, AT_FDCWD, value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void start(void) { configure(); }

void fault_configure(void) { configure(); } /* after a fork, for the environment as it is then */

static int is_below(const char *path) {
    return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static int of_descriptor(int descriptor, char *found) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, found, PATH_MAX - 1);
    if (length <= 0 || found[0] != '/') return 0;
    found[length] = 0;
    return is_below(found);
}

static int of_path(int folder, const char *path, char *found) {
    if (path == NULL) return 0;
    if (path[0] == '/') {
        snprintf(found, PATH_MAX, "%s", path);
        return is_below(found);
    }
    char around[PATH_MAX];
    ssize_t length;
    if (folder == AT_FDCWD) {
        length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/cwd", around, PATH_MAX - 1);
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        length = syscall(SYS_readlinkat, AT_FDCWD, link, around, PATH_MAX - 1);
    }
    if (length <= 0) return 0;
    around[length] = 0;
    if (snprintf(found, PATH_MAX, "%s/%s", around, path) >= PATH_MAX) return 0;
    return is_below(found);
}

/* Whether this change is the one: then it is refused (true), or the process ends. half: of a write, done before. */
static int is_refused(const char *what, const char *path, int descriptor, const void *half, size_t length) {
    if (counter == NULL) return 0;
    int64_t number = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    if (log_to >= 0) {
        char line[PATH_MAX + 64];
        int size = snprintf(line, sizeof line, "%lld %s %s\n", (long long)number, what, path + root_length);
        syscall(SYS_write, log_to, line, size);
    }
    if (number != at) return 0;
    if (refused_with != 0) {
        errno = refused_with;
        return 1;
    }
    if (half != NULL && length > 1) syscall(SYS_write, descriptor, half, length / 2);
    syscall(SYS_kill, getpid(), SIGKILL);
    return 1;
}

#define CHANGES_PATH(what, folder, path) \
    char found[PATH_MAX]; \
    if (root_length && of_path(folder, path, found) && is_refused(what, found, -1, NULL, 0)) return -1;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);


#define CHANGES(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & O_CREAT))

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); } \
        REAL(name) \
        if (CHANGES(flags)) { CHANGES_PATH("open", AT_FDCWD, path) } \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); } \
        REAL(name) \
        if (CHANGES(flags)) { CHANGES_PATH("open", folder, path) } \
        return real(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int descriptor, const void *content, size_t length) {
    REAL(write)
    char found[PATH_MAX];
    if (root_length && of_descriptor(descriptor, found) && is_refused("write", found, descriptor, content, length)) return -1;
    return real(descriptor, content, length);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    REAL(writev)
    char found[PATH_MAX];
    if (root_length && of_descriptor(descriptor, found) && is_refused("write", found, descriptor, NULL, 0)) return -1;
    return real(descriptor, parts, count);
}

#define PWRITE(name) \
    ssize_t name(int descriptor, const void *content, size_t length, off_t place) { \
        REAL(name) \
        char found[PATH_MAX]; \
        if (root_length && of_descriptor(descriptor, found) && is_refused("write", found, descriptor, NULL, 0)) return -1; \
        return real(descriptor, content, length, place); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(name) \
    int name(int descriptor, off_t length) { \
        REAL(name) \
        char found[PATH_MAX]; \
        if (root_length && of_descriptor(descriptor, found) && is_refused("truncate", found, -1, NULL, 0)) return -1; \
        return real(descriptor, length); \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int rename(const char *source, const char *target) {
    REAL(rename)
    CHANGES_PATH("rename", AT_FDCWD, target)
    return real(source, target);
}

int renameat(int from, const char *source, int to, const char *target) {
    REAL(renameat)
    CHANGES_PATH("rename", to, target)
    return real(from, source, to, target);
}

int link(const char *source, const char *target) {
    REAL(link)
    CHANGES_PATH("link", AT_FDCWD, target)
    return real(source, target);
}

int linkat(int from, const char *source, int to, const char *target, int flags) {
    REAL(linkat)
    CHANGES_PATH("link", to, target)
    return real(from, source, to, target, flags);
}

int unlink(const char *path) {
    REAL(unlink)
    CHANGES_PATH("unlink", AT_FDCWD, path)
    return real(path);
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat)
    CHANGES_PATH("unlink", folder, path)
    return real(folder, path, flags);
}

int rmdir(const char *path) {
    REAL(rmdir)
    CHANGES_PATH("rmdir", AT_FDCWD, path)
    return real(path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir)
    CHANGES_PATH("mkdir", AT_FDCWD, path)
    return real(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat)
    CHANGES_PATH("mkdir", folder, path)
    return real(folder, path, mode);
}

static double off(void) {
    if (clock_after < 0) return 0;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    double since = (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) / 1e9;
    return since > clock_after ? clock_shift : 0;
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    int answer = (int)syscall(SYS_clock_gettime, clock, found);
    if (answer == 0 && clock == CLOCK_REALTIME) found->tv_sec += (time_t)off();
    return answer;
}

int gettimeofday(struct timeval *found, void *zone) {
    int answer = (int)syscall(SYS_gettimeofday, found, zone);
    if (answer == 0) found->tv_sec += (time_t)off();
    return answer;
}

time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found != NULL) *found = now.tv_sec;
    return now.tv_sec;
}
