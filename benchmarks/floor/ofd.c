/*
 * Locks of single bytes by open file descriptions (fcntl(2)), in C.
 *
 *   ofd beside PATH LOCKS ROUNDS       the mean nanoseconds of a lock and an unlock of the last byte of PATH, on which LOCKS other bytes
 *                                      are locked by a description each
 *   ofd scan DIR SLOTS A_FILE ROUNDS   the mean nanoseconds until a try of one slot after the other, from a random one, has found a free
 *                                      one in DIR/ofd_NNNN.lock, A_FILE slots each; all files are open already
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now_ns(void) {
  struct timespec at;
  if (clock_gettime(CLOCK_MONOTONIC, &at) == -1) fail("clock_gettime");
  return at.tv_sec * 1e9 + at.tv_nsec;
}

static int open_file(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd == -1) fail(path);
  return fd;
}

/* 0: refused. */
static int set_lock(int fd, short type, long byte) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 1;
  if (errno != EAGAIN && errno != EACCES) fail("fcntl");
  return 0;
}

static double beside(const char *path, long locks, long rounds) {
  for (long n = 0; n < locks; n++)
    if (!set_lock(open_file(path), F_WRLCK, n)) fail("a new file is locked");
  int fd = open_file(path);
  double began = now_ns();
  for (long n = 0; n < rounds; n++) {
    if (!set_lock(fd, F_WRLCK, locks)) fail("refused");
    set_lock(fd, F_UNLCK, locks);
  }
  return (now_ns() - began) / rounds;
}

static double scan(const char *dir, long slots, long a_file, long rounds) {
  long files = (slots + a_file - 1) / a_file;
  int *fds = calloc(files, sizeof *fds);
  char path[4096];
  if (fds == NULL) fail("calloc");
  for (long n = 0; n < files; n++) {
    snprintf(path, sizeof path, "%s/ofd_%04ld.lock", dir, n);
    fds[n] = open_file(path);
  }
  srandom(getpid());
  double began = now_ns();
  for (long n = 0; n < rounds; n++) {
    long slot = random() % slots;
    while (!set_lock(fds[slot / a_file], F_WRLCK, slot % a_file)) slot = (slot + 1) % slots;
    set_lock(fds[slot / a_file], F_UNLCK, slot % a_file);
  }
  return (now_ns() - began) / rounds;
}

int main(int argc, char **argv) {
  double ns;
  if (argc == 5 && strcmp(argv[1], "beside") == 0)
    ns = beside(argv[2], atol(argv[3]), atol(argv[4]));
  else if (argc == 6 && strcmp(argv[1], "scan") == 0)
    ns = scan(argv[2], atol(argv[3]), atol(argv[4]), atol(argv[5]));
  else {
    fprintf(stderr, "usage: ofd beside PATH LOCKS ROUNDS | ofd scan DIR SLOTS A_FILE ROUNDS\n");
    return 2;
  }
  printf("%.1f\n", ns);
  return 0;
}
