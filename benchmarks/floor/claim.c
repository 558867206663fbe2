/*
 * The floor of a claim: exactly the system calls of the slot-file protocol (open, flock, fstat, stat, pwrite, close), in C and in a
 * loop, on one file. Prints the mean nanoseconds of one round, and those of the processor.
 *
 *   claim PATH ROUNDS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void claim_and_release(const char *path, const char *record, size_t length) {
  struct stat held, there;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd == -1) fail("open");
  /*
   * Refused although nobody else locks the file: somebody who reads the links in /proc/PID/fd (lsof, a test) holds a reference to our last
   * open file for some microseconds after we closed it.
   */
  while (flock(fd, LOCK_EX | LOCK_NB) == -1)
    if (errno != EWOULDBLOCK) fail("flock");
  if (fstat(fd, &held) == -1) fail("fstat");
  if (stat(path, &there) == -1) fail("stat");
  if (held.st_ino != there.st_ino || held.st_dev != there.st_dev) fail("the file was replaced");
  if (pwrite(fd, record, length, 0) != (ssize_t)length) fail("pwrite");
  if (close(fd) == -1) fail("close");
}

static double now_ns(clockid_t clock) {
  struct timespec at;
  if (clock_gettime(clock, &at) == -1) fail("clock_gettime");
  return at.tv_sec * 1e9 + at.tv_nsec;
}

int main(int argc, char **argv) {
  char record[512];
  if (argc != 3) {
    fprintf(stderr, "usage: claim PATH ROUNDS\n");
    return 2;
  }
  long rounds = atol(argv[2]);
  memset(record, ' ', sizeof record);
  for (long n = 0; n < rounds / 10; n++) claim_and_release(argv[1], record, sizeof record);
  double began = now_ns(CLOCK_MONOTONIC), used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (long n = 0; n < rounds; n++) claim_and_release(argv[1], record, sizeof record);
  used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
  printf("%.1f %.1f\n", (now_ns(CLOCK_MONOTONIC) - began) / rounds, used / rounds);
  return 0;
}
