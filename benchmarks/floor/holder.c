/*
 * Holders to be killed, cheaply. Reads lines from standard input:
 *
 *   hold PATH   a child locks PATH (waiting for it, if need be); prints "held PID"
 *   kill PID    SIGKILLs that child and waits for its end; prints "killed NS", when the signal was sent (CLOCK_MONOTONIC)
 *
 * With an argument PATH it is the C waiter: waits for the lock of PATH, prints "locked NS", releases, and waits again at each line.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static long long now_ns(void) {
  struct timespec at;
  if (clock_gettime(CLOCK_MONOTONIC, &at) == -1) fail("clock_gettime");
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int lock(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd == -1) fail("open");
  if (flock(fd, LOCK_EX) == -1) fail("flock");
  return fd;
}

static void hold(const char *path) {
  int ready[2];
  char byte;
  if (pipe(ready) == -1) fail("pipe");
  pid_t child = fork();
  if (child == -1) fail("fork");
  if (child == 0) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) fail("prctl");
    lock(path);
    if (write(ready[1], "", 1) != 1) fail("write");
    for (;;) pause();
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) fail("the holder died");
  close(ready[0]);
  printf("held %d\n", child);
}

static void end(pid_t child) {
  long long sent = now_ns();
  if (kill(child, SIGKILL) == -1) fail("kill");
  if (waitpid(child, NULL, 0) != child) fail("waitpid");
  printf("killed %lld\n", sent);
}

int main(int argc, char **argv) {
  char line[4200];
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 2) {
    do {
      int fd = lock(argv[1]);
      printf("locked %lld\n", now_ns());
      close(fd);
    } while (fgets(line, sizeof line, stdin));
    return 0;
  }
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "hold ", 5) == 0) hold(line + 5);
    else if (strncmp(line, "kill ", 5) == 0) end(atoi(line + 5));
    else fail(line);
  }
  return 0;
}
