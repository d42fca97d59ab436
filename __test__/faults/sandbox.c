// Runs a command as an older kernel or a sandbox would, by a filter: no privilege is needed.
//
//   sandbox 5.4 COMMAND…          what is newer than Linux 5.4 is not there
//   sandbox CALL:ERRNO… COMMAND…  the call is refused; "shared-clone", "clone-pidfd": clone() with those flags
#include "seccomp.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION(major, minor) ((major) * 100 + (minor))
#define CLOEXEC_IN_RANGE 4
#define BY_PIDFD 3
#define ADD_SEALS 1033
#define SEAL_FUTURE_WRITE 16
#define NEWEST_KNOWN 600

// Adds: where what `word` holds compares with `value`, the next instructions; else they are left out.
static void where(unsigned word, unsigned short comparison, unsigned value, unsigned char next) {
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, word);
  add(BPF_JMP | comparison | BPF_K, 0, next, value);
}

static void refuse(long number, int error) {
  where(NUMBER, BPF_JEQ, number, 1);
  answer(error);
}

static void refuse_with(long number, int argument, unsigned short comparison, unsigned value, int error) {
  where(NUMBER, BPF_JEQ, number, 3);
  where(ARGUMENT(argument), comparison, value, 1);
  answer(error);
}

// Threads share memory, too: those are let through.
static void refuse_shared_clone(int error) {
  where(NUMBER, BPF_JEQ, SYS_clone, 5);
  where(ARGUMENT(0), BPF_JSET, CLONE_VM, 3);
  add(BPF_JMP | BPF_JSET | BPF_K, 2, 0, CLONE_THREAD);
  add(BPF_JMP | BPF_JSET | BPF_K, 1, 0, CLONE_VFORK);
  answer(error);
}

static void imitate(int version) {
  // What came after 5.11 has numbers of its own, the same on every architecture.
  for (long number = SYS_epoll_pwait2 + 1; number < NEWEST_KNOWN; number++) refuse(number, ENOSYS);
  if (version < VERSION(5, 11)) refuse(SYS_epoll_pwait2, ENOSYS);
  if (version < VERSION(5, 9)) refuse(SYS_close_range, ENOSYS);
  else if (version < VERSION(5, 11)) refuse_with(SYS_close_range, 2, BPF_JSET, CLOEXEC_IN_RANGE, EINVAL);
  if (version < VERSION(5, 8)) refuse(SYS_faccessat2, ENOSYS);
  if (version < VERSION(5, 4)) refuse_with(SYS_waitid, 0, BPF_JEQ, BY_PIDFD, EINVAL);
  if (version < VERSION(5, 3)) {
    refuse(SYS_pidfd_open, ENOSYS);
    refuse(SYS_clone3, ENOSYS);
  }
  if (version < VERSION(5, 2)) refuse_with(SYS_clone, 0, BPF_JSET, CLONE_PIDFD, EINVAL);
  if (version < VERSION(5, 1)) {
    refuse(SYS_pidfd_send_signal, ENOSYS);
    for (long number = SYS_io_uring_setup; number <= SYS_io_uring_register; number++) refuse(number, ENOSYS);
    where(NUMBER, BPF_JEQ, SYS_fcntl, 5);
    where(ARGUMENT(1), BPF_JEQ, ADD_SEALS, 3);
    where(ARGUMENT(2), BPF_JSET, SEAL_FUTURE_WRITE, 1);
    answer(EINVAL);
  }
}

static int refuse_named(const char *name, int error) {
  if (!strcmp(name, "shared-clone")) refuse_shared_clone(error);
  else if (!strcmp(name, "clone-pidfd")) refuse_with(SYS_clone, 0, BPF_JSET, CLONE_PIDFD, error);
  else if (number_of(name) >= 0) refuse(number_of(name), error);
  else return 0;
  return 1;
}

int main(int count, char **arguments) {
  int next = 1, major, minor, error;
  char name[40], rest;
  for (; next < count; next++) {
    if (sscanf(arguments[next], "%d.%d%c", &major, &minor, &rest) == 2) imitate(VERSION(major, minor));
    else if (sscanf(arguments[next], "%39[a-z0-9_-]:%d%c", name, &error, &rest) != 2) break;
    else if (!refuse_named(name, error)) break;
  }
  if (next == count) return 2;
  answer(0);
  if (confine()) return perror("seccomp"), 2;
  execvp(arguments[next], arguments + next);
  return perror(arguments[next]), 127;
}
