/*
 * Preloaded (LD_PRELOAD) into one process of a service: its k-th call on a file below a directory fails with an error of the test's choice.
 * FAILING_CALL names a file of 32-bit words in the machine's byte order, mapped shared, so that the test and all that the process
 * starts see and change the same:
 *
 *   at       which call fails, from 1; 0: none, they are only counted
 *   error    errno
 *   kinds    which calls count: see below
 *   many     how many calls fail, from that one on
 *   count    how many there have been
 *   failed   how many of them failed
 *
 * FAILING_BELOW is the directory, FAILING_LOG the file that gets a line for each call that counts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What a call does: those that match one of the kinds that the test names count. */
enum kind {
  OPEN = 1,   /* needs a descriptor */
  MAKE = 2,   /* adds a name to a directory */
  WRITE = 4,  /* to a file, or its length */
  SYNC = 8,
  REMOVE = 16, /* a name */
  READ = 32,  /* a file, or what is in a directory */
  LOCK = 64,
  LOOK = 128, /* stat and its like */
};

struct plan {
  uint32_t at, error, kinds, many, count, failed;
};

static struct plan *plan;
static const char *below, *log_path;
static size_t below_length;

__attribute__((constructor)) static void find_plan(void) {
  const char *path = getenv("FAILING_CALL");
  below = getenv("FAILING_BELOW");
  log_path = getenv("FAILING_LOG");
  if (path == NULL || below == NULL) return;
  below_length = strlen(below);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) plan = mapped;
  syscall(SYS_close, fd);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The database is the storage's own matter. */
static int is_ours(const char *path) {
  if (strncmp(path, below, below_length) != 0) return 0;
  const char *rest = path + below_length;
  if (*rest != '\0' && *rest != '/') return 0;
  return strncmp(rest, "/data/db/", 9) != 0;
}

static void note(uint32_t number, const char *call, const char *path, int failed) {
  if (log_path == NULL) return;
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%u %s %s%s\n", number, call, path, failed ? " FAILED" : "");
  int fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, length);
  syscall(SYS_close, fd);
}

/* Whether this call is to fail; then errno is set. */
static int fails_at(const char *call, uint32_t kinds, const char *path) {
  if (plan == NULL || (plan->kinds & kinds) == 0 || !is_ours(path)) return 0;
  int before = errno;
  uint32_t number = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);
  int failed = plan->at != 0 && number >= plan->at && number - plan->at < plan->many;
  if (failed) __atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
  note(number, call, path, failed);
  errno = failed ? (int)plan->error : before;
  return failed;
}

static int fails_on(const char *call, uint32_t kinds, int fd) {
  if (plan == NULL || (plan->kinds & kinds) == 0) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int before = errno;
  ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = '\0';
  return fails_at(call, kinds, path);
}

/* A name that is there already is not made. */
static uint32_t opening(const char *path, int flags) {
  if ((flags & O_CREAT) == 0) return OPEN;
  int before = errno;
  int there = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
  errno = before;
  return there ? OPEN : OPEN | MAKE;
}

/* flock's watch opens /proc/self/fd/N anew: it is the file that N is. */
static int open_fails(const char *call, const char *path, int flags) {
  int fd;
  if (sscanf(path, "/proc/self/fd/%d", &fd) == 1) return fails_on(call, OPEN, fd);
  return fails_at(call, opening(path, flags), path);
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPENS(name)                                    \
  int name(const char *path, int flags, ...) {         \
    va_list rest;                                      \
    va_start(rest, flags);                             \
    mode_t mode = mode_of(flags, rest);                \
    va_end(rest);                                      \
    if (open_fails("open", path, flags)) return -1;    \
    return REAL(name)(path, flags, mode);              \
  }
OPENS(open)
OPENS(open64)

DIR *opendir(const char *path) {
  if (fails_at("opendir", OPEN | READ, path)) return NULL;
  return REAL(opendir)(path);
}

int scandir64(const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  if (fails_at("scandir", OPEN | READ, path)) return -1;
  return REAL(scandir64)(path, names, filter, compare);
}

#define ON_DESCRIPTOR(type, name, called, kind, parameters, arguments) \
  type name parameters {                                               \
    if (fails_on(called, kind, fd)) return -1;                         \
    return REAL(name) arguments;                                       \
  }
ON_DESCRIPTOR(ssize_t, write, "write", WRITE, (int fd, const void *from, size_t size), (fd, from, size))
ON_DESCRIPTOR(ssize_t, writev, "write", WRITE, (int fd, const struct iovec *from, int many), (fd, from, many))
ON_DESCRIPTOR(ssize_t, pwrite64, "pwrite", WRITE, (int fd, const void *from, size_t size, off64_t at),
              (fd, from, size, at))
ON_DESCRIPTOR(ssize_t, pwritev64, "pwrite", WRITE, (int fd, const struct iovec *from, int many, off64_t at),
              (fd, from, many, at))
ON_DESCRIPTOR(ssize_t, read, "read", READ, (int fd, void *into, size_t size), (fd, into, size))
ON_DESCRIPTOR(ssize_t, readv, "read", READ, (int fd, const struct iovec *into, int many), (fd, into, many))
ON_DESCRIPTOR(ssize_t, pread64, "pread", READ, (int fd, void *into, size_t size, off64_t at), (fd, into, size, at))
ON_DESCRIPTOR(ssize_t, preadv64, "pread", READ, (int fd, const struct iovec *into, int many, off64_t at),
              (fd, into, many, at))
ON_DESCRIPTOR(int, fsync, "fsync", SYNC, (int fd), (fd))
ON_DESCRIPTOR(int, fdatasync, "fdatasync", SYNC, (int fd), (fd))
ON_DESCRIPTOR(int, ftruncate64, "ftruncate", WRITE, (int fd, off64_t length), (fd, length))
ON_DESCRIPTOR(int, flock, "flock", LOCK, (int fd, int operation), (fd, operation))
ON_DESCRIPTOR(int, __fxstat64, "fstat", LOOK, (int version, int fd, struct stat64 *into), (version, fd, into))
ON_DESCRIPTOR(int, fstat64, "fstat", LOOK, (int fd, struct stat64 *into), (fd, into))

#define ON_PATH(name, kind, parameters, arguments) \
  int name parameters {                            \
    if (fails_at(#name, kind, path)) return -1;    \
    return REAL(name) arguments;                   \
  }
ON_PATH(mkdir, MAKE, (const char *path, mode_t mode), (path, mode))
ON_PATH(unlink, REMOVE, (const char *path), (path))
ON_PATH(rmdir, REMOVE, (const char *path), (path))
ON_PATH(rename, MAKE, (const char *path, const char *to), (path, to))
ON_PATH(link, MAKE, (const char *path, const char *to), (path, to))
ON_PATH(symlink, MAKE, (const char *target, const char *path), (target, path))
ON_PATH(access, LOOK, (const char *path, int mode), (path, mode))
ON_PATH(stat64, LOOK, (const char *path, struct stat64 *into), (path, into))

/* Node's stat, lstat and fstat are statx(2), called by its number. */
long syscall(long number, ...) {
  long a[6];
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_statx && plan != NULL) {
    const char *path = (const char *)a[1];
    if (path[0] == '\0' ? fails_on("fstat", LOOK, (int)a[0]) : fails_at("stat", LOOK, path)) return -1;
  }
  return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
