/*
 * Preloaded (LD_PRELOAD) into the processes of a chaos round: a disk on which making things durable takes long. Each fsync, fdatasync,
 * sync_file_range and rename first sleeps as many milliseconds as the file that SLOW_DISK names holds as a number: 32 bits, in
 * the machine's byte order, read anew each time through a shared mapping.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile uint32_t *delay_ms;

__attribute__((constructor)) static void find_delay(void) {
  const char *path = getenv("SLOW_DISK");
  if (path == NULL) return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(uint32_t), PROT_READ, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) delay_ms = mapped;
  close(fd);
}

static void wait_for_the_disk(void) {
  if (delay_ms == NULL || *delay_ms == 0) return;
  int before = errno;
  struct timespec left = {*delay_ms / 1000, (long)(*delay_ms % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
  errno = before;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int fd) {
  wait_for_the_disk();
  return REAL(fsync)(fd);
}

int fdatasync(int fd) {
  wait_for_the_disk();
  return REAL(fdatasync)(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags) {
  wait_for_the_disk();
  return REAL(sync_file_range)(fd, offset, length, flags);
}

int rename(const char *from, const char *to) {
  wait_for_the_disk();
  return REAL(rename)(from, to);
}
