// Linux calls that the Swift overlay of the C library does not import.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Opens an unnamed file for writing in a directory (O_TMPFILE). Returns a descriptor, or -1 with errno set.
int clinux_open_unnamed(int directory, mode_t mode);

/// Reads raw directory entries (getdents64). Returns the bytes read, 0 at the end, or -1 with errno set.
ssize_t clinux_read_directory(int directory, void *buffer, size_t size);

/// Sets the modification time of an open file and leaves its access time (futimens). Returns 0, or -1 with errno set.
int clinux_set_modification_time(int file, int64_t seconds, int64_t nanoseconds);

/// A number for one incarnation of an inode: a digest of the kernel's file handle, which names inode and generation, so
/// that a file made later in the same inode has another number (name_to_handle_at). Does not follow symbolic links.
/// Returns 0 with errno set where the file system has no handles.
uint64_t clinux_incarnation(int directory, const char *name);

/// Waits for an exclusive flock(2), at most so many seconds. Returns 0 when the lock is had, or -1 with errno set: EINTR
/// when the time is over. The timer's signal goes to the calling thread, so no other one is needed or disturbed.
int clinux_lock_within(int file, unsigned int seconds);

/// Waits for an exclusive flock(2) until a moment of CLOCK_MONOTONIC, in the kernel's queue. Returns 0 when the lock is
/// had, or -1 with errno set: ETIMEDOUT when the moment has passed. May be called by several threads at once; the signal
/// SIGRTMAX - 1 is its own from then on.
int clinux_lock_until(int file, int64_t seconds, int64_t nanoseconds);

/// Whether an open file is a network namespace (NS_GET_NSTYPE): 1 if it is, 0 if it is another namespace or none.
int clinux_is_network_namespace(int file);

/// Puts the calling thread, and no other, into an open network namespace (setns). Returns 0, or -1 with errno set.
int clinux_enter_network_namespace(int file);

/// Puts the calling thread, and no other, into a new network namespace (unshare). Returns 0, or -1 with errno set.
int clinux_new_network_namespace(void);

/// Opens an unnamed file in memory, to be read by another program (memfd_create). Returns a descriptor, or -1 with errno
/// set.
int clinux_memory_file(const char *name);

/// Reads or changes a setting of a network device that is one number (SIOCETHTOOL), in the namespace of the calling
/// thread. Returns 0, or -1 with errno set.
int clinux_device_setting(const char *device, uint32_t command, uint32_t *value);

/// For a process that lives long and does little at a time: one heap for all threads, and what is freed at its end goes
/// back to the kernel (mallopt). To be called before there is a second thread.
void clinux_use_memory_sparingly(void);

/// Gives the kernel back what is free anywhere in the heap (malloc_trim). Takes milliseconds where much was freed.
void clinux_return_free_memory(void);

/// Asks the name servers for the SRV records of a name (res_query), for a second each, or two when there is only one.
/// Returns the length of the answer, a message of the domain name system; 0 when there are no such records, -1 when
/// nobody could be asked, -2 when nobody answered in that time.
int clinux_resolve_services(const char *name, unsigned char *answer, int size);

#endif
