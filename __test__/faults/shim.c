// LD_PRELOAD: fails one system call that the addon makes, or writes down those that it makes. Calls of Node's own,
// and of every other library, go through: what counts is where a call returns to.
//
//   FAULT=CALL:ERRNO:NTH         the NTH call fails, as does every later one where NTH ends in "+"
//   FAULT=launch.CALL:ERRNO:NTH  the call fails in the NTH child that is started, between its clone and its exec
//   FAULT=launch.CALL/I=V:…      likewise, where its argument I is V
//   FAULT_OVER=…                 set by the program itself: nothing fails any more
//   FAULT_LOG=FILE               a line for each call: its name and where in the addon it is made
//
// Every wrapper takes as many integers as any of the calls, which fits all of them on x86-64 and arm64.
#include "addon.h"
#include "seccomp.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>

static char call[40];
static int error, nth, goes_on, child_argument = -1, child_value;
static int made, started;
static const char *log_file;
static Function *kernel;

__attribute__((constructor)) static void begin(void) {
  kernel = (Function *)dlsym(RTLD_NEXT, "syscall");
  const char *fault = getenv("FAULT");
  if (fault) {
    char name[80], plus = 0;
    if (sscanf(fault, "%79[^:]:%d:%d%c", name, &error, &nth, &plus) < 3) abort();
    goes_on = plus == '+';
    sscanf(name, "%39[^/]/%d=%d", call, &child_argument, &child_value);
  }
  const char *log = getenv("FAULT_LOG");
  if (log) log_file = strdup(log);
  unsetenv("FAULT");
  unsetenv("FAULT_LOG");
}

static void write_down(const char *name, void *site) {
  char line[80];
  int size = snprintf(line, sizeof line, "%s %lx\n", name, (unsigned long)site - first_address);
  long fd = kernel(SYS_openat, AT_FDCWD, log_file, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (fd < 0) return;
  kernel(SYS_write, fd, line, size);
  kernel(SYS_close, fd);
}

// Whether this call is the one that fails.
static int fails(const char *name, void *site) {
  int kept = errno, result = 0;
  if ((log_file || *call) && is_ours(site)) {
    if (log_file) write_down(name, site);
    if (!strcmp(call, name) && !getenv("FAULT_OVER")) {
      int count = __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
      result = count == nth || (goes_on && count > nth);
    }
  }
  errno = result ? error : kept;
  return result;
}

#define WRAP_AS(name, shown, failure) \
  DEFINE(name, long a, long b, long c, long d, long e, long f) { \
    NEXT(name); \
    if (fails(shown, SITE)) return failure; \
    return next(a, b, c, d, e, f); \
  }
#define WRAP(name) WRAP_AS(name, #name, -1)

WRAP(epoll_create1) WRAP(epoll_ctl) WRAP(epoll_wait) WRAP(eventfd) WRAP(faccessat) WRAP(fallocate) WRAP(fcntl)
WRAP(fstatfs) WRAP(getrandom) WRAP(getrlimit) WRAP(getsockname) WRAP(getsockopt) WRAP(ioctl) WRAP(kill) WRAP(madvise)
WRAP(memfd_create) WRAP(mmap) WRAP(mprotect) WRAP(munmap) WRAP(pipe2) WRAP(poll) WRAP(read) WRAP(readlink) WRAP(recv)
WRAP(recvmsg) WRAP(send) WRAP(sendmsg) WRAP(sigaltstack) WRAP(socketpair) WRAP(stat) WRAP(statx) WRAP(timerfd_create)
WRAP(timerfd_settime) WRAP(waitid) WRAP(writev) WRAP(sched_getaffinity) WRAP(setrlimit)
WRAP(socket) WRAP(connect) WRAP(bind) WRAP(getpeername) WRAP(setsockopt) WRAP(dup) WRAP(accept4)
WRAP_AS(fstat64, "fstat", -1) WRAP_AS(lseek64, "lseek", -1) WRAP_AS(mmap64, "mmap", -1) WRAP_AS(open64, "open", -1)
WRAP_AS(stat64, "stat", -1)
WRAP_AS(getcwd, "getcwd", 0) WRAP_AS(opendir, "opendir", 0) WRAP_AS(realpath, "realpath", 0)
WRAP_AS(pthread_create, "pthread_create", error)

// Linux has freed the descriptor when close() fails.
DEFINE(close, long fd) {
  NEXT(close);
  int failed = fails("close", SITE), kept = errno;
  long result = next(fd);
  if (!failed) return result;
  errno = kept;
  return -1;
}

// There is no child to wait for where somebody else has.
DEFINE(wait4, long pid, long status, long options, long usage) {
  NEXT(wait4);
  if (!fails("wait4", SITE)) return next(pid, status, options, usage);
  if (error == ECHILD) next(pid, 0L, 0L, 0L);
  errno = error;
  return -1;
}

// To wake a loop, a number is written to an eventfd, which fails otherwise than a file or a socket.
DEFINE(write, long fd, long bytes, long size) {
  NEXT(write);
  return fails(size == sizeof(long long) ? "write_eventfd" : "write", SITE) ? -1 : next(fd, bytes, size);
}

// Only a wait may end early: what wakes others does not fail.
static int waits(long operation) {
  long command = operation & FUTEX_CMD_MASK;
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

DEFINE(syscall, long number, long a, long b, long c, long d, long e, long f) {
  const char *name = "syscall";
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) if (CALLS[i].number == number) name = CALLS[i].name;
  if (number == SYS_futex && !waits(b)) name = "futex_wake";
  if (kernel && fails(name, SITE)) return -1;
  NEXT(syscall);
  return next(number, a, b, c, d, e, f);
}

// Adds: the call is allowed where the comparison of `word` with `value` gives `result`.
static void allow_where(int result, unsigned word, unsigned short comparison, unsigned value) {
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, word);
  add(BPF_JMP | comparison | BPF_K, !result, result, value);
  answer(0);
}

// Makes the filter for the child that is about to be started: whether it is to have one.
static int prepare_child(void *site) {
  if (strncmp(call, "launch.", 7) || !is_ours(site)) return 0;
  if (__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST) != nth) return 0;
  length = 0;
  allow_where(0, ADDRESS + 4, BPF_JEQ, first_address >> 32);
  allow_where(0, ADDRESS, BPF_JGE, first_address);
  allow_where(1, ADDRESS, BPF_JGE, end_address);
  allow_where(0, NUMBER, BPF_JEQ, number_of(call + 7));
  if (child_argument >= 0) allow_where(0, ARGUMENT(child_argument), BPF_JEQ, child_value);
  answer(error);
  return 1;
}

static int (*child_run)(void *);

static int run_confined(void *argument) {
  confine();
  return child_run(argument);
}

DEFINE(clone, int (*run)(void *), long stack, long flags, long argument, long pid, long tls, long child_pid) {
  NEXT(clone);
  if (fails("clone", SITE)) return -1;
  if (!prepare_child(SITE)) return next((long)run, stack, flags, argument, pid, tls, child_pid);
  child_run = run;
  return next((long)run_confined, stack, flags, argument, pid, tls, child_pid);
}

DEFINE(fork, void) {
  NEXT(fork);
  if (fails("fork", SITE)) return -1;
  int confined = prepare_child(SITE);
  long pid = next(0);
  if (pid == 0 && confined) confine();
  return pid;
}
