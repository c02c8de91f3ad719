#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_open_unnamed(int directory, mode_t mode) {
  return openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
}

ssize_t clinux_read_directory(int directory, void *buffer, size_t size) {
  return syscall(SYS_getdents64, directory, buffer, size);
}

int clinux_set_modification_time(int file, int64_t seconds, int64_t nanoseconds) {
  struct timespec times[2] = {
      {.tv_sec = 0, .tv_nsec = UTIME_OMIT},
      {.tv_sec = seconds, .tv_nsec = nanoseconds},
  };
  return futimens(file, times);
}

uint64_t clinux_incarnation(int directory, const char *name) {
  struct {
    struct file_handle handle;
    unsigned char bytes[MAX_HANDLE_SZ];
  } storage;
  storage.handle.handle_bytes = MAX_HANDLE_SZ;
  int mount;
  if (name_to_handle_at(directory, name, &storage.handle, &mount, 0) != 0) return 0;
  uint64_t digest = 0xcbf29ce484222325u ^ (uint64_t)storage.handle.handle_type;
  for (unsigned int i = 0; i < storage.handle.handle_bytes; i++) {
    digest = (digest ^ storage.handle.f_handle[i]) * 0x100000001b3u;
  }
  return digest == 0 ? 1 : digest;
}
