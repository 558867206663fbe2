/*
 * An actor (see src/actor/protocol.ts) that does exactly the system calls of the slot-file protocol, open, flock, fstat, stat, pwrite,
 * close, and nothing else: the floor of a claim.
 *
 *   slot-file DIR SLOTS
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

#define MOST_SAMPLES 1000

static const char *dir;
static long slots, held;
/* A stack of claims: their descriptors and slots. */
static int *fds;
static long *ids;
static char record[512];

static void fail(const char *what) {
  printf("{\"error\":\"%s: %s\"}\n", what, strerror(errno));
  exit(1);
}

static double now_ns(clockid_t clock) {
  struct timespec at;
  if (clock_gettime(clock, &at) == -1) fail("clock_gettime");
  return at.tv_sec * 1e9 + at.tv_nsec;
}

static long long exact_ns(void) {
  struct timespec at;
  if (clock_gettime(CLOCK_MONOTONIC, &at) == -1) fail("clock_gettime");
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void path_of(long id, char *path, size_t size) { snprintf(path, size, "%s/slot_%02ld.lock", dir, id); }

/* The descriptor, or -1 when another has it. `flags`: LOCK_NB, or 0 to wait. */
static int claim(long id, int flags) {
  char path[4200];
  struct stat here, there;
  path_of(id, path, sizeof path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd == -1) fail("open");
  if (flock(fd, LOCK_EX | flags) == -1) {
    if (errno != EWOULDBLOCK) fail("flock");
    close(fd);
    return -1;
  }
  if (fstat(fd, &here) == -1) fail("fstat");
  if (stat(path, &there) == -1) fail("stat");
  if (here.st_ino != there.st_ino || here.st_dev != there.st_dev) fail("the file was replaced");
  if (pwrite(fd, record, sizeof record, 0) != (ssize_t)sizeof record) fail("pwrite");
  return fd;
}

static int push(int fd, long id) {
  fds[held] = fd;
  ids[held++] = id;
  return fd;
}

/* Tries one slot after the other; the slot, or -1. */
static long try_all(void) {
  for (long id = 0; id < slots; id++) {
    int fd = claim(id, LOCK_NB);
    if (fd != -1) {
      push(fd, id);
      return id;
    }
  }
  return -1;
}

static long release_at(long index) {
  long id = ids[index];
  if (close(fds[index]) == -1) fail("close");
  held--;
  fds[index] = fds[held];
  ids[index] = ids[held];
  return id;
}

/* Takes a free one, from `*first` on, and notes which one that was: a pool tries the one that it had last before all others. */
static int claim_from(long *first) {
  for (;;) {
    for (long n = 0; n < slots; n++) {
      long id = (*first + n) % slots;
      int fd = claim(id, LOCK_NB);
      if (fd != -1) {
        *first = id;
        return fd;
      }
    }
    /*
     * Refused although one is free: somebody who reads the links in /proc/PID/fd (lsof, a test) holds a reference to our last open file for
     * some microseconds after we closed it.
     */
  }
}

static void measure(long batches, long size) {
  double used = 0;
  long last = 0;
  for (long batch = -1; batch < batches; batch++) {
    if (batch == 0) used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    double began = now_ns(CLOCK_MONOTONIC);
    for (long n = 0; n < size; n++) {
      int fd = claim_from(&last);
      if (close(fd) == -1) fail("close");
    }
    if (batch >= 0) printf("%s%.1f", batch == 0 ? "{\"ns\":[" : ",", (now_ns(CLOCK_MONOTONIC) - began) / size);
  }
  used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
  printf("],\"cpuNs\":%.1f}\n", used / (batches * size));
}

static void first_claims(long times) {
  printf("{\"ns\":[");
  for (long n = 0; n < times; n++) {
    long last = random() % slots;
    double began = now_ns(CLOCK_MONOTONIC);
    int fd = claim_from(&last);
    printf("%s%.0f", n == 0 ? "" : ",", now_ns(CLOCK_MONOTONIC) - began);
    if (close(fd) == -1) fail("close");
  }
  printf("]}\n");
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void compete(long milliseconds) {
  size_t count = 0, in_time = 0, room = 1 << 16;
  double *waits = malloc(room * sizeof *waits);
  if (waits == NULL) fail("malloc");
  double used = now_ns(CLOCK_PROCESS_CPUTIME_ID), now = now_ns(CLOCK_MONOTONIC), end = now + milliseconds * 1e6;
  while (now < end) {
    long first = random() % slots, id = 0;
    int fd = -1;
    for (long n = 0; n < slots && fd == -1; n++) {
      id = (first + n) % slots;
      fd = claim(id, LOCK_NB);
    }
    if (fd == -1) fd = claim(first, 0);
    double got = now_ns(CLOCK_MONOTONIC);
    if (count == room) {
      room *= 2;
      waits = realloc(waits, room * sizeof *waits);
      if (waits == NULL) fail("realloc");
    }
    waits[count++] = got - now;
    if (got < end) in_time++;
    if (close(fd) == -1) fail("close");
    now = now_ns(CLOCK_MONOTONIC);
  }
  used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
  qsort(waits, count, sizeof *waits, by_value);
  size_t shown = count < MOST_SAMPLES ? count : MOST_SAMPLES;
  printf("{\"claims\":%zu,\"cpuNs\":%.1f,\"waitNs\":[", in_time, count == 0 ? 0 : used / count);
  for (size_t n = 0; n < shown; n++)
    printf("%s%.0f", n == 0 ? "" : ",", waits[shown == 1 ? 0 : n * (count - 1) / (shown - 1)]);
  printf("]}\n");
  free(waits);
}

/* For one of them, as a program that uses flock(2) alone has to. */
static long wait_for_one(void) {
  long id = try_all();
  if (id == -1) {
    id = random() % slots;
    push(claim(id, 0), id);
  }
  return id;
}

static void pass(long microseconds) {
  double used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  printf("{\"waiting\":true}\n");
  wait_for_one();
  long long at = exact_ns(), releasing = at;
  used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
  while (releasing - at < microseconds * 1000) releasing = exact_ns();
  release_at(held - 1);
  printf("{\"atNs\":\"%lld\",\"releasingNs\":\"%lld\",\"cpuNs\":%.0f}\n", at, releasing, used);
}

static pid_t sleeper(int executes) {
  pid_t child = fork();
  if (child == -1) fail("fork");
  if (child == 0) {
    if (executes) execlp("sleep", "sleep", "600", (char *)NULL);
    for (;;) pause();
  }
  return child;
}

int main(int argc, char **argv) {
  char line[256], verb[32];
  if (argc != 3) {
    fprintf(stderr, "usage: slot-file DIR SLOTS\n");
    return 2;
  }
  dir = argv[1];
  slots = atol(argv[2]);
  fds = calloc(slots, sizeof *fds);
  ids = calloc(slots, sizeof *ids);
  if (fds == NULL || ids == NULL) fail("calloc");
  memset(record, ' ', sizeof record);
  setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  srandom(getpid());
  if (mkdir(dir, 0700) == -1 && errno != EEXIST) fail("mkdir");
  printf("{\"ready\":true}\n");
  while (fgets(line, sizeof line, stdin)) {
    long a = 0, b = 0;
    if (sscanf(line, "%31s %ld %ld", verb, &a, &b) < 1) continue;
    if (strcmp(verb, "try") == 0) {
      double began = now_ns(CLOCK_MONOTONIC);
      long id = try_all();
      double took = now_ns(CLOCK_MONOTONIC) - began;
      if (id == -1) printf("{\"slot\":null,\"tookNs\":%.0f}\n", took);
      else printf("{\"slot\":%ld,\"tookNs\":%.0f}\n", id, took);
    } else if (strcmp(verb, "wait") == 0) {
      printf("{\"waiting\":true}\n");
      long id = wait_for_one();
      printf("{\"slot\":%ld,\"atNs\":\"%lld\"}\n", id, exact_ns());
    } else if (strcmp(verb, "release") == 0) {
      long long at = exact_ns();
      if (held > 0) release_at(held - 1);
      printf("{\"atNs\":\"%lld\"}\n", at);
    } else if (strcmp(verb, "fill") == 0) {
      for (long n = 0, id = 0; n < a && id < slots; id++) {
        int fd = claim(id, LOCK_NB);
        if (fd != -1) {
          push(fd, id);
          n++;
        }
      }
      printf("{\"held\":%ld}\n", held);
    } else if (strcmp(verb, "drop") == 0) {
      for (long n = 0; n < a && held > 0; n++) release_at(random() % held);
      printf("{\"held\":%ld}\n", held);
    } else if (strcmp(verb, "measure") == 0) measure(a, b);
    else if (strcmp(verb, "first") == 0) first_claims(a);
    else if (strcmp(verb, "pass") == 0) pass(a);
    else if (strcmp(verb, "compete") == 0) compete(a);
    else if (strcmp(verb, "child") == 0) printf("{\"pid\":%d}\n", sleeper(1));
    else if (strcmp(verb, "fork") == 0) printf("{\"pid\":%d}\n", sleeper(0));
    else printf("{\"unsupported\":\"no such request\"}\n");
  }
  return 0;
}
