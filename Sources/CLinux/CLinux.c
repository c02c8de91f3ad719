#define _GNU_SOURCE
#include "CLinux.h"

#include <resolv.h>
#include <netinet/in.h>
#include <netdb.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/file.h>
#include <linux/nsfs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

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

static void interrupt_only(int signal) { (void)signal; }

int clinux_lock_within(int file, unsigned int seconds) {
  struct sigaction action = {.sa_handler = interrupt_only};
  struct sigaction former;
  if (sigaction(SIGALRM, &action, &former) != 0) return -1;
  // The mask is inherited: whoever started this process may have blocked the signal.
  sigset_t alarm_only, former_mask;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, &former_mask);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
  event.sigev_notify_thread_id = gettid();
  timer_t timer;
  int result = -1;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
    // Fires again and again, in case the first signal comes before the wait has begun.
    struct itimerspec span = {.it_value = {.tv_sec = seconds}, .it_interval = {.tv_nsec = 100 * 1000 * 1000}};
    timer_settime(timer, 0, &span, NULL);
    result = flock(file, LOCK_EX);
    int failure = errno;
    timer_delete(timer);
    errno = failure;
  }
  int failure = errno;
  pthread_sigmask(SIG_SETMASK, &former_mask, NULL);
  sigaction(SIGALRM, &former, NULL);
  errno = failure;
  return result;
}

static int has_passed(const struct timespec *moment) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > moment->tv_sec || (now.tv_sec == moment->tv_sec && now.tv_nsec >= moment->tv_nsec);
}

int clinux_lock_until(int file, int64_t seconds, int64_t nanoseconds) {
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return 0;
  if (errno != EWOULDBLOCK) return -1;
  // Never put back: another thread may be waiting by the same signal, and nobody else sends it.
  int signal = SIGRTMAX - 1;
  struct sigaction action = {.sa_handler = interrupt_only};
  if (sigaction(signal, &action, NULL) != 0) return -1;
  sigset_t signal_only, former_mask;
  sigemptyset(&signal_only);
  sigaddset(&signal_only, signal);
  pthread_sigmask(SIG_UNBLOCK, &signal_only, &former_mask);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal};
  event.sigev_notify_thread_id = gettid();
  timer_t timer;
  int result = -1;
  int failure;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
    struct timespec moment = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    // Fires again and again, in case the first signal comes before the wait has begun.
    struct itimerspec span = {.it_value = moment, .it_interval = {.tv_nsec = 100 * 1000 * 1000}};
    timer_settime(timer, TIMER_ABSTIME, &span, NULL);
    do {
      result = flock(file, LOCK_EX);
      failure = errno;
    } while (result != 0 && failure == EINTR && !has_passed(&moment));
    if (result != 0 && failure == EINTR) failure = ETIMEDOUT;
    timer_delete(timer);
  } else {
    failure = errno;
  }
  pthread_sigmask(SIG_SETMASK, &former_mask, NULL);
  errno = failure;
  return result;
}

int clinux_is_network_namespace(int file) { return ioctl(file, NS_GET_NSTYPE) == CLONE_NEWNET; }

int clinux_enter_network_namespace(int file) { return setns(file, CLONE_NEWNET); }

int clinux_new_network_namespace(void) { return unshare(CLONE_NEWNET); }

int clinux_memory_file(const char *name) {
  return memfd_create(name, MFD_CLOEXEC);
}

int clinux_device_setting(const char *device, uint32_t command, uint32_t *value) {
  struct ethtool_value setting = {.cmd = command, .data = *value};
  struct ifreq request = {.ifr_data = (char *)&setting};
  size_t length = strlen(device);
  if (length >= sizeof request.ifr_name) {
    errno = ENODEV;
    return -1;
  }
  memcpy(request.ifr_name, device, length);
  int socket_number = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_number < 0) return -1;
  int result = ioctl(socket_number, SIOCETHTOOL, &request);
  int failure = errno;
  close(socket_number);
  if (result == 0) *value = setting.data;
  errno = failure;
  return result == 0 ? 0 : -1;
}

void clinux_use_memory_sparingly(void) {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

void clinux_return_free_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

int clinux_resolve_services(const char *name, unsigned char *answer, int size) {
#ifdef __GLIBC__
  struct __res_state state = {0};
  if (res_ninit(&state) != 0) return -1;
  // Left alone it would be five seconds for each server, twice.
  if (state.retrans > 1) state.retrans = 1;
  int tries = state.nscount > 1 ? 1 : 2;
  if (state.retry > tries) state.retry = tries;
  errno = 0;
  int length = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, size);
  int isSilent = errno == ETIMEDOUT;
  int reason = state.res_h_errno;
  res_nclose(&state);
#else
  int length = res_query(name, ns_c_in, ns_t_srv, answer, size);
  int isSilent = 0;
  int reason = h_errno;
#endif
  if (length >= 0) return length < size ? length : size;
  if (reason == HOST_NOT_FOUND || reason == NO_DATA) return 0;
  return isSilent ? -2 : -1;
}
